"""Answers that went wrong in the same way are one group, and others are not."""

import json
import re
import shlex
from dataclasses import replace
from html import unescape

import pytest

from autograde.checking.errors import UserError
from autograde.checking.runner import Outcome
from autograde.checking.scoring import Result
from autograde.checking.status import CheckStatus, ExerciseStatus
from autograde.grader.pages import answers_page, of_class
from autograde.grader.pages.answers_page import Answer
from autograde.grader.results.model import Graded

LESSON = "03_self_attention"


def answer(student, message="", detail="", status=CheckStatus.FAILED, mistake="", code="x = 1", sentence=""):
    outcome = Outcome("test_x", "Rows sum to one.", status, 1.0, False, message, detail)
    return Answer(
        student, LESSON, Result("causal_mask", 0.0, 1.5, ExerciseStatus.FAILED, [outcome], sentence or mistake, mistake=mistake), code
    )


def grouped(*answers):
    [sheet] = answers_page.sheets(answers)
    return {frozenset(a.student for a in group.answers): group for group in sheet.groups}


def test_a_known_mistake_is_known_by_its_key_and_not_by_its_sentence():
    found = grouped(
        answer("a", mistake="k1", sentence="old words"), answer("b", mistake="k1", sentence="new words"), answer("c", mistake="k2")
    )
    assert set(found) == {frozenset("ab"), frozenset("c")}


def test_of_a_very_long_answer_the_beginning_is_shown():
    """A class's pages hold the answers of all: with a few megabytes from each of sixty there would be none."""
    failed = Result("causal_mask", 0.0, 1.5, ExerciseStatus.FAILED, [])
    long, short = (
        answers_page.of(Graded("a", LESSON, "graded", [failed]), {"causal_mask": code}) for code in ("x" * 1_000_000, "x" * 10_000)
    )
    assert len(long[0].code) < 10_100 and long[0].code.endswith("… and 990,000 characters more, on the student's page")
    assert short[0].code == "x" * 10_000


def test_the_same_wrong_values_are_one_group_and_other_values_another():
    found = grouped(answer("a", "differs", "got 1.5"), answer("b", "differs", "got 1.5"), answer("c", "differs", "got 2.5"))
    assert set(found) == {frozenset("ab"), frozenset("c")}


def test_errors_group_by_their_kind_and_lost_processes_by_how_they_were_lost():
    found = grouped(
        answer("a", "ValueError: 3", status=CheckStatus.ERROR),
        answer("b", "ValueError: 4", status=CheckStatus.ERROR),
        answer("c", "KeyError: 4", status=CheckStatus.ERROR),
        answer("d", "no end", status=CheckStatus.TIMEOUT),
        answer("e", "gone", status=CheckStatus.DIED),
    )
    assert set(found) == {frozenset("ab"), frozenset("c"), frozenset("d"), frozenset("e")}


def test_the_shortest_answer_stands_for_its_group():
    [group] = grouped(answer("a", code="long = 1 + 1"), answer("b", code="s = 1"), answer("c", code="")).values()
    assert group.representative.student == "b"


def test_the_page_shows_strangers_text_as_text_and_links_their_feedback(tmp_path):
    evil = "<script>alert(1)</script>"
    [sheet] = answers_page.sheets([answer("o'hara #1", evil, code=evil)])
    answers_page.save(sheet, tmp_path, {})
    html = (tmp_path / answers_page.path_of(LESSON, "causal_mask")).read_text(encoding="utf-8")
    assert "<script" not in html and "&lt;script&gt;" in html
    assert re.search(r'href="../../feedback/o%27hara%20%231/03_self_attention.html#causal_mask"', html)


def test_a_cell_that_stopped_is_an_error_and_not_wrong_values():
    """No check has seen such an answer: the exception's name is what two of them share."""
    said = "Its cell stopped before it defined the answer: {}"
    stopped = [
        Answer(student, LESSON, Result("causal_mask", 0.0, 1.5, ExerciseStatus.ERROR, [], said.format(error)), "x")
        for student, error in (("a", "SyntaxError: expected ':'"), ("b", "SyntaxError: invalid syntax"), ("c", "NameError: q"))
    ]
    found = grouped(*stopped)
    assert set(found) == {frozenset("ab"), frozenset("c")} and {group.kind for group in found.values()} == {CheckStatus.ERROR}


