"""What people really hand in, as learning systems and people name it: whose it is, which lesson it is, which file counts, what is left out."""

import errno
import io
import json
import shutil
import time
import tracemalloc
import zipfile
from datetime import datetime
from email.message import EmailMessage
from functools import partial
from pathlib import Path

import nbformat
import pytest
from rich.cells import cell_len
from rich.console import Console
from typer.testing import CliRunner

from autograde import layout
from autograde.authoring import source
from autograde.authoring.sample_class import LESSON, solved_notebook
from autograde.cli import app
from autograde.grader.gradebook.course_dir import create, open_gradebook
from autograde.grader.gradebook.due_dates import due_dates
from autograde.grader.ingest import helpers
from autograde.grader.ingest.brought import Collected, Row, lines
from autograde.grader.ingest.collect import collect, collected, home
from autograde.grader.ingest.discovery import find
from autograde.grader.ingest.formats import archive, without_outputs
from autograde.grader.ingest.found import not_handed_in, take
from autograde.grader.ingest.found.findings import LeftOut
from autograde.grader.ingest.whose.by_list import Listed
from autograde.grader.run.cache_key import files, key

SOLVED = nbformat.writes(solved_notebook(source.read(layout.source_path(LESSON))))
BLANK = (layout.NOTEBOOKS / f"{LESSON}.ipynb").read_text(encoding="utf-8")
NAME = f"{LESSON}.ipynb"
SECOND = "04_multi_head_attention"


