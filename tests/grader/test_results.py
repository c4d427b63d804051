"""Results on disk: whole, resumable, the same bytes for the same class; one grader at a time; spreadsheets run nothing."""

import csv
import os

import pytest

from autograde.grader import batch, tables
from autograde.grader.discovery import Found
from autograde.grader.journal import Journal, key, write
from autograde.grader.lock import only_one
from autograde.grader.pipeline import Graded
from autograde.grading import Result
from autograde.suite import Outcome


def graded(student="ada", message="wrong"):
    outcome = Outcome("test_x", "A title.", "failed", 1.0, False, message, "expected 1, got 2")
    return Graded(student, "03_self_attention", "graded", [Result("f", 1.5, 3.0, "partial", [outcome])], repairs=["none"], notebook="{}")


def test_a_saved_result_comes_back_equal(tmp_path):
    journal = Journal(tmp_path)
    journal.save("k", graded())
    assert journal.load("k") == graded()


def test_a_damaged_result_counts_as_none(tmp_path):
    journal = Journal(tmp_path)
    journal.save("k", graded())
    (tmp_path / "k.json").write_text((tmp_path / "k.json").read_text()[:50])
    assert journal.load("k") is None and journal.load("absent") is None


def test_the_key_depends_on_the_submission_and_its_files(tmp_path):
    path = tmp_path / "03_self_attention.ipynb"
    path.write_text("one")
    keys = [key(Found("ada", "03_self_attention", path), "required")]
    path.write_text("two")
    keys.append(key(Found("ada", "03_self_attention", path), "required"))
    keys.append(key(Found("ben", "03_self_attention", path), "required"))
    keys.append(key(Found("ada", "03_self_attention", path), "off"))
    (tmp_path / "gpt.safetensors").write_bytes(b"x")
    keys.append(key(Found("ada", "03_self_attention", path), "required"))
    assert len(set(keys)) == len(keys)


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "grades.csv"
    write(path, b"old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write(path, b"new")
    assert path.read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1


def test_tables_are_sorted_and_the_same_bytes(tmp_path):
    for name, order in (("a", ("zoe", "ada")), ("b", ("ada", "zoe"))):
        tables.save([graded(student) for student in order], tmp_path / name)
    for table in ("grades.csv", "exercises.csv"):
        assert (tmp_path / "a" / table).read_bytes() == (tmp_path / "b" / table).read_bytes()


@pytest.mark.parametrize("evil", ["=cmd|' /C calc'!A0", "+1+1", "@SUM(A1)", "-2+3|x"])
def test_a_spreadsheet_runs_nothing(tmp_path, evil):
    tables.save([graded(student=evil, message=evil)], tmp_path)
    with (tmp_path / "exercises.csv").open(newline="") as stream:
        row = next(csv.DictReader(stream))
    assert row["student_id"][0] not in "=+@" and row["student_id"] in (evil, "'" + evil)


def test_two_graders_do_not_share_a_folder(tmp_path):
    with only_one(tmp_path):
        with pytest.raises(ValueError, match="another grader"):
            with only_one(tmp_path):
                pass
    with only_one(tmp_path):
        pass


class Now:
    """An executor that is none: any with `submit` will do."""

    def submit(self, function, *args):
        from concurrent.futures import Future

        future = Future()
        future.set_result(function(*args))
        return future


def test_known_results_are_not_graded_again(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(batch, "grade", lambda found, sandbox: calls.append(found.student) or graded(found.student))
    class_of_three = [Found(s, "03_self_attention", None) for s in ("a", "b", "c")]
    for expected in (3, 3):
        told = []
        results = batch.run(class_of_three, Now(), Journal(tmp_path), "off", 2, lambda g, reused: told.append((g.student, reused)))
        assert [g.student for g in results] == ["a", "b", "c"] and len(calls) == expected
    assert told == [("a", True), ("b", True), ("c", True)]
