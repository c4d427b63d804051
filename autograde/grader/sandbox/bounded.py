"""Look into untrusted bytes in a process that the system ends when it uses too much.

Finding a class's files means to unpack, decode and search what students sent; its pages show their code and their messages. `bounded` runs
such a function in a *reader*: a fork of this process that holds nothing open but a socket, has a limit of processor time and memory for each
call, and is confined where the machine can (Landlock: it writes nothing but where it unpacks to; seccomp: no network, no new process).
Nothing in the process itself could be relied on to stop a decoder or a pattern; the kernel does. A reader that was ended costs that call
only: it raises TooMuch, and the next call gets a new reader. What it answers is JSON, so that a reader taken over by what it reads
can only answer wrongly.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import math
import os
import resource
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from multiprocessing.connection import Connection
from pathlib import Path
from typing import ParamSpec, TypeVar

from autograde.grader.sandbox import landlock, seccomp, syscalls
from autograde.grader.sandbox.limits import bounded_memory, first_to_go, more_processor_time
from autograde.grader.sandbox.modes import Level

SECONDS = 10  # of processor time for one call: a file of 20 MB takes a twentieth of it
WALL_SECONDS = 300  # where even that does not end it
MEMORY = 1 << 30
ANSWER_BYTES = 256 << 20
STOPPING = (signal.SIGINT, signal.SIGTERM)
NO_ANSWER = "the process that looked into it gave no answer that can be read"

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


class TooMuch(ValueError):
    """Looking into a file took more processor time or memory than one file may take, or did not succeed; the message says which."""


class Ended(TooMuch):
    """The process that looked into it is gone, or of no more use."""


class _Reader:
    """One reader process, and what it is asked."""

    def __init__(self, writable: Sequence[Path]) -> None:
        ours, theirs = socket.socketpair()
        with _undisturbed():
            self.pid = os.fork()
            if self.pid == 0:
                _serve(theirs.detach(), writable)
        theirs.close()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", WALL_SECONDS, 0))  # for one that stops half way
        self.pipe = Connection(ours.detach())

    def ask(self, function: Callable, args: tuple, kwargs: dict, seconds: float) -> dict:
        """Its answer, which `_decoded` reads. Raises TooMuch; `Readers` then ends this reader."""
        try:
            self.pipe.send((function.__module__, function.__qualname__, args, kwargs, seconds))
            if not self.pipe.poll(WALL_SECONDS):
                raise Ended(f"looking into it took more than {WALL_SECONDS} seconds")
            said = json.loads(self.pipe.recv_bytes(ANSWER_BYTES))
        except (EOFError, OSError):
            raise Ended(self._why(seconds)) from None
        except (ValueError, RecursionError):
            raise Ended(NO_ANSWER) from None
        if type(said) is not dict:
            raise Ended(NO_ANSWER)
        return said

    def _why(self, seconds: float) -> str:
        """Of one that has ended, how it did; one that has not is ended."""
        self.pipe.close()
        with contextlib.suppress(OSError):
            os.kill(self.pid, signal.SIGKILL)  # does nothing to one that has ended
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
    """One reader after another, started when first needed; they may write below `writable`."""

    def __init__(self, writable: Sequence[Path] = ()) -> None:
        self.writable = writable
        self.reader: _Reader | None = None
        self.used = 0.0  # seconds of processor time, in all calls
        self.lock = threading.Lock()

    def ask(self, function: Callable, args: tuple, kwargs: dict, seconds: float, raises: tuple[type[Exception], ...]) -> object:
        with self.lock:
            self.reader = self.reader or _Reader(self.writable)
            try:
                said = self.reader.ask(function, args, kwargs, seconds)
                self.used += min(max(_number(said), 0.0), seconds)
                return _decoded(said, raises)
            except BaseException as error:
                self.used += seconds if isinstance(error, Ended) else 0.0
                if isinstance(error, TooMuch) or not isinstance(error, Exception):
                    self.close()
                raise

    def close(self) -> None:
        if self.reader is not None:
            self.reader.end()
            self.reader = None


_open: list[Readers] = []  # the innermost one last


@contextmanager
def reading(*writable: Path) -> Iterator[None]:
    """While it is open, `bounded` functions run in a reader, which may write below `writable`; on Linux only."""
    readers = Readers(writable)
    if sys.platform.startswith("linux"):
        _open.append(readers)
    try:
        yield
    finally:
        if readers in _open:
            _open.remove(readers)
        with readers.lock:
            readers.close()


def bounded(
    seconds: int | Callable[..., int] = SECONDS, raises: tuple[type[Exception], ...] = ()
) -> Callable[[Callable[Given, Answer]], Callable[Given, Answer]]:
    """Decorate a module's function: while `reading` is open it runs in a reader, whose end is a TooMuch.

    `seconds` may depend on the arguments. What it returns is what JSON can say. Errors of the kinds `raises` come through with their message, all others as a TooMuch. Elsewhere (in a
    grader, say, which the system ends too) the function is called as it is.
    """

    def decorate(function: Callable[Given, Answer]) -> Callable[Given, Answer]:
        @wraps(function)
        def run(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
            if not _open:
                return function(*args, **kwargs)
            most = seconds(*args, **kwargs) if callable(seconds) else seconds
            return _open[-1].ask(function, args, kwargs, most, raises)  # type: ignore[return-value]

        run.raises = raises  # type: ignore[attr-defined]
        return run

    return decorate


def used() -> float:
    """The seconds of processor time that readers have used since `reading` was opened; 0 where none is."""
    return _open[-1].used if _open else 0.0


def _decoded(said: dict, raises: tuple[type[Exception], ...]) -> object:
    """The answer in a reader's message, which is not believed to be one."""
    if "answer" in said:
        return said["answer"]
    message, which = said.get("error"), said.get("which")
    if type(message) is not str:
        raise Ended(NO_ANSWER)
    if type(which) is int and 0 <= which < len(raises):
        raise raises[which](message)
    raise TooMuch(message)


