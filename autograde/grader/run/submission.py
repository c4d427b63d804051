"""Grade one submission from its file to its results. What goes wrong with it becomes its result, never an exception."""

from __future__ import annotations

import json
import platform
import re
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograde import layout
from autograde.authoring import source
from autograde.checking.errors import AutogradeError, SandboxUnavailable
from autograde.checking.forbidden.names import stand_ins
from autograde.checking.lesson import Lesson, Mistake, load_lesson
from autograde.checking.manifest import Exercise
from autograde.checking.model_files import MAX_BYTES
from autograde.checking.result import Outcome, Result
from autograde.checking.runner import Check
from autograde.checking.scoring import diagnose, examine, given_up, on_another_device, pass_or_fail, run_checks, summarize
from autograde.checking.status import ENDED, UNWRITTEN, CellStatus, CheckStatus, ExerciseStatus, SubmissionStatus
from autograde.grader.ingest import helpers
from autograde.grader.ingest.cells.matching import CodeCell, Submission, match
from autograde.grader.ingest.cells.own_cells import needed
from autograde.grader.ingest.discovery import Found
from autograde.grader.ingest.formats.notebook_file import Unreadable, read
from autograde.grader.ingest.formats.python_cells import python_of_syntax
from autograde.grader.ingest.found import graded_files
from autograde.grader.ingest.found.lesson_of import by_content
from autograde.grader.ingest.naming.names import readable
from autograde.grader.results.model import Graded
from autograde.grader.run import other_inputs, prerequisites
from autograde.grader.run.session import CellResult, Session
from autograde.grader.run.timeouts import Clock
from autograde.grader.sandbox.limits import Limits, bounded_memory
from autograde.grader.sandbox.modes import Mode

Tell = Callable[[Result], None]

MOST_REPAIRS = 40  # that a page lists
LIMITS = Limits(request_seconds=5, test_seconds=20)  # right answers take milliseconds


@bounded_memory()
def grade(found: Found, sandbox: Mode = Mode.REQUIRED, tell: Tell | None = None, limits: Limits = LIMITS) -> Graded:
    """Read, match, run and check one submission; `tell` hears of each exercise as it is done.

    Raises:
        SandboxUnavailable: when `sandbox` is required and this machine cannot isolate a submission.
    """
    began = time.monotonic()
    lesson, template = _lesson(found.lesson)
    if found.path is None:
        return without_results(found, SubmissionStatus.MISSING, _why_missing(found))
    try:
        submission = match(read(found.path), template, [e.name for e in lesson.exercises.values() if not e.outcome])
        files = artifacts(found.path.parent, lesson)
        if not (submission.answers or files) and (not submission.written or by_content(found.path) not in (None, found.lesson)):
            raise Unreadable(_why_nothing(found))
        scripts = helpers.texts(found.path.parent, helpers.beside(found.path.parent, found.path.name))
        run = SubmissionRun(lesson, submission, files, sandbox, limits, scripts)
        run, results = run.better_of_two(tell)
        submission = run.submission
    except Unreadable as error:
        return without_results(found, SubmissionStatus.UNREADABLE, f"{readable(found.path.name)}: {error}")
    except SandboxUnavailable:
        raise
    except (MemoryError, RecursionError) as error:  # what only the student's bytes bring about
        return without_results(
            found, SubmissionStatus.UNREADABLE, f"reading or checking it took more than there is ({type(error).__name__})"
        )
    except Exception as error:  # a student's file must not end the batch; what was met is logged, and the next run tries again
        reason = f"the grader met an error of its own ({type(error).__name__}: {error})"
        return replace(without_results(found, SubmissionStatus.ERROR, reason), traceback=traceback.format_exc())
    repairs = _worth_reading([*found.notes, *submission.repairs, *run.notes])
    text = json.dumps(submission.notebook, ensure_ascii=False)
    return Graded(found.student, found.lesson, SubmissionStatus.GRADED, results, "", repairs, text, time.monotonic() - began)


