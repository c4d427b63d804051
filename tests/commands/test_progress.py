"""`autograde progress` says what the check cells said, and never more."""

import json
import os

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from typer.testing import CliRunner

from autograde import layout
from autograde.checking.answers import digest
from autograde.checking.report import Report
from autograde.checking.runner import Outcome
from autograde.checking.scoring import Result
from autograde.cli import app
from autograde.progress import next_step, read, read_all, total

LESSON = "03_self_attention"


def outcome(status):
    return Outcome("test_x", "A title: of 3 of 4 points.", status, 1.0, False, "wrong")


def result(exercise, status, score, points, statuses=("passed", "failed")):
    return Result(exercise, score, points, status, [outcome(s) for s in statuses])


def checked(report, ran, answer=None):
    """The cell of a check that ran on this answer, as a notebook keeps it."""
    shown = Report(report, digest(answer.source) if answer else "")
    output = new_output("execute_result", data=shown._repr_mimebundle_(), execution_count=ran)
    return new_code_cell(f"check({report.exercise})", outputs=[output], execution_count=ran)


def answered(name, ran, body="return 1"):
    return new_code_cell(f"def {name}(x):\n    {body}", execution_count=ran)


def states(cells, tmp_path):
    nbformat.write(new_notebook(cells=cells), tmp_path / f"{LESSON}.ipynb")
    return {s.exercise: s for s in read(tmp_path / f"{LESSON}.ipynb", LESSON).standings}


def test_each_state(tmp_path):
    cells = [
        *(answered("query_key_value", 1), checked(result("query_key_value", "passed", 2, 2, ("passed",)), 2)),
        *(answered("attention_scores", 3), checked(result("attention_scores", "partial", 1, 3), 4)),
        *(
            answered("causal_mask", 1),
            checked(result("causal_mask", "passed", 1.5, 1.5, ("passed",)), 6, answered("causal_mask", 1, "return 2")),
        ),
        answered("padding_mask", 7),
        *(answered("SelfAttention", 8, "raise NotImplementedError"), checked(result("SelfAttention", "not_attempted", 0, 4), 10)),
    ]
    found = states(cells, tmp_path)
    wanted = {
        "query_key_value": ("passed", 2),
        "attention_scores": ("tried", 1),
        "causal_mask": ("changed", 0),
        "padding_mask": ("not checked", 0),
    }
    assert {name: (found[name].state, found[name].score) for name in wanted} == wanted
    assert {found[name].state for name in found if name not in wanted} == {"not begun"}


@pytest.mark.parametrize("ran", [1, 99, None])
def test_an_answer_is_out_of_date_when_it_is_another_and_not_when_it_ran_again(tmp_path, ran):
    """Also after a restart, when the numbers of runs begin anew."""
    passed = result("causal_mask", "passed", 1.5, 1.5, ("passed",))
    answer = answered("causal_mask", ran)
    assert states([answer, checked(passed, 6, answered("causal_mask", 2, "return 1  "))], tmp_path)["causal_mask"].state == "passed"
    assert states([answer, checked(passed, 6, answered("causal_mask", 2, "return 2"))], tmp_path)["causal_mask"].state == "changed"


@pytest.mark.parametrize("code, state", [("return 1)", "changed"), ("%time x = 2\n    return 1", "passed")])
def test_an_answer_with_a_mistake_in_its_syntax_is_out_of_date_and_one_with_a_magic_is_not(tmp_path, code, state):
    """It stayed "passed", and was graded 0; what a kernel runs in place of a magic is another text, and nothing can be said of it."""
    passed = result("causal_mask", "passed", 1.5, 1.5, ("passed",))
    cells = [answered("causal_mask", 9, code), checked(passed, 6, answered("causal_mask", 2, "return 1"))]
    assert states(cells, tmp_path)["causal_mask"].state == state


def test_the_last_word_counts(tmp_path):
    good, bad = result("causal_mask", "passed", 1.5, 1.5, ("passed",)), result("causal_mask", "failed", 0, 1.5, ("failed",))
    assert states([checked(good, 9), checked(bad, 4)], tmp_path)["causal_mask"].state == "passed"
    assert states([checked(good, 4), checked(bad, 9)], tmp_path)["causal_mask"].state == "tried"


def test_no_more_points_than_there_are(tmp_path):
    assert states([checked(result("causal_mask", "passed", 99, 99, ("passed",)), 1)], tmp_path)["causal_mask"].score == 1.5


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"cells": 3}', b"\xff\xfe", b'{"cells": [3]}', b"[" * 9000])
def test_a_damaged_notebook_is_said_to_be_one(tmp_path, content):
    (tmp_path / f"{LESSON} (1).ipynb").write_bytes(content)
    shown = CliRunner().invoke(app, ["progress", str(tmp_path)])
    assert shown.exit_code == 0 and "no notebook that can be read" in " ".join(shown.output.split())


def test_the_command_says_what_to_do_next(tmp_path):
    states([answered("query_key_value", 1)], tmp_path)
    shown = " ".join(CliRunner().invoke(app, ["progress", str(tmp_path)]).output.split())
    assert "0 of 24 points" in shown and "Next:" in shown and "run the check of `query_key_value`" in shown


