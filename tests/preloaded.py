"""Commands in processes forked from one that has the grader and nbgrader imported: all that they do, without seconds of imports each."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import traceback
from functools import cache
from pathlib import Path

from autograde import layout

IMPORTED = ("autograde.cli", "autograde.grader.batch.class_run", "nbgrader.apps.nbgraderapp", "nbgrader.server_extensions.formgrader")


def run(module: str, arguments: tuple[str, ...], cwd: Path, environment: dict[str, str]) -> tuple[int, str]:
    """`python -m module arguments` → its exit code, and what it wrote to both streams."""
    with tempfile.NamedTemporaryFile() as written:
        order = {"module": module, "arguments": arguments, "cwd": str(cwd), "environment": environment, "output": written.name}
        server = _server()
        server.stdin.write(json.dumps(order) + "\n")
        server.stdin.flush()
        code = server.stdout.readline()
        assert code, "the process that commands are forked from has ended"
        return int(code), Path(written.name).read_text(encoding="utf-8", errors="replace")


@cache
def _server() -> subprocess.Popen:
    server = subprocess.Popen(
        [sys.executable, "-c", "from tests.preloaded import serve; serve()"],
        cwd=layout.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    atexit.register(server.kill)
    return server


def serve() -> None:
    """Fork a process for each line of standard input, and answer with its exit code."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for name in IMPORTED:
        __import__(name)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            answers.close()
            os._exit(_command(**json.loads(line)))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=answers, flush=True)


def _command(module: str, arguments: list[str], cwd: str, environment: dict[str, str], output: str) -> int:
    """Become that command; an atexit handler of its own runs as in any process."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setsid()
    written = os.open(output, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(written, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    with contextlib.suppress(Exception):
        atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return code
