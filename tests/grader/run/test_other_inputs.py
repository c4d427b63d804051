"""Where hidden checks fail, public ones are asked again with other numbers: who remembers theirs has not understood them."""

from dataclasses import replace

import nbformat
import pytest

from autograde import layout
from autograde.authoring.strength.mutation import Bench, _limited
from autograde.checking.scoring import run_checks
from autograde.checking.status import CheckStatus
from autograde.checking.student import LocalStudent
from autograde.grader.ingest.discovery import Found
from autograde.grader.run import other_inputs, submission
from autograde.grader.sandbox.modes import Mode
from tests.grader.adversarial.submission import answer

LESSON = "02_attention_alignment"
LONG = ("q_planning", "sarsa_planning", "monte_carlo_planning", "dyna_q")  # whose mistakes take minutes
RIGHT = "import torch\ndef dot_score(s, h): return (h @ s.unsqueeze(-1)).squeeze(-1)\n"
# What a student's copy of the checks tells: the first number of each input.
REMEMBERS = """
right = dot_score
def drawn(seed, numbers):
    generator = torch.Generator().manual_seed(seed)
    return round(float(torch.randn(numbers, generator=generator, dtype=torch.float64)[0]), 4)
KNOWN = {drawn(seed, n) for seed in (13, 201) for n in (7, 8, 21, 56)}
def dot_score(s, h): return right(s, h) if round(float(s.flatten()[0]), 4) in KNOWN else torch.zeros(h.shape[:-1])
"""
SQUARES_LOST = "right = dot_score\ndef dot_score(s, h): return right(s, h) if h.shape[-2] != h.shape[-1] else torch.zeros(h.shape[:-1])\n"


def graded(folder, code, limits=submission.LIMITS):
    notebook = nbformat.read(layout.NOTEBOOKS / f"{LESSON}.ipynb", 4)
    answer(notebook, "dot_score").source = code
    path = folder / f"{LESSON}.ipynb"
    nbformat.write(notebook, path)
    result = submission.grade(Found("ann", LESSON, path), Mode.AUTO, limits=limits)
    return next(r for r in result.results if r.exercise == "dot_score")


def test_an_answer_that_remembers_its_notebooks_inputs_earns_nothing(tmp_path):
    row = graded(tmp_path, RIGHT + REMEMBERS)
    public = [o for o in row.outcomes if not o.hidden]
    assert len(public) == 4 and all(o.status == CheckStatus.FAILED for o in public) and row.score == 0
    assert row.message == other_inputs.REMEMBERED


def test_who_uses_up_all_time_is_asked_again_all_the_same(tmp_path):
    """Else a table would only have to take long where it knows nothing."""
    slowly = REMEMBERS.replace("def drawn", "import time\ndef drawn").replace("else torch.zeros", "else time.sleep(0.6) or torch.zeros")
    row = graded(tmp_path, RIGHT + slowly, replace(submission.LIMITS, total_seconds=1.0))
    assert row.score == 0 and not any(outcome.passed for outcome in row.outcomes)
    assert other_inputs.REMEMBERED in {outcome.message for outcome in row.outcomes}


def test_an_answer_that_is_right_in_part_keeps_that_part(tmp_path):
    row = graded(tmp_path, RIGHT + SQUARES_LOST)
    assert row.status == "partial" and all(o.passed for o in row.outcomes if not o.hidden)


def test_a_right_answer_is_not_asked_again(tmp_path, monkeypatch):
    monkeypatch.setattr(other_inputs, "asked", None)
    assert graded(tmp_path, RIGHT).status == "passed"


@pytest.mark.parametrize("lesson", [LESSON, *(pytest.param(n, marks=pytest.mark.slow) for n in layout.lesson_names() if n != LESSON)])
@pytest.mark.parametrize("moved", [None, 1, 2_000_003])
def test_right_answers_pass_with_other_numbers(lesson, moved):
    bench = Bench(lesson)
    checks = [c for e in bench.lesson.exercises.values() if not e.outcome for c in bench.lesson.checks[e.name] if not c.hidden]
    with other_inputs.asked(lesson, moved):
        for check in checks:
            student = other_inputs.otherwise(lesson, check.exercise, bench.student(), moved)
            (outcome,), _ = run_checks([other_inputs.other(lesson, check, moved)], student)
            assert outcome.passed, (check.name, outcome.message, outcome.detail)


SYMMETRIC = [name for name in layout.lesson_names() if other_inputs.symmetries(name)]


@pytest.mark.slow
@pytest.mark.parametrize("lesson", SYMMETRIC)
def test_mistakes_keep_the_public_checks_that_they_pass(lesson):
    """What is wrong in part is so in other words and units, too: nobody loses a check for the way in which it is asked."""
    bench, lost = Bench(lesson), []
    for specimen in (s for s in bench.specimens if s.exercise in other_inputs.symmetries(lesson) and s.exercise not in LONG):
        checks = [other_inputs.other(lesson, c) for c in bench.lesson.checks[specimen.exercise] if not c.hidden]
        student = bench.student(specimen)
        with other_inputs.asked(lesson):
            as_written, _ = run_checks(checks, student, _limited)
            otherwise, _ = run_checks(checks, other_inputs.otherwise(lesson, specimen.exercise, student), _limited)
        lost += [(specimen.name, one.check) for one, other in zip(as_written, otherwise) if one.passed and not other.passed]
    assert len(SYMMETRIC) >= 3 and lost == []


def test_what_an_answer_is_asked_is_not_what_its_notebook_holds():
    asked = []

    def merge_pair(word, pair):
        asked.append((word, pair))
        return word

    lesson = "06_tokenization"
    student = other_inputs.otherwise(lesson, "merge_pair", LocalStudent({"merge_pair": merge_pair}))
    assert student.merge_pair((b"ab", b"c", b" "), (b"a", b"b")) == (b"ab", b"c", b" ")
    ((word, pair),) = asked
    assert word[0] == pair[0] + pair[1] != b"ab" and word[2] == b" " and pair[0] < pair[1] < word[1]


def test_the_numbers_are_others():
    checks = {check.name: check for check in Bench(LESSON).lesson.checks["context_vector"]}
    check = next(iter(checks.values()))
    first, second = check.function.__globals__["SCORES"], other_inputs.other(LESSON, check).function.__globals__["SCORES"]
    assert first.shape == second.shape and not first.equal(second)
