"""What a graded folder holds, in a form that two runs can be compared by."""

from __future__ import annotations

import sqlite3
from pathlib import Path

NOT_COMPARED = {"timestamp.txt", "submission_secret.txt"}  # made at random for each submission, by design
SCORES = """
select assignment.name, student.id, base_cell.name, grade.auto_score, grade.manual_score, grade.extra_credit
from grade join submitted_notebook on submitted_notebook.id = grade.notebook_id
join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id
join assignment on assignment.id = submitted_assignment.assignment_id
join student on student.id = submitted_assignment.student_id
join base_cell on base_cell.id = grade.cell_id order by 1, 2, 3
"""


def files(out: Path) -> dict[str, bytes]:
    """Tables, feedback pages and graded notebooks, by name."""
    pages = [p for folder in ("feedback", "autograded") for p in (out / folder).rglob("*") if p.is_file() and p.name not in NOT_COMPARED]
    return {str(p.relative_to(out)): p.read_bytes() for p in [out / "grades.csv", out / "exercises.csv", *pages]}


def scores(out: Path) -> list[tuple]:
    """Every score in the gradebook, once each; raises when the database is damaged."""
    connection = sqlite3.connect(out / "gradebook.db")
    try:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        rows = connection.execute(SCORES).fetchall()
    finally:
        connection.close()
    assert len({row[:3] for row in rows}) == len(rows), "a score is there twice"
    return rows


def unfinished(out: Path) -> list[Path]:
    """What a killed run was writing."""
    return [p for folder in (".results", "feedback", "autograded") for p in (out / folder).rglob(".autograde-*")]


def same(one: Path, other: Path) -> bool:
    return files(one) == files(other) and scores(one) == scores(other) and not unfinished(one) and not unfinished(other)