def _number(said: dict) -> float:
    value = said.get("used")
    return value if isinstance(value, float) and math.isfinite(value) else 0.0  # an integer may be too large for a float


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """What stops a command while a process is forked acts when that is done: what Python itself calls around a fork (to release locks)
    loses exceptions, and a child in the making would answer as its parent does."""
    came: list[int] = []
    answers = threading.current_thread() is threading.main_thread()  # no other runs handlers, or may set them
    set_here = {number: signal.getsignal(number) for number in STOPPING if answers}
    handlers = {number: handler for number, handler in set_here.items() if handler is not None}  # others are not Python's
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)  # which the child begins with
    for number in handlers:
        signal.signal(number, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for which in came:
            signal.raise_signal(which)


def _serve(descriptor: int, writable: Sequence[Path]) -> None:
    """The reader's life: calls come in and answers go out, until the other end closes. Nothing else of its parent's stays open."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
        os.closerange(3, descriptor)
        os.closerange(descriptor + 1, 1 << 16)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _open.clear()
        _forget_imports()
        first_to_go()
        _confine(writable)
        pipe = Connection(descriptor)
        while True:
            module, name, args, kwargs, seconds = pipe.recv()
            more_processor_time(seconds)
            pipe.send_bytes(_answer(getattr(importlib.import_module(module), name), args, kwargs))
    except (EOFError, OSError):
        pass
    finally:
        os._exit(0)


def _forget_imports() -> None:
    """What other threads of the parent were importing when this process was forked nobody goes on with here: their locks are never released."""
    with contextlib.suppress(AttributeError):  # of Python's own, which has no public name for them
        importlib._bootstrap._module_locks.clear()  # type: ignore[attr-defined]


def _confine(writable: Sequence[Path]) -> None:
    """Each as far as the machine has it: the limits hold without."""
    with contextlib.suppress(OSError):
        syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
        if landlock.abi():
            landlock.restrict(["/"], ["/dev/null", *map(str, writable)])
    with contextlib.suppress(OSError):
        seccomp.install(Level.NAMESPACES)  # which lets files be made; where is Landlock's to say


def _answer(function: Callable, args: tuple, kwargs: dict) -> bytes:
    raises, began = getattr(function, "raises", ()), time.process_time()
    try:
        with bounded_memory(MEMORY):
            answer = function(*args, **kwargs)
            return json.dumps({"used": time.process_time() - began, "answer": answer}).encode()
    except (MemoryError, RecursionError) as error:
        said: dict[str, object] = {"error": f"looking into it takes more than there is ({type(error).__name__})"}
    except raises as error:
        said = {"error": str(error), "which": next(i for i, kind in enumerate(raises) if isinstance(error, kind))}
    except Exception as error:
        said = {"error": f"looking into it failed ({type(error).__name__}: {str(error)[:300]})"}
    return json.dumps({"used": time.process_time() - began, **said}).encode()
