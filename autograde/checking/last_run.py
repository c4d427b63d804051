"""Whether what a check calls is what the answer's cell says now: a cell that stops with an error leaves an older answer in place. Imports no torch."""

from __future__ import annotations

import ast
import inspect
import linecache
import re
from collections.abc import Sequence
from typing import Any

from autograde.checking.syntax import bound, parsed

OLDER = "The cell of `{name}` stopped with an error when it ran last, so this is about an older answer: mend that error, run the cell, then run this check again."


def code_of(answer: Any) -> str:
    """The cell in which a function or class was made, as the kernel compiled it; nothing where that is not known."""
    inner = inspect.unwrap(answer) if callable(answer) else answer
    parts = vars(inner).values() if inspect.isclass(inner) else [inner]
    codes = [part.__code__ for part in parts if inspect.isfunction(part)]
    return "".join(linecache.getlines(codes[0].co_filename)) if codes else ""


def is_older(name: str, answer: Any, cells: Sequence[str]) -> bool:
    """Whether the last of the `cells` that ran and hold a definition of `name` did not come to define what `answer` is."""
    holds = re.compile(rf"\b(?:def|class) +{name}\b")
    at = next((at for at in range(len(cells) - 1, -1, -1) if holds.search(cells[at])), -1)
    if at < 0 or answer is None:
        return False
    tree, made = parsed(cells[at]), code_of(answer).strip()
    if tree is None:
        return made != cells[at].strip()
    replaced = any(name in bound(later.body) for later in map(parsed, cells[at + 1 :]) if later)
    earlier = made in (cell.strip() for cell in cells[:at])
    return bool(made) and earlier and not replaced and made != cells[at].strip() and _defines(tree, name)


def _defines(tree: ast.Module, name: str) -> bool:
    return any(isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name for node in tree.body)
