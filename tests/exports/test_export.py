"""Grades for other systems: what pandas and Canvas read, with the points that people gave, and nothing that a spreadsheet would run."""

import csv
import io
import json
import re
import shutil
from dataclasses import replace

import nbformat
import pandas
import pytest
from typer.testing import CliRunner

from autograde import layout
from autograde.checking.lesson import read_manifest
from autograde.checking.scoring import Result
from autograde.cli import app
from autograde.exports import canvas, marks, not_graded, results, table
from autograde.grader.gradebook import roster as roster_of
from autograde.grader.gradebook.course_dir import create, open_gradebook
from autograde.grader.gradebook.record import Records
from autograde.grader.ingest.collect import Ledger
from autograde.grader.ingest.discovery import Found
from autograde.grader.results.class_list import ClassList
from autograde.grader.results.csv_tables import guarded, safe, save, unguarded
from autograde.grader.results.model import Graded
from autograde.grader.run.submission import _why_missing

LESSON, OTHER = "03_self_attention", "04_multi_head_attention"
EVIL = "=cmd|'_C calc'!A0"
HEADER = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Notes", "Self-attention (881)", "Essay (882)", "Final Score"]


def graded(student, lesson, share, status="graded"):
    """A submission with the same share of every exercise's points."""
    listed = [
        Result(n, round(e["points"] * share, 2), e["points"], "partial")
        for n, e in read_manifest(lesson)["exercises"].items()
        if e["points"]
    ]
    notebook = nbformat.reads((layout.NOTEBOOKS / f"{lesson}.ipynb").read_text(), 4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = "An answer in words."
    return Graded(student, lesson, status, listed, notebook=nbformat.writes(notebook))


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """ada has a graded written answer, ben waits for his, 007 has one lesson, mo handed in nothing, one name is a formula."""
    folder = tmp_path_factory.mktemp("course")
    create(folder, [LESSON, OTHER])
    class_ = [
        graded("ada", LESSON, 1),
        graded("ben", LESSON, 0.5),
        graded("ada", OTHER, 0.5),
        graded("007", OTHER, 1),
        graded(EVIL, LESSON, 0),
    ]
    records = Records(folder)
    for one in class_:
        records.record(one, "digest")
    records.close()
    save([*class_, graded("mo", LESSON, 0, "missing")], folder)
    with open_gradebook(folder) as gradebook:
        for student, lesson in (("ada", LESSON), ("ada", OTHER), ("007", OTHER), (EVIL, LESSON)):
            _give(gradebook, student, lesson, 2.5 if student == "ada" else 0.0)
    return folder


def _give(gradebook, student, lesson, points):
    """What formgrader does with a written answer."""
    written = next(g for g in gradebook.find_submission_notebook(lesson, lesson, student).grades if g.needs_manual_grade)
    written.manual_score, written.needs_manual_grade = points, False
    gradebook.db.commit()


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def cells(content):
    return list(csv.reader(io.StringIO(content.decode())))


def roster(path, *students, header=HEADER, points=("27", "10"), encoding="utf-8", separator=","):
    rows = [
        header,
        ["", "", "", "", "", "", "Manual Posting", "", ""],
        ["    Points Possible", "", "", "", "", "", *points, "(read only)"],
        *students,
    ]
    path.write_text("\r\n".join(separator.join(f'"{c}"' for c in row) for row in rows), encoding=encoding)
    return path


ADA = ["Lovelace, Ada", "11", "s-1", "ADA", "Lab 1", "sits in front", "3", "9", "50"]
SEVEN = ["Bond, James", "12", "007", "jb@example.com", "Lab 2", "", "", "8", "40"]
TEST = ["Student, Test", "99", "", "5f3", "Lab 1", "", "1", "", "0"]


# --- one lesson, and a column for each exercise


def test_one_lesson_alone_in_every_format(course, tmp_path):
    for format, out in (("csv", tmp_path / "a.csv"), ("canvas", tmp_path / "b.csv"), ("gradescope", tmp_path / "c")):
        assert run("export", course, "--format", format, "--lesson", "03", "--out", out).exit_code == 0
    frame = pandas.read_csv(tmp_path / "a.csv", dtype={"student_id": str}).set_index("student_id")
    assert list(frame.columns) == [LESSON, "total", "max_total"] and frame.max_total.unique().tolist() == [27]
    assert "007" not in frame.index, "he has only the other lesson"
    assert OTHER not in (tmp_path / "b.csv").read_text(encoding="utf-8")
    assert [path.name for path in (tmp_path / "c").iterdir()] == [LESSON]
    refused = run("export", course, "--format", "csv", "--lesson", "05")
    assert refused.exit_code == 2 and LESSON in refused.stderr


def test_a_column_for_each_exercise_has_the_gradebooks_points(course, tmp_path):
    assert run("export", course, "--format", "csv", "--exercises", "--out", tmp_path / "wide.csv").exit_code == 0
    frame = pandas.read_csv(tmp_path / "wide.csv", dtype={"student_id": str}).set_index("student_id")
    own = [name for name in frame.columns if name.startswith(f"{LESSON}/")]
    assert [name.split("/")[1] for name in own][:2] == ["query_key_value", "attention_scores"] and len(own) == 9
    assert frame.loc["ada", own].sum() == frame.loc["ada", LESSON] == 26.5
    assert frame.loc[["mo", "007"], own].isna().all(axis=None) and list(frame.columns)[-2:] == ["total", "max_total"]
    zeros = table.wide(marks.read(course), zeros=True, exercises=True)
    assert not any("" in row for row in cells(zeros))


@pytest.mark.parametrize("format", ["canvas", "gradescope"])
def test_a_column_for_each_exercise_is_for_tables(course, format):
    assert run("export", course, "--format", format, "--exercises").exit_code == 2


# --- marks


def test_points_given_by_people_are_in_the_marks(course):
    found = marks.read(course)
    assert found.score("ada", LESSON) == 26.5 and found.maximum(LESSON) == 27
    assert found.score("ben", LESSON) == 12 and [m.student for m in found.waiting] == ["ben"]
    assert found.score("mo", LESSON) is None and found.score("mo", LESSON, zeros=True) == 0
    parts = {p.name: (p.score, p.max_score) for p in found.by_key["ada", LESSON].parts}
    assert parts["attention_scores"] == (3, 3) and (2.5, 3) in parts.values() and sum(score for score, _ in parts.values()) == 26.5


def test_a_late_penalty_is_taken_off_and_never_goes_below_nothing(course, tmp_path):
    shutil.copytree(course, tmp_path / "late")
    with open_gradebook(tmp_path / "late") as gradebook:
        gradebook.update_or_create_submission(LESSON, "ada").notebooks[0].late_submission_penalty = 6.5
        gradebook.update_or_create_submission(LESSON, "ben").notebooks[0].late_submission_penalty = 50
        gradebook.db.commit()
    found = marks.read(tmp_path / "late")
    assert found.score("ada", LESSON) == 20 and found.score("ben", LESSON) == 0


def test_a_table_alone_is_enough_and_says_what_it_lacks(course, tmp_path):
    (tmp_path / "grades.csv").write_bytes((course / "grades.csv").read_bytes())
    found = marks.read(tmp_path)
    assert not found.written and found.score("ada", LESSON) == 24 and found.score(EVIL, LESSON) == 0
    done = run("export", tmp_path, "--format", "csv")
    assert done.exit_code == 0 and "no gradebook.db" in done.output


def test_the_table_that_nbgrader_exports_under_the_same_name_is_passed_over(course, tmp_path):
    shutil.copytree(course, tmp_path / "both")
    (tmp_path / "both" / "grades.csv").write_text("assignment,duedate,timestamp,student_id,raw_score,score,max_score\n03,,,ada,1,1,27\n")
    assert marks.read(tmp_path / "both").score("ada", LESSON) == 26.5


@pytest.mark.parametrize(
    "content", [None, "student_id,score\nada,1\n", "student_id,assignment,score,max_score,status\nada,03,much,24,graded\n"]
)
def test_what_holds_no_grades_is_an_error_that_says_what_to_do(tmp_path, content):
    if content:
        (tmp_path / "grades.csv").write_text(content)
    done = run("export", tmp_path, "--format", "csv")
    assert done.exit_code == 2 and "grade" in done.stderr and "Traceback" not in done.stderr


# --- csv


def test_pandas_reads_the_table_with_the_right_types(course):
    assert run("export", course, "--format", "csv").exit_code == 0
    frame = pandas.read_csv(course / "export.csv", dtype={"student_id": str}).set_index("student_id")
    assert list(frame.columns) == [LESSON, OTHER, "total", "max_total"] and set(map(str, frame.dtypes)) == {"float64"}
    assert frame.loc["ada"].tolist() == [26.5, 14.5, 41.0, 54.0]
    assert frame.loc["007", OTHER] == 24 and frame.isna().loc["007", LESSON] and frame.loc["mo", "total"] == 0
    assert not pandas.read_csv(io.BytesIO(table.wide(marks.read(course), zeros=True))).isna().any().any()


@pytest.mark.parametrize("text", ["=1+1", "+1+1", "-1+1|x", "@sum", "-cmd", " =1", "\t=1", "\n@x", "\x00=1", "＝1+1", "＠x"])
def test_no_text_begins_like_a_formula(text):
    assert safe(text).startswith("'") and unguarded(safe(text)) == " ".join(text.replace("\x00", "").split())


@pytest.mark.parametrize("text", [" =1+1", "\t=1+1", "\r\n@x", "x; =1", "\u3000=1"])
def test_blanks_before_a_formula_are_no_guard(text):
    assert guarded(text) != text and unguarded(guarded(text)) == text


@pytest.mark.parametrize("text", ["x;=1+1", 'x;"=1"', "a;b;@sum", "=1;+2"])
def test_none_begins_like_one_in_another_countrys_spreadsheet(text):
    assert not re.search(r'(^|;)"?[=+@-]', safe(text)) and unguarded(safe(text)) == text


@pytest.mark.parametrize("text", ["-1.5", "12", "1e-05", "ada", "a=b", ""])
def test_numbers_and_names_stay_as_they_are(text):
    assert safe(text) == text


def test_who_is_only_in_the_roster_has_a_row_and_no_points(course, tmp_path):
    folder = shutil.copytree(course, tmp_path / "course")
    (folder / "roster.csv").write_text("student_id,name,section,email\nada,Ada,1,\nzoe,Zoe,1,\nold,Old,1,\n")
    listed = ClassList(folder, gone={"old"})
    listed.save()
    rows = {row[0]: row[1:] for row in cells(table.wide(marks.read(folder)))}
    assert rows["zoe"][:3] == ["", "", "0.0"] and rows["zoe"][4:6] == ["zoe", "Zoe"] and "old" not in rows and len(rows) == 7
    assert cells(table.wide(marks.read(folder), zeros=True))[-1][:4] == ["zoe", "0.0", "0.0", "0.0"]
    assert "zoe" not in canvas.without_roster(marks.read(folder)).content.decode()


def test_a_name_that_is_a_formula_is_text_in_every_export(course):
    found = marks.read(course)
    for content in (table.wide(found), canvas.without_roster(found).content):
        assert EVIL in content.decode() and all(not cell.startswith("=") for row in cells(content) for cell in row)


def test_a_0_of_what_could_not_be_graded_is_told(tmp_path):
    pdf = Found("bo", LESSON, None, ("answer.pdf: a PDF",))
    results = [replace(r, status="missing", diagnosis=_why_missing(pdf)) for r in graded("bo", LESSON, 0).results]
    class_ = [graded("ann", LESSON, 0, "unreadable"), graded("cy", LESSON, 0), Graded("bo", LESSON, "missing", results)]
    save(class_, tmp_path)
    (unreadable,) = not_graded.told(tmp_path, [LESSON], zeros=False)
    assert "ann (03)" in unreadable and "cannot be read" in unreadable
    assert "bo (03)" in not_graded.told(tmp_path, [LESSON], zeros=True)[1] and not_graded.told(tmp_path, [OTHER], zeros=True) == []


# --- canvas
def test_a_name_that_canvas_lets_a_student_choose_is_run_nowhere(course, tmp_path):
    names = [EVIL, '="="&HYPERLINK(1)', "\t@SUM(1)", "+1 (2)", "-Ann", "Ann;=1+1", "\x1b]0;owned\x07[red]Ann"]
    people = [[name.replace('"', '""'), str(20 + i), f"={i}", f"login{i}", "Lab 1", "", "EX", "", ""] for i, name in enumerate(names)]
    sheet = canvas.fill(marks.read(course), roster(tmp_path / "c.csv", ADA, *people), zeros=True)
    rows = cells(sheet.content)[3:]
    assert [unguarded(row[0]) for row in rows] == [name.strip() for name in names] and [row[1:4] for row in rows] == [
        [p[1], p[2], p[3]] for p in people
    ]
    assert not any(re.search(r"(^|;)[=+@-]", row[0]) for row in rows)
    assert any("Ann" in note for note in sheet.notes) and not any("\x1b" in note for note in sheet.notes)


def test_the_roster_comes_back_with_our_columns_filled(course, tmp_path):
    sheet = canvas.fill(marks.read(course), roster(tmp_path / "c.csv", ADA, SEVEN, TEST))
    assert cells(sheet.content) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Self-attention (881)", OTHER],
        ["    Points Possible", "", "", "", "", "27.0", "27.0"],
        ["Lovelace, Ada", "11", "s-1", "ADA", "Lab 1", "26.5", "14.5"],
        ["Bond, James", "12", "007", "jb@example.com", "Lab 2", "", "24.0"],
        ["Student, Test", "99", "", "5f3", "Lab 1", "1", ""],
    ]
    assert sheet.filled == 2 and sheet.unmatched == [EVIL, "ben", "mo"]
    assert len(sheet.notes) == 1 and OTHER in sheet.notes[0]


