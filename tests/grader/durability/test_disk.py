"""A full disk, a folder or gradebook that cannot be written, a damaged file, a strange clock: an error that says what to do, or a right result."""

import contextlib
import os
import sqlite3
import threading
import time
from datetime import datetime, timedelta

import pytest
from nbgrader.preprocessors import SaveAutoGrades
from rich.console import Console

from autograde.grader.gradebook import exchange_files, record
from autograde.grader.gradebook.record import GradebookError
from tests.grader.durability.state import same, scores


@pytest.mark.parametrize("writes", [7, *(pytest.param(n, marks=pytest.mark.slow) for n in (0, 2, 14, 20))])
def test_a_disk_that_fills_up_at_any_write(pupils, undisturbed, tmp_path, monkeypatch, writes):
    left, out = iter(range(writes)), tmp_path / "out"

    def fsync(_, real=os.fsync):
        if next(left, None) is None:
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with pytest.raises(OSError, match="No space left"):
            pupils.grade(out)
    pupils.grade(out)
    assert same(out, undisturbed)


@pytest.mark.slow
def test_a_disk_that_is_full_for_the_gradebook_too(pupils, disk, tmp_path):
    pupils.hand_in(*(f"student{i:02d}" for i in range(20)))
    out = disk.folder / "out"
    with pytest.raises((OSError, GradebookError), match="No space left|disk is full"):
        pupils.grade(out)
    disk.remount("size=64m")
    pupils.grade(out)
    assert len(pupils.calls) < 23, "what was graded before the disk was full was graded again"
    pupils.grade(tmp_path / "undisturbed")
    assert same(out, tmp_path / "undisturbed")


@pytest.mark.slow
def test_a_name_that_is_no_utf_8_and_names_with_signs(pupils, tmp_path):
    """The name's bytes are read in another encoding, as names in archives are."""
    pupils.hand_in("zo\udceb", "[red]", "a b'c")
    pupils.console = Console(record=True, width=200)
    pupils.grade(tmp_path / "out")
    assert {"zoë", "[red]", "a b'c"} <= {row[1] for row in scores(tmp_path / "out")}
    assert "[red]" in pupils.console.export_text()


class Breaks(SaveAutoGrades):
    """Fails in the middle of a notebook."""

    def preprocess_cell(self, cell, resources, index):
        if index > 10:
            raise OSError(5, "Input/output error")
        return super().preprocess_cell(cell, resources, index)


def test_a_submission_is_recorded_whole_or_not_at_all(pupils, undisturbed, monkeypatch):
    before = scores(undisturbed)
    monkeypatch.setattr(record, "SaveAutoGrades", Breaks)
    pupils.hand_in("ada", text="another answer")
    pupils.share = 0.5
    with pytest.raises(OSError, match="Input/output error"):
        pupils.grade(undisturbed)
    assert scores(undisturbed) == before


def test_a_disk_that_cannot_be_written(pupils, disk):
    disk.remount("size=4m")  # with room for what three submissions leave
    pupils.grade(disk.folder / "out")
    disk.remount("ro")
    with pytest.raises(ValueError, match="cannot be written in .*Read-only.*choose another --out"):
        pupils.grade(disk.folder / "out")


