"""A course's due dates, extensions and its rule for what is late: set, and told."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path

from dateutil.parser import ParserError, parse
from nbgrader.api import MissingEntry
from nbgrader.utils import parse_utc

from autograde.checking.errors import UserError
from autograde.grader.gradebook import extensions
from autograde.grader.gradebook.course_dir import config_file, open_gradebook
from autograde.grader.gradebook.due_dates import due_dates
from autograde.grader.gradebook.late import SET_BY, set_rule
from autograde.grader.gradebook.record import explained

YEARS = range(1970, 9000)  # further on, another zone or an extension has no such day
__all__ = ["extend", "set_due", "set_rule", "told"]


def set_due(folder: Path, lesson: str, when: str) -> None:
    """Set a lesson's due date; `none` takes it away.

    Raises:
        UserError: for what is no time, or a lesson that the class does not have.
    """
    date = None if when == "none" else _time(when)
    with explained(folder), open_gradebook(_course(folder)) as gradebook:
        try:
            gradebook.find_assignment(lesson).duedate = date
        except MissingEntry:
            raise UserError(f"{folder} has no {lesson}: `autograde course {folder} {lesson[:2]}` adds it") from None
        gradebook.db.commit()
        extensions.apply_all(folder, gradebook, lesson)


def _time(when: str) -> datetime:
    """A time that names its zone, as the gradebook has it: in UTC. nbgrader would take one without a zone, or with one that it does not know,
    for UTC, and the class would be hours late or early."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            time = parse(when)
        if time.year not in YEARS:
            raise ValueError(time.year)
        if time.tzinfo is not None:
            return parse_utc(time)
        here = f"{time.astimezone():%Y-%m-%dT%H:%M%z}"
    except (ParserError, OverflowError, ValueError):
        raise UserError(f"{when!r} is no time: write it as `2027-03-01 23:59 UTC` or `2027-03-01T23:59+01:00`") from None
    raise UserError(f"{when!r} has no zone: write `{here}` for this machine's, or `{time:%Y-%m-%d %H:%M} UTC`")


def extend(folder: Path, lesson: str, student: str, length: str) -> None:
    """Give one student more time; nbgrader counts from the lesson's due date."""
    if lesson not in due_dates(_course(folder)):
        raise UserError(f"{lesson} has no due date: set it first, as in `autograde due {folder} {lesson[:2]} TIME`")
    with explained(folder), open_gradebook(folder) as gradebook:
        extensions.grant(folder, gradebook, student, lesson, extensions.hours(length))


def told(folder: Path) -> Iterator[str]:
    """Due dates in UTC and in this machine's time, extensions, and the rule, a line each."""
    dates = due_dates(_course(folder))
    with explained(folder), open_gradebook(folder) as gradebook:
        known = sorted(student.id for student in gradebook.students)
    for lesson, date in sorted(dates.items()):
        here = date.replace(tzinfo=UTC).astimezone()
        local = f"{here:%a %d %b %H:%M %Z}" if here.utcoffset() else f"{here:%a %d %b}"
        yield f"{lesson}: due {date:%Y-%m-%d %H:%M} UTC ({local})"
        yield from (
            f"    {student}: {length:g} hours more{_unknown(student, known)}"
            for (student, name), length in extensions.read(folder).items()
            if name == lesson and length
        )
    if not dates:
        yield "No lesson has a due date."
    rules = [line for line in config_file(folder).read_text(encoding="utf-8").splitlines() if line.endswith(SET_BY) and ".rule" in line]
    yield (
        f"Late: {rules[0].split('=', 1)[1].removesuffix(SET_BY).strip()[1:-1]}"
        if rules
        else "Late: as nbgrader_config.py says; unless it says so, nothing is taken off."
    )


def _unknown(student: str, known: Sequence[str]) -> str:
    """A remark where nobody of that name is in the gradebook: a slip, or somebody who has handed in nothing yet."""
    if student in known:
        return ""
    near = get_close_matches(student, known, 1)
    return f" (nobody of that name is in the gradebook yet{f'; {near[0]} is' if near else ''})"


def _course(folder: Path) -> Path:
    if not (folder / "gradebook.db").is_file():
        raise UserError(f"{folder} has no gradebook (gradebook.db): `autograde course {folder}` makes one")
    return folder
