"""The class as CSV: `grades.csv`, a line a submission, and `exercises.csv`, a line an exercise."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from autograde.grader.journal import write
from autograde.grader.pipeline import Graded

GRADES = ("student_id", "assignment", "score", "max_score", "status")
NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?")
EXERCISES = ("student_id", "assignment", "exercise", "score", "max_score", "status", "message")


def save(graded: Sequence[Graded], folder: Path) -> None:
    """Write both tables, sorted, each at once: the same results give the same bytes."""
    ordered = sorted(graded, key=lambda g: (g.student, g.lesson))
    grades = [(g.student, g.lesson, f"{g.score:g}", f"{g.max_score:g}", g.status) for g in ordered]
    exercises = [
        (g.student, g.lesson, r.exercise, f"{r.score:g}", f"{r.points:g}", r.status, r.message) for g in ordered for r in g.results
    ]
    write(folder / "grades.csv", as_csv(GRADES, grades))
    write(folder / "exercises.csv", as_csv(EXERCISES, exercises))


def as_csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A table in UTF-8, in which no cell is a formula."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([safe(value) for value in row] for row in rows)
    return stream.getvalue().encode()


def safe(value: str) -> str:
    """Text that begins like a formula would be run by a spreadsheet; a student chooses their folder's name and their error messages."""
    text = " ".join(value.replace("\x00", "").split())
    return "'" + text if text.startswith(("=", "+", "-", "@")) and not NUMBER.fullmatch(text) else text