def test_zeros_are_for_students_not_for_the_test_student(course, tmp_path):
    rows = cells(canvas.fill(marks.read(course), roster(tmp_path / "c.csv", SEVEN, TEST), zeros=True).content)
    assert rows[2][5:] == ["0.0", "24.0"] and rows[3][5:] == ["1", ""]


def test_a_score_that_canvas_has_is_not_emptied(course, tmp_path):
    had = [*SEVEN[:6], "7.5", *SEVEN[7:]]
    assert cells(canvas.fill(marks.read(course), roster(tmp_path / "c.csv", had)).content)[2][5] == "7.5"


@pytest.mark.parametrize(("encoding", "separator"), [("utf-8-sig", ","), ("utf-8", ";"), ("utf-8-sig", ";")])
def test_other_locales_of_canvas_are_read(course, tmp_path, encoding, separator):
    ada = ["Łovelace, Åda", *ADA[1:]]
    sheet = canvas.fill(marks.read(course), roster(tmp_path / "c.csv", ada, encoding=encoding, separator=separator))
    assert cells(sheet.content)[2][:6] == ["Łovelace, Åda", "11", "s-1", "ADA", "Lab 1", "26.5"]


def test_other_points_in_canvas_are_told(course, tmp_path):
    notes = canvas.fill(marks.read(course), roster(tmp_path / "c.csv", ADA, points=("100", "10"))).notes
    assert any("100 points in Canvas and 27 here" in note for note in notes)


