"""What makes a submission be graded again, and what does not."""

import pytest

from autograde import layout
from autograde.demo import LESSON
from autograde.grader import identity
from autograde.grader.discovery import Found

OTHER = "01_sample_based_planning"
MATTERS = [
    layout.checks_path(LESSON), layout.hidden_path(LESSON), layout.misconceptions_path(LESSON), layout.fingerprints_path(LESSON),
    layout.NOTEBOOKS / f"{LESSON}.ipynb", layout.source_path(LESSON), layout.ROOT / "utils/mdp.py", layout.ROOT / "autograde/suite.py",
    layout.ROOT / "autograde/grader/pipeline.py",
]  # fmt: skip
DOES_NOT = [layout.checks_path(OTHER), layout.hidden_path(OTHER), layout.source_path(OTHER), layout.ROOT / "README.md"]


@pytest.fixture(autouse=True)
def forget():
    identity.versions.cache_clear()
    yield
    identity.versions.cache_clear()


@pytest.fixture
def found(tmp_path):
    path = tmp_path / f"{LESSON}.ipynb"
    path.write_text("an answer")
    return Found("ada", LESSON, path)


def test_the_submission_and_what_lies_beside_it(found):
    keys = [identity.key(found, "required"), identity.key(found, "off")]
    keys.append(identity.key(Found("ben", LESSON, found.path), "required"))
    keys.append(identity.key(Found("ada", OTHER, found.path), "required"))
    keys.append(identity.key(Found("ada", LESSON, None), "required"))
    found.path.write_text("another answer")
    keys.append(identity.key(found, "required"))
    for name in ("gpt.safetensors", "gpt_config.json"):
        (found.path.parent / name).write_bytes(b"x")
        keys.append(identity.key(found, "required"))
        (found.path.parent / name).write_bytes(b"y")
        keys.append(identity.key(found, "required"))
    assert len(set(keys)) == len(keys)


def test_its_folder_its_date_and_other_files_do_not_matter(found, tmp_path):
    before = identity.key(found, "required")
    (found.path.parent / "notes.txt").write_text("x")
    elsewhere = tmp_path / "elsewhere" / found.path.name
    elsewhere.parent.mkdir()
    elsewhere.write_text("an answer")
    assert identity.key(found, "required") == before == identity.key(Found("ada", LESSON, elsewhere), "required")


@pytest.mark.parametrize(
    "changed, matters", [(p, True) for p in MATTERS] + [(p, False) for p in DOES_NOT], ids=lambda value: getattr(value, "name", value)
)
def test_what_it_is_checked_by(found, monkeypatch, changed, matters):
    assert changed.is_file()
    before, real = identity.key(found, "required"), identity._content
    identity.versions.cache_clear()
    monkeypatch.setattr(identity, "_content", lambda path: b"changed" if path == changed else real(path))
    assert (identity.key(found, "required") != before) is matters


@pytest.mark.parametrize("package", ["torch", "numpy", "nbgrader", "gymnasium"])
def test_the_versions_of_packages(found, monkeypatch, package):
    before, real = identity.key(found, "required"), identity.version
    identity.versions.cache_clear()
    monkeypatch.setattr(identity, "version", lambda name: "0.0" if name == package else real(name))
    assert identity.key(found, "required") != before


def test_unchanged_submissions_are_reused_and_said_to_be(pupils, tmp_path):
    from rich.console import Console

    pupils.grade(tmp_path / "out")
    pupils.hand_in("ben", text="a better answer")
    pupils.console = Console(record=True, width=200)
    pupils.grade(tmp_path / "out")
    assert pupils.calls == ["ben"] and "2 of 3 submissions are unchanged" in pupils.console.export_text()


def test_a_submission_that_cannot_be_read_costs_itself_only(pupils, tmp_path):
    (pupils.folder / "ben" / f"{LESSON}.ipynb").unlink()
    (pupils.folder / "ben" / f"{LESSON}.ipynb").symlink_to("/nowhere")
    assert len(pupils.grade(tmp_path / "out")) == 3
