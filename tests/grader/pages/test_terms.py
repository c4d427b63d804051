"""Two terms beside each other: shares and medians as pandas has them, nothing about anybody of the other term, and it stays until it is ended."""

import re

import pandas as pd
import pytest
from typer.testing import CliRunner

from autograde.checking.errors import UserError
from autograde.checking.result import Result
from autograde.cli import app
from autograde.grader.gradebook.standing import Entry, Standing
from autograde.grader.pages import class_page, terms
from autograde.grader.results import csv_tables
from autograde.grader.results.model import Graded
from tests.grader.pages.test_class_page import LESSON, classroom


def term(folder, size, seed, lesson=LESSON):
    folder.mkdir(exist_ok=True)
    csv_tables.save([Graded(g.student, lesson, g.status, g.results) for g in classroom(size, seed)], folder)
    return folder


def shown(folder, standings=()):
    """The rows of the comparison on the class page: exercise → cells as text."""
    html = class_page.save(folder, standings).read_text(encoding="utf-8")
    if "Compared with" not in html:
        return {}
    table = html.split("Compared with")[1].split("<tbody>")[1].split("</tbody>")[0]
    rows = (re.findall(r"<t[dh].*?</t[dh]>", line) for line in table.split("</tr>") if "<td" in line)
    texts = ([re.sub("<.*?>", "", cell) for cell in row] for row in rows)
    return {name: cells for name, *cells in texts}


def nothing(folder):
    """What a gradebook that is not there says."""
    return []


def standing(student, mask, written):
    """Points of a person for `causal_mask`, and for the written question."""
    entries = (
        Entry("causal_mask", mask, 1.5, 1.5, mask, 0.0, "", False),
        Entry("written_question", written or 0.0, 3.0, None, written, 0.0, "", True),
    )
    return Standing(student, "", LESSON, entries, mask + (written or 0.0), 4.5, 0.0, 0.0, 0.0)


def test_shares_and_medians_are_those_of_pandas(tmp_path):
    now, then = term(tmp_path / "now", 31, 1), term(tmp_path / "then", 14, 2)
    terms.keep(now, str(then), nothing)
    known = terms.read(now).lessons[LESSON]
    frame, grades = pd.read_csv(then / "exercises.csv"), pd.read_csv(then / "grades.csv")
    earned = frame.groupby("exercise").score.sum() / frame.groupby("exercise").max_score.sum()
    assert {name: e.share for name, e in known.exercises.items()} == pytest.approx(earned.dropna().to_dict())
    assert known.median == pytest.approx((grades.score / grades.max_score).median()) and known.handed_in == 14
    rows = shown(now)
    assert {name: cells[1] for name, cells in rows.items()} == {name: f"{share:.0%}" for name, share in earned.dropna().items()}
    both = terms.beside(terms.of_tables("", csv_tables.rows(now / "grades.csv"), csv_tables.rows(now / "exercises.csv")), terms.read(now))
    assert both[LESSON].chance == pytest.approx(2 * (0.25 / 31 + 0.25 / 14) ** 0.5)


def test_who_handed_in_nothing_counts_in_neither_term(tmp_path):
    results = [Result("causal_mask", 1.5, 1.5, "passed")]
    blank = [Result("causal_mask", 0.0, 1.5, "missing")]
    csv_tables.save([Graded("a", LESSON, "graded", results), Graded("b", LESSON, "missing", blank)], tmp_path)
    found = terms.of_tables("x", csv_tables.rows(tmp_path / "grades.csv"), csv_tables.rows(tmp_path / "exercises.csv"))
    assert found.lessons[LESSON] == terms.Lesson(1, 1.0, {"causal_mask": terms.Solved(1.5, 1.0)}, 1.0)


@pytest.mark.parametrize(
    ("now_given", "then_given", "cells"),
    [((3.0, 1.5), (1.5, 0.0), ["75%", "25%", "+50", "3"]), ((3.0, None), (1.5, 0.0), ["–", "25%", "–", "3"]), ((3.0, 3.0), (1.5, None), ["100%", "–", "–", "3"])],
)  # fmt: skip
def test_the_written_question_and_points_of_people_are_compared(now_given, then_given, cells, tmp_path):
    """Not while an answer waits: its share would say nothing. As recorded is also what a person changed."""
    now, then = tmp_path / "now", tmp_path / "then"
    for folder in (now, then):
        folder.mkdir()
        csv_tables.save([Graded(s, LESSON, "graded", [Result("causal_mask", 1.5, 1.5, "passed")]) for s in "ab"], folder)
    terms.keep(now, str(then), lambda _: [standing(s, 0.75, given) for s, given in zip("ab", then_given)])
    found = shown(now, [standing(s, 1.5, given) for s, given in zip("ab", now_given)])
    assert found == {"causal_mask": ["100%", "50%", "+50", "1.5"], "written_question": cells}


