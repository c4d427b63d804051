"""One grader in a folder: a second is told who the first is; one that died holds nothing."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from autograde.checking.errors import UserError
from autograde.grader.batch import lock
from autograde.grader.batch.lock import only_one

HOLD = """
import sys, time
from pathlib import Path
from autograde.grader.batch.lock import only_one
with only_one(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_a_second_grader_is_told_who_the_first_is(holder, tmp_path):
    with pytest.raises(ValueError, match=rf"process {holder.pid} on {socket.gethostname()}\) is at work .*another --out"):
        with only_one(tmp_path):
            pass


def test_a_dead_grader_holds_nothing(holder, tmp_path):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with only_one(tmp_path):
        assert str(os.getpid()) in (tmp_path / ".lock").read_text()


def test_the_number_of_a_dead_grader_may_be_anothers_by_now(tmp_path):
    (tmp_path / ".lock").write_text(f"process {os.getppid()} on {socket.gethostname()}")
    with only_one(tmp_path):
        pass


def test_two_threads_of_one_process(tmp_path):
    with only_one(tmp_path):
        with pytest.raises(ValueError, match="another grader"):
            with only_one(tmp_path):
                pass
    with only_one(tmp_path):
        pass


def test_a_disk_without_locks(tmp_path, monkeypatch):
    def none(_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(lock.FileLock, "acquire", none)
    with pytest.raises(UserError, match="No locks available.*--out on a local disk"):
        with only_one(tmp_path):
            pass