def packed(members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def placed(folder, members):
    for name, content in members.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


METADATA = """\
submission_11:
  :submitters:
  - {":name": Ann Lee, ":sid": "900", ":email": a@x.edu}
  - {":name": Bo, ":email": b@x.edu}
  :created_at: 2026-03-03 11:59:00.000000000 Z
submission_12:
  :submitters:
  - {":name": Cy, ":sid": "901"}
  :created_at: !ruby/object:ActiveSupport::TimeWithZone {utc: 2026-03-03 11:59:00.000000000 Z}
"""

AS_ZIP = {  # what a system's download holds: whose it must be
    "Canvas": ({f"smithann_12345_67890_{NAME}": SOLVED, f"leebo_LATE_333_5_{NAME}": SOLVED}, {"smithann", "leebo"}),
    "Canvas, namesakes": ({f"smithann_12345_1_{NAME}": SOLVED, f"smithann_222_2_{NAME}": SOLVED}, {"smithann_12345", "smithann_222"}),
    "Canvas, blind": ({f"anon_x7Yk2_678_{NAME}": SOLVED, "LATE_anon_a2Yk2_6_x.ipynb": SOLVED}, {"anon_x7Yk2", "anon_a2Yk2"}),
    "Canvas, other names": ({"leebo_1_2_Untitled0.ipynb": SOLVED, f"kim_3_4_Copy_of_{NAME}": SOLVED}, {"leebo", "kim"}),
    "Canvas, of a Mac": ({f"leebo_1_2_{NAME}": SOLVED, f"__MACOSX/._leebo_1_2_{NAME}": "\0\5", ".DS_Store": "x"}, {"leebo"}),
    "Moodle": ({f"Ann Lee_1_assignsubmission_file_/{NAME}": SOLVED}, {"Ann Lee"}),
    "Moodle, older": ({f"Ann Lee_1_assignsubmission_file/{NAME}": SOLVED}, {"Ann Lee"}),
    "Moodle, blind": ({f"Participant_7_assignsubmission_file_/{NAME}": SOLVED}, {"Participant_7"}),
    "Moodle, without folders": ({"Ann Lee_1_assignsubmission_file_hw.ipynb": SOLVED}, {"Ann Lee"}),
    "Gradescope": (
        {"a/submission_metadata.yml": METADATA, f"a/submission_11/{NAME}": SOLVED, "a/submission_12/b/x.ipynb": SOLVED},
        {"900", "b@x.edu", "901"},
    ),
    "Blackboard": ({f"HW_asmith_attempt_2026-03-03-11-59-00_{NAME}": SOLVED}, {"asmith"}),
    "Brightspace": ({f"12-34 - Ann Lee - Mar 3, 2026 1159 PM/{NAME}": SOLVED, "index.html": "x"}, {"Ann Lee"}),
    "Sakai": ({f"Lee, Ann(alee)/Submission attachment(s)/{NAME}": SOLVED}, {"alee"}),
    "nbgrader's exchange": ({f"ann+{LESSON}+2026-03-03 11:59:00.1 UTC+ab/{NAME}": SOLVED}, {"ann"}),
    "a folder around it": ({f"submissions/ann/{NAME}": SOLVED, f"submissions/bo/{NAME}": SOLVED}, {"ann", "bo"}),
}


@pytest.mark.parametrize(("members", "students"), AS_ZIP.values(), ids=AS_ZIP)
def test_a_systems_download(tmp_path, members, students):
    (tmp_path / "download.zip").write_bytes(packed(members))
    result = collect([tmp_path / "download.zip"], tmp_path / "course")
    assert {(row.student, row.lesson, row.state) for row in result.rows} == {(student, LESSON, "new") for student in students}
    assert {f.student for f in find([tmp_path / "course"]) if f.path} == students
    again = collect([tmp_path / "download.zip"], tmp_path / "course")
    assert {row.state for row in again.rows} == {"known"}
    assert not list(tmp_path.glob("course/submitted/*/*/earlier"))


AS_FOLDER = {
    "flat": ({f"smithann_12345_67890_{NAME}": SOLVED, f"mueller - {NAME}": SOLVED, "zoe.json": SOLVED}, {"smithann", "mueller", "zoe"}),
    "names of notebooks": ({"ann/a.ipynb.txt": SOLVED, "bo/b.json": SOLVED, "cy/c.IPYNB": SOLVED, "di/x.zip": packed({"y.ipynb": SOLVED})}, {"ann", "bo", "cy", "di"}),
    "deep": ({f"ann/a/b/c/{NAME}": SOLVED}, {"ann"}),
    "sections": ({f"A/ann/{NAME}": SOLVED, f"A/bo/{NAME}": SOLVED, f"B/cy/{NAME}": SOLVED, f"B/di/{NAME}": SOLVED}, {"ann", "bo", "cy", "di"}),
    "a zip a student": ({"ann.zip": packed({NAME: SOLVED}), f"{LESSON}_bo.zip": packed({"x.ipynb": SOLVED})}, {"ann", "bo"}),
    "a folder a lesson": ({f"{LESSON}/ann/{NAME}": SOLVED, f"{LESSON}/bo/{NAME}": SOLVED}, {"ann", "bo"}),
    "GitHub Classroom": ({f"03-self-attention-ann/{NAME}": SOLVED, f"03-self-attention-bo/{NAME}": SOLVED}, {"ann", "bo"}),
    "numbers": ({f"007/{NAME}": SOLVED, f"12345/{NAME}": SOLVED}, {"007", "12345"}),
    "a student called submitted": ({f"submitted/{NAME}": SOLVED, f"ann/{NAME}": SOLVED}, {"submitted", "ann"}),
    "two ways to write ü": ({f"mu\u0308ller/{NAME}": SOLVED, "müller/x.txt": "x"}, {"müller"}),
}  # fmt: skip


@pytest.mark.parametrize(("members", "students"), AS_FOLDER.values(), ids=AS_FOLDER)
def test_a_folder(tmp_path, members, students):
    result = collect([placed(tmp_path / "class", members)], tmp_path / "course")
    assert {row.student for row in result.rows} == students


WHICH_COUNTS = {  # a student's files: the one that counts
    "untouched beside solved": ({NAME: BLANK, f"{LESSON} (1).ipynb": SOLVED}, f"{LESSON} (1).ipynb"),
    "solved beside untouched": ({NAME: SOLVED, f"{LESSON} (1).ipynb": BLANK}, NAME),
    "attempts beyond nine": ({f"attempt 9/{NAME}": SOLVED, f"attempt 10/{NAME}": SOLVED + " "}, f"attempt 10/{NAME}"),
    "a conflict copy": ({NAME: SOLVED, f"{LESSON} (conflicted copy 2026-01-01).ipynb": SOLVED + " "}, NAME),
    "a checkpoint": ({NAME: SOLVED, f".ipynb_checkpoints/{LESSON}-checkpoint.ipynb": SOLVED + " "}, NAME),
    "damaged beside solved": ({NAME: SOLVED[: len(SOLVED) // 2], f"{LESSON} (1).ipynb": SOLVED}, f"{LESSON} (1).ipynb"),
}


@pytest.mark.parametrize(("members", "counts"), WHICH_COUNTS.values(), ids=WHICH_COUNTS)
def test_the_newest_attempt_with_work_in_it_counts(tmp_path, members, counts):
    [row] = collect([placed(tmp_path / "class" / "ann", members).parent], tmp_path / "course").rows
    assert row.file == counts and any("counts, not" in note for note in row.notes)


def test_the_lesson_that_is_asked_for_decides(tmp_path):
    placed(tmp_path / "class", {"gpthompson/homework3.ipynb": SOLVED, "bo/hw3 (no chatgpt used).ipynb": BLANK, "cy/gpt.ipynb": "{}"})
    assert {(f.student, f.lesson, bool(f.path)) for f in find([tmp_path / "class"], LESSON)} == {
        ("gpthompson", LESSON, True), ("bo", LESSON, True), ("cy", LESSON, True),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["{}", "ann", f"ann/{LESSON}", f"ann/{LESSON}/{NAME}"])
def test_a_part_of_the_course_belongs_to_its_student(tmp_path, name):
    placed(tmp_path / "course" / "submitted", {f"ann/{LESSON}/{NAME}": SOLVED})
    (tmp_path / "course" / "nbgrader_config.py").touch()
    for own in ("source", "release", "exchange"):
        placed(tmp_path / "course" / own, {f"{LESSON}/{NAME}": BLANK})
    path = tmp_path / "course" if name == "{}" else tmp_path / "course" / "submitted" / name
    assert [f.student for f in find([path])] == ["ann"]


@pytest.mark.parametrize(
    "names", [("eve/work", "eve/work/x.txt"), ("eve/work/x.txt", "eve/work"), ("eve/" + f"{'n' * 200}/" * 30 + "x.txt",)]
)
def test_a_name_that_cannot_be_one_costs_its_file_only(tmp_path, names):
    """A file called as its folder, a path that is longer than a system's may be: in a class's zip they were the end of all."""
    (tmp_path / "download.zip").write_bytes(packed({f"ann/{NAME}": SOLVED, **dict.fromkeys(names, "x"), f"zoe/{NAME}": SOLVED}))
    result = collect([tmp_path / "download.zip"], tmp_path / "course")
    assert {row.student for row in result.rows if row.state == "new"} == {"ann", "zoe"}


OTHER = (layout.NOTEBOOKS / "04_multi_head_attention.ipynb").read_text(encoding="utf-8")
INSTEAD = {  # what somebody handed in who has no notebook of the lesson, and what the reason must name
    "a document": ({"essay.docx": "PK\3\4"}, "essay.docx"),
    "a PDF": ({"work.pdf": "%PDF"}, "work.pdf"),
    "a page": ({"page.html": "<p>"}, "page.html"),
    "an archive that nothing reads": ({"all.rar": "Rar!"}, "all.rar"),
    "a damaged archive": ({"all.zip": packed({NAME: SOLVED})[:-40]}, "all.zip"),
    "a picture, deep": ({"a/b/photo.heic": "x"}, "photo.heic"),
    "another lesson": ({"04_multi_head_attention.ipynb": OTHER}, "04_multi_head_attention.ipynb"),
    "a model alone": ({"gpt.safetensors": "x"}, "gpt.safetensors"),
}


@pytest.fixture(scope="module")
def instead(tmp_path_factory):
    """A class in which each student handed in one of these, in folders of their own and as Canvas's zip: the notes of who has no submission."""
    folder = tmp_path_factory.mktemp("instead")
    students = {f"s{i}": members for i, (members, _) in enumerate(INSTEAD.values())}
    placed(folder / "own", {f"ann/{NAME}": SOLVED} | {f"{s}/{name}": c for s, members in students.items() for name, c in members.items()})
    (folder / "own" / "zed").mkdir()
    (folder / "own" / "zed" / NAME).symlink_to(folder / "own" / "ann" / NAME)
    flat = {f"{s}_{n}_{n}_{name.split('/')[-1]}": c for n, (s, members) in enumerate(students.items(), 10) for name, c in members.items()}
    (folder / "canvas.zip").write_bytes(packed({f"ann_1_2_{NAME}": SOLVED} | flat))
    quiet = Console(quiet=True)
    found = {way: collected([folder / name], LESSON, folder / "out", quiet)[0] for way, name in (("own", "own"), ("canvas", "canvas.zip"))}
    return {(way, f.student): " ".join(f.notes) for way, all_found in found.items() for f in all_found if f.path is None}


@pytest.mark.parametrize("way", ["own", "canvas"])
@pytest.mark.parametrize("which", INSTEAD)
def test_the_reason_names_the_file_that_lies_there(instead, way, which):
    assert INSTEAD[which][1] in instead[way, f"s{list(INSTEAD).index(which)}"]


def test_a_link_is_named(instead):
    assert f"{NAME}: a link" in instead["own", "zed"]


def test_namesakes_who_got_numbers_leave_nobody_behind(tmp_path):
    (tmp_path / "class.zip").write_bytes(
        packed({f"smithann_1_2_{NAME}": SOLVED, f"smithann_3_4_{NAME}": SOLVED, "leebo_5_6_x.pdf": "%PDF"})
    )
    found, _ = collected([tmp_path / "class.zip"], LESSON, tmp_path / "out", Console(quiet=True))
    assert {f.student for f in found} == {"smithann_1", "smithann_3", "leebo"}


@pytest.mark.parametrize("called", ["lee_{}_9_{}", "Ann Lee_{}_assignsubmission_file_/{}"])
def test_a_namesake_who_has_handed_in_no_notebook_is_another(tmp_path, called):
    members = {called.format(1, NAME): SOLVED, called.format(3, "report.pdf"): "%PDF"}
    (tmp_path / "class.zip").write_bytes(packed(members))
    found, _ = collected([tmp_path / "class.zip"], LESSON, tmp_path / "out", Console(quiet=True))
    name = called.partition("_")[0]
    assert {f.student: bool(f.path) for f in found} == {f"{name}_1": True, f"{name}_3": False}


def test_files_that_are_nobodys_are_told(tmp_path):
    console = Console(record=True, width=200)
    collected([placed(tmp_path / "class", {f"ann/{NAME}": SOLVED, "scan.pdf": "%PDF"})], LESSON, tmp_path / "out", console)
    assert "scan.pdf is not taken" in console.export_text()


def test_a_newer_attempt_takes_the_place_and_the_older_stays(tmp_path):
    first, second = (placed(tmp_path / n, {f"leebo_1_{n}_{NAME}": SOLVED + " " * n.count("2")}) for n in ("11", "22"))
    collect([first], tmp_path / "course")
    assert [row.state for row in collect([second], tmp_path / "course", dry_run=True).rows] == ["newer"]
    assert not list(tmp_path.glob("course/submitted/*/*/earlier"))
    collect([second], tmp_path / "course")
    place = tmp_path / "course" / "submitted" / "leebo" / LESSON
    assert (place / NAME).read_text() == SOLVED + "  " and (place / "earlier" / "1" / NAME).read_text() == SOLVED
    assert [row.state for row in collect([first], tmp_path / "course").rows] == ["known"]


LATER = {  # what comes in a second call beside what was brought, and why that still counts
    "without work": (f"ann/{NAME}", f"ann/{NAME}", BLANK, "no work in it"),
    "an older one": (f"leebo_1_22_{NAME}", f"leebo_1_11_{NAME}", SOLVED + " ", "Canvas says that it is older"),
}


@pytest.mark.parametrize(("first", "second", "text", "why"), LATER.values(), ids=LATER)
def test_of_several_calls_the_newest_with_work_in_it_counts(tmp_path, first, second, text, why):
    collect([placed(tmp_path / "1", {first: SOLVED})], tmp_path / "course", LESSON)
    [row] = collect([placed(tmp_path / "2", {second: text})], tmp_path / "course", LESSON).rows
    [counts] = tmp_path.glob(f"course/submitted/*/*/{NAME}")
    assert counts.read_text() == SOLVED and row.state == "older" and why in row.notes[-1]


def test_work_takes_the_place_of_none_whenever_it_came(tmp_path):
    collect([placed(tmp_path / "1", {f"leebo_1_22_{NAME}": BLANK})], tmp_path / "course", LESSON)
    collect([placed(tmp_path / "2", {f"leebo_1_11_{NAME}": SOLVED})], tmp_path / "course", LESSON)
    assert (tmp_path / "course" / "submitted" / "leebo" / LESSON / NAME).read_text() == SOLVED


def test_a_notebook_of_two_lessons_is_handed_in_for_both(tmp_path):
    other = solved_notebook(source.read(layout.source_path(SECOND)))
    both = nbformat.from_dict({**other, "cells": [*nbformat.reads(SOLVED, 4).cells, *other.cells]})
    files = {"ann/all.ipynb": nbformat.writes(both), "bo/all.ipynb": nbformat.writes(both), f"bo/{SECOND}.ipynb": nbformat.writes(other)}
    rows = {(row.student, row.lesson): row.file for row in collect([placed(tmp_path / "class", files)], tmp_path / "course").rows}
    assert rows == {
        ("ann", LESSON): "all.ipynb",
        ("ann", SECOND): "all.ipynb",
        ("bo", LESSON): "all.ipynb",
        ("bo", SECOND): f"{SECOND}.ipynb",
    }


def test_a_lesson_is_known_in_each_encoding_of_json(tmp_path):
    files = {f"{encoding}/work.ipynb": SOLVED.encode(encoding) for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-8-sig")}
    assert {row.student for row in collect([placed(tmp_path / "class", files)], tmp_path / "course").rows} == {
        f.split("/")[0] for f in files
    }


LATE = {  # when it is due, and what stands in the stamp of a late file of a zip from 3 March
    "after it was due": (datetime(2026, 3, 1, 22, 59), "2026-03-01 22:59:01.000000 UTC"),
    "no due date": (None, "2026-03-03"),
}


@pytest.mark.parametrize(("due", "stamp"), LATE.values(), ids=LATE)
def test_a_mark_of_lateness_becomes_a_time(tmp_path, due, stamp):
    """Canvas does not say when: just after it was due is the least that is sure; where nobody knows that, when it was downloaded."""
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        for name in (f"leebo_LATE_333_5_{NAME}", f"smithann_12_6_{NAME}"):
            archive.writestr(zipfile.ZipInfo(name, (2026, 3, 3, 12, 0, 0)), SOLVED)
    rows = collect([tmp_path / "class.zip"], tmp_path / "course", due={LESSON: due} if due else {}).rows
    place = tmp_path / "course" / "submitted"
    assert (place / "leebo" / LESSON / "timestamp.txt").read_text().startswith(stamp)
    assert not (place / "smithann" / LESSON / "timestamp.txt").exists()
    assert [row.student for row in rows if any("late, says Canvas" in note and stamp[:10] in note for note in row.notes)] == ["leebo"]


def test_a_due_date_that_is_set_later_changes_what_was_guessed(tmp_path):
    """And what somebody wrote stays."""
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        for name in (f"leebo_LATE_333_5_{NAME}", f"kimjo_LATE_12_6_{NAME}"):
            archive.writestr(zipfile.ZipInfo(name, (2026, 3, 9, 12, 0, 0)), SOLVED)
    stamps = [tmp_path / "course" / "submitted" / who / LESSON / "timestamp.txt" for who in ("leebo", "kimjo")]
    for due, found in ((None, "2026-03-09"), (datetime(2026, 3, 1), "2026-03-01 00:00:01"), (datetime(2026, 3, 4), "2026-03-04 00:00:01")):
        collect([tmp_path / "class.zip"], tmp_path / "course", due={LESSON: due} if due else {})
        assert stamps[0].read_text().startswith(found)
        stamps[1].write_text("2026-03-02 08:00:00 UTC\n")
    assert stamps[1].read_text() == "2026-03-02 08:00:00 UTC\n"


TIMES = {  # what a system says, where the machine is, and what that is in UTC
    "Blackboard, in Berlin": ({f"Homework_ann_attempt_2027-03-01-23-30-00_{NAME}": SOLVED}, "Europe/Berlin", "2027-03-01 22:30"),
    "Blackboard, in summer": ({f"Homework_ann_attempt_2027-07-01-23-30-00_{NAME}": SOLVED}, "Europe/Berlin", "2027-07-01 21:30"),
    "Brightspace, in New York": ({f"1-2 - ann - Mar 1, 2027 1130 PM/{NAME}": SOLVED}, "America/New_York", "2027-03-02 04:30"),
    "nbgrader": ({f"ann+{LESSON}+2027-03-01 23:30:00.000000 UTC/{NAME}": SOLVED}, "Europe/Berlin", "2027-03-01 23:30"),
    "Sakai": (
        {f"Hw/Lee, Ann(ann)/Submission attachment(s)/{NAME}": SOLVED, "Hw/Lee, Ann(ann)/timestamp.txt": "20270301233000000"},
        "Europe/Berlin", "2027-03-01 23:30",
    ),
    "Gradescope": (
        {f"submission_1/{NAME}": SOLVED, "submission_metadata.yml": "submission_1:\n  :submitters:\n  - :sid: ann\n  :created_at: 2027-03-01 23:30:00 -05:00\n"},
        "Europe/Berlin", "2027-03-02 04:30",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("members", "zone", "utc"), TIMES.values(), ids=TIMES)
def test_times_are_those_of_the_system_that_says_them(tmp_path, monkeypatch, members, zone, utc):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        collect([placed(tmp_path / "class", members)], tmp_path / "course", LESSON)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert (tmp_path / "course" / "submitted" / "ann" / LESSON / "timestamp.txt").read_text().startswith(utc)


SAKAI = {f"Hw/Lee, {name}/Submission attachment(s)/{NAME}": SOLVED for name in ("Ann(ann)", "Eve(eve)")}
NO_TIMES = {  # files whose names and contents a student chooses, in a class of somebody else's
    "the last day": {"eve/H_eve_attempt_9999-12-31-23-59-59_x.ipynb": SOLVED},
    "the first day": {"eve+03_self_attention+0001-01-01 00:00:00 UTC/x.ipynb": SOLVED},
    "Brightspace's last day": {"eve/1-2 - eve - Dec 31, 9999 1159 PM - x.ipynb": SOLVED},
    "a number without an end": SAKAI | {"Hw/Lee, Eve(eve)/timestamp.txt": "12h" + "9" * 90},
    "the name of a file": SAKAI | {"Hw/Lee, Eve(eve)/timestamp.txt": "Jan 14:00 12h0" + "A" * 300},
    "among attachments": SAKAI | {"Hw/Lee, Eve(eve)/Submission attachment(s)/timestamp.txt": "12h" + "9" * 90},
    "Gradescope's first day": {"s_1/x.ipynb": SOLVED, "submission_metadata.yml": "s_1:\n  :submitters:\n  - :sid: eve\n  :created_at: 0001-01-01 00:00:00 +14:00\n"},
}  # fmt: skip


@pytest.mark.parametrize("members", NO_TIMES.values(), ids=NO_TIMES)
def test_a_time_that_there_is_not_stops_no_class(tmp_path, monkeypatch, members):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        found = collect(
            [placed(tmp_path / "class", members if SAKAI.items() <= members.items() else {f"ann/{NAME}": SOLVED} | members)],
            tmp_path / "course",
            LESSON,
        )
    finally:
        monkeypatch.undo()
        time.tzset()
    assert len(found.rows) == 2 and (tmp_path / "course" / "submitted" / "ann" / LESSON / NAME).is_file()


def test_due_dates_are_the_gradebooks(tmp_path):
    assert due_dates(tmp_path) == {}
    create(tmp_path, [LESSON])
    assert due_dates(tmp_path) == {}
    with open_gradebook(tmp_path) as gradebook:
        gradebook.update_or_create_assignment(LESSON, duedate="2026-03-01 23:59:00 +01:00")
        expected = gradebook.find_assignment(LESSON).duedate
    assert due_dates(tmp_path) == {LESSON: expected}


def test_a_namesake_that_comes_later_gets_a_number(tmp_path):
    collect([placed(tmp_path / "a", {f"leebo_11_5_{NAME}": SOLVED})], tmp_path / "course")
    rows = collect([placed(tmp_path / "b", {f"leebo_22_6_{NAME}": SOLVED})], tmp_path / "course").rows
    assert [row.student for row in rows] == ["leebo_22"]


NEXT = (layout.NOTEBOOKS / "04_multi_head_attention.ipynb").read_text(encoding="utf-8")
MOODLE = {  # what is collected, call by call: each file's folder, which has the number; then who they are
    "the next lesson": ([{"Ann Lee_1": SOLVED, "Bo_2": SOLVED}, {"Ann Lee_7": NEXT, "Bo_8": NEXT}], ["Ann Lee", "Bo"]),
    "both lessons at once": ([{"Ann Lee_1": SOLVED, "Ann Lee_7": NEXT}], ["Ann Lee", "Ann Lee"]),
    "a namesake": ([{"Ann Lee_1": SOLVED}, {"Ann Lee_2": SOLVED}], ["Ann Lee_2"]),
    "a newer attempt": ([{"Ann Lee_1": SOLVED}, {"Ann Lee_1": SOLVED + " "}], ["Ann Lee"]),
    "two namesakes in the next lesson": ([{"Ann Lee_1": SOLVED}, {"Ann Lee_7": NEXT, "Ann Lee_8": NEXT}], ["Ann Lee_7", "Ann Lee_8"]),
    "one of two namesakes in the next lesson": ([{"Ann Lee_1": SOLVED, "Ann Lee_2": SOLVED}, {"Ann Lee_7": NEXT}], ["Ann Lee_7"]),
}


@pytest.mark.parametrize(("calls", "students"), MOODLE.values(), ids=MOODLE)
def test_moodles_numbers_are_an_assignments(tmp_path, calls, students):
    """A student has another one in each, so that it tells namesakes apart in one lesson and nobody else."""
    for number, folders in enumerate(calls):
        members = {f"{folder}_assignsubmission_file_/x.ipynb": text for folder, text in folders.items()}
        result = collect([placed(tmp_path / str(number), members)], tmp_path / "course")
    assert sorted(row.student for row in result.rows) == students
    assert all(("see who this is" in " ".join(row.notes)) == ("_" in row.student) for row in result.rows)


@pytest.mark.parametrize(("names", "student"), [(["Ann Lee", "Bo Kim"], "Ann Lee"), (["Ann Lee", "ann  lee", "Bo Kim"], "Ann Lee_7")])
def test_moodles_student_whose_name_two_of_the_list_have_is_none_of_them_unasked(tmp_path, names, student):
    """The other one may have handed in the lesson before."""
    for number, (folder, text) in enumerate({"Ann Lee_1": SOLVED, "Ann Lee_7": NEXT}.items()):
        sent = placed(tmp_path / str(number), {f"{folder}_assignsubmission_file_/x.ipynb": text})
        result = collect([sent], tmp_path / "course", listed=Listed(names))
    assert [row.student for row in result.rows] == [student]
    assert ("see who this is" in " ".join(result.rows[0].notes)) == (student != "Ann Lee")


def test_blackboards_own_text_is_told_where_it_is_all_that_came(tmp_path):
    attempt = "HW_{}_attempt_2026-11-03-14-13-00{}"
    members = {
        attempt.format("alee", f"_{NAME}"): SOLVED,
        attempt.format("alee", ".txt"): "Name: Ann",
        attempt.format("bkim", ".txt"): "Name: Bo",
    }
    (tmp_path / "gradebook.zip").write_bytes(packed(members))
    result = collect([tmp_path / "gradebook.zip"], tmp_path / "course")
    assert [row.student for row in result.rows] == ["alee"] and [out.student for out in result.left_out] == ["bkim"]


def mail(sender, hour, **files):
    message = EmailMessage()
    message["From"], message["Subject"], message["Date"] = sender, "Homework 3", f"Tue, 03 Nov 2026 {hour}:00:00 +0100"
    message.set_content("Dear all,\nhere it is.\n\nFrom now on I am on holiday.")
    for name, content in files.items():
        message.add_attachment(content if isinstance(content, bytes) else content.encode(), "application", "octet-stream", filename=name)
    return bytes(message)


ANN, AGAIN = mail("Ann Lee <Ann@x.edu>", 14, **{NAME: SOLVED, "me.png": "x"}), mail("ann@x.edu", 15, **{"hw3 (1).ipynb": SOLVED + " "})
BO, CY = mail('"Müller, Bo" <bo@x.edu>', 13, **{"work.zip": packed({NAME: SOLVED + "  "})}), mail("cy@x.edu", 13)
BOX = b"".join(b"From x@y.z Tue Nov  3 14:13:00 2026\n" + one.replace(b"\nFrom ", b"\n>From ") + b"\n\n" for one in (AGAIN, BO, CY, ANN))
MAILS = {  # what lies there, and who handed in which of the three
    "mails in a folder": ({"hw3.eml": ANN, "hw3 (1).eml": AGAIN, "bo.eml": BO, "cy.eml": CY}, {"ann@x.edu": 1, "bo@x.edu": 2}),
    "a mailbox": ({"inbox.mbox": BOX}, {"ann@x.edu": 1, "bo@x.edu": 2}),
    "mails of sections": ({"section 1/a.eml": AGAIN, "section 2/b.eml": BO}, {"ann@x.edu": 1, "bo@x.edu": 2}),
    "in students' folders, whoever sent them": ({"ada/x.eml": ANN, "ada/y.eml": AGAIN, "dev/z.eml": BO}, {"ada": 1, "dev": 2}),
    "a mailbox in a student's folder": ({"ada/in.mbox": BOX, f"dev/{NAME}": SOLVED}, {"ada": 1, "dev": 0}),
    "from a learning system, whoever sent them": ({"leeada_1_2_x.eml": ANN, "okridev_3_4_y.eml": BO}, {"leeada": 0, "okridev": 2}),
    "beside notebooks": ({"Ada - hw3.eml": ANN, "Dev - hw3.ipynb": SOLVED + "  "}, {"Ada": 0, "Dev": 2}),
    "out of its folder": ({"x.eml": mail("../../x@y.z", 13, **{"../" + NAME: SOLVED})}, {"_.._x@y.z": 0}),
}


@pytest.mark.parametrize(("files", "students"), MAILS.values(), ids=MAILS)
def test_mails_that_were_saved_whole(tmp_path, files, students):
    for name, content in files.items():
        path = tmp_path / "class" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    rows = collect([tmp_path / "class"], tmp_path / "course").rows
    handed_in = {row.student: tmp_path / "course" / "submitted" / row.student / LESSON / NAME for row in rows}
    assert {student: len(path.read_text()) - len(SOLVED) for student, path in handed_in.items()} == students
    if handed_in.get("ann@x.edu"):
        assert (handed_in["ann@x.edu"].parent / "timestamp.txt").read_text() == "2026-11-03 14:00:00 UTC\n"


def test_scripts_of_ones_own_come_along(tmp_path):
    members = {f"lee_1_2_{NAME}": SOLVED, "lee_1_3_helper.py": "x = 1", "kim_4_5_helper.py": "x = 2", "lee_1_6_not-a-module.py": "x = 3"}
    (tmp_path / "s.zip").write_bytes(packed(members))
    result = collect([tmp_path / "s.zip"], tmp_path / "course")
    assert [row.notes for row in result.rows] == [("with helper.py, not-a-module.py",)]
    assert [out.shown for out in result.left_out] == ["kim_4_5_helper.py"], "what comes along is not said to be left out"
    handed_in = tmp_path / "course" / "submitted" / "lee" / LESSON
    assert {path.name: path.read_text() for path in handed_in.glob("*.py")} == {"helper.py": "x = 1", "not-a-module.py": "x = 3"}
    one = next(found for found in find([tmp_path / "course"], LESSON) if found.student == "lee")
    before = key(one, "auto")
    (handed_in / "helper.py").write_text("x = 4")
    assert key(one, "auto") != before  # the result depends on it


def test_a_text_is_called_by_what_it_holds(tmp_path):
    """Where it is read, its name says how: a script, or code between fences."""
    code = "def causal_mask(n):\n    return n\n"
    members = {
        "ann_1_2_hw3.txt": code,
        "bo_3_4_hw3.txt": f"# 03\n\n```python\n{code}```\n",
        "cy_5_6_hw3.dbc": packed({"x.python": '{"commands": [{"command": "x"}]}'}),
    }
    rows = collect([placed(tmp_path / "s", members)], tmp_path / "course", LESSON).rows
    names = {path.parent.parent.name: path.name for path in (tmp_path / "course" / "submitted").rglob(f"{LESSON}.*")}
    assert names == {"ann": f"{LESSON}.py", "bo": f"{LESSON}.md", "cy": f"{LESSON}.ipynb"} and len(rows) == 3


def test_models_come_along_under_their_own_names(tmp_path):
    solved = (layout.NOTEBOOKS / "07_gpt.ipynb").read_text()
    members = {"leebo_1_2_07_gpt.ipynb": solved, "leebo_1_3_gpt-1.safetensors": b"x", "leebo_1_4_gpt_config.json": b"{}"}
    collect([placed(tmp_path / "flat", members)], tmp_path / "course")
    assert {p.name for p in (tmp_path / "course/submitted/leebo/07_gpt").iterdir()} == {
        "07_gpt.ipynb",
        "gpt.safetensors",
        "gpt_config.json",
    }


EVIL = {
    "a path out of it": {f"../../ann/{NAME}": SOLVED},
    "an absolute path out of it": {f"/tmp/../../ann/{NAME}": SOLVED},
    "a place on a drive": {f"C:ann\\{NAME}": SOLVED},
    "a bomb": {NAME: b"\0" * (50 * 2**20)},
}


@pytest.mark.parametrize("members", EVIL.values(), ids=EVIL)
def test_archives_are_unpacked_safely(tmp_path, members):
    (tmp_path / "evil.zip").write_bytes(packed(members))
    result = archive.unpack(tmp_path / "evil.zip", tmp_path / "a" / "b" / "folder")
    assert len(result.left_out) == 1
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [tmp_path / "evil.zip"]


@pytest.mark.parametrize("name", [f"/tmp/ann/{NAME}", f"//tmp/ann/{NAME}", f"C:\\tmp\\ann\\{NAME}", f"c:/tmp/ann/{NAME}"])
def test_a_path_from_the_top_of_a_disk_is_one_in_the_archive(tmp_path, name):
    (tmp_path / "all.zip").write_bytes(packed({name: SOLVED}))
    assert archive.unpack(tmp_path / "all.zip", tmp_path / "folder").left_out == []
    assert list((tmp_path / "folder").rglob("*.ipynb")) == [tmp_path / "folder" / "tmp" / "ann" / NAME]


def test_an_archive_that_says_less_than_it_holds_ends_early(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_FILES", 3)
    (tmp_path / "many.zip").write_bytes(packed({f"{i}.py": "x" for i in range(4)}))
    with pytest.raises(archive.BadArchive, match="more than 3 files"):
        archive.unpack(tmp_path / "many.zip", tmp_path / "folder")
    (tmp_path / "cut.zip").write_bytes(packed({NAME: SOLVED})[:-30])
    with pytest.raises(archive.BadArchive):
        archive.unpack(tmp_path / "cut.zip", tmp_path / "other")


def test_a_disk_that_is_full_is_said_without_a_place_of_ours(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "scratch" / NAME))

    (tmp_path / "all.zip").write_bytes(packed({NAME: SOLVED}))
    monkeypatch.setattr(archive, "_copy", full)
    with pytest.raises(archive.BadArchive, match=r"^the archive cannot be unpacked \(No space left on device\)$"):
        archive.unpack(tmp_path / "all.zip", tmp_path / "folder")


def test_a_data_set_costs_nobody_the_notebooks_beside_it(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_FILES", 4)
    data = {f"ann_1_2_hw/data/{i}.txt": "x" for i in range(9)} | {f"ann_1_2_hw/venv/lib/{i}.py": "x" for i in range(9)}
    (tmp_path / "all.zip").write_bytes(packed({**data, f"ann_1_2_hw/{NAME}": SOLVED, f"bo_3_4_{NAME}": SOLVED, "cy_5_6_hw.pdf": "x"}))
    result = archive.unpack(tmp_path / "all.zip", tmp_path / "folder")
    assert {path.name for path in (tmp_path / "folder").rglob("*.*")} >= {NAME, f"bo_3_4_{NAME}", "cy_5_6_hw.pdf"}
    assert len(result.left_out) == 1 and "more than 4 files" in result.left_out[0][1]


def test_attempts_of_one_name_are_told_by_their_folders(tmp_path):
    members = {f"1-7 - Ann Lee - Mar {day}, 2027 134 PM/{NAME}": text for day, text in ((1, BLANK), (3, SOLVED))}
    (row,) = collect([placed(tmp_path / "all", members)], tmp_path / "course", LESSON).rows
    assert any(f"Mar 3, 2027 134 PM/{NAME} counts, not 1-7 - Ann Lee - Mar 1" in note for note in row.notes)


def test_files_of_a_data_set_are_counted_and_not_listed():
    result = Collected(left_out=[LeftOut(f"ann/data/{i}.txt", "neither a notebook nor a script", "ann") for i in range(999)])
    told = list(lines(result, 100))
    assert len(told) < 20 and "994 more" in " ".join(told)


OUTPUTS = [
    {"output_type": "stream", "name": "stdout", "text": ['a "quote" \\ ] } [ {\n'] * 50},
    {"output_type": "display_data", "data": {"image/png": "A" * 5000}, "metadata": {"outputs": [1]}},
]


@pytest.mark.parametrize("indent", [None, 1])
def test_outputs_are_left_out_and_nothing_else(tmp_path, indent):
    """Against Python's own parser, with words in a cell that look like outputs."""
    notebook = json.loads(SOLVED)
    notebook["cells"][5]["source"] = 'x = "\\"outputs\\": [1, 2"  # {"outputs": ["'
    expected = json.loads(json.dumps(notebook))
    for cell, kept in zip(notebook["cells"], expected["cells"], strict=True):
        if cell["cell_type"] == "code":
            cell["outputs"], kept["outputs"] = OUTPUTS, []
    path = placed(tmp_path, {NAME: json.dumps(notebook, indent=indent)}) / NAME
    assert json.loads(without_outputs.read(path, 2**20)) == expected


def test_outputs_do_not_count_against_the_size(tmp_path):
    notebook = json.loads(SOLVED)
    notebook["cells"][-1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x\\n" * 9_000_000}]
    path = placed(tmp_path, {f"ann/{NAME}": json.dumps(notebook)}) / "ann" / NAME
    assert path.stat().st_size > 25 * 2**20
    tracemalloc.start()
    try:
        assert [f.lesson for f in find([tmp_path])] == [LESSON]
        without_outputs.read(path, 2**20)
        assert tracemalloc.get_traced_memory()[1] < 2**23, "what is left out is never in memory as a whole"
    finally:
        tracemalloc.stop()
    with pytest.raises(without_outputs.TooLarge):
        without_outputs.read(path, 1000)


def test_the_command_says_what_it_would_do(tmp_path):
    placed(tmp_path / "flat", {f"leebo_1_2_{NAME}": SOLVED, "kim_3_4_essay.pdf": "%PDF"})
    files = [str(p) for p in (tmp_path / "flat").iterdir()]
    told = CliRunner().invoke(app, ["collect", *files, "--into", str(tmp_path / "course"), "--dry-run"])
    assert told.exit_code == 0 and "leebo" in told.output and "not taken" in told.output and "would be" in told.output
    assert not (tmp_path / "course").exists()


def test_the_day_in_an_archives_name_says_which_is_the_newest(tmp_path):
    for day, name in ((1, NAME), (2, "Untitled.ipynb")):
        with zipfile.ZipFile(tmp_path / f"Lee_Ann_2027-03-0{day}_14.13.00.zip", "w") as archive:
            archive.writestr(name, SOLVED + " " * day)
    [row] = collect(sorted(tmp_path.iterdir()), tmp_path / "course", LESSON, dry_run=True).rows
    assert row.student == "Lee_Ann" and row.file.endswith("Untitled.ipynb"), row


def test_the_table_says_what_was_repaired_and_what_cannot_be(tmp_path):
    folder = placed(tmp_path / "class", {f"ann/{NAME}": SOLVED.rstrip()[:-1] + ",}", f"bo/{NAME}": SOLVED, f"cy/{NAME}": "404: Not Found"})
    rows = {row.student: row.notes for row in collect([folder], tmp_path / "course", LESSON).rows}
    assert "read as it is meant" in rows["ann"][-1] and not rows["bo"] and "cannot be read" in rows["cy"][-1]
    assert not any(row.notes for row in collect([folder], tmp_path / "course", LESSON).rows), "which a second call brings nothing of"


def test_the_table_tells_a_text_that_stood_twice_in_its_cell(tmp_path):
    notebook = nbformat.reads(SOLVED, 4)
    cell = next(cell for cell in notebook.cells if "def causal_mask" in cell.source)
    cell.source += cell.source
    [row] = collect([placed(tmp_path / "class", {f"ann/{NAME}": nbformat.writes(notebook)})], tmp_path / "course", LESSON).rows
    assert "its text stood twice in its cell" in " ".join(row.notes)


SCRIPTS = {  # content of a script beside the notebook, and what the student is told of it
    "helper.py": (b"x = 1", ""),
    "latin.py": ("# coding: latin-1\nx = 'é'".encode("latin-1"), ""),
    "my-helper.py": (b"x = 1", ""),
    "utils.py": (b"x = 1", "the course"),
    "random.py": (b"x = 1", "Python"),
    "numpy.py": (b"x = 1", "package"),
    "large.py": (b"#" * (helpers.MAX_BYTES + 1), "128 KiB"),
    "cp1252.py": ("x = 'é'".encode("cp1252"), "UTF-8"),
    "odd.py": (b"# coding: rot13\nk = 1", "UTF-8"),
}


def test_of_scripts_that_cannot_be_imported_everybody_is_told(tmp_path):
    folder = placed(tmp_path / "class" / "ann", {NAME: SOLVED})
    for name, (content, _) in SCRIPTS.items():
        (folder / name).write_bytes(content)
    (folder / "link.py").symlink_to(folder / "helper.py")
    [found] = find([tmp_path / "class"], LESSON)
    told = {note.split()[0]: note for note in found.notes}
    assert told.keys() == {"link.py", *(name for name, (_, why) in SCRIPTS.items() if why)}
    assert all(why in told[name] for name, (_, why) in SCRIPTS.items() if why)
    taken = helpers.texts(folder, helpers.beside(folder, NAME))
    assert taken["latin.py"] == "# coding: latin-1\nx = 'é'" and taken.keys() >= {"helper.py", "my-helper.py"}
    [row] = collect([tmp_path / "class"], tmp_path / "course", dry_run=True).rows
    assert all(any(name in note and why in note for note in row.notes) for name, (_, why) in SCRIPTS.items() if why)


def test_one_script_that_cannot_be_read_costs_only_itself(tmp_path, monkeypatch):
    folder = placed(tmp_path, {"a.py": "x = 1", "b.py": "y = 2"})
    stat = Path.stat

    def fails(path, **options):
        if path.name == "a.py":
            raise OSError(5, "Input/output error")
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", fails)
    assert [path.name for path in helpers.beside(folder)] == ["b.py"]
    assert "Input/output error" in helpers.told(folder)[0]


@pytest.mark.parametrize(("holds", "is_the_graders"), [("grader.log", True), ("grades.csv", True), ("03_self_attention.ipynb", False)])
def test_a_results_folder_among_the_submissions_is_the_graders_from_the_first_second_on(tmp_path, holds, is_the_graders):
    """`grade trial --out trial/graded` reads the class when no more than the log is there."""
    (tmp_path / "graded").mkdir()
    (tmp_path / "graded" / holds).touch()
    assert not_handed_in.is_graders(tmp_path / "graded") == is_the_graders


@pytest.mark.parametrize("holds", [[], [".lock"], [".lock", "grader.log"]])
def test_where_results_go_is_nobodys_folder_also_while_it_is_empty(tmp_path, holds):
    """`grade trial --out trial/results` once had a student `results`, who handed in nothing."""
    placed(tmp_path / "trial", {f"ann/{NAME}": BLANK})
    out = tmp_path / "trial" / "results"
    out.mkdir()
    for name in holds:
        (out / name).touch()
    found, _ = collected([tmp_path / "trial"], LESSON, out, Console(quiet=True))
    assert [one.student for one in found] == ["ann"]


LONG = "wolfeschlegelsteinhausenbergerdorff_1234567_89012345_homework_of_the_third_week_about_self_attention.ipynb"
TOLD = Collected(
    rows=[
        Row("李明", LESSON, f"liming_12_34_{NAME}", "new"),
        Row(
            "wolfeschlegelsteinhausenbergerdorff",
            LESSON,
            LONG,
            "newer",
            ("late, says Canvas, without the time: 2027-03-02 00:00 UTC is taken",),
        ),
    ],
    left_out=[LeftOut("report_on_my_work.pdf", "a PDF, not a notebook: ask for the .ipynb file", "ann")],
    doubts=["`v1` and `v2` are taken for students; they may be attempts of one"],
)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_what_was_collected_is_told_without_a_name_in_pieces(width):
    """A table of five columns once cut each file's name into four pieces at 80 columns, and told it twice."""
    said = list(lines(TOLD, width))
    assert all(cell_len(line) <= max(width, 4 + len(LONG)) for line in said)
    for name in (f"liming_12_34_{NAME}", LONG, "report_on_my_work.pdf"):
        assert sum(name in line for line in said) == 1
    assert " ".join(" ".join(said).split()).count("late, says Canvas, without the time: 2027-03-02 00:00 UTC is taken") == 1
    assert max(cell_len(line) for line in said if LONG not in line) <= max(width, 60)


def test_the_name_of_a_file_is_told_once(tmp_path):
    (row,) = collect([placed(tmp_path / "class", {"ann/homework 3.ipynb": SOLVED})], tmp_path / "course").rows
    assert (row.file, row.notes) == ("homework 3.ipynb", ())


@pytest.mark.parametrize("named", [f"ann/{LESSON}/{NAME}", f"ann/{LESSON}", "ann"])
def test_one_student_of_the_class_can_be_graded_alone(tmp_path, named):
    """The file itself was brought in again, and everybody graded."""
    submitted = tmp_path / "course" / "submitted"
    placed(submitted, {f"{who}/{LESSON}/{NAME}": SOLVED for who in ("ann", "bo")})
    found, looked = collected([submitted / named], LESSON, tmp_path / "course", Console(quiet=True))
    assert [f.student for f in found] == ["ann"] and looked == [submitted / "ann"]
    both, _ = collected([submitted / who / LESSON / NAME for who in ("ann", "bo")], None, tmp_path / "course", Console(quiet=True))
    assert [f.student for f in both] == ["ann", "bo"]


@pytest.mark.parametrize("graded", [True, False])
@pytest.mark.parametrize("goes", ["once", "each time"])
def test_a_file_that_goes_while_it_is_looked_at_ends_nobodys_grading(tmp_path, monkeypatch, graded, goes):
    """It ended the whole command, with what had been graded so far."""
    sent, course, usual = placed(tmp_path / "sent", {f"{who}/{NAME}": SOLVED for who in ("ann", "bo")}), tmp_path / "course", take.full_name

    def busy(name):
        moved = sent / "bo" / NAME
        if moved.exists() or goes == "each time":
            moved.unlink(missing_ok=True)
            raise FileNotFoundError(2, "No such file or directory", str(moved))
        return usual(name)

    monkeypatch.setattr(take, "full_name", busy)
    look = partial(collected, [sent], LESSON, course, Console(quiet=True)) if graded else partial(collect, [sent], course)
    if goes == "each time":
        with pytest.raises(FileNotFoundError):
            look()
        return
    found = look()
    assert [one.student for one in (found[0] if graded else found.rows)] == ["ann"] + ["bo"] * graded


def test_a_folder_that_goes_before_it_is_graded_ends_nobodys_grading(tmp_path, monkeypatch):
    [found] = find([placed(tmp_path / "class", {f"ann/{NAME}": SOLVED})])

    def gone(folder, name):
        raise FileNotFoundError(2, "No such file or directory", str(folder))

    monkeypatch.setattr(helpers, "beside", gone)
    assert files(found) == [found.path] and key(found, "auto")


@pytest.mark.parametrize(
    ("folder", "student"), [("Downloads", None), ("notebooks", None), ("Desktop", None), ("late", None), ("ann", "ann"), ("s123", "s123")]
)
def test_a_file_by_itself_is_nobodys_where_its_folder_calls_nobody(tmp_path, folder, student):
    """A student `Downloads` was graded."""
    file = placed(tmp_path / folder, {NAME: SOLVED}) / NAME
    found = collect([file], tmp_path / "course")
    assert [row.student for row in found.rows] == ([student] if student else [])
    assert [one.shown for one in found.left_out] == ([] if student else [NAME])


def test_a_submission_that_was_taken_away_is_brought_again(tmp_path):
    """It was "known", and the student had handed in nothing."""
    source, course = placed(tmp_path / "class", {f"ann/{NAME}": SOLVED, f"bo/{NAME}": SOLVED + " "}), tmp_path / "course"
    collect([source], course)
    shutil.rmtree(course / "submitted" / "ann")
    assert {row.student: row.state for row in collect([source], course).rows} == {"ann": "new", "bo": "known"}
    assert (course / "submitted" / "ann" / LESSON / NAME).read_text() == SOLVED


def test_a_gradebook_in_a_students_folder_makes_it_no_course(tmp_path):
    """Who had tried nbgrader there was passed over, and taken for a course where that folder alone was named."""
    students = {
        f"{student}/{name}": text for student in ("ann", "bo") for name, text in ((NAME, SOLVED), ("gradebook.db", "SQLite format 3"))
    }
    placed(tmp_path / "class", {**students, "graded/gradebook.db": "SQLite format 3", "graded/feedback/ann/x.html": "<p>"})
    found, _ = collected([tmp_path / "class"], LESSON, tmp_path / "out", Console(quiet=True))
    assert [(f.student, bool(f.path)) for f in found] == [("ann", True), ("bo", True)]
    [alone] = collected([tmp_path / "class" / "ann"], LESSON, tmp_path / "out", Console(quiet=True))[0]
    assert alone.student == "ann" and alone.path and home([tmp_path / "class" / "ann"]) == Path("graded")