def test_the_page_has_the_names_of_the_roster():
    [sheet] = answers_page.sheets([answer("dev", "differs", "got 1.5"), answer("eva", "other", "got 2")])
    html = answers_page.page(sheet, {"dev": "Dev Rao"})
    assert ">Dev Rao</a>" in html and ">dev</a>" not in html and ">eva</a>" in html


@pytest.mark.parametrize(("wrong", "words"), [(1, "1 did not, in 1 group ·"), (2, "2 did not, in 2 groups ·")])
def test_one_group_is_said_as_one(wrong, words):
    [sheet] = answers_page.sheets([answer(str(i), "differs", f"got {i}") for i in range(wrong)])
    assert words in answers_page.page(sheet, {})


def alike(*answers):
    [sheet] = answers_page.sheets(answers)
    [group] = sheet.groups
    return [("".join(a.student for a in part.answers), part.same) for part in group.subgroups], answers_page.page(sheet, {})


def test_in_a_group_the_same_code_is_together_with_one_to_read():
    forms = {"a": "p", "b": "q", "c": "q", "d": "", "e": "r", "f": "q", "g": "p"}
    answers = [
        replace(answer(student, "differs", "got 1.5", code=f"{student} = {'1' * ord(student)}"), form=form)
        for student, form in forms.items()
    ]
    parts, html = alike(*answers)
    assert parts == [("bcf", True), ("ag", True), ("de", False)]
    shown = re.findall(r"<pre[^>]*>(\w)", html)
    assert shown == ["b", "a", "d"], "the shortest of each"
    assert "3 × the same code" in html and "2 × code of their own" in html


def test_a_group_that_is_one_program_says_so_and_one_of_unknown_code_says_nothing():
    same = [replace(answer(student, "differs", "got 1.5"), form="p") for student in "abc"]
    assert "All wrote the same code" in alike(*same)[1]
    parts, html = alike(*(replace(a, form="") for a in same))
    assert parts == [("abc", False)] and "same code" not in html and "<h3>" not in html


def test_a_submission_brings_the_normal_forms_of_its_wrong_answers():
    """Two who chose other names are one part of the page."""
    cells = "def causal_mask(n):\n    {x} = torch.ones(n, n)  # {x}\n    return {x}"
    made = []
    for student, name in (("a", "rows"), ("b", "mask"), ("c", "x")):
        cell = {
            "cell_type": "code",
            "source": cells.format(x=name),
            "metadata": {"nbgrader": {"grade_id": "causal_mask", "solution": True}},
        }
        results = [answer(student, "differs", "got 1.5").result]
        made.append(of_class.part(Graded(student, LESSON, "graded", results, notebook=json.dumps({"cells": [cell]}))))
    parts, _ = alike(*(a for part in made for a in part.answers))
    assert parts == [("abc", True)]


def test_who_is_alike_by_mistake_and_by_code():
    forms = {"a": "p", "b": "q", "c": "p", "d": "r"}
    answers = [replace(answer(student, "differs", "got 1.5"), form=form) for student, form in forms.items()]
    answers += [answer("e", "differs", "got 2.5")]
    assert answers_page.like(answers, "a", False) == ["a", "b", "c", "d"]
    assert answers_page.like(answers, "a", True) == ["a", "c"] and answers_page.like(answers, "b", True) == ["b"]
    assert answers_page.like(answers, "e", False) == ["e"]
    with pytest.raises(UserError, match="a, b, c, d, e"):
        answers_page.like(answers, "nobody", False)


def test_a_group_tells_the_command_that_comments_on_it():
    answers = [answer(student, "differs", "got 1.5") for student in ("o'hara", "b")]
    html = unescape(answers_page.page(answers_page.sheets(answers)[0], {}))
    command = re.sub("<.*?>", "", re.search(r"<code>python -m autograde (comment .*?)</code>", html)[1])
    assert shlex.split(command)[:4] == ["comment", "COURSE", "03", "causal_mask"] and shlex.split(command)[-1] in ("o'hara", "b")
    assert "autograde comment" not in answers_page.page(answers_page.sheets(answers[:1])[0], {})
