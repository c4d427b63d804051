"""What of a statement that failed here can still define something: the parts of a block, or a function without what it only annotates with
or is only decorated with.

A block such as `with open("notes.txt") as f:` fails whole in the sandbox, and at home it ran. What stands in it is tried statement by statement;
of a loop only what defines functions and classes, since its other statements count on being run as often as at home.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Container, Iterable, Mapping

from autograde.checking.syntax import bound, owner_by

WITH = (ast.With, ast.AsyncWith)
LOOP = (ast.For, ast.AsyncFor, ast.While)
TRY = (ast.Try, ast.TryStar)
DEFINITION = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
IMPORT = (ast.Import, ast.ImportFrom)
LONGEST_CALL = 60  # characters that are told of one
STEADY = (*DEFINITION, *IMPORT)  # the same however often they run


def left_of(statement: ast.stmt, line: int) -> list[ast.stmt]:
    """What is still to try of a statement that failed in `line`, in its order; nothing of one that is no block."""
    for branch in _branches(statement):
        for i, inside in enumerate(branch):
            if _first(inside) <= line <= (inside.end_lineno or 0):
                found = [*left_of(inside, line), *branch[i + 1 :], *_goes_on(statement, branch)]
                return _definitions(found) if isinstance(statement, LOOP) else found
    return _below_its_head(statement)


def not_reached(statement: ast.stmt, known: Container[str]) -> list[ast.stmt]:
    """The functions and classes that a `try` would have defined at home: it was left for its `except`, which has defined none of that name."""
    if not isinstance(statement, TRY):
        return []
    return [node for node in statement.body if isinstance(node, DEFINITION) and node.name not in known]


def defined_inside(statement: ast.stmt) -> set[str]:
    """The functions and classes in a block."""
    return {node.name for node in ast.walk(statement) if isinstance(node, DEFINITION)} if _branches(statement) else set()


def not_imported(statements: Iterable[ast.stmt], known: Mapping[str, object]) -> dict[str, str]:
    """Names that a `try` would have imported, each with its import: it failed, and no `except` has given the name a use."""
    imports = [node for statement in statements if isinstance(statement, TRY) for node in statement.body if isinstance(node, IMPORT)]
    return {name: ast.unparse(node) for node in imports for name in bound([node]) if known.get(name) is None}


class Undeleted(ast.NodeTransformer):
    """Leaves out `del helper` at the top level, since at home checks ran before it, as they stood above it. A built-in's name is given back by
    it, so that stays, as do items and attributes."""

    def visit_Delete(self, node: ast.Delete) -> ast.stmt:  # noqa: N802 - the name is Python's
        node.targets = [target for target in node.targets if not isinstance(target, ast.Name) or hasattr(builtins, target.id)]
        return node if node.targets else ast.copy_location(ast.Pass(), node)

    def _as_it_is(self, node: ast.AST) -> ast.AST:
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _as_it_is


class WithoutPackages(ast.NodeTransformer):
    """Takes off each decorator that mentions one of `absent`, a name that a failed import would have bound; such a base of a class with
    `forward`, which is a module of PyTorch's by any other name; and in functions calls of one whose value nobody takes, as those that print
    or keep a log. `taken` are pairs of the absent name and what to say of it."""

    def __init__(self, absent: Collection[str]) -> None:
        self.absent = absent
        self.taken: list[tuple[str, str]] = []
        self.inside: list[str] = []  # which functions

    def named(self, decorator: ast.expr) -> str | None:
        """The absent name that a decorator mentions."""
        names = (inside.id for inside in ast.walk(decorator) if isinstance(inside, ast.Name))
        return next((name for name in names if name in self.absent), None)

    def _undecorated(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> ast.AST:
        kept = []
        for decorator in node.decorator_list:
            name = self.named(decorator)
            if name and (owner := owner_by(decorator, node)):
                kept.append(_adding_to(owner))
            elif name:
                self.taken.append((name, f"`@{ast.unparse(decorator)}` is left out of `{node.name}`"))
            else:
                kept.append(decorator)
        node.decorator_list = kept
        return self.generic_visit(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        self.inside.append(node.name)
        found = self._undecorated(node)
        self.inside.pop()
        return found

    visit_FunctionDef = visit_AsyncFunctionDef = _function

    def visit_Expr(self, node: ast.Expr) -> ast.AST:  # noqa: N802 - the name is Python's
        name = root(node.value) if self.inside and isinstance(node.value, ast.Call) else None
        if name not in self.absent or name is None:
            return self.generic_visit(node)
        self.taken.append((name, f"`{ast.unparse(node)[:LONGEST_CALL]}` is left out of `{self.inside[0]}`"))
        return ast.copy_location(ast.Pass(), node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:  # noqa: N802 - the name is Python's
        runs = any(isinstance(inside, ast.FunctionDef) and inside.name == "forward" for inside in node.body)
        for i, base in enumerate(node.bases if runs else ()):
            if name := self.named(base):
                self.taken.append((name, f"`{node.name}` is made of `torch.nn.Module` and not of `{ast.unparse(base)}`"))
                node.bases[i] = _module(base)
        return self._undecorated(node)


def root(value: ast.expr) -> str | None:
    """The name at the beginning of calls and attributes, such as `log` in `log.of(1).add(2)`."""
    while isinstance(value, (ast.Call, ast.Attribute)):
        value = value.func if isinstance(value, ast.Call) else value.value
    return value.id if isinstance(value, ast.Name) else None


def _module(base: ast.expr) -> ast.expr:
    """PyTorch's own class of modules, by whatever name the student knows PyTorch, in a base's place."""
    found = ast.parse('__import__("torch").nn.Module', mode="eval").body
    for node in ast.walk(found):
        ast.copy_location(node, base)
    return found


def _adding_to(owner: ast.expr) -> ast.expr:
    """A decorator that adds a method to a class, and leaves the function's name what it was."""
    code = f"lambda f: (setattr({ast.unparse(owner)}, f.__name__, f), globals().get(f.__name__))[1]"
    adding = ast.parse(code, mode="eval").body
    for node in ast.walk(adding):
        ast.copy_location(node, owner)
    return adding


