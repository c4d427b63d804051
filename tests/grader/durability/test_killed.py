"""A grader that is killed, interrupted or terminated loses nothing: the next run goes on, and the end is that of a run nobody disturbed."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from autograde.authoring.sample_class import LESSON, sample_class
from tests.grader.durability.state import same

SLOW_STUDENTS = ("ines", "jun")  # an endless loop, a process that ends: their time is all waiting


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """Twelve submissions: right, wrong, untouched, damaged, missing."""
    folder = tmp_path_factory.mktemp("sample") / "class"
    sample_class(folder)
    for student in SLOW_STUDENTS:
        for path in (folder / student).iterdir():
            path.unlink()
        (folder / student).rmdir()
    return folder


@pytest.fixture(scope="module")
def undisturbed(sample, tmp_path_factory):
    """The folder of a run that nothing disturbed."""
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    process = begin(sample, out)
    told, _ = process.communicate(timeout=600)
    assert process.returncode == 0, told
    return out


def begin(sample, out):
    """`python -m autograde grade`, and its process."""
    command = [sys.executable, "-m", "autograde", "grade", str(sample), "--lesson", LESSON, "--out", str(out), "--sandbox", "auto"]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a suite in a shell's background would hand down that it is ignored
    )  # fmt: skip


def until(condition, seconds=120):
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, "it did not come to that in time"
        time.sleep(0.02)


def results(out):
    return len(list((out / ".results").glob("*.json"))) if (out / ".results").exists() else 0


def family(process):
    """The grader's processes, itself left out."""
    return psutil.Process(process.pid).children(recursive=True)


def graders(process):
    """The processes that grade: children of the first process that the maker forks."""
    return next(p for p in maker(process).children()).children()


def maker(process):
    """The process that graders and workers are forked from."""
    return next(p for p in psutil.Process(process.pid).children() if "preloaded import main" in " ".join(p.cmdline()))


@pytest.mark.soak
def test_stopped_in_every_way(sample, undisturbed, tmp_path):
    """Ctrl-C, SIGTERM and SIGKILL, each once there is something new to lose; test_every_write.py has all moments of a kill."""
    out = tmp_path / "out"
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)):
        before = results(out)
        process = begin(sample, out)
        until(lambda: results(out) > before)
        others = family(process)
        os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
        told, _ = process.communicate(timeout=60)
        assert process.returncode == code, told
        assert number == signal.SIGKILL or "same command" in told and "Traceback" not in told
        assert not psutil.wait_procs(others, timeout=60)[1], "processes were left behind"
    process = begin(sample, out)
    told, _ = process.communicate(timeout=300)
    assert process.returncode == 0 and same(out, undisturbed), told


@pytest.mark.soak
def test_processes_of_a_grader_are_killed(sample, undisturbed, tmp_path):
    """One that grades, then the one that makes workers: others take their places."""
    process = begin(sample, tmp_path / "out")
    for kill in (lambda: graders(process)[0].kill(), lambda: maker(process).kill()):
        before = results(tmp_path / "out")
        until(lambda: results(tmp_path / "out") > before + 1)
        kill()
    told, _ = process.communicate(timeout=300)
    assert process.returncode == 0 and told.count("another takes its place") == 2, told
    assert same(tmp_path / "out", undisturbed)
