"""`autograde new`: a lesson and an exercise that can be built, graded and improved from the first minute."""

import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from typer.testing import CliRunner

from autograde import layout
from autograde.authoring import new, notebooks, source, went_wrong
from autograde.authoring.build import build
from autograde.authoring.rules import every_lesson
from autograde.authoring.strength.mutation import Bench
from autograde.authoring.strength.report import measure
from autograde.checking.errors import UserError
from autograde.checking.report import Report
from autograde.checking.result import Result
from autograde.cli import app
from autograde.grader.ingest.discovery import Found
from autograde.grader.run import submission
from autograde.grader.sandbox.modes import Mode
from utils import plots

NAME = "09_retrieval"


def points(name):
    """What the grader gives to the solved notebook, by exercise."""
    graded = submission.grade(Found("ann", name, layout.SOLUTIONS / f"{name}.ipynb"), Mode.AUTO)
    return {result.exercise: result.score for result in graded.results}


@pytest.mark.slow
def test_a_new_lesson_is_built_graded_and_strong(course):
    paths = new.new_lesson(NAME, "Retrieval")
    assert [path.relative_to(course).as_posix() for path in paths] == [
        f"solutions/{NAME}.py", f"autograde/lessons/checks/test_{NAME}.py", f"autograde/lessons/hidden/test_{NAME}.py",
        f"autograde/lessons/misconceptions/{NAME}.py",
    ]  # fmt: skip
    assert not any("@" in re.sub(r"@(pytest|misconception|variant)", "", path.read_text(encoding="utf-8")) for path in paths)
    built = build(NAME, execute=False)
    assert points(NAME) == {new.EXAMPLE: 1.0}
    found = measure(Bench(NAME))
    assert found.complaints == [] and found.rows == [("09", new.EXAMPLE, "3 of 3", "3", "1 of 1")]
    assert built.notes == every_lesson.notes(source.read(layout.source_path(NAME))) and any("20" in note for note in built.notes)
    assert f"{NAME}: its figures are 1; a lesson has 5 or more" in built.notes, "the scoreboard is none"
    student = notebooks.text(nbformat.read(layout.NOTEBOOKS / f"{NAME}.ipynb", 4))
    assert "Retrieval" in student and "means.append" not in student


@pytest.mark.slow
def test_a_build_says_in_which_probe_the_answer_itself_stops(course):
    new.new_lesson(NAME, "Retrieval")
    path = layout.source_path(NAME)
    path.write_text(path.read_text(encoding="utf-8").replace("    return means\n", "    return meanz\n"), encoding="utf-8")
    told = f"{NAME}: the lesson's own answer raises an exception in the probe of {new.EXAMPLE}: no mistake in it can be called by name"
    assert told in build(NAME, execute=False).notes


def test_an_executed_lesson_tells_which_answers_and_figures_went_wrong(monkeypatch):
    """They were found by who looked through every output, or never: a figure of a wrong answer never stops a notebook."""
    shown = []
    monkeypatch.setattr(plots, "display", lambda what, raw=False: shown.append(what if raw else what._repr_mimebundle_()[0]))
    plots.show(lambda figure: figure.legendary(), alt="A figure")
    plots.show(lambda figure: figure.subplots(), alt="A figure")
    plots.show_html("<p>view</p>", still=lambda figure: figure.legendary(), alt="A view")
    shown += [Report(Result("f", score, 1, status))._repr_mimebundle_() for score, status in ((0, "failed"), (1, "passed"))]
    cells = [new_code_cell("def draw(figure):\n    ...", outputs=[new_output("display_data", data)]) for data in shown]
    lesson = source.Source(Path("09_tiny.py"), "", [source.Cell("code", "", line, {}) for line in range(10, 10 + len(cells))], {}, {})
    told = list(went_wrong.notes(new_notebook(cells=[new_code_cell("what a build adds"), *cells]), lesson))
    undrawn = ["09_tiny.py:10: a figure is not drawn: AttributeError", "09_tiny.py:12: a figure is not drawn: AttributeError"]
    assert [note[: len(undrawn[0])] for note in told[:-1]] == undrawn
    assert told[-1] == "09_tiny.py:13: the lesson's own answer to f does not pass its check"


@pytest.mark.slow
@pytest.mark.parametrize("lesson", ["03_self_attention", "06_tokenization"])
def test_a_new_exercise_of_a_lesson(course, lesson):
    before = source.read(layout.source_path(lesson))
    new.new_exercise(lesson, "looking_distance")
    after = source.read(layout.source_path(lesson))
    assert every_lesson.complaints(after) == []  # the sum, the table and the heading have the new point
    assert set(after.exercises) - set(before.exercises) == {"looking_distance"}
    order = [cell.exercise or cell.question for cell in after.cells if cell.exercise or cell.question]
    assert order.index("looking_distance") + 1 == order.index(next(iter(after.questions)))
    found = measure(Bench(lesson), ["looking_distance"])
    assert found.complaints == [] and found.rows[0][2:] == ("3 of 3", "3", "1 of 1")
    new.new_exercise(lesson, "another_one")
    assert every_lesson.complaints(source.read(layout.source_path(lesson))) == []


@pytest.mark.parametrize(
    "lesson, what, told",
    [
        ("9_retrieval", "Retrieval", "09_retrieval"),
        ("09-retrieval", "Retrieval", "09_retrieval"),
        ("03_other", "Other", "03_self_attention"),
        (NAME, " ", "title"),
        ("03", "two words", "two words"),
        ("03", "class", "class"),
        ("03", "causal_mask", "causal_mask"),
        ("03", "lesson", "lesson"),
    ],
)
def test_what_is_misnamed_or_there_is_refused_in_one_line(course, lesson, what, told):
    before = {path: path.read_bytes() for path in course.rglob("*") if path.is_file()}
    result = CliRunner().invoke(app, ["new", lesson, what])
    assert result.exit_code == 2 and told in result.output + result.stderr and len((result.stderr or result.output).splitlines()) == 1
    assert before == {path: path.read_bytes() for path in course.rglob("*") if path.is_file()}


def test_a_file_of_that_name_is_not_written_over(course):
    layout.hidden_path(NAME).write_text("mine")
    with pytest.raises(UserError, match="exists already"):
        new.new_lesson(NAME, "Retrieval")
    assert layout.hidden_path(NAME).read_text() == "mine" and not layout.source_path(NAME).exists()


def test_the_command_says_what_it_made_and_what_comes_next(course):
    result = CliRunner().invoke(app, ["new", NAME, "Retrieval"])
    assert result.exit_code == 0 and f"solutions/{NAME}.py" in result.output and "build 09" in result.output
    result = CliRunner().invoke(app, ["new", "09", "second_mean"])
    assert result.exit_code == 0 and points_of(NAME) == 2
    assert every_lesson.complaints(source.read(layout.source_path(NAME))) == [], "its text has the new sum of points"


def test_the_same_command_again_adds_no_exercise_of_the_titles_name(course):
    for _ in range(2):
        result = CliRunner().invoke(app, ["new", NAME, "Retrieval"])
    assert result.exit_code == 2 and f"lesson {NAME} is there already" in result.stderr


def points_of(name):
    return sum(exercise.points for exercise in source.read(layout.source_path(name)).exercises.values())
