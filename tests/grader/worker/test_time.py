"""Time in a worker: deadlines of calls, cells and submissions, in seconds of the worker's own that others' load does not take."""

import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager

import pytest
import torch

from autograde.checking.errors import (
    StudentError,
    StudentTimeout,
)
from autograde.grader.ingest.cells.own_cells import Kept
from autograde.grader.ingest.formats.cell_facts import facts
from autograde.grader.rpc import deadline
from autograde.grader.rpc.connection import Connection
from autograde.grader.rpc.deadline import LOOK_AGAIN
from autograde.grader.run.session import Session
from autograde.grader.run.timeouts import Clock
from autograde.grader.sandbox.limits import Limits


def test_many_hanging_cells_do_not_take_for_ever(make):
    session = make(*["while True: pass"] * 20, "x = 1", cell_seconds=0.3, cells_seconds=1, wall_factor=60)
    ends = [r.status for r in session.results.values()]
    assert set(ends) == {"timeout", "left_out"} and ends.count("timeout") <= 6, "a second holds few cells of 0.3 s, and one that is begun"


@pytest.mark.parametrize("own", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["their own", "the lesson's"])
def test_experiments_that_take_all_the_time_cost_no_answer(make, own):
    """Those that stand above an answer, and those below it, which were run again each time that one took too long."""
    experiments = [
        f"def helper{i}(): return {i}\nimport time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
        for i in range(8)
    ]
    cells = [*experiments[:4], "import math", "def f(): return math.sqrt(helper7() + 2)", *experiments[4:]]
    keeps = {f"cell{n}": Kept(instead=facts(code).definitions, at_once=facts(code).at_once) for n, code in enumerate(cells)}
    named = {f"cell{n}" for n, code in enumerate(cells) if code in experiments}
    limits = Limits(cells_seconds=1, own_cells_seconds=0.5, own_seconds=0.5, cell_seconds=0.5, wall_factor=60)
    with Session([*zip(keeps, cells)], limits, own=named if own else (), keeps=keeps) as session:
        assert session.student().f() == 3
        assert any("more than" in note and "together" in note for note in session.notes())


def test_a_test_has_one_deadline_for_all_it_asks(make):
    session = make("import time\ndef f(): time.sleep(0.2)", request_seconds=10)
    student, answered = session.student(), 0
    with pytest.raises(StudentTimeout), student.test(0.5):
        for _ in range(100):
            student.f()
            answered += 1
    assert answered <= 2


def test_a_call_takes_little_of_the_processor_and_so_does_a_new_worker(make):
    """Processor time of this process: what others do on the machine does not count."""
    session = make("import torch\ndef f(x): return x")
    f, x = session.student().f, torch.ones(3)

    def best(action, rounds):
        times = []
        for _ in range(rounds):
            started = time.process_time()
            action()
            times.append(time.process_time() - started)
        return min(times)

    assert best(lambda: f(x), 300) < 0.001
    assert best(session.start, 5) < 0.15


def test_blank_lines_of_a_cell_take_no_time(make):
    """Whether IPython has something to transform is looked for in each of them."""
    session = make("def f(): return 1\n" + " \n" * 100_000, cell_seconds=2)
    assert session.results["cell0"].status == "ok" and session.student().f() == 1


def test_a_connection_to_silence_ends(monkeypatch):
    from autograde.checking.errors import SandboxUnavailable
    from autograde.grader.rpc import connection

    monkeypatch.setattr(connection, "START_SECONDS", 0.1)
    data, theirs = socket.socketpair()
    lifetime, its_lifetime = socket.socketpair()
    its_lifetime.close()
    with pytest.raises(SandboxUnavailable):
        Connection((data, lifetime), 1 << 20)
    theirs.close()


BURN = """
import hashlib, threading, time
def burn(seconds):
    began = time.process_time()
    while time.process_time() - began < seconds: pass
    return 1
def with_threads():
    data = bytes(1 << 22)  # hashing it lets go of the interpreter, so that threads use every processor
    def spin():
        while True: hashlib.sha256(data)
    for _ in range(8): threading.Thread(target=spin, daemon=True).start()
    while True: time.sleep(0.01)
"""


