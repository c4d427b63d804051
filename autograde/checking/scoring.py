"""One exercise's checks turned into points, a status and the sentences a student reads."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch

from autograde.checking import pretend_gpu
from autograde.checking.errors import AutogradeError, ForbiddenCall, MissingName, StudentDied, StudentTimeout
from autograde.checking.fingerprint import fingerprint, same
from autograde.checking.lesson import Lesson, Mistake
from autograde.checking.manifest import Exercise
from autograde.checking.modes import modes_kept
from autograde.checking.result import Outcome, Result
from autograde.checking.runner import Check, run
from autograde.checking.status import ENDED, UNWRITTEN, CheckStatus, ExerciseStatus
from autograde.checking.student import Student

GIVE_UP_AFTER = 2
DEVICE_WEIGHT = 0.5
DEVICE_WORDS = re.compile(r"device|gpu|_cuda", re.IGNORECASE)
GENERATOR_WORDS = "device type for generator"
DEVICE_MISTAKE = "On a GPU this would fail: somewhere a tensor is made on another device than the inputs (pass their `device`)"
NUMPY_WORDS = "to numpy"
NUMPY_MISTAKE = "On a GPU this would fail: NumPy cannot read a tensor there (use PyTorch's own functions, or `.cpu()` before `.numpy()`)"
DRAW_MISTAKE = "On a GPU this would fail: somewhere numbers are drawn on another device than the generator's (pass device=generator.device)"
GIVEN_UP = ("a check before it ended this way", "checks before it ended this way")


def examine(
    lesson: Lesson,
    exercise: Exercise,
    student: Student,
    guard: Any = contextlib.nullcontext,
    enough: Callable[[Outcome], bool] = lambda outcome: False,
    give_up_after: int = GIVE_UP_AFTER,
) -> Result:
    """Run the exercise's checks on `student`, or those up to an outcome that is `enough`.

    `guard()` forbids the library calls that are the answer. After `give_up_after` checks that hung or killed their process the rest would
    only take time.
    """
    outcomes, total = run_checks(lesson.checks[exercise.name], student, guard, enough, give_up_after=give_up_after)
    if outcomes and all(outcome.passed for outcome in outcomes):
        device = on_another_device(lesson, exercise, student, guard)
        outcomes, total = [*outcomes, *device], total + sum(outcome.weight for outcome in device)
    return summarize(
        exercise, outcomes, total, lambda: None if given_up(outcomes, give_up_after) else diagnose(lesson, exercise, student, guard)
    )


def run_checks(
    checks: Sequence[Check],
    student: Student,
    guard: Any = contextlib.nullcontext,
    enough: Callable[[Outcome], bool] = lambda outcome: False,
    before: Sequence[Outcome] = (),
    give_up_after: int = GIVE_UP_AFTER,
) -> tuple[list[Outcome], float]:
    """The outcomes of some of an exercise's checks, after those that `before` tells of, and the weight of all that count."""
    total = sum(check.weight for check in checks)
    outcomes: list[Outcome] = []
    for check in checks:
        outcome = _given_up(check, [*before, *outcomes], give_up_after) or _run(check, student, guard)
        if outcome is None:  # skipped for want of an optional package: it counts for nobody
            total -= check.weight
            continue
        outcomes.append(replace(outcome, trivial=check.trivial))
        if outcome.status in UNWRITTEN and not any(o.passed for o in [*before, *outcomes]):
            break  # an unwritten answer says so once
        if enough(outcome):
            break
    return outcomes, total


def pass_or_fail(outcome: Outcome) -> Outcome:
    """All that is told of a hidden check: neither how it failed, which a student's code could choose, nor any word or value of it."""
    return replace(outcome, status=CheckStatus.PASSED if outcome.passed else CheckStatus.FAILED, message="", detail="")


