"""A class whose grading takes no time, for tests of what happens around it, and small disks for it to be recorded on."""

import os
import subprocess
from concurrent.futures import Future
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import nbformat
import pytest
from rich.console import Console
from sqlalchemy import event
from sqlalchemy.engine import Engine

from autograde import layout
from autograde.authoring.sample_class import LESSON
from autograde.checking.lesson import read_manifest
from autograde.checking.scoring import Result
from autograde.checking.status import SubmissionStatus
from autograde.grader.batch import class_run, pool
from autograde.grader.batch.class_run import grade_class
from autograde.grader.results.model import Graded
from autograde.grader.run.submission import without_results


def graded(found, share=1.0):
    """A result of the right shape, without running anything: `share` of every exercise's points, or that nothing was handed in."""
    if found.path is None:
        return without_results(found, SubmissionStatus.MISSING, "nothing was handed in")
    exercises = read_manifest(found.lesson)["exercises"].items()
    results = [Result(name, round(e["points"] * share, 2), e["points"], "passed" if share == 1 else "partial") for name, e in exercises]
    return Graded(found.student, found.lesson, "graded", results, notebook=_with_words(found.lesson))


@cache
def _with_words(lesson):
    """The notebook with something said to each written question."""
    notebook = nbformat.read(layout.NOTEBOOKS / f"{lesson}.ipynb", 4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = "Because of the mask."
    return nbformat.writes(notebook)


class Class:
    """Students' folders, and `grade()` as the command does it; `calls` are the students that were really graded."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.calls, self.share, self.console = folder / "class", [], 1.0, Console(quiet=True)

    def hand_in(self, *students, text="an answer"):
        for student in students:
            (self.folder / student).mkdir(parents=True, exist_ok=True)
            (self.folder / student / f"{LESSON}.ipynb").write_text(text, encoding="utf-8")

    def grade(self, out, paths=()):
        self.calls.clear()
        return grade_class([*paths] or [self.folder], LESSON, out, 2, None, "off", self.console)

    def submit(self, executor, found, sandbox):
        future = Future()
        self.calls.append(found.student)
        future.set_result(graded(found, self.share))
        return future


def _no_waiting_for_the_disk(connection, _):
    connection.execute("PRAGMA synchronous = OFF")


@pytest.fixture
def pupils(tmp_path, monkeypatch):
    """Three students of a class in which grading takes no time."""
    pupils = Class(tmp_path)
    pupils.hand_in("ada", "ben", "cleo")

    @contextmanager
    def executor(*_):
        yield None, 2, pupils.submit

    monkeypatch.setattr(class_run, "_executor", executor)
    monkeypatch.setattr(pool, "get_ready", lambda: None)
    event.listen(Engine, "connect", _no_waiting_for_the_disk)  # no test cuts the power
    yield pupils
    event.remove(Engine, "connect", _no_waiting_for_the_disk)


@pytest.fixture
def undisturbed(pupils, tmp_path):
    """The folder of a run that nothing disturbed."""
    pupils.grade(tmp_path / "undisturbed")
    return tmp_path / "undisturbed"


class Disk:
    """A folder that can be full or read-only, also for root: a disk in memory, where this account may mount one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def mount(self, options):
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder)], capture_output=True)
        return done.returncode == 0

    def remount(self, options):
        subprocess.run(["mount", "-o", f"remount,{options}", str(self.folder)], check=True, capture_output=True)


@pytest.fixture
def disk(tmp_path):
    """An empty disk of 1 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root mounts a disk")
    disk = Disk(tmp_path / "disk")
    if not disk.mount("size=1m"):
        pytest.skip("this container mounts no disk")
    yield disk
    subprocess.run(["umount", "-l", str(disk.folder)], check=False)
