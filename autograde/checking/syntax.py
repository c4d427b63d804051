"""Code as Python's syntax tree, and the names in it. Nothing here runs or imports what it reads; imports no torch."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
ADDS_METHODS = ("add_to_class", "patch_to", "patch")  # decorators of d2l and fastcore


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


def owner(node: ast.stmt) -> ast.expr | None:
    """The class to which a decorator adds a function as a method, as `@add_to_class(GPT)` and `@patch` above `def forward(self: GPT)` do; the name of
    the function stays what it was. None of any other statement."""
    return next((found for one in node.decorator_list if (found := owner_by(one, node))), None) if isinstance(node, FUNCTIONS) else None


def owner_by(decorator: ast.expr, function: ast.stmt) -> ast.expr | None:
    """The same by one decorator."""
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
    if name not in ADDS_METHODS or not isinstance(function, FUNCTIONS):
        return None
    if isinstance(decorator, ast.Call):
        return (
            decorator.args[0] if len(decorator.args) == 1 and not isinstance(decorator.args[0], ast.Constant) and name != "patch" else None
        )
    return function.args.args[0].annotation if name == "patch" and function.args.args else None


def defined(statements: Iterable[ast.stmt]) -> set[str]:
    """The functions and classes that statements define, and the single names that they assign."""
    found: set[str] = set()
    for node in statements:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)) and not owner(node):
            found.add(node.name)
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def bound(statements: Iterable[ast.stmt]) -> set[str]:
    """Every name that statements bind at their level: those that they define, import, loop over, or assign in any way."""
    found: set[str] = set()
    for node in statements:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            found |= set() if owner(node) else {node.name}
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        else:
            found |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return found
