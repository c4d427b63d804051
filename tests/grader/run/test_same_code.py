"""Two answers of one normal form are one program: names, comments, annotations and layout do not count, and everything else does."""

import ast

import pytest

from autograde.grader.pages.same_code import LONGEST, normal_form

CODE = '''
def causal_mask(n, device=None):
    """True where attention is allowed."""
    rows = torch.arange(n, device=device)
    return rows[:, None] >= rows
'''
CLASS = """
class Layer(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.q, self.k = nn.Linear(d, d), nn.Linear(d, d)

    def forward(self, x):
        return self.q(x) @ self.k(x).mT
"""


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        (CODE, {"rows": "i"}),
        (CODE, {"rows": "torch_rows"}),
        (CODE, {'    """True where attention is allowed."""\n': ""}),
        (CODE, {"True where": "Allowed"}),
        (CODE, {"(n, device=None)": "(n: int, device: str | None = None) -> Tensor"}),
        (CODE, {"rows = ": "rows: Tensor = "}),
        (CODE, {"    return": "    # where a row looks back\n\n    return", "[:, None]": "[ :,None ]"}),
        (CODE, {"rows[:, None] >= rows\n": "(\n        rows[:, None]\n        >= rows\n    )\n\n\nprint(causal_mask(3))\n"}),
        (CLASS, {"self.q": "self.to_queries", "self.k": "self.to_keys", "x": "inputs"}),
        ("def f(:  # one\n    x = 1", {"  # one": "", "    x": "        x"}),
    ],
)
def test_what_two_people_choose_differently_does_not_count(code, changes):
    other = code
    for old, new in changes.items():
        assert old in other
        other = other.replace(old, new)
    assert normal_form(code) == normal_form(other) != ""


@pytest.mark.parametrize(
    ("code", "old", "new"),
    [
        (CODE, ">=", ">"),
        (CODE, "rows[:, None] >= rows", "rows >= rows[:, None]"),
        (CODE, "torch.arange", "torch.ones"),
        (CODE, "device=device", "dtype=device"),
        (CODE, "device=None", "device=0"),
        (CODE, ">= rows", ">= n"),
        (CLASS, "self.q(x) @ self.k(x).mT", "self.k(x) @ self.q(x).mT"),
        (CLASS, ".mT", ".T"),
        ("def f(x):\n    x.grad = 0", "x.grad", "x.data"),
        ("def f(:\n    x = 1", "1", "2"),
    ],
)
def test_what_makes_another_program_counts(code, old, new):
    assert old in code and normal_form(code) != normal_form(code.replace(old, new))


@pytest.mark.parametrize("code", ["", "\n\n", "# nothing yet", "print(1)"])
def test_where_there_is_no_answer_there_is_no_form(code):
    assert normal_form(code) == ""


@pytest.mark.parametrize(
    "code",
    [
        "x = " + "(" * 5000 + ")" * 5000,
        "x = " + "-" * 15000 + "1",
        "x = " + "a." * 5000 + "a",
        "def f(x):\n" + "".join(" " * i + "if x:\n" for i in range(1, 99)) + " " * 99 + "pass",
        "x = '\ud800'",
        "\0",
        "x = 1\n" * LONGEST,
    ],
)
def test_what_is_made_to_stop_it_has_a_form_too(code):
    assert len(normal_form(code)) == 16


def test_every_kind_of_name_that_python_binds_is_found():
    """Each name of a program with all ways of binding, as the compiler's own list of what is local."""
    code = """
def f(a, b=1, *c, d, **e):
    global g
    import numpy as h
    from torch import nn as i
    for j in a: pass
    with b as k: pass
    try: pass
    except ValueError as l: pass
    match c:
        case [m, *n]: pass
        case {"x": o, **p}: pass
        case int() as q: pass
    r, (s, *t) = u = a
    if (v := b): pass
    def w(): pass
    class x: pass
    y = lambda z: z
    del u
    g = [aa for aa in b]
"""
    names = {name for constant in compile(code, "", "exec").co_consts if hasattr(constant, "co_varnames") for name in constant.co_varnames}
    assert len(names) >= 22
    for name in names:
        tree = ast.parse(code)
        renamed = _Renamed(name)
        assert normal_form(ast.unparse(renamed.visit(tree))) == normal_form(code), name


class _Renamed(ast.NodeTransformer):
    """One name in another's place, wherever a tree holds it."""

    def __init__(self, name):
        self.name = name

    def generic_visit(self, node):
        for field in ("id", "name", "arg", "asname", "rest"):
            if (
                getattr(node, field, None) == self.name
                and not isinstance(node, ast.alias)
                or field == "asname"
                and getattr(node, field, None) == self.name
            ):
                setattr(node, field, "another_name")
        return super().generic_visit(node)
