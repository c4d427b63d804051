"""Unusual equalities: two who share something rare are found, what was handed out, common or short is not, and the page says it as it is."""

from __future__ import annotations

import json
from time import process_time

import pytest

from autograde.checking.runner import Outcome
from autograde.checking.scoring import Result
from autograde.grader.pages import answers_page, likeness, likeness_page
from autograde.grader.pages.likeness import Kind
from autograde.grader.results.model import Graded

LESSON, EXERCISE, QUESTION = "03_self_attention", "causal_mask", "written_question"
LONG = "def causal_mask(n, device=None):\n    {name} = torch.arange(n, device=device)\n    {other} = {name}[:, None]\n    rows = {other} >= {name}[None, :]\n    return rows.to(torch.bool).clone()\n"


def handed_in(student, code="", words="", result=None):
    cells = [("code", EXERCISE, code), ("markdown", QUESTION, words)]
    notebook = [
        {"cell_type": kind, "source": text, "metadata": {"nbgrader": {"grade_id": name, "solution": True}}} for kind, name, text in cells
    ]
    result = result or Result(EXERCISE, 1.5, 1.5, "passed")
    return Graded(student, LESSON, "graded", [result], notebook=json.dumps({"cells": notebook}))


def found(*graded):
    traces = [trace for g in graded for trace in likeness.traces(g, g.answers())]
    sheets = answers_page.sheets([answer for g in graded for answer in answers_page.of(g, g.answers())])
    return likeness.likenesses([*traces, *likeness.wrong(sheets)])


def others(count, **parts):
    """The rest of the class: each with a comment, names and a sentence of their own."""
    for i in range(count):
        code = f"# {'abcdefghijklmnopqrstuvwxyz'[i]} thought of mine alone\n" + LONG.format(name=f"name{i}", other=f"o{i}")
        words = f"The weights of answer number {i} are all nearly equal there."
        yield handed_in(f"s{i:02}", code, words, **parts)


@pytest.mark.parametrize(
    ("kind", "code", "words"),
    [
        (Kind.COMMENT, "# here be the dragons of my aunt\nx = {i}", ""),
        (Kind.CODE, '"""{i}"""\n' + LONG.format(name="zorp", other="blib") + "# comment {i}", ""),
        (Kind.WRITTEN, "", "First {i}. The softmax forgets every single word that it has ever read."),
    ],
)
def test_two_who_share_something_rare_are_found_with_the_base_rate(kind, code, words):
    pair = [handed_in(student, code.replace("{i}", str(i)), words.replace("{i}", str(i))) for i, student in enumerate(("ann", "bob"))]
    [likely] = found(*pair, *others(18))
    assert likely.students == ("ann", "bob")
    assert [(e.kind, e.sharing, e.among) for e in likely.evidence] == [(kind, 2, 20)]


def test_what_many_share_what_is_short_and_what_was_handed_out_is_no_trace():
    common = "# everybody in the room wrote this\n" + LONG.format(name="rows_", other="cols_")
    assert found(*(handed_in(f"s{i}", common) for i in range(10)), *others(10)) == []
    short = "# two words\ndef causal_mask(n):\n    return 1\n"
    assert found(handed_in("ann", short, "I do not know."), handed_in("bob", short, "I do not know."), *others(18)) == []
    released = "# YOUR CODE HERE\nraise NotImplementedError"
    quoted = "What do the weights and the gradients look like in the first steps of training, and why?"
    assert found(handed_in("ann", released, quoted), handed_in("bob", released, quoted), *others(18)) == []


def test_equal_wrong_values_count_unless_the_course_knows_the_mistake():
    def wrong(got, mistake=""):
        outcome = Outcome("test_x", "Rows sum to one.", "failed", 1.0, False, "differs", f"got {got}")
        return Result(EXERCISE, 0.0, 1.5, "failed", [outcome], mistake=mistake)

    rest = [handed_in(f"s{i}", f"x = {i}", result=wrong(i)) for i in range(18)]
    [likely] = found(handed_in("ann", result=wrong("77")), handed_in("bob", result=wrong("77")), *rest)
    assert likely.students == ("ann", "bob") and likely.evidence[0].kind is Kind.WRONG and likely.evidence[0].among == 20
    assert found(handed_in("ann", result=wrong("77", "known")), handed_in("bob", result=wrong("77", "known")), *rest) == []


def test_a_class_in_which_nothing_is_copied_lists_nothing():
    assert found(*others(25)) == []


def test_more_shared_things_stand_first_and_a_group_of_three_is_one():
    three = [handed_in(s, "# here be the dragons of my aunt") for s in "abc"]
    two = [handed_in(s, "# a second comment of four words", "The softmax forgets every single word that it read.") for s in "de"]
    likely = found(*three, *two, *others(26))
    assert [x.students for x in likely] == [("d", "e"), ("a", "b", "c")] and len(likely[0].evidence) == 2


def test_the_page_says_that_it_is_no_proof_and_shows_strangers_text_as_text(tmp_path):
    evil = "# <script>alert(1)</script> four more words"
    likely = found(handed_in("o'hara #1", evil), handed_in("<b>", evil), *others(18))
    html = likeness_page.save(likely, tmp_path, {"o'hara #1": "Pat"}).read_text(encoding="utf-8")
    assert "<script" not in html and "<b>" not in html and "none of them is proof" in html and "2 of 20" in html
    assert 'href="feedback/o%27hara%20%231/03_self_attention.html#causal_mask"' in html and "Pat" in html
    assert "Nothing unusual" in likeness_page.save([], tmp_path, {}).read_text(encoding="utf-8")


def test_a_hostile_answer_is_looked_at_in_time():
    """A pattern that goes back over what it has read would take minutes for these."""
    for text in ("'''" * 9000, '"\\' * 9000, "(" * 20000, "# " * 9000, "a" * 20000, "." * 20000):
        graded, began = handed_in("eve", text, text), process_time()
        list(likeness.traces(graded, graded.answers()))
        assert process_time() - began < 2
