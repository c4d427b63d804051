"""One truth about a class: however many calls and folders filled it, every table, page and export shows the same students and numbers."""

import csv
import io
import shutil
from datetime import datetime

import pytest
from nbgrader.api import Gradebook
from nbgrader.utils import parse_utc
from rich.console import Console
from typer.testing import CliRunner

from autograde.authoring.sample_class import LESSON
from autograde.cli import app
from autograde.exports import marks
from autograde.exports.table import wide
from autograde.grader.batch import class_run
from autograde.grader.batch.class_run import grade_class
from autograde.grader.gradebook import roster
from autograde.grader.gradebook.course_dir import create, database
from tests.grader.durability.test_manual import by_hand

OTHER = "04_multi_head_attention"


def hand_in(folder, *students, text="an answer"):
    for student in students:
        (folder / student).mkdir(parents=True, exist_ok=True)
        (folder / student / f"{LESSON}.ipynb").write_text(text, encoding="utf-8")
    return folder


def grade(out, *paths, lesson=LESSON):
    console = Console(record=True, width=300)
    grade_class(list(paths), lesson, out, 2, None, "off", console)
    return console.export_text()


def rows(content):
    return list(csv.DictReader(io.StringIO(content)))


def views(out):
    """Points by student as each view tells them."""
    tables = {f"{row['student_id']}": float(row["score"] or 0) for row in rows((out / "grades.csv").read_text(encoding="utf-8"))}
    exported = {row["student_id"]: float(row[LESSON]) for row in rows(wide(marks.read(out), zeros=True).decode())}
    page = (out / "class.html").read_text(encoding="utf-8")
    assert all(f">{student}</a>" in page for student in tables), "somebody is not on the class page"
    assert tables.keys() == {row["student_id"] for row in rows((out / "exercises.csv").read_text(encoding="utf-8"))}
    assert tables == exported
    return tables


@pytest.mark.slow
def test_two_sections_and_a_late_notebook_are_one_class(pupils, tmp_path):
    out = tmp_path / "o"
    grade(out, hand_in(tmp_path / "secA", "ada", "ben"))
    (tmp_path / "secA" / "absent").mkdir()
    grade(out, hand_in(tmp_path / "secB", "cleo"))
    grade(out, hand_in(tmp_path / "late", "dev") / "dev" / f"{LESSON}.ipynb")
    assert set(views(out)) == {"ada", "ben", "cleo", "dev"}
    grade(out, tmp_path / "secA")
    assert set(views(out)) == {"ada", "ben", "cleo", "dev", "absent"}
    grade(out, hand_in(tmp_path / "secC", "absent"))
    assert views(out)["absent"] > 0


def test_a_file_that_is_taken_away_counts_no_longer_and_comes_back(pupils, tmp_path):
    """It lay in the wrong student's folder, say. The student is still there, with nothing handed in."""
    out = tmp_path / "o"
    section = hand_in(tmp_path / "secA", "ada", "ben")
    grade(out, section)
    before = views(out)
    (section / "ben" / f"{LESSON}.ipynb").unlink()
    assert f"ben's {LESSON} was graded earlier" in grade(out, section)
    assert views(out) == before | {"ben": 0.0}
    assert "graded earlier" not in grade(out, section), "it is said once"
    assert {r["student_id"]: r["status"] for r in rows((out / "grades.csv").read_text(encoding="utf-8"))}["ben"] == "missing"
    assert marks.read(out).score("ben", LESSON) is None
    hand_in(section, "ben")
    grade(out, section)
    assert views(out) == before


@pytest.mark.slow
def test_a_lesson_that_nobody_has_any_more_is_in_no_view(pupils, tmp_path):
    """One student handed in a lesson that the class does not have; it is taken away again."""
    out, other = tmp_path / "o", "01_sample_based_planning"
    section = hand_in(tmp_path / "secA", "ada", "ben")
    stray = section / "ada" / f"{other}.ipynb"
    assert "is new in this class" not in grade(out, section, lesson=None)
    stray.write_text("an answer", encoding="utf-8")
    assert f"{other} is new in this class" in grade(out, section, lesson=None)
    assert marks.read(out).lessons == [other, LESSON]
    stray.unlink()
    grade(out, section, lesson=None)
    assert marks.read(out).lessons == [LESSON]
    assert other not in (out / "grades.csv").read_text(encoding="utf-8") + (out / "class.html").read_text(encoding="utf-8")


