"""How strong the checks are: every known wrong answer must lose points, every unusual right one must keep them all."""

from __future__ import annotations

import copy
import time
import traceback
from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from autograde import layout
from autograde.authoring import source as lesson_source
from autograde.authoring.rules import every_lesson
from autograde.authoring.rules.edits import replaced
from autograde.authoring.strength.idle import idle_answers
from autograde.checking.deadline import deadline
from autograde.checking.errors import UserError
from autograde.checking.fingerprint import fingerprint, same
from autograde.checking.forbidden import forbidding
from autograde.checking.lesson import assemble_lesson
from autograde.checking.manifest import Exercise
from autograde.checking.result import Outcome, Result
from autograde.checking.scoring import examine, run_checks
from autograde.checking.student import LocalStudent

SECONDS = 20  # of a processor, for one check of a stand-in: an unusual right answer may be slow
WAITING_SECONDS = 120


@dataclass(frozen=True)
class Specimen:
    """A stand-in for one exercise: a wrong answer with its `sentence`, or an unusual right one without."""

    exercise: str
    name: str
    sentence: str
    implementation: Callable | type | None
    replace: tuple[tuple[str, str], ...] = ()

    @property
    def wrong(self) -> bool:
        return bool(self.sentence)


@dataclass(frozen=True)
class Finding:
    """What became of a specimen. `as_it_should`: a wrong one was caught, a right one accepted."""

    specimen: Specimen
    result: Result
    recognised: bool

    @property
    def as_it_should(self) -> bool:
        return (self.result.status != "passed") == self.specimen.wrong


_collected: ContextVar[list[Specimen]] = ContextVar("the specimens of the file that is being loaded")


def misconception(exercise: str, sentence: str, replace: tuple[str, str] | tuple[tuple[str, str], ...] | None = None) -> Callable:
    """Register a wrong answer: a decorated function or class, or an edit `(old, new)` of the reference answer's text."""
    return _register(exercise, sentence, replace)


def variant(exercise: str, replace: tuple[str, str] | tuple[tuple[str, str], ...] | None = None) -> Callable:
    """Register an unusual right answer, in the same two ways."""
    return _register(exercise, "", replace)


def _register(exercise: str, sentence: str, replace: Any) -> Callable:
    if replace is not None:
        edits = (replace,) if isinstance(replace[0], str) else tuple(replace)
        _found().append(Specimen(exercise, edits[0][1].strip()[:40] or f"without {edits[0][0].strip()[:30]}", sentence, None, edits))
        return lambda anything: anything

    def keep(implementation: Callable | type) -> Callable | type:
        _found().append(Specimen(exercise, implementation.__name__, sentence, implementation))
        return implementation

    return keep


def specimens(lesson: str) -> list[Specimen]:
    """All wrong and unusual answers registered for a lesson."""
    return specimens_in(layout.misconceptions_path(lesson))


def specimens_in(path: Path) -> list[Specimen]:
    """All wrong and unusual answers that a file registers.

    Raises:
        UserError: for a file that cannot be imported, with the line.
    """
    found: list[Specimen] = []
    token = _collected.set(found)
    try:
        layout.load_module(path, f"specimens_of_{path.stem}")
    except UserError:
        raise
    except Exception as error:
        own = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        line = error.lineno if isinstance(error, SyntaxError) else own[-1] if own else 1
        raise UserError(
            f"{path.parent.name}/{path.name}:{line}: these wrong answers cannot be imported: {type(error).__name__}: {error}"
        ) from error
    finally:
        _collected.reset(token)
    return found


def _found() -> list[Specimen]:
    """Where a specimen is put: with those of its file; nowhere when the file is imported in another way."""
    return _collected.get([])


def _limited() -> AbstractContextManager[None]:
    """Around what runs a stand-in's code: nothing that was written to be wrong may hang who tries it."""
    return deadline(SECONDS, WAITING_SECONDS)


