"""Grade many submissions at once, on any `concurrent.futures.Executor`; results come back in the order they finish."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager

from autograde.grader import warm
from autograde.grader.discovery import Found
from autograde.grader.journal import Journal, key
from autograde.grader.pipeline import Graded, grade

AHEAD = 4  # submissions queued for each worker: enough to keep it busy, few enough to keep memory flat


def cores() -> int:
    """The processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def local_executor(workers: int) -> Iterator[Executor]:
    """Fresh processes rather than forks: a grader holds no lock of the one that started it."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=(warm.shared().address,)) as executor:
        yield executor


@contextmanager
def dask_executor(address: str) -> Iterator[Executor]:
    """The workers of a Dask scheduler, each of which has the course installed.

    Raises:
        ValueError: when dask.distributed is not installed or the scheduler does not answer.
    """
    try:
        from distributed import Client
    except ImportError:
        raise ValueError("--scheduler needs dask.distributed: pip install -e '.[cluster]'") from None
    try:
        client = Client(address, timeout="10s", set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise ValueError(f"no Dask scheduler answers at {address} ({error})") from None
    with client:
        yield client.get_executor(pure=False, retries=2)


def run(
    submissions: list[Found], executor: Executor, journal: Journal, sandbox: str, workers: int, done: Callable[[Graded, bool], None]
) -> list[Graded]:
    """Grade all, telling `done(graded, reused)` of each as it is safe on disk; sorted by student and lesson at the end."""
    finished: list[Graded] = []
    fresh: list[tuple[str, Found]] = []
    for found in submissions:
        digest = key(found, sandbox)
        known = journal.load(digest)
        if known is None:
            fresh.append((digest, found))
        else:
            finished.append(known)
            done(known, True)
    for digest, graded in _stream(executor, fresh, sandbox, AHEAD * workers):
        if graded.status != "error":  # the grader's own error is no result: the next run tries again
            journal.save(digest, graded)
        finished.append(graded)
        done(graded, False)
    return sorted(finished, key=lambda g: (g.student, g.lesson))


def _stream(executor: Executor, tasks: Iterable[tuple[str, Found]], sandbox: str, window: int) -> Iterator[tuple[str, Graded]]:
    waiting = iter(tasks)
    running: dict[Future, str] = {}
    while True:
        for digest, found in waiting:
            running[executor.submit(grade, found, sandbox)] = digest
            if len(running) >= window:
                break
        if not running:
            return
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            yield running.pop(future), future.result()


def _start(address: str) -> None:
    """One thread a process, as many processes as cores are at work already; one warm process for them all."""
    import torch

    torch.set_num_threads(1)
    warm.use(address)