@bounded_memory()
def check_submission(lesson_name: str, submission: Submission, folder: Path, sandbox: Mode) -> tuple[Submission, list[Result]]:
    """Check a matched submission whose files lie in `folder`: its versions that count, and their results."""
    lesson, _ = _lesson(lesson_name)
    scripts = helpers.texts(folder, helpers.beside(folder, f"{lesson_name}.ipynb"))
    run, results = SubmissionRun(lesson, submission, artifacts(folder, lesson), sandbox, helpers=scripts).better_of_two()
    return run.submission, results


def artifacts(folder: Path, lesson: Lesson) -> dict[str, bytes]:
    """The graded files beside a notebook, as bytes. Links are not read, and of a file that is too large only so much that its check says so."""
    return {name: beginning(path) for name, path in graded_files.beside(folder, lesson.name).items()}


def beginning(path: Path) -> bytes:
    """A file's bytes, at most one more than a graded file may have."""
    with path.open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


@dataclass(frozen=True)
class _Public:
    """An exercise by its public checks: the result so far, the weight of those checks, whether hidden ones could change it, and
    what counts only where these pass, too."""

    result: Result
    total: float
    final: bool
    device: list[Outcome] = field(default_factory=list)

    @property
    def so_far(self) -> Result:
        """What is known before the hidden checks: as if they all failed."""
        unsure = self.result.status == ExerciseStatus.PASSED and self.result.score < self.result.points
        return replace(self.result, status=ExerciseStatus.PARTIAL) if unsure else self.result


