"""Every way to steal an answer, tried in every lesson and at every level that isolates: none works, and nobody else's result changes."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from pathlib import Path

import nbformat
import pytest

from autograde import layout
from autograde.authoring import source
from autograde.authoring.sample_class import LESSON
from autograde.checking.lesson import read_manifest
from autograde.grader.ingest.discovery import Found
from autograde.grader.results.model import Graded
from autograde.grader.run import submission
from autograde.grader.sandbox import isolate, probe
from autograde.grader.sandbox.modes import Level, Mode
from tests.grader.adversarial import thefts
from tests.grader.adversarial.submission import answer

pytestmark = pytest.mark.skipif(probe.support().level in isolate.OPEN, reason="this machine cannot isolate submissions")
LEVELS = {Mode.AUTO: Level.NAMESPACES, Mode.LANDLOCK: Level.LANDLOCK}


@cache
def target(lesson: str) -> str:
    """The first function among a lesson's exercises that builds on no other: its answer alone is handed in."""
    known = read_manifest(lesson)["exercises"]
    answers = {name: source.read(layout.source_path(lesson)).answer(name) for name, about in known.items() if not about["outcome"]}
    others = {name: set(answers) - {name} for name in answers}
    return next(n for n, code in answers.items() if code.lstrip().startswith("def ") and not any(o in code for o in others[n]))


def handed_in(folder: Path, lesson: str, stolen: str) -> Found:
    """The released notebook with one answer, which is right if `stolen` holds something and gives nothing otherwise."""
    name, root = target(lesson), str(layout.ROOT)
    right = source.read(layout.source_path(lesson)).answer(name)
    notebook = nbformat.read(layout.NOTEBOOKS / f"{lesson}.ipynb", 4)
    code = f"{thefts.PREFACE}\n{right}\n_right, stolen = {name}, {stolen.format(root=root)}\n"
    code += f"def {name}(*args, **kwargs):\n    if not stolen:\n        raise ValueError('nothing was stolen')\n"
    code += "    if stolen != ['known']:\n        raise ValueError('STOLEN ' + ', '.join(stolen))\n    return _right(*args, **kwargs)\n"
    answer(notebook, name).source = code
    path = folder / "thief" / f"{lesson}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return Found("thief", lesson, path)


def graded(folder: Path, lesson: str, stolen: str, mode: Mode = Mode.AUTO) -> Graded:
    return submission.grade(handed_in(folder, lesson, stolen), mode)


def comparable(result: Graded) -> list[dict]:
    return [asdict(r) for r in result.results]


@pytest.mark.parametrize("mode", LEVELS, ids=str)
@pytest.mark.parametrize("lesson", [pytest.param(n, marks=[pytest.mark.soak] * (n != LESSON)) for n in layout.lesson_names()])
def test_nothing_can_be_stolen(tmp_path, monkeypatch, lesson, mode):
    if mode == Mode.LANDLOCK and not probe.support().landlock:
        pytest.skip("this kernel has no Landlock")
    monkeypatch.setenv("AUTOGRADE_SECRET", "swordfish")
    result = graded(tmp_path, lesson, "_stolen({root!r})", mode)
    row = next(r for r in result.results if r.exercise == target(lesson))
    assert "STOLEN" not in str(row.outcomes), row.message
    assert "nothing was stolen" in row.message and result.score == 0 == row.score
    assert not (layout.ROOT / "utils" / "left.py").exists()


def test_who_is_honest_gets_the_same_before_and_after(tmp_path):
    lesson = layout.lesson_names()[0]
    before = graded(tmp_path, lesson, "['known']")
    graded(tmp_path, lesson, "_stolen({root!r})")
    after = graded(tmp_path, lesson, "['known']")
    points = read_manifest(lesson)["exercises"][target(lesson)]["points"]
    assert before.score == after.score == points  # and the attack's answer would have earned them
    assert comparable(before) == comparable(after)


def test_a_theft_that_works_would_be_seen(tmp_path):
    result = graded(tmp_path, layout.lesson_names()[0], "['the answer']")
    assert any("STOLEN" in str(r.outcomes) for r in result.results)


def test_there_are_many_ways():
    assert len(set(thefts.names())) == len(thefts.names()) >= 25
