"""What a person wrote into the gradebook stays: manual grades, extra credit, comments, and the penalty for handing in late."""

import os
from datetime import datetime

import nbformat
import pytest
from nbgrader.api import Gradebook
from rich.console import Console

from autograde.authoring.sample_class import LESSON, sample_class
from autograde.checking.cells import grade_id
from autograde.exports import marks
from autograde.grader.batch import class_run
from autograde.grader.gradebook.course_dir import create, database
from tests import preloaded
from tests.grader.durability.state import scores


def by_hand(out, student="ada"):
    """A person grades: 1 point for an automatic exercise, 2 for a written one, half a point extra, a comment each."""
    with Gradebook(database(out)) as gradebook:
        notebook = gradebook.find_submission_notebook(LESSON, LESSON, student)
        for grade in notebook.grades:
            grade.manual_score = 2.0 if grade.auto_score is None else grade.manual_score
        automatic = next(g for g in notebook.grades if g.auto_score is not None)
        automatic.manual_score, automatic.extra_credit = 1.0, 0.5
        for comment in notebook.comments:
            comment.manual_comment = f"read by a person: {comment.name}"
        gradebook.db.commit()
    return read(out, student)


def read(out, student="ada"):
    """(manual score and extra credit by cell, comments by cell, the sum)"""
    with Gradebook(database(out)) as gradebook:
        notebook = gradebook.find_submission_notebook(LESSON, LESSON, student)
        grades = {g.name: (g.manual_score, g.extra_credit) for g in notebook.grades}
        return grades, {c.name: c.manual_comment for c in notebook.comments}, notebook.score


def test_they_survive_regrading(pupils, tmp_path):
    pupils.grade(tmp_path / "out")
    given = by_hand(tmp_path / "out")
    assert any(manual == 2.0 for manual, _ in given[0].values()), "the lesson has no written question"
    pupils.hand_in("ada", text="another answer")
    pupils.share = 0.5
    pupils.grade(tmp_path / "out")
    assert pupils.calls == ["ada"]
    grades, comments, total = read(tmp_path / "out")
    assert (grades, comments) == given[:2]
    assert total < given[2], "the automatic scores were not renewed"


