"""More submissions that want points, a look, or the class's time: through the channel, the table of handles, names, messages and files."""

from __future__ import annotations

import json
import os
import textwrap
from dataclasses import replace
from pathlib import Path

from nbformat import NotebookNode

from tests.grader.adversarial.denial import LIVES, _answer, _as, _beside, _file
from tests.grader.adversarial.submission import TARGET, Attack, answer

# --- through the channel and what crosses it
FIND_WORKER = """
def the_worker():
    frame = sys._getframe()
    while "worker" not in frame.f_locals: frame = frame.f_back
    return frame.f_locals["worker"]
"""


def _through(name: str, about: str, code: str, **more) -> Attack:
    """One that holds the worker's own end of the channel."""
    return Attack(name, about, FIND_WORKER + textwrap.dedent(code), **more)


CHANNEL = [
    _through(
        "asks_for_every_function", "Asks the grader to call each function that a check might have passed, in search of the one that knows.",
        """
        def attention_scores(q, k):
            for number in range(200):
                try: return the_worker().ask(("call", number, (q, k), {}))
                except Exception: pass
            return wrong(q, k)
        """,
        status="error",
    ),
    _through(
        "asks_by_name", "Asks the grader for what it has no operation for.",
        """
        def attention_scores(q, k): return the_worker().ask(("getattr", 0, (q, "__globals__"), {}))
        """,
        status="error",
    ),
    _through(
        "sends_descriptors", "Sends ten thousand open files along the socket, for the grader to hold.",
        """
        import socket
        def attention_scores(q, k):
            own = the_worker().channel.socket
            own.setblocking(True)
            for _ in range(10_000): socket.send_fds(own, [b"x"], [own.fileno()] * 8)
        """,
        status="error",
    ),
    _through(
        "half_a_message", "Begins an answer of sixty megabytes, and never ends it.",
        """
        import struct
        def attention_scores(q, k):
            the_worker().channel.socket.send(struct.pack(">QQ", 60 << 20, 0) + b"AGv1")
            time.sleep(3600)
        """,
        status="timeout",
    ),
    Attack(
        "many_objects", "A million objects that are no data, each of which the grader would have to remember.",
        "class Thing: pass\ndef attention_scores(q, k): return [Thing() for _ in range(10**6)]",
        status=None,
    ),
    Attack(
        "same_hashes", "A dict of two hundred thousand numbers whose hashes are one and the same.",
        "def attention_scores(q, k): return dict.fromkeys(n * (2**61 - 1) for n in range(200_000))",
        status=None,
    ),
    Attack(
        "set_of_same_hashes", "The same as a set.",
        "def attention_scores(q, k): return {n * (2**61 - 1) for n in range(50_000)}",
        status=None,
    ),
    Attack(
        "function_that_is_none", "An object of a class called `function`, which says another thing at each call.",
        """
        class function:
            calls = 0
            def __call__(self, q, k):
                global attention_scores
                function.calls += 1
                attention_scores = lambda *a: right(*a)
                return wrong(q, k)
        attention_scores = function()
        """,
    ),
    _answer("stops_itself", "Stops its process without an end.", "os.kill(os.getpid(), signal.SIGSTOP)", status=None),
    _answer("timers", "A signal every microsecond, for which no handler can be set.", "signal.signal(signal.SIGALRM, lambda *a: None); signal.setitimer(signal.ITIMER_REAL, 1e-6, 1e-6)\n"
            "    while True: pass", status="error"),
    _beside("leaves_a_timer", "A right answer, and a signal that ends the process a little later in nobody's check.",
            "signal.signal(signal.SIGALRM, lambda *a: os._exit(0)); signal.setitimer(signal.ITIMER_REAL, 600)"),
]  # fmt: skip

