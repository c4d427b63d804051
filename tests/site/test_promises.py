"""The table of promises in docs/security.md: every test that it names is there, under that name."""

from __future__ import annotations

import re

from autograde.layout import ROOT

TESTS = ROOT / "tests" / "grader"
ROWS = [
    line
    for line in (ROOT / "docs" / "security.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and ".py" in line or "…::" in line
]


def named(row: str) -> list[tuple[str, str]]:
    """(file, test) of each test that a row names; `…` stands for the file of the test named last, in this row or above."""
    return re.findall(r"`([\w/.]+\.py|…|[\w/]+/)(?:::(\w+))?[^`]*`", row)


def test_every_promise_names_a_test_that_is_there():
    last, seen = "", 0
    for file, test in (found for row in ROWS for found in named(row)):
        file = last if file == "…" else file
        last = file if test else last
        assert (TESTS / file).exists(), f"{file} is not in tests/grader"
        assert not test or f"def {test}(" in (TESTS / file).read_text(encoding="utf-8"), f"{file} has no {test}"
        seen += 1
    assert seen > 30
