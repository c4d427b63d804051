"""More time for one student: nbgrader keeps it with a submission, so what is granted before one came waits in `extensions.csv`."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry

from autograde.checking.errors import UserError
from autograde.files import write
from autograde.grader.gradebook import roster
from autograde.grader.gradebook.due_dates import due_dates
from autograde.grader.results.csv_tables import as_csv, guarded, unguarded

FILE = "extensions.csv"  # in a course directory
HEADER = ("student_id", "assignment", "hours", "granted")  # the last one a day in UTC
NAMED = 5  # in a warning
AHEAD = timedelta(days=60)  # granted longer before a lesson is due, an extension was meant for an earlier term
TIME = re.compile(r"\+?\s*(\d+(?:\.\d+)?)\s*(hour|day|week)s?")
HOURS = {"hour": 1, "day": 24, "week": 168}
MOST = 10 * 365 * 24  # hours: a date so much later is one in the gradebook, too


def hours(text: str) -> float:
    """`+2 days`, `12 hours` or `1 week` in hours; `0` or `none` for no extension.

    Raises:
        UserError: for what is none of these, or more than ten years.
    """
    if text.strip() in ("0", "none"):
        return 0.0
    if not (found := TIME.fullmatch(text.strip())):
        raise UserError(f"{text!r} is no extension: they look like `+2 days`, `+12 hours` or `none`")
    length = float(found[1]) * HOURS[found[2]]
    if length > MOST:
        raise UserError(f"an extension has at most {MOST // 168} weeks, and this has more")
    return length


def _kept(text: str) -> float:
    """What is written for hours in the file. Raises ValueError."""
    if not 0 <= (length := float(text)) <= MOST:
        raise ValueError(f"{text[:20]} hours are no extension")
    return length


def read(folder: Path) -> dict[tuple[str, str], float]:
    """(student, lesson) → hours."""
    return {key: length for key, (length, _) in _rows(folder).items()}


def _rows(folder: Path) -> dict[tuple[str, str], tuple[float, date]]:
    """(student, lesson) → (hours, the day on which they were granted)."""
    path = folder / FILE
    if not path.is_file():
        return {}
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC).date().isoformat()  # of a row that has no day
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            return {
                (unguarded(row["student_id"]), row["assignment"]): (
                    _kept(row["hours"]),
                    date.fromisoformat(row.get("granted") or written),
                )
                for row in csv.DictReader(stream)
            }
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is not as `autograde due` writes it ({error}): fix the line, or move it away") from None


def told(folder: Path) -> str:
    """Who has more time from an earlier term, for who uses a class's folder again; nothing where nobody has."""
    due = due_dates(folder)

    def earlier(lesson: str, granted: date) -> bool:
        return lesson not in due or due[lesson].date() - granted > AHEAD

    rows = _rows(folder).items()
    given = sorted(f"{student} ({lesson[:2]})" for (student, lesson), (length, day) in rows if length and earlier(lesson, day))
    if not given:
        return ""
    named = ", ".join(given[:NAMED]) + (f" and {len(given) - NAMED} more" if len(given) > NAMED else "")
    return f"{folder / FILE} gives more time to {named}. Are they of an earlier class? Move the file away, or `autograde due {folder}` shows them."


def grant(folder: Path, gradebook: Gradebook, student: str, lesson: str, length: float) -> None:
    """Give a student so many hours more in a lesson, in place of what was given before, by whichever of their ids, or a name that means one of the list."""
    same = roster.ids(folder, student)
    student = roster.listed(folder, student)
    given = {key: value for key, value in _rows(folder).items() if key not in [(other, lesson) for other in same]}
    given[student, lesson] = (length, datetime.now(UTC).date())
    rows = [(guarded(who), which, f"{value:g}", day.isoformat()) for (who, which), (value, day) in sorted(given.items())]
    write(folder / FILE, as_csv(HEADER, rows))
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
    # nbgrader adds it to the due date; where there is none, every command of it would end in an error
    submission.extension = timedelta(hours=length) if length and submission.assignment.duedate else None
    gradebook.db.commit()


def apply_all(folder: Path, gradebook: Gradebook, lesson: str) -> None:
    """The same for everyone in a lesson whose due date was set or taken away."""
    for who in {other for student, name in read(folder) if name == lesson for other in roster.ids(folder, student)}:
        apply(folder, gradebook, who, lesson)


def strangers(folder: Path, students: Collection[str]) -> list[str]:
    """A line for each extension of somebody who is not among the students, where one of them is called nearly so: it may be a slip."""
    lines = []
    for (student, lesson), length in read(folder).items():
        near = get_close_matches(student.casefold(), [one.casefold() for one in students], 1, 0.8)
        if length and near and not set(roster.ids(folder, student)) & set(students):
            meant = next(one for one in students if one.casefold() == near[0])
            lines.append(
                f"{student} has more time in {lesson[:2]}, and nobody of that name has handed in: is it {meant}? `autograde due` says who has"
            )
    return lines
