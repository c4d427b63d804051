"""A notebook of marimo's, which is a script: each cell is the body of a function, or what stands below `with app.setup`."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator

from autograde.checking.syntax import parsed
from autograde.grader.ingest.formats import script_file

APP = re.compile(r"^app = marimo\.App\(", re.MULTILINE)
WHOLE = {"function", "class_definition"}  # decorators of a cell that is nothing but a definition


def is_one(text: str) -> bool:
    return bool(APP.search(text)) and parsed(text, script_file.MAX_PARSED) is not None


def cells(text: str) -> Iterator[tuple[str, str]]:
    """The kind and the text of each cell."""
    tree = parsed(text, script_file.MAX_PARSED)
    lines = text.split("\n")
    for node in tree.body if tree else ():
        called = _called(node)
        if called in WHOLE:
            yield "code", "\n".join(lines[node.lineno - 1 : node.end_lineno])
        elif called and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.With)):
            body = node.body[:-1] if isinstance(node.body[-1], ast.Return) else node.body
            if body:
                yield _words(body) or ("code", _text(body, lines))


def _called(node: ast.stmt) -> str:
    """What of the app's a statement is: a cell, a function or its setup; "" for anything else."""
    marks = [item.context_expr for item in node.items] if isinstance(node, ast.With) else getattr(node, "decorator_list", [])
    functions = [mark.func if isinstance(mark, ast.Call) else mark for mark in marks]
    return next((f.attr for f in functions if isinstance(f, ast.Attribute) and isinstance(f.value, ast.Name) and f.value.id == "app"), "")


def _words(body: list[ast.stmt]) -> tuple[str, str] | None:
    """The text of a cell that only shows one, by `mo.md(...)`."""
    match body:
        case [ast.Expr(ast.Call(ast.Attribute(ast.Name("mo"), "md"), [ast.Constant(str(text)), *_]))]:
            return "markdown", textwrap.dedent(text).strip()
    return None


def _text(body: list[ast.stmt], lines: list[str]) -> str:
    first = min([body[0].lineno, *(d.lineno for d in getattr(body[0], "decorator_list", []))])
    return textwrap.dedent("\n".join(lines[first - 1 : body[-1].end_lineno]))