class Bench:
    """A lesson's checks with its reference answers, ready to try stand-ins on."""

    def __init__(self, name: str) -> None:
        self.source = lesson_source.read(layout.source_path(name))
        if lacking := every_lesson.missing(name):
            raise UserError("\n".join(lacking))
        self.reference = lesson_source.namespace(self.source)
        self.lesson = assemble_lesson(name, self.source.title, self.source.exercises)
        self.specimens = specimens(name)
        self.seconds: dict[str, list[float]] = {}  # that the reference's checks took, by exercise
        self._right: dict[str, dict[str, Any]] = {}  # the reference's outputs on the probes, by exercise
        self._written: dict[type, dict[str, Any]] = {}  # what a stand-in's class keeps, as it was written
        if unknown := {s.exercise for s in self.specimens} - set(self.lesson.exercises):
            raise UserError(f"misconceptions of lesson {name} name unknown exercises: {sorted(unknown)}")

    def student(self, specimen: Specimen | None = None) -> LocalStudent:
        """The reference answers, with the specimen in its exercise's place."""
        if specimen is None:
            return LocalStudent(self.reference)
        return LocalStudent(ChainMap({specimen.exercise: self._implementation(specimen)}, self.reference))

    def try_reference(self) -> list[Result]:
        """Every exercise's result for the reference answers; an outcome (a file) is left to its own test."""
        graded = [e for e in self.lesson.exercises.values() if e.outcome is None]
        return [examine(self.lesson, e, self.student(), partial(self._timed, e)) for e in graded]

    @contextmanager
    def _timed(self, exercise: Exercise) -> Iterator[None]:
        """Around each check of a reference answer, one after the other: `seconds` has what they took, by exercise."""
        began = time.perf_counter()
        try:
            with forbidding(exercise.forbids, self.reference):
                yield
        finally:
            self.seconds.setdefault(exercise.name, []).append(time.perf_counter() - began)

    def try_specimen(self, specimen: Specimen) -> Finding:
        """Check one stand-in; `recognised` when its fingerprint is not the reference's, so that students can be told."""
        exercise, student = self.lesson.exercises[specimen.exercise], self.student(specimen)
        # the first check that fails has caught it
        enough: Callable[[Outcome], bool] = lambda outcome: specimen.wrong and not outcome.passed  # noqa: E731
        result = examine(self.lesson, exercise, student, self.guard(specimen, student), enough)
        return Finding(specimen, result, specimen.wrong and self.fingerprint(specimen) is not None)

    def guard(self, specimen: Specimen, student: LocalStudent) -> Callable[[], AbstractContextManager[None]]:
        """What goes around one check of a stand-in: the calls that are the answer are forbidden, and an endless loop ends."""
        answer = getattr(student, specimen.exercise, None)
        return partial(self._guarded, self.lesson.exercises[specimen.exercise].forbids, answer)

    def try_idle(self, exercise: str) -> dict[str, Result]:
        """The exercise's result for each answer that does nothing, by what it does."""
        one = self.lesson.exercises[exercise]
        answers = idle_answers(self.reference[exercise]).items()
        return {kind: examine(self.lesson, one, LocalStudent(ChainMap({exercise: answer}, self.reference))) for kind, answer in answers}

    def never_failed(self, exercise: str, results: Iterable[Result]) -> list[str]:
        """The tests that no wrong answer fails. `results` are known already, such as those of idle answers; the rest is tried here."""
        failed = {outcome.check for result in results for outcome in result.outcomes if not outcome.passed}
        left = [check for check in self.lesson.checks[exercise] if check.name not in failed]
        for specimen in self.specimens:
            if specimen.exercise == exercise and specimen.wrong and left:
                outcomes, _ = run_checks(left, self.student(specimen), _limited)
                tried = {outcome.check for outcome in outcomes if not outcome.passed}
                left = [check for check in left if check.name not in tried]
        return [check.name for check in left]

    def fingerprint(self, specimen: Specimen) -> dict[str, Any] | None:
        """The specimen's output on the exercise's probe, or None where it does not differ from the right one."""
        probe = self.lesson.probes.get(specimen.exercise)
        if probe is None:
            return None
        right = self._of_the_reference(specimen.exercise)
        with _limited():
            wrong = fingerprint(probe, self.student(specimen))
        # a mere crash has many causes, so it names none
        return None if same(right, wrong) or wrong["form"].startswith("raises") else wrong

    def broken_probes(self) -> list[str]:
        """The exercises on whose probe the reference answer itself raises."""
        return [name for name in self.lesson.probes if self._of_the_reference(name)["form"].startswith("raises")]

    def _of_the_reference(self, exercise: str) -> dict[str, Any]:
        """The right answer's output on the exercise's probe."""
        if exercise not in self._right:
            try:
                self._right[exercise] = fingerprint(self.lesson.probes[exercise], self.student())
            except NotImplementedError:
                line = next((cell.line for cell in self.source.cells if cell.exercise == exercise), 1)
                raise UserError(f"{self.source.path.name}:{line}: the answer of {exercise} raises NotImplementedError") from None
        return self._right[exercise]

    @contextmanager
    def _guarded(self, forbids: Sequence[str], answer: Any) -> Iterator[None]:
        if isinstance(answer, type):  # a class has no globals of its own; its methods have
            answer = next((f for f in vars(answer).values() if hasattr(f, "__globals__")), answer)
        with forbidding(forbids, getattr(answer, "__globals__", self.reference)), _limited():
            yield

    def _implementation(self, specimen: Specimen) -> Any:
        if specimen.implementation is not None:
            return self._as_written(specimen.implementation)
        text = self.source.answer(specimen.exercise)
        for old, new in specimen.replace:
            edited = replaced(text, old, new)
            if edited is None:
                raise UserError(f"a misconception of {specimen.exercise} replaces {old!r}, which the reference answer does not hold")
            text = edited
        names = dict(self.reference)
        exec(compile(text, f"<edited {specimen.exercise}>", "exec", dont_inherit=True), names)
        return names[specimen.exercise]

    def _as_written(self, answer: Callable | type) -> Callable | type:
        """The answer, with the lists, dictionaries and sets of its class as they were written: an earlier trial may have filled them."""
        if isinstance(answer, type):
            held = {
                name: value for name, value in vars(answer).items() if isinstance(value, (list, dict, set)) and not name.startswith("__")
            }
            for name, value in self._written.setdefault(answer, copy.deepcopy(held)).items():
                setattr(answer, name, copy.deepcopy(value))
        return answer
