"""What a cell of Python says of itself: found in one pass over its syntax tree and remembered, since a tree takes a thousand times its text's memory."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache

from autograde.checking.syntax import FUNCTIONS, bound, defined
from autograde.grader.ingest.formats.python_cells import parsed

DEFINES = (
    ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Delete,
    ast.NamedExpr, ast.For, ast.AsyncFor,
)  # fmt: skip
STEADY = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
CHANGES = {"setattr", "delattr", "patch", "vars", "exec", "__dict__"}  # what can change a library's names, beside an assignment
VALUES = (
    ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.ListComp, ast.SetComp, ast.DictComp, ast.BinOp, ast.UnaryOp, ast.Compare, ast.JoinedStr,
)  # fmt: skip
PLAIN = (ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.UnaryOp, ast.expr_context, ast.unaryop)
LIBRARIES = {"torch", "np", "numpy", "math", "F"}
MAKE_FUNCTIONS = {"compile", "vmap", "grad", "jit", "script", "trace", "no_grad", "vectorize", "frompyfunc", "checkpoint"}
NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Facts:
    """What a cell that is Python says; nothing of one that is not."""

    is_python: bool = False
    defined: frozenset[str] = NOTHING  # the functions, classes and single names that its top level defines
    functions: frozenset[str] = NOTHING  # the functions and classes among them
    bound: frozenset[str] = NOTHING  # every name that its top level binds in any way
    bound_otherwise: frozenset[str] = NOTHING  # those that are bound by more than a function or class
    used_up: frozenset[str] = NOTHING  # those that are only given a value, or what is made of what they were
    read: frozenset[str] = NOTHING  # the names that it reads, in functions too
    read_later: frozenset[str] = NOTHING  # those that its functions read, when they are called
    wanted: frozenset[str] = NOTHING  # those that it reads and that are no function's own: arguments and what functions bind
    attributes: frozenset[str] = NOTHING  # the names that it asks objects for
    objects: frozenset[str] = NOTHING  # those whose methods it calls
    defines: bool = False  # something, wherever in it
    changes_libraries: bool = False  # gives an attribute another meaning, other than in a function
    at_once: bool = True  # does nothing but define functions, classes, imports and constants
    definitions: str = ""  # those, in their lines, where the cell has something else in it
    is_unwritten: bool = False  # every function of it only raises NotImplementedError


@lru_cache(maxsize=4096)
def facts(code: str) -> Facts:
    """What a cell says, in one pass over each of its statements."""
    tree = parsed(code)
    if tree is None:
        return Facts()
    found = [_Statement(statement) for statement in tree.body]
    union = {name: NOTHING.union(*(getattr(one, name) for one in found)) for name in _SETS}
    nodes = [inner for one in found for inner in one.functions_in]
    return Facts(
        True,
        frozenset(defined(tree.body)),
        **union,
        used_up=union["bound"] - NOTHING.union(*(one.bound - one.given_a_value for one in found)),
        defines=any(one.defines for one in found),
        changes_libraries=any(one.changes_libraries for one in found),
        at_once=all(map(_is_steady, tree.body)),
        definitions=_definitions(code, tree),
        is_unwritten=bool(nodes) and all(map(_raises_only, nodes)),
    )


_SETS = ("functions", "bound", "bound_otherwise", "read", "read_later", "wanted", "attributes", "objects")


class _Statement:
    """What one statement at the top level says."""

    def __init__(self, statement: ast.stmt) -> None:
        nodes = list(ast.walk(statement))
        names = [node for node in nodes if isinstance(node, ast.Name)]
        asked = [node for node in nodes if isinstance(node, ast.Attribute)]
        is_definition = isinstance(statement, STEADY[:3])
        stored = {node.id for node in names if isinstance(node.ctx, ast.Store)}
        self.bound = frozenset(bound([statement]) if isinstance(statement, STEADY) else stored)
        self.functions, self.bound_otherwise = (self.bound, NOTHING) if is_definition else (NOTHING, self.bound)
        self.read = frozenset(node.id for node in names if isinstance(node.ctx, ast.Load))
        inside = (
            name for node in nodes if isinstance(node, (*FUNCTIONS, ast.Lambda)) for name in ast.walk(node) if isinstance(name, ast.Name)
        )
        self.read_later = frozenset(name.id for name in inside if isinstance(name.ctx, ast.Load))
        own = stored if is_definition else NOTHING
        self.wanted = self.read - own - {node.arg for node in nodes if isinstance(node, ast.arg)}
        self.attributes = frozenset(node.attr for node in asked if isinstance(node.ctx, ast.Load))
        self.objects = frozenset(root for node in nodes if (root := root_of(node)))
        self.defines = any(isinstance(node, DEFINES) for node in nodes)
        self.changes_libraries = not isinstance(statement, STEADY) and (
            any(isinstance(node.ctx, (ast.Store, ast.Del)) or node.attr in CHANGES for node in asked) or any(n.id in CHANGES for n in names)
        )
        self.functions_in = [node for node in nodes if isinstance(node, FUNCTIONS)]
        self.given_a_value = NOTHING
        if isinstance(statement, (ast.Assign, ast.AnnAssign)):
            self.given_a_value = self.bound if _is_value(statement.value) else self.bound & self.read


def defined_names(code: str) -> frozenset[str]:
    """The names that a cell defines at its top level; by pattern when it is not valid Python."""
    found = facts(code)
    return found.defined if found.is_python else _by_pattern(code)


@lru_cache(maxsize=4096)
def _by_pattern(code: str) -> frozenset[str]:
    return frozenset(re.findall(r"^(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)", code, re.MULTILINE))


def bound_names(code: str) -> frozenset[str]:
    """The names that a cell binds at its top level in any way; none of one that is not valid Python."""
    return facts(code).bound


def read_names(code: str) -> frozenset[str]:
    """The names that a cell reads, in functions too."""
    return facts(code).read


def root_of(node: ast.AST) -> str | None:
    """The object whose method is called, such as `table` in `table.rows.append(1)`."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return None
    value: ast.expr = node.func
    while isinstance(value, (ast.Attribute, ast.Subscript)):
        value = value.value
    return value.id if isinstance(value, ast.Name) else None


def _is_steady(node: ast.stmt) -> bool:
    """Whether a statement defines something in no time, wherever it is run."""
    if isinstance(node, ast.Assign):
        return all(isinstance(inside, PLAIN) for inside in ast.walk(node.value))
    return isinstance(node, STEADY)


def _definitions(code: str, tree: ast.Module) -> str:
    kept = [node for node in tree.body if _is_steady(node)]
    if len(kept) == len(tree.body) or not kept:
        return ""
    lines, spans = set[int](), [(_first_line(node), node.end_lineno or 0) for node in kept]
    for first, last in spans:
        lines.update(range(first, last + 1))
    return "\n".join(line if number in lines else "" for number, line in enumerate(code.split("\n"), 1))


def _first_line(node: ast.stmt) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))])


def _is_value(node: ast.expr | None) -> bool:
    """Whether an expression is surely no function: a number, a table, or what a function of PyTorch's gives that makes none."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return root_of(node) in LIBRARIES and node.func.attr.islower() and node.func.attr not in MAKE_FUNCTIONS
    return isinstance(node, VALUES)


def _raises_only(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    body = [n for n in function.body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))]
    if len(body) != 1 or not isinstance(body[0], ast.Raise):
        return False
    return any(isinstance(node, ast.Name) and node.id == "NotImplementedError" for node in ast.walk(body[0]))
