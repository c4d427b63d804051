"""A submission's points as the gradebook has them: what people changed there counts in every table."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import replace

from autograde import layout
from autograde.checking.manifest import read_manifest
from autograde.checking.result import Result
from autograde.checking.status import ExerciseStatus, SubmissionStatus
from autograde.grader.gradebook.roster import Person, same
from autograde.grader.gradebook.standing import Entry, Standing
from autograde.grader.results.model import Graded

NOTHING = "nothing was handed in"


def with_points(graded: Graded, standing: Standing | None) -> Graded:
    """The result with the gradebook's points for each exercise, and without the notebook."""
    entries = {entry.name: entry for entry in standing.entries} if standing else {}
    results = [replace(r, score=entries[r.exercise].score) if r.exercise in entries else r for r in graded.results]
    return replace(graded, results=results, notebook="")


def without_result(standing: Standing) -> Graded:
    """What the gradebook alone knows of a submission: another program graded it, such as stock `nbgrader autograde`."""
    results = [Result(e.name, e.score, e.max_score, _status(e)) for e in standing.entries if not e.written]
    return Graded(standing.student, standing.lesson, SubmissionStatus.GRADED, results)


def absent(people: Iterable[Person], rows: Iterable[tuple[str, str]], gone: Container[str]) -> list[Graded]:
    """Whom the roster names and of whom a lesson has nothing, as `rows` of (student, lesson) say; not who has left the class."""
    rows, people = list(rows), list(people)
    meant = {same(person.student): person.in_list for person in people}
    there = {(meant.get(same(student), student), lesson) for student, lesson in rows}
    lessons = sorted({lesson for _, lesson in rows})
    left: dict[str, str] = {}  # who came by several ids is called by the first
    for person in people:
        if person.student not in gone:
            left.setdefault(person.in_list, person.student)
    return [_nothing(student, lesson) for key, student in left.items() for lesson in lessons if (key, lesson) not in there]


def by_one_id(rows: Iterable[Graded], first: Mapping[str, str]) -> list[Graded]:
    """The same with the ids that tables have for those who came by several; what one of these handed in counts, not what another lacks."""
    ordered = sorted(rows, key=lambda row: row.status != SubmissionStatus.MISSING)  # what was handed in comes last and stays
    return list({(who := first.get(row.student, row.student), row.lesson): replace(row, student=who) for row in ordered}.values())


def _nothing(student: str, lesson: str) -> Graded:
    """The result of who handed in nothing; without exercises for an assignment that is no lesson."""
    known = read_manifest(lesson)["exercises"] if lesson in layout.lesson_names() else {}
    results = [Result(name, 0.0, e["points"], ExerciseStatus.MISSING, diagnosis=NOTHING) for name, e in known.items()]
    return Graded(student, lesson, SubmissionStatus.MISSING, results, NOTHING)


def _status(entry: Entry) -> ExerciseStatus:
    if entry.score >= entry.max_score:
        return ExerciseStatus.PASSED
    return ExerciseStatus.PARTIAL if entry.score > 0 else ExerciseStatus.FAILED
