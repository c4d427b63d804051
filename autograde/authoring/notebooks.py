"""Turn a lesson's source into two notebooks: the instructor's, with answers and outputs, and the student's, without."""

from __future__ import annotations

import copy
import logging
import os
import re
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.preprocessors import CheckCellMetadata, ClearOutput, ClearSolutions, ComputeChecksums, LockCells

from autograde.authoring.bootstrap import badge_cell, bootstrap_cell
from autograde.authoring.measuring.numbers import Numbers
from autograde.authoring.source import Cell, Source
from autograde.checking.cells import grade_id
from autograde.checking.errors import NOT_WRITTEN

LESSON_LANGUAGE = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
SECONDS_PER_CELL = 600


def instructor_notebook(source: Source, address: str = "") -> NotebookNode:
    """The whole lesson with nbgrader's metadata, not executed: also what nbgrader calls the source version.

    `address` is where its first cell fetches the course from, if not from the setting's.
    """
    notebook = new_notebook(metadata=copy.deepcopy(LESSON_LANGUAGE))
    notebook.cells = [badge_cell(source.name, address), bootstrap_cell(address)]
    numbers = Numbers(source.name)
    notebook.cells += [_notebook_cell(cell, number, numbers.fill(cell.source)) for number, cell in enumerate(source.cells)]
    nbformat.validate(notebook)
    return notebook


def student_notebook(source: Source, address: str = "") -> NotebookNode:
    """What students complete: nbgrader's own preprocessors lock the checks, take out the answers and sign the cells."""
    notebook = instructor_notebook(source, address)
    clear = ClearSolutions()
    for cell in notebook.cells:
        name = grade_id(cell)
        clear.code_stub = {"python": f'# YOUR CODE HERE\nraise NotImplementedError("{name} is {NOT_WRITTEN}")'}
        clear.preprocess_cell(cell, {"language": "python"}, 0)
    for preprocessor in (LockCells(), ClearOutput(), CheckCellMetadata(), ComputeChecksums()):
        notebook, _ = preprocessor.preprocess(notebook, {})
    nbformat.validate(notebook)
    return notebook


def execute(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """Run a notebook from top to bottom in `folder`.

    Raises:
        nbclient.exceptions.CellExecutionError: at the first cell that fails.
    """
    notebook = copy.deepcopy(notebook)
    logging.getLogger("nbclient").setLevel(logging.ERROR)
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    client = NotebookClient(
        notebook,
        timeout=SECONDS_PER_CELL,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--IPKernelApp.log_level=40"],  # what it says about encrypted transport is for servers
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute(env=environment)
    return _tidy(notebook)


def text(notebook: NotebookNode) -> str:
    """The file's content; the same notebook gives the same bytes."""
    return nbformat.writes(notebook) + "\n"


def without_outputs(notebook: NotebookNode) -> NotebookNode:
    """A copy to compare sources by."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.metadata = copy.deepcopy(LESSON_LANGUAGE)
    return notebook


def _notebook_cell(cell: Cell, number: int, text: str) -> NotebookNode:
    make = new_code_cell if cell.kind == "code" else new_markdown_cell
    made = make(text, metadata={"tags": cell.tags} if cell.tags else {}, id=f"cell-{number:03d}")
    if graded := _nbgrader_metadata(cell):
        made.metadata["nbgrader"] = {"schema_version": 3, "task": False, **graded}
        made.id = re.sub(r"[^a-zA-Z0-9_-]", "-", graded["grade_id"])[:64]
    return made


def _nbgrader_metadata(cell: Cell) -> dict | None:
    points: Any = cell.metadata.get("points")  # a check and a question have some
    if cell.exercise:
        return {"grade_id": cell.exercise, "grade": False, "solution": True, "locked": False}
    if cell.check:
        # nbgrader wants a number of points from every graded cell, and a stretch exercise has none to give
        graded = {"grade_id": f"check-{cell.check}", "solution": False, "locked": True, "grade": points > 0}
        return graded | ({"points": points} if points > 0 else {})
    if cell.question:
        return {"grade_id": cell.question, "grade": True, "solution": True, "locked": False, "points": points}
    return None


def is_progress(output: NotebookNode) -> bool:
    """Progress bars: text on standard error, or a widget that is dead without its kernel."""
    return output.get("name") == "stderr" or "application/vnd.jupyter.widget-view+json" in output.get("data", {})


def _tidy(notebook: NotebookNode) -> NotebookNode:
    """Leave out what differs between two runs but says nothing: progress bars, kernel versions."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [o for o in cell.outputs if not is_progress(o)]
            cell.metadata.pop("execution", None)
    notebook.metadata = copy.deepcopy(LESSON_LANGUAGE)
    return notebook
