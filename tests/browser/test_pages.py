"""The pages that grading makes, in a browser: short on a phone where one thing is wrong, read by everybody, light and dark, wide and narrow."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from autograde import layout
from autograde.checking.lesson import read_manifest
from autograde.checking.runner import Outcome
from autograde.checking.scoring import Result
from autograde.grader.gradebook.standing import Entry, Standing
from autograde.grader.pages import feedback_page, likeness_page
from autograde.grader.pages.likeness import Evidence, Kind, Likeness
from autograde.grader.results.model import Graded
from autograde.progress import read_all
from autograde.progress_page import page as progress_page

LESSON, WRONG = "03_self_attention", "attention_scores"
LOOKS = [(390, "dark"), (1280, "light"), (1920, "dark")]
SAID = "For q (3, 10) and k (5, 10): wrong values: 15 of 15 values are off; furthest at index [1, 0]: expected 2.31217, got 7.31173"


def one_mistake() -> Graded:
    """A whole lesson, right but for one exercise with five failing checks, whose mistake the course knows."""
    results = []
    for name, exercise in read_manifest(LESSON)["exercises"].items():
        outcomes = [Outcome(f"t{i}", "Rows sum to one, whatever the lengths of queries and keys.", "passed", 1, i > 5) for i in range(8)]
        if name == WRONG:
            wrong = [Outcome(f"w{i}", "The scale is that of the vectors' length.", "failed", 1, i > 2, "wrong", SAID) for i in range(5)]
            results.append(
                Result(name, 0.52, exercise["points"], "partial", wrong + outcomes, "These are scores that are not divided by √d_k.")
            )
        else:
            results.append(Result(name, exercise["points"], exercise["points"], "passed", outcomes))
    return Graded("dev", LESSON, "graded", results)


def in_gradebook(graded: Graded) -> Standing:
    exercises = [Entry(r.exercise, r.score, r.points, r.score, None, 0.0, "", False) for r in graded.results]
    written = Entry("written_question", 2.0, 3.0, None, 2.0, 0.0, "Say what becomes of the gradient.", True)
    return Standing("dev", "Dev Rao", LESSON, (*exercises, written), 23.52, 27.0, 0.0, 0.0, 0.0)


def readable(watched, path, width: int, name: str):
    page = watched.page
    page.goto(path.as_uri())
    watched.shot(name)
    assert Axe().run(page, options={"preload": False}).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "the page scrolls sideways"
    watched.assert_quiet()
    return page


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_a_page_about_one_mistake_is_short_and_begins_with_it(watch, tmp_path, width, scheme):
    graded = one_mistake()
    path = feedback_page.save(graded, tmp_path, in_gradebook(graded))
    page = readable(watch(width, color_scheme=scheme), path, width, f"feedback-{width}-{scheme}")
    assert page.evaluate("document.documentElement.scrollHeight") < 2000
    first = page.locator("section").first
    assert first.get_attribute("id") == WRONG
    page.get_by_role("navigation").get_by_role("link", name="written answer").click()
    assert page.locator("#written_question").evaluate(
        "e => { const r = e.getBoundingClientRect(); return r.top >= -1 && r.top < innerHeight; }"
    )


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_page_of_equalities_is_read_by_everybody(watch, tmp_path, width, scheme):
    shown = "40 tokens; names: " + ", ".join(f"name_{i}" for i in range(20))
    found = [Likeness(("ada", "ben"), [Evidence(LESSON, WRONG, kind, shown, 2, 40) for kind in Kind])]
    path = likeness_page.save(found, tmp_path, {"ada": "Ada Lovelace"})
    readable(watch(width, color_scheme=scheme), path, width, f"likenesses-{width}-{scheme}")


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_page_of_progress_is_read_by_everybody(watch, tmp_path, width, scheme):
    path = tmp_path / "progress.html"
    path.write_text(progress_page(read_all([layout.NOTEBOOKS])).replace("<details>", "<details open>"), encoding="utf-8")
    readable(watch(width, color_scheme=scheme), path, width, f"progress-{width}-{scheme}")
