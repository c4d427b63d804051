"""Kills a grader again and again at random moments and starts it anew, until it was killed so often; run as a script by the tests.

    python killing.py CLASS LESSON OUT KILLS SEED

Each grader is forked from this process, which has imported everything, and forks its workers from processes that outlive it: a restart
then takes a moment instead of seconds. Everything else in it is `python -m autograde grade`. Prints, as JSON, how often it was killed and the
folders that were finished in spite of it; OUT/undisturbed is that of a run that nobody killed.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from multiprocessing import forkserver
from pathlib import Path

from autograde.cli import app
from autograde.grader.batch import class_folder, pool  # noqa: F401, class_folder is imported before the forks
from autograde.grader.worker import fork_server  # noqa: F401, class_folder is imported before the forks

SERVER = fork_server.shared()


def start(submissions: str, lesson: str, out: Path) -> int:
    """The process number of a grader at work."""
    pool.get_ready()  # the process that graders fork from fails when one is killed while it asks; a real grader takes its own along
    pid = os.fork()
    if pid == 0:
        _grade(submissions, lesson, out)
    return pid


def _grade(submissions: str, lesson: str, out: Path) -> None:
    status = 70
    try:
        os.dup2(os.open(out.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), 1)
        os.dup2(1, 2)
        fork_server.use(SERVER.address)
        forkserver._forkserver.ensure_running = forkserver.ensure_running = lambda: None
        app(["grade", submissions, "--lesson", lesson, "--out", str(out), "--sandbox", "auto"], prog_name="autograde", standalone_mode=True)
    except SystemExit as end:
        status = int(end.code or 0)
    finally:
        os._exit(status)


def ended(pid: int, until: float) -> int | None:
    """The exit status of a grader that ended by itself before `until`."""
    while time.monotonic() < until:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    return None


def main(submissions: str, lesson: str, out: Path, kills: int, seed: int) -> None:
    pool.get_ready()
    for name in ("first", "undisturbed"):  # the first of them waits until the staff is ready
        began = time.monotonic()
        assert ended(start(submissions, lesson, out / name), began + 120) == 0, (out / f"{name}.log").read_text()[-2000:]
    duration, chance = time.monotonic() - began, random.Random(seed)
    killed, finished, current = 0, [], out / "killed0"
    while killed < kills or not (current / "grades.csv").exists():
        pid = start(submissions, lesson, current)
        status = ended(pid, time.monotonic() + (chance.uniform(0, 0.7 * duration) if killed < kills else 120))
        if status is None:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            time.sleep(0.1)
            killed += 1
        else:
            assert status == 0, f"a grader ended with {status}: {current.with_suffix('.log').read_text()[-2000:]}"
            finished.append(str(current))
            if killed < kills:
                current = out / f"killed{len(finished)}"
    print(json.dumps({"killed": killed, "finished": finished, "seconds": duration}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
