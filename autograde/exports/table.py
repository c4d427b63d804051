"""The class as one wide table: a row a student, a column a lesson, and the total."""

from __future__ import annotations

from autograde.exports.marks import Marks
from autograde.grader.gradebook.roster import Person
from autograde.grader.results.csv_tables import as_csv, safe

ROSTER = ("roster_id", "name", "email")


def wide(marks: Marks, zeros: bool = False, exercises: bool = False) -> bytes:
    """CSV in UTF-8, with everyone whom the class's roster names, and what the roster says of them: systems that have called submissions by names
    want an id or an address back. Scores always have a decimal point, so that whoever reads them gets one type; nothing handed in is an empty cell.

    With `exercises` a column for each exercise and written answer follows that of its lesson, which has late penalties taken off.
    """
    parts = {lesson: marks.exercises(lesson) if exercises else [] for lesson in marks.lessons}
    most = sum(marks.maximum(lesson) for lesson in parts)
    header, rows = ["student_id"], []
    for lesson, names in parts.items():
        header += [lesson, *(f"{lesson}/{name}" for name in names)]
    for student in sorted({*marks.students, *marks.roster}):
        row, total = [safe(student)], 0.0
        for lesson, names in parts.items():
            score = marks.score(student, lesson, zeros)
            total += score or 0.0
            row += [number(score), *(number(marks.part(student, lesson, name, zeros)) for name in names)]
        known = _known(marks.roster.get(student)) if marks.roster else []
        rows.append([*row, number(total), number(most), *known])
    return as_csv([*header, "total", "max_total", *(ROSTER if marks.roster else ())], rows)


def _known(person: Person | None) -> list[str]:
    return [safe(text) for text in (person.listed or person.student, person.name, person.email)] if person else [""] * len(ROSTER)


def number(score: float | None) -> str:
    """Points to a hundredth, as text."""
    return "" if score is None else repr(round(float(score), 2))
