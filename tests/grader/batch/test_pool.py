"""Grader processes that a submission ends: its own future fails, the others' do not, and another process takes the place."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import BrokenExecutor

import psutil
import pytest

from autograde.grader.batch import pool
from autograde.grader.results.store import RESULTS
from autograde.grader.worker import fork_server
from autograde.layout import ROOT


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


@pytest.mark.slow
def test_one_that_ends_before_it_begins_is_not_started_for_ever(monkeypatch):
    """As where memory is short, or a file of the course cannot be imported."""
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


def test_graders_that_ended_leave_nothing_open():
    with pool.graders(1) as executor:
        for _ in range(3):
            with pytest.raises(pool.GraderLost):
                executor.submit(ends, signal.SIGKILL).result(60)
        assert executor.submit(square, 5).result(60) == 25 and len(executor.graders) == 1
    assert not executor.graders


def test_an_exception_ends_what_is_at_work_and_begins_nothing_new():
    with pytest.raises(KeyboardInterrupt), pool.graders(1) as executor:
        assert executor.submit(square, 2).result(60) == 4
        waiting = [executor.submit(time.sleep, 600) for _ in range(3)]
        raise KeyboardInterrupt
    assert all(future.done() for future in waiting)


@pytest.mark.slow
def test_where_the_server_of_graders_has_ended_the_next_one_is_whole():
    first = fork_server.shared()
    with pool.graders(1) as executor:
        assert executor.submit(square, 2).result(60) == 4
    of_graders = min(psutil.Process(first.process.pid).children(), key=lambda p: p.create_time())
    of_graders.kill()
    while of_graders.is_running() and of_graders.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    with pytest.raises(BrokenExecutor), pool.graders(1) as executor:
        executor.submit(square, 2).result(60)
    with pool.graders(1) as executor:
        assert executor.submit(square, 3).result(60) == 9
    assert fork_server.shared() is not first


def test_a_grader_has_the_folder_and_the_environment_of_who_asks(monkeypatch, tmp_path):
    monkeypatch.setenv("AUTOGRADE_SECRET", "swordfish")
    monkeypatch.chdir(tmp_path)
    with pool.graders(1) as executor:
        assert executor.submit(os.getenv, "AUTOGRADE_SECRET").result(60) == "swordfish"
        assert executor.submit(os.getcwd).result(60) == str(tmp_path)


def test_a_server_that_nobody_asked_ends_at_once():
    server = fork_server.ForkServer()
    began = time.monotonic()
    server.close()
    assert time.monotonic() - began < 2 and server.process.poll() is not None


@pytest.mark.slow
def test_servers_end_without_a_word_where_there_is_no_home():
    """Matplotlib then makes a folder for its settings, and removes it at exit."""
    script = """
from autograde.grader.batch import pool
from autograde.grader.worker import fork_server
from autograde.layout import ROOT
fork_server.ENVIRONMENT["MPLCONFIGDIR"] = "/proc/none"
with pool.graders(1) as executor:
    print(executor.submit(abs, -1).result())
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_what_takes_seconds_is_begun_where_nothing_is_graded_yet(tmp_path, monkeypatch):
    begun = []
    monkeypatch.setattr(pool, "get_ready", lambda: begun.append(True))
    (tmp_path / "graded" / RESULTS).mkdir(parents=True)
    pool.get_ready_for([tmp_path / "class", tmp_path / "graded"])
    assert begun == []
    pool.get_ready_for([tmp_path / "class"])
    assert begun == [True]


def test_a_folder_for_temporary_files_with_a_long_name_holds_no_server_up(tmp_path, monkeypatch):
    """A socket's path has about a hundred bytes, and clusters have folders for each job and user."""
    there = tmp_path / ("of a job" * 20)
    there.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(there))
    server = fork_server.ForkServer()
    server.close()
    assert server.process.poll() is not None and not any(there.iterdir())
