"""One exercise's checks, in the order in which they find a mistake fastest, on answers that stand in for the right one."""

from __future__ import annotations

import time
from collections import ChainMap
from functools import partial
from typing import Any

from autograde.authoring.strength.mutation import Bench
from autograde.checking.forbidden import forbidding
from autograde.checking.runner import Check
from autograde.checking.scoring import on_another_device, run_checks
from autograde.checking.student import LocalStudent


class Trial:
    """An exercise's checks, public and hidden, the fastest first: most wrong answers fail one of them at once, and the rest need not run."""

    def __init__(self, bench: Bench, exercise: str) -> None:
        self.bench, self.exercise = bench, bench.lesson.exercises[exercise]
        student = LocalStudent(bench.reference)
        took = [(_seconds(check, student), place) for place, check in enumerate(bench.lesson.checks[exercise])]
        self.checks = [bench.lesson.checks[exercise][place] for _, place in sorted(took)]
        self.seconds = sum(seconds for seconds, _ in took)

    def passes(self, answer: Any, names: dict[str, Any] | None = None, hidden: bool | None = None) -> bool:
        """Whether the answer passes all checks, or the public or `hidden` ones alone, that of the pretend GPU too; `names` are its code's globals."""
        student = LocalStudent(ChainMap({self.exercise.name: answer}, self.bench.reference))
        guard = partial(forbidding, self.exercise.forbids, self.bench.reference if names is None else names)
        checks = [check for check in self.checks if hidden in (None, check.hidden)]
        outcomes, _ = run_checks(checks, student, guard, enough=lambda outcome: not outcome.passed)
        if hidden or not all(outcome.passed for outcome in outcomes):
            return all(outcome.passed for outcome in outcomes)
        return all(outcome.passed for outcome in on_another_device(self.bench.lesson, self.exercise, student, guard))


def _seconds(check: Check, student: LocalStudent) -> float:
    """Of a processor, for the right answer."""
    began = time.process_time()
    run_checks([check], student)
    return time.process_time() - began
