"""What an executed notebook depends on, as a digest that its metadata keeps: with the same digest it need not be executed again."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograde import layout
from autograde.authoring import pins
from autograde.authoring import source as lesson_source
from autograde.authoring.measuring import program
from autograde.authoring.measuring.numbers import Numbers
from autograde.authoring.source import Source
from autograde.checking.manifest import read_manifest
from autograde.checking.syntax import is_magic

METADATA = "course"  # the key of the notebook's metadata that the digests are under


def digest(source: Source) -> str:
    """A SHA-256 of the lesson's code, points and public checks, of the modules of `utils` that they import, and of the locked packages.

    Prose, comments and docstrings do not count: they change no output. Nor does the package `autograde` itself, which is tested on its own.
    """
    numbers = Numbers(source.name)
    cells = [numbers.fill(cell.source) for cell in source.cells if cell.kind == "code"]
    checks = layout.checks_path(source.name).read_text(encoding="utf-8")
    found = [statement for code in (*cells, checks) if not is_magic(code) for statement in program.statements(code)]
    parts = [*(code for code in cells if is_magic(code)), *_points(source.name), program.digest(found), *_versions(found)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def stamp(notebook: NotebookNode, source: Source, known: NotebookNode | None) -> None:
    """Note that the notebook has been executed as its source is now; that it was verified stays true where nothing has changed."""
    now = digest(source)
    notebook.metadata[METADATA] = {"executed": now}
    if known is not None and _noted(known).get("verified") == now:
        notebook.metadata[METADATA]["verified"] = now


def keep_stamps(notebook: NotebookNode, known: NotebookNode) -> None:
    """Keep what the notebook of before notes, since the outputs are kept too."""
    if noted := _noted(known):
        notebook.metadata[METADATA] = noted


def note_verified(name: str) -> bool:
    """Note that `make verify` has passed for the lesson as it is now; False where its notebook was executed as it was before."""
    path = notebook_path(name)
    notebook, now = nbformat.read(path, 4), digest(lesson_source.read(layout.source_path(name)))
    if _noted(notebook).get("executed") != now:
        return False
    notebook.metadata[METADATA]["verified"] = now
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    return True


def is_verified(name: str) -> bool:
    """Whether `make verify` has passed for the lesson as it is now."""
    return _noted(nbformat.read(notebook_path(name), 4)).get("verified") == digest(lesson_source.read(layout.source_path(name)))


def stale(name: str) -> str | None:
    """Why the executed notebook of a lesson is not what an execution now would give, with the command to run; None where it is."""
    path = notebook_path(name)
    command = f"run `python -m autograde build {name[:2]}`"
    if not path.exists():
        return f"solutions/{path.name} is missing: {command}"
    notebook = nbformat.read(path, 4)
    if _noted(notebook).get("executed") != digest(lesson_source.read(layout.source_path(name))):
        return f"solutions/{path.name} was executed before its code, its checks, what they import or a package's version changed: {command}"
    if any(cell.execution_count is None for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()):
        return f"solutions/{path.name} has cells that were not executed: {command}"
    return None


def notebook_path(name: str) -> Path:
    """The executed notebook of a lesson."""
    return layout.SOLUTIONS / f"{name}.ipynb"


def _noted(notebook: NotebookNode) -> dict[str, str]:
    return dict(notebook.metadata.get(METADATA, {}))


def _points(name: str) -> list[str]:
    """The exercises with their points, without the fingerprints of wrong answers, which no right answer meets."""
    return [json.dumps(read_manifest(name)["exercises"], sort_keys=True)]


def _versions(found: list[program.Statement]) -> list[str]:
    """The locked versions of the packages that these statements import, directly or through `utils`."""
    locked = pins.locked()
    trees: list[ast.AST] = [statement.tree for statement in found]
    trees += [ast.parse(path.read_text(encoding="utf-8")) for path in program.modules(found)]
    imported = {pins.normal(module.split(".")[0]) for tree in trees for module in _imports(tree)}
    return [f"{name}=={locked[name]}" for name in sorted(imported & set(locked))]


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