@dataclass
class SubmissionRun:
    """One submission on its way through the checks: its cells in a worker, its exercises in the lesson's order, its time."""

    lesson: Lesson
    submission: Submission
    files: Mapping[str, bytes]
    sandbox: Mode
    limits: Limits = LIMITS
    helpers: Mapping[str, str] = field(default_factory=dict)  # scripts beside the notebook, by name
    public: dict[str, _Public] = field(default_factory=dict)
    done: dict[str, Result] = field(default_factory=dict)
    below: dict[str, Result] = field(default_factory=dict)  # what answers gave to those below them, where they did better as they stood
    notes: list[str] = field(default_factory=list)  # what was left out of functions that are defined
    defined: dict[str, CellResult] = field(default_factory=dict)  # what became of the cells
    asked: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # the names that an exercise's checks have taken

    def __post_init__(self) -> None:
        self.clock = Clock(self.limits)
        self.again = self.clock.for_asking_again()

    def results(self, tell: Tell | None = None) -> list[Result]:
        """The result of every exercise; `tell` hears of each as far as it is known: by its public checks, then by all.

        Hidden checks run in a worker of their own, after all public ones: nothing that happens in there but pass or fail is told.
        """
        with self._open(self.submission.cells) as session:
            self.notes = session.notes()
            self.defined = dict(session.results)  # now, since a cell that runs again when the time is up says no more of itself
            for exercise in self.lesson.exercises.values():
                self.public[exercise.name] = self._publicly(exercise, session)
                if tell:
                    tell(self.public[exercise.name].so_far)
        self.clock = self.clock.for_hidden_checks()  # an exercise that took all the time costs the others none of these
        with self._open(self.submission.cells) as session:
            for exercise in self.lesson.exercises.values():
                self.done[exercise.name] = self._result(exercise, session)
                if tell:
                    tell(self.done[exercise.name])
        return list(self.done.values())

    def better_of_two(self, tell: Tell | None = None) -> tuple[SubmissionRun, list[Result]]:
        """With the last version of each answer, or, where one did not pass that is also written in its own cell, with that: stock nbgrader
        checks it before the cells below run. Where something took all the time, it is not taken a second time."""
        results = self.results(tell)
        ended = any(outcome.status in ENDED for result in results for outcome in result.outcomes)
        again = sorted(n for n in self.submission.twice if self.done[n].status != ExerciseStatus.PASSED)
        if ended or not again or self.submission.in_place is None:
            return self, results
        other = replace(self, submission=self.submission.in_place(again), public={}, done={}, below={}, notes=[], defined={},
                        asked=defaultdict(set))  # fmt: skip
        better = other.results()
        if _points(better) <= _points(results):
            return self, results
        other.submission.repairs += [f"{name}: the version in its own cell counts, since the one below does worse" for name in again]
        return other, better

    def _open(self, cells: Sequence[CodeCell]) -> Session:
        used = needed([cell.source for cell in cells if cell.own], [cell.source for cell in cells if cell.exercise])
        own, sources = {cell.name for cell in cells if cell.own and cell.source not in used}, [(cell.name, cell.source) for cell in cells]
        keeps = {cell.name: cell.keeps for cell in cells}
        without = stand_ins(name for exercise in self.lesson.exercises.values() for name in exercise.forbids)
        return Session(sources, self.limits, self.sandbox, self.files, clock=self.clock, own=own, keeps=keeps, known=self._known(cells),
                       helpers=self.helpers, without=without)  # fmt: skip

    def _known(self, cells: Sequence[CodeCell]) -> dict[str, CellResult]:
        """What cells have done in an earlier session, so that one that hung or died does not do so again. With right answers in places of the
        student's it may be well: then all run anew, unless they have used up the time of all."""
        used_up = any(result.status == CellStatus.LEFT_OUT for result in self.defined.values())
        if cells is not self.submission.cells and not used_up:
            return {}
        as_handed_in = {cell.name: cell for cell in self.submission.cells}
        return {c.name: self.defined[c.name] for c in cells if c.name in self.defined and c == as_handed_in.get(c.name)}

    def _publicly(self, exercise: Exercise, session: Session) -> _Public:
        """By the public checks alone; what they leave no more to find out about is final."""
        known = {name: public.result for name, public in self.public.items()}
        lost = prerequisites.broken(exercise.name, self.submission, known)
        trouble = self._unwritten(exercise) or self._stuck(exercise, lost, known) or self._cell_trouble(exercise, session)
        if trouble:
            return _Public(trouble, 0.0, final=True)
        student = session.student(exercise.forbids, self.asked[exercise.name])
        outcomes, total = run_checks(self._checks(exercise, hidden=False), student, student.test)
        weight = total + sum(check.weight for check in self._checks(exercise, hidden=True))
        result = summarize(
            exercise, outcomes, weight, lambda: None if given_up(outcomes) else diagnose(self.lesson, exercise, student, student.test)
        )
        well = outcomes and all(outcome.passed for outcome in outcomes)
        device = on_another_device(self.lesson, exercise, student, student.test) if well else []
        return _Public(result, total, final=result.status in UNWRITTEN, device=device)

    def _checks(self, exercise: Exercise, hidden: bool) -> list[Check]:
        return [check for check in self.lesson.checks[exercise.name] if check.hidden == hidden]

    def _result(self, exercise: Exercise, hidden: Session) -> Result:
        """The better of two: the answer as it stands and, where it builds on one that failed, with the right one in its place."""
        public = self.public[exercise.name]
        first = self._as_it_stood(exercise, public.result if public.final else self._with_hidden(exercise, public, hidden))
        lost = prerequisites.broken(exercise.name, self.submission, self.done | self.below, self.asked[exercise.name])
        if not lost or first.status == ExerciseStatus.PASSED or exercise.name not in self.submission.attempted:
            return first
        cells = prerequisites.repaired(self.submission.cells, lost, _reference_answers(self.lesson.name))
        with self._open(cells) as repaired:
            return prerequisites.merge(first, self._examined(exercise, repaired), lost)

    def _as_it_stood(self, exercise: Exercise, first: Result) -> Result:
        """The better of two: with all cells, and where those below give names another meaning, without them."""
        ended = any(outcome.status in ENDED for outcome in first.outcomes)
        if first.status == ExerciseStatus.PASSED or ended or exercise.name not in self.submission.attempted:
            return first
        if not (cells := prerequisites.as_it_stood(self.submission.cells, exercise.name)):
            return first
        with self._open(cells) as session:
            better = prerequisites.merge_as_it_stood(first, self._examined(exercise, session))
        if better is not first:
            self.below[exercise.name] = first
        return better

    def _with_hidden(self, exercise: Exercise, public: _Public, session: Session) -> Result:
        """The public result with the hidden checks' in it."""
        student, checks = session.student(exercise.forbids, self.asked[exercise.name]), self._checks(exercise, hidden=True)
        outcomes, total = run_checks(checks, student, student.test, before=public.result.outcomes)
        tried = {outcome.check for outcome in outcomes}
        left = [Outcome(c.name, c.title, CheckStatus.FAILED, c.weight, True, trivial=c.trivial) for c in checks if c.name not in tried]
        told = [*public.result.outcomes, *map(pass_or_fail, outcomes), *(left if outcomes and outcomes[-1].status in UNWRITTEN else ())]
        total += public.total
        if told and all(outcome.passed for outcome in told):
            told, total = [*told, *public.device], total + sum(outcome.weight for outcome in public.device)
        result = summarize(exercise, told, total, lambda: self._diagnosis(exercise, public.result))
        return self._understood(exercise, result, session)

    def _understood(self, exercise: Exercise, result: Result, session: Session) -> Result:
        """Where hidden checks fail, a public one has passed only if it does with other inputs, too."""
        passed = {o.check for o in result.outcomes if o.passed and not o.hidden}
        if exercise.outcome or all(o.passed for o in result.outcomes if o.hidden):
            return result
        student, name = session.student(exercise.forbids), self.lesson.name
        asked = other_inputs.otherwise(name, exercise.name, student)
        others = [other_inputs.other(name, check) for check in self._checks(exercise, hidden=False) if check.name in passed]
        with other_inputs.asked(name), session.timed_by(self.again):
            outcomes, _ = run_checks(others, asked, student.test)
        return other_inputs.without(exercise, result, {o.check for o in outcomes if not o.passed})

    def _diagnosis(self, exercise: Exercise, public: Result) -> Mistake | None:
        """The named mistake; where all public checks passed, it is asked of a worker that no hidden check has spoken to."""
        if public.status != ExerciseStatus.PASSED:
            return next((m for m in self.lesson.mistakes.get(exercise.name, ()) if m.key == public.mistake), None)
        with self._open(self.submission.cells) as session:
            student = session.student(exercise.forbids)
            return diagnose(self.lesson, exercise, student, student.test)

    def _unwritten(self, exercise: Exercise) -> Result | None:
        if exercise.outcome or exercise.name in self.submission.attempted:
            return None
        if exercise.name in self.submission.answers:
            return Result(exercise.name, 0.0, exercise.points, ExerciseStatus.NOT_ATTEMPTED)
        return Result(exercise.name, 0.0, exercise.points, ExerciseStatus.MISSING, diagnosis="its cell is missing")

    def _stuck(self, exercise: Exercise, lost: Sequence[str], known: Mapping[str, Result]) -> Result | None:
        """An answer that builds on one that hangs or kills is not tried, since it would only do the same."""
        for earlier in (known[name] for name in lost):
            if any(outcome.status in ENDED for outcome in earlier.outcomes):
                reason = f"it builds on {earlier.exercise}, which ends this way"
                return Result(exercise.name, 0.0, exercise.points, earlier.status, diagnosis=reason)
        return None

    def _examined(self, exercise: Exercise, session: Session) -> Result:
        student = session.student(exercise.forbids)
        trouble = self._cell_trouble(exercise, session)
        return trouble or self._understood(exercise, examine(self.lesson, exercise, student, student.test), session)

    def _cell_trouble(self, exercise: Exercise, session: Session) -> Result | None:
        """What stopped the answer's own cell before it defined the answer."""
        own = [session.results[c.name] for c in self.submission.cells if c.exercise == exercise.name and c.name in session.results]
        broken = [r for r in own if r.status != CellStatus.OK]
        if not broken or _defined(exercise.name, session):
            return None
        status = ExerciseStatus.TIMEOUT if broken[-1].status == CellStatus.TIMEOUT else ExerciseStatus.ERROR
        where = f" ({broken[-1].line})" if broken[-1].line else ""
        newer = (_conflict(broken[-1].line) or _newer_python(self.submission)) if "SyntaxError" in broken[-1].message else ""
        reason = f"Its cell stopped before it defined the answer: {broken[-1].message}{where}{newer}"
        return Result(exercise.name, 0.0, exercise.points, status, diagnosis=reason)


