"""Results on disk: whole, the same bytes for the same class; spreadsheets run nothing. `durability/` holds what kills and disturbs."""

import csv
import os
from dataclasses import replace

import pytest

from autograde.checking.runner import Outcome
from autograde.checking.scoring import Result
from autograde.files import write
from autograde.grader.results import csv_tables
from autograde.grader.results.model import Graded, writable
from autograde.grader.results.store import ResultStore


def graded(student="ada", message="wrong"):
    outcome = Outcome("test_x", "A title.", "failed", 1.0, False, message, "expected 1, got 2")
    return Graded(student, "03_self_attention", "graded", [Result("f", 1.5, 3.0, "partial", [outcome])], repairs=["none"], notebook="{}")


def test_a_saved_result_comes_back_equal(tmp_path):
    store = ResultStore(tmp_path)
    store.save("k", graded())
    assert store.load("k") == graded()


def test_a_damaged_result_counts_as_none(tmp_path):
    store = ResultStore(tmp_path)
    store.save("k", graded())
    whole = (tmp_path / "k.json").read_bytes()
    damaged = [
        whole[:50],
        whole[:-1],
        b"",
        b"\0" * len(whole),
        b"[]",
        b'"text"',
        whole.replace(b'"score": 1.5', b'"score": 3.0'),
        b"\xff\xfe",
    ]
    for content in damaged:
        (tmp_path / "k.json").write_bytes(content)
        assert store.load("k") is None, content[:80]
    assert store.load("absent") is None


def test_halves_of_characters_stop_nothing(tmp_path):
    clean = writable(replace(graded("ada", "half a \ud83d smile"), notebook='{"source": "\udcff"}'))
    assert clean.results[0].outcomes[0].message == "half a \ufffd smile" and clean.notebook == '{"source": "?"}'
    assert writable(graded("zoë", "≠")) == graded("zoë", "≠")


def test_a_message_holds_nothing_that_a_terminal_obeys():
    evil = "\x1b]0;owned\x07\x1b[2Jfine\u202e\nnext"
    clean = writable(replace(graded("ada", evil), reason=evil, repairs=[evil], notebook="a\tb"))
    for said in (clean.results[0].outcomes[0].message, clean.reason, *clean.repairs):
        assert said.endswith("next") and "fine" in said and not set(said) & set("\x1b\x07\u202e")
    assert clean.notebook == "a\tb" and len(writable(graded("ada", "x" * 10**6)).results[0].outcomes[0].message) == 2000


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
        csv_tables.save([graded(student) for student in order], tmp_path / name)
    for table in ("grades.csv", "exercises.csv"):
        assert (tmp_path / "a" / table).read_bytes() == (tmp_path / "b" / table).read_bytes()


def test_the_gradebooks_points_stand_for_those_of_the_checks(tmp_path):
    key = ("ada", "03_self_attention")
    csv_tables.save([graded("ada"), graded("ben")], tmp_path, {key: csv_tables.Total(2.5, 6.0)})
    assert (tmp_path / "grades.csv").read_text().splitlines()[1:] == [
        "ada,03_self_attention,2.5,6,graded",
        "ben,03_self_attention,1.5,6,graded",
    ]


@pytest.mark.parametrize("evil", ["=cmd|' /C calc'!A0", "+1+1", "@SUM(A1)", "-2+3|x"])
def test_a_spreadsheet_runs_nothing(tmp_path, evil):
    csv_tables.save([graded(student=evil, message=evil)], tmp_path)
    with (tmp_path / "exercises.csv").open(newline="") as stream:
        row = next(csv.DictReader(stream))
    assert row["student_id"][0] not in "=+@" and row["student_id"] in (evil, "'" + evil)
