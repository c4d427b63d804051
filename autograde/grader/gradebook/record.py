"""Record results in nbgrader's gradebook with nbgrader's own code; only this process writes it."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nbformat
from dateutil.parser import parse
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.api import Grade, Gradebook, GradeCell, InvalidEntry, MissingEntry
from nbgrader.preprocessors import AssignLatePenalties, SaveAutoGrades
from nbgrader.utils import parse_utc
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from traitlets.config import Config, PyFileConfigLoader

from autograde.checking.cells import grade_id, noted
from autograde.checking.report import Report
from autograde.checking.result import Result
from autograde.files import write
from autograde.grader.gradebook import exchange_files, extensions
from autograde.grader.gradebook.course_dir import database, open_gradebook
from autograde.grader.gradebook.roster import nameless
from autograde.grader.gradebook.rubrics import with_rubrics
from autograde.grader.gradebook.standing import Standing, of_submission, seconds_late, standings
from autograde.grader.results.bare import bare
from autograde.grader.results.model import Graded
from autograde.grader.sandbox.bounded import TooMuch, bounded

GIVE_UP_AFTER = 30.0  # seconds to wait for whoever else writes the gradebook; formgrader takes milliseconds
OTHER = timedelta(minutes=15)  # between times that are not read alike
REWRITTEN = "{student}'s answer to {question} in lesson {lesson} is another than a person gave points for, which stay: look at it again (autograde written)"
log = logging.getLogger(__name__)


class GradebookError(OSError):
    """The gradebook cannot be read or written; the message says what to do."""


class Records:
    """A class's gradebook and graded notebooks under `folder`, open while the class is graded."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.notes = folder, list[str]()  # what the instructor should know
        with explained(folder):
            self.gradebook = open_gradebook(folder)
            self.gradebook.db.execute(text("PRAGMA busy_timeout = 1000"))
            with at_once(self.gradebook, folder):  # that it can be written is known before anything is graded
                self.gradebook.db.execute(text("UPDATE alembic_version SET version_num = version_num"))

    def close(self) -> None:
        self.gradebook.close()

    def record(self, graded: Graded, digest: str, beside: Path | None = None) -> None:
        """Save scores and the graded notebook; a manual grade or comment stays as it is.

        `digest` marks what was recorded, so that an unchanged result is not written twice; `beside` is the folder of the submission, which
        may hold nbgrader's time stamp.
        """
        if graded.status == "missing":
            return
        handed_in = self._handed_in(graded.student, graded.lesson, beside)
        path = self.folder / "autograded" / graded.student / graded.lesson / f"{graded.lesson}.ipynb"
        mark = path.with_name(".recorded")
        if path.exists() and mark.exists() and mark.read_text() == digest and self._holds(graded):
            self._stamp(graded.student, graded.lesson, handed_in)
            self.update_penalty(graded.student, graded.lesson)
            return
        notebook, cells = _shown(graded)
        with _quiet():
            for question in self._save(graded, cells, _written_answers(path), handed_in):
                self.notes.append(REWRITTEN.format(student=graded.student, lesson=graded.lesson[:2], question=question))
        self.update_penalty(graded.student, graded.lesson)
        write(path, notebook.encode())
        exchange_files.keep(self.folder / "submitted" / graded.student / graded.lesson, path.parent)
        write(mark, digest.encode())

    def recorded(self) -> Iterator[tuple[str, str, str]]:
        """(student, lesson, key of the result) of everything that was recorded in this folder."""
        for mark in sorted((self.folder / "autograded").glob("*/*/.recorded")):
            yield mark.parents[1].name, mark.parent.name, mark.read_text(encoding="utf-8")

    def standing(self, student: str, lesson: str) -> Standing | None:
        """What the gradebook says of a submission; nothing where it knows none."""
        with explained(self.folder):
            try:
                found = of_submission(self.gradebook.find_submission(lesson, student))
            except MissingEntry:
                found = None
            self.gradebook.db.rollback()
        return found

    def standings(self) -> list[Standing]:
        """What the gradebook says of every submission."""
        with explained(self.folder):
            found = list(standings(self.gradebook))
            self.gradebook.db.rollback()
        return found

    def _holds(self, graded: Graded) -> bool:
        """Whether the gradebook has these scores: it may be another one than was there when they were recorded."""
        with explained(self.folder):
            try:
                notebook = self.gradebook.find_submission_notebook(graded.lesson, graded.lesson, graded.student)
            except MissingEntry:
                return False
            cells = self.gradebook.db.query(GradeCell.name, Grade.auto_score).join(Grade, Grade.cell_id == GradeCell.id)
            scores = dict(tuple(row) for row in cells.filter(Grade.notebook_id == notebook.id))
            self.gradebook.db.rollback()
        return all(scores.get(f"check-{r.exercise}", r.score) == r.score for r in graded.results)

    def _save(self, graded: Graded, cells: list[NotebookNode], before: dict[str, str], handed_in: datetime | None) -> list[str]:
        """The questions that a person gave points for, and whose answers are others now."""
        with explained(self.folder), at_once(self.gradebook, self.folder):
            student = self.gradebook.update_or_create_student(graded.student)
            if student.first_name is None and student.last_name is None:
                student.first_name, student.last_name = nameless(graded.student)
            self.gradebook.update_or_create_submission(graded.lesson, graded.student, timestamp=handed_in)
            extensions.apply(self.folder, self.gradebook, graded.student, graded.lesson)
            return _save_scores(self.gradebook, cells, graded, before)

    def _handed_in(self, student: str, lesson: str, beside: Path | None) -> datetime | None:
        """nbgrader's own time stamp of a collected submission, if there is one, as nbgrader reads it."""
        for folder in (self.folder / "submitted" / student / lesson, beside):
            stamp = folder / "timestamp.txt" if folder else None
            if stamp is None or not stamp.is_file() or stamp.is_symlink() or stamp.stat().st_size > exchange_files.MAX_BYTES:
                continue
            try:
                read, *meant = map(datetime.fromisoformat, _time_in(stamp).split())
            except (ValueError, OverflowError):  # TooMuch is one
                self.notes.append(f"{stamp} holds no time that nbgrader can read: {student} does not count as late in {lesson}")
                continue
            if meant:
                means = f"nbgrader reads it as {read:%Y-%m-%d %H:%M} UTC, and it says {meant[0]:%Y-%m-%d %H:%M} UTC: write it in UTC"
                self.notes.append(f"{stamp}: {means}")
            return read
        return None

    def _stamp(self, student: str, lesson: str, handed_in: datetime | None) -> None:
        """Bring the time of a submission up to date that is otherwise as it was."""
        with explained(self.folder):
            known = self.gradebook.find_submission(lesson, student).timestamp
            self.gradebook.db.rollback()
            if handed_in is not None and handed_in != known:
                with at_once(self.gradebook, self.folder):
                    self.gradebook.update_or_create_submission(lesson, student, timestamp=handed_in)

    def update_penalties(self) -> list[tuple[str, str]]:
        """The same for every submission that is late or was; (student, lesson) of those whose penalty has changed."""
        concerned = [(s.student, s.lesson, s.penalty) for s in self.standings() if s.late > 0 or s.penalty]
        if not concerned:
            return []
        for student, lesson, _ in concerned:
            self.update_penalty(student, lesson)
        after = {(s.student, s.lesson): s.penalty for s in self.standings()}
        return [(student, lesson) for student, lesson, before in concerned if after.get((student, lesson)) != before]

    def update_penalty(self, student: str, lesson: str) -> None:
        """Take off what being late costs by the course's own rule, as the due date and the points stand now."""
        with explained(self.folder), _quiet():
            try:
                submission = self.gradebook.find_submission(lesson, student)
            except MissingEntry:
                return
            late = seconds_late(submission) > 0 or any(n.late_submission_penalty for n in submission.notebooks)
            due = submission.assignment.duedate
            self.gradebook.db.rollback()
            if late and not due:
                self._forgive(student, lesson)
            elif late:
                names = {"student": student, "assignment": lesson, "notebook": lesson, "db_url": database(self.folder)}
                rule = AssignLatePenalties(config=_config(self.folder))
                rule.preprocess(NotebookNode(cells=[]), {"nbgrader": names, "unique_key": lesson})
                self.gradebook.db.expire_all()  # the rule has a connection of its own

    def _forgive(self, student: str, lesson: str) -> None:
        """Take away a penalty: nbgrader's rule would add an extension to a due date that is not there any more."""
        with at_once(self.gradebook, self.folder):
            for notebook in self.gradebook.find_submission(lesson, student).notebooks:
                notebook.late_submission_penalty = None


