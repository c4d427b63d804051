"""Grader processes that a submission ends: its own future fails, the others' do not, and another process takes the place."""

import os
import signal
import time
from concurrent.futures import BrokenExecutor

import pytest

from autograde.grader.batch import pool


def spin():
    """What Python cannot interrupt: one call that holds the interpreter's lock for an hour."""
    import re

    re.match("(a+)+$", "a" * 60 + "b")


def square(x):
    return x * x


def raises():
    raise ValueError("mine")


def ends(number):
    os.kill(os.getpid(), number)
    time.sleep(60)


@pytest.fixture(scope="module")
def graders():
    with pool.graders(2, seconds=2) as executor:
        yield executor


@pytest.mark.slow
def test_one_that_takes_too_much_processor_time_is_ended_alone(graders):
    futures = [graders.submit(square, n) if n % 3 else graders.submit(spin) for n in range(7)]
    for n, future in enumerate(futures):
        if n % 3:
            assert future.result(120) == n * n
        else:
            with pytest.raises(pool.OutOfTime):
                future.result(120)


def test_one_that_ends_before_it_begins_is_not_started_for_ever(monkeypatch):
    """As where a script without `if __name__ == "__main__"` calls the grader: its processes would run the script again."""
    monkeypatch.setattr(pool, "_life", os._exit)
    with pool.graders(1) as executor, pytest.raises(BrokenExecutor, match="ended before it was asked"):
        executor.submit(square, 2).result(120)


@pytest.mark.slow
def test_the_time_of_one_is_not_taken_from_the_next(graders):
    for _ in range(4):
        assert graders.submit(_work, 1.0).result(60) >= 1.0


def _work(seconds):
    began = time.process_time()
    while time.process_time() - began < seconds:
        pass
    return time.process_time() - began


def test_errors_and_ends_are_told_apart(graders):
    with pytest.raises(ValueError, match="mine"):
        graders.submit(raises).result(60)
    with pytest.raises(pool.GraderLost):
        graders.submit(ends, signal.SIGKILL).result(60)
    assert graders.submit(square, 5).result(60) == 25


def test_an_exception_ends_what_is_at_work_and_begins_nothing_new():
    with pytest.raises(KeyboardInterrupt), pool.graders(1) as executor:
        assert executor.submit(square, 2).result(60) == 4
        waiting = [executor.submit(time.sleep, 600) for _ in range(3)]
        raise KeyboardInterrupt
    assert all(future.done() for future in waiting)