def test_who_left_and_what_was_taken_away_is_in_no_mail(pupils, tmp_path):
    out = tmp_path / "o"
    section = hand_in(tmp_path / "secA", "ada", "ben", "cleo")
    grade(out, section)
    (out / roster.FILE).write_text("student_id,name,section,email\n" + "".join(f"{s},,,{s}@x.org\n" for s in ("ada", "ben", "cleo")))
    (section / "ben" / f"{LESSON}.ipynb").unlink()
    shutil.rmtree(section / "cleo")
    grade(out, section)
    CliRunner().invoke(app, ["feedback", str(out), "--mail", str(tmp_path / "mail")], catch_exceptions=False)
    assert ["ada@x.org" in path.read_text() for path in (tmp_path / "mail").iterdir()] == [True]


def test_nothing_found_takes_no_score_away(pupils, tmp_path):
    """Her notebook was graded from another folder: that this one holds nothing of hers says nothing about it."""
    out = tmp_path / "o"
    grade(out, hand_in(tmp_path / "secA", "ada", "ben"))
    before = views(out)
    page = (out / "feedback" / "ada" / f"{LESSON}.html").read_bytes()
    (hand_in(tmp_path / "secB", "cleo") / "ada").mkdir()
    grade(out, tmp_path / "secB")
    assert views(out) == before | {"cleo": before["ada"]}
    assert (out / "feedback" / "ada" / f"{LESSON}.html").read_bytes() == page


@pytest.mark.slow
def test_who_left_or_has_another_name_is_in_no_view(pupils, tmp_path):
    out, section = tmp_path / "o", hand_in(tmp_path / "secA", "ada", "ben", "cleo")
    grade(out, section)
    grade(out, hand_in(tmp_path / "secB", "dev"))
    shutil.rmtree(section / "ada")
    (section / "ben").rename(section / "benjamin")
    told = grade(out, section)
    assert set(views(out)) == {"benjamin", "cleo", "dev"} and "ada was graded earlier" in told and "ben was graded earlier" in told
    assert class_run.refresh(out) == 3 and set(views(out)) == {"benjamin", "cleo", "dev"}
    hand_in(section, "ada")
    told = grade(out, section)
    assert set(views(out)) == {"ada", "benjamin", "cleo", "dev"} and "ada was" not in told


def test_a_class_that_is_moved_loses_nobody(pupils, tmp_path):
    create(tmp_path / "course", [LESSON])
    hand_in(tmp_path / "course" / "submitted" / "x", "y")
    shutil.rmtree(tmp_path / "course" / "submitted")
    for student in ("ada", "ben"):
        hand_in(tmp_path / "course" / "submitted" / student, LESSON)
    grade(tmp_path / "course", tmp_path / "course")
    (tmp_path / "course").rename(tmp_path / "moved")
    shutil.rmtree(tmp_path / "moved" / "submitted" / "ada")
    grade(tmp_path / "moved", tmp_path / "moved")
    assert set(views(tmp_path / "moved")) == {"ben"}


