"""A student in JupyterLab: opens lesson 03, goes wrong, reads why, gets it right, sees the points, validates."""

from __future__ import annotations

import re
import shutil

import nbformat
import pytest

from autograde import layout
from autograde.authoring import source
from autograde.authoring.sample_class import UNSCALED, solved_notebook
from autograde.grader.ingest import discovery
from autograde.grader.run import submission

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect

from tests.browser.lab import NotebookPage  # noqa: E402

LESSON = "03_self_attention"
RIGHT = "def attention_scores(q, k):\n    return q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5\n"
WRITTEN = "Scores grow like $\\sqrt{d_k}$, and **the softmax saturates**."
TROUBLE = '[data-mime-type="application/vnd.jupyter.error"], [data-mime-type="application/vnd.jupyter.stderr"]'
VALIDATION_MS = 240_000  # nbgrader runs the whole notebook


@pytest.fixture
def notebook(lab):
    """notebook(name, solved=False) → the path, from the server's folder, of a lesson of the test's own."""
    made = []

    def notebook(name: str, solved: bool = False) -> str:
        path = lab.root / "notebooks" / f"{name}.ipynb"
        if solved:
            complete = solved_notebook(source.read(layout.source_path(LESSON)))
            next(cell for cell in complete.cells if "YOUR ANSWER HERE" in cell.source).source = "Because of the scale."
            nbformat.write(complete, path)
        else:
            shutil.copy(layout.NOTEBOOKS / f"{LESSON}.ipynb", path)
        made.append(path)
        return f"notebooks/{name}.ipynb"

    yield notebook
    for path in made:
        path.unlink()


def test_a_wrong_answer_is_explained_and_a_right_one_praised(lab, watch, notebook):
    watched = watch()
    opened = NotebookPage(watched.page, lab, notebook("student_writes"))
    exercise, check = opened.cell("def attention_scores("), opened.cell("check(attention_scores)")
    opened.run_above(exercise)
    expect(opened.panel.locator(TROUBLE)).to_have_count(0)

    opened.run(exercise)
    expect(opened.run(check)).to_contain_text("attention_scores: not written yet")
    watched.shot("student-1-not-written")
    opened.run(opened.cell("ones = torch.ones(32)"))
    figure = opened.cell("def draw_lecture_scores")
    picture = opened.run(figure).locator("img")
    waiting = picture.get_attribute("src")  # the note that stands in the figure's place

    opened.write(exercise, UNSCALED)
    opened.run(exercise)
    report = opened.run(check)
    expect(report).to_contain_text("This is what you get when the scores are not divided by √d_k.")
    expect(report).to_contain_text("expected 14, got 112")
    watched.shot("student-2-wrong")

    opened.write(exercise, RIGHT)
    opened.run(exercise)
    report = opened.run(check)
    expect(report).to_contain_text("✓ attention_scores: all 5 public checks passed · 3 of 3 points")
    watched.shot("student-3-right")
    opened.run(figure)
    expect(picture).not_to_have_attribute("src", waiting)
    picture.scroll_into_view_if_needed()
    watched.shot("student-4-figure")

    answer = opened.answer_in_words(WRITTEN)
    expect(answer.locator("mjx-container")).to_have_count(1)
    expect(answer).to_contain_text("the softmax saturates")
    answer.scroll_into_view_if_needed()
    watched.shot("student-5-written-answer")

    board = opened.run(opened.cell("lesson.scoreboard()"))
    expect(board.locator("tr", has_text="attention_scores")).to_contain_text("3 / 3")
    expect(board).to_contain_text("3 of 24 points by the public checks")
    board.scroll_into_view_if_needed()
    watched.shot("student-6-scoreboard")
    watched.assert_quiet()

    opened.save()
    (found,) = discovery.find([opened.path], LESSON)
    assert submission.grade(found, "auto").score == 3, "what the browser saved is what is graded"


def test_an_untouched_notebook_runs_from_top_to_bottom(lab, watch, notebook):
    watched = watch()
    opened = NotebookPage(watched.page, lab, notebook("student_looks"))
    opened.choose("Run", "Run All Cells")
    opened.wait_until_idle()
    expect(opened.panel.locator(TROUBLE)).to_have_count(0)
    expect(opened.panel.get_by_text(re.compile(r"^· \w+: not written yet"))).to_have_count(
        len(source.read(layout.source_path(LESSON)).exercises)
    )
    expect(opened.output(opened.cell("lesson.scoreboard()"))).to_contain_text("0 of 24 points by the public checks")
    waiting = opened.output(opened.cell("def draw_lecture_scores"))
    expect(waiting.locator("img")).to_be_visible()
    waiting.scroll_into_view_if_needed()
    watched.shot("student-7-untouched")
    watched.assert_quiet()


def validate(watched, opened):
    """Press nbgrader's Validate and give the dialog that comes."""
    opened.panel.get_by_text("Validate", exact=True).click()
    dialog = watched.page.locator(".jp-Dialog", has_text="Validation Results")
    expect(dialog).to_be_visible(timeout=VALIDATION_MS)
    return dialog


def test_validate_names_what_is_unwritten(lab, watch, notebook):
    watched = watch()
    dialog = validate(watched, NotebookPage(watched.page, lab, notebook("student_hopes")))
    watched.shot("student-8-validate-untouched")
    expect(dialog).to_contain_text("· attention_scores: not written yet · 0 of 3 points")
    expect(dialog).to_contain_text("You did not provide a response.")


def test_validate_accepts_what_is_solved(lab, watch, notebook):
    watched = watch()
    dialog = validate(watched, NotebookPage(watched.page, lab, notebook("student_done", solved=True)))
    watched.shot("student-9-validate-solved")
    expect(dialog).to_contain_text("Success! Your notebook passes all the tests.")
