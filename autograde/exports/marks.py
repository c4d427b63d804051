"""The marks of a class, read from where grading left them: nbgrader's gradebook first, since people grade there, then `grades.csv`."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograde.checking.errors import UserError
from autograde.grader.gradebook import roster
from autograde.grader.gradebook.course_dir import open_gradebook
from autograde.grader.gradebook.record import explained
from autograde.grader.gradebook.roster import Person
from autograde.grader.gradebook.standing import Standing, standings
from autograde.grader.results.class_list import ClassList
from autograde.grader.results.csv_tables import points, unguarded
from autograde.grader.results.csv_tables import read as read_table


@dataclass(frozen=True)
class Part:
    """What one exercise or one written answer earned."""

    name: str
    score: float
    max_score: float


@dataclass(frozen=True)
class Mark:
    """A student's points in a lesson; `score` is None where nothing was handed in, `waiting` where a person still has to grade."""

    student: str
    lesson: str
    score: float | None
    max_score: float
    waiting: bool = False
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Marks:
    """A class's marks by student and lesson; `written` says whether points given by people are in them, `roster` who is in the class's list."""

    by_key: dict[tuple[str, str], Mark]
    written: bool
    roster: Mapping[str, Person] = field(default_factory=dict)

    @property
    def students(self) -> list[str]:
        return sorted({student for student, _ in self.by_key})

    @property
    def lessons(self) -> list[str]:
        return sorted({lesson for _, lesson in self.by_key})

    @property
    def waiting(self) -> list[Mark]:
        """The marks in which a written answer still counts nothing."""
        return [mark for mark in self.by_key.values() if mark.waiting]

    def only(self, lesson: str) -> Marks:
        """The same of one lesson.

        Raises:
            UserError: when nobody has a mark in it.
        """
        found = {key: mark for key, mark in self.by_key.items() if mark.lesson == lesson}
        if not found:
            raise UserError(f"no submission of {lesson} was graded here; the lessons are {', '.join(self.lessons)}")
        return replace(self, by_key=found)

    def exercises(self, lesson: str) -> list[str]:
        """What gives points in a lesson, in its order; nothing where there is no gradebook."""
        return list(dict.fromkeys(p.name for (_, name), mark in self.by_key.items() if name == lesson for p in mark.parts))

    def part(self, student: str, lesson: str, exercise: str, zeros: bool = False) -> float | None:
        """A student's points for an exercise or a written answer, as `score` gives those for a lesson."""
        mark = self.by_key.get((student, lesson))
        earned = next((p.score for p in mark.parts if p.name == exercise), 0.0) if mark and mark.parts else None
        return 0.0 if earned is None and zeros else earned

    def maximum(self, lesson: str) -> float:
        """The points a lesson has, as its gradebook or table says."""
        return max(mark.max_score for (_, name), mark in self.by_key.items() if name == lesson)

    def score(self, student: str, lesson: str, zeros: bool = False) -> float | None:
        """A student's points; None, or 0 with `zeros`, where nothing was handed in."""
        mark = self.by_key.get((student, lesson))
        return mark.score if mark and mark.score is not None else 0.0 if zeros else None

    def scored(self, student: str) -> set[str]:
        """The lessons in which a student has points."""
        return {lesson for (who, lesson), mark in self.by_key.items() if who == student and mark.score is not None}

    def are_one(self, students: Sequence[str]) -> bool:
        """Whether students whom a system has as one person can be one: each handed in other lessons."""
        return sum(len(self.scored(student)) for student in students) == len(set().union(*map(self.scored, students)))

    def as_one(self, people: Iterable[Sequence[str]]) -> Marks:
        """The same with the points of those who are one person under the first of their ids."""
        return self.called({student: students[0] for students in people for student in students})

    def called(self, first: Mapping[str, str]) -> Marks:
        """The same with other ids for those that are in `first`."""
        marks = sorted(self.by_key.values(), key=lambda mark: mark.score is not None)  # points come last and stay
        moved = [replace(mark, student=first.get(mark.student, mark.student)) for mark in marks]
        return replace(self, by_key={(mark.student, mark.lesson): mark for mark in moved})


def read(folder: Path) -> Marks:
    """The marks in a results folder or course directory.

    Raises:
        UserError: when there are none, or they cannot be read.
    """
    listed = ClassList.read(folder)
    gone, handed_in = listed.gone, {student for student, _ in listed.entries}
    people = {person.student: person for person in roster.read(folder) if person.student not in gone}
    first = roster.first_ids(folder)
    gradebook, table = folder / "gradebook.db", folder / "grades.csv"
    found = {(m.student, m.lesson): m for m in _rows(table)} if table.is_file() else {}
    if gradebook.is_file():
        with explained(folder):
            counting = {(m.student, m.lesson): m for m in _recorded(folder) if listed.counts((m.student, m.lesson))}
        recorded = Marks(counting, True).called(first).by_key
        maximum = {lesson: mark.max_score for (_, lesson), mark in recorded.items()}
        absent = {k: Mark(m.student, m.lesson, m.score, maximum.get(m.lesson, m.max_score)) for k, m in found.items() if k not in recorded}
        found = recorded | absent
    only_named = people.keys() - handed_in - {student for (student, _), mark in found.items() if mark.score is not None}
    found = {key: mark for key, mark in found.items() if not handed_in or key[0] not in only_named}
    if not found:
        raise UserError(f"{folder} holds no grades (gradebook.db, grades.csv): run `python -m autograde grade … --out {folder}` first")
    named = {student: person for student, person in people.items() if first.get(student, student) == student}
    return Marks(found, gradebook.is_file(), named).called(first)


def _recorded(folder: Path) -> Iterator[Mark]:
    with open_gradebook(folder) as gradebook:
        yield from (_mark(standing) for standing in standings(gradebook))


def _mark(standing: Standing) -> Mark:
    parts = tuple(Part(entry.name, entry.score, entry.max_score) for entry in standing.entries if entry.max_score)
    return Mark(standing.student, standing.lesson, standing.total, standing.max_score, standing.waiting, parts)


def _rows(table: Path) -> Iterator[Mark]:
    """What `grade` wrote, also after a spreadsheet saved it."""
    try:
        header, *lines = read_table(table) or [[]]
        if "raw_score" in header:
            return  # `nbgrader export` writes a file of the same name; what it says is in the gradebook
        for line in lines:
            row = dict(zip(header, line, strict=False))
            score = None if row["status"] == "missing" else points(row["score"])
            yield Mark(unguarded(row["student_id"]), row["assignment"], score, points(row["max_score"]))
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise UserError(f"{table} is not as `grade` writes it ({type(error).__name__}: {error}): grade again") from None