# --- through names and messages, on pages and in the terminal
MARKUP = "</pre></code><script>alert(1)</script><img src=x onerror=alert(1)>"
WORDS = [
    _answer("marked_up_error", "An exception whose class and message are markup.",
            f"raise type({MARKUP!r}, (ValueError,), {{}})({MARKUP!r})", status="error"),
    _answer("painted_error", "An exception with what a terminal obeys, and text that runs from right to left.",
            "raise ValueError('\\x1b]0;owned\\x07\\x1b[2J\\x9b31m\\u202etxet\\u2066 \\x00 [red]bold[/red] {{ 7 * 7 }} {% raw %}')", status="error"),
    _answer("all_ticks", "An exception of nothing but backticks, which pages look for in pairs.", "raise ValueError('`' * 5000)", status="error"),
    _answer("formula_error", "An exception that a spreadsheet would run.", "raise ValueError('=cmd|calc')", status="error"),
    _answer("long_chain", "An exception that has ten thousand causes.",
            "error = None\n    for n in range(10_000):\n        new = ValueError(str(n)); new.__cause__ = error; error = new\n    raise error", status="error"),
    _answer("nested_group", "A group of exceptions in a group, five thousand deep.",
            "error = ValueError('x')\n    for _ in range(5000): error = ExceptionGroup('g', [error])\n    raise error", status="error"),
    _answer("many_ancestors", "An exception with two thousand ancestors.",
            "kind = ValueError\n    for n in range(2000): kind = type('E' * 80, (kind,), {})\n    raise kind('x')", status="error"),
    _answer("deep_frames", "An exception from a hundred thousand calls down.",
            "sys.setrecursionlimit(10**6)\n    def down(n): return down(n - 1) if n else 1 / 0\n    return down(30_000)", status="error"),
    _beside("marked_up_answer", "A right answer with markup and a terminal's commands in it.", f"note = {MARKUP + chr(0x202E)!r}"),
]  # fmt: skip


# --- through the file and what lies beside it
def _edited(change) -> object:
    """An edit that writes a right answer, and then changes the notebook's text."""

    def edit(notebook: NotebookNode) -> str | bytes:
        answer(notebook, TARGET).source += "\nstolen.append(1)\n"
        return change(json.dumps(notebook))

    return edit


def _alive(name: str, about: str, change) -> Attack:
    return Attack(name, about, edit=_edited(change), earns=LIVES, status="passed")


def _many(folder: Path) -> None:
    for number in range(40):
        (folder / f"03 ({number}).ipynb").touch()
        os.truncate(folder / f"03 ({number}).ipynb", 900 << 20)


def _odd_files(folder: Path) -> None:
    """What a folder may hold that nobody should open: a pipe, a device's link, a link to itself, names that say they are more."""
    os.mkfifo(folder / "03.ipynb")
    os.symlink("/dev/zero", folder / "zero.ipynb")
    os.symlink("loop.ipynb", folder / "loop.ipynb")
    for name in ("nbgrader_config.py", ".recorded", ".class.json", "grades.csv"):
        (folder / name).write_text("raise SystemExit('run by the grader')")


FILES = [
    _alive("utf_16", "The notebook in UTF-16.", lambda text: text.encode("utf-16")),
    _alive("keys_twice", "Each key of the notebook twice, of which the last counts.", lambda text: '{"cells": [], "metadata": 7, ' + text[1:]),
    _alive("not_a_number_in_it", "Numbers that JSON does not have.", lambda text: text[:-1] + ', "extra": [NaN, -Infinity, 1e999]}'),
    _alive("half_characters", "Halves of characters in its metadata.", lambda text: text[:-1] + ', "extra": "\\ud800\\udfff\\udc00"}'),
    _file("endless_number", "A number of five thousand digits.", _as('{"cells": [], "nbformat": ' + "9" * 5000 + "}"), "JSON"),
    _file("hundred_thousand_cells", "A hundred thousand cells.", _as('{"cells": [' + ",".join(['{"cell_type": "code", "source": "x"}'] * 100_000) + "]}"),
          "cells"),
    _file("strange_cells", "Cells that are no cells.", _as('{"cells": [null, 7, [], {"source": {"a": 1}}, {"source": [1, null]}, "x"]}'), ""),
    replace(_beside("many_large_attempts", "Forty further attempts of nearly a gigabyte of nothing each.", ""), beside=_many),
    replace(_beside("odd_neighbours", "Pipes, links and files that a grader keeps for itself, in the student's folder.", ""), beside=_odd_files),
]  # fmt: skip

NEWER = CHANNEL + WORDS + FILES