def test_an_id_of_two_rows_is_nobodys(course, tmp_path):
    sheet = canvas.fill(
        marks.read(course), roster(tmp_path / "c.csv", ADA, ["Lovelace, Adam", "13", "s-2", "ada", "Lab 2", "", "", "", ""])
    )
    assert "ada" in sheet.unmatched and sheet.filled == 0


def test_a_student_is_known_by_the_name_that_canvas_gives_to_files(tmp_path):
    """`Smith, Ann` hands in smithann_12345_67890_….ipynb; two of that name cannot be told apart, and an id comes first."""
    ann, bob = ["Smith, Ann", "12345", "", "as1@x.edu", "1"], ["O'Neil-Łee, Bob", "12346", "", "smithann2", "1"]
    found = marks.Marks({(s, LESSON): marks.Mark(s, LESSON, 3.0, 27.0) for s in ("smithann", "oneilłeebob")}, True)
    sheet = canvas.fill(found, roster(tmp_path / "c.csv", ann, bob, header=HEADER[:5], points=()))
    assert sheet.unmatched == [] and [row[-1] for row in cells(sheet.content)[2:]] == ["3.0", "3.0"]
    twice = canvas.fill(found, roster(tmp_path / "c.csv", ann, [*ann[:1], "9", "", "as2@x.edu", "1"], header=HEADER[:5], points=()))
    assert twice.unmatched == ["oneilłeebob", "smithann"]
    found = marks.Marks({("smithann", LESSON): marks.Mark("smithann", LESSON, 3.0, 27.0)}, True)
    other = canvas.fill(found, roster(tmp_path / "c.csv", ann, [*bob[:3], "smithann", "1"], header=HEADER[:5], points=()))
    assert [row[-1] for row in cells(other.content)[2:]] == ["", "3.0"]


