"""A person's comment on an exercise, written for several students at once, where formgrader and the feedback pages show it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from nbgrader.api import Comment, Gradebook, MissingEntry

from autograde.checking.errors import UserError
from autograde.grader.gradebook.record import at_once, explained

LONGEST = 10_000  # characters


def add(gradebook: Gradebook, folder: Path, lesson: str, exercise: str, students: Iterable[str], text: str) -> None:
    """Write the comment for each of these students, all or none. What a person wrote there before stays above it; a second call changes nothing.

    Raises:
        UserError: for an empty or endless text, or a student of whom the gradebook has no such exercise.
        GradebookError: when the gradebook cannot be written.
    """
    text = text.strip()
    if not 0 < len(text) <= LONGEST:
        raise UserError(f"write a comment of 1 to {LONGEST:,} characters")
    with explained(folder), at_once(gradebook, folder):
        for student in students:
            comment = _comment(gradebook, lesson, exercise, student)
            before = (comment.manual_comment or "").strip()
            if text not in before.split("\n\n"):
                comment.manual_comment = "\n\n".join(filter(None, [before, text]))


def _comment(gradebook: Gradebook, lesson: str, exercise: str, student: str) -> Comment:
    try:
        return gradebook.find_comment(exercise, lesson, lesson, student)
    except MissingEntry:
        raise UserError(f"the gradebook has no {exercise} of {student}: grade their submission first") from None
