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

from autograde.grader import warm

IMPORTED = ["autograde.grader.task"]


def cores() -> int:
    """The processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def get_ready() -> None:
    """Start what takes seconds, and return at once: the warm process, and the one that graders are forked from."""
    warm.shared()
    if _context().get_start_method() == "forkserver":
        from multiprocessing import forkserver

        forkserver.ensure_running()


@contextmanager
def graders(workers: int) -> Iterator[Executor]:
    """Processes of their own that hold no lock of this one; they end with this process, however it ends.

    On an exception, Ctrl-C among them, they end at once, with what they are at.
    """
    context = _context()
    leash, held = context.Pipe(duplex=False)
    with (
        leash,
        held,
        ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(warm.shared().address, leash)) as executor,
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


def _begin(address: str, leash: Connection) -> None:
    """In a new grader: Ctrl-C is for the one who started it, whose end is its own; workers come from the warm process there is."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(leash,), daemon=True).start()
    warm.use(address)


def _end_with(leash: Connection) -> None:
    leash.poll(None)  # nothing is ever sent: it is ready when the other end is closed
    os._exit(1)