@contextmanager
def _quiet() -> Iterator[None]:
    """nbgrader's own way with its database makes SQLAlchemy warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _shown(graded: Graded) -> tuple[str, list[NotebookNode]]:
    """The graded notebook as a file, and what nbgrader reads of it; without the student's words where making it takes too much."""
    try:
        notebook, cells = _written_out(graded)
    except TooMuch as error:
        log.warning("%s, lesson %s: the graded notebook holds nothing of theirs: %s", graded.student, graded.lesson, error)
        notebook, cells = _written_out(bare(graded))
    return notebook, [nbformat.from_dict(cell) for cell in cells]


@bounded()
def _written_out(graded: Graded) -> tuple[str, list[NotebookNode]]:
    notebook = with_outputs(nbformat.reads(graded.notebook, 4), graded.results)
    cells = [cell for cell in notebook.cells if noted(cell)]
    return nbformat.writes(with_rubrics(notebook, graded.lesson)) + "\n", cells


@bounded(raises=(ValueError, OverflowError))
def _time_in(stamp: Path) -> str:
    """The time as nbgrader reads it; behind that what it says, where nbgrader passes over its zone, as it does over ` +02:00`. A student may hand in a
    file of this name."""
    text = stamp.read_text(encoding="utf-8").strip()
    read, meant = parse_utc(text), None
    with contextlib.suppress(ValueError, OverflowError), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of zones that it does not know
        meant = parse(text)
    said = meant.astimezone(UTC).replace(tzinfo=None) if meant and meant.tzinfo else read
    return " ".join(one.isoformat() for one in ([read, said] if abs(said - read) > OTHER else [read]))


