"""What a lesson's notebook uses: `lesson = open_lesson("03_self_attention", globals())`, `lesson.check(f)`, `lesson.scoreboard()`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property, partial
from html import escape
from typing import Any

import torch
from IPython.display import display

from autograde import progress
from autograde.checking import answers as answers_in
from autograde.checking import endless, last_run, prerequisites
from autograde.checking.deadline import SECONDS, deadline
from autograde.checking.defaults import plain_defaults
from autograde.checking.forbidden import forbidding
from autograde.checking.lesson import Lesson, load_lesson
from autograde.checking.manifest import Exercise
from autograde.checking.places import TWICE, Places
from autograde.checking.report import Report, with_code
from autograde.checking.result import Result
from autograde.checking.scoring import examine
from autograde.checking.status import ExerciseStatus
from autograde.checking.student import LocalStudent

GOES_ON = "Nothing stops it in other cells: if a figure that calls it does not end, interrupt the kernel (■), and mend the answer first."
STOPPED = "Cells below that call it are stopped after {seconds} seconds, too, until you mend it, run its cell, and run this check again."


class OpenLesson:
    """A lesson's public checks, bound to the notebook they run in."""

    def __init__(self, name: str, namespace: dict[str, Any]) -> None:
        self._name = name
        self._namespace = namespace
        self._results: dict[str, tuple[Result, str]] = {}  # with a digest of the answer that was checked

    @cached_property
    def _lesson(self) -> Lesson:
        return load_lesson(self._name)

    @cached_property
    def places(self) -> Places:
        """Where in the notebook answers were written."""
        return Places(self._lesson.exercises)

    def check(self, answer: Callable | type | str) -> Report:
        """Check one answer and give its points, a float that shows what passed, what did not and why."""
        exercise = self._lesson.exercises[self._name_of(answer)]
        answers = self._answers()
        asked: set[str] = set()
        result = self._examine(exercise, asked)
        if result.status != ExerciseStatus.PASSED:
            needed = answers_in.used(exercise.name, answers, self._earlier(exercise), asked)
            open_ones = [name for name in self._earlier(exercise) if name in needed and not self._passes(name, answers)]
            result = prerequisites.waiting(result, open_ones, answers_in.STUB not in answers.get(exercise.name, ""))
        made = self._namespace.get(exercise.name)
        result = _without_end(result, made)
        checked = _digest(answers, exercise.name)
        if last_run.is_older(exercise.name, made, self._cells):
            result = replace(result, diagnosis=last_run.OLDER.format(name=exercise.name))
            checked = answers_in.digest(last_run.code_of(made))
        elif result.status != ExerciseStatus.PASSED and self.places.several(exercise.name):
            result = replace(result, diagnosis=f"{result.diagnosis} {TWICE.format(name=exercise.name)}".strip())
        self._results[exercise.name] = result, checked
        report = Report(result, checked)
        if result.status != ExerciseStatus.PASSED and os.environ.get("NBGRADER_EXECUTION") == "validate":
            print(report, file=sys.stderr)  # nbgrader's Validate shows a cell's errors, not its displays
        return report

    def scoreboard(self) -> None:
        """Every exercise of the lesson with its points so far, from the checks run in this session."""
        said = {name: Report(result, digest).facts for name, (result, digest) in self._results.items()}
        display(Scoreboard(progress.of_session(self._name, said, self._answers())))

    def _examine(self, exercise: Exercise, asked: set[str] | None = None) -> Result:
        student = LocalStudent(self._namespace, asked=asked)
        return examine(self._lesson, exercise, student, partial(_guarded, exercise.forbids, self._namespace), give_up_after=1)

    def _passes(self, name: str, answers: Mapping[str, str]) -> bool:
        """Whether an earlier answer passes, by its last check when it is still the same, else by trying it now."""
        result, digest = self._results.get(name, (None, ""))
        if result is None or not digest or digest != _digest(answers, name):
            result = self._examine(self._lesson.exercises[name])
        return result.status == ExerciseStatus.PASSED

    def _earlier(self, exercise: Exercise) -> list[str]:
        names = list(self._lesson.exercises)
        return names[: names.index(exercise.name)]

    def _answers(self) -> dict[str, str]:
        """Each answer's code, from the cells that this kernel has run; nothing where it is no notebook's."""
        return answers_in.answer_cells(self._cells, self._lesson.exercises)

    @property
    def _cells(self) -> list[str]:
        """The cells that this kernel has run; none where it is no notebook's."""
        return list(self._namespace.get("In", ()))

    def _name_of(self, answer: Callable | type | str) -> str:
        if isinstance(answer, str):
            name = answer
        else:  # a decorated or renamed function is known by the name it is bound to
            bound = [n for n in self._lesson.exercises if self._namespace.get(n) is answer]
            name = bound[0] if bound else getattr(answer, "__name__", str(answer))
        if name not in self._lesson.exercises:
            raise ValueError(f"{name!r} is no exercise of this lesson; they are {', '.join(self._lesson.exercises)}")
        return name


