"""Lines for OpenOlat's bulk assessment, which takes a text: who, a tab, and the points.

It divides each line at every tab, or at every comma whether in quotes or not, so that `"Lee, Ann",24` would be three columns. Ours have tabs.
"""

from __future__ import annotations

from collections import Counter

from autograde.checking.errors import UserError
from autograde.exports.cells import Sheet
from autograde.exports.marks import Marks
from autograde.exports.table import number
from autograde.grader.results.csv_tables import safe


def lines(marks: Marks, zeros: bool = False) -> Sheet:
    """A line for each who has points in the one lesson. OpenOlat takes the last of two lines for one person, so such two are left out.

    Raises:
        UserError: when the marks are of several lessons.
    """
    if len(marks.lessons) != 1:
        raise UserError("OpenOlat takes one course element at a time: name its lesson, such as `--lesson 03`")
    [lesson] = marks.lessons
    students = sorted({*marks.students, *marks.roster})
    called = {student: _identifier(marks, student) for student in students}
    times = Counter(called.values())
    scores = {student: marks.score(student, lesson, zeros) for student in students if times[called[student]] == 1}
    rows = [f"{called[student]}\t{number(score)}\n" for student, score in scores.items() if score is not None]
    two = [
        f"{' and '.join(ascii(s)[1:-1] for s in students if called[s] == who)} are both {who!a}: not exported"
        for who in times
        if times[who] > 1
    ]
    return Sheet("".join(rows).encode(), len(rows), notes=two)


def _identifier(marks: Marks, student: str) -> str:
    """By what OpenOlat finds a person: user name, number or e-mail address, as the class's list has them, else as the submission was called."""
    person = marks.roster.get(student)
    return safe((person.listed or person.student or person.email) if person else student)
