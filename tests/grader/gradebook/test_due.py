"""Due dates, extensions and what being late costs: by rule, in nbgrader's gradebook, before and after a submission came."""

from __future__ import annotations

import csv
import os
import shutil
from datetime import UTC, datetime, timedelta

import nbformat
import pytest
from typer.testing import CliRunner

from autograde import layout
from autograde.authoring import source
from autograde.authoring.sample_class import solved_notebook
from autograde.checking.errors import UserError
from autograde.cli import app
from autograde.grader.batch.lock import only_one
from autograde.grader.gradebook import course_dir, extensions, roster
from autograde.grader.gradebook.late import penalty
from autograde.grader.gradebook.record import Records
from autograde.grader.results.class_list import ClassList, Entry
from tests import written
from tests.written import LESSON, QUESTION

DAY = 86400
RUN = CliRunner()


@pytest.mark.parametrize(
    ("rule", "late", "off"),
    [
        ("10%/day", 1, 2.0), ("10%/day", DAY, 2.0), ("10%/day", DAY + 1, 4.0), ("10%/day", 30 * DAY, 20.0), ("10 % / day", 1, 2.0),
        ("5%/hour up to 50%", 3 * 3600, 3.0), ("5%/hour, up to 50%", DAY, 10.0), ("2 points/day", DAY + 1, 4.0), ("2.5 points/day", 9 * DAY, 20.0),
        ("10%/day", 0, 0.0),
    ],
)  # fmt: skip
def test_a_rule_takes_off_for_each_day_or_hour_begun(rule, late, off):
    assert penalty(rule, 20.0, late) == off
    assert penalty(rule, 0.0, late) == 0.0


@pytest.mark.parametrize("rule", ["", "10/day", "ten%/day", "10%/week", "-10%/day", "10%/day; import os", "up to 50%"])
def test_what_is_no_rule_is_refused_with_an_example(rule):
    with pytest.raises(UserError, match="10%/day"):
        penalty(rule, 1.0, 1.0)


@pytest.mark.parametrize(("text", "length"), [("+2 days", 48), ("12 hours", 12), ("1 week", 168), ("+1.5 days", 36), ("none", 0), ("0", 0)])
def test_an_extension_in_hours(text, length):
    assert extensions.hours(text) == length


def test_what_is_no_extension_is_refused():
    for text in ("2", "-2 days", "tomorrow", ""):
        with pytest.raises(UserError, match="2 days"):
            extensions.hours(text)


@pytest.mark.parametrize("text", ["99999999999 weeks", "9" * 400 + " weeks", "522 weeks"])
def test_an_extension_that_no_date_can_have_is_refused_and_stops_no_class(text, folder):
    assert "at most 521 weeks" in due(folder, "03", "2027-03-01 23:59 UTC") + due(folder, "03", text, "--student", "ann", code=2)
    assert extensions.read(folder) == {}


@pytest.mark.parametrize("hours", ["1e308", "nan", "inf", "-1", "1e999"])
def test_hours_that_somebody_wrote_into_the_file_are_looked_at(hours, tmp_path):
    (tmp_path / extensions.FILE).write_text(f"student_id,assignment,hours,granted\nann,{LESSON},{hours},2027-01-01\n")
    with pytest.raises(UserError, match="fix the line"):
        extensions.read(tmp_path)


@pytest.mark.parametrize("when", ["9999-12-31 23:59 UTC", "0001-01-01 00:00 UTC"])
def test_a_due_date_has_a_day_before_and_after(when, folder):
    assert "is no time" in due(folder, "03", when, code=2)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("due") / "class"
    course_dir.create(folder, [LESSON])
    return folder


@pytest.fixture
def folder(made, tmp_path):
    """A class of which nobody has handed in."""
    return shutil.copytree(made, tmp_path / "class")


def due(folder, *arguments, code=0):
    result = RUN.invoke(app, ["due", str(folder), *arguments])
    assert result.exit_code == code, result.output
    return " ".join(result.output.split())


def hand_in(folder, student, time):
    """All points of the checks and 2 for the written answer, 26, at this time."""
    records = Records(folder)
    stamp = folder / "submitted" / student / LESSON / "timestamp.txt"
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(time)
    written.hand_in(records, student, "An answer.")
    notebook = records.gradebook.find_submission_notebook(LESSON, LESSON, student)
    next(g for g in notebook.grades if g.name == QUESTION).manual_score = 2.0
    records.gradebook.db.commit()
    records.update_penalties()
    found = records.standing(student, LESSON)
    records.close()
    return found


