"""Fit a submission's cells to the lesson's: by nbgrader's id where it survived, else by what they define."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from autograde.grader.reading import RawCell, RawNotebook

NOT_RUN = {"figure", "experiment", "bootstrap"}


@dataclass(frozen=True)
class CodeCell:
    """A cell for the worker: `exercise` names the answer it holds, if any."""

    name: str
    source: str
    exercise: str = ""


@dataclass
class Submission:
    """A stranger's notebook in the lesson's shape."""

    cells: list[CodeCell]
    answers: dict[str, str]
    attempted: set[str]
    notebook: NotebookNode
    repairs: list[str] = field(default_factory=list)


def match(raw: RawNotebook, template: NotebookNode, exercises: list[str]) -> Submission:
    """The submission's answers in the template's places, with the student's own cells where they stood."""
    repairs = list(raw.repairs)
    stubs = {c.metadata.nbgrader.grade_id: c.source for c in template.cells if _grade_id(c) in exercises}
    defined = [defined_names(c.source) if c.kind == "code" else set() for c in raw.cells]
    chosen = {name: _choose(name, raw.cells, defined, stubs.get(name, ""), repairs) for name in exercises}
    extras = _extras(raw.cells, template, {i for i in chosen.values() if i is not None})
    notebook = _fill(template, raw.cells, chosen, extras, repairs)
    answers = {name: raw.cells[i].source for name, i in chosen.items() if i is not None}
    attempted = {name for name, text in answers.items() if not _unwritten(text, stubs.get(name, ""))}
    return Submission(_to_run(notebook, exercises), answers, attempted, notebook, repairs)


def _choose(name: str, cells: list[RawCell], defined: list[set[str]], stub: str, repairs: list[str]) -> int | None:
    """The cell that answers `name`: the last written one that carries its id or defines it; an unwritten one failing that."""
    labelled = [i for i, c in enumerate(cells) if c.kind == "code" and c.grade_id == name]
    defining = [i for i, names in enumerate(defined) if name in names]
    candidates = sorted(set(labelled) | set(defining))
    if not candidates:
        return None
    if len(labelled) > 1:
        repairs.append(f"{name}: {len(labelled)} cells carry its id; the last written one counts")
    elif not labelled:
        repairs.append(f"{name}: found by its definition, since its cell lost nbgrader's id")
    written = [i for i in candidates if not _unwritten(cells[i].source, stub)]
    # a labelled cell that no longer defines the name gives way to one that does; one with a syntax error defines nothing at all
    defines = [i for i in written if i in defining]
    return (defines or written or candidates)[-1]


def _unwritten(code: str, stub: str) -> bool:
    """The released stub, or one like it: every function still raises NotImplementedError and does nothing else."""
    if _squeeze(code) == _squeeze(stub):
        return True
    try:
        tree = ast.parse(_without_magics(code))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return bool(functions) and all(_raises_only(f) for f in functions)


def _raises_only(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    body = [n for n in function.body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))]
    return len(body) == 1 and isinstance(body[0], ast.Raise) and "NotImplementedError" in ast.unparse(body[0])


def _extras(cells: list[RawCell], template: NotebookNode, used: set[int]) -> dict[int, int]:
    """The student's own code cells: their index, and after which of the template's cells they stand."""
    known = {_squeeze(c.source): position for position, c in enumerate(template.cells)}
    ids = {_grade_id(c): position for position, c in enumerate(template.cells) if _grade_id(c)}
    after, extras = 0, {}
    for i, cell in enumerate(cells):
        position = known.get(_squeeze(cell.source), ids.get(cell.grade_id))
        if position is None and i in used:
            position = next((ids[n] for n in defined_names(cell.source) if n in ids), None)
        after = after if position is None else position
        # splitting an answer's cell copies its id to the half that holds only helpers
        own = not cell.grade_id and position is None or cell.grade_id in ids and cell.grade_id not in defined_names(cell.source)
        if own and i not in used and cell.kind == "code" and not NOT_RUN & set(cell.tags) and _squeeze(cell.source) not in known:
            extras[i] = after
    return extras


def _fill(
    template: NotebookNode, cells: list[RawCell], chosen: dict[str, int | None], extras: dict[int, int], repairs: list[str]
) -> NotebookNode:
    """The template with the student's answers, texts and own cells; locked cells stay the template's."""
    notebook = NotebookNode(nbformat=4, nbformat_minor=5, metadata=template.metadata, cells=[])
    written = {c.grade_id: c.source for c in cells if c.kind == "markdown" and c.grade_id}
    for position, original in enumerate(template.cells):
        cell = NotebookNode({**original, "metadata": NotebookNode(original.metadata)})
        name = _grade_id(cell)
        if chosen.get(name) is not None:
            cell.source = cells[chosen[name]].source
        elif name in chosen:
            repairs.append(f"{name}: its cell is missing")
        elif cell.cell_type == "markdown" and name in written:
            cell.source = written[name]
        notebook.cells.append(cell)
        for i, after in extras.items():
            if after == position:
                notebook.cells.append(new_code_cell(cells[i].source, id=f"own-{i:04d}", metadata={"tags": ["own"]}))
    return notebook


def _to_run(notebook: NotebookNode, exercises: list[str]) -> list[CodeCell]:
    """What defines: answers, the lesson's own helpers, and the student's own cells that define something."""
    cells = []
    for cell in notebook.cells:
        tags, name = set(cell.metadata.get("tags", [])), _grade_id(cell)
        if cell.cell_type != "code" or tags & NOT_RUN or name.startswith("check-"):
            continue
        if "own" in tags and not _defines_something(cell.source):
            continue
        cells.append(CodeCell(cell.id, cell.source, name if name in exercises else ""))
    return cells


def defined_names(code: str) -> set[str]:
    """The names that a cell defines at its top level; by pattern when it is not valid Python."""
    try:
        nodes: list[Any] = ast.parse(_without_magics(code)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set(re.findall(r"^(?:async\s+)?(?:def|class)\s+(\w+)", code, re.MULTILINE))
    found = {n.name for n in nodes if isinstance(n, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef))}
    for node in nodes:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        found |= {t.id for t in targets if isinstance(t, ast.Name)}
    return found


def _defines_something(code: str) -> bool:
    try:
        nodes = ast.parse(_without_magics(code)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    kinds = (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)
    return any(isinstance(node, kinds) for node in nodes)


def _without_magics(code: str) -> str:
    return re.sub(r"^(\s*)[%!?].*$", r"\1pass", code, flags=re.MULTILINE)


def _grade_id(cell: NotebookNode) -> str:
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def _squeeze(code: str) -> str:
    return re.sub(r"\s+", " ", code).strip()