def test_a_folder_without_lessons_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="03_self_attention.ipynb"):
        read_all([tmp_path])
    assert CliRunner().invoke(app, ["progress", str(tmp_path)]).exit_code == 2


@pytest.mark.parametrize("name", layout.lesson_names())
def test_a_lesson_as_it_is_handed_out_says_how_long_each_exercise_takes(name):
    progress = read(layout.NOTEBOOKS / f"{name}.ipynb", name)
    exercises = [s for s in progress.standings if s.points]
    outcomes = json.loads(layout.manifest_path(name).read_text(encoding="utf-8"))["exercises"]
    assert [s.exercise for s in exercises if not s.minutes and not outcomes[s.exercise]["outcome"]] == []
    assert progress.minutes_left == sum(s.minutes for s in exercises) > 30 and not progress.written and progress.title
    assert progress.milestones == {"begun": False, "half of the exercises": False, "all exercises": False, "written answer": False}


def test_minutes_and_milestones_follow_what_is_done(tmp_path):
    table = new_markdown_cell("| 1 | `query_key_value` | ●○○ | 5 | 2 |\n| 2 | `attention_scores` | ●○○ | 8 | 3 |")
    question = new_markdown_cell("Because.", metadata={"nbgrader": {"grade": True, "solution": True, "grade_id": "written_question"}})
    done = [answered("query_key_value", 1), checked(result("query_key_value", "passed", 2, 2, ("passed",)), 2)]
    nbformat.write(new_notebook(cells=[table, *done, question]), tmp_path / f"{LESSON}.ipynb")
    progress = read(tmp_path / f"{LESSON}.ipynb", LESSON)
    assert progress.minutes_left == 8 and progress.written
    assert progress.milestones == {"begun": True, "half of the exercises": False, "all exercises": False, "written answer": True}
    question.source = "YOUR ANSWER HERE"
    nbformat.write(new_notebook(cells=[question]), tmp_path / f"{LESSON}.ipynb")
    assert not read(tmp_path / f"{LESSON}.ipynb", LESSON).written


def test_the_page_says_what_the_terminal_says(tmp_path):
    evil = "<script>alert(1)</script>.ipynb"
    cells = [answered("query_key_value", 1), checked(result("query_key_value", "passed", 2, 2, ("passed",)), 2), answered("causal_mask", 3)]
    nbformat.write(new_notebook(cells=cells), tmp_path / f"{LESSON}{evil}".replace("/", ""))
    page = tmp_path / "page.html"
    shown = CliRunner().invoke(app, ["progress", str(tmp_path), "--html", str(page)])
    assert shown.exit_code == 0, shown.output
    html = page.read_text(encoding="utf-8")
    assert "2 of 24 points" in html and "2 of 24 points" in " ".join(shown.output.split())
    assert "<code>attention_scores</code>" in html.replace("<wbr>", "") and "Next:" in html and "<script" not in html
    lost = CliRunner().invoke(app, ["progress", str(tmp_path), "--html", str(tmp_path / "no" / "page.html")])
    assert lost.exit_code == 2 and "cannot be written" in lost.output + lost.stderr


@pytest.mark.parametrize(("here", "told"), [(".", "notebooks/{}"), ("notebooks", "{}"), ("elsewhere", "{root}/notebooks/{}")])
def test_what_is_next_is_named_as_one_types_it_here(tmp_path, monkeypatch, here, told):
    path = tmp_path / "notebooks" / f"{LESSON}.ipynb"
    for folder in ("notebooks", "elsewhere"):
        (tmp_path / folder).mkdir()
    nbformat.write(new_notebook(), path)
    monkeypatch.chdir(tmp_path / here)
    assert next_step([read(path, LESSON)]).startswith(f"in {told.format(path.name, root=tmp_path)}, ")


def test_of_copies_of_a_lesson_one_counts(tmp_path):
    """Points, minutes and what is next were those of two lessons. A copy that was fetched anew and is not begun is not the one that counts."""
    passed = result("causal_mask", "passed", 1.5, 1.5, ("passed",))
    for name, cells, saved in [(" (1)", [], 3000), ("", [checked(passed, 2)], 2000), ("-old", [checked(passed, 2)], 1000)]:
        path = tmp_path / f"{LESSON}{name}.ipynb"
        nbformat.write(new_notebook(cells=cells), path)
        os.utime(path, (saved, saved))
    lessons = read_all([tmp_path])
    assert [(lesson.path.stem.removeprefix(LESSON), lesson.older) for lesson in lessons] == [("", False), (" (1)", True), ("-old", True)]
    assert total(lessons).startswith("1.5 of 24 points") and f"{LESSON}.ipynb" in next_step(lessons)
    shown = CliRunner().invoke(app, ["progress", str(tmp_path), "--html", str(tmp_path / "p.html")]).output
    assert " ".join(shown.split()).count("another copy of this lesson counts") == 2 and shown.count("9 exercises") == 1
    assert (tmp_path / "p.html").read_text(encoding="utf-8").count("another copy of this lesson counts") == 2
