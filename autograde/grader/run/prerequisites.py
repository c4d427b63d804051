"""An earlier mistake costs its points once: an answer that builds on a failed one is also tried with the right one in its place. And an answer
whose helpers' names mean something else below it is also tried as it stood when its check ran.

The reference answer then stands in a worker beside the student's code. It cannot get out: the sandbox has no way to write or to send, and
nothing that the second worker says reaches a page but which checks passed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from autograde.checking.answers import used
from autograde.checking.result import Outcome, Result
from autograde.checking.scoring import earned
from autograde.checking.status import ExerciseStatus
from autograde.grader.ingest.cells.matching import CodeCell, Submission
from autograde.grader.ingest.cells.own_cells import Kept
from autograde.grader.ingest.formats.cell_facts import bound_names, facts, read_names
from autograde.grader.ingest.formats.python_cells import parsed

GIVEN = Kept(at_once=True)
NOT_SHOWN = "still fails with a right answer to {names} in place of yours"
FAILS_AS_IT_STOOD = "fails also without the cells below it"
AS_IT_STOOD = "Checked without the cells below it, which give names that it uses another meaning."


def broken(exercise: str, submission: Submission, done: Mapping[str, Result], asked: Collection[str] = ()) -> list[str]:
    """The earlier exercises that did not pass and that this answer uses, directly or through other answers, or that its checks have `asked` for."""
    needed = used(exercise, submission.answers, done, asked, parsed)
    return [name for name in done if name in needed and done[name].status != ExerciseStatus.PASSED]


def repaired(cells: Sequence[CodeCell], names: Sequence[str], answers: Mapping[str, str]) -> list[CodeCell]:
    """The cells with the reference answers to `names` in the places of the student's."""
    found = {cell.exercise for cell in cells}
    kept = [replace(cell, source=answers[cell.exercise], keeps=GIVEN) if cell.exercise in names else cell for cell in cells]
    return [CodeCell(f"given-{name}", answers[name], name, keeps=GIVEN) for name in names if name not in found] + kept


def as_it_stood(cells: Sequence[CodeCell], exercise: str) -> list[CodeCell]:
    """The cells down to the answer's own, where functions of the student's below it, or other answers' cells, give a name that these read
    another meaning: at home its check ran before. None where nothing does."""
    place = next((i for i, cell in enumerate(cells) if cell.exercise == exercise), len(cells))
    above, below = list(cells[: place + 1]), cells[place + 1 :]
    names = set[str]().union(*(read_names(cell.source) for cell in above)) & set[str]().union(*(bound_names(cell.source) for cell in above))
    anew = set[str]().union(
        *(bound_names(cell.source) if cell.exercise else facts(cell.source).functions for cell in below if cell.own or cell.exercise)
    )
    return above if names & anew - {cell.exercise for cell in below} else []


def merge_as_it_stood(own: Result, second: Result) -> Result:
    """The better of two results; of the second run only which checks passed is told."""
    return _better(own, second, AS_IT_STOOD, FAILS_AS_IT_STOOD)


def merge(own: Result, second: Result, names: Sequence[str]) -> Result:
    """The same with right answers to `names` in the second run."""
    quoted = ", ".join(f"`{name}`" for name in names)
    sentence = f"Checked with a right answer to {quoted} in place of yours, so that the earlier mistake costs its points once."
    return _better(own, second, sentence, NOT_SHOWN.format(names=quoted))


def _better(own: Result, second: Result, sentence: str, fails: str) -> Result:
    if earned(second.outcomes) <= earned(own.outcomes):
        return own
    before = {o.check: o for o in own.outcomes}
    outcomes = [_told(o, before.get(o.check), fails) for o in second.outcomes]
    status = ExerciseStatus.PASSED if all(o.passed for o in outcomes) else ExerciseStatus.PARTIAL
    return Result(second.exercise, second.score, second.points, status, outcomes, sentence)


def _told(outcome: Outcome, before: Outcome | None, fails: str) -> Outcome:
    if outcome.passed:
        return outcome
    if before is not None and not before.passed:
        return replace(outcome, message=before.message, detail=before.detail)
    return replace(outcome, message=fails, detail="")
