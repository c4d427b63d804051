"""A written question's model answer and rubric: beside the answer while a person grades it, and nowhere in what students get."""

from __future__ import annotations

from functools import lru_cache

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from autograde import layout
from autograde.authoring import source
from autograde.authoring.measuring.numbers import Numbers
from autograde.checking.cells import grade_id

TAG = "rubric"
HEADING = "**For the grader** (students do not see this cell)\n\n"


def with_rubrics(notebook: NotebookNode, lesson: str) -> NotebookNode:
    """The graded notebook with a cell after each written answer: what formgrader shows."""
    rubrics, cells = texts(lesson), []
    for cell in without_rubrics(notebook).cells:
        cells.append(cell)
        if text := rubrics.get(grade_id(cell)):
            cells.append(new_markdown_cell(HEADING + text, metadata={"tags": [TAG]}, id=f"{TAG}-{cell.id}"[:64]))
    notebook.cells = cells
    return notebook


def without_rubrics(notebook: NotebookNode) -> NotebookNode:
    """The same without those cells: what feedback is made from."""
    notebook.cells = [cell for cell in notebook.cells if TAG not in cell.metadata.get("tags", [])]
    return notebook


@lru_cache
def texts(lesson: str) -> dict[str, str]:
    """Each written question's model answer and rubric, as Markdown, with the numbers that were measured."""
    cells = source.read(layout.source_path(lesson)).cells
    bare = {cell.question: cell.source.replace(source.BEGIN, "").replace(source.END, "").strip() for cell in cells if cell.question}
    return {name: Numbers(lesson).fill(text) for name, text in bare.items()}
