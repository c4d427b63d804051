"""A student's page: what passed, what did not and why; of hidden tests the title and the kind of failure only."""

import re

import pytest

from autograde.checking.runner import Outcome
from autograde.checking.scoring import Result
from autograde.grader.results.feedback_page import page
from autograde.grader.results.model import Graded

LESSON = "03_self_attention"


def outcome(title, status="passed", hidden=False, message="", detail=""):
    return Outcome("test_x", title, status, 1.0, hidden, message, detail)


def text(html):
    return " ".join(re.sub(r"<[^>]+>", " ", html.split("</style>")[1]).split())


def shown(*results, **more):
    return page(Graded("ada", LESSON, "graded", list(results), **more))


def test_each_test_says_whether_it_passed_and_why_not():
    outcomes = [outcome("A row sums to one."), outcome("Scaled.", "failed", False, "off by 8", "expected 1, got 8")]
    said = text(shown(Result("causal_mask", 0.75, 1.5, "partial", outcomes, "The scores are not divided.")))
    assert "Passed: A row sums to one." in said and "Not passed: Scaled. off by 8: expected 1, got 8" in said
    assert "The scores are not divided." in said and "0.75 / 1.5" in said and "graded by a person" in said


def test_a_hidden_test_tells_its_title_and_kind_only():
    said = text(
        shown(Result("causal_mask", 0, 1.5, "failed", [outcome("Odd sizes.", "failed", True, "The values differ.", "expected 41 got 7")]))
    )
    assert "Odd sizes. (hidden test) The values differ." in said and "41" not in said


def test_one_test_on_many_inputs_is_one_line_unless_they_differ():
    same, other = [outcome("Lengths.", hidden=True)] * 3, outcome("Lengths.", "failed", True, "wrong")
    said = text(shown(Result("causal_mask", 1, 1.5, "partial", [*same, other])))
    assert said.count("Lengths.") == 2 and "(hidden test, 3 inputs)" in said


def test_an_unwritten_answer_says_so_once():
    assert text(shown(Result("causal_mask", 0, 1.5, "not_attempted"))).count("not written yet") == 1


@pytest.mark.parametrize("evil", ["<script>alert(1)</script>", '"><img src=x onerror=y>', "</pre><b>"])
def test_strangers_text_stays_text(evil):
    result = Result("causal_mask", 0, 1.5, "failed", [outcome(evil, "failed", False, evil, evil)], evil)
    html = shown(result, repairs=[evil])
    assert evil not in html and html.count("<main>") == 1


def test_a_submission_that_was_not_graded_says_why():
    said = text(page(Graded("ada", LESSON, "unreadable", [Result("causal_mask", 0, 1.5, "missing")], "the file is empty")))
    assert "not graded: the file is empty" in said and "causal_mask" not in said