def _without_end(result: Result, answer: Any) -> Result:
    """The result of an answer that may be one that does not end: what becomes of other cells that call it."""
    if result.status != ExerciseStatus.TIMEOUT or result.diagnosis:
        endless.forget(result.exercise)
        return result
    stopped = endless.remember(result.exercise, answer)
    return replace(result, diagnosis=STOPPED.format(seconds=SECONDS) if stopped else GOES_ON)


@contextmanager
def _guarded(forbids: Sequence[str], namespace: dict[str, Any]) -> Iterator[None]:
    """Around one check: the calls that are the answer are forbidden, and an endless loop ends."""
    with plain_defaults(), forbidding(forbids, namespace), deadline():
        yield


class Scoreboard:
    """The screen of `autograde progress` for one lesson: text in terminals, HTML in notebooks."""

    def __init__(self, lesson: progress.Progress) -> None:
        self.lesson = lesson

    def __str__(self) -> str:
        rows = [progress.HEADS, *(standing.cells for standing in self.lesson.standings)]
        width = [max(len(row[i]) for row in rows) for i in range(len(progress.HEADS))]
        lines = [f"{a:<{width[0]}}  {b:<{width[1]}}  {c:>{width[2]}}  {d:>{width[3]}}".rstrip() for a, b, c, d in rows]
        return "\n".join([*lines, progress.steps(self.lesson), self._total(), f"Next: {self._next()}"])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        left = ' style="text-align:left"'
        places = [left, left, "", ""]
        head = "".join(f'<th scope="col"{place}>{name}</th>' for place, name in zip(places, progress.HEADS, strict=True))
        rows = "".join(_row(standing.cells) for standing in self.lesson.standings)
        milestones = escape(progress.steps(self.lesson)).replace("   ", "&emsp;")
        end = [milestones, escape(self._total()), f"<strong>Next:</strong> {with_code(self._next())}"]
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table><p>{'<br>'.join(end)}</p>"

    def _total(self) -> str:
        return progress.total([self.lesson])

    def _next(self) -> str:
        return progress.next_step([self.lesson])


def _row(cells: Sequence[str]) -> str:
    name, state, points, minutes = map(escape, cells)
    head = f'<th scope="row" style="text-align:left;font-weight:normal">{name}</th>'
    return f'<tr>{head}<td style="text-align:left">{state}</td><td>{points}</td><td>{minutes}</td></tr>'


def open_lesson(name: str, namespace: dict[str, Any]) -> OpenLesson:
    """The lesson `name`, looking up answers in `namespace` (a notebook's `globals()`)."""
    opened = OpenLesson(name, namespace)
    if namespace.get("__name__") == "__main__":  # a notebook: do the slow first things now, so that the first check answers fast
        opened.places.watch()
        torch.ones(2, 2, device="meta") @ torch.ones(2, 2, device="meta")  # PyTorch imports its shape rules at the first meta call
    return opened


def _digest(answers: Mapping[str, str], name: str) -> str:
    return answers_in.digest(answers[name]) if name in answers else ""