def test_what_is_late_costs_and_an_extension_given_before_it_came_counts(folder):
    said = due(folder, "03", "2027-03-01 23:59 UTC", "--late", "10%/day")
    assert "2027-03-01 23:59 UTC" in said and "10%/day" in said
    assert "48 hours more" in due(folder, "03", "+2 days", "--student", "ann")
    times = {"ann": "2027-03-03 12:00 UTC", "bob": "2027-03-03 12:00 UTC", "eve": "2027-03-01 23:00 UTC"}
    found = {student: hand_in(folder, student, time) for student, time in times.items()}
    assert {s: (x.late > 0, x.penalty, x.total) for s, x in found.items()} == {
        "ann": (False, 0.0, 26.0), "bob": (True, 5.2, 20.8), "eve": (False, 0.0, 26.0),
    }  # fmt: skip


def test_a_class_folder_used_again_says_whose_extensions_it_has(folder):
    """They would count for people of the same name in the next term; in the middle of a term nobody is named."""
    again = ["course", str(folder), "03"]
    said = lambda: " ".join(RUN.invoke(app, again).output.split())  # noqa: E731
    assert "more time" not in said()
    soon, next_term = (f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%d} 23:59 UTC" for days in (20, 180))
    due(folder, "03", soon)
    for student in "abcdefg":
        due(folder, "03", "+2 days", "--student", student)
    due(folder, "03", "none", "--student", "a")
    assert "more time" not in said()
    due(folder, "03", next_term)
    named = "more time to b (03), c (03), d (03), e (03), f (03) and 1 more. Are they of an earlier class?"
    assert named in said()
    due(folder, "03", "+2 days", "--student", "a")  # for the new term
    due(folder, "03", "none")
    assert "more time to a (03), b (03)" in said(), "nothing is due: nobody can tell"


def test_extensions_without_a_day_are_as_old_as_their_file(folder):
    path = folder / extensions.FILE
    due(folder, "03", f"{datetime.now(UTC):%Y-%m-%d} 23:59 UTC")
    path.write_text(f"student_id,assignment,hours\nann,{LESSON},48\n")
    assert extensions.read(folder) == {("ann", LESSON): 48.0} and not extensions.told(folder)
    year = 365 * 24 * 3600
    os.utime(path, (path.stat().st_mtime - year,) * 2)
    assert "more time to ann (03)" in extensions.told(folder)


def test_an_extension_by_the_rosters_id_counts_for_a_submission_by_another(folder):
    """Granted before and after Canvas's `leeann` came; the newest counts, by whichever id."""
    (folder / roster.FILE).write_text("student_id,name,section,email\nann,Ann Lee,,\nbob,Bob Roe,,\n")
    due(folder, "03", "2027-03-01 23:59 UTC", "--late", "10%/day")
    due(folder, "03", "+2 days", "--student", "ann")
    assert hand_in(folder, "leeann", "2027-03-03 12:00 UTC").penalty == 0.0
    ClassList(folder, {("leeann", LESSON): Entry("key")}).save()

    def after(*arguments):
        due(folder, "03", *arguments)
        records = Records(folder)
        records.update_penalties()
        found = records.standing("leeann", LESSON).penalty
        records.close()
        return found

    assert after("+1 day", "--student", "ann") == 2.6
    assert after("none", "--student", "leeann") == 5.2
    assert after("+2 days", "--student", "ann") == 0.0
    assert [row.split(",")[0] for row in (folder / extensions.FILE).read_text().split()[1:]] == ["ann"]


def test_rules_dates_and_extensions_that_change_afterwards_count(folder):
    due(folder, "03", "2027-03-01 23:59 UTC", "--late", "10%/day")
    assert hand_in(folder, "bob", "2027-03-03 12:00 UTC").penalty == 5.2

    def now():
        records = Records(folder)
        records.update_penalties()
        found = records.standing("bob", LESSON).penalty
        records.close()
        return found

    due(folder, "--late", "1 point/day")
    assert now() == 2.0
    assert "nobody" not in due(folder, "03", "+1 day", "--student", "bob")
    assert now() == 1.0
    assert "bobb: 24 hours more (nobody of that name is in the gradebook yet; bob is)" in due(folder, "03", "+1 day", "--student", "bobb")
    assert now() == 1.0
    due(folder, "03", "none", "--student", "bob")
    assert now() == 2.0
    due(folder, "--late", "none")
    assert now() == 0.0
    due(folder, "--late", "50%/day")
    due(folder, "03", "2027-03-03 00:00 UTC")
    assert now() == 13.0
    assert (folder / "nbgrader_config.py").read_text().count("LateRule.rule") == 1


