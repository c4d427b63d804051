"""The pre-forking server (a zygote), as who asks it for processes sees it: it has imported PyTorch once, and forks in milliseconds.

`multiprocessing`'s forkserver does nearly this, but hands each child the parent's main module, its search path and the
key that authenticates to it. An untrusted process is better off with two sockets and a list of limits; and one import of
PyTorch then does for workers and graders.

The server listens on two Unix sockets in a private folder: one for workers, one for graders (`preloaded.py`).
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from autograde.checking.errors import SandboxUnavailable
from autograde.grader.rpc.deadline import name_senders
from autograde.grader.sandbox.limits import NO_GPU, Limits
from autograde.grader.sandbox.modes import Mode
from autograde.grader.worker.forking import forget
from autograde.layout import ROOT

ENVIRONMENT = {  # all that the server's memory, and so the worker's /proc/self/environ, ever holds
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",  # a thread that exists before the fork is missing after it
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    **NO_GPU,
    "MPLBACKEND": "Agg",
    "PYTHONHASHSEED": "0",
}


MOST_BYTES = 100  # of a socket's path; Linux takes 107, macOS 103


class ForkServer:
    """A fork server that this one started, or (by `address`) one that another did.

    No worker that is asked for here may read `hidden`, wherever it lies: the class, its results.
    """

    def __init__(self, address: str | None = None, root: Path = ROOT, hidden: Iterable[str | Path] = ()) -> None:
        self.hidden = tuple(sorted({os.path.realpath(path) for path in hidden}))
        self.asked = threading.Event()  # for any process
        self.process: subprocess.Popen | None = None
        self.address = self._start(root) if address is None else address

    def _start(self, root: Path) -> str:
        """A server of our own; gives its address."""
        address = _address()
        listeners = [_listen(address), _listen(_for_graders(address))]
        numbers = [listener.fileno() for listener in listeners]
        code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from autograde.grader.worker.preloaded import main; main()"
        command = [sys.executable, "-P", "-s", "-W", "ignore", "-c", code, *map(str, numbers), str(root)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=ENVIRONMENT, cwd="/", pass_fds=numbers,
            start_new_session=True,  # Ctrl-C is for the grader, which then decides
        )  # fmt: skip
        for listener in listeners:
            listener.close()
        weakref.finalize(self, _stop, self.process, address, os.getpid(), self.asked)
        return address

    def spawn(self, limits: Limits, mode: Mode) -> tuple[socket.socket, socket.socket]:
        """A new worker's data channel and lifetime.

        Raises:
            SandboxUnavailable: when the server is gone.
        """
        limits = replace(limits, hidden_paths=(*limits.hidden_paths, *self.hidden))
        self.asked.set()
        try:
            data, lifetime = _ask(self.address, {"limits": asdict(limits), "mode": mode})
        except OSError as error:
            raise SandboxUnavailable(f"the process that makes workers is gone ({error})") from None
        name_senders(data)
        return data, lifetime

    def spawn_grader(self, life: Callable[[Connection], None]) -> tuple[Connection, socket.socket]:
        """A process of ours that runs `life` with the other end of a connection, in this folder and environment; and its lifetime.

        Raises:
            OSError: when the server is gone.
        """
        self.asked.set()
        data, lifetime = _ask(_for_graders(self.address), {"run": f"{life.__module__}:{life.__name__}"})
        pipe = Connection(data.detach())
        pipe.send((os.getcwd(), dict(os.environ)))
        return pipe, lifetime

    def alive(self) -> bool:
        return self.process is None or self.process.poll() is None

    def close(self) -> None:
        if self.process:
            _stop(self.process, self.address, os.getpid(), self.asked)


def _address() -> str:
    """A socket's path in a new folder of mode 0700: only we may ask for processes. Where the folder for temporary files has a long name, it is in /tmp:
    a system takes no more than about a hundred bytes."""
    folder = tempfile.mkdtemp(prefix="autograde-")
    if len(os.fsencode(_for_graders(os.path.join(folder, "server")))) > MOST_BYTES:
        os.rmdir(folder)
        folder = tempfile.mkdtemp(prefix="autograde-", dir="/tmp")
    return os.path.join(folder, "server")


def _for_graders(address: str) -> str:
    return address + "-graders"


def _listen(address: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(64)
    return listener


def _ask(address: str, request: dict[str, Any]) -> tuple[socket.socket, socket.socket]:
    """Our ends of a new process's channel and lifetime. Raises OSError."""
    data, theirs = socket.socketpair()
    lifetime, its_lifetime = socket.socketpair()
    with theirs, its_lifetime, socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(address)
            socket.send_fds(connection, [json.dumps(request).encode()], [theirs.fileno(), its_lifetime.fileno()])
        except OSError:
            data.close()
            lifetime.close()
            raise
    return data, lifetime


def _stop(process: subprocess.Popen, address: str, owner: int, asked: threading.Event) -> None:
    if os.getpid() != owner:  # a fork of ours that ends does not take the server with it
        return
    if not asked.is_set():  # it may still be importing, and has nothing to end
        process.kill()
    if process.stdin:
        process.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5)
    forget(_for_graders(address))
    forget(address)


_shared: ForkServer | None = None
_lock = threading.Lock()


def shared() -> ForkServer:
    """This process's own fork server, started when first asked for; or the one `use` named."""
    global _shared
    with _lock:
        if _shared is None or not _shared.alive():
            _shared = ForkServer()
        return _shared


def use(address: str, hidden: Iterable[str | Path] = ()) -> None:
    """Take workers from the fork server that another process started, none of which may read `hidden`."""
    global _shared
    _shared = ForkServer(address, hidden=hidden)
