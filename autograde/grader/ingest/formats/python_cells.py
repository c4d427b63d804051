"""Cells as Python: their syntax trees, and the version that they need."""

from __future__ import annotations

import ast
import re
from functools import lru_cache

from autograde.checking import cell_magics, syntax

SHORT, REMEMBERED = 4000, 256  # characters and cells whose trees are kept: at most 350 MB, where a student means it
LONG_REMEMBERED = 2  # of the longer ones; what they say is remembered in `cell_facts`
MAX_PARSED = 2**15  # characters: Python 3.11 parses f-strings in quadratic time, and a tree takes a thousand times the text's memory

NEWER = (  # first those that need most
    ("3.14", re.compile(r"^[ \t]*except\*?[ \t]+\w+[ \t]*,|\bt[\"'][^\"'\n]*\{", re.MULTILINE)),
    ("3.12", re.compile(r"^[ \t]*(?:(?:async[ \t]+)?def|class)[ \t]+\w+\[|^[ \t]*type[ \t]+\w+[^=\n]*=", re.MULTILINE)),
    ("3.12", re.compile(r"""\b[rR]?[fF][rR]?(?:"[^"\n]*\{[^}"\n]*"[^"\n]*"|'[^'\n]*\{[^}'\n]*'[^'\n]*')""")),  # its own quotes inside
)


def python_of_syntax(code: str) -> str:
    """The version of Python that a cell's syntax needs, as far as it is known by its look; "" where any will do or the cell can be read here."""
    if parsed(code) is not None:
        return ""
    return next((version for version, pattern in NEWER if pattern.search(code[:MAX_PARSED])), "")


def parsed(code: str) -> ast.Module | None:
    """A cell's syntax tree, magics left out; None where it is not valid Python, or longer than is parsed here. It is shared: nobody changes it."""
    return _remembered(code) if len(code) <= SHORT else _remembered_long(code)


@lru_cache(maxsize=REMEMBERED)
def _remembered(code: str) -> ast.Module | None:
    """A cell is looked at many times, and the given ones are the same in every notebook of a class."""
    return syntax.parsed(_without_magics(code), MAX_PARSED)


@lru_cache(maxsize=LONG_REMEMBERED)
def _remembered_long(code: str) -> ast.Module | None:
    return syntax.parsed(_without_magics(code), MAX_PARSED)


def _without_magics(code: str) -> str:
    if (magic := cell_magics.magic(code)) and not cell_magics.runs_its_cell(magic):
        return "pass"
    return re.sub(r"^([^\S\n]*)[%!?].*$", r"\1pass", code, flags=re.MULTILINE)
