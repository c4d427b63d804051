"""More time for one student: nbgrader keeps it with a submission, so what is granted before one came waits in `extensions.csv`."""

from __future__ import annotations

import csv
import re
from datetime import timedelta
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry

from autograde.checking.errors import UserError
from autograde.files import write
from autograde.grader.gradebook import roster
from autograde.grader.results.csv_tables import as_csv, guarded, unguarded

FILE = "extensions.csv"  # in a course directory
HEADER = ("student_id", "assignment", "hours")
NAMED = 5  # in a warning
TIME = re.compile(r"\+?\s*(\d+(?:\.\d+)?)\s*(hour|day|week)s?")
HOURS = {"hour": 1, "day": 24, "week": 168}


def hours(text: str) -> float:
    """`+2 days`, `12 hours` or `1 week` in hours; `0` or `none` for no extension.

    Raises:
        UserError: for what is none of these.
    """
    if text.strip() in ("0", "none"):
        return 0.0
    if not (found := TIME.fullmatch(text.strip())):
        raise UserError(f"{text!r} is no extension: they look like `+2 days`, `+12 hours` or `none`")
    return float(found[1]) * HOURS[found[2]]


def read(folder: Path) -> dict[tuple[str, str], float]:
    """(student, lesson) → hours."""
    path = folder / FILE
    if not path.is_file():
        return {}
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            return {(unguarded(row["student_id"]), row["assignment"]): float(row["hours"]) for row in csv.DictReader(stream)}
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is not as `autograde due` writes it ({error}): fix the line, or move it away") from None


def told(folder: Path) -> str:
    """Who has more time, for who uses a class's folder again; nothing where nobody has."""
    given = sorted(f"{student} ({lesson[:2]})" for (student, lesson), length in read(folder).items() if length)
    if not given:
        return ""
    named = ", ".join(given[:NAMED]) + (f" and {len(given) - NAMED} more" if len(given) > NAMED else "")
    return f"{folder / FILE} gives more time to {named}. Are they of an earlier class? Move the file away, or `autograde due {folder}` shows them."


def grant(folder: Path, gradebook: Gradebook, student: str, lesson: str, length: float) -> None:
    """Give a student so many hours more in a lesson, in place of what was given before, by whichever of their ids."""
    same = roster.ids(folder, student)
    given = {key: value for key, value in read(folder).items() if key not in [(other, lesson) for other in same]}
    given[student, lesson] = length
    write(folder / FILE, as_csv(HEADER, [(guarded(who), which, f"{value:g}") for (who, which), value in sorted(given.items())]))
    for other in same:
        apply(folder, gradebook, other, lesson)


def apply(folder: Path, gradebook: Gradebook, student: str, lesson: str) -> None:
    """Bring the extension of a submission, where there is one, to what was granted; one that nbgrader alone knows stays.

    It is often granted to the roster's id, and the submission comes by another.
    """
    granted = read(folder)
    length = (
        next((granted[other, lesson] for other in roster.ids(folder, student) if (other, lesson) in granted), None) if granted else None
    )
    if length is None:
        return
    try:
        submission = gradebook.find_submission(lesson, student)
    except MissingEntry:
        return
    submission.extension = timedelta(hours=length) if length else None
    gradebook.db.commit()
