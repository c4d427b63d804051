"""The graders of this machine: processes that are forked from one which has imported PyTorch, and end when we let go of them."""

from __future__ import annotations

import contextlib
import os
import queue
import select
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from autograde.grader.results.store import RESULTS
from autograde.grader.sandbox.limits import more_processor_time
from autograde.grader.worker import fork_server

PROCESSOR_SECONDS = 60  # of a grader's own, for one submission; the largest lesson takes a thirtieth of it
STOPPED = f"reading or checking it took the grader more than {PROCESSOR_SECONDS} seconds of processor time, and was stopped"
READY, START_SECONDS = "ready", 60.0  # which also imports what grading takes
WALL_SECONDS = 1800.0  # where even that does not end it


def cores() -> int:
    """The processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def get_ready() -> None:
    """Start what takes seconds, and return at once: the process that graders and workers are forked from."""
    fork_server.shared()


def get_ready_for(places: Iterable[Path]) -> None:
    """The same, where nothing is graded yet in these folders: meanwhile the rest is imported, and the class is collected."""
    if not any((place / RESULTS).exists() for place in places):
        get_ready()


class OutOfTime(Exception):
    """A grader process used up what one submission may take of it, and was ended by the system or by us."""


class GraderLost(Exception):
    """A grader process ended while it was at work, and no limit of ours ended it."""


@contextmanager
def graders(workers: int, hidden: Iterable[Path] = (), seconds: int = PROCESSOR_SECONDS) -> Iterator[Executor]:
    """Processes of their own that hold no lock of this one; they end with this process, however it ends.

    A submission may take `seconds` of a process's processor time, and read nothing of `hidden`. On an exception, Ctrl-C among them, they end at once, with what they are at.
    """
    pool = GraderPool(workers, (seconds, tuple(hidden)))
    try:
        yield pool
        pool.shutdown()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        pool.kill()
        pool.shutdown()
        raise


class GraderPool(Executor):
    """Grader processes, each of which is replaced when a submission ends it: that submission's future fails, and no other.

    The system ends a process that takes too much processor time for one submission (nothing in the process could, while it decodes
    or compares); this side ends one that takes `WALL_SECONDS`. Neither reads anything that a student sent.
    """

    def __init__(self, workers: int, arguments: tuple[int, tuple[Path, ...]]) -> None:
        self.arguments = arguments
        self.graders: set[_Grader] = set()
        self.calls: queue.SimpleQueue[tuple | None] = queue.SimpleQueue()
        self.ended = False  # nothing new is begun
        self.starting = threading.Lock()  # the process that graders are forked from answers one at a time
        self.threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(workers)]
        for thread in self.threads:
            thread.start()

    def kill(self) -> None:
        """End all graders at once, with what they are at."""
        for grader in list(self.graders):
            grader.kill()

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
                if grader and not grader.alive():
                    self._let_go(grader)
                    grader = None
                grader = grader or self._start()
                future.set_result(grader.ask(what))
            except BaseException as error:
                future.set_exception(error)
        if grader:
            self._let_go(grader)

    def _let_go(self, grader: _Grader) -> None:
        """Its sockets too: hostile submissions may end hundreds of graders."""
        self.graders.discard(grader)
        grader.end()

    def _start(self) -> _Grader:
        with self.starting:
            server = fork_server.shared()
            try:
                grader = _Grader(server, self.arguments)
            except (OSError, EOFError) as error:
                server.close()  # half of it may be gone: the next one is whole
                raise BrokenExecutor(f"no grader could be started ({error})") from None
        self.graders.add(grader)
        if self.ended:
            grader.kill()
        return grader


class _Grader:
    """One grader process and the pipe to it."""

    def __init__(self, server: fork_server.ForkServer, arguments: tuple[int, tuple[Path, ...]]) -> None:
        self.pipe, self.lifetime = server.spawn_grader(_life)
        self.pipe.send((server.address, *arguments))
        if not self.pipe.poll(START_SECONDS) or not self._is_ready():
            self.kill()
            raise OSError("the process ended before it was asked anything")

    def _is_ready(self) -> bool:
        """Whether it said that it has begun: one that never does would be started anew, for submission after submission."""
        try:
            return self.pipe.recv() == READY
        except (EOFError, OSError):
            return False

    def alive(self) -> bool:
        return not self._ended(0)

    def ask(self, call: list) -> Any:
        try:
            self.pipe.send(call)
            if not self.pipe.poll(WALL_SECONDS):
                self.kill()
                raise OutOfTime
            well, value = self.pipe.recv()
        except (EOFError, OSError):
            raise (OutOfTime if self._ended(5) and self._exit_code() == -signal.SIGXCPU else GraderLost)() from None
        if not well:
            raise value
        return value

    def kill(self) -> None:
        """From any thread: the server sees it, and who waits for an answer is told."""
        with contextlib.suppress(OSError):
            self.lifetime.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        self.pipe.close()
        self._ended(5)
        self.lifetime.close()

    def _ended(self, seconds: float) -> bool:
        """Whether the lifetime has said so, within so many seconds."""
        poll = select.poll()
        poll.register(self.lifetime, select.POLLIN)
        return bool(poll.poll(1000 * seconds))

    def _exit_code(self) -> int:
        """How it ended; 0 where its server ended with it."""
        with contextlib.suppress(OSError, ValueError):
            return int(self.lifetime.recv(16, socket.MSG_PEEK))
        return 0


def _life(pipe: Connection) -> None:
    """A grader process: calls come in and results go out, until the pipe closes."""
    with contextlib.suppress(EOFError, OSError):
        address, seconds, hidden = pipe.recv()
        fork_server.use(address, hidden)
        pipe.send(READY)
        while True:
            function, args, kwargs = pipe.recv()
            more_processor_time(seconds)
            try:
                answer = True, function(*args, **kwargs)
            except Exception as error:
                answer = False, error
            pipe.send(answer)
