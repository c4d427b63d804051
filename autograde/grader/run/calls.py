"""What the parent has a grading process do: PyTorch and the checks are imported there, and never in the parent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograde.checking.status import SubmissionStatus
from autograde.grader.ingest.discovery import Found
from autograde.grader.sandbox.modes import Mode

if TYPE_CHECKING:
    from autograde.grader.results.model import Graded


def grade_here(found: Found, sandbox: Mode) -> Graded:
    """Grade a submission that lies on this machine's disk."""
    from autograde.grader.run import task

    return task.grade_here(found, sandbox)


def stopped(found: Found, reason: str, status: SubmissionStatus) -> Graded:
    """The result of a submission that ended the grader; nothing of it is read again."""
    from autograde.grader.run import task

    return task.stopped(found, reason, status)
