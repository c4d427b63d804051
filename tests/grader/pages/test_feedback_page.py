"""A student's page: what passed, what did not and why; of hidden tests the title and the kind of failure only."""

import json
import re
from dataclasses import replace
from datetime import datetime

import pytest

from autograde.checking.runner import Outcome
from autograde.checking.scoring import Result
from autograde.grader.gradebook.standing import Entry, Standing
from autograde.grader.pages.feedback_page import page
from autograde.grader.pages.template import with_code, with_stress
from autograde.grader.results.model import Graded
from autograde.grader.run import prerequisites

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


def test_what_directs_how_text_is_shown_is_seen():
    """A terminal obeys some characters, and others have code read as what it is not."""
    texts = {"causal_mask": "grant = 0  # \u202e}1 = tnarg\x1b[2J\x9b\x0c", "written_question": "\u2066Mask\x07"}
    cells = [{"metadata": {"nbgrader": {"grade_id": name, "solution": True}}, "source": text} for name, text in texts.items()]
    failed = Result("causal_mask", 0, 1.5, "failed", [outcome("A.", "failed")])
    entries = [entry(name, 0, 4, None, comment="\u202ewell", written=name == "written_question") for name in texts]
    html = page(Graded("ada", LESSON, "graded", [failed], notebook=json.dumps({"cells": cells})), standing(*entries))
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", html)
    assert "# ⟨U+202E⟩}1" in html and "⟨U+001B⟩[2J⟨U+009B⟩⟨U+000C⟩" in html and "⟨U+2066⟩Mask⟨U+0007⟩" in html


def test_one_test_on_many_inputs_is_one_line_unless_they_differ():
    same, other = [outcome("Lengths.", hidden=True)] * 3, outcome("Lengths.", "failed", True, "wrong")
    said = text(shown(Result("causal_mask", 1, 1.5, "partial", [*same, other])))
    assert said.count("Lengths.") == 2 and "(hidden test, 3 inputs)" in said


@pytest.mark.parametrize("status", ["passed", "partial"])
def test_an_answer_that_passed_in_another_way_than_it_stands_says_so(status):
    first, second = [outcome("A.", "failed")], [outcome("A.")] if status == "passed" else [outcome("A."), outcome("B.", "failed")]
    own, again = (Result("causal_mask", 0, 1.5, s, o) for s, o in (("failed", first), (status, second)))
    for better in (prerequisites.merge_as_it_stood(own, again), prerequisites.merge(own, again, ["query_key_value"])):
        assert text(shown(better)).count(better.diagnosis.replace("`", "")) == 1


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


def entry(name, score, most, auto, manual=None, comment="", written=False):
    return Entry(name, score, most, auto, manual, 0.0, comment, written)


def standing(*entries, total=3.0, penalty=0.0, late=0.0):
    return Standing("ada", "Ada Lovelace", LESSON, entries, total, 4.5, penalty, late, 0.0)


def with_gradebook(*results, **of):
    return text(
        page(Graded("ada", LESSON, "graded", list(results)), standing(**of) if "entries" not in of else standing(*of.pop("entries"), **of))
    )


def test_the_gradebook_has_the_last_word():
    failed = Result("causal_mask", 0.5, 1.5, "partial", [outcome("Scaled.", "failed")])
    changed, essay = (
        entry("causal_mask", 1.0, 1.5, 0.5, 1.0, "Half right."),
        entry("written_question", 2.0, 3.0, None, 2.0, "Say `why`.", True),
    )
    said = with_gradebook(failed, entries=(changed, essay), total=2.6, penalty=0.4, late=90000.0)
    assert "2.6 of 4.5 points" in said and "1 / 1.5" in said and "the checks gave 0.5" in said and "Half right." in said
    assert "2 / 3" in said and "Say why ." in said and "1 day 1 hour late" in said and "0.4 points are taken off" in said


def test_an_answer_that_waits_for_a_person_says_so_and_shows_no_points():
    said = with_gradebook(Result("causal_mask", 1.5, 1.5, "passed"), entries=(entry("written_question", 0.0, 3.0, None, written=True),))
    assert "waits / 3" in said and "waits for a person" in said


