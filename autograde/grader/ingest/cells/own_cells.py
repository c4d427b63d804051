"""What of a student's own cells the grader runs: what defines something, also where it was written into one of the lesson's cells."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from autograde.grader.ingest.formats import script_file
from autograde.grader.ingest.formats.cell_facts import DEFINES, facts, read_names
from autograde.grader.ingest.formats.python_cells import parsed

BLOCKS = (ast.If, ast.Try, ast.TryStar, ast.With, ast.AsyncWith, ast.While, ast.Match)
BY_NAME = {"exec", "setattr", "globals", "vars"}  # functions that define what they are told
FILES = re.compile(r"^%(?:%writefile|%file|%add_to|run)\b", re.MULTILINE)  # magics that write and run scripts, or add methods
COMMAND = re.compile(
    r"^[^\S\n]*(?:\w[\w, ]*=[^\S\n]*)?(![^\n]+|%(?:pip|conda|cd|store)\b[^\n]*|%%(?:bash|sh|script|!)[^\n]*)", re.MULTILINE
)


@dataclass(frozen=True)
class Kept:
    """What a student's own cell leaves as it was: these `names` and, where `libraries` says so, what libraries call by any name except `but`.
    `instead` is what is left of the cell where it takes too long or ends its process; `at_once` says that it only defines, which takes no time."""

    names: tuple[str, ...] = ()
    libraries: bool = False
    but: tuple[str, ...] = ()
    instead: str = ""
    at_once: bool = False


def kept(code: str, above: Collection[str], below: Iterable[str], exercises: Collection[str]) -> Kept:
    """What a student's own cell leaves as it was. `above` are names that cells above it bind, `below` the cells below it that are no own ones."""
    below = list(below)
    read = set[str]().union(*map(read_names, below))
    said = facts(code)
    libraries = bool(above) and said.changes_libraries
    but = tuple(sorted(set[str]().union(*(facts(other).attributes for other in below)))) if libraries else ()
    return Kept(reused(code, above, read, exercises), libraries, but, said.definitions, said.at_once)


def defines_something(code: str, objects: Collection[str] = ()) -> bool:
    """Whether a cell defines a name, or changes one of the student's `objects` by a method: a loop may fill a table, too."""
    if FILES.search(code):
        return True
    found = facts(code)
    if not found.is_python:  # of a newer Python, or wrong: whoever needs what it defines is told
        return bool(re.search(r"^(?:async[ \t]+)?(?:def|class|type)[ \t]+\w+", code, re.MULTILINE))
    return found.defines or not found.objects.isdisjoint(objects) or not BY_NAME.isdisjoint(found.read | found.bound)


def reused(code: str, above: Collection[str], below: Collection[str], exercises: Collection[str]) -> tuple[str, ...]:
    """The names to which a student's own cell gives another use, such as `torch = None`: at home the checks of the answers that stand above it
    ran before. `above` are names that cells above it bind and that are not the student's own steps alone, `below` those that answers below it read, so that they need the new use; an
    exercise keeps its name in any case. A function that is defined once more is a new version."""
    bound_anew = set(facts(code).bound_otherwise)
    if read_names(code) & BY_NAME:  # which names, only running it would tell
        bound_anew |= set(above)
    return tuple(sorted(bound_anew & set(above) - (set(below) - set(exercises))))


def new_definitions(code: str, given: Collection[str]) -> str:
    """Of one of the lesson's cells that shows something, what the student wrote into it that defines something; `given` are the statements
    of the lesson, without their blanks."""
    if parsed(code) is None:
        return ""
    found = [piece for kind, piece in script_file.pieces(code) if kind == "code" and squeeze(piece) not in given]
    return "\n\n".join(piece for piece in found if any(_defines(node) for node in _statements(piece)))


def _defines(statement: ast.stmt) -> bool:
    """Whether a statement, or one in its block, defines something."""
    return any(isinstance(node, DEFINES) for node in (ast.walk(statement) if isinstance(statement, BLOCKS) else (statement,)))


def _statements(code: str) -> Iterable[ast.stmt]:
    tree = parsed(code)
    return tree.body if tree else ()


def needed(own: Iterable[str], answers: Iterable[str]) -> set[str]:
    """The student's own cells that bind what answers read, also by way of other own cells: what is in no answer is an experiment."""
    left, found = set(own), set[str]()
    wanted = set[str]().union(*(facts(code).wanted for code in answers))
    while more := {code for code in left if not facts(code).bound.isdisjoint(wanted)}:
        left -= more
        found |= more
        wanted = set[str]().union(*(facts(code).wanted for code in more))
    return found


def commands(code: str) -> list[str]:
    """The shell's commands and the magics like them in a cell, which are not run here."""
    return [found.strip()[:60] for found in COMMAND.findall(code)]


def squeeze(code: str) -> str:
    return " ".join(code.split())
