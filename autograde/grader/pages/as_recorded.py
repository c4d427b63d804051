"""Both tables of a class with points as the gradebook has them: what people changed, late penalties, and a row for each written answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from autograde.grader.gradebook.standing import Entry, Standing
from autograde.grader.results.csv_tables import safe

Table = Sequence[Mapping[str, str]]
WAITING = "waiting"  # the status of a written answer that nobody has graded


def as_recorded(grades: Table, exercises: Table, standings: Iterable[Standing]) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """The rows of `grades.csv` and `exercises.csv` with what the gradebook says in the place of what the checks gave."""
    known = {(safe(s.student), s.lesson): s for s in standings}
    there = {_key(row): known[_key(row)] for row in grades if _key(row) in known}
    totals = [_with_total(row, there.get(_key(row))) for row in grades]
    changed = [_with_points(row, there.get(_key(row))) for row in exercises]
    return totals, changed + [_written(*key, entry) for key, s in there.items() for entry in s.written]


def _key(row: Mapping[str, str]) -> tuple[str, str]:
    return row["student_id"], row["assignment"]


def _with_total(row: Mapping[str, str], standing: Standing | None) -> dict[str, str]:
    return {**row, "score": str(standing.total), "max_score": str(standing.max_score)} if standing else dict(row)


def _with_points(row: Mapping[str, str], standing: Standing | None) -> dict[str, str]:
    entry = standing.entry(row["exercise"]) if standing else None
    return {**row, "score": str(entry.score)} if entry else dict(row)


def _written(student: str, lesson: str, entry: Entry) -> dict[str, str]:
    return {
        "student_id": student,
        "assignment": lesson,
        "exercise": entry.name,
        "score": str(entry.score),
        "max_score": str(entry.max_score),
        "status": _status(entry),
        "message": "",
        "written": "yes",
    }


def _status(entry: Entry) -> str:
    if entry.waiting:
        return WAITING
    if entry.manual is None:
        return "not_attempted"
    return "passed" if entry.score >= entry.max_score else "partial"
