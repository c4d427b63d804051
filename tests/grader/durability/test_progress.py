"""How far the class is: a bar on a terminal, a line now and then in a log, no colour where none is wanted."""

import heapq
import io
import random
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
    assert told[0] == "20 of 300 graded, 2.0 a second, 2 to 3 min left" and told[-1] == "300 of 300 graded, 2.0 a second, 150 s in all"


def test_a_small_class_gets_its_last_line_only():
    assert lines(3, 1.5) in (["3 of 3 graded, 1.5 s each, 4 s in all"], ["3 of 3 graded, 1.5 s each, 5 s in all"])


def ends(costs, workers, start=3.0):
    """When results come, and what each took, of submissions graded by so many workers."""
    free = [start] * workers
    found = []
    for cost in costs:
        found.append((heapq.heappop(free) + cost, cost))
        heapq.heappush(free, found[-1][0])
    return sorted(found)


CLASSES = {
    "all alike": lambda r: 2.0,
    "a tenth hangs": lambda r: 30.0 if r.random() < 0.1 else 1.0,
    "half are blank": lambda r: 0.2 if r.random() < 0.5 else r.uniform(5, 15),
    "a lesson that trains": lambda r: r.choice([1, 5, 20, 40, 60]),
}


@pytest.mark.parametrize("workers", [2, 8])
@pytest.mark.parametrize("kind", CLASSES)
def test_the_time_left_is_in_the_range_that_is_told(kind, workers):
    """Of all that a log gets, in 40 classes of 20 to 300. Two standard errors would be 95 in 100; where few hang, their first is a surprise."""
    right = []
    for seed in range(40):
        chance = random.Random(seed)
        results = ends([CLASSES[kind](chance) for _ in range(chance.choice([20, 60, 300]))], workers)
        clock = [0.0]
        pace, last = progress_bar.Pace(lambda: clock[0]), 0.0
        for clock[0], seconds in results[:-1]:
            pace.step(seconds)
            if clock[0] - last >= progress_bar.EVERY and (told := pace.left(len(results) - pace.done)):
                last = clock[0]
                right.append(told[0] <= results[-1][0] - clock[0] <= told[1])
    assert len(right) > 100 and sum(right) / len(right) > 0.8


def test_the_range_becomes_narrow():
    """Half way through a class of 300 it is no longer than its middle."""
    chance, clock = random.Random(1), [0.0]
    pace = progress_bar.Pace(lambda: clock[0])
    for clock[0], seconds in ends([CLASSES["a lesson that trains"](chance) for _ in range(300)], 2)[:150]:
        pace.step(seconds)
    least, most = pace.left(150)
    assert most - least < (most + least) / 2


def test_nothing_is_told_of_the_time_left_before_it_can_be_known():
    """The first ones are quick or slow by chance: a class of which three took a second once had `4 s left`, and took 70."""
    clock = [0.0]
    pace = progress_bar.Pace(lambda: clock[0])
    for clock[0] in (5.0, 5.1, 5.2, 5.3, 5.4):
        pace.step()
    assert pace.left(9) is None and progress_bar.left(pace, 9) == ""


def test_while_one_hangs_the_range_grows():
    clock = [0.0]
    pace = progress_bar.Pace(lambda: clock[0])
    for clock[0] in range(1, 11):
        pace.step()
    before = pace.left(1)
    clock[0] += 30
    assert before == (1.0, 1.0) and pace.left(1)[1] > 10


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        ((0.0, 4.2), "up to 5 s left"),
        ((12.0, 12.0), "about 12 s left"),
        ((61.0, 240.0), "1 to 4 min left"),
        ((4000.0, 9000.0), "1 to 3 h left"),
    ],
)
def test_the_range_in_words(bounds, said, monkeypatch):
    pace = progress_bar.Pace(lambda: 0.0)
    monkeypatch.setattr(pace, "left", lambda todo: bounds)
    assert progress_bar.left(pace, 3) == said and progress_bar.left(pace, 0) == ""


def test_the_bar_has_room_in_80_columns():
    console = Console(file=io.StringIO(), force_terminal=True, width=80, color_system=None)
    clock, chance = [0.0], random.Random(1)
    with progress_bar.told(console, 1000, now=lambda: clock[0]) as advance:
        for clock[0], seconds in ends([chance.uniform(1, 200) for _ in range(990)], 2):
            advance(seconds)
        clock[0] += 100
    last = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", console.file.getvalue()).replace("\r", "\n").strip().splitlines()[-1]
    assert "990/1000" in last and "s each" in last and last.rstrip().endswith("min left") and len(last) <= 80


@pytest.mark.parametrize("no_colour", [True, False])
def test_a_terminal_gets_a_bar_with_rate_and_time_left(monkeypatch, no_colour):
    for name, value in (("TERM", "xterm-256color"), ("NO_COLOR", "1" if no_colour else "")):
        monkeypatch.setenv(name, value)
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    clock = [0.0]
    with progress_bar.told(console, 8, now=lambda: clock[0]) as advance:
        for clock[0] in range(1, 8):
            advance()
    text = console.file.getvalue()
    assert "7/8" in text and "left" in text and re.search(r"a second|s each", text)
    assert bool(re.search(r"\x1b\[[\d;]*3\d", text)) is not no_colour


@pytest.mark.slow
def test_a_class_that_goes_on_counts_what_is_left_alone(pupils, tmp_path):
    """What an earlier run graded takes no time: counted with the rest it would make the time left far too short."""
    pupils.grade(tmp_path / "out")
    pupils.hand_in("ada", text="another answer")
    pupils.console = Console(file=io.StringIO(), width=80)
    pupils.grade(tmp_path / "out")
    told = pupils.console.file.getvalue()
    assert "2 of 3 submissions are unchanged" in told and re.search(r"^1 of 1 graded", told, re.M)