def test_what_failed_stands_before_what_was_not_written_and_what_passed():
    results = [
        Result("query_key_value", 2, 2, "passed"),
        Result("causal_mask", 0, 1.5, "not_attempted"),
        Result("padding_mask", 0, 1.5, "error", [outcome("Lengths.", "error", message="NameError")]),
    ]
    said = page(Graded("ada", LESSON, "graded", results)).split("</nav>")[1]
    places = [said.index(f'id="{name}"') for name in ("padding_mask", "causal_mask", "query_key_value")]
    assert places == sorted(places)


def test_a_long_reason_stands_once():
    """An error that stops every check was once a screen of the same words; a short reason is told again, and another exercise tells its own."""
    error, short = "TypeError: masked_fill() received an invalid combination of arguments (float, Tensor)", "NameError: w"
    results = [
        Result(name, 0, 1.5, "error", [*(outcome(f"Check {i}.", "error", message=error) for i in range(3)), *(outcome(f"Short {i}.", "error", message=short) for i in range(2))])
        for name in ("causal_mask", "padding_mask")
    ]  # fmt: skip
    said = text(shown(*results))
    assert said.count(error) == 2 and said.count("The same as above.") == 4 and said.count(short) == 4


def test_the_stretch_counts_apart():
    results = [Result("causal_mask", 1.5, 1.5, "passed"), Result("streaming_attention", 0, 0, "failed", [outcome("Any.", "failed")])]
    said = text(shown(*results))
    assert "1 of 1 exercises pass" in said and said.index("Stretch") < said.index("Any.")


def test_backticks_are_code_and_nothing_else_is_markup():
    assert with_code("use `a < b` <b>") == "use <code>a &lt; b</code> &lt;b&gt;"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Say *why*, not **what**.", "Say <em>why</em>, not <strong>what</strong>."),
        ("*two words*\n*lines*", "<em>two words</em>\n<em>lines</em>"),
        ("`*args*` and *x*", "<code>*args*</code> and <em>x</em>"),
        ("*<b>*", "<em>&lt;b&gt;</em>"),
        *(
            (same, same)
            for same in ("2 * 3 * 4", "a*b*c", "f(*args, **more)", "* one\n* two", "*a\nb*", "**", "***", "** a **", "n_heads_x")
        ),
    ],
)
def test_a_comment_shows_stressed_words_and_no_other_markup(written, shown):
    assert with_stress(written) == shown and "<em>" not in with_code(written)


def test_a_persons_comment_is_shown_with_its_stress():
    entry = Entry("causal_mask", 1.0, 1.5, 0.0, 1.0, 0.0, "Look at the *first* row <i>.", False)
    html = page(
        Graded("ada", LESSON, "graded", [Result("causal_mask", 0.0, 1.5, "failed")]),
        Standing("ada", "", LESSON, (entry,), 1.0, 1.5, 0.0, 0.0, 0.0),
    )
    assert "Look at the <em>first</em> row &lt;i&gt;." in html


def test_who_is_not_in_the_gradebook_has_the_rosters_name():
    said = text(page(Graded("mo", LESSON, "missing", [], "nothing was handed in"), name="Mo Haddad"))
    assert "Mo Haddad (mo)" in said and "0 points" in said


def test_who_handed_in_what_cannot_be_read_is_told_what_to_do():
    assert "hand it in again" in text(page(Graded("ada", LESSON, "unreadable", [], "the file is empty")))
    assert "hand it in again" not in text(page(Graded("mo", LESSON, "missing", [], "nothing was handed in")))


@pytest.mark.parametrize(
    ("penalty", "words"), [(1.0, "1 point is taken off"), (2.5, "2.5 points are taken off"), (0.0, "no points are taken off")]
)
def test_points_for_lateness_are_counted_in_words(penalty, words):
    assert words in with_gradebook(Result("causal_mask", 1.5, 1.5, "passed"), entries=(), penalty=penalty, late=60.0)


@pytest.mark.parametrize(
    ("late", "words"), [(0.0, "Handed in 2027-02-28 10:12 UTC."), (60.0, "Handed in 2027-02-28 10:12 UTC, 1 minute late")]
)
def test_a_page_says_when_it_was_handed_in_where_that_is_known(late, words):
    """Which of several attempts was graded is asked most of all."""
    graded = Graded("ada", LESSON, "graded", [Result("causal_mask", 1.5, 1.5, "passed")])
    assert words in text(page(graded, replace(standing(late=late), handed_in=datetime(2027, 2, 28, 10, 12))))
    assert late or "Handed in" not in text(page(graded, standing(late=late)))
