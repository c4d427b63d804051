"""Grade many submissions at once, on any `concurrent.futures.Executor`; results come back in the order they finish."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass

from autograde.checking.errors import UserError
from autograde.grader.ingest.discovery import Found
from autograde.grader.results.model import Graded
from autograde.grader.run import task
from autograde.grader.sandbox.modes import Mode

AHEAD = 4  # submissions queued for each worker: enough to keep it busy, few enough to keep memory flat
ANSWER_SECONDS = 10  # for a Dask scheduler
Submit = Callable[[Executor, Found, Mode], Future]


@dataclass(frozen=True)
class Job:
    """A submission to grade, and the key of its result."""

    found: Found
    key: str


def here(executor: Executor, found: Found, sandbox: Mode) -> Future:
    """For workers that see this machine's files: processes or threads."""
    return executor.submit(task.grade_here, found, sandbox)


def far(executor: Executor, found: Found, sandbox: Mode) -> Future:
    """For workers on other machines: the submission travels."""
    parcel = task.pack(found, sandbox)
    if parcel is not None:
        return executor.submit(task.grade_parcel, parcel)
    future: Future = Future()
    future.set_result(task.grade_here(found, sandbox))
    return future


@contextmanager
def dask_executor(address: str) -> Iterator[tuple[Executor, int]]:
    """The workers of a Dask scheduler, each of which has the course installed, and how many submissions they grade at once.

    Raises:
        UserError: when dask.distributed is not installed or the scheduler does not answer.
    """
    try:
        from distributed import Client
    except ImportError:
        raise UserError("--scheduler needs dask.distributed: pip install -e '.[cluster]'") from None
    try:
        client = Client(address, timeout=ANSWER_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise UserError(f"no Dask scheduler answers at {address} ({error})") from None
    with client:
        yield client.get_executor(pure=False, retries=2), sum(client.nthreads().values())


def graded(jobs: Iterable[Job], executor: Executor, sandbox: Mode, workers: int, submit: Submit = here) -> Iterator[tuple[Job, Graded]]:
    """Grade submissions and give each with its result, in the order in which they finish."""
    waiting = iter(jobs)
    running: dict[Future, Job] = {}
    while True:
        while len(running) < AHEAD * workers and (job := next(waiting, None)):
            running[submit(executor, job.found, sandbox)] = job
        if not running:
            return
        finished = wait(running, return_when=FIRST_COMPLETED).done
        for future in sorted(finished, key=lambda f: f.exception() is not None):  # what is well is kept before an error ends the run
            yield running.pop(future), future.result()