def test_who_is_in_the_roster_alone_handed_in_nothing_in_every_view(pupils, tmp_path):
    """No 0 is made up for them, nor anybody listed twice whom a learning system calls by another id."""
    out = tmp_path / "o"
    out.mkdir()
    (out / "roster.csv").write_text(
        "student_id,name,section,email\nzoe,Zoe Hopper,,\nADA,Ada Berg,,\nbs1,Ben van Smith,,\nc-7,Cleo Kim,,cleo@x.edu\nd1,Dev Rao,,\nd2,Dev Rao,,\n"
    )
    grade(out, hand_in(tmp_path / "section", "ada", "vansmithben", "Cleo@x.edu", "devrao"))
    table = {row["student_id"]: row for row in rows((out / "grades.csv").read_text())}
    assert {s for s, row in table.items() if row["status"] == "missing"} == {"zoe", "d1", "d2"}, "nobody can tell which Dev handed in"
    assert {row["score"] for row in table.values() if row["status"] == "missing"} == {""} and len(table) == 7
    exercises = [row for row in rows((out / "exercises.csv").read_text()) if row["student_id"] == "zoe"]
    assert exercises and {(row["status"], row["score"]) for row in exercises} == {("missing", "")}
    exported = {row["student_id"]: row[LESSON] for row in rows(wide(marks.read(out)).decode())}
    assert exported.keys() == table.keys() and {s for s, score in exported.items() if score == ""} == {"zoe", "d1", "d2"}
    page = (out / "class.html").read_text(encoding="utf-8")
    assert all(name in page for name in ("Zoe Hopper", "Ben van Smith", "Cleo Kim")) and "feedback/zoe/" not in page
    assert "Ben van Smith" in (out / "feedback" / "vansmithben" / f"{LESSON}.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_manual_grade_is_the_same_number_everywhere(pupils, tmp_path):
    out = tmp_path / "o"
    grade(out, hand_in(tmp_path / "secA", "ada", "ben"))
    total = by_hand(out)[2]
    grade(out, tmp_path / "secA")
    assert views(out)["ada"] == total
    exercises = [row for row in rows((out / "exercises.csv").read_text()) if row["student_id"] == "ada"]
    assert sum(float(row["score"]) for row in exercises) == total - 2, "two points were given for words, which are no exercise"
    with Gradebook(database(out)) as gradebook:
        gradebook.find_submission_notebook(LESSON, LESSON, "ben").grades[0].extra_credit = 4.0
        gradebook.db.commit()
    before = views_of(out, "ben")
    grade(out, hand_in(tmp_path / "secB", "cleo"))  # a call that is about somebody else
    assert views(out)["ben"] == before + 4.0


def views_of(out, student):
    return next(float(row["score"]) for row in rows((out / "grades.csv").read_text()) if row["student_id"] == student)


def due(out, when):
    with Gradebook(database(out)) as gradebook:
        gradebook.update_or_create_assignment(LESSON, duedate=when)


@pytest.mark.slow
@pytest.mark.parametrize("elsewhere", [False, True], ids=["her section is graded", "another section is graded"])
def test_a_due_date_that_is_moved_moves_penalties_both_ways(pupils, tmp_path, elsewhere):
    out = tmp_path / "o"
    create(out, [LESSON])
    config = out / "nbgrader_config.py"
    config.write_text(config.read_text() + "c.LateSubmissionPlugin.penalty_method = 'zero'\n")
    section = hand_in(tmp_path / "secA", "ada", "ben")
    (section / "ada" / "timestamp.txt").write_text("2026-01-15 12:00:00 UTC")
    grade(out, section)
    full = views(out)["ada"]
    called = hand_in(tmp_path / "secB", "cleo") if elsewhere else section
    for when, points in ((datetime(2026, 1, 1), 0.0), (datetime(2026, 2, 1), full), (datetime(2026, 1, 2), 0.0)):
        due(out, when)
        grade(out, called)
        assert views(out)["ada"] == points and views(out)["ben"] == full
        page = (out / "feedback" / "ada" / f"{LESSON}.html").read_text(encoding="utf-8")
        assert ("late" in page) == (points == 0)


TIMES = [
    "2026-01-15 23:30:00 America/New_York",
    "2026-01-15 23:30:00 +0200",
    "2026-01-15T23:30:00+02:00",
    "2026-01-15 23:30:00.5 UTC\n",
    "15 January 2026 23:30",
]


MISREAD = {"2026-01-15 23:30:00 +0200"}  # nbgrader takes the zone for 200 seconds


@pytest.mark.parametrize("stamp", TIMES)
@pytest.mark.slow
def test_times_are_read_as_nbgrader_reads_them(pupils, tmp_path, stamp):
    told, found = stamped(tmp_path, stamp)
    assert found == parse_utc(stamp.strip()) and ("timestamp.txt" in told) == (stamp in MISREAD)


def test_a_time_that_cannot_be_read_is_said(pupils, tmp_path):
    told, found = stamped(tmp_path, "yesterday, I think")
    assert found is None and "timestamp.txt" in told and "ada" in told


def test_a_zone_that_nbgrader_passes_over_is_said(pupils, tmp_path):
    """Two hours late or early, that would be."""
    told, found = stamped(tmp_path, "2026-01-15 23:30:00 +02:00")
    assert found == parse_utc("2026-01-15 23:30:00 +02:00") == datetime(2026, 1, 15, 23, 30)
    assert "reads it as 2026-01-15 23:30 UTC, and it says 2026-01-15 21:30 UTC" in told


def stamped(folder, stamp):
    """What grading prints, and what the gradebook then has for the time."""
    section = hand_in(folder / "secA", "ada")
    (section / "ada" / "timestamp.txt").write_text(stamp)
    told = grade(folder / "o", section)
    with Gradebook(database(folder / "o")) as gradebook:
        return told, gradebook.find_submission(LESSON, "ada").timestamp


def by_another_id(folder, out):
    """Lesson 03 came from Moodle, 04 from Canvas: other ids for the same two, whom the class's list knows by both."""
    create(out, [LESSON, OTHER])
    (out / roster.FILE).write_text("student_id,name,section,email\nalee,Ann Lee,,\nbkim,Bo Kim,,\n")
    hand_in(folder / "first", "Ann Lee", "Bo Kim")
    for student in ("alee", "bkim", "stranger"):
        (folder / "second" / student).mkdir(parents=True)
        (folder / "second" / student / f"{OTHER}.ipynb").write_text("an answer")
    grade(out, folder / "first")
    return folder / "second"


@pytest.mark.slow
def test_who_comes_by_another_id_in_the_next_lesson_is_one_student(pupils, tmp_path):
    out = tmp_path / "o"
    second = by_another_id(tmp_path, out)
    assert "alee is Ann Lee of the lessons before" in grade(out, second, lesson=OTHER)
    for text in ("an answer", "another answer"):
        (second / "alee" / f"{OTHER}.ipynb").write_text(text)
        grade(out, second, lesson=OTHER)
        table = {(row["student_id"], row["assignment"]): row["status"] for row in rows((out / "grades.csv").read_text())}
        assert {key for key, status in table.items() if status == "graded"} == {
            (student, lesson) for student in ("Ann Lee", "Bo Kim") for lesson in (LESSON, OTHER)
        } | {("stranger", OTHER)}
        assert marks.read(out).scored("Ann Lee") == {LESSON, OTHER}


@pytest.mark.slow
def test_who_was_graded_by_two_ids_before_the_list_came_is_one_student_after_it(pupils, tmp_path):
    """Each was missing in the other's lesson, and `export --zeros` gave a 0 for it."""
    out = tmp_path / "o"
    second = by_another_id(tmp_path, out)
    (out / roster.FILE).unlink()
    grade(out, second, lesson=OTHER)
    (tmp_path / "list.csv").write_text("student_id,name,email\nalee,Ann Lee,ann@x.org\nbkim,Bo Kim,bo@x.org\ncli,Cy Li,\n")
    told = CliRunner().invoke(app, ["roster", str(tmp_path / "list.csv"), str(out)], catch_exceptions=False).output
    assert "alee (04) and Ann Lee (03) are one student" in told
    assert "not on this list: stranger (04). Pages" in told and told.count("stranger") == 1
    table = {(row["student_id"], row["assignment"]): row["status"] for row in rows((out / "grades.csv").read_text())}
    assert {key for key, status in table.items() if status == "missing"} == {("cli", LESSON), ("cli", OTHER)}
    exported = {row["student_id"]: row for row in rows(wide(marks.read(out), zeros=True).decode())}
    assert exported.keys() == {"Ann Lee", "Bo Kim", "stranger", "cli"} and exported["Ann Lee"]["roster_id"] == "alee"
    assert float(exported["Ann Lee"]["total"]) == 2 * 24.0 and exported["stranger"][LESSON] == "0.0"
    assert {who for who, _ in table} == set(exported) == {row["student_id"] for row in rows((out / "exercises.csv").read_text())}
    page = (out / "class.html").read_text(encoding="utf-8")
    assert f'href="feedback/alee/{OTHER}.html"' in page and f'href="feedback/Ann%20Lee/{LESSON}.html"' in page
    assert page.count('data-name="Ann Lee"') == 2 and 'data-name="alee"' not in page and "(alee)" not in page
    CliRunner().invoke(app, ["feedback", str(out), "--mail", str(tmp_path / "mail")], catch_exceptions=False)
    assert sum("ann@x.org" in path.read_text() for path in (tmp_path / "mail").iterdir()) == 2


@pytest.mark.slow
def test_a_second_student_of_an_id_in_the_same_lesson_is_another(pupils, tmp_path):
    """Nobody can tell which of the two files is whose."""
    out = tmp_path / "o"
    by_another_id(tmp_path, out)
    grade(out, hand_in(tmp_path / "late", "alee"))
    assert {row["student_id"] for row in rows((out / "grades.csv").read_text()) if row["score"]} == {"Ann Lee", "alee", "Bo Kim"}
    assert len(roster.doubled(out)) == 1 and "Ann Lee (03) and alee (03) are alee of the list" in roster.doubled(out)[0]
