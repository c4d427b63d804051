"""Grade a submission that came over the network, in a process beside the worker of Dask: what ends that process does not end the worker."""

from __future__ import annotations

import atexit
import threading
from concurrent.futures import Executor
from contextlib import ExitStack

from autograde.checking.status import SubmissionStatus
from autograde.grader.batch import pool
from autograde.grader.results.model import Graded
from autograde.grader.run import task

_open = ExitStack()
_starting = threading.Lock()
_graders: Executor | None = None


def grade_parcel(parcel: task.Parcel) -> Graded:
    """The result; one that takes the grader more processor time than a submission may has that for a result.

    Raises:
        OtherVersion: when this machine has not what the sender checks by.
        GraderLost: when the process was ended by others; another try may do better.
    """
    try:
        return graders().submit(task.grade_parcel, parcel).result()
    except pool.OutOfTime:
        return task.stopped(parcel.found, pool.STOPPED, SubmissionStatus.UNREADABLE)


def graders() -> Executor:
    """One process that grades, for as long as this one lives: a check shares its process's random numbers, so there is one at a time."""
    global _graders
    with _starting:
        if _graders is None:
            _graders = _open.enter_context(pool.graders(1))
            atexit.register(_open.close)
        return _graders
