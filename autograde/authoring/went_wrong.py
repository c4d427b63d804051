"""What an executed lesson shows of its own answers and figures that went wrong: a build says it, since nobody looks through every output."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from nbformat import NotebookNode

from autograde.checking.answers import RESULT_MIME
from autograde.checking.status import ExerciseStatus

UNDRAWN = "This figure is drawn by your own function"  # as `utils.plots` has it, which imports PyTorch
_NOTE = re.compile(f'alt="{re.escape(UNDRAWN)}: ([^"]*)"')


def notes(executed: NotebookNode) -> Iterator[str]:
    for cell in executed.cells:
        for data in (output.get("data", {}) for output in cell.get("outputs", [])):
            said = data.get(RESULT_MIME, {})
            if said.get("status", ExerciseStatus.PASSED) != ExerciseStatus.PASSED:
                yield f"the lesson's own answer to {said['exercise']} does not pass its check"
            if note := _NOTE.search(data.get("text/html", "")):
                yield f"a figure is not drawn, in the cell that begins {cell.source.splitlines()[0]!r}: {unescape(note[1])}"
