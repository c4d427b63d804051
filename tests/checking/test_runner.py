"""Checks of one file share their inputs: what an answer does to them in place must not change what the next check gives it."""

import textwrap

import pytest
import torch

from autograde.checking import runner
from autograde.checking.fingerprint import fingerprint
from autograde.checking.student import LocalStudent

CHECKS = """
    import pytest, torch
    X, WORDS, TABLE, SEEN = torch.zeros(3), ["a", "b"], {"pairs": [(1, 2)]}, {1, 2}

    @pytest.mark.exercise("answer")
    def test_first(student):
        student.answer(X, WORDS, TABLE, SEEN)

    @pytest.mark.exercise("answer")
    @pytest.mark.parametrize("given", [[3, 4]])
    def test_given(student, given):
        student.answer(X, given, TABLE, SEEN)
        assert False

    @pytest.mark.exercise("answer")
    def test_what_is_left(student):
        assert X.tolist() == [0, 0, 0] and WORDS == ["a", "b"] and TABLE == {"pairs": [(1, 2)]} and SEEN == {1, 2}
"""


def spoil(x, words, table, seen):
    x.add_(1)
    words.reverse()
    table["pairs"].clear()
    table["more"] = seen.pop()


def swap(x, words, table, seen):
    words[0] = "c"
    table.clear()
    seen.add(9)


@pytest.mark.parametrize("answer", [spoil, swap])
def test_inputs_are_put_back_after_each_check(tmp_path, answer):
    file = tmp_path / "checks" / "test_inputs_of_checks.py"
    file.parent.mkdir()
    file.write_text(textwrap.dedent(CHECKS))
    checks = runner.collect(file)
    outcomes = [runner.run(check, LocalStudent({"answer": answer})) for check in checks]
    assert [outcome.passed for outcome in outcomes] == [True, False, True], outcomes
    assert checks[1].arguments == {"given": [3, 4]}


@pytest.mark.parametrize("answer", [spoil, swap])
def test_the_inputs_of_a_probe_are_put_back_too(answer):
    """Else a mistake would be recognised until the first answer that works in place, and no longer."""
    names = {}
    exec(
        "X, WORDS, TABLE, SEEN = [1.0], ['a', 'b'], {'pairs': [(1, 2)]}, {1, 2}\ndef probe(s): return s.answer(X, WORDS, TABLE, SEEN)",
        names,
    )
    names["X"] = torch.zeros(3)
    known = fingerprint(names["probe"], LocalStudent({"answer": lambda x, words, table, seen: (x.clone(), words, table["pairs"])}))
    fingerprint(names["probe"], LocalStudent({"answer": answer}))
    seen = fingerprint(names["probe"], LocalStudent({"answer": lambda x, words, table, seen: (x.clone(), words, table["pairs"])}))
    assert seen == known


def test_another_copy_of_a_course_has_its_own_checks(tmp_path):
    for copy in ("one", "other"):
        file = tmp_path / copy / "checks" / "test_copied.py"
        file.parent.mkdir(parents=True)
        file.write_text(f"import pytest\n@pytest.mark.exercise('{copy}')\ndef test_{copy}(student): pass\n")
        assert [check.exercise for check in runner.collect(file)] == [copy]


def test_an_argument_that_is_none_is_called_none():
    """It is left out on purpose: nothing is said of a missing `return`."""
    code = compile("def answer(x, top_k=None):\n    return x + 1\n", "<cell>", "exec")
    names: dict = {}
    exec(code, names)
    try:
        names["answer"]("a")
    except TypeError as error:
        told = runner._called_with(error.__traceback__.tb_next.tb_frame)
    assert told == "called with x = 'a', top_k = None"
