"""A lesson as a page to read: the student's cells, with the figures that the reference answers draw."""

from __future__ import annotations

import nbformat
from nbformat import NotebookNode

from autograde import layout
from autograde.authoring import notebooks, source
from autograde.authoring.rules.alt_text import silent
from utils.themes import FIGURE

SHOWN = {"figure", "experiment"}  # cells whose outputs a reader sees; reports of checks belong to a student's own kernel
FOLDED = {"figure", "setup"}  # cells whose code a reader opens by a click


class PageError(ValueError):
    """A lesson that cannot become a page, and what to do about it."""


def lesson_page(name: str) -> NotebookNode:
    """The page of lesson `name`, from its source and the executed notebook in `solutions/`.

    Raises:
        PageError: where a figure has no alternative text, or the executed notebook is older than the source.
    """
    lesson = source.read(layout.source_path(name))
    built, page = notebooks.instructor_notebook(lesson), notebooks.student_notebook(lesson)
    executed = {cell.id: cell for cell in nbformat.read(layout.SOLUTIONS / f"{name}.ipynb", 4).cells}
    link, _, title, *rest = [
        _page_cell(name, given, executed.get(cell.id), cell.source) for cell, given in zip(built.cells, page.cells, strict=True)
    ]
    page.cells = [title, link, *rest]  # a page begins with its title, and has no use for the cell that installs the course
    return page


def _page_cell(name: str, cell: NotebookNode, executed: NotebookNode | None, answered: str) -> NotebookNode:
    tags = set(cell.metadata.get("tags", []))
    cell.metadata = {"tags": ["hide-input"]} if tags & FOLDED else {}
    # the scoreboard of the reference answers says nothing to a reader
    if cell.cell_type != "code" or not tags & SHOWN or "lesson.scoreboard()" in cell.source:
        return cell
    if executed is None or executed.source != answered:
        raise PageError(f"a cell of lesson {name} has changed since its notebook was executed: run `python -m autograde build {name[:2]}`")
    cell.outputs = [_one_form(output) for output in executed.outputs if not notebooks.is_progress(output)]
    _carry_alternative_text(name, cell)
    return cell


def _one_form(output: NotebookNode) -> NotebookNode:
    """A view that also comes as a picture is shown as the view, and a figure as a file that the page loads."""
    data = output.get("data", {})
    if "image/png" in data and data.get("text/html", "").startswith(f'<img class="{FIGURE}"'):
        output.data = NotebookNode({"image/png": data["image/png"]})
    elif "text/html" in data:
        output.data = NotebookNode({"text/html": data["text/html"]})
    return output


def _carry_alternative_text(name: str, cell: NotebookNode) -> None:
    """Put the alternative text where the site's builder looks for it, or say which picture has none."""
    pictures = [output for output in cell.outputs if "image/png" in output.get("data", {})]
    mute = any(map(silent, cell.outputs))
    if mute or len(pictures) > 1:
        asked = "a picture without alternative text" if mute else "two pictures in one cell, and a page has room for one text"
        raise PageError(
            f"lesson {name} has {asked}: draw each with `plots.show(draw, alt=…)` in a cell of its own. The cell begins {cell.source[:60]!r}"
        )
    if pictures:
        cell.metadata["mystnb"] = {"image": {"alt": pictures[0].metadata["image/png"]["alt"]}}
