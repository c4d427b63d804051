"""What takes long to make and is only looked at: made once a run of pytest, whichever of its processes needs it first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from rich.console import Console

from autograde.authoring import release
from autograde.authoring.sample_class import LESSON, sample_class
from autograde.grader.batch.class_run import grade_class
from autograde.site import build

REPOSITORY = "https://github.com/ann/attention.git"  # where the tests' release would be published


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder that `make(folder)` fills; other processes of the same run wait for it and get the same one.

    Whoever changes something in it changes it for all: copy it first.
    """
    run = factory.getbasetemp()
    if run.name.startswith("popen-"):  # pytest-xdist gives each process a folder below the run's own
        run = run.parent
    folder, done = run / name, run / f"{name}.done"
    with FileLock(run / f"{name}.lock"):
        if not done.exists():
            make(folder)
            done.touch()
    return folder


def released_course(factory: pytest.TempPathFactory) -> Path:
    """The course as students get it."""
    return once(factory, "released", lambda folder: release.release(folder, repository=REPOSITORY))


def built_site(factory: pytest.TempPathFactory) -> Path:
    """The built site; a warning of Sphinx (a link to nowhere, a formula that is none) fails it."""
    return once(factory, "built_site", build.build)


def graded_samples(factory: pytest.TempPathFactory) -> Path:
    """The demo's class, in `class/`, and what `autograde grade` makes of it, in `graded/`."""
    return once(factory, "samples", _grade_samples)


def _grade_samples(folder: Path) -> None:
    sample_class(folder / "class")
    grade_class([folder / "class"], LESSON, folder / "graded", None, None, "auto", Console(quiet=True))
