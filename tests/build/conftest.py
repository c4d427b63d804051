"""A copy of what lessons are made from, in which a test may change and make what it likes."""

import os
import shutil
import sys

import pytest

from autograde import layout

COPIED = (
    "solutions",
    "utils",
    "autograde/lessons",
    "benchmarks/lessons",
    "docs/measured",
    "docs/students.md",
    "pyproject.toml",
    "requirements.lock",
)
TEXTS = shutil.ignore_patterns("__pycache__", "*.ipynb", ".ipynb_checkpoints")
FOLDERS = {"SOLUTIONS": "solutions", "NOTEBOOKS": "notebooks", "LESSONS": "autograde/lessons"}
KINDS = ("checks", "hidden", "misconceptions", "manifests", "oracles", "expected")


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """The copy, and what was in it: {path: (content, its time)}."""
    root = tmp_path_factory.mktemp("copied") / "course"
    for name in COPIED:
        original, copy = layout.ROOT / name, root / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(original, copy, ignore=TEXTS) if original.is_dir() else shutil.copy(original, copy)
    return root, {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def course(copied, monkeypatch):
    """The copy's folder, as it was before the last test; in this process the course is there."""
    root, content = copied
    places = {**FOLDERS, **{kind.upper(): f"autograde/lessons/{kind}" for kind in KINDS}}
    for name, place in places.items():
        monkeypatch.setattr(layout, name, root / place)
    monkeypatch.setattr(layout, "ROOT", root)
    for name in [name for name in sys.modules if name.split(".")[0] in KINDS]:  # pytest would take another copy's checks for these
        monkeypatch.delitem(sys.modules, name)
    yield root
    shutil.rmtree(root / "notebooks", ignore_errors=True)
    for path in [path for path in root.rglob("*") if path.is_file() and path not in content]:
        path.unlink()
    for path, (before, time) in content.items():  # with its time: what was read of it need not be read again
        if not path.exists() or path.stat().st_mtime_ns != time:
            path.write_bytes(before)
            os.utime(path, ns=(time, time))