def test_the_classs_list_says_who_somebody_is_in_canvas(tmp_path):
    """By another id of theirs there, else by their name, unless the row is somebody's by an id."""
    ann, bob, cy = (
        ["Smith, Ann", "1", "s1", "as1", "1"],
        ["Łee, Bob", "2", "s2", "bob", "1"],
        ["Roe, Cy", "3", "s3", "cy3", "1"],
    )
    people = [roster_of.Person("gh-ann", "Ann Smith", "", ""), roster_of.Person("gh-bob", "B.", "", "", others="x s2")]
    people += [roster_of.Person("eve", "Cy Roe", "", ""), roster_of.Person("cy3", "C.", "", "")]
    found = {(p.student, LESSON): marks.Mark(p.student, LESSON, own, 27.0) for p, own in zip(people, (1.0, 2.0, 3.0, 4.0))}
    sheet = canvas.fill(
        marks.Marks(found, True, {p.student: p for p in people}), roster(tmp_path / "c.csv", ann, bob, cy, header=HEADER[:5], points=())
    )
    assert [row[-1] for row in cells(sheet.content)[2:]] == ["1.0", "2.0", "4.0"] and sheet.unmatched == ["eve"]


def test_a_number_in_a_name_takes_nobody_elses_row(tmp_path):
    """A folder may have any name, also one that ends in another's number: it is told, and stops no export."""
    ann, bob = ["Smith, Ann", "12345", "", "ann", "1"], ["Łee, Bob", "12346", "", "bob", "1"]
    points = {"ann": 3.0, "eve_12345": 1.0, "eve_12346": 1.0, "mallory_12346": 2.0}
    found = marks.Marks({(s, LESSON): marks.Mark(s, LESSON, own, 27.0) for s, own in points.items()}, True)
    sheet = canvas.fill(found, roster(tmp_path / "c.csv", ann, bob, header=HEADER[:5], points=()))
    assert sheet.unmatched == ["eve_12345", "eve_12346", "mallory_12346"]
    assert [row[-1] for row in cells(sheet.content)[2:]] == ["3.0", ""]


