"""A submission's points as the gradebook has them: what people changed there counts in every table."""

from __future__ import annotations

from dataclasses import replace

from autograde.checking.result import Result
from autograde.checking.status import ExerciseStatus, SubmissionStatus
from autograde.grader.gradebook.standing import Entry, Standing
from autograde.grader.results.model import Graded


def with_points(graded: Graded, standing: Standing | None) -> Graded:
    """The result with the gradebook's points for each exercise, and without the notebook."""
    entries = {entry.name: entry for entry in standing.entries} if standing else {}
    results = [replace(r, score=entries[r.exercise].score) if r.exercise in entries else r for r in graded.results]
    return replace(graded, results=results, notebook="")


def without_result(standing: Standing) -> Graded:
    """What the gradebook alone knows of a submission: another program graded it, such as stock `nbgrader autograde`."""
    results = [Result(e.name, e.score, e.max_score, _status(e)) for e in standing.entries if not e.written]
    return Graded(standing.student, standing.lesson, SubmissionStatus.GRADED, results)


def _status(entry: Entry) -> ExerciseStatus:
    if entry.score >= entry.max_score:
        return ExerciseStatus.PASSED
    return ExerciseStatus.PARTIAL if entry.score > 0 else ExerciseStatus.FAILED