def on_another_device(lesson: Lesson, exercise: Exercise, student: Student, guard: Any) -> list[Outcome]:
    """How an answer that is right on the CPU does on a GPU, mostly a pretended one: nothing where that cannot be told."""
    probe = lesson.device_probes.get(exercise.name) or lesson.probes.get(exercise.name)
    if probe is None:
        return []
    mistakes: list[str] = []
    for drawing in pretend_gpu.DRAWINGS:
        if drawing == pretend_gpu.ANYWHERE and not any(GENERATOR_WORDS in mistake for mistake in mistakes):
            break  # it was not for the generators
        try:
            with guard(), student.on_gpu(drawing) as there, torch.random.fork_rng(devices=[]):
                probe(there)
            mistakes = []
            break
        except (StudentTimeout, StudentDied, ForbiddenCall, MissingName, NotImplementedError):
            return []
        except Exception as error:
            text = " ".join(str(error).split())[:200]
            if not DEVICE_WORDS.search(text):
                return []  # the pretend GPU cannot do all that a real one can
            mistakes.append(text)
    mistake = next((mistake for mistake in mistakes if GENERATOR_WORDS not in mistake), "".join(mistakes[:1]))
    status = CheckStatus.FAILED if mistake else CheckStatus.PASSED
    return [Outcome("on_a_gpu", "It works on a GPU, too.", status, DEVICE_WEIGHT, False, _in_the_end(mistake), trivial=True)]


def _in_the_end(mistake: str) -> str:
    """A sentence for what PyTorch said on the GPU; nothing where it said nothing."""
    if not mistake:
        return ""
    told = {GENERATOR_WORDS: DRAW_MISTAKE, NUMPY_WORDS: NUMPY_MISTAKE}
    return next((sentence for words, sentence in told.items() if words in mistake), DEVICE_MISTAKE)


def _run(check: Check, student: Student, guard: Any) -> Outcome | None:
    try:
        with guard(), modes_kept():
            return run(check, student)
    except ForbiddenCall as error:  # told once more at the end, so that code which catches it gains nothing
        return Outcome(check.name, check.title, CheckStatus.FAILED, check.weight, check.hidden, str(error))


def _lost(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [o for o in outcomes if o.status in ENDED]


def given_up(outcomes: Sequence[Outcome], after: int = GIVE_UP_AFTER) -> bool:
    """Whether so many checks hung or killed their process that nothing more is tried."""
    return len(_lost(outcomes)) >= after


def _given_up(check: Check, outcomes: list[Outcome], after: int) -> Outcome | None:
    lost = _lost(outcomes)
    if len(lost) < after:
        return None
    return Outcome(check.name, check.title, lost[-1].status, check.weight, check.hidden, f"not tried: {GIVEN_UP[after > 1]}")


def summarize(exercise: Exercise, outcomes: list[Outcome], total: float, find_mistake: Callable[[], Mistake | None]) -> Result:
    """Points by weight, rounded to a hundredth; the status of nothing passed is that of the first failure."""
    passed = earned(outcomes)
    failures = [o for o in outcomes if not o.passed]
    score = round(exercise.points * passed / total, 2) if total else 0.0
    if not failures:
        return Result(exercise.name, score, exercise.points, ExerciseStatus.PASSED, outcomes)
    status = ExerciseStatus.PARTIAL if passed else _status_of(failures[0])
    mistake = None if status in UNWRITTEN else find_mistake()
    sentence, key = (mistake.sentence, mistake.key) if mistake else ("", "")
    return Result(exercise.name, score, exercise.points, status, outcomes, sentence, mistake=key)


def _status_of(failure: Outcome) -> ExerciseStatus:
    return ExerciseStatus.ERROR if failure.status == CheckStatus.DIED else ExerciseStatus(failure.status)


def earned(outcomes: Sequence[Outcome]) -> float:
    """The weight of what passed; none where an answer that does nothing would have passed as much."""
    passed = [o for o in outcomes if o.passed]
    return 0.0 if all(o.trivial for o in passed) else sum(o.weight for o in passed)


def diagnose(lesson: Lesson, exercise: Exercise, student: Student, guard: Any = contextlib.nullcontext) -> Mistake | None:
    """The known mistake whose output the student's equals on the probe; None when it is none of them."""
    probe = lesson.probes.get(exercise.name)
    if probe is None or not lesson.mistakes.get(exercise.name):
        return None
    try:
        with guard():
            seen = fingerprint(probe, student)
    except (AutogradeError, NotImplementedError):
        return None
    return next((m for m in lesson.mistakes[exercise.name] if same(seen, m.fingerprint)), None)
