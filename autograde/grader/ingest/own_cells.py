"""What of a student's own cells the grader runs: what defines something, also where it was written into one of the lesson's cells."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache

from autograde.checking.syntax import bound
from autograde.grader.ingest import script_file
from autograde.grader.ingest.python_cells import parsed

DEFINES = (
    ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Delete,
    ast.NamedExpr, ast.For, ast.AsyncFor,
)  # fmt: skip
BLOCKS = (ast.If, ast.Try, ast.TryStar, ast.With, ast.AsyncWith, ast.While, ast.Match)
STEADY = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
CHANGES = {"setattr", "delattr", "patch", "vars", "exec", "__dict__"}  # what can change a library's names, beside an assignment
BY_NAME = {"exec", "setattr", "globals", "vars"}  # functions that define what they are told
VALUES = (
    ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.ListComp, ast.SetComp, ast.DictComp, ast.BinOp, ast.UnaryOp, ast.Compare, ast.JoinedStr,
)  # fmt: skip
LIBRARIES = {"torch", "np", "numpy", "math", "F"}
MAKE_FUNCTIONS = {"compile", "vmap", "grad", "jit", "script", "trace", "no_grad", "vectorize", "frompyfunc", "checkpoint"}
FILES = re.compile(r"^%(?:%writefile|%file|run)\b", re.MULTILINE)  # magics that write and run scripts
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
    libraries = bool(above) and changes_libraries(code)
    but = tuple(sorted(set[str]().union(*map(read_attributes, below)))) if libraries else ()
    return Kept(reused(code, above, read, exercises), libraries, but, definitions(code), defines_at_once(code))


def changes_libraries(code: str) -> bool:
    """Whether a cell gives an attribute another meaning, as `torch.softmax = None` does, other than in a function."""
    tree = parsed(code)
    inside = [node for statement in tree.body if not isinstance(statement, STEADY) for node in ast.walk(statement)] if tree else []
    return any(
        isinstance(node, ast.Attribute) and (isinstance(node.ctx, (ast.Store, ast.Del)) or node.attr in CHANGES) or _is_named(node, CHANGES)
        for node in inside
    )


@lru_cache(maxsize=4096)  # asked of each of the lesson's cells for each of the student's own
def read_attributes(code: str) -> frozenset[str]:
    """The names that a cell asks objects for."""
    tree = parsed(code)
    nodes = ast.walk(tree) if tree else ()
    return frozenset(node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load))


def definitions(code: str) -> str:
    """The functions, classes, imports and constants of a cell, in their lines; "" where it defines no function or class, or nothing else is in it."""
    tree = parsed(code)
    kept_nodes = [node for node in tree.body if _is_steady(node)] if tree else []
    if not tree or len(kept_nodes) == len(tree.body) or not any(isinstance(node, STEADY[:3]) for node in kept_nodes):
        return ""
    spans = [(min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))]), node.end_lineno or 0) for node in kept_nodes]
    return "\n".join(line if any(a <= n <= b for a, b in spans) else "" for n, line in enumerate(code.split("\n"), 1))


def defines_at_once(code: str) -> bool:
    """Whether a cell does nothing but define functions, classes, imports and constants."""
    return all(map(_is_steady, _statements(code)))


def _is_steady(node: ast.stmt) -> bool:
    """Whether a statement defines something in no time, wherever it is run."""
    if isinstance(node, ast.Assign):
        return all(
            isinstance(inside, (ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.UnaryOp, ast.expr_context, ast.unaryop))
            for inside in ast.walk(node.value)
        )
    return isinstance(node, STEADY)


def defines_something(code: str, objects: Collection[str] = ()) -> bool:
    """Whether a cell defines a name, or changes one of the student's `objects` by a method: a loop may fill a table, too."""
    if FILES.search(code):
        return True
    tree = parsed(code)
    if tree is None:  # of a newer Python, or wrong: whoever needs what it defines is told
        return bool(re.search(r"^(?:async[ \t]+)?(?:def|class|type)[ \t]+\w+", code, re.MULTILINE))
    return any(isinstance(node, DEFINES) or _root(node) in objects or _is_named(node, BY_NAME) for node in ast.walk(tree))


def _is_named(node: ast.AST, names: Collection[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in names


def _root(node: ast.AST) -> str | None:
    """The object whose method is called, such as `table` in `table.rows.append(1)`."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return None
    value: ast.expr = node.func
    while isinstance(value, (ast.Attribute, ast.Subscript)):
        value = value.value
    return value.id if isinstance(value, ast.Name) else None


def reused(code: str, above: Collection[str], below: Collection[str], exercises: Collection[str]) -> tuple[str, ...]:
    """The names to which a student's own cell gives another use, such as `torch = None`: at home the checks of the answers that stand above it
    ran before. `above` are names that cells above it bind, `below` those that answers below it read, so that they need the new use; an
    exercise keeps its name in any case. A function that is defined once more is a new version."""
    bound_anew = bound(node for node in _statements(code) if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)))
    if read_names(code) & BY_NAME:  # which names, only running it would tell
        bound_anew |= set(above)
    return tuple(sorted(bound_anew & set(above) - (set(below) - set(exercises))))


def functions(code: str) -> set[str]:
    """The functions and classes that a cell defines."""
    return bound(node for node in _statements(code) if isinstance(node, STEADY[:3]))


@lru_cache(maxsize=4096)
def read_names(code: str) -> frozenset[str]:
    """The names that a cell reads, in functions too."""
    tree = parsed(code)
    return frozenset(_read_in(tree)) if tree else frozenset()


def _read_in(tree: ast.AST) -> set[str]:
    """The names that are read anywhere below a node, however deep: printing a tree would take Python's stack."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def uses_up(code: str, name: str) -> bool:
    """Whether a cell gives a function's name to something else, such as `mask = mask(5)` or `mask = None`, and does not define it."""
    named = [node for node in _statements(code) if name in bound([node])]
    return bool(named) and all(
        isinstance(node, (ast.Assign, ast.AnnAssign)) and (name in _read_in(node) or _is_value(node.value)) for node in named
    )


def _is_value(node: ast.expr | None) -> bool:
    """Whether an expression is surely no function: a number, a table, or what a function of PyTorch's gives that makes none."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _root(node) in LIBRARIES and node.func.attr.islower() and node.func.attr not in MAKE_FUNCTIONS
    return isinstance(node, VALUES)


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


def commands(code: str) -> list[str]:
    """The shell's commands and the magics like them in a cell, which are not run here."""
    return [found.strip()[:60] for found in COMMAND.findall(code)]


def squeeze(code: str) -> str:
    return " ".join(code.split())
