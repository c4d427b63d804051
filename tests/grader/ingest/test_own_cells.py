"""Which of a student's own cells are for an answer, and which are experiments."""

import pytest

from autograde.grader.ingest.cells.own_cells import needed

TRAINS = "for step in range(10**9):\n    loss = step"


@pytest.mark.parametrize(
    ("own", "answer", "which"),
    [
        (["table = make()", TRAINS], "def f(x):\n    return table[x]", {0}),
        (["rows = 3", "table = [rows]", TRAINS], "def f(x):\n    return table[x]", {0, 1}),
        (["table = make()", TRAINS], "def f(table):\n    loss = 2 * table\n    return loss", set()),  # names of its own
        (["def helper(x):\n    return size * x", "size = 3", TRAINS], "def f(x):\n    return helper(x)", {0, 1}),
        (["class Base: pass", TRAINS], "class F(Base):\n    def forward(self, x):\n        return x", {0}),
        (["def keep(f):\n    return f", TRAINS], "@keep\ndef f(x):\n    return x", {0}),
        (["scale = 2", TRAINS], "def f(x, by=scale):\n    return by * x", {0}),
        (["for n in range(3):\n    q = f(n)", "k = f(3)"], "def f(q, k):\n    return lambda n: q @ k", set()),
        (["not python", TRAINS], "def f(x):\n    return x", set()),
    ],
)
def test_what_an_answer_needs_is_no_experiment(own, answer, which):
    assert needed(own, [answer]) == {own[i] for i in which}
