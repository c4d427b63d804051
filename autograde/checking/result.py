"""What checks said of an answer: data, which a process can hold and show that has no PyTorch."""

from __future__ import annotations

from dataclasses import dataclass, field

from autograde.checking.errors import NOT_WRITTEN
from autograde.checking.status import CheckStatus, ExerciseStatus


@dataclass(frozen=True)
class Outcome:
    """What one check said."""

    check: str
    title: str
    status: CheckStatus
    weight: float
    hidden: bool
    message: str = ""
    detail: str = ""
    trivial: bool = False
    printed: str = ""  # by an answer in this process

    @property
    def passed(self) -> bool:
        return self.status == CheckStatus.PASSED


@dataclass(frozen=True)
class Result:
    """What an exercise earned, and why."""

    exercise: str
    score: float
    points: float
    status: ExerciseStatus
    outcomes: list[Outcome] = field(default_factory=list)
    diagnosis: str = ""
    waits_for: list[str] = field(default_factory=list)  # in a notebook: the answers it builds on that do not pass yet
    mistake: str = ""  # the key of the known mistake that it is

    @property
    def message(self) -> str:
        """The one line that says most: the known mistake, else the first failure."""
        failures = [o for o in self.outcomes if not o.passed]
        if self.status in (ExerciseStatus.PASSED, ExerciseStatus.NOT_ATTEMPTED):
            return "" if self.status == ExerciseStatus.PASSED else NOT_WRITTEN
        if not failures:
            return self.diagnosis
        visible = [o for o in failures if not o.hidden] or failures
        return self.diagnosis or tell(visible[0])


def tell(outcome: Outcome) -> str:
    """A failure as one sentence; a hidden check tells its title."""
    if outcome.hidden:
        return outcome.title
    return f"{outcome.message}: {outcome.detail}" if outcome.detail else outcome.message
