"""The class's written answers: read from nbgrader's gradebook and the graded notebooks, and graded in the gradebook at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import (
    Assignment,
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    SolutionCell,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)
from sqlalchemy.exc import NoResultFound

from autograde.checking.cells import grade_id
from autograde.checking.errors import UserError
from autograde.grader.gradebook.record import Records, at_once, explained
from autograde.grader.gradebook.roster import in_class
from autograde.grader.gradebook.standing import CHECK, name_of
from autograde.grader.sandbox.bounded import bounded
from autograde.grader.written.ticks import Ticks

LONGEST_COMMENT = 20_000  # characters


class Changed(Exception):
    """Somebody else graded this answer since it was read."""


@dataclass(frozen=True)
class Mark:
    """What a person gave: no points as long as nobody did."""

    points: float | None
    comment: str


@dataclass(frozen=True)
class Answer:
    """One student's answer to one question; `number` is its place in an order that tells nothing about names."""

    id: str
    number: int
    student: str
    name: str
    lesson: str
    question: str
    mark: Mark
    items: list[str]
    blank: bool  # the checks gave it 0 points, since nothing was written
    changed: bool  # the points were given for another text than it is now

    @property
    def waiting(self) -> bool:
        return self.changed or (self.mark.points is None and not self.blank)


class Answers:
    """All written answers in a course directory."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.records, self.ticks = folder, Records(folder), Ticks(folder)
        self.gradebook = self.records.gradebook

    def close(self) -> None:
        self.records.close()

    def questions(self) -> dict[tuple[str, str], list[Answer]]:
        """(lesson, question) → its answers, by number; none of who has left the class."""
        counts = in_class(self.folder)
        with explained(self.folder):
            found: dict[tuple[str, str], list[Answer]] = {}
            for answer in (row for row in _rows(self.gradebook, self.ticks) if counts((row.student, row.lesson))):
                found.setdefault((answer.lesson, answer.question), []).append(answer)
            self.gradebook.db.rollback()  # the next reader sees what others wrote
        return {key: _numbered(answers) for key, answers in sorted(found.items())}

    def find(self, identity: str) -> Answer:
        """One answer.

        Raises:
            UserError: when the gradebook has no such answer (any more).
        """
        found = next((a for answers in self.questions().values() for a in answers if a.id == identity), None)
        if found is None:
            raise UserError("this answer is not in the gradebook any more: reload the page")
        return found

    def text(self, answer: Answer) -> tuple[str, dict[str, Any]]:
        """(Markdown, attachments) of an answer, as it stands in the graded notebook."""
        path = self.folder / "autograded" / answer.student / answer.lesson / f"{answer.lesson}.ipynb"
        try:
            found = _written(path, answer.question)
        except (OSError, ValueError) as error:
            raise UserError(f"{path} cannot be read ({type(error).__name__}): grade this submission again") from None
        if not found:
            raise UserError(f"{path} has no answer to {answer.question}: grade this submission again")
        return found[0], found[1]

    def give(self, identity: str, mark: Mark, items: list[str], seen: Mark) -> Answer:
        """Record points and a comment; `seen` is what the grader saw before.

        Raises:
            Changed: when the gradebook holds neither what the grader saw nor what is to be recorded.
            UserError: for an answer that is no more.
            GradebookError: when the gradebook cannot be written.
        """
        with explained(self.folder), at_once(self.gradebook, self.folder):
            grade = self._grade(identity)
            comment = next(c for c in grade.notebook.comments if c.name == grade.name)
            if _mark(grade, comment) not in (seen, mark):
                raise Changed
            grade.manual_score = mark.points
            grade.needs_manual_grade = mark.points is None and grade.auto_score is None
            comment.manual_comment = mark.comment or None
            student, lesson = grade.student.id, grade.assignment.name
            self.ticks.choose(student, lesson, grade.name, mark.points, items)
        self.records.update_penalty(student, lesson)
        return self.find(identity)

    def comments(self, answers: list[Answer]) -> list[str]:
        """What was written to answers before, the most frequent first."""
        said = [a.mark.comment for a in answers if a.mark.comment]
        return sorted(set(said), key=lambda text: (-said.count(text), text))

    def _grade(self, identity: str) -> Grade:
        try:
            return self.gradebook.db.query(Grade).filter(Grade.id == identity).one()
        except NoResultFound:
            raise UserError("this answer is not in the gradebook any more: reload the page") from None


@bounded(raises=(OSError, ValueError))
def _written(path: Path, question: str) -> tuple[str, dict[str, Any]] | None:
    cells = nbformat.reads(path.read_text(encoding="utf-8"), 4).cells
    cell = next((c for c in cells if grade_id(c) == question), None)
    if cell is None:
        return None
    return (cell.source if cell.cell_type == "markdown" else f"````\n{cell.source}\n````"), cell.get("attachments", {})


def _rows(gradebook: Gradebook, ticks: Ticks) -> Iterator[Answer]:
    """All answers, in two queries for a whole class."""
    comments = gradebook.db.query(Comment.notebook_id, SolutionCell.name, Comment.manual_comment)
    said = {(notebook, name): text or "" for notebook, name, text in comments.join(SolutionCell, Comment.cell_id == SolutionCell.id)}
    wanted = (
        Grade.id,
        GradeCell.name,
        Assignment.name,
        Student,
        Grade.manual_score,
        Grade.auto_score,
        Grade.needs_manual_grade,
        Grade.notebook_id,
    )
    query = gradebook.db.query(*wanted).join(GradeCell, Grade.cell_id == GradeCell.id)
    query = query.join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
    query = query.join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
    query = query.join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
    query = query.join(Student, SubmittedAssignment.student_id == Student.id)
    for identity, name, lesson, student, manual, auto, look, notebook in query.filter(~GradeCell.name.startswith(CHECK, autoescape=True)):
        mark = Mark(manual, said.get((notebook, name), ""))
        person = name_of(student)
        ticked = ticks.of(student.id, lesson, name, manual)
        blank, changed = manual is None and auto is not None, manual is not None and look
        yield Answer(identity, 0, student.id, person, lesson, name, mark, ticked, blank=blank, changed=changed)


def _numbered(answers: list[Answer]) -> list[Answer]:
    """In an order that is the same at every call, another for each question, and says nothing about names."""

    def place(answer: Answer) -> bytes:
        return hashlib.sha256(json.dumps([answer.lesson, answer.question, answer.student]).encode()).digest()

    return [replace(answer, number=number) for number, answer in enumerate(sorted(answers, key=place), 1)]


def _mark(grade: Grade, comment: Comment) -> Mark:
    return Mark(grade.manual_score, comment.manual_comment or "")
