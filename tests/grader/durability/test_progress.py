"""How far the class is: a bar on a terminal, a line now and then in a log, no colour where none is wanted."""

import io
import re

import pytest
from rich.console import Console

from autograde.grader.batch import progress_bar


def lines(total, seconds_each):
    """What a log gets while `total` submissions take so long each."""
    console = Console(file=io.StringIO(), width=80)
    time = [0.0]
    with progress_bar.told(console, total, now=lambda: time[0]) as advance:
        for _ in range(total):
            time[0] += seconds_each
            advance()
    return console.file.getvalue().splitlines()


def test_a_log_gets_a_line_now_and_then():
    told = lines(300, 0.5)
    assert 10 <= len(told) <= 20
    assert told[0] == "20 of 300 graded, 2.0 a second, about 140 s left" and told[-1] == "300 of 300 graded, 2.0 a second in 150 s"


def test_a_small_class_gets_its_last_line_only():
    assert lines(3, 1.5) == ["3 of 3 graded, 1.5 s each in 4 s"] or lines(3, 1.5) == ["3 of 3 graded, 1.5 s each in 5 s"]


@pytest.mark.parametrize("no_colour", [True, False])
def test_a_terminal_gets_a_bar_with_rate_and_time_left(monkeypatch, no_colour):
    for name, value in (("TERM", "xterm-256color"), ("NO_COLOR", "1" if no_colour else "")):
        monkeypatch.setenv(name, value)
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with progress_bar.told(console, 4) as advance:
        for _ in range(4):
            advance()
    text = console.file.getvalue()
    assert "4/4" in text and "left" in text and re.search(r"a second|s each", text)
    assert bool(re.search(r"\x1b\[[\d;]*3\d", text)) is not no_colour
