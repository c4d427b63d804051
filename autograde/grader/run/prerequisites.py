"""An earlier mistake costs its points once: an answer that builds on a failed one is also tried with the right one in its place.

The reference answer then stands in a worker beside the student's code. It cannot get out: the sandbox has no way to write or to send, and
nothing that the second worker says reaches a page but which checks passed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from autograde.checking.answers import used
from autograde.checking.result import Outcome, Result
from autograde.checking.scoring import earned
from autograde.checking.status import ExerciseStatus
from autograde.grader.ingest.matching import CodeCell, Submission
from autograde.grader.ingest.own_cells import Kept
from autograde.grader.ingest.python_cells import parsed

GIVEN = Kept(at_once=True)
NOT_SHOWN = "still fails with a right answer to {names} in place of yours"


def broken(exercise: str, submission: Submission, done: Mapping[str, Result]) -> list[str]:
    """The earlier exercises that did not pass and that this answer uses, directly or through other answers."""
    needed = used(exercise, submission.answers, done, parsed)
    return [name for name in done if name in needed and done[name].status != ExerciseStatus.PASSED]


def repaired(cells: Sequence[CodeCell], names: Sequence[str], answers: Mapping[str, str]) -> list[CodeCell]:
    """The cells with the reference answers to `names` in the places of the student's."""
    found = {cell.exercise for cell in cells}
    kept = [replace(cell, source=answers[cell.exercise], keeps=GIVEN) if cell.exercise in names else cell for cell in cells]
    return [CodeCell(f"given-{name}", answers[name], name, keeps=GIVEN) for name in names if name not in found] + kept


def merge(own: Result, second: Result, names: Sequence[str]) -> Result:
    """The better of two results; of the second run only which checks passed is told."""
    if earned(second.outcomes) <= earned(own.outcomes):
        return own
    quoted = ", ".join(f"`{name}`" for name in names)
    before = {o.check: o for o in own.outcomes}
    outcomes = [_told(o, before.get(o.check), quoted) for o in second.outcomes]
    status = ExerciseStatus.PASSED if all(o.passed for o in outcomes) else ExerciseStatus.PARTIAL
    sentence = f"Checked with a right answer to {quoted} in place of yours, so that the earlier mistake costs its points once."
    return Result(second.exercise, second.score, second.points, status, outcomes, sentence)


def _told(outcome: Outcome, before: Outcome | None, quoted: str) -> Outcome:
    if outcome.passed:
        return outcome
    if before is not None and not before.passed:
        return replace(outcome, message=before.message, detail=before.detail)
    return replace(outcome, message=NOT_SHOWN.format(names=quoted), detail="")
