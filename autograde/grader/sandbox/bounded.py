"""Look into untrusted bytes in a process that the system ends when it uses too much.

Finding a class's files means to unpack, decode and search what students sent. `bounded` runs such a function in a *reader*: a fork of
this process that holds nothing open but a socket, and has a limit of processor time and memory for each call. Nothing in the process
itself could be relied on to stop a decoder or a pattern; the kernel does. A reader that was ended costs that call only: it raises
TooMuch, and the next call gets a new reader.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from multiprocessing.connection import Connection
from typing import ParamSpec, TypeVar

from autograde.grader.sandbox.limits import bounded_memory, more_processor_time

SECONDS = 10  # of processor time for one call: a file of 20 MB takes a twentieth of it
WALL_SECONDS = 300.0  # where even that does not end it
MEMORY = 1 << 30

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


class TooMuch(ValueError):
    """Looking into a file took more processor time or memory than one file may take; the message says so."""


class _Reader:
    """One reader process, and what it is asked."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            _serve(theirs.detach())
        theirs.close()
        self.pipe = Connection(ours.detach())

    def ask(self, function: Callable, args: tuple, kwargs: dict, seconds: float) -> object:
        """What the function gives or raises. Raises TooMuch, after which this reader is gone."""
        try:
            self.pipe.send((function.__module__, function.__qualname__, args, kwargs, seconds))
            if not self.pipe.poll(WALL_SECONDS):
                raise TooMuch(f"looking into it took more than {WALL_SECONDS:.0f} seconds")
            well, value = self.pipe.recv()
        except (EOFError, OSError):
            raise TooMuch(self._why(seconds)) from None
        if not well:
            raise value
        return value

    def _why(self, seconds: float) -> str:
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        if os.waitstatus_to_exitcode(status) == -signal.SIGXCPU:
            return f"looking into it took more than {seconds} seconds of processor time"
        return "looking into it ended the process that did (is the memory full?)"

    def end(self) -> None:
        """End the process, whatever it is at."""
        self.pipe.close()
        if self.pid:
            with contextlib.suppress(OSError):
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)


class Readers:
    """One reader after another, started when first needed."""

    def __init__(self) -> None:
        self.reader: _Reader | None = None
        self.lock = threading.Lock()

    def ask(self, function: Callable, args: tuple, kwargs: dict, seconds: float) -> object:
        with self.lock:
            self.reader = self.reader or _Reader()
            try:
                return self.reader.ask(function, args, kwargs, seconds)
            except BaseException as error:
                if isinstance(error, TooMuch) or not isinstance(error, Exception):
                    self.close()
                raise

    def close(self) -> None:
        if self.reader is not None:
            self.reader.end()
            self.reader = None


_open: list[Readers] = []  # the innermost one last


@contextmanager
def reading() -> Iterator[None]:
    """While it is open, `bounded` functions run in a reader; on Linux only."""
    readers = Readers()
    if sys.platform.startswith("linux"):
        _open.append(readers)
    try:
        yield
    finally:
        if readers in _open:
            _open.remove(readers)
        with readers.lock:
            readers.close()


def bounded(seconds: int = SECONDS) -> Callable[[Callable[Given, Answer]], Callable[Given, Answer]]:
    """Decorate a module's function: while `reading` is open it runs in a reader, whose end is a TooMuch; arguments and answer are plain
    data. Elsewhere (in a grader, say, which the system ends too) it is called as it is.
    """

    def decorate(function: Callable[Given, Answer]) -> Callable[Given, Answer]:
        @wraps(function)
        def run(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
            return _open[-1].ask(function, args, kwargs, seconds) if _open else function(*args, **kwargs)  # type: ignore[return-value]

        return run

    return decorate


def _serve(descriptor: int) -> None:
    """The reader's life: calls come in and answers go out, until the other end closes. Nothing else of its parent's stays open."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.closerange(3, descriptor)
        os.closerange(descriptor + 1, 1 << 16)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _open.clear()
        pipe = Connection(descriptor)
        while True:
            module, name, args, kwargs, seconds = pipe.recv()
            more_processor_time(seconds)
            pipe.send(_answer(getattr(importlib.import_module(module), name), args, kwargs))
    except (EOFError, OSError):
        pass
    finally:
        os._exit(0)


def _answer(function: Callable, args: tuple, kwargs: dict) -> tuple[bool, object]:
    try:
        with bounded_memory(MEMORY):
            return True, function(*args, **kwargs)
    except (MemoryError, RecursionError) as error:
        return False, TooMuch(f"looking into it takes more than there is ({type(error).__name__})")
    except Exception as error:
        return False, error
