"""What an executed lesson shows of its own answers and figures that went wrong: a build says it, since nobody looks through every output."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

from nbformat import NotebookNode

from autograde import layout
from autograde.authoring.source import Source
from autograde.authoring.strength.mutation import Bench
from autograde.checking.answers import RESULT_MIME
from autograde.checking.runner import Check
from autograde.checking.status import ExerciseStatus

UNDRAWN = "This figure is drawn by your own function"  # as `utils.plots` has it, which imports PyTorch
MOST, LONG = 5, 2  # seconds of all checks of a lesson, and of one that is told: a busy machine takes several times what it would
_NOTE = re.compile(f'alt="{re.escape(UNDRAWN)}: ([^"]*)"')


def notes(executed: NotebookNode, lesson: Source) -> Iterator[str]:
    """Each with the line of the source whose cell shows it."""
    for cell, made_from in zip(executed.cells[-len(lesson.cells) :], lesson.cells):  # above them is what a build adds
        place = f"{lesson.path.name}:{made_from.line}"
        for data in (output.get("data", {}) for output in cell.get("outputs", [])):
            said = data.get(RESULT_MIME, {})
            if said.get("status", ExerciseStatus.PASSED) != ExerciseStatus.PASSED:
                yield f"{place}: the lesson's own answer to {said['exercise']} does not pass its check"
            if note := _NOTE.search(data.get("text/html", "")):
                yield f"{place}: a figure is not drawn: {unescape(note[1])}"


def of_own_answers(bench: Bench) -> Iterator[str]:
    """The tests, hidden ones too, that the lesson's own answers fail, which nobody could pass, and those that take long."""
    checks = {check.name: check for listed in bench.lesson.checks.values() for check in listed}
    for result in bench.try_reference():
        for outcome in (outcome for outcome in result.outcomes if not outcome.passed):
            place = _place(checks[outcome.check]) if outcome.check in checks else "the pretend GPU"
            yield f"{place}: {outcome.check} fails with the lesson's own answer to {result.exercise}: {outcome.message} {outcome.detail}".rstrip()
    for name, listed in bench.lesson.checks.items():
        for check, seconds in zip(listed, bench.seconds.get(name, ())):
            if seconds > LONG:
                yield f"{_place(check)}: {check.name} takes {seconds:.0f} s with the lesson's own answer: all checks of a lesson take {MOST} s at most"


def _place(check: Check) -> str:
    code = check.function.__code__
    return f"{Path(code.co_filename).relative_to(layout.ROOT).as_posix()}:{code.co_firstlineno}"