def _points(results: Sequence[Result]) -> float:
    return sum(result.score for result in results)


def _worth_reading(repairs: Sequence[str]) -> list[str]:
    """Each once, and of many the first: a cell may hold a hundred thousand commands that are not run here."""
    distinct = list(dict.fromkeys(repairs))
    left = len(distinct) - MOST_REPAIRS
    return [*distinct[:MOST_REPAIRS], f"and {left} more"] if left > 0 else distinct


def _why_missing(found: Found) -> str:
    """Nothing can be graded: what was handed in instead, each file by its name."""
    return f"no notebook of this lesson was handed in, only {'; '.join(found.notes)}" if found.notes else "nothing was handed in"


def _why_nothing(found: Found) -> str:
    other = by_content(found.path) if found.path else None
    what = f"it is the notebook of lesson {other[:2]}" if other and other != found.lesson else "is it another notebook?"
    return f"no cell of lesson {found.lesson[:2]} is in it; {what}"


def prepare(lesson: str) -> None:
    """Read the lesson's checks, where that should not be a part of a submission's time."""
    _lesson(lesson)


@lru_cache
def _lesson(name: str) -> tuple[Lesson, NotebookNode]:
    template = nbformat.read(layout.NOTEBOOKS / f"{name}.ipynb", 4)
    return load_lesson(name, hidden=True), template


