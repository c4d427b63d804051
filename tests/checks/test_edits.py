"""Edits of reference answers: each finds what it replaces, however a formatter has wrapped the answer."""

from pathlib import Path

import pytest

from autograde import layout
from autograde.authoring.rules.edits import replaced
from autograde.authoring.strength.mutation import Bench, specimens_in

HELD_OUT = Path(__file__).parent / "held_out"
WRAPPED = "total = add(\n    first,\n    second,\n)\nreturn total\n"


@pytest.mark.parametrize(
    "old, new, want",
    [
        ("first", "third", "total = add(\n    third,\n    second,\n)\nreturn total\n"),  # as it is
        ("add(first, second)", "first", "total = first\nreturn total\n"),
        ("first, second)", "second, first)", "total = add(\n    second, first)\nreturn total\n"),
        ("    total = add(first, second)", "    total = 0", "total = 0\nreturn total\n"),  # a whole line, with its indentation
        ("add(second, first)", "0", None),
        ("add(first second)", "0", None),  # a comma inside is no line break
    ],
)
def test_line_breaks_are_overlooked_and_nothing_else(old, new, want):
    assert replaced(WRAPPED, old, new) == want


@pytest.mark.slow  # a wrong answer whose edit finds nothing survives the checks, too
@pytest.mark.parametrize("lesson", layout.lesson_names())
def test_every_edit_finds_what_it_replaces_and_gives_code(lesson):
    bench = Bench(lesson)
    for specimen in [*bench.specimens, *(s for path in HELD_OUT.glob(f"*_{lesson[:2]}.py") for s in specimens_in(path))]:
        bench.student(specimen)