def test_the_page_and_the_export_and_the_class_page_tell_what_people_gave(pupils, tmp_path):
    out = tmp_path / "out"
    pupils.grade(out)
    total = by_hand(out)[2]
    assert class_run.refresh(out) == 3
    page = (out / "feedback" / "ada" / f"{LESSON}.html").read_text(encoding="utf-8")
    assert f"<strong>{total:g}</strong>" in page and page.count("read by a person") >= 2
    assert marks.read(out).score("ada", LESSON) == total
    assert f'<td class="n">{total:.4g}</td>' in (out / "class.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_regrade_asks_for_a_second_look_only_where_something_changed(pupils, tmp_path):
    """nbgrader raises its flag again at every regrade, and `export` then said that nobody had graded the written answers."""
    out = tmp_path / "out"
    pupils.grade(out)
    by_hand(out)
    with Gradebook(database(out)) as gradebook:
        for grade in gradebook.find_submission_notebook(LESSON, LESSON, "ada").grades:
            grade.needs_manual_grade = False
        gradebook.db.commit()
    pupils.hand_in("ada", text="another answer")
    pupils.share = 0.5
    pupils.grade(out)
    with Gradebook(database(out)) as gradebook:
        grades = gradebook.find_submission_notebook(LESSON, LESSON, "ada").grades
        flags = {g.auto_score is None: g.needs_manual_grade for g in grades if g.manual_score is not None}
    assert flags == {True: False, False: True}, "the words are the same, the points of the checks are not"
    assert "ada" not in {mark.student for mark in marks.read(out).waiting}


@pytest.mark.slow
def test_a_written_answer_that_changed_after_it_was_graded_is_told(pupils, tmp_path):
    """Its points stay, and nobody was asked to look again but by a flag in formgrader."""
    out = tmp_path / "out"
    pupils.grade(out)
    by_hand(out)
    path = out / "autograded" / "ada" / LESSON / f"{LESSON}.ipynb"
    notebook = nbformat.read(path, 4)
    next(c for c in notebook.cells if grade_id(c) == "written_question").source = "What she wrote first."
    nbformat.write(notebook, path)
    pupils.hand_in("ada", text="another answer")
    for told in (1, 0):
        pupils.console = Console(record=True, width=300)
        pupils.grade(out)
        assert (
            pupils.console.export_text().count("ada's answer to written_question in lesson 03 is another than a person gave points for")
            == told
        )


def test_a_lesson_that_is_built_anew_keeps_them(pupils, tmp_path):
    """The gradebook's list of cells is written again when a lesson's text changes."""
    pupils.grade(tmp_path / "out")
    given = by_hand(tmp_path / "out")
    release = tmp_path / "out" / "release" / LESSON / f"{LESSON}.ipynb"
    release.write_text("an older version")
    pupils.grade(tmp_path / "out")
    assert read(tmp_path / "out") == given and release.read_text() != "an older version"


def late(out):
    """Due a day before it was handed in, with the course's penalty: everything."""
    config = out / "nbgrader_config.py"
    config.write_text(config.read_text() + "c.LateSubmissionPlugin.penalty_method = 'zero'\n")
    with Gradebook(database(out)) as gradebook:
        gradebook.update_or_create_assignment(LESSON, duedate=datetime(2026, 1, 1))
    home = out / "submitted" / "ada" / LESSON
    home.mkdir(parents=True, exist_ok=True)
    (home / "timestamp.txt").write_text("2026-01-02 00:00:00 UTC")


def penalty(out):
    with Gradebook(database(out)) as gradebook:
        return gradebook.find_submission_notebook(LESSON, LESSON, "ada").late_submission_penalty


@pytest.mark.slow
def test_the_courses_own_penalty_for_being_late(pupils, tmp_path):
    out = tmp_path / "out"
    create(out, [LESSON])
    late(out)
    results = pupils.grade(out)
    assert penalty(out) == results[0].score > 0
    pupils.hand_in("ada", text="another answer")
    pupils.share = 0.5
    assert pupils.grade(out)[0].score == penalty(out)
    with Gradebook(database(out)) as gradebook:
        gradebook.update_or_create_assignment(LESSON, duedate=datetime(2026, 2, 1))
    pupils.hand_in("ada", text="yet another answer")
    pupils.grade(out)
    assert not penalty(out), "the due date was moved, the penalty was not"


@pytest.mark.soak
def test_stock_nbgrader_and_this_grader_leave_them_to_each_other(tmp_path):
    out = tmp_path / "course"

    def run(module, *arguments):
        code, told = preloaded.run(module, arguments, out, dict(os.environ))
        assert code == 0, told

    create(out, [LESSON])
    sample_class(tmp_path / "class")
    for student in ("ada", "dev"):
        home = out / "submitted" / student / LESSON
        home.mkdir(parents=True)
        (home / f"{LESSON}.ipynb").write_bytes((tmp_path / "class" / student / f"{LESSON}.ipynb").read_bytes())
    late(out)
    ours = ("autograde", "grade", ".", "--lesson", LESSON, "--sandbox", "auto")
    run(*ours)
    given, by_ours = by_hand(out), scores(out)
    fine = penalty(out)
    assert fine > 0
    run("nbgrader", "autograde", LESSON, "--force")
    assert read(out) == given and scores(out) == by_ours and penalty(out) == given[2] == read(out)[2]
    path = out / "submitted" / "ada" / LESSON / f"{LESSON}.ipynb"
    path.write_text(path.read_text() + "\n")
    run(*ours)
    assert read(out) == given and scores(out) == by_ours and penalty(out) == given[2]


def test_who_is_in_no_roster_is_called_by_the_id_in_formgrader_and_a_name_stays(pupils, tmp_path):
    """All of the class were "None, None" there."""
    pupils.grade(tmp_path / "out")
    with Gradebook(database(tmp_path / "out")) as gradebook:
        ada = gradebook.find_student("ada")
        assert (ada.last_name, ada.first_name) == ("ada", "")
        gradebook.update_or_create_student("ada", first_name="Ada", last_name="Lovelace")
    pupils.hand_in("ada", text="another answer")
    pupils.grade(tmp_path / "out")
    with Gradebook(database(tmp_path / "out")) as gradebook:
        assert gradebook.find_student("ada").last_name == "Lovelace"