def test_a_folder_that_cannot_be_written(pupils, tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root writes everywhere")
    (tmp_path / "out").mkdir(mode=0o555)
    with pytest.raises(ValueError, match="cannot be written in .*Permission denied.*choose another --out"):
        pupils.grade(tmp_path / "out")


def test_a_gradebook_that_cannot_be_written(pupils, undisturbed, monkeypatch):
    """Opened as SQLite opens what it may only read; file permissions mean nothing to root."""
    address = f"sqlite:///file:{undisturbed / 'gradebook.db'}?mode=ro&uri=true"
    pupils.hand_in("dora")
    with monkeypatch.context() as patch:
        patch.setattr("autograde.grader.gradebook.course_dir.database", lambda folder: address)
        with pytest.raises(GradebookError, match="readonly database. Make it and its folder writable"):
            pupils.grade(undisturbed)
    assert not pupils.calls, "something was graded before it was clear that it can be recorded"
    pupils.grade(undisturbed)
    assert {row[1] for row in scores(undisturbed)} == {"ada", "ben", "cleo", "dora"}


def hold(path, seconds):
    """Write to the gradebook for so long, as formgrader does for a moment."""
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(seconds, connection.close)
    timer.start()
    return timer


def test_a_gradebook_in_use_is_waited_for(pupils, undisturbed):
    pupils.hand_in("dora")
    hold(undisturbed / "gradebook.db", 1.5)
    pupils.grade(undisturbed)
    assert "dora" in {row[1] for row in scores(undisturbed)}


def test_a_gradebook_that_stays_in_use(pupils, undisturbed, monkeypatch):
    monkeypatch.setattr(record, "GIVE_UP_AFTER", 0)
    holding = hold(undisturbed / "gradebook.db", 60)
    with pytest.raises(GradebookError, match=r"locked. Another program \(formgrader\?\)"):
        pupils.grade(undisturbed)
    holding.cancel()
    holding.function()
    pupils.grade(undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize(
    "damage", [lambda whole: b"no database" * 1000, lambda whole: whole[:5000], lambda whole: whole[:8192] + os.urandom(9000)]
)
def test_a_damaged_gradebook(pupils, undisturbed, tmp_path, damage):
    before, path = scores(undisturbed), undisturbed / "gradebook.db"
    path.write_bytes(damage(path.read_bytes()))
    pupils.share = 0.5
    pupils.hand_in("ada", text="another answer")
    with pytest.raises(GradebookError, match="It seems damaged: move it away"):
        pupils.grade(undisturbed)
    path.rename(tmp_path / "damaged.db")
    pupils.share = 1.0
    pupils.hand_in("ada")
    pupils.grade(undisturbed)
    assert pupils.calls == [] and scores(undisturbed) == before, "the scores are not recorded anew from what is kept"


def test_a_gradebook_of_another_version_of_nbgrader_is_not_called_damaged(pupils, undisturbed):
    """Whoever moved it away, as was said, lost what people had given."""
    with contextlib.closing(sqlite3.connect(undisturbed / "gradebook.db")) as old, old:
        old.execute("ALTER TABLE grade DROP COLUMN extra_credit")
    with pytest.raises(GradebookError, match="no such column: .*Another version of nbgrader.*`nbgrader db upgrade`"):
        pupils.grade(undisturbed)


def test_damaged_results_are_worked_out_again(pupils, undisturbed, tmp_path):
    first, second, third = sorted((undisturbed / ".results").glob("*.json"))
    first.write_bytes(first.read_bytes()[:-20])
    second.write_bytes(b"")
    pupils.grade(undisturbed)
    assert len(pupils.calls) == 2
    pupils.grade(tmp_path / "anew")
    assert same(undisturbed, tmp_path / "anew")


@pytest.mark.slow
@pytest.mark.parametrize("years", [-30, 30])
def test_a_clock_that_jumps(pupils, undisturbed, tmp_path, monkeypatch, years):
    jump = timedelta(days=365 * years)

    class Clock(datetime):
        @classmethod
        def now(cls, zone=None):
            return datetime.now(zone) + jump

    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + jump.total_seconds())
    monkeypatch.setattr(exchange_files, "datetime", Clock)
    for path in [*pupils.folder.rglob("*"), *undisturbed.rglob("*")]:
        os.utime(path, (real() + jump.total_seconds(),) * 2)
    pupils.grade(undisturbed)
    assert not pupils.calls, "an unchanged submission was graded again"
    pupils.grade(tmp_path / "then")
    assert same(tmp_path / "then", undisturbed)
