"""Wrong answers that see only ticks in the notebook and lose their points in hidden checks: whoever wrote one could not know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from autograde.authoring.strength.mutation import Bench, Specimen
from autograde.checking.scoring import examine, on_another_device

MUCH = 0.12  # of an exercise's points


@dataclass(frozen=True)
class Unseen:
    """A wrong answer that passes every public check, the share of the points that it loses, and the hidden checks that take them."""

    specimen: Specimen
    lost: float
    failed: tuple[str, ...]

    def __str__(self) -> str:
        said = f"{self.specimen.exercise}/{self.specimen.name} loses {self.lost:.0%} in {', '.join(self.failed)}"
        return f"{said}: {self.specimen.sentence}"


def unseen(bench: Bench, answers: Iterable[Specimen], exercises: Sequence[str] = ()) -> list[Unseen]:
    """Those of the wrong answers to all exercises, or to these, whose mistake no public check shows; those that lose most come first."""
    wrong = [answer for answer in answers if answer.wrong and (not exercises or answer.exercise in exercises)]
    found = [one for answer in wrong if (one := _tried(bench, answer)) and one.lost]
    return sorted(found, key=lambda one: -one.lost)


def _tried(bench: Bench, answer: Specimen) -> Unseen | None:
    """What the hidden checks take from an answer; nothing where a public one fails, which are first in a lesson's list."""
    exercise, student = bench.lesson.exercises[answer.exercise], bench.student(answer)
    guard = bench.guard(answer, student)
    result = examine(bench.lesson, exercise, student, guard, enough=lambda outcome: not outcome.hidden and not outcome.passed)
    failed = [outcome for outcome in result.outcomes if not outcome.passed]
    if any(not outcome.hidden for outcome in failed):
        return None
    if any(not outcome.passed for outcome in on_another_device(bench.lesson, exercise, student, guard)):
        return None
    return Unseen(answer, 1 - result.score / exercise.points if exercise.points else 0.0, tuple(outcome.check for outcome in failed))
