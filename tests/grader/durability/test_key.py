"""What makes a submission be graded again, and what does not."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from autograde import layout
from autograde.authoring import source
from autograde.authoring.sample_class import LESSON, solved_notebook
from autograde.checking.manifest import outcome_files
from autograde.grader.ingest.discovery import Found
from autograde.grader.run import cache_key

OWN = (layout.checks_path, layout.hidden_path, layout.misconceptions_path)
OTHER = "01_sample_based_planning"
MATTERS = [
    layout.checks_path(LESSON), layout.hidden_path(LESSON), layout.misconceptions_path(LESSON), layout.manifest_path(LESSON),
    layout.NOTEBOOKS / f"{LESSON}.ipynb", layout.source_path(LESSON), layout.ROOT / "utils/mdp.py", layout.ROOT / "autograde/checking/runner.py",
    layout.ROOT / "autograde/grader/run/submission.py",
]  # fmt: skip
DOES_NOT = [
    layout.checks_path(OTHER), layout.hidden_path(OTHER), layout.source_path(OTHER), layout.ROOT / "README.md",
    layout.PACKAGE / "doctor.py", layout.PACKAGE / "grader/pages/class_page.py", layout.PACKAGE / "authoring/release.py",
]  # fmt: skip


@pytest.fixture(autouse=True)
def forget():
    cache_key.versions.cache_clear()
    yield
    cache_key.versions.cache_clear()


@pytest.fixture
def found(tmp_path):
    path = tmp_path / f"{LESSON}.ipynb"
    path.write_text("an answer")
    return Found("ada", LESSON, path)


def test_the_submission_and_what_lies_beside_it(found):
    keys = [cache_key.key(found, "required"), cache_key.key(found, "off")]
    keys.append(cache_key.key(Found("ben", LESSON, found.path), "required"))
    keys.append(cache_key.key(Found("ada", OTHER, found.path), "required"))
    keys.append(cache_key.key(Found("ada", LESSON, None), "required"))
    found.path.write_text("another answer")
    keys.append(cache_key.key(found, "required"))
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("place", [0, 40 << 20, (70 << 20) - 1])
def test_a_file_that_is_too_large_to_be_read_whole(found, place):
    """Of the same size, and with the time of before, as some tools keep it: a change is seen wherever it is."""
    with found.path.open("wb") as stream:
        stream.truncate(70 << 20)  # sparse
    before, times = cache_key.key(found, "required"), found.path.stat()
    assert cache_key.key(found, "required") == before
    with found.path.open("r+b") as stream:
        stream.seek(place)
        stream.write(b"x")
    os.utime(found.path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert cache_key.key(found, "required") != before


def test_the_files_that_the_lesson_grades_beside_its_notebook(found):
    """Whatever they are called: the lesson's own `outcome` says it."""
    lesson = "07_gpt"
    model = Found("ada", lesson, found.path)
    keys = [cache_key.key(model, "required")]
    for name in outcome_files(lesson):
        for content in (b"x", b"y"):
            (found.path.parent / name).write_bytes(content)
            keys.append(cache_key.key(model, "required"))
    assert len(keys) > 3 and len(set(keys)) == len(keys)
    assert {path.name for path in cache_key.files(model)} == {found.path.name, *outcome_files(lesson)}


def test_its_folder_its_date_and_other_files_do_not_matter(found, tmp_path):
    before = cache_key.key(found, "required")
    (found.path.parent / "notes.txt").write_text("x")
    elsewhere = tmp_path / "elsewhere" / found.path.name
    elsewhere.parent.mkdir()
    elsewhere.write_text("an answer")
    assert cache_key.key(found, "required") == before == cache_key.key(Found("ada", LESSON, elsewhere), "required")


@pytest.mark.parametrize(
    "changed, matters", [(p, True) for p in MATTERS] + [(p, False) for p in DOES_NOT], ids=lambda value: getattr(value, "name", value)
)
def test_what_it_is_checked_by(found, monkeypatch, changed, matters):
    assert changed.is_file()
    before, real = cache_key.key(found, "required"), cache_key._content
    cache_key.versions.cache_clear()
    monkeypatch.setattr(cache_key, "_content", lambda path: b"changed" if path == changed else real(path))
    assert (cache_key.key(found, "required") != before) is matters


LOADED = """
import json, sys
from pathlib import Path
from autograde.grader.ingest.discovery import Found
from autograde.grader.run import task
graded = task.grade_here(Found("ada", sys.argv[1], Path(sys.argv[2])), "off")
assert graded.status == "graded", graded.reason
import autograde.grader.worker.fork_server, autograde.grader.worker.process  # what the worker's side loads
files = [getattr(module, "__file__", None) for name, module in sys.modules.items() if name.startswith(("autograde", "utils"))]
print(json.dumps([file for file in files if file]))
"""


@pytest.mark.slow
def test_every_file_of_ours_that_takes_part_in_a_grade_is_in_its_key(tmp_path):
    """A module in a new folder would otherwise change grades and keep old results."""
    nbformat.write(solved_notebook(source.read(layout.source_path(LESSON))), tmp_path / f"{LESSON}.ipynb")
    command = [sys.executable, "-c", LOADED, LESSON, str(tmp_path / f"{LESSON}.ipynb")]
    done = subprocess.run(command, cwd=layout.ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    loaded = {Path(file) for file in json.loads(done.stdout.splitlines()[-1])}
    known = {*layout.part_files(*cache_key.PARTS), *layout.ROOT.glob("utils/**/*.py"), *(path_of(LESSON) for path_of in OWN)}
    assert len(loaded) > 20 and loaded <= known, [str(path) for path in loaded - known]


@pytest.mark.parametrize("package", ["torch", "numpy", "nbgrader", "gymnasium"])
def test_the_versions_of_packages(found, monkeypatch, package):
    before, real = cache_key.key(found, "required"), cache_key.version
    cache_key.versions.cache_clear()
    monkeypatch.setattr(cache_key, "version", lambda name: "0.0" if name == package else real(name))
    assert cache_key.key(found, "required") != before


def test_unchanged_submissions_are_reused_and_said_to_be(pupils, tmp_path):
    from rich.console import Console

    pupils.grade(tmp_path / "out")
    pupils.hand_in("ben", text="a better answer")
    pupils.console = Console(record=True, width=200)
    pupils.grade(tmp_path / "out")
    assert pupils.calls == ["ben"] and "2 of 3 submissions are unchanged and keep their results" in pupils.console.export_text()
    pupils.hand_in("ada", "ben", text="better answers")
    pupils.grade(tmp_path / "out")
    assert "1 of 3 submissions is unchanged and keeps its result" in pupils.console.export_text()


def test_where_results_go_is_said_before_when_nobody_named_a_folder(pupils, tmp_path, monkeypatch):
    from rich.console import Console

    monkeypatch.chdir(tmp_path)
    for more in ("; --out", ", with the results that are there; --out"):
        pupils.console = Console(record=True, width=200)
        pupils.grade(None)
        assert f"Results go to {tmp_path / 'graded'}{more}" in pupils.console.export_text()
    pupils.console = Console(record=True, width=200)
    pupils.grade(tmp_path / "out")
    assert "Results go to" not in pupils.console.export_text()


def test_a_submission_that_cannot_be_read_costs_itself_only(pupils, tmp_path):
    (pupils.folder / "ben" / f"{LESSON}.ipynb").unlink()
    (pupils.folder / "ben" / f"{LESSON}.ipynb").symlink_to("/nowhere")
    assert len(pupils.grade(tmp_path / "out")) == 3
