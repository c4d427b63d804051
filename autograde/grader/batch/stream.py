"""Grade many submissions at once, on any `concurrent.futures.Executor`; results come back in the order they finish."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager

from autograde.grader.ingest.discovery import Found
from autograde.grader.results.model import Graded
from autograde.grader.results.store import ResultStore
from autograde.grader.run import task

AHEAD = 4  # submissions queued for each worker: enough to keep it busy, few enough to keep memory flat
ANSWER_SECONDS = 10  # for a Dask scheduler
Submit = Callable[[Executor, Found, str], Future]


def here(executor: Executor, found: Found, sandbox: str) -> Future:
    """For workers that see this machine's files: processes or threads."""
    return executor.submit(task.grade_here, found, sandbox)


def far(executor: Executor, found: Found, sandbox: str) -> Future:
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
        ValueError: when dask.distributed is not installed or the scheduler does not answer.
    """
    try:
        from distributed import Client
    except ImportError:
        raise ValueError("--scheduler needs dask.distributed: pip install -e '.[cluster]'") from None
    try:
        client = Client(address, timeout=ANSWER_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise ValueError(f"no Dask scheduler answers at {address} ({error})") from None
    with client:
        yield client.get_executor(pure=False, retries=2), sum(client.nthreads().values())


def resume(digests: Mapping[Found, str], store: ResultStore, done: Callable[[Graded, str], None]) -> list[Found]:
    """Tell `done(graded, digest)` of every result that is known already, and return the submissions that are left."""
    left = []
    for found, digest in digests.items():
        if known := store.load(digest):
            done(known, digest)
        else:
            left.append(found)
    return left


def run(
    digests: Mapping[Found, str],
    executor: Executor,
    store: ResultStore,
    sandbox: str,
    workers: int,
    done: Callable[[Graded, str], None],
    submit: Submit = here,
) -> None:
    """Grade all of `digests`, submissions with their keys, and tell `done(graded, digest)` of each as it is safe on disk."""
    for found, graded in _stream(executor, digests, sandbox, AHEAD * workers, submit):
        if graded.status != "error":  # the grader's own error is no result: the next run tries again
            store.save(digests[found], graded)
        done(graded, digests[found])


def _stream(executor: Executor, tasks: Iterable[Found], sandbox: str, window: int, submit: Submit) -> Iterator[tuple[Found, Graded]]:
    waiting = iter(tasks)
    running: dict[Future, Found] = {}
    while True:
        while len(running) < window and (found := next(waiting, None)):
            running[submit(executor, found, sandbox)] = found
        if not running:
            return
        finished = wait(running, return_when=FIRST_COMPLETED).done
        for future in sorted(finished, key=lambda f: f.exception() is not None):  # what is well is kept before an error ends the run
            yield running.pop(future), future.result()
