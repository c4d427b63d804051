"""The side of a fork server that forks: it answers requests on a socket, holds the lifetime of each process it made, and tells how that ended.

A request is one JSON object with two descriptors: the new process's end of its channel, and the other end of its *lifetime*: when the one
who asked closes theirs, the process is killed; when the process ends, the lifetime says how.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

Fork = Callable[[dict[str, Any], socket.socket], int]


class Server:
    """Serves until standard input ends. `fork(request, channel)` gives the number of a new process, in which it never returns; `ended(number)`
    hears of its end."""

    def __init__(self, listener: socket.socket, fork: Fork, ended: Callable[[int], None] = lambda pid: None) -> None:
        self.listener, self.fork, self.ended = listener, fork, ended
        self.lifetimes: dict[int, socket.socket] = {}  # by process id
        self.selector = selectors.DefaultSelector()
        self.wakeup, waker = socket.socketpair()
        self._sockets = (listener, self.wakeup, waker)
        for sock in self._sockets:
            sock.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        self.selector.register(0, selectors.EVENT_READ, self._owner_is_gone)
        self.selector.register(listener, selectors.EVENT_READ, self._accept)
        self.selector.register(self.wakeup, selectors.EVENT_READ, self._reap)

    def serve(self) -> None:
        while True:
            for key, _ in self.selector.select():
                key.data()

    def _owner_is_gone(self) -> None:
        for pid in self.lifetimes:
            _kill(pid)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        forget(self.listener.getsockname())
        sys.exit()

    def _accept(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            connection, _ = self.listener.accept()
            with connection:
                connection.settimeout(2)
                text, descriptors, _, _ = socket.recv_fds(connection, 1 << 16, 2)
            channel, lifetime = (socket.socket(fileno=d) for d in descriptors)
            with channel:
                pid = self.fork(json.loads(text), channel)
            self.lifetimes[pid] = lifetime
            self.selector.register(lifetime, selectors.EVENT_READ, lambda: self._released(pid))

    def _released(self, pid: int) -> None:
        if pid in self.lifetimes:
            self.selector.unregister(self.lifetimes[pid])
            _kill(pid)

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self.wakeup.recv(4096)
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                self._ended(pid, status)

    def _ended(self, pid: int, status: int) -> None:
        _kill(pid, dead=True)
        self.ended(pid)
        lifetime = self.lifetimes.pop(pid, None)
        if lifetime is None:
            return
        with contextlib.suppress(KeyError):
            self.selector.unregister(lifetime)
        with lifetime, contextlib.suppress(OSError):
            lifetime.send(str(os.waitstatus_to_exitcode(status)).encode())


def alone_with(channel: socket.socket) -> socket.socket:
    """In a new process: let go of all that is the server's. Every descriptor but `channel` is closed, standard input is empty, and what is
    written to standard output or errors goes nowhere."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with contextlib.suppress(OSError):
        os.setsid()
    silence()
    kept = channel.detach()
    os.closerange(3, kept)
    os.closerange(kept + 1, 4096 if sys.platform == "darwin" else 1 << 20)
    return socket.socket(fileno=kept)


def silence() -> None:
    """Standard input, output and errors are the /dev/null of the tree that this process sees."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    if null > 2:
        os.close(null)


def forget(address: str) -> None:
    """Remove a socket and the private folder around it."""
    with contextlib.suppress(OSError):
        os.unlink(address)
    with contextlib.suppress(OSError):
        os.rmdir(os.path.dirname(address))


def _kill(pid: int, dead: bool = False) -> None:
    """Kill a process with all that it started; `dead`: what it left behind."""
    with contextlib.suppress(OSError):
        os.killpg(pid, signal.SIGKILL)
    if not dead:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
