"""Code without what people choose freely in it: two answers of one normal form differ only in names, comments, annotations and layout.

It is untrusted text: it is parsed or cut into tokens, and never compiled or run. Call it in a reader (`sandbox.bounded`).
"""

from __future__ import annotations

import ast
import hashlib
import re

from autograde.checking.syntax import FUNCTIONS, parsed

LONGEST = 20_000  # characters of an answer that are looked at
TOKEN = re.compile(r"""\"{3}[\s\S]*?\"{3}|'{3}[\s\S]*?'{3}|"(?:\\.|[^"\\\n]){0,400}"|'(?:\\.|[^'\\\n]){0,400}'|\#[^\n]*|\w+|[^\w\s]|\n""")
ONESELF = "self"


def normal_form(code: str) -> str:
    """A digest that answers share which are the same program but for names, docstrings, comments, annotations and layout.

    Names that the answer itself binds are replaced by their number; others, such as `torch`, and attributes other than those that it sets on
    `self` stay. Of code that is no Python only comments and layout are left out. Empty for code without a statement.
    """
    tree = parsed(code, LONGEST)
    try:
        form = " ".join(tokens(code[:LONGEST])[0]) if tree is None else _dumped(tree)
    except RecursionError:
        form = code[:LONGEST]
    return hashlib.sha256(form.encode("utf-8", "replace")).hexdigest()[:16] if form else ""


def tokens(code: str) -> tuple[list[str], list[str]]:
    """The code's tokens without docstrings and layout, and its comments. It need not be Python."""
    found, comments, fresh = [], [], True  # fresh: at the beginning of a line, where a string is a docstring
    for token in TOKEN.findall(code):
        if token.startswith("#"):
            comments.append(token.lstrip("#!: ").strip())
        elif token == "\n":
            fresh = True
        elif not (fresh and token[0] in "\"'"):
            found.append(token)
            fresh = False
    return found, comments


def _dumped(tree: ast.Module) -> str:
    tree.body = [node for node in tree.body if not isinstance(node, ast.Expr)]  # a call below the answer, such as its check
    return ast.dump(_Plain(tree).visit(tree), annotate_fields=False) if tree.body else ""


class _Plain(ast.NodeTransformer):
    """Takes out of a tree what two people may choose differently."""

    def __init__(self, tree: ast.Module) -> None:
        self.numbers: dict[str, str] = {}
        self.own = {name for node in ast.walk(tree) for name in _bound(node)}

    def _number(self, name: str) -> str:
        return self.numbers.setdefault(name, f"#{len(self.numbers)}") if name in self.own else name

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            node.body = [kept for kept in node.body if not _says_nothing(kept)] or [ast.Pass()]
        if isinstance(node, (*FUNCTIONS, ast.arg)):
            setattr(node, "returns" if isinstance(node, FUNCTIONS) else "annotation", None)
        for field in ("id", "name", "arg", "asname", "rest"):  # where nodes keep a name; a call's keyword is the called one's
            value = getattr(node, field, None)
            if isinstance(value, str) and not isinstance(node, (ast.keyword, ast.alias)) or field == "asname" and value:
                setattr(node, field, self._number(str(value)))
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            node.names = [self._number(name) for name in node.names]
        return super().visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id == ONESELF:
            node.attr = self._number(f"{ONESELF}.{node.attr}")
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        plain = ast.Assign([node.target], node.value) if node.value else node
        return self.generic_visit(plain)


def _says_nothing(node: ast.stmt) -> bool:
    """A docstring, or another bare constant."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _bound(node: ast.AST) -> list[str]:
    """The names that a node binds; an attribute of `self` with the `self.` before it."""
    if isinstance(node, ast.Name):
        return [node.id] if isinstance(node.ctx, ast.Store) and node.id != ONESELF else []
    if isinstance(node, ast.Attribute):
        stored = isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name) and node.value.id == ONESELF
        return [f"{ONESELF}.{node.attr}"] if stored else []
    if isinstance(node, (ast.alias, ast.arg)):
        name = node.asname if isinstance(node, ast.alias) else node.arg
        return [name] if name and name != ONESELF else []
    if isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
        return [node.name] if node.name else []
    return [node.rest] if isinstance(node, ast.MatchMapping) and node.rest else []
