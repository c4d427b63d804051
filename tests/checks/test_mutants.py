"""One-node changes of an answer: all kinds are made, each once, and what hangs or dies counts as caught."""

from __future__ import annotations

import zlib

import pytest
import torch

from autograde import layout
from autograde.authoring.strength import equivalents, kinds, mutants
from autograde.authoring.strength.mutation import Bench
from autograde.authoring.strength.trial import Trial

ANSWER = '''
def f(x: Float[Tensor, "n 3"], mask=None, n: int = 2) -> int:
    """Text that says 5 < 6."""
    if mask is not None and n <= 3:
        x = x - n
    return torch.cat(x, n, dim=-1) if not n else x / 2.0
'''
BENCH = Bench("03_self_attention")
SAMPLE = 40  # of so many mutants every run of the tests tries one


@pytest.fixture(scope="module")
def changes():
    return {mutant.change: mutant.code for mutant in mutants.mutants("f", ANSWER)}


@pytest.mark.parametrize("change", [
    "n <= 3 → n < 3", "mask is not None → mask is None", "mask is not None and n <= 3 → mask is not None or n <= 3", "x - n → x + n", "x - n → n - x",
    "x = x - n → pass", "torch.cat(x, n, dim=-1) → torch.cat(n, x, dim=-1)", "torch.cat(x, n, dim=-1) → torch.cat(x, n)", "not n → n", "-1 → 1",
    "x / 2.0 → x * 2.0", "x / 2.0 → 2.0 / x", "2.0 → 3.0", "2.0 → 1.0", "3 → 4", "3 → 2", "2 → 3",
    "torch.cat(x, n, dim=-1) if not n else x / 2.0 → x / 2.0 if not n else torch.cat(x, n, dim=-1)",
])  # fmt: skip
def test_every_kind_of_node_is_changed(changes, change):
    assert change in changes


def test_each_change_is_another_program(changes):
    """Neither annotations nor docstrings are changed; every change is code, and no two are the same."""
    assert len(set(changes.values())) == len(changes) == len(mutants.mutants("f", ANSWER))
    for code in changes.values():
        compile(code, "a mutant", "exec")
        assert 'Float[Tensor, "n 3"]' in code.replace("'", '"') and "5 < 6" in code and "-> int" in code


def test_changes_of_the_same_words_are_told_apart():
    found = [mutant.change for mutant in mutants.mutants("g", "def g(x):\n    return (x + 1) * (x + 1)\n")]
    assert {"x + 1 → x - 1", "x + 1 → x - 1 (2)"} <= set(found) and len(set(found)) == len(found)


@pytest.mark.parametrize("body, survives", [
    ("return torch.ones(n, n, dtype=torch.bool, device=device).tril()", True), ("return torch.ones(n, n, dtype=torch.bool, device=device).triu()", False),
    ("while True: pass", False), ("import os; os._exit(0)", False), ("raise SystemExit", False), ("return undefined", False),
])  # fmt: skip
def test_what_hangs_or_ends_its_process_is_caught(monkeypatch, body, survives):
    monkeypatch.setattr(mutants, "SECONDS", 1)
    code = f"def causal_mask(n, device=None):\n    {body}\n"
    assert mutants.caught(Trial(BENCH, "causal_mask"), mutants.Mutant("causal_mask", "", code)) is not survives


def test_a_change_is_tried_with_one_thread_also_where_its_parent_has_more():
    """OpenMP's threads do not survive a fork: a child that uses them waits for ever, and uses no processor time meanwhile."""
    body = "assert torch.get_num_threads() == 1\n    return torch.ones(n, n, dtype=torch.bool, device=device).tril()"
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        trial = Trial(BENCH, "causal_mask")
        assert not mutants.caught(trial, mutants.Mutant("causal_mask", "", f"def causal_mask(n, device=None):\n    {body}\n"))
    finally:
        torch.set_num_threads(before)


def test_survivors_need_a_reason_and_reasons_a_survivor(monkeypatch):
    right = "def causal_mask(n, device=None):\n    return torch.ones(n, n, dtype=torch.bool, device=device).tril()\n"
    survivor = mutants.Mutant("causal_mask", "a → b", right)
    victim = mutants.Mutant("causal_mask", "c → d", right.replace("tril", "triu"))
    listed = {"causal_mask": {"a → b": "the same"}}
    for reasons, words in (({}, ["a → b survived"]), (listed, []), ({"causal_mask": {"a → b": "", "c → d": ""}}, ["c → d is caught"])):
        monkeypatch.setattr(equivalents, "read", lambda lesson, reasons=reasons: reasons)
        found = mutants.complaints(BENCH, [survivor, victim])
        assert len(found) == len(words) and all(word in line for word, line in zip(words, found))


@pytest.mark.parametrize(
    "lesson", [name if name.startswith("03") else pytest.param(name, marks=pytest.mark.soak) for name in layout.lesson_names()]
)
def test_a_sample_of_all_changes_is_caught(lesson):
    bench = Bench(lesson)
    tried = [mutant for mutant in mutants.of_lesson(bench) if zlib.crc32(f"{mutant.exercise}: {mutant.change}".encode()) % SAMPLE == 0]
    assert tried and mutants.complaints(bench, tried) == []


@pytest.mark.soak
@pytest.mark.parametrize("lesson", layout.lesson_names())
def test_every_change_is_caught_or_has_its_reason(lesson):
    bench = Bench(lesson)
    assert mutants.complaints(bench, mutants.of_lesson(bench)) == []


@pytest.mark.parametrize("lesson", layout.lesson_names())
@pytest.mark.slow
def test_the_lists_name_changes_of_todays_answers(lesson):
    bench = Bench(lesson)
    tried = {(mutant.exercise, mutant.change) for mutant in mutants.of_lesson(bench)}
    tried |= {
        (exercise, kind)
        for exercise, one in bench.lesson.exercises.items()
        if not one.outcome
        for kind in kinds.that_apply(bench, exercise)
    }
    assert equivalents.unknown(lesson, tried) == []
