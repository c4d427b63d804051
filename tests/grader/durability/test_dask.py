"""A class on Dask's distributed scheduler: what travels, who refuses, and a worker that dies half way."""

import json
import multiprocessing
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest
from rich.console import Console

from autograde.authoring.sample_class import LESSON, sample_class
from autograde.checking.model_files import MAX_BYTES
from autograde.grader.batch import parcels, pool, stream
from autograde.grader.batch.class_run import grade_class
from autograde.grader.ingest.discovery import Found
from autograde.grader.run import task
from autograde.grader.run.submission import grade
from tests.grader.durability.state import same


@pytest.fixture
def handed_in(tmp_path):
    folder = tmp_path / "ada"
    folder.mkdir()
    (folder / "07_gpt.ipynb").write_text("I will hand it in tomorrow.")
    (folder / "gpt.safetensors").write_bytes(b"weights")
    return Found("ada", "07_gpt", folder / "07_gpt.ipynb")


def test_the_submission_travels_with_the_files_beside_it(handed_in):
    here = grade(handed_in, "off")
    parcel = task.pack(handed_in, "off")
    shutil.rmtree(handed_in.path.parent)
    there = task.grade_parcel(pickle.loads(pickle.dumps(parcel)))
    assert parcel.files["gpt.safetensors"] == b"weights"
    assert (there.status, there.reason, there.results) == (here.status, here.reason, here.results) and here.status == "unreadable"


def test_a_script_in_a_folder_travels_in_it(handed_in, monkeypatch):
    folder = handed_in.path.parent
    (folder / "src").mkdir()
    (folder / "src" / "helper.py").write_text("own = 1")
    handed_in.path.write_text("from src.helper import own")
    parcel = task.pack(handed_in, "off")
    shutil.rmtree(folder)
    found = []
    monkeypatch.setattr(
        task,
        "grade_here",
        lambda there, _: found.extend(p.relative_to(there.path.parent).as_posix() for p in there.path.parent.rglob("*.py")),
    )
    task.grade_parcel(pickle.loads(pickle.dumps(parcel)))
    assert found == ["src/helper.py"]


def test_what_is_not_fit_to_travel_is_told_here(tmp_path):
    link = tmp_path / f"{LESSON}.ipynb"
    link.symlink_to("/etc/passwd")
    for found, status in ((Found("ada", LESSON, None), "missing"), (Found("ada", LESSON, link), "unreadable")):
        assert task.pack(found, "off") is None
        assert stream.far(None, found, "off").result().status == status


def test_a_worker_with_other_checks_refuses(handed_in, monkeypatch):
    parcel = task.pack(handed_in, "off")
    theirs = {**task.versions(handed_in.lesson), "the lesson's hidden tests": "older", "torch": "1.0"}
    monkeypatch.setattr(task, "versions", lambda lesson: theirs)
    with pytest.raises(
        task.OtherVersion, match=r"another version of the lesson's hidden tests \(older there, .* torch \(1.0 there.*install the same"
    ):
        task.grade_parcel(parcel)


def spin(parcel):
    """What Python cannot interrupt."""
    import re

    re.match("(a+)+$", "a" * 60 + "b")


@pytest.fixture
def impatient(monkeypatch):
    """A process beside the worker that may take two seconds for a submission."""
    with pool.graders(1, seconds=2) as executor:
        monkeypatch.setattr(parcels, "_graders", executor)
        yield


def process(found, sandbox):
    """Where it would be read."""
    return os.getpid()


@pytest.mark.slow
def test_what_is_too_large_to_travel_is_not_read_by_who_holds_the_class(tmp_path, impatient, monkeypatch):
    path = tmp_path / f"{LESSON}.ipynb"
    path.write_bytes(b"{")
    os.truncate(path, MAX_BYTES + 2)
    monkeypatch.setattr(task, "grade_here", process)
    found = Found("ada", LESSON, path)
    assert task.pack(found, "off") is None
    assert stream.far(None, found, "off").result(60) != os.getpid()


