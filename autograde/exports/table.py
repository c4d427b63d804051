"""The class as one wide table: a row a student, a column a lesson, and the total."""

from __future__ import annotations

from autograde.exports.marks import Marks
from autograde.grader.results.csv_tables import as_csv, safe


def wide(marks: Marks, zeros: bool = False) -> bytes:
    """CSV in UTF-8, with everyone whom the class's roster names. Scores always have a decimal point, so that whoever reads them gets one type; nothing handed in is an empty cell."""
    lessons = marks.lessons
    most = sum(marks.maximum(lesson) for lesson in lessons)
    rows = []
    for student in sorted({*marks.students, *marks.roster}):
        scores = [marks.score(student, lesson, zeros) for lesson in lessons]
        total = sum(score for score in scores if score is not None)
        rows.append([safe(student), *(number(score) for score in scores), number(total), number(most)])
    return as_csv(["student_id", *lessons, "total", "max_total"], rows)


def number(score: float | None) -> str:
    """Points to a hundredth, as text."""
    return "" if score is None else repr(round(float(score), 2))
