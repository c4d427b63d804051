"""What builds on an answer that does not pass yet is told so: the mistake is the other answer's, and costs its points once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from autograde.checking.result import Result
from autograde.checking.status import ExerciseStatus

WAITS = (
    "It builds on {names}, which {do} not pass yet: fix {that} first, then run this check again. "
    "When it is graded, this answer is also tried with {one} in place of yours, so an earlier mistake costs its points once."
)


def waiting(result: Result, names: Sequence[str], written: bool) -> Result:
    """The result of an answer that builds on `names`, which do not pass: it says so instead of naming a mistake that may not be its own."""
    if not names or result.status == ExerciseStatus.PASSED or not written:
        return result
    words = {"do": "does", "that": "that", "one": "a right one"} if len(names) == 1 else {"do": "do", "that": "those", "one": "right ones"}
    *first, last = (f"`{name}`" for name in names)
    sentence = WAITS.format(names=" and ".join([", ".join(first), last] if first else [last]), **words)
    # a stub further up raises NotImplementedError in an answer that is written
    status = ExerciseStatus.FAILED if result.status == ExerciseStatus.NOT_ATTEMPTED else result.status
    return replace(result, status=status, diagnosis=sentence, waits_for=list(names))