def decorated_by(node: ast.stmt, names: Collection[str]) -> bool:
    """Whether a function or class has a decorator that mentions one of these names."""
    found = WithoutPackages(names)
    for inside in ast.walk(node):
        if isinstance(inside, DEFINITION) and any(map(found.named, inside.decorator_list)):
            return True
    return False


def _branches(statement: ast.stmt) -> list[list[ast.stmt]]:
    if isinstance(statement, ast.Match):
        return [case.body for case in statement.cases]
    if not isinstance(statement, (*WITH, *LOOP, *TRY, ast.If)):
        return []
    handlers = [handler.body for handler in getattr(statement, "handlers", [])]
    return [statement.body, *handlers, getattr(statement, "orelse", []), getattr(statement, "finalbody", [])]


def _goes_on(statement: ast.stmt, branch: list[ast.stmt]) -> list[ast.stmt]:
    """What runs at home after a branch that does not fail there."""
    return statement.orelse if isinstance(statement, TRY) and branch is statement.body else []


def _below_its_head(statement: ast.stmt) -> list[ast.stmt]:
    """The statements of a block whose first line failed."""
    if isinstance(statement, WITH):
        return statement.body
    if isinstance(statement, LOOP):
        return _definitions(statement.body)
    if isinstance(statement, ast.If):  # which branch would be taken is not known: the first that defines a name does
        body = _definitions(statement.body)
        names = {node.name for node in body if isinstance(node, DEFINITION)}
        return [*body, *(n for n in _definitions(statement.orelse) if not (isinstance(n, DEFINITION) and n.name in names))]
    return []


def _definitions(statements: list[ast.stmt]) -> list[ast.stmt]:
    return [node for node in statements if isinstance(node, STEADY)]


def _first(statement: ast.stmt) -> int:
    return min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", []))])
