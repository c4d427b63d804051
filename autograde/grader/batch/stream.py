"""Grade many submissions at once, on any `concurrent.futures.Executor`; results come back in the order they finish."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from autograde.checking.errors import UserError
from autograde.checking.status import SubmissionStatus
from autograde.grader.batch import pool
from autograde.grader.ingest.discovery import Found
from autograde.grader.results.model import Graded
from autograde.grader.run import calls
from autograde.grader.sandbox.modes import Mode

AHEAD = 4  # submissions queued for each worker: enough to keep it busy, few enough to keep memory flat
CHANCES = 3  # for a submission whose grader is killed: by the system when the memory is full, say
LOST = f"the grader's process was killed {CHANCES} times while it was at this submission"
ANSWER_SECONDS = 10  # for a Dask scheduler
Submit = Callable[[Executor, Found, Mode], Future]


@dataclass(frozen=True)
class Job:
    """A submission to grade, the key of its result, and the folder that it was looked for in, where that was one."""

    found: Found
    key: str
    root: Path | None = None


def here(executor: Executor, found: Found, sandbox: Mode) -> Future:
    """For workers that see this machine's files: processes or threads."""
    return executor.submit(calls.grade_here, found, sandbox)


def far(executor: Executor, found: Found, sandbox: Mode) -> Future:
    """For workers on other machines: the submission travels."""
    from autograde.grader.batch import parcels  # which import PyTorch
    from autograde.grader.run import task

    parcel = task.pack(found, sandbox)
    if parcel is not None:
        return executor.submit(parcels.grade_parcel, parcel)
    if (
        found.path is not None and found.path.is_file() and not found.path.is_symlink()
    ):  # too large to send: it is read in a process that may end
        return parcels.graders().submit(task.grade_here, found, sandbox)
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
    if not re.search(r":\d+/?$", address):
        raise UserError(f"{address} is no address of a Dask scheduler, such as tcp://scheduler:8786")
    try:
        client = Client(address, timeout=ANSWER_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise UserError(f"no Dask scheduler answers at {address} ({error})") from None
    with client:
        yield client.get_executor(pure=False, retries=2), sum(client.nthreads().values())


def graded(
    jobs: Iterable[Job], executor: Executor, sandbox: Mode, workers: int, submit: Submit = here, lost: Callable[[], None] = lambda: None
) -> Iterator[tuple[Job, Graded]]:
    """Grade submissions and give each with its result, in the order in which they finish; `lost` hears of each grader that was killed.

    A submission that ends its grader, by what it takes or thrice in any way, has that for a result.
    """
    waiting = iter(jobs)
    running: dict[Future, Job] = {}
    losses: Counter[str] = Counter()
    while True:
        while len(running) < AHEAD * workers and (job := next(waiting, None)):
            running[submit(executor, job.found, sandbox)] = job
        if not running:
            return
        finished = wait(running, return_when=FIRST_COMPLETED).done
        for future in sorted(finished, key=lambda f: f.exception() is not None):  # what is well is kept before an error ends the run
            job = running.pop(future)
            try:
                result = future.result()
            except pool.OutOfTime:
                running[executor.submit(calls.stopped, job.found, pool.STOPPED, SubmissionStatus.UNREADABLE)] = job
            except pool.GraderLost:
                lost()
                losses[job.key] += 1
                last = losses[job.key] >= CHANCES
                again = (
                    executor.submit(calls.stopped, job.found, LOST, SubmissionStatus.ERROR)
                    if last
                    else submit(executor, job.found, sandbox)
                )
                running[again] = job
            else:
                yield job, result
