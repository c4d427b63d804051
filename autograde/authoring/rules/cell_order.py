"""What a lesson's cells of code must be, each beside the others: opened once, defined before it is used, and no text by mistake."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from autograde.authoring.source import Cell, Source
from autograde.checking.syntax import is_magic

OPEN = "open_lesson"


def complaints(lesson: Source) -> list[str]:
    code = [cell for cell in lesson.cells if cell.kind == "code" and not is_magic(cell.source)]
    found = (*_of_set_up(lesson, code), *_of_cells(lesson, code), *_used_early(lesson, code))
    return [f"{lesson.path.name}:{line}: {what}" for line, what in sorted(found)]


def _of_set_up(lesson: Source, code: list[Cell]) -> Iterator[tuple[int, str]]:
    """One cell opens the lesson; its tag tells what else of it a notebook does when it begins."""
    opening = [cell for cell in code if OPEN in cell.source]
    if not opening:
        yield lesson.cells[0].line, f'no cell opens the lesson: lesson = open_lesson("{lesson.name}", globals()), and check = lesson.check'
    for cell in opening:
        if "setup" not in cell.tags:
            yield cell.line, 'the cell that opens the lesson has tags=["setup"]'
    tagged = [cell for cell in lesson.cells if "setup" in cell.tags]
    for cell in tagged[1:]:
        yield cell.line, f"a second cell is tagged setup; the first stands at line {tagged[0].line}: put them together"


def _of_cells(lesson: Source, code: list[Cell]) -> Iterator[tuple[int, str]]:
    for cell in code:
        lines = [line for line in cell.source.splitlines() if line.strip()]
        if not lines:
            yield cell.line, "a cell without code"
        elif all(line.startswith("#") for line in lines):
            yield cell.line, "a cell of code that holds comments only: a text begins with # %% [markdown]"
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("plt.show", "pyplot.show"):
                yield cell.line + node.lineno, "a picture without words and of another width: draw it by plots.show(draw, alt=…)"


def _used_early(lesson: Source, code: list[Cell]) -> Iterator[tuple[int, str]]:
    """Code above an exercise that needs it: whoever runs the notebook from top to bottom has not written it there."""
    written = {cell.exercise: cell for cell in code if cell.exercise}
    for cell in code:
        for node in _run_at_once(ast.parse(cell.source)):
            if isinstance(node, ast.Name) and (later := written.get(node.id)) and later.line > cell.line:
                yield cell.line + node.lineno, f"{node.id} is used here, and written below, at line {later.line}"


def _run_at_once(tree: ast.Module) -> Iterator[ast.AST]:
    """What runs with the cell: the bodies of functions wait."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            waiting += ast.iter_child_nodes(node)
