"""Answers as code: which cell holds one, whether it is still the one that was checked, and which others it uses. Imports no torch."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache

from autograde.checking.syntax import defined, parsed

DEFINITION = re.compile(r"^(?:def|class) +(\w+)", re.MULTILINE)
MAGIC = re.compile(r"^\s*[%!]", re.MULTILINE)  # what a kernel runs is another text than the cell's
STUB = "raise NotImplementedError"
RESULT_MIME = "application/vnd.attention-course.result+json"  # a check's result as data, in the output that shows it


def used(
    exercise: str,
    answers: Mapping[str, str],
    earlier: Collection[str],
    asked: Collection[str] = (),
    parse: Callable[[str], ast.Module | None] = parsed,
) -> set[str]:
    """Those of `earlier` that the answer to `exercise` names, directly or through other answers, or that its checks have `asked` for, to call it with
    what they make; `answers` holds each answer's code."""
    found = set(asked) & set(earlier) - {exercise}
    waiting = [exercise, *found]
    while waiting:
        for name in _names(answers.get(waiting.pop(), ""), parse) & set(earlier) - found - {exercise}:
            found.add(name)
            waiting.append(name)
    return found


def answer_cells(cells: Sequence[str], exercises: Collection[str]) -> dict[str, str]:
    """exercise → the code of the last of these cells that defines it at its top level, or would but for a mistake in its syntax."""
    found: dict[str, str] = {}
    for cell in cells:
        tree = parsed(cell)
        names = defined(tree.body) if tree else set() if MAGIC.search(cell) else set(DEFINITION.findall(cell))
        found |= {name: cell for name in names & set(exercises)}
    return found


def digest(code: str) -> str:
    """What tells whether an answer is still the one that was checked; white space at the ends of lines does not count."""
    text = "\n".join(line.rstrip() for line in code.strip().splitlines())
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


@lru_cache(maxsize=256)  # asked for again for every answer that comes later
def _names(code: str, parse: Callable[[str], ast.Module | None]) -> frozenset[str]:
    tree = parse(code)
    return frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name)) if tree else frozenset()
