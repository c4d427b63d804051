"""Programs in processes forked from one that has imported what they need: all that they do, without seconds of imports each."""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from autograde import layout

COMMANDS = ("autograde.cli", "autograde.grader.batch.class_run", "nbgrader.apps.nbgraderapp", "nbgrader.server_extensions.formgrader")


def run(module: str, arguments: Sequence[str], cwd: Path, environment: dict[str, str]) -> tuple[int, str]:
    """`python -m module arguments` → its exit code, and what it wrote to both streams."""
    return Program(module, arguments, cwd, environment).wait()


class Program:
    """`python -m module arguments`, or `python script.py arguments`, begun in the background."""

    def __init__(
        self, program: str, arguments: Sequence[str], cwd: Path, environment: dict[str, str], imported: tuple[str, ...] = COMMANDS
    ) -> None:
        self.server = _server(imported)
        with tempfile.NamedTemporaryFile(delete=False) as output:
            self.output = Path(output.name)
        order = {"program": program, "arguments": list(arguments), "cwd": str(cwd), "environment": environment, "output": output.name}
        self.pid = _ask(self.server, {"start": order})

    def wait(self) -> tuple[int, str]:
        """Its exit code, negative for a signal, and what it wrote to both streams."""
        code = _ask(self.server, {"wait": self.pid})
        said = self.output.read_text(encoding="utf-8", errors="replace")
        self.output.unlink()
        return code, said


def _ask(server: subprocess.Popen, order: dict[str, Any]) -> int:
    assert server.stdin and server.stdout
    server.stdin.write(json.dumps(order) + "\n")
    server.stdin.flush()
    answer = server.stdout.readline()
    assert answer, "the process that programs are forked from has ended"
    return int(answer)


@cache
def _server(imported: tuple[str, ...]) -> subprocess.Popen:
    server = subprocess.Popen(
        [sys.executable, "-c", f"from tests.preloaded import serve; serve({imported})"],
        cwd=layout.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    atexit.register(server.kill)
    return server


def serve(imported: tuple[str, ...]) -> None:
    """For each line of standard input: fork a process and answer with its number, or wait for one and answer with its exit code."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for name in imported:
        __import__(name)
    for line in sys.stdin:
        order = json.loads(line)
        if "start" not in order:
            number = os.waitstatus_to_exitcode(os.waitpid(order["wait"], 0)[1])
        elif not (number := os.fork()):
            answers.close()
            os._exit(_become(**order["start"]))
        print(number, file=answers, flush=True)


def _become(program: str, arguments: list[str], cwd: str, environment: dict[str, str], output: str) -> int:
    """Be that program; its handlers for the end run as in any process."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setsid()
    written = os.open(output, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(written, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [program, *arguments]
    try:
        runpy.run_path(program, run_name="__main__") if program.endswith(".py") else runpy.run_module(
            program, run_name="__main__", alter_sys=True
        )
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    gc.freeze()  # a process that ends need not collect; a gloo group that is collected now could wait for ever (tests/utils/test_training.py)
    with contextlib.suppress(Exception):
        atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return code
