"""Grade one submission from its file to its results. What goes wrong with it becomes its result, never an exception."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograde import layout
from autograde.authoring import source
from autograde.checking.errors import AutogradeError, SandboxUnavailable
from autograde.checking.lesson import Exercise, Lesson, load_lesson, outcome_files
from autograde.checking.scoring import Result, examine
from autograde.grader.ingest.discovery import Found
from autograde.grader.ingest.matching import CodeCell, Submission, match
from autograde.grader.ingest.notebook_file import Unreadable, read
from autograde.grader.results.model import Graded
from autograde.grader.run import prerequisites
from autograde.grader.run.session import Session
from autograde.grader.run.timeouts import Clock
from autograde.grader.sandbox.limits import Limits, bounded_memory

MAX_ARTIFACT = 64 * 2**20
LIMITS = Limits(request_seconds=5, test_seconds=20)  # right answers take milliseconds


@bounded_memory()
def grade(found: Found, sandbox: str = "required", tell: Callable[[Result], None] | None = None) -> Graded:
    """Read, match, run and check one submission; `tell` hears of each exercise as it is done.

    Raises:
        SandboxUnavailable: when `sandbox` is required and this machine cannot isolate a submission.
    """
    began = time.monotonic()
    lesson, template = _lesson(found.lesson)
    if found.path is None:
        return _without_results(found, lesson, template, "missing", "nothing was handed in")
    try:
        submission = match(read(found.path), template, [e.name for e in lesson.exercises.values() if not e.outcome])
        results = _check(lesson, submission, artifacts(found.path.parent, lesson), sandbox, tell)
    except Unreadable as reason:
        return _without_results(found, lesson, template, "unreadable", str(reason))
    except SandboxUnavailable:
        raise
    except Exception as error:  # a student's file must not end the batch; what was met is told, and the score can be regraded
        return _without_results(found, lesson, template, "error", f"the grader met an error of its own ({type(error).__name__}: {error})")
    repairs = [*found.notes, *submission.repairs]
    text = nbformat.writes(submission.notebook)
    return Graded(found.student, found.lesson, "graded", results, "", repairs, text, time.monotonic() - began)


@bounded_memory()
def check_submission(lesson_name: str, submission: Submission, folder: Path, sandbox: str) -> list[Result]:
    """Check a matched submission whose files lie in `folder`."""
    lesson, _ = _lesson(lesson_name)
    return _check(lesson, submission, artifacts(folder, lesson), sandbox)


def artifacts(folder: Path, lesson: Lesson) -> dict[str, bytes]:
    """The graded files beside a notebook, as bytes; links and giants are not read."""
    files = {name: folder / name for name in outcome_files(lesson.name)}
    usable = {n: p for n, p in files.items() if p.is_file() and not p.is_symlink() and p.stat().st_size <= MAX_ARTIFACT}
    return {name: path.read_bytes() for name, path in usable.items()}


@lru_cache
def _lesson(name: str) -> tuple[Lesson, NotebookNode]:
    template = nbformat.read(layout.NOTEBOOKS / f"{name}.ipynb", 4)
    return load_lesson(name, hidden=True), template


def _check(
    lesson: Lesson, submission: Submission, files: Mapping[str, bytes], sandbox: str, tell: Callable[[Result], None] | None = None
) -> list[Result]:
    done: dict[str, Result] = {}
    clock = Clock(LIMITS)
    with _open(submission.cells, sandbox, files, clock) as session:
        for exercise in lesson.exercises.values():
            lost = prerequisites.broken(exercise.name, submission, done)
            result = _unwritten(exercise, submission) or _first(exercise, lesson, submission, session, [done[name] for name in lost])
            if lost and result.status != "passed" and exercise.name in submission.attempted:
                result = prerequisites.merge(result, _second(exercise, lesson, submission, lost, files, sandbox, clock), lost)
            done[exercise.name] = result
            if tell:
                tell(result)
    return list(done.values())


def _open(cells: Sequence[CodeCell], sandbox: str, files: Mapping[str, bytes], clock: Clock) -> Session:
    own = {cell.name for cell in cells if cell.own}
    return Session([(cell.name, cell.source) for cell in cells], LIMITS, sandbox, files, clock=clock, own=own)


def _unwritten(exercise: Exercise, submission: Submission) -> Result | None:
    if exercise.outcome or exercise.name in submission.attempted:
        return None
    if exercise.name in submission.answers:
        return Result(exercise.name, 0.0, exercise.points, "not_attempted")
    return Result(exercise.name, 0.0, exercise.points, "missing", diagnosis="its cell is missing")


def _first(exercise: Exercise, lesson: Lesson, submission: Submission, session: Session, lost: list[Result]) -> Result:
    """The answer as it stands; one that builds on an answer that hangs or kills is not tried, since it would only do the same."""
    if stuck := [r for r in lost if any(o.status in ("timeout", "died") for o in r.outcomes)]:
        return Result(
            exercise.name, 0.0, exercise.points, stuck[0].status, diagnosis=f"it builds on {stuck[0].exercise}, which ends this way"
        )
    student = session.student(exercise.forbids)
    return _cell_trouble(exercise, submission, session) or examine(lesson, exercise, student, student.test)


def _second(
    exercise: Exercise, lesson: Lesson, submission: Submission, lost: list[str], files: Mapping[str, bytes], sandbox: str, clock: Clock
) -> Result:
    cells = prerequisites.repaired(submission.cells, lost, _reference_answers(lesson.name))
    with _open(cells, sandbox, files, clock) as session:
        student = session.student(exercise.forbids)
        return _cell_trouble(exercise, submission, session) or examine(lesson, exercise, student, student.test)


@lru_cache
def _reference_answers(name: str) -> dict[str, str]:
    read_source = source.read(layout.source_path(name))
    return {exercise: read_source.answer(exercise) for exercise in read_source.exercises if not read_source.exercises[exercise].outcome}


def _cell_trouble(exercise: Exercise, submission: Submission, session: Session) -> Result | None:
    """What stopped the answer's own cell before it defined the answer."""
    own = [session.results[c.name] for c in submission.cells if c.exercise == exercise.name and c.name in session.results]
    broken = [r for r in own if r.status != "ok"]
    if not broken or _defined(exercise.name, session):
        return None
    status = "timeout" if broken[-1].status == "timeout" else "error"
    where = f" ({broken[-1].line})" if broken[-1].line else ""
    return Result(
        exercise.name, 0.0, exercise.points, status, diagnosis=f"Its cell stopped before it defined the answer: {broken[-1].message}{where}"
    )


def _defined(name: str, session: Session) -> bool:
    try:
        with session.test():
            return session.student().has(name)
    except AutogradeError:  # its process cannot even be asked
        return False


def _without_results(found: Found, lesson: Lesson, template: NotebookNode, status: str, reason: str) -> Graded:
    results = [Result(e.name, 0.0, e.points, "missing", diagnosis=reason) for e in lesson.exercises.values()]
    return Graded(found.student, found.lesson, status, results, reason, list(found.notes), nbformat.writes(template))