@pytest.mark.slow
def test_one_that_takes_the_grader_too_much_ends_a_process_beside_the_worker(handed_in, impatient, monkeypatch):
    parcel = task.pack(handed_in, "off")
    with monkeypatch.context() as patch:
        patch.setattr(task, "grade_parcel", spin)
        stopped = parcels.grade_parcel(parcel)
    assert (stopped.status, stopped.reason, stopped.score) == ("unreadable", pool.STOPPED, 0)
    assert "JSON" in parcels.grade_parcel(parcel).reason, "the next one is graded by another process"


@pytest.mark.slow
def test_an_error_of_versions_comes_through_the_process_beside_the_worker(handed_in, impatient):
    parcel = replace(task.pack(handed_in, "off"), versions={"torch": "1.0"})
    with pytest.raises(task.OtherVersion, match="1.0 here"):
        parcels.grade_parcel(parcel)


def _grade_and_tell(parcel, pipe):
    pipe.send(parcels.grade_parcel(parcel).reason)


@pytest.mark.soak
def test_a_worker_that_is_a_daemon_as_its_nanny_makes_it_may_have_that_process(handed_in):
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    worker = context.Process(target=_grade_and_tell, args=(task.pack(handed_in, "off"), theirs), daemon=True)
    worker.start()
    assert ours.poll(120) and "JSON" in ours.recv()
    worker.join(30)
    assert worker.exitcode == 0


def test_an_address_without_a_port_is_refused_at_once():
    """Dask's client waits for 20 seconds, and ends with a traceback."""
    with pytest.raises(ValueError, match="no address of a Dask scheduler"), stream.dask_executor("scheduler"):
        pass


def test_no_scheduler_is_said_with_its_address(monkeypatch):
    monkeypatch.setattr(stream, "ANSWER_SECONDS", 1)
    with pytest.raises(ValueError, match="no Dask scheduler answers at tcp://127.0.0.1:9"):
        with stream.dask_executor("tcp://127.0.0.1:9"):
            pass


def test_dask_is_asked_for_where_it_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ValueError, match=r"pip install -e '.\[cluster\]'"):
        with stream.dask_executor("tcp://127.0.0.1:9"):
            pass


@pytest.fixture
def cluster(tmp_path):
    """A real scheduler and two worker processes with nobody to start them anew: (address, workers)."""
    address, processes = tmp_path / "scheduler.json", []

    def start(*arguments):
        log = (tmp_path / f"dask{len(processes)}.log").open("w")
        command = [sys.executable, "-m", "dask", *arguments, "--scheduler-file", str(address)]
        processes.append(subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log, start_new_session=True))

    start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    for i in range(2):
        folder = str(tmp_path / f"local{i}")
        start("worker", "--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", folder)
    until(lambda: address.exists() and address.read_text().strip())
    yield json.loads(address.read_text())["address"], processes[1:]
    for process in processes:
        process.kill()
        process.wait()


def until(condition, seconds=60):
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, "it did not come to that in time"
        time.sleep(0.05)


@pytest.mark.soak
def test_a_worker_is_killed_half_way(cluster, tmp_path, monkeypatch):
    address, workers = cluster
    sample_class(tmp_path / "class")
    out, quiet = tmp_path / "out", Console(quiet=True)

    def kill():
        until(lambda: len(list((out / ".results").glob("*.json"))) >= 4, 200)
        os.kill(workers[0].pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    grade_class([tmp_path / "class"], LESSON, out, None, address, "auto", quiet)
    killer.join()
    assert workers[0].wait(10) == -signal.SIGKILL and workers[1].poll() is None
    grade_class([tmp_path / "class"], LESSON, tmp_path / "here", None, None, "auto", quiet)
    assert same(out, tmp_path / "here")

    real = task.versions(LESSON)
    monkeypatch.setattr(task, "versions", lambda lesson: {**real, "numpy": "0.1"})
    with pytest.raises(ValueError, match=r"the worker on .* has another version of numpy"):
        grade_class([tmp_path / "class"], LESSON, tmp_path / "refused", None, address, "auto", quiet)
