"""Executed notebooks are what an execution would give now, which their digests say without one."""

import shutil

import nbformat
import pytest

from autograde import layout
from autograde.authoring import build, executed, source
from autograde.checking import answers
from tests.build.test_execution import is_check

LESSONS = layout.lesson_names()
NAME = "03_self_attention"  # to change


@pytest.mark.parametrize("name", LESSONS)
def test_the_executed_notebook_is_of_what_is_there_now(name):
    assert executed.stale(name) is None


@pytest.mark.parametrize("name", LESSONS)
def test_the_executed_notebook_has_full_points_and_no_error(name):
    cells = [c for c in nbformat.read(executed.notebook_path(name), 4).cells if c.cell_type == "code"]
    assert not [o.ename for c in cells for o in c.outputs if o.output_type == "error"]
    lesson = source.read(layout.source_path(name))
    graded = [
        c for c in cells if is_check(c) and lesson.exercises[c.metadata["nbgrader"]["grade_id"].removeprefix("check-")].outcome is None
    ]
    said = [[float(o.data["text/plain"]) for o in c.outputs if o.output_type == "execute_result"] for c in graded]
    assert said == [[float(c.metadata["nbgrader"]["points"])] for c in graded]


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A copy of what a digest is taken of, to change; its notebook is up to date."""
    for folder in ("utils", "solutions", "docs", "autograde/lessons"):
        shutil.copytree(layout.ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "*.safetensors"))
    shutil.copy(layout.ROOT / "requirements.lock", tmp_path)
    monkeypatch.setattr(layout, "ROOT", tmp_path)
    monkeypatch.setattr(layout, "SOLUTIONS", tmp_path / "solutions")
    monkeypatch.setattr(layout, "CHECKS", tmp_path / "autograde" / "lessons" / "checks")
    monkeypatch.setattr(layout, "MANIFESTS", tmp_path / "autograde" / "lessons" / "manifests")
    notebook = nbformat.read(executed.notebook_path(NAME), 4)
    executed.stamp(notebook, source.read(layout.source_path(NAME)), None)  # also while the one that is committed is out of date
    nbformat.write(notebook, executed.notebook_path(NAME))
    return tmp_path


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    "file, old, new, changes",
    [
        (f"solutions/{NAME}.py", "import math", "import math, os", True),
        (f"solutions/{NAME}.py", "# %% [markdown]\n# #", "# %% [markdown]\n# A word.\n#\n# #", False),
        (f"autograde/lessons/checks/test_{NAME}.py", "def test_", "def test_other_", True),
        (f"autograde/lessons/manifests/{NAME}.json", '"points": ', '"points": 1', True),
        ("utils/plots.py", "from typing", "import os\nfrom typing", True),
        ("utils/seq2seq.py", "from typing", "import os\nfrom typing", False),  # lesson 03 does not import it
        ("requirements.lock", "torch==2", "torch==3", True),
        ("requirements.lock", "nbgrader==0", "nbgrader==1", False),
    ],
)
def test_a_digest_changes_with_what_outputs_depend_on(course, file, old, new, changes):
    before = executed.digest(source.read(layout.source_path(NAME)))
    edit(course / file, old, new)
    assert (executed.digest(source.read(layout.source_path(NAME))) != before) == changes


def test_what_is_out_of_date_comes_with_the_command_to_run(course):
    edit(course / "solutions" / f"{NAME}.py", "import math", "import math, os")
    assert "python -m autograde build 03" in executed.stale(NAME)
    assert not executed.note_verified(NAME)


def test_a_cell_that_was_not_executed_is_noticed(course):
    path = executed.notebook_path(NAME)
    notebook = nbformat.read(path, 4)
    next(cell for cell in notebook.cells if cell.cell_type == "code").execution_count = None
    nbformat.write(notebook, path)
    assert "not executed" in executed.stale(NAME)


def test_verified_holds_until_the_lesson_changes(course):
    assert executed.note_verified(NAME) and executed.is_verified(NAME)
    edit(course / "solutions" / f"{NAME}.py", "import math", "import math, os")
    assert not executed.is_verified(NAME)


def test_a_build_without_execution_keeps_the_digest_of_what_was_executed():
    source_now = source.read(layout.source_path(NAME))
    known, built = nbformat.v4.new_notebook(), nbformat.v4.new_notebook()
    executed.stamp(known, source_now, None)
    executed.keep_stamps(built, known)
    assert built.metadata[executed.METADATA] == {"executed": executed.digest(source_now)}


@pytest.mark.parametrize("now, kept", [("x = f(1, 2)  # both", 3), ("x = f(\n    1,\n    2,\n)", 3), ("x = f(2, 1)", None)])
def test_a_build_without_execution_keeps_the_outputs_of_what_is_computed(now, kept):
    known, built = (nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)]) for code in ("x = f(1, 2)", now))
    known.cells[0].execution_count = 3
    assert build._with_known_outputs(built, known).cells[0].execution_count == kept


def test_a_result_that_is_kept_is_of_the_answer_as_it_is_written_now():
    told = nbformat.v4.new_output("execute_result", {answers.RESULT_MIME: {"answer": answers.digest("def f(): return g(1, 2)")}})
    check = nbformat.v4.new_code_cell("check(f)", outputs=[told])
    known = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("def f(): return g(1, 2)"), check])
    wrapped = "def f():\n    return g(\n        1,\n        2,\n    )"
    built = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(wrapped), nbformat.v4.new_code_cell("check(f)")])
    kept = build._with_known_outputs(built, known).cells[1].outputs[0].data[answers.RESULT_MIME]
    assert kept["answer"] == answers.digest(wrapped)
