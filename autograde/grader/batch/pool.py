"""The graders of this machine: processes that are forked from one which has imported everything, and end when we let go of them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext

from autograde.grader.worker import fork_server

IMPORTED = ["autograde.grader.run.task"]


def cores() -> int:
    """The processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def get_ready() -> None:
    """Start what takes seconds, and return at once: the fork server, and the one that graders are forked from."""
    fork_server.shared()
    if _context().get_start_method() == "forkserver":
        from multiprocessing import forkserver

        forkserver.ensure_running()


@contextmanager
def graders(workers: int) -> Iterator[Executor]:
    """Processes of their own that hold no lock of this one; they end with this process, however it ends.

    On an exception, Ctrl-C among them, they end at once, with what they are at.
    """
    context = _context()
    lifetime, held = context.Pipe(duplex=False)
    with (
        lifetime,
        held,
        ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(fork_server.shared().address, fork_server.hidden(), lifetime)) as executor,
    ):
        try:
            yield executor
        except BaseException:
            held.close()
            executor.shutdown(cancel_futures=True)
            raise


def _context() -> BaseContext:
    """Forked from a clean process where there are forks: it is cheap, and safe whatever threads this process has."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    return context


def _begin(address: str, hidden: tuple[str, ...], lifetime: Connection) -> None:
    """In a new grader: Ctrl-C is for the one who started it, whose end is its own; workers come from the fork server there is."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(lifetime,), daemon=True).start()
    fork_server.use(address, hidden)


def _end_with(lifetime: Connection) -> None:
    lifetime.poll(None)  # nothing is ever sent: it is ready when the other end is closed
    os._exit(1)
