"""The graders of this machine: processes that are forked from one which has imported everything, and end when we let go of them."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, SpawnContext
from pathlib import Path
from typing import Any

from autograde.grader.sandbox.limits import more_processor_time
from autograde.grader.worker import fork_server

IMPORTED = ["autograde.grader.run.task"]
PROCESSOR_SECONDS = 60  # of a grader's own, for one submission; the largest lesson takes a thirtieth of it
STOPPED = f"reading or checking it took the grader more than {PROCESSOR_SECONDS} seconds of processor time, and was stopped"
READY, START_SECONDS = "ready", 60.0  # which also imports what grading takes
WALL_SECONDS = 1800.0  # where even that does not end it


def cores() -> int:
    """The processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def get_ready() -> None:
    """Start what takes seconds, and return at once: the fork server, and the one that graders are forked from."""
    fork_server.shared()
    if _context().get_start_method() == "forkserver":
        from multiprocessing import forkserver

        forkserver.ensure_running()


class OutOfTime(Exception):
    """A grader process used up what one submission may take of it, and was ended by the system or by us."""


class GraderLost(Exception):
    """A grader process ended while it was at work, and no limit of ours ended it."""


@contextmanager
def graders(workers: int, hidden: Iterable[Path] = (), seconds: int = PROCESSOR_SECONDS) -> Iterator[Executor]:
    """Processes of their own that hold no lock of this one; they end with this process, however it ends.

    A submission may take `seconds` of a process's processor time, and read nothing of `hidden`. On an exception, Ctrl-C among them, they end at once, with what they are at.
    """
    context = _context()
    lifetime, held = context.Pipe(duplex=False)
    with lifetime, held:
        pool = GraderPool(workers, context, (seconds, fork_server.shared().address, tuple(hidden), lifetime))
        try:
            yield pool
            pool.shutdown()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            held.close()
            pool.shutdown()
            raise


class GraderPool(Executor):
    """Grader processes, each of which is replaced when a submission ends it: that submission's future fails, and no other.

    The system ends a process that takes too much processor time for one submission (nothing in the process could, while it decodes
    or compares); this side ends one that takes `WALL_SECONDS`. Neither reads anything that a student sent.
    """

    def __init__(self, workers: int, context: SpawnContext | ForkServerContext, arguments: tuple) -> None:
        self.context, self.arguments = context, arguments
        self.calls: queue.SimpleQueue[tuple | None] = queue.SimpleQueue()
        self.ended = False  # nothing new is begun
        self.starting = threading.Lock()  # the process that graders are forked from answers one at a time
        self.threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(workers)]
        for thread in self.threads:
            thread.start()

    def submit(self, function: Callable, /, *args: Any, **kwargs: Any) -> Future:
        """Call `function` in a grader. The future raises OutOfTime, GraderLost, or what the call raised."""
        future: Future = Future()
        self.calls.put((future, function, args, kwargs))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.ended = self.ended or cancel_futures
        while cancel_futures and not self.calls.empty():
            with contextlib.suppress(queue.Empty):
                if call := self.calls.get_nowait():
                    call[0].cancel()
        for _ in self.threads:
            self.calls.put(None)
        for thread in self.threads if wait else ():
            thread.join()

    def _serve(self) -> None:
        """One thread for each process: it waits for answers, so that nobody else has to."""
        grader: _Grader | None = None
        while call := self.calls.get():
            future, *what = call
            if self.ended:
                future.cancel()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                grader = grader if grader and grader.process.is_alive() else self._start()
                future.set_result(grader.ask(what))
            except BaseException as error:
                future.set_exception(error)
        if grader:
            grader.end()

    def _start(self) -> _Grader:
        with self.starting:
            try:
                return _Grader(self.context, self.arguments)
            except (OSError, EOFError) as error:
                raise BrokenExecutor(f"no grader could be started ({error})") from None


class _Grader:
    """One grader process and the pipe to it."""

    def __init__(self, context: SpawnContext | ForkServerContext, arguments: tuple) -> None:
        self.pipe, theirs = context.Pipe()
        with theirs:
            self.process = context.Process(target=_life, args=(theirs, *arguments), daemon=True)
            self.process.start()
        if not self.pipe.poll(START_SECONDS) or not self._is_ready():
            self.process.kill()
            raise OSError("the process ended before it was asked anything: is its program importable?")

    def _is_ready(self) -> bool:
        """Whether it said that it has begun: one that never does would be started anew, for submission after submission."""
        try:
            return self.pipe.recv() == READY
        except (EOFError, OSError):
            return False

    def ask(self, call: list) -> Any:
        try:
            self.pipe.send(call)
            if not self.pipe.poll(WALL_SECONDS):
                self.process.kill()
                raise OutOfTime
            well, value = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join(5)
            raise (OutOfTime if self.process.exitcode == -signal.SIGXCPU else GraderLost)() from None
        if not well:
            raise value
        return value

    def end(self) -> None:
        self.pipe.close()
        self.process.join(5)


def _life(pipe: Connection, seconds: int, address: str, hidden: tuple[Path, ...], lifetime: Connection) -> None:
    """A grader process: calls come in and results go out, until the pipe closes."""
    _begin(address, hidden, lifetime)
    with contextlib.suppress(EOFError, OSError):
        pipe.send(READY)
        while True:
            function, args, kwargs = pipe.recv()
            more_processor_time(seconds)
            try:
                answer = True, function(*args, **kwargs)
            except Exception as error:
                answer = False, error
            pipe.send(answer)


def _context() -> SpawnContext | ForkServerContext:
    """Forked from a clean process where there are forks: it is cheap, and safe whatever threads this process has."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    return context


def _begin(address: str, hidden: tuple[Path, ...], lifetime: Connection) -> None:
    """In a new grader: Ctrl-C is for the one who started it, whose end is its own; workers come from the fork server there is."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(lifetime,), daemon=True).start()
    fork_server.use(address, hidden)


def _end_with(lifetime: Connection) -> None:
    lifetime.poll(None)  # nothing is ever sent: it is ready when the other end is closed
    os._exit(1)
