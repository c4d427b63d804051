"""Cells as Python: their syntax trees, and what they define."""

from __future__ import annotations

import ast
import re
import warnings
from functools import lru_cache

MAX_PARSED = 2**15  # characters: Python 3.11 parses f-strings in quadratic time, and a tree takes a thousand times the text's memory


@lru_cache(maxsize=4096)
def defined_names(code: str) -> frozenset[str]:
    """The names that a cell defines at its top level; by pattern when it is not valid Python."""
    tree = parsed(code)
    if tree is None:
        return frozenset(re.findall(r"^(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)", code, re.MULTILINE))
    nodes = tree.body
    found = {n.name for n in nodes if isinstance(n, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef))}
    for node in nodes:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        found |= {t.id for t in targets if isinstance(t, ast.Name)}
    return frozenset(found)


def parsed(code: str) -> ast.Module | None:
    """A cell's syntax tree, magics left out; None where it is not valid Python, or longer than is parsed here."""
    if len(code) > MAX_PARSED:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the student's escapes, which are nothing to tell the instructor of
            return ast.parse(_without_magics(code))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _without_magics(code: str) -> str:
    return re.sub(r"^([^\S\n]*)[%!?].*$", r"\1pass", code, flags=re.MULTILINE)