@pytest.mark.parametrize(
    ("now_given", "then_given", "medians", "said"),
    [
        ((None, None), (1.5, 1.5), ("100%", "67%"), "wait for points now: both medians are without written answers"),
        ((3.0, 3.0), (None, 1.5), ("100%", "67%"), "wait for points in then: both medians are without written answers"),
        ((3.0, 3.0), (1.5, 1.5), ("100%", "56%"), ""), ((0.0, 0.0), (1.5, 1.5), ("33%", "56%"), ""),
    ],
)  # fmt: skip
def test_medians_are_of_the_same_kind_where_answers_wait_in_one_term(now_given, then_given, medians, said, tmp_path):
    """They would count 0 there, and a median without them beside one with them compares two things; a zero that a person gave counts."""
    now, then = tmp_path / "now", tmp_path / "then"
    sentence = compared(now, then, now_given, then_given)
    assert tuple(re.findall(r"\d+%", sentence)) == medians
    assert said in sentence and ("wait" in sentence) == bool(said)


def test_a_term_that_was_kept_before_says_which_median_is_without_them(tmp_path):
    now, then = tmp_path / "now", tmp_path / "then"
    compared(now, then, (None, None), (1.5, 1.5))
    kept = re.sub(r',\s*"by_checks": [\d.]+', "", (now / terms.FILE).read_text(encoding="utf-8"))
    assert "by_checks" not in kept
    (now / terms.FILE).write_text(kept, encoding="utf-8")
    sentence = comparison(now, (None, None))
    assert tuple(re.findall(r"\d+%", sentence)) == ("100%", "56%") and "that median is without it" in sentence


def compared(now, then, now_given, then_given):
    """The sentence that compares two terms of two students, who were given these points for the written question."""
    for folder in (now, then):
        folder.mkdir()
        csv_tables.save([Graded(s, LESSON, "graded", [Result("causal_mask", 1.5, 1.5, "passed")]) for s in "ab"], folder)
    terms.keep(now, str(then), lambda _: [standing(s, 1.0, given) for s, given in zip("ab", then_given)])
    return comparison(now, now_given)


def comparison(now, now_given):
    html = class_page.of_folder(now, [standing(s, 1.5, given) for s, given in zip("ab", now_given)])
    return re.sub("<.*?>", "", html.split("<h3>Compared with")[1].split("<p>")[1].split("</p>")[0])


def test_an_exercise_that_changed_is_said_to_have(tmp_path):
    now, then = tmp_path / "now", tmp_path / "then"
    for folder, worth in (
        (now, {"causal_mask": 1.5, "padding_mask": 2.0, "new_one": 1.0}),
        (then, {"causal_mask": 3.0, "padding_mask": 2.0, "old": 1.0}),
    ):
        folder.mkdir()
        csv_tables.save([Graded("a", LESSON, "graded", [Result(name, 1.0, points, "partial") for name, points in worth.items()])], folder)
    terms.keep(now, str(then), nothing)
    assert shown(now) == {
        "causal_mask": ["67%", "33%", "+34", "3 then, 1.5 now"],
        "padding_mask": ["50%", "50%", "0", "2"],
        "new_one": ["100%", "–", "–", "new"],
        "old": ["–", "100%", "–", "not any more"],
    }


def test_nothing_of_anybody_is_kept_and_the_other_folder_may_go(tmp_path):
    now, then = term(tmp_path / "now", 3, 1), term(tmp_path / "attention-2027", 3, 2)
    terms.keep(now, str(then), nothing)
    assert "s000" not in (now / terms.FILE).read_text(encoding="utf-8")
    for path in then.iterdir():
        path.unlink()
    assert shown(now) and "Compared with attention-2027" in (now / "class.html").read_text(encoding="utf-8")


def test_only_lessons_of_both_terms_are_compared(tmp_path):
    now, then = term(tmp_path / "now", 3, 1), term(tmp_path / "then", 3, 2, "04_multi_head_attention")
    terms.keep(now, str(then), nothing)
    assert shown(now) == {}


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"name": "x", "lessons": {"03_self_attention": {}}}', '{"name": 1, "lessons": 2}'])
def test_a_damaged_file_is_no_other_term(content, tmp_path):
    term(tmp_path, 3, 1)
    (tmp_path / terms.FILE).write_text(content, encoding="utf-8")
    assert terms.read(tmp_path) is None and shown(tmp_path) == {}


def test_a_name_of_a_folder_stays_text(tmp_path):
    now, then = term(tmp_path / "now", 3, 1), term(tmp_path / "<script>alert(1)<", 3, 2)
    terms.keep(now, str(then), nothing)
    shown(now)
    assert "<script>alert" not in (now / "class.html").read_text(encoding="utf-8")


def test_what_is_no_other_term_is_refused(tmp_path):
    now = term(tmp_path / "now", 3, 1)
    for other in (tmp_path / "nowhere", now, tmp_path):
        with pytest.raises(UserError, match="name"):
            terms.keep(now, str(other), nothing)
    assert not (now / terms.FILE).exists()


def test_the_command_names_what_is_wrong_with_either_folder(tmp_path):
    now = term(tmp_path / "now", 3, 1)
    for folder, other in ((tmp_path, now), (now, tmp_path / "nowhere")):
        result = CliRunner().invoke(app, ["feedback", str(folder), "--compare", str(other)])
        assert result.exit_code == 2 and "grades.csv" in result.output
