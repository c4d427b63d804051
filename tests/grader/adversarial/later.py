"""Submissions that aim at what reads scripts beside a notebook, runs cells a second time, and tells a student what was left out."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from tests.grader.adversarial.denial import LIVES, _answer, _beside
from tests.grader.adversarial.newer import FIND_WORKER
from tests.grader.adversarial.submission import TARGET, Attack, answer

MARKUP = "</pre></code><script>alert(1)</script><img src=x onerror=alert(1)>\x1b]0;owned\x07\u202etxt"


def _with(change):
    """An edit that writes a right answer, and then changes the notebook."""

    def edit(notebook: NotebookNode):
        answer(notebook, TARGET).source += "\nstolen.append(1)\n"
        return change(notebook)

    return edit


def _cells(*codes: str):
    """Cells of the student's own, before all answers."""
    return _with(lambda notebook: notebook.cells.__setitem__(slice(3, 3), [new_code_cell(code) for code in codes]))


def _alive(name: str, about: str, edit) -> Attack:
    return Attack(name, about, edit=edit, earns=LIVES, status="passed")


def _version(notebook: NotebookNode) -> None:
    notebook.metadata["language_info"] = {"name": "python", "version": "3." + "9" * 5000}
    answer(notebook, TARGET).source += "\ndef broken(:\n"


# --- scripts beside the notebook
def _scripts(**texts: str):
    return lambda folder: [(folder / f"{name}.py").write_text(text) for name, text in texts.items()] and None


def _odd_scripts(folder: Path) -> None:
    """What is called a script and is none: a pipe, a link, a folder, a gigabyte of nothing, and names that something might obey."""
    os.mkfifo(folder / "pipe.py")
    os.mkfifo(folder / "notes.txt")
    os.symlink("/etc/passwd", folder / "passwd.py")
    (folder / "folder.py").mkdir()
    (folder / "big.py").touch()
    os.truncate(folder / "big.py", 900 << 20)
    for name in ("<img src=x onerror=alert(1)>.py", "\x1b[31m.py", "=cmd.py", "new\nline.py", "\u202etxt.py"):
        (folder / name).write_text("x = 1")


SHADOWS = dict.fromkeys(("torch", "numpy", "autograde", "utils", "sitecustomize", "conftest", "math"), "raise SystemExit(1)")
SCRIPTS = [
    replace(_beside("endless_script", "A script beside the notebook that never ends.", "import spin"), beside=_scripts(spin="while True: pass"),
            status="timeout", earns={}),
    replace(_beside("shadowing_scripts", "Scripts with the names of packages, of the course, and of files that Python runs by itself.", ""),
            beside=_scripts(**SHADOWS)),
    replace(_beside("odd_scripts", "Scripts that are none.", ""), beside=_odd_scripts),
    _beside("many_written", "Twenty thousand modules that a cell writes.",
            "for i in range(20_000): get_ipython().run_cell_magic('writefile', f'm{i}.py', 'x = 1' * 100)"),
]  # fmt: skip

# --- what a student is told that was left out or run again
TOLD = [
    _beside("run_of_markup", "A script to run whose name is markup.", f"get_ipython().run_line_magic('run', {MARKUP!r})"),
    _alive("commands_of_markup", "A shell command that is markup.", _cells("def my_helper(): pass\n!" + MARKUP)),
    _alive("many_commands", "A hundred thousand shell commands, each of which is told.", _cells("def my_helper(): pass\n" + "!ls\n" * 100_000)),
    _alive("decorator_of_markup", "A decorator of no package, with markup.",
           _cells(f"import nothere\n@nothere.jit({MARKUP!r})\ndef helper_of_mine(): return 1")),
    _beside("many_notes", "A hundred megabytes of notes, put where the worker keeps them.", FIND_WORKER + "the_worker().cells.notes[:] = ['x' * 1000] * 100_000"),
    _beside("strange_notes", "Notes that are none, and one that a spreadsheet would run.",
            FIND_WORKER + f"class S(str):\n    def __getitem__(self, i): return self\nthe_worker().cells.notes[:] = [S('=' + {MARKUP!r}), object(), None, 7, []]"),
    _beside("no_list_of_notes", "A number in the place of the notes.", FIND_WORKER + "the_worker().cells.notes = 7"),
    _alive("stopped_often", "Fifteen hundred cells that say they need a later one, to be run twice.",
           _cells(*[f"def d{i}(): return 1\nraise NameError(\"name 'later' is not defined\")" for i in range(1500)], "later = 1\ndef mine(): return later")),
    _answer("slow_message", "An exception that takes four seconds to say what it is.",
            "raise type('E', (Exception,), {'__str__': lambda s: time.sleep(4) or 'x'})()", status="error"),
    _answer("name_error_of_ones_own", "A NameError about a name that equals every name.",
            "class N(str):\n        def __eq__(s, o): return True\n        __hash__ = lambda s: 1 / 0\n    e = NameError('x'); e.name = N('x'); raise e", status="error"),
    _answer("class_of_errors", "An exception whose class cannot say its name or its ancestors.",
            "class M(type):\n        __name__ = property(lambda s: 1 / 0)\n        __mro__ = property(lambda s: 1 / 0)\n"
            "    class E(Exception, metaclass=M): pass\n    raise E('x')", status="error"),
]  # fmt: skip

# --- what stays when the process ends, and what files say
AFTER = [
    _beside("never_deleted", "An object that takes an hour to be deleted.", "class D:\n    def __del__(self): time.sleep(3600)\nd = D()"),
    _beside("stubborn_threads", "Threads that are waited for when the process ends.", "for _ in range(4): threading.Thread(target=lambda: time.sleep(3600)).start()"),
    _beside("slow_imports", "A finder of modules that takes a second for each.", "class F:\n    def find_spec(self, *a): time.sleep(1)\nsys.meta_path.insert(0, F())"),
    Attack("endless_version", "A version of Python with five thousand digits, and syntax that this one cannot read.", edit=_version, status="error"),
    _alive("ids_of_surrogates", "A cell's id with half a character.",
           _with(lambda nb: json.dumps(nb).replace('"grade_id": "attention_scores"', '"grade_id": "attention_scores\\ud800"'))),
    _alive("ids_of_lists", "A cell's id that is a list.", _with(lambda nb: json.dumps(nb).replace('"grade_id": "causal_mask"', '"grade_id": ["causal_mask"]'))),
    _alive("one_id", "The same id for every cell.", _with(lambda nb: re.sub(r'"grade_id": "[a-z_]+"', '"grade_id": "attention_scores"', json.dumps(nb)))),
    _alive("many_tags", "A megabyte of tags on each of three cells.", _with(lambda nb: [c.metadata.update(tags=["x" * 1000] * 1000) for c in nb.cells[:3]] and None)),
    _alive("many_versions", "Eighteen hundred wrong versions of an answer, of which the last, which is right, counts.",
           _cells(*[f"def attention_scores(q, k):\n    return None  # {i}" for i in range(1800)])),
]  # fmt: skip

LATER = SCRIPTS + TOLD + AFTER