def _save_scores(gradebook: Gradebook, cells: list[NotebookNode], graded: Graded, before: dict[str, str]) -> list[str]:
    """nbgrader's own preprocessor, cell by cell, on a gradebook that is open already; what a person has looked at stays looked at.

    Gives the questions with points of a person whose answers are others than `before`.
    """
    save = SaveAutoGrades()
    save.gradebook, save.student_id = gradebook, graded.student
    save.notebook_id = save.assignment_id = graded.lesson
    now = _written_in(cells)
    grades = gradebook.find_submission_notebook(graded.lesson, graded.lesson, graded.student).grades
    seen = {g.name: g.auto_score for g in grades if g.manual_score is not None and not g.needs_manual_grade}
    for index, cell in enumerate(cells):
        save.preprocess_cell(cell, {}, index)
    for grade in grades:
        if grade.name in seen and grade.auto_score == seen[grade.name] and before.get(grade.name) == now.get(grade.name):
            grade.needs_manual_grade = False
    gradebook.db.commit()
    return [g.name for g in grades if g.manual_score is not None and before.get(g.name, now.get(g.name)) != now.get(g.name)]


def _written_answers(path: Path) -> dict[str, str]:
    """What was written to the questions in the graded notebook of an earlier run."""
    try:
        return _read_back(path) if path.exists() else {}
    except ValueError:  # TooMuch is one
        return {}


@bounded(raises=(ValueError,))
def _read_back(path: Path) -> dict[str, str]:
    return _written_in(nbformat.reads(path.read_text(encoding="utf-8"), 4).cells)


def _written_in(cells: list[NotebookNode]) -> dict[str, str]:
    written = (c for c in cells if c.cell_type == "markdown")
    return {grade_id(c): c.source for c in written if noted(c).get("solution")}


@contextmanager
def at_once(gradebook: Gradebook, folder: Path) -> Iterator[None]:
    """All of nbgrader's many commits as one transaction: a submission is recorded whole or not at all."""
    session = gradebook.db

    def flush() -> None:
        with explained(folder):  # an error that nbgrader does not know how to swallow
            session.flush()

    _take_turn(gradebook)
    session.commit = flush  # for nbgrader's calls of it; ours is below
    try:
        yield
        del session.commit
        session.commit()
    except BaseException:
        session.__dict__.pop("commit", None)
        session.rollback()
        raise


def _take_turn(gradebook: Gradebook) -> None:
    """Take the gradebook for writing, when whoever else writes it has done."""
    give_up = time.monotonic() + GIVE_UP_AFTER
    while True:
        try:
            gradebook.db.execute(text("BEGIN IMMEDIATE"))
            return
        except DatabaseError as error:
            gradebook.db.rollback()
            if "locked" not in str(error.orig) or time.monotonic() > give_up:
                raise


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """SQLite's errors, and nbgrader's for them, with what to do about them."""
    try:
        yield
    except (DatabaseError, sqlite3.DatabaseError, InvalidEntry) as error:
        said = str(getattr(error, "orig", error))
        raise GradebookError(f"{folder / 'gradebook.db'}: {said}. {_remedy(said, folder)}") from error


def _remedy(said: str, folder: Path) -> str:
    if "locked" in said:
        return "Another program (formgrader?) keeps it: close that"
    if "readonly" in said or "unable to open" in said:
        return f"Make it and its folder writable for you (ls -ld {folder}), or choose another --out"
    if "full" in said:
        return "The disk is full: make room"
    if "no such column" in said or "no such table" in said:
        return f"Another version of nbgrader made it: keep a copy, and type `nbgrader db upgrade` in {folder}"
    return "It seems damaged: move it away, or put a backup in its place (it holds the manual grades); automatic scores are recorded anew"


def _config(folder: Path) -> Config:
    """The course's own nbgrader configuration, in which an instructor sets late penalties."""
    path = folder / "nbgrader_config.py"
    return PyFileConfigLoader(path.name, str(folder)).load_config() if path.exists() else Config()


def with_outputs(notebook: NotebookNode, results: list[Result]) -> NotebookNode:
    """The check cells with what nbgrader reads (a plain number) and what people read (the report)."""
    by_name = {f"check-{r.exercise}": r for r in results}
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.outputs, cell.execution_count = [], None
        result = by_name.get(grade_id(cell))
        if result is not None:
            report = Report(result)
            shown = {"text/plain": repr(report), "text/html": report._repr_html_()}  # nbgrader reads the number, people the page
            cell.outputs = [new_output("execute_result", shown, execution_count=1)]
            cell.execution_count = 1
    return notebook
