"""Submissions that would stop a class from being graded; most without meaning to."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output

from tests.grader.adversarial.submission import TARGET, TARGET_POINTS, Attack, answer

LIVES = {TARGET: TARGET_POINTS}  # the answer is right, and nothing else in the cell may stop it from earning its points


def _answer(name: str, about: str, body: str, **more) -> Attack:
    """One line as the whole answer."""
    return Attack(name, about, f"def attention_scores(q, k):\n    {body}\n    return wrong(q, k)", **more)


def _beside(name: str, about: str, code: str) -> Attack:
    """A right answer beside something that goes wrong."""
    return Attack(name, about, f"stolen.append(1)\n{code}", earns=LIVES, status="passed")


TIME = [
    _answer("endless_loop", "A loop without an end.", "while True: pass", status="timeout"),
    Attack(
        "deaf_loop", "A loop that ignores every signal and swallows every exception.",
        """
        def attention_scores(q, k):
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.Signals)
            for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
                try: signal.signal(number, signal.SIG_IGN)
                except OSError: pass
            while True:
                try:
                    while True: pass
                except BaseException: pass
        """,
        status="timeout",
    ),
    _answer("long_sleep", "Sleeps for an hour.", "time.sleep(3600)", status="timeout"),
    _answer("slow_pattern", "A regular expression that takes for ever and holds the interpreter's lock.",
            "import re; re.match('(a+)+$', 'a' * 60 + 'b')", status="timeout"),
    Attack("loop_in_the_cell", "A loop in the cell itself: what it defines above, which is wrong, is defined without it.", "del attention_scores\nwhile True: pass"),
    _answer("recursion", "Calls itself without an end.", "return attention_scores(q, k)", status="error", says="RecursionError"),
    _answer("deep_recursion", "The same, with Python's own limit taken away.", "sys.setrecursionlimit(10**9); return attention_scores(q, k)",
            status=None),
]  # fmt: skip

FLOODS = [
    _answer("memory", "Takes all the memory there is.", "hoard = [bytearray(1 << 28) for _ in range(10**6)]", status="error"),
    _answer("huge_tensor", "Asks for a tensor of four terabytes.", "return torch.ones(10**12)", status="error"),
    _answer("fork_bomb", "Forks for ever.", "[os.fork() for _ in iter(int, 1)]", status="error"),
    _answer("thread_bomb", "Starts threads for ever.", "[threading.Thread(target=time.sleep, args=(60,)).start() for _ in iter(int, 1)]", status=None),
    _answer("disk", "Fills the disk.", "[open(f'{i}', 'wb').write(bytes(1 << 24)) for i in range(10**5)]", status="error"),
    _answer("files", "Makes files without an end.", "[open(f'{i}', 'wb').close() for i in iter(int, 1) for i in range(10**6)]", status="error"),
    _beside("output", "Prints a hundred megabytes.", "for _ in range(1000): print('x' * 100_000)"),
    _beside("raw_output", "Writes to the standard streams behind Python's back.", "for n in (1, 2): os.write(n, b'z' * 10_000_000)"),
]  # fmt: skip

VALUES = [
    _answer("expanded", "A tensor of a quintillion numbers that fits in four bytes.", "return torch.zeros(1).expand(10**9, 10**9)", status=None),
    _answer("cyclic", "A list that holds itself.", "x = []; x.append(x); return x", status=None),
    _answer("nested", "A list in a list in a list, a hundred thousand deep.", "x = []; [x := [x] for _ in range(10**5)]; return x", status=None),
    _answer("million_dimensions", "A shape with a million sizes.", "return torch.zeros(1).reshape([1] * 10**6)", status=None),
    _answer("not_a_number", "Nothing but NaN.", "return wrong(q, k) + float('nan')"),
    _answer("infinite", "Infinity.", "return wrong(q, k) + float('inf')"),
    _answer("wrong_dtype", "Integers, rounded from the right answer.", "return right(q, k).round().long()"),
    _answer("complex", "Complex numbers, as if they were the right answer.", "return right(q, k) + 1j"),
    _answer("sparse", "A sparse tensor that claims to be large.", "return torch.sparse_coo_tensor(size=(10**6, 10**6, 10**6))", status=None),
    _answer("on_meta", "A tensor with a shape and no values.", "return right(q, k).to('meta')"),
    _answer("huge_text", "A hundred megabytes of text.", "return 'x' * 10**8", status=None),
    _answer("huge_number", "An integer with a million digits.", "return 10 ** 10**6", status=None),
    _answer("surrogates", "Text that is no text.", "return '\\ud800' * 100"),
    _answer("endless_range", "A range of a quintillion numbers.", "return range(10**18)", status="error"),
    Attack(
        "one_buffer", "A message of its own making, whose nodes all name the same ten megabytes.",
        """
        import json, struct
        def attention_scores(q, k):
            frame = sys._getframe()
            while "worker" not in frame.f_locals: frame = frame.f_back
            text = json.dumps({"v": ["t", ["result", ["l", [["B", 0]] * 10**5]]], "b": [10**7]}).encode()
            body = b"AGv1" + struct.pack(">Q", len(text)) + text
            frame.f_locals["worker"].channel.send(body + bytes(-len(body) % 16) + bytes(10**7))
        """,
        status="error", says="no such buffer",
    ),
    _answer("endless_generator", "A generator without an end.", "return iter(int, 1)", status=None),
    _answer("long_message", "An exception with a message of a hundred megabytes.", "raise ValueError('x' * 10**8)", status="error"),
    _answer("hanging_message", "An exception that cannot be printed.",
            "raise type('E', (Exception,), {'__str__': lambda s: s.__str__(), '__repr__': lambda s: s.__repr__()})()", status="error"),
]  # fmt: skip

ENDS = [
    _answer("exit", "Ends its process.", "os._exit(0)", status="error", says="exit code 0"),
    _answer("suicide", "Kills its process.", "os.kill(os.getpid(), signal.SIGKILL)", status=None),
    _answer("kill_all", "Kills every process that it can.", "os.kill(-1, signal.SIGKILL)", status=None),
    _answer("kill_parent", "Kills the process that started it.", "os.kill(os.getppid(), signal.SIGKILL)", status=None),
    _answer("segfault", "Reads where there is no memory.", "import ctypes; ctypes.string_at(0)", status="error"),
    Attack("exit_in_the_cell", "Ends its process in the cell itself, likewise.", "del attention_scores\nos._exit(3)"),
    _beside("daemons", "Threads that go on for ever in the background.",
            "for _ in range(8): threading.Thread(target=lambda: [time.sleep(0.01) for _ in iter(int, 1)], daemon=True).start()"),
    _beside("at_exit", "Something to do for ever when the process ends.", "import atexit\natexit.register(lambda: time.sleep(3600))"),
]  # fmt: skip

OUTSIDE = [
    _answer("input", "Waits for somebody to type.", "return float(input('scores? '))", status="error"),
    _beside("ask_beside", "Asks for a name on the way, and takes no answer.", "try: input('Your name? ')\nexcept Exception: pass"),
    _beside("widgets", "A slider.", "try:\n    import ipywidgets\n    ipywidgets.IntSlider()\nexcept Exception: pass"),
    _answer("socket", "Calls a server.", "import socket; socket.create_connection(('1.1.1.1', 80), 3); return right(q, k)", status="error"),
    _answer("name_lookup", "Asks for the address of a name.", "import socket; socket.getaddrinfo('example.org', 80); return right(q, k)", status="error"),
    _answer("download", "Downloads the answer.", "import urllib.request; urllib.request.urlopen('http://example.org', timeout=3); return right(q, k)",
            status="error"),
    _beside("pip", "Installs a package.", "!pip install requests\n%pip install requests"),
    _beside("curl", "Calls a program.", "!curl -s http://example.org\nfiles = !ls /"),
    _beside("shell_cell", "Starts programs in three ways.",
            "import subprocess\nfor f in (lambda: subprocess.run(['ls']), lambda: os.system('ls'), lambda: os.execv('/bin/ls', ['ls'])):\n"
            "    try: f()\n    except OSError: pass"),
    _beside("races", "Threads that rename files and links to and fro.",
            "open('a', 'w').close()\n"
            "def swap():\n    while True:\n        for f in (lambda: os.rename('a', 'b'), lambda: os.symlink('/etc/passwd', 'a'), lambda: os.unlink('a')):\n"
            "            try: f()\n            except OSError: pass\n        time.sleep(0.001)\n"
            "for _ in range(3): threading.Thread(target=swap, daemon=True).start()"),
    _beside("links", "Links that lead out of the scratch folder.",
            "for target in ('/', '/etc/passwd', '../../..'):\n    try: os.symlink(target, os.path.basename(target) or 'root')\n    except OSError: pass"),
]  # fmt: skip


# --- settings that a careless student leaves behind

SETTINGS = [
    _beside("no_gradients", "Gradients switched off for the whole notebook.", "torch.set_grad_enabled(False)"),
    _beside("seeded", "Random numbers seeded, warnings as errors, threads set.",
            "import random, warnings\ntorch.manual_seed(0); random.seed(0); warnings.simplefilter('error'); torch.set_num_threads(1)"),
    _beside("standard_error", "Warnings and progress bars on standard error, which cost stock nbgrader's students all points.",
            "import warnings\nwarnings.warn('mind the gap'); sys.stderr.write('50%|#####'); sys.stderr.flush()"),
    _beside("closed_streams", "Standard streams closed.", "sys.stdout.close(); sys.stderr.close()"),
    _beside("other_folder", "Works in another folder.", "os.makedirs('elsewhere', exist_ok=True); os.chdir('elsewhere')"),
]  # fmt: skip


def _many_outputs(notebook: NotebookNode) -> None:
    cell = answer(notebook, TARGET)
    cell.source += "\nstolen.append(1)\n"
    cell.outputs = [new_output("stream", name="stdout", text="x" * 1000) for _ in range(5000)]


def _deep(notebook: NotebookNode) -> str:
    """Metadata that nests as deep as JSON allows to be read, in a notebook that is right."""
    answer(notebook, TARGET).source += "\nstolen.append(1)\n"
    data = json.loads(json.dumps(notebook))
    data["metadata"]["deep"] = "HERE"
    return json.dumps(data).replace('"HERE"', '{"a":' * 300 + "1" + "}" * 300)


def _pathological(notebook: NotebookNode) -> None:
    """Cells that a parser or a pattern could read for hours, beside a right answer."""
    answer(notebook, TARGET).source += "\nstolen.append(1)\n"
    for code in ("(" * 10_000, 'x = f"' + "{q}" * 50_000 + '"', "\n" * 100_000 + "x", "x = 1" + " + 1" * 6_000, "x" + ".x" * 10_000):
        notebook.cells.append(new_code_cell(code))


FILES = [
    Attack("pathological_cells", "Cells that take a parser for ever.", edit=_pathological, earns=LIVES, status="passed"),
    Attack("many_outputs", "Five megabytes of outputs.", edit=_many_outputs, earns=LIVES, status="passed"),
    Attack("deep_metadata", "Metadata three hundred levels deep.", edit=_deep, earns=LIVES, status="passed"),
]  # fmt: skip

# --- files that keep who reads them busy, or stop it


def _as(content: str) -> Callable[[NotebookNode], str]:
    return lambda notebook: content


def _old_format(outputs: int) -> Callable[[NotebookNode], str]:
    """A notebook of format 3 whose outputs are of kinds that nobody knows."""
    odd = [{"output_type": f"odd{n}", "metadata": {}} for n in range(outputs)]
    cell = {"cell_type": "code", "input": "x = 1", "language": "python", "metadata": {}, "prompt_number": 1, "outputs": odd}
    return _as(
        json.dumps({"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [{"cells": [cell], "metadata": {}}]})
    )


def _stamp(text: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / "timestamp.txt").write_bytes(text) and None


def _sparse(folder: Path) -> None:
    for number in range(6):
        path = folder / f"attempt {number}.ipynb"
        path.touch()
        os.truncate(path, 19 << 20)


def _file(name: str, about: str, content: Callable[[NotebookNode], str], says: str = "", file: str = "03_self_attention.ipynb") -> Attack:
    """A file that cannot be graded."""
    return Attack(name, about, edit=content, says=says, file=file, outcome="unreadable")


SCRIPT = "03_self_attention.py"
BESIDE = [
    _beside("early_stamp", "A time before all time, in a zone that makes it earlier.", ""),
    _beside("late_stamp", "A time after all time.", ""),
    _beside("piped_stamp", "A pipe in the place of the time, which nobody ever writes to.", ""),
    _beside("linked_stamp", "A link in its place, to a device without an end.", ""),
    _beside("sparse_attempts", "Six further attempts of nineteen megabytes of nothing.", ""),
]  # fmt: skip
_WITH = (
    _stamp(b"0001-01-01 00:00:00+14:00"), _stamp(b"9999-12-31 23:59:59-14:00"), lambda folder: os.mkfifo(folder / "timestamp.txt"),
    lambda folder: os.symlink("/dev/zero", folder / "timestamp.txt"), _sparse,
)  # fmt: skip
BESIDE = [replace(attack, beside=beside) for attack, beside in zip(BESIDE, _WITH, strict=True)]
READING = [
    _file("ninety_thousand_marks", "A script of ninety thousand cells.", _as("# %%\n" * 90_000), "90000 cells", SCRIPT),
    _file("deep_mark", "A cell's mark with an object that nests five thousand deep.", _as('# %% ' + '{"a":' * 5000 + "}" * 5000 + "\nx = 1\n"),
          "nested too deeply", SCRIPT),
    _file("odd_outputs", "A notebook of an old format, with twenty thousand outputs that nobody knows.", _old_format(20_000)),
    _file("conflicts", "Three hundred thousand merge conflicts that never end.", _as("{" + "<<<<<<< \n" * 300_000 + "}"), "JSON"),
    _file("deep_json", "A list in a list, a hundred thousand times.", _as('{"cells":' + "[" * 100_000), "JSON"),
]  # fmt: skip
LOADS = [
    _answer("many_scalars", "Two hundred thousand tensors of one number, to be shown in a message.",
            "return [torch.ones(()) for _ in range(200_000)]", status=None),
    Attack(
        "meeting_keys", "A dict whose keys have different hashes and yet all meet in its table.",
        """
        def attention_scores(q, k):
            slots, slot, size = [], 0, 1 << 20
            for _ in range(600_000):
                slots.append(slot)
                slot = (5 * slot + 1) % size
            return dict.fromkeys(slots + [size * n for n in range(1, 90_000)], 0)
        """,
        status=None,
    ),
    Attack(
        "own_load", "Twenty-four threads that keep the machine busy, so that more time is given.",
        """
        import hashlib
        def attention_scores(q, k):
            data = bytes(1 << 22)
            def spin():
                while True: hashlib.sha256(data)
            for _ in range(24): threading.Thread(target=spin, daemon=True).start()
            while True: time.sleep(0.01)
        """,
        status="timeout",
    ),
    Attack(
        "polite_loop", "A loop that gives way to every other process, so as to wait rather than work.",
        """
        def attention_scores(q, k):
            try: os.nice(19)
            except OSError: pass
            while True: os.sched_yield()
        """,
        status="timeout",
    ),
]  # fmt: skip

DENIALS = BESIDE + READING + LOADS + TIME + FLOODS + VALUES + ENDS + OUTSIDE + SETTINGS + FILES