def test_two_of_ours_who_are_one_of_canvas_are_told_and_neither_is_exported(tmp_path):
    """One of them may have chosen that name: it costs nobody else an export."""
    ann, bob = ["Smith, Ann", "12345", "", "ann", "1"], ["Okri, Bob", "12346", "", "bob", "1"]
    found = marks.Marks({(s, LESSON): marks.Mark(s, LESSON, 3.0, 27.0) for s in ("ann", "smithann", "bob")}, True)
    sheet = canvas.fill(found, roster(tmp_path / "c.csv", ann, bob, header=HEADER[:5], points=()), zeros=True)
    assert [row[-1] for row in cells(sheet.content)[2:]] == ["", "3.0"] and sheet.unmatched == ["ann", "smithann"]
    assert "ann and smithann are both Smith, Ann in Canvas" in sheet.notes


@pytest.mark.parametrize("submitted", [("smithann", "ann"), ("ann",)])
def test_a_name_that_is_anothers_id_takes_nobodys_row(submitted, tmp_path):
    """Canvas lets Eve call herself `ann`, which is Ann's login: its zip has ann_12347_…, and the number is Eve's."""
    ann, eve = ["Smith, Ann", "12345", "s-1", "ann", "1"], ["ann", "12347", "s-2", "eve", "1"]
    points = dict(zip(("smithann", "ann")[-len(submitted) :], (20.0, 1.0)[-len(submitted) :]))
    found = marks.Marks({(s, LESSON): marks.Mark(s, LESSON, own, 27.0) for s, own in points.items()}, True)
    Ledger({"Canvas 12345": "smithann", "Canvas 12347": "ann"}).save(tmp_path)
    sheet = canvas.fill(found, roster(tmp_path / "c.csv", ann, eve, header=HEADER[:5], points=()), folder=tmp_path)
    assert [row[-1] for row in cells(sheet.content)[2:]] == ["20.0" if "smithann" in submitted else "", "1.0"]
    assert sheet.unmatched == [] and not any("both" in note for note in sheet.notes)


