"""A check that takes a result of several parts apart says so in words where the parts are others."""

import pytest

from autograde.checking.runner import Check, run
from autograde.checking.student import LocalStudent


def said(result):
    def check(student):
        first, second = student.answer()
        assert first is not second

    outcome = run(Check("answer", 1, "check", "title", False, check, {}), LocalStudent({"answer": lambda: result}))
    return outcome.message


@pytest.mark.parametrize("result, words", [
    ((1, 2, 3), "Expected 2 results"), ("text", "Expected 2 results"), ((1,), "Expected 2 results, got 1"), ([], "Expected 2 results, got 0"),
    (None, "a `return` missing"), (7, "got one int"),
])  # fmt: skip
def test_a_result_of_other_parts_is_told_in_words(result, words):
    message = said(result)
    assert words in message and "unpack" not in message and "Error" not in message


def test_two_results_are_two_results():
    assert said((1, 2)) == ""