def test_what_others_do_on_the_machine_takes_nothing_from_the_time(make):
    session = make(BURN, request_seconds=1, wall_factor=60)
    with ExitStack() as stack:
        for _ in range(3 * (os.cpu_count() or 1)):
            stack.enter_context(_busy_process())
        assert session.student().burn(0.6) == 1
    assert 0.6 <= 240 - session.clock.left < 1.5


def test_a_load_of_ones_own_buys_no_time(make):
    """Processor time: whatever the machine does beside, this worker has had what it may have, and not much more."""
    session = make(BURN, request_seconds=1, wall_factor=60)
    with pytest.raises(StudentTimeout, match="more than 1 seconds"):
        session.student().with_threads()
    assert 1 <= 240 - session.clock.left < 1 + 4 * LOOK_AGAIN * (os.cpu_count() or 1)


@contextmanager
def _busy_process():
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


class Reported:
    """What a kernel says, told by the test."""

    cpu = delay = 0.0

    def used(self):
        return self.cpu

    def waited(self):
        return self.delay


@pytest.mark.parametrize(
    "gone, cpu, delay, left",
    [
        (1, 1, 0, 1), (1, 0, 0, 1), (1, 0.1, 0.9, 1.9), (1, 3, 0.5, -1), (1, 2, 0.9, 0), (5, 0.1, 4.9, 1), (7, 0, 7, -1),
    ],
)  # fmt: skip
def test_the_seconds_that_count(monkeypatch, gone, cpu, delay, left):
    """Of two, three times as long on the wall: work, sleep, waiting for a processor, work of many threads, and a wait without end."""
    kernel = Reported()
    monkeypatch.setattr(deadline.time, "monotonic", lambda: 100.0)
    end = deadline.Deadline(kernel, 2, 3)
    kernel.cpu, kernel.delay = cpu, delay
    monkeypatch.setattr(deadline.time, "monotonic", lambda: 100.0 + gone)
    assert end.left() == pytest.approx(left)


def test_a_request_within_one_ends_with_it():
    outer = deadline.Deadline(deadline.ProcessTime(0), 0.5, 1)
    assert deadline.Deadline(deadline.ProcessTime(0), 60, 1, outer).left() <= 0.5


def test_a_notebook_in_which_everything_hangs_is_soon_done(make):
    session = make("def f():\n    while True: pass", request_seconds=0.4, cells_seconds=10)
    clock, seconds = session.clock, []
    for _ in range(6):
        with pytest.raises(StudentTimeout), session.test():
            seconds.append(clock.request()[0])
            session.student().f()
    assert seconds == [0.4] * 6  # no shorter than the shortest
    clock.limits = type(clock.limits)(request_seconds=10, wall_factor=1)
    assert [clock.request()[0] for clock.timeouts in range(8)] == [10, 10, 10, 10, 5, 2.5, 1.25, 1]


def test_a_submission_has_a_time_for_all_it_does(make):
    """An answer that is right, each time just before its deadline, would keep a class waiting for an hour."""
    session = make("import time\ndef f():\n    time.sleep(0.3)\n    return 1", total_seconds=0.8)
    answers = []
    with pytest.raises(StudentTimeout, match="all exercises together"), session.test():
        for _ in range(10):
            answers.append(session.student().f())
    assert 2 <= len(answers) <= 3
    again = Session(session.cells, session.limits, server=session.server, clock=session.clock)  # a second worker gets no time of its own
    again.start()
    assert again.results["cell0"].status == "timeout"
    again.close()


def test_public_checks_leave_hidden_ones_a_share():
    """Whoever uses up all time, and all time again, is graded in five quarters of it, not in twice as much."""
    clock = Clock(Limits(total_seconds=240))
    clock.spend(5)
    assert clock.for_hidden_checks().left == 240
    clock.spend(500)
    hidden = clock.for_hidden_checks()
    assert hidden.left == 60
    hidden.some_left()
    with pytest.raises(StudentTimeout, match="240 seconds"):
        clock.some_left()


def test_a_timeout_error_of_the_students_own_is_no_timeout(make):
    session = make("def f(): raise TimeoutError('my own')", request_seconds=5)
    with session.test(), pytest.raises(StudentError, match="my own") as caught:
        session.student().f()
    assert caught.value.type_name == "TimeoutError" and session.clock.timeouts == 0 and session.alive
