"""The class as CSV: `grades.csv`, a line a submission, and `exercises.csv`, a line an exercise."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Sequence
from pathlib import Path

from autograde.files import write
from autograde.grader.results.model import Graded

GRADES = ("student_id", "assignment", "score", "max_score", "status")
NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?")
EXERCISES = ("student_id", "assignment", "exercise", "score", "max_score", "status", "message")


def save(graded: Sequence[Graded], folder: Path) -> None:
    """Write both tables, sorted, each at once: the same results give the same bytes. The lines of other lessons are kept."""
    grades = [(g.student, g.lesson, f"{g.score:g}", f"{g.max_score:g}", g.status) for g in graded]
    exercises = [(g.student, g.lesson, r.exercise, f"{r.score:g}", f"{r.points:g}", r.status, r.message) for g in graded for r in g.results]
    lessons = {g.lesson for g in graded}
    for name, header, rows in (("grades.csv", GRADES, grades), ("exercises.csv", EXERCISES, exercises)):
        lines = [[safe(value) for value in row] for row in rows] + _of_other_lessons(folder / name, header, lessons)
        write(folder / name, as_csv(header, sorted(lines, key=lambda line: line[:2])))


def _of_other_lessons(path: Path, header: Sequence[str], lessons: Collection[str]) -> list[list[str]]:
    """What the table says of lessons that were not graded now; nothing where it is no table of ours."""
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            first, *lines = csv.reader(stream)
    except (OSError, ValueError, csv.Error):
        return []
    return [line for line in lines if len(line) == len(header) and line[1] not in lessons] if first == list(header) else []


def as_csv(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """A table in UTF-8, of cells that are `safe`."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([header, *rows])
    return stream.getvalue().encode()


def safe(value: str) -> str:
    """Text that begins like a formula would be run by a spreadsheet; a student chooses their folder's name and their error messages."""
    text = " ".join(value.replace("\x00", "").split())
    return "'" + text if text.startswith(("=", "+", "-", "@")) and not NUMBER.fullmatch(text) else text
