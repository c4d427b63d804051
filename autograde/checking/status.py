"""How things stand, in words of their own: a check, an exercise, a cell, a submission. Each is written to files as its value."""

from __future__ import annotations

from enum import StrEnum


class CheckStatus(StrEnum):
    """How one check ended."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"  # the student's code raised
    TIMEOUT = "timeout"
    DIED = "died"  # the process that ran it is gone
    MISSING = "missing"  # nothing of that name
    NOT_ATTEMPTED = "not_attempted"  # still the stub


class ExerciseStatus(StrEnum):
    """How an exercise stands: what `exercises.csv` says."""

    PASSED = "passed"
    PARTIAL = "partial"
    FAILED = "failed"
    ERROR = "error"
    TIMEOUT = "timeout"
    MISSING = "missing"
    NOT_ATTEMPTED = "not_attempted"
    NOT_CHECKED = "not_checked"  # in a notebook only: its check was not run yet


class CellStatus(StrEnum):
    """What became of a cell of a submission."""

    OK = "ok"
    ERROR = "error"
    TIMEOUT = "timeout"
    DIED = "died"
    LEFT_OUT = "left_out"  # the cells before it had used up the time


class SubmissionStatus(StrEnum):
    """What became of a submission: what `grades.csv` says."""

    GRADED = "graded"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    ERROR = "error"  # the grader's own: the next run tries again


ENDED = (CheckStatus.TIMEOUT, CheckStatus.DIED)  # the worker was lost
UNWRITTEN = (ExerciseStatus.MISSING, ExerciseStatus.NOT_ATTEMPTED)