@lru_cache
def _reference_answers(name: str) -> dict[str, str]:
    read_source = source.read(layout.source_path(name))
    return {exercise: read_source.answer(exercise) for exercise in read_source.exercises if not read_source.exercises[exercise].outcome}


def _conflict(line: str) -> str:
    """What to do where a merge has left its marks in a cell."""
    left = any(mark in line for mark in ("<<<<<<<", "=======", ">>>>>>>"))
    return (
        ". A merge left its marks in the cell: keep one of the two versions, and delete the lines of `<<<<<<<`, `=======`, `>>>>>>>`"
        if left
        else ""
    )


def _newer_python(submission: Submission) -> str:
    """What to know of a syntax error where the notebook says that it was written with a newer Python, or, as Colab's say nothing, where the
    syntax is a newer one's."""
    here, written = ".".join(platform.python_version_tuple()[:2]), f"The notebook was written with Python {submission.python}"
    if _is_newer(submission.python, here):
        return f". {written}, and graded with {here}: newer syntax is not known here"
    theirs = max((needs for cell in submission.cells if (needs := python_of_syntax(cell.source))), key=_numbers, default="")
    return f". This is syntax of Python {theirs}, and graded with {here}: newer syntax is not known here" if _is_newer(theirs, here) else ""


def _is_newer(version: str, other: str) -> bool:
    return bool(version) and _numbers(version)[:2] > _numbers(other)[:2]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))


def _defined(name: str, session: Session) -> bool:
    try:
        with session.test():
            return session.student().has(name)
    except AutogradeError:  # its process cannot even be asked
        return False


def without_results(found: Found, status: SubmissionStatus, reason: str) -> Graded:
    """A result without points for every exercise, and the reason."""
    lesson, template = _lesson(found.lesson)
    results = [Result(e.name, 0.0, e.points, ExerciseStatus.MISSING, diagnosis=reason) for e in lesson.exercises.values()]
    return Graded(found.student, found.lesson, status, results, reason, list(found.notes), nbformat.writes(template))