def test_a_due_date_that_is_taken_away_and_comes_back_has_its_extensions(folder):
    """nbgrader adds an extension to the due date, and without one every command ended in an error."""
    due(folder, "03", "2027-03-01 23:59 UTC", "--late", "10%/day")
    due(folder, "03", "+1 day", "--student", "bob")
    assert hand_in(folder, "bob", "2027-03-03 12:00 UTC").penalty == 2.6

    def now():
        records = Records(folder)
        records.update_penalties()
        found = records.standing("bob", LESSON)
        records.close()
        return found.penalty, found.total

    due(folder, "03", "none")
    assert now() == (0.0, 26.0)
    due(folder, "03", "2027-03-01 23:59 UTC")
    assert now() == (2.6, 23.4)
    due(folder, "03", "none")
    records = Records(folder)
    records.gradebook.grant_extension(LESSON, "bob", days=1)  # as a script of nbgrader's may
    records.close()
    assert now() == (0.0, 26.0)


def test_an_extension_by_a_name_of_the_list_is_that_persons(folder):
    (folder / roster.FILE).write_text("student_id,name,section,email\nann,Ann Lee,,ann@x.org\n")
    due(folder, "03", "2027-03-01 23:59 UTC", "--late", "10%/day")
    for name in ("Ann Lee", "ann@x.org"):
        due(folder, "03", "+2 days", "--student", name)
    assert [row.split(",")[0] for row in (folder / extensions.FILE).read_text().split()[1:]] == ["ann"]
    assert hand_in(folder, "ann", "2027-03-03 12:00 UTC").penalty == 0.0


def test_an_extension_of_nobody_is_told_where_somebody_is_called_nearly_so(folder):
    due(folder, "03", "2027-03-01 23:59 UTC")
    for name in ("Ann", "zoe", "bob"):
        due(folder, "03", "+2 days", "--student", name)
    [line] = extensions.strangers(folder, {"ann", "bob"})
    assert line.startswith("Ann has more time in 03") and "is it ann?" in line
    assert extensions.strangers(folder, {"Ann", "ann", "bob"}) == []


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["03", "soon"], "2027-03-01"), (["03", "2027-03-01 23:59"], "has no zone: write `2027-03-01T23:59"), (["03", "2027-03-01 23:59 XYZ"], "zone"),
        (["03"], "time"), (["05", "2027-03-01 23:59 UTC"], "05_positional_encoding"),
        (["--late", "10"], "10%/day"), (["03", "+2 days", "--student", "ann"], "due date"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_and_changes_nothing(folder, arguments, named):
    before = (folder / "nbgrader_config.py").read_text()
    result = RUN.invoke(app, ["due", str(folder), *arguments])
    assert result.exit_code == 2 and named in result.output + result.stderr
    assert (folder / "nbgrader_config.py").read_text() == before and not (folder / extensions.FILE).exists()


def test_while_a_grader_is_at_work_a_change_is_kept_and_says_how_to_show_it(folder):
    (folder / "grades.csv").touch()
    with only_one(folder):
        result = RUN.invoke(app, ["due", str(folder), "03", "2027-03-01 23:59 UTC"])
    assert result.exit_code == 2 and "the change is kept" in (said := " ".join((result.output + result.stderr).split())), said
    assert "autograde feedback" in said and "2027-03-01" in due(folder)


def test_a_folder_without_a_gradebook_is_named(tmp_path):
    assert RUN.invoke(app, ["due", str(tmp_path)]).exit_code == 2


def grade(folder, *arguments, code=0):
    result = RUN.invoke(app, ["grade", str(folder), "--sandbox", "off", "--workers", "1", *arguments])
    assert result.exit_code == code, result.output
    return " ".join(result.output.split())


def score(folder):
    with (folder / "grades.csv").open(newline="", encoding="utf-8") as stream:
        return [float(row["score"]) for row in csv.DictReader(stream)]


@pytest.mark.slow
def test_grade_takes_the_rule_and_keeps_it(folder):
    """With a due date it acts on everything graded so far, in the same call; without one the lesson is named."""
    handed_in = folder / "submitted" / "bob" / LESSON
    handed_in.mkdir(parents=True)
    nbformat.write(solved_notebook(source.read(layout.source_path(LESSON))), handed_in / f"{LESSON}.ipynb")
    (handed_in / "timestamp.txt").write_text("2027-03-03 12:00 UTC")
    said = grade(folder, "--late", "10%/day")
    assert f"{LESSON} has no due date" in said and "autograde due" in said
    (full,) = score(folder)
    due(folder, "03", "2027-03-01 23:59 UTC")
    assert score(folder) == [round(full * 0.8, 2)] and "10%/day" in due(folder)
    assert "due date" not in grade(folder, "--late", "2 points/day") and score(folder) == [full - 4]
    grade(folder)
    assert score(folder) == [full - 4]
    grade(folder, "--late", "ten", code=2)
    grade(folder, "--late", "none")
    assert score(folder) == [full]
