"""Code as Python's syntax tree, and the names in it. Nothing here runs or imports what it reads; imports no torch."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
MAGICS_AROUND_CODE = ("time", "capture", "prun")  # `%%time` and the like: the code below it is run as code


def parsed(code: str, longest: int | None = None) -> ast.Module | None:
    """The syntax tree; None of what is not valid Python, or has more than `longest` characters."""
    if longest is not None and len(code) > longest:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes in strings: they are the student's, and nothing to tell anybody else of
            return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def is_magic(code: str) -> bool:
    """Whether a cell begins with a magic or a shell's command: no Python."""
    return code.lstrip().startswith(("%", "!"))


def defined(statements: Iterable[ast.stmt]) -> set[str]:
    """The functions and classes that statements define, and the single names that they assign."""
    found: set[str] = set()
    for node in statements:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            found.add(node.name)
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def bound(statements: Iterable[ast.stmt]) -> set[str]:
    """Every name that statements bind at their level: those that they define, import, loop over, or assign in any way."""
    found: set[str] = set()
    for node in statements:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        else:
            found |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return found