@pytest.mark.parametrize("content", [b"", b"name,points\nada,1\n", b"\xff\xfe\x00", b"Student,ID\n"])
def test_what_canvas_did_not_export_is_refused(course, tmp_path, content):
    (tmp_path / "c.csv").write_bytes(content)
    done = run("export", course, "--format", "canvas", "--roster", tmp_path / "c.csv")
    assert done.exit_code == 2 and "Traceback" not in done.output


def test_the_command_names_who_is_not_in_the_roster(course, tmp_path):
    done = run("export", course, "--format", "canvas", "--roster", roster(tmp_path / "c.csv", ADA), "--out", tmp_path / "o.csv")
    assert done.exit_code == 0 and all(named in done.output for named in ("ben", "roster", "1 submission"))
    assert (tmp_path / "o.csv").exists()


def test_without_a_roster_the_id_is_the_login(course):
    done = run("export", course, "--format", "canvas")
    assert done.exit_code == 0 and "--roster" in done.output
    rows = cells((course / "canvas.csv").read_bytes())
    assert rows[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", LESSON, OTHER]
    assert rows[1] == ["    Points Possible", "", "", "", "", "27.0", "27.0"]
    assert ["ada", "", "", "ada", "", "26.5", "14.5"] in rows


def test_a_roster_is_canvas_s_only(course, tmp_path):
    assert run("export", course, "--format", "csv", "--roster", tmp_path / "x").exit_code == 2


# --- gradescope


def test_results_json_of_what_is_graded_already(course, tmp_path):
    done = run("export", course, "--format", "gradescope", "--out", tmp_path, "--visibility", "after_published")
    assert done.exit_code == 0
    content = json.loads((tmp_path / LESSON / "ada" / "results.json").read_text())
    assert content["score"] == 26.5 == round(sum(t["score"] for t in content["tests"]), 2) and content["visibility"] == "after_published"
    assert sum(t["max_score"] for t in content["tests"]) == 27
    assert not (tmp_path / LESSON / "mo").exists()


def test_a_name_that_climbs_is_refused(tmp_path):
    found = marks.Marks({("../ada", LESSON): marks.Mark("../ada", LESSON, 1.0, 2.0)}, True)
    with pytest.raises(ValueError, match="cannot be a folder's name"):
        results.export(found, tmp_path, tmp_path / "out")


def test_a_strangers_text_is_plain_and_not_endless():
    test = results.case("a\x1b[31mb", 0.1 + 0.2, 1, "failed", "x\x00\u202ey\n" + "z" * 10**6)
    assert test["name"] == "a[31mb" and test["score"] == 0.3 and test["output"].startswith("xy\nz") and len(test["output"]) < 30_000
    results.document([test], "\ud800")  # half a character


def test_what_was_not_run_says_why_and_no_more():
    assert results.explain(Result("a", 0.0, 1.0, "missing", diagnosis="nothing was handed in")) == "→ nothing was handed in"


def test_only_numbers_are_scores(tmp_path):
    with pytest.raises(ValueError):
        results.save(results.document([results.case("a", float("nan"), 1, "failed", "")], ""), tmp_path / "results.json")
    assert not (tmp_path / "results.json").exists()
