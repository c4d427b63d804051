"""A grader that is killed, interrupted or terminated loses nothing: the next run goes on, and the end is that of a run nobody disturbed."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

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


@pytest.mark.slow
def test_killed_at_fifty_moments(sample, tmp_path):
    script = Path(__file__).with_name("killing.py")
    done = subprocess.run(
        [sys.executable, str(script), str(sample), LESSON, str(tmp_path), "50", "7"], capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr[-3000:]
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["killed"] == 50 and report["finished"]
    for folder in report["finished"]:
        assert same(Path(folder), tmp_path / "undisturbed"), folder


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
    """The processes that grade: children of the one that multiprocessing forks from."""
    return [p for p in family(process) if "forkserver" in " ".join(p.cmdline()) and "forkserver" in " ".join(p.parent().cmdline())]


def maker(process):
    """The fork server: the grader's own child that was started by its module."""
    return next(p for p in psutil.Process(process.pid).children() if "fork_server import main" in " ".join(p.cmdline()))


@pytest.mark.slow
def test_stopped_in_every_way(sample, tmp_path):
    undisturbed, out = tmp_path / "undisturbed", tmp_path / "out"
    process = begin(sample, undisturbed)
    assert process.wait(300) == 0, process.stdout.read()
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        before = results(out)
        process = begin(sample, out)
        until(lambda: results(out) > before + 1)
        others, began = family(process), time.monotonic()
        os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
        told, _ = process.communicate(timeout=60)
        assert process.returncode == code and "the same command goes on from here" in told, told
        assert "Traceback" not in told
        assert time.monotonic() - began < 2 * max(1, os.getloadavg()[0] / (os.cpu_count() or 1)), "it took its time to end"
        assert not psutil.wait_procs(others, timeout=10)[1], "processes were left behind"
    chance = random.Random(11)
    for moment in (chance.uniform(0, 1), chance.uniform(1, 3), chance.uniform(3, 6)):
        process = begin(sample, out)
        time.sleep(moment)
        others = family(process) if process.poll() is None else []
        process.kill()
        process.wait()
        assert not psutil.wait_procs(others, timeout=20)[1], "processes were left behind"
    process = begin(sample, out)
    told, _ = process.communicate(timeout=300)
    assert process.returncode == 0 and same(out, undisturbed), told


@pytest.mark.slow
def test_processes_of_a_grader_are_killed(sample, tmp_path):
    """One that grades, then the one that makes workers: others take their places."""
    process = begin(sample, tmp_path / "out")
    for kill in (lambda: graders(process)[0].kill(), lambda: maker(process).kill()):
        before = results(tmp_path / "out")
        until(lambda: results(tmp_path / "out") > before + 1)
        kill()
    told, _ = process.communicate(timeout=300)
    assert process.returncode == 0 and told.count("another takes its place") == 2, told
    assert begin(sample, tmp_path / "undisturbed").wait(300) == 0
    assert same(tmp_path / "out", tmp_path / "undisturbed")
