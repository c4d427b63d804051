"""A result without its student's words: what is left of it where showing them takes too much."""

from __future__ import annotations

from dataclasses import replace

from autograde import layout
from autograde.checking.result import Result
from autograde.grader.results.model import Graded

UNSHOWN = "what was written cannot be shown"


def bare(graded: Graded) -> Graded:
    """The same points, with the notebook that students get in place of theirs."""
    handed_out = (layout.NOTEBOOKS / f"{graded.lesson}.ipynb").read_text(encoding="utf-8")
    reason = UNSHOWN if graded.reason else ""
    return replace(graded, results=[bare_result(r) for r in graded.results], reason=reason, repairs=[], notebook=handed_out, traceback="")


def bare_result(result: Result) -> Result:
    """The same points without messages, which quote what an answer gave."""
    return replace(result, outcomes=[], diagnosis="" if not result.diagnosis else UNSHOWN, mistake="")
