"""The scoreboard at the end of a lesson, `autograde progress` and its page: one screen, with the same rows, sums and next step."""

import re
from html import unescape

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from rich.console import Console

from autograde.checking.answers import digest
from autograde.checking.report import Report
from autograde.checking.scoring import Result
from autograde.commands import student
from autograde.notebook import Scoreboard
from autograde.progress import HEADS, next_step, of_session, read, steps, total
from autograde.progress_page import page

LESSON = "03_self_attention"
FIRST, SECOND = "query_key_value", "attention_scores"
STUB = "def {}(x):\n    # YOUR CODE HERE\n    raise NotImplementedError"


def code(name, body="return 1"):
    return f"def {name}(x):\n    {body}"


def result(name, status, score, points, waits_for=()):
    return Result(name, score, points, status, [], waits_for=list(waits_for))


PASSED = (FIRST, "passed", 2, 2)
WRONG = (SECOND, "partial", 1, 3)
WAITING = ("scaled_dot_product_attention", "partial", 0, 5, (SECOND,))
# what checks said (of which answer), the answers now → states of three exercises, points, what is next
CASES = {
    "blank": ([], {FIRST: STUB.format(FIRST)}, {FIRST: "· not written yet"}, "0 of 24", f"write `{FIRST}`"),
    "half done": (
        [(PASSED, None)], {SECOND: code(SECOND)}, {FIRST: "✓ passed", SECOND: "? check not run yet"}, "2 of 24", f"run the check of `{SECOND}`",
    ),
    "a wrong answer, and what builds on it": (
        [(PASSED, None), (WRONG, None), (WAITING, None)], {},
        {SECOND: "✗ does not pass yet", WAITING[0]: f"… waits for {SECOND}"}, "3 of 24", f"read what the check of `{SECOND}` says",
    ),
    "changed after its check": (
        [(PASSED, code(FIRST))], {FIRST: code(FIRST, "return 2")}, {FIRST: "↻ changed since its check"}, "0 of 24", f"run the check of `{FIRST}` again",
    ),
    "taken back after its check": (
        [(PASSED, code(FIRST))], {FIRST: STUB.format(FIRST)}, {FIRST: "↻ changed since its check"}, "0 of 24", f"run the check of `{FIRST}` again",
    ),
}  # fmt: skip


def reports(said):
    return [Report(result(*told), digest(answer) if answer else "") for told, answer in said]


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


@pytest.fixture
def session(case):
    """As the kernel knows it."""
    said, answers, *_ = case
    return of_session(LESSON, {report.result.exercise: report.facts for report in reports(said)}, answers)


@pytest.fixture
def saved(case, tmp_path):
    """The same as a notebook keeps it."""
    said, answers, *_ = case
    outputs = [new_output("execute_result", data=report._repr_mimebundle_(), execution_count=1) for report in reports(said)]
    cells = [new_code_cell(text) for text in answers.values()] + [new_code_cell("check(x)", outputs=[output]) for output in outputs]
    nbformat.write(new_notebook(cells=cells), tmp_path / f"{LESSON}.ipynb")
    return read(tmp_path / f"{LESSON}.ipynb", LESSON)


def words(html):
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html.replace("<wbr>", ""))).split())


def _plain(text):
    """Without blanks and marks of code, which each place sets in its own way."""
    return re.sub(r"[`\s]", "", text)


def test_it_says_how_things_stand_and_what_is_next(case, session):
    _, _, states, points, advice = case
    shown = {standing.exercise: standing.cells[1] for standing in session.standings}
    assert {name: shown[name] for name in states} == states
    board = Scoreboard(session)
    assert "`" not in board._repr_html_() and f"<code>{advice.split('`')[1]}</code>" in board._repr_html_()
    for told in (str(board), unescape(board._repr_html_())):
        assert (
            f"{points} points" in told
            and _plain(advice) in _plain(re.sub("</?code>", "", told))
            and all(state in told for state in states.values())
        )


def test_what_waits_for_another_answer_is_counted_apart():
    said = {report.result.exercise: report.facts for report in reports(CASES["a wrong answer, and what builds on it"][0])}
    assert f"5 more wait for {SECOND}" in total([of_session(LESSON, said, {})])


def test_the_session_and_the_saved_notebook_agree(session, saved):
    assert [s.cells[:3] for s in saved.standings] == [s.cells[:3] for s in session.standings]
    assert (saved.score, saved.points) == (session.score, session.points)
    assert next_step([saved]) == f"in {saved.path}, {next_step([session])}"


def test_terminal_page_and_notebook_show_the_same(saved, monkeypatch, tmp_path):
    console = Console(width=100, record=True, file=(tmp_path / "out").open("w"))
    monkeypatch.setattr(student, "console", console)
    student.progress([saved.path])
    terminal = " ".join(re.sub("[│┃]", " ", console.export_text()).split())
    shown = {"terminal": terminal, "page": words(page([saved])), "notebook": words(Scoreboard(saved)._repr_html_())}
    if saved.begun:
        rows = [" ".join(" ".join(standing.cells).split()) for standing in saved.standings]
        for where, told in shown.items():
            at = [told.find(row) for row in rows]
            assert -1 not in at and at == sorted(at), where
            assert all(milestone in told for milestone in saved.milestones)
    for told in shown.values():
        assert all(head in told for head in HEADS)
        assert _plain(total([saved])) in _plain(told) and _plain(next_step([saved])) in _plain(told)


def test_minutes_left_are_those_of_the_lesson_as_handed_out():
    blank = of_session(LESSON, {}, {})
    assert blank.minutes_left > 30 and str(blank.minutes_left // 60) in total([blank])
    assert "written answer" not in steps(blank)  # which the session does not see
    done = of_session(LESSON, {FIRST: Report(result(*PASSED)).facts}, {})
    assert done.minutes_left == blank.minutes_left - blank.standings[0].minutes


def test_at_the_end_the_written_question_is_next():
    blank = of_session(LESSON, {}, {})
    said = {s.exercise: Report(result(s.exercise, "passed", s.points, s.points)).facts for s in blank.standings}
    assert next_step([of_session(LESSON, said, {})]) == "answer the written question, save the notebook, and hand it in."


def test_a_terminal_of_80_columns_cuts_nothing(saved, monkeypatch, tmp_path):
    console = Console(width=80, record=True, file=(tmp_path / "out").open("w"))
    monkeypatch.setattr(student, "console", console)
    student.progress([saved.path])
    told = console.export_text()
    assert "…" not in re.sub("… waits for", "", told) and max(map(len, told.split("Next:")[0].splitlines())) <= 80
    assert all(standing.exercise in told for standing in saved.standings) or not saved.begun
    assert all(len(line) <= 80 for line in str(Scoreboard(saved)).splitlines()[: len(saved.standings) + 2])
