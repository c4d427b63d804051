"""The part of a lesson that experiments run, and a digest of what one experiment depends on."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograde import layout
from autograde.authoring.source import Cell, Source
from autograde.checking.syntax import bound, is_magic

DEFINES = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)
PACKAGES = ("utils",)  # of the course's own code, what lessons import


@dataclass(frozen=True)
class Statement:
    """One top-level definition: its tree, the tree written out, what it binds and what it uses."""

    tree: ast.stmt
    text: str
    binds: frozenset[str]
    uses: frozenset[str]


def definitions(source: Source) -> list[Statement]:
    """What a lesson defines outside its figures and checks, in order: functions, classes, imports and constants.

    Cells tagged `experiment` count too, but what they run (`attempt(…)`, loops, prints) is left out.
    """
    cells = [cell for cell in source.cells if cell.kind == "code" and not cell.check and "figure" not in cell.tags]
    return [statement for cell in cells for statement in _of_cell(cell) if not _runs(statement)]


def namespace(source: Source) -> dict[str, Any]:
    """The names that `definitions` binds."""
    names: dict[str, Any] = {"__name__": f"measured_{source.name}"}
    body = [statement.tree for statement in definitions(source)]
    exec(compile(ast.Module(body, type_ignores=[]), str(source.path), "exec", dont_inherit=True), names)
    return names


def statements(code: str, line: int = 0) -> list[Statement]:
    """The top-level statements of `code`, numbered as if `line` lines stood before it."""
    found = []
    for node in ast.parse(code).body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):  # one for each name: who uses one of them does not depend on the others
            found += [_import(node, alias, line) for alias in node.names]
            continue
        found.append(Statement(ast.increment_lineno(node, line), _written_out(node), frozenset(bound([node])), _used(node)))
    return found


def says(code: str) -> str:
    """What a cell computes, as text: the same for a cell whose comments, docstrings or line breaks alone are others."""
    return code if is_magic(code) else "\n".join(statement.text for statement in statements(code))


def _import(node: ast.Import | ast.ImportFrom, alias: ast.alias, line: int) -> Statement:
    tree: ast.stmt = ast.copy_location(ast.Import([alias]), node)
    if isinstance(node, ast.ImportFrom):
        tree = ast.copy_location(ast.ImportFrom(node.module, [alias], node.level), node)
    return Statement(ast.increment_lineno(tree, line), _written_out(tree), frozenset(bound([tree])), frozenset())


def closure(available: Sequence[Statement], wanted: Iterable[str]) -> list[Statement]:
    """The statements that the names in `wanted` need, and what those need in turn, in the order of the text."""
    needed, queue = set(), list(wanted)
    while queue:
        name = queue.pop()
        for i, statement in enumerate(available):
            if name in statement.binds and i not in needed:
                needed.add(i)
                queue += statement.uses
    return [available[i] for i in sorted(needed)]


def modules(found: Iterable[Statement], leave_out: Iterable[str] = ()) -> list[Path]:
    """The files of the course's own packages that these statements import, directly or through each other, without those of these names."""
    known: set[Path] = set()
    left_out = set(leave_out)
    queue = [path for statement in found for path in _imported(statement.tree)]
    while queue:
        path = queue.pop()
        if path not in known and path.stem not in left_out:
            known.add(path)
            queue += [other for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) for other in _imported(node)]
    return sorted(known)


def digest(found: Sequence[Statement], leave_out: Iterable[str] = ()) -> str:
    """A SHA-256 of the statements and of all modules that they import.

    Comments, docstrings and layout do not count: a long line that is wrapped computes what it did.
    """
    parts = [statement.text for statement in found]
    for path in modules(found, leave_out):
        parts += [path.relative_to(layout.ROOT).as_posix(), *(s.text for s in statements(path.read_text(encoding="utf-8")))]
    return hashlib.sha256("\n".join(part for part in parts if part).encode()).hexdigest()


def _of_cell(cell: Cell) -> list[Statement]:
    return [] if is_magic(cell.source) else statements(cell.source, cell.line)


def _runs(statement: Statement) -> bool:
    """Whether it does something rather than define something, or assigns what an experiment or the check's connection gives."""
    assigns = isinstance(statement.tree, (ast.Assign, ast.AnnAssign))
    return not isinstance(statement.tree, DEFINES) or assigns and bool(statement.uses & {"attempt", "open_lesson", "lesson"})


def _used(node: ast.stmt) -> frozenset[str]:
    return frozenset(n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))


def _imported(node: ast.AST) -> list[Path]:
    """The files of the course's packages that an import statement names: of `from utils import dates` the module, not the name."""
    if isinstance(node, ast.Import):
        named = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        named = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    else:
        return []
    paths = [layout.ROOT / f"{name.replace('.', '/')}.py" for name in named if name.split(".")[0] in PACKAGES]
    return [path for path in paths if path.exists()]


def _written_out(part: object) -> str:
    """A tree as text, without docstrings, and without what is empty, since versions of Python differ in what they leave out."""
    if isinstance(part, list):
        return f"[{', '.join(map(_written_out, part))}]"
    if not isinstance(part, ast.AST):
        return repr(part)
    fields = dict(ast.iter_fields(part))
    if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and ast.get_docstring(part) is not None:
        fields["body"] = part.body[1:]
    kept = [f"{name}={_written_out(value)}" for name, value in fields.items() if value is not None and value != []]
    return f"{type(part).__name__}({', '.join(kept)})"
