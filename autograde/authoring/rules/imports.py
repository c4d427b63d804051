"""What students run must find its imports in their course: modules and packages that only the author has are not there."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

from autograde import layout
from autograde.authoring import handed_out, pins
from autograde.authoring.source import Source, text_of
from autograde.checking.syntax import is_magic


def complaints(lesson: Source) -> list[str]:
    """Imports of the lesson's cells and of its public tests."""
    cells = [(cell.line, cell.source) for cell in lesson.cells if cell.kind == "code" and not is_magic(cell.source)]
    found = [(f"{lesson.path.name}:{above + line}", name) for above, code in cells for line, name in _imported(ast.parse(code))]
    checks = layout.checks_path(lesson.name)
    if checks.is_file():
        where = checks.relative_to(layout.ROOT).as_posix()
        found += [(f"{where}:{line}", name) for line, name in _imported(ast.parse(text_of(checks)))]
    ours, packages = _modules(lesson.name), _packages()
    return [f"{place}: {why}" for place, name in found if (why := _missing(name, ours, packages))]


def _imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, module or `module.name`) of each import, but for those that may fail: what is in a `try` says itself what comes then."""
    tried = {part for node in ast.walk(tree) if isinstance(node, ast.Try) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and node not in tried:
            yield from ((node.lineno, alias.name) for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module and not node.level and node not in tried:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def _modules(lesson: str) -> set[str]:
    """The course's own modules that its students get."""
    names = (_place(path) for path in handed_out.code([lesson]))
    return {".".join(parts[:-1] if parts[-1] == "__init__" else parts) for parts in names}


def _place(path: Path) -> tuple[str, ...]:
    above = layout.PACKAGE.parent if path.is_relative_to(layout.PACKAGE) else layout.ROOT
    return path.relative_to(above).with_suffix("").parts


def _packages() -> set[str]:
    """Names to import of the packages that the course asks for; of one that is not installed here nothing is known."""
    wanted = pins.needed()
    known = {name for name, of in _installed().items() if any(pins.normal(one) in wanted for one in of)}
    return known | {name.replace("-", "_") for name in wanted}


@cache
def _installed() -> Mapping[str, Sequence[str]]:
    """The packages of this machine that bring each module; to look through them takes a good part of a second."""
    return packages_distributions()


def _missing(name: str, ours: set[str], packages: set[str]) -> str:
    """Why students could not import it; nothing where they can."""
    first, parent = name.split(".")[0], name.rpartition(".")[0]
    if first in ("autograde", "utils"):
        there = name in ours or parent in ours and not _is_module(name)
        return "" if there else f"imports {name}, which students do not get: it is not in a release"
    if first in packages or first in sys.stdlib_module_names:
        return ""
    return f"imports {first}, which students do not have: it is no package under `dependencies` in pyproject.toml"


def _is_module(name: str) -> bool:
    path = layout.PACKAGE.parent.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()
