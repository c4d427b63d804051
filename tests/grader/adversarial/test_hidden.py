"""What an answer can do to learn, or pass on, the inputs of hidden checks: nothing of them is told but pass or fail."""

import json
from dataclasses import asdict

import pytest

from autograde import layout
from autograde.authoring.sample_class import LESSON
from autograde.checking.lesson import load_lesson
from autograde.checking.status import CheckStatus
from autograde.grader.ingest.discovery import Found
from autograde.grader.pages import feedback_page
from autograde.grader.run import submission
from autograde.grader.sandbox import isolate, probe
from autograde.grader.sandbox.modes import Mode
from tests.grader.adversarial.submission import Attack, answer

pytestmark = pytest.mark.skipif(probe.support().level in isolate.OPEN, reason="this machine cannot isolate submissions")
HOLDS_BACK = """
calls = []
def attention_scores(q, k):
    calls.append(q)
    return right(q, k)
"""
SPEAKS_LATER = (
    '\ndef padding_mask(lengths, size):\n    raise ValueError(f"{len(calls)} inputs were seen: {[tuple(q.shape) for q in calls]}")\n'
)
RAISES = """
def attention_scores(q, k):
    raise ValueError(f"I was asked of {tuple(q.shape)} {tuple(k.shape)} {q.flatten()[:3].tolist()}")
"""
DEPENDS = """
def attention_scores(q, k):
    attention_scores.calls = getattr(attention_scores, "calls", 0) + 1
    {how}
    return right(q, k)
"""


def _speak_later(notebook):
    answer(notebook, "padding_mask").source = SPEAKS_LATER


def graded(tmp_path, code, edit=None):
    path = tmp_path / "spy" / f"{LESSON}.ipynb"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(Attack("spy", "", code, edit).content())
    return submission.grade(Found("spy", LESSON, path), Mode.AUTO)


def outcomes(result, hidden):
    return [o for r in result.results for o in r.outcomes if o.hidden == hidden]


@pytest.mark.slow
def test_what_is_raised_in_a_hidden_check_is_not_told(tmp_path):
    result = graded(tmp_path, RAISES)
    told, kept = outcomes(result, hidden=False), outcomes(result, hidden=True)
    assert any("I was asked of" in o.message for o in told), "the attack speaks where it may"
    assert kept and all(o.message == o.detail == "" and o.status in (CheckStatus.PASSED, CheckStatus.FAILED) for o in kept)
    page = feedback_page.page(result)
    public = {o.message for o in told}
    assert page.count("I was asked of") <= sum("I was asked of" in message for message in public) * len(told)


@pytest.mark.parametrize("how", ["import os; os._exit(3)", "while True: pass", "raise NotImplementedError", "raise MemoryError(str(q))"])
def test_how_a_hidden_check_ends_tells_nothing(tmp_path, how):
    """An answer that is right while the public checks ask, and then chooses how it ends."""
    public = len(outcomes(graded(tmp_path, DEPENDS.format(how="")), hidden=False))
    result = graded(tmp_path, DEPENDS.format(how=f"if attention_scores.calls > {public}: {how}"))
    assert {(o.status, o.message, o.detail) for o in outcomes(result, hidden=True)} <= {
        (s, "", "") for s in (CheckStatus.PASSED, CheckStatus.FAILED)
    }


def test_a_later_public_check_has_seen_no_hidden_input(tmp_path, monkeypatch):
    with_hidden = [o.message for o in outcomes(graded(tmp_path, HOLDS_BACK, _speak_later), hidden=False) if "inputs were seen" in o.message]
    lesson = load_lesson(LESSON, hidden=False)
    monkeypatch.setattr(submission, "_lesson", lambda name: (lesson, submission.nbformat.read(layout.NOTEBOOKS / f"{name}.ipynb", 4)))
    without = [o.message for o in outcomes(graded(tmp_path, HOLDS_BACK, _speak_later), hidden=False) if "inputs were seen" in o.message]
    assert with_hidden and with_hidden == without


def test_all_of_a_result_can_be_told(tmp_path):
    result = graded(tmp_path, RAISES)
    hidden = json.dumps([asdict(o) for o in outcomes(result, hidden=True)])
    assert "asked" not in hidden and all(o.title for o in outcomes(result, hidden=True))
