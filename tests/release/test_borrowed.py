"""No function that students get is an answer, not even in part."""

import json
import subprocess
import sys

import pytest

from autograde import layout
from autograde.authoring import handed_out
from autograde.authoring.strength.mutation import Bench
from tests.release import borrowed

LESSON = "02_attention_alignment"
HELPERS = """
import torch
from torch.nn import functional as F

def cosine(s, h):
    return F.cosine_similarity(s[..., None, :], h, dim=-1, eps=1e-12)

class Oracle:
    def dot(self, s, h):
        return (h @ s[..., None])[..., 0]

def test_of_something(student):
    def nested(s, h):
        return (h @ s[..., None])[..., 0]
    return nested, lambda s, h: (h @ s[..., None])[..., 0] / h.shape[-1] ** 0.5

def endless(s, h):
    while True:
        pass

def leaves(s, h):
    raise SystemExit

def useless(s, h):
    return s
"""


def earning(lesson, *files):
    """What earns something, in a process of its own."""
    command = [sys.executable, "-m", "tests.release.borrowed", lesson, *map(str, files)]
    done = subprocess.run(command, cwd=layout.ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("lesson", layout.lesson_names())
def test_no_function_of_a_lessons_checks_earns_a_point(lesson):
    assert earning(lesson, layout.checks_path(lesson)) == []


@pytest.mark.soak
@pytest.mark.parametrize("lesson", layout.lesson_names())
def test_no_function_of_the_release_earns_a_point(lesson):
    """Of `utils/`, of the package, and of the checks of all lessons."""
    assert earning(lesson) == []


def test_the_search_finds_helpers_methods_nested_functions_and_lambdas(tmp_path, monkeypatch):
    """What hangs or leaves earns nothing, and the search goes on after it."""
    (tmp_path / "test_helpers.py").write_text(HELPERS)
    monkeypatch.setattr(borrowed, "SECONDS", 0.5)
    bench, found = Bench(LESSON), set()
    for name, function, names in borrowed.functions(tmp_path / "test_helpers.py"):
        for exercise in ("content_based_score", "dot_score", "scaled_dot_score"):
            if borrowed.fits(function, bench.reference[exercise]) and borrowed.points(
                bench, bench.lesson.exercises[exercise], function, names
            ):
                found.add((exercise, name.split(" ", 1)[1]))
    assert found == {
        ("content_based_score", "cosine"), ("dot_score", "dot without self"), ("dot_score", "nested"), ("scaled_dot_score", "lambda"),
    }  # fmt: skip


def test_the_release_is_searched_whole():
    names = {path.relative_to(layout.ROOT).as_posix() for path in handed_out.code(layout.lesson_names())}
    assert {
        "utils/mdp.py",
        "autograde/notebook.py",
        "autograde/checking/expect/values.py",
        f"autograde/lessons/checks/test_{LESSON}.py",
    } <= names
    assert not [name for name in names if "oracles" in name or "hidden" in name]
