"""Right at home is right here: solved lessons under what students do to their notebooks, in IPython's shell and in the grader."""

import copy
import functools
import json
import re
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from autograde import layout
from autograde.authoring import source
from autograde.authoring.sample_class import solved_notebook
from autograde.grader.ingest.discovery import Found
from autograde.grader.run.submission import grade

KEEP = "def {keep}(f):\n    return f"
OWN = {  # own cells, of which the last defines a decorator that does nothing; an answer below is decorated with it
    "plain": [KEEP],
    "a lambda": ["{keep} = lambda f: f"],
    "after a package that is not there": ["import seaborn as sns\n" + KEEP],
    "after what uses it": ["import seaborn as sns\nsns.set_theme()\npalette = sns.color_palette()\n" + KEEP],
    "after Colab's drive": ["from google.colab import drive\ndrive.mount('/content/drive')\n" + KEEP],
    "after a file": ["text = open('notes.txt').read()\nwords = text.split()\n" + KEEP],
    "after commands": ["!echo ready\nfiles = !ls\n%env X=1\n" + KEEP],
    "timed": ["%%time\n" + KEEP],
    "captured": ["%%capture said\nprint('x')\n" + KEEP],
    "beside %autoreload": ["%load_ext autoreload\n%autoreload 2\n" + KEEP],
    "in a condition": ["if True:\n    def {keep}(f):\n        return f"],
    "where a package may be missing": ["try:\n    import seaborn\nexcept ImportError:\n    seaborn = None\n" + KEEP],
    "in a loop": ["for {keep} in [lambda f: f]:\n    pass"],
    "by :=": ["print(({keep} := lambda f: f))"],
    "by exec": ["exec('def {keep}(f): return f')"],
    "by globals": ["globals()['{keep}'] = lambda f: f"],
    "in a table that another cell fills": ["table_{keep} = dict()", "table_{keep}.update(f=lambda f: f)", "{keep} = table_{keep}['f']"],
    "in a class": ["class Own{keep}:\n    @staticmethod\n    def of(f):\n        return f", "{keep} = Own{keep}.of"],
    "with a line that waits": ["import asyncio\nawait asyncio.sleep(0)\n" + KEEP],
    "below a task": ["import asyncio\ntask = asyncio.ensure_future(asyncio.sleep(0, 3))\nassert await task == 3\n" + KEEP],
    "by names of all kinds": ["from math import *\nimport numpy as np, os.path\n" + KEEP],
    "with other defaults": ["import torch\ntorch.set_default_dtype(torch.float64)\ntorch.set_default_device('meta')\n" + KEEP],
    "with a future import": ["from __future__ import annotations", "def annotated_{keep}(x: Nowhere) -> Nobody: ...\n" + KEEP],
    "with seeds": ["import random, torch\nrandom.seed(7)\ntorch.manual_seed(7)\n" + KEEP],
    "below a file that is not there": ["with open('notes.txt') as f:\n    text = f.read()\n    def {keep}(f):\n        return f"],
    "in a loop over a file": ["for line in open('notes.txt'):\n    def {keep}(f):\n        return f"],
    "in a condition on a file": ["if open('notes.txt').read():\n    def {keep}(f):\n        return f\nelse:\n    {keep} = None"],
    "tried, below a package": [
        "try:\n    import seaborn\n    def {keep}(f):\n        return f\nexcept ImportError:\n    print('install seaborn')"
    ],
    "tried, below a file": ["try:\n    text = open('notes.txt').read()\n    def {keep}(f):\n        return f\nfinally:\n    print('read')"],
    "below an inner block": ["if True:\n    with open('notes.txt') as f:\n        f.read()\n    def {keep}(f):\n        return f"],
    "annotated by a package": ["import seaborn as sns\ndef {keep}(f: sns.Of) -> sns.Of:\n    return f"],
    "decorated by a package": ["import numba\nfrom beartype import beartype", "@numba.njit(cache=True)\ndef {keep}(f):\n    return f"],
    "decorated by a name of a package": ["from numba import njit\n@njit\ndef {keep}(f):\n    return f"],
    "decorated where the package may be missing": [
        "try:\n    from numba import njit\nexcept ImportError:\n    njit = None",
        "@njit\ndef {keep}(f):\n    return f",
    ],
    "decorated in a class": [
        "import numba",
        "class Of{keep}:\n    @staticmethod\n    @numba.njit\n    def of(f):\n        return f",
        "{keep} = Of{keep}.of",
    ],
    "beside dataclasses and enums": [
        "from dataclasses import dataclass\nfrom enum import Enum\nfrom typing import NamedTuple\n\n\n@dataclass(frozen=True, slots=True)\n"
        "class Size{keep}:\n    d: int = 3\n\n\nclass Kind{keep}(Enum):\n    A = 1\n\n\nclass Pair{keep}(NamedTuple):\n    x: int = 1",
        "assert Size{keep}().d == 3 and Kind{keep}.A.value == Pair{keep}().x\n" + KEEP,
    ],
    "in a case": ["match 3:\n    case int(found):\n        def {keep}(f):\n            return f"],
    "by a generator": ["def made_{keep}():\n    yield from [lambda f: f]\n\n\n{keep} = next(made_{keep}())"],
    "that counts and measures": [
        "import functools, time\nCALLS_{keep} = 0\n\n\ndef {keep}(f):\n    global CALLS_{keep}\n    CALLS_{keep} += 1\n    return f\n",
    ],
    "where types are checked": ["from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import nowhere\n" + KEEP],
    "with output cleared": ["from IPython.display import HTML, clear_output, display\nclear_output()\ndisplay(HTML('<b>x</b>'))\n" + KEEP],
    "with settings": [
        "%config InlineBackend.figure_format = 'retina'\nimport logging, torch\nlogging.disable(10)\ntorch.set_printoptions(precision=2)\n"
        + KEEP
    ],
    "below a thread": ["import threading\nthread = threading.Thread(target=print)\nthread.start()\nthread.join()\n" + KEEP],
    "in steps over cells": [
        "base_{keep} = 2",
        "base_{keep} *= 3",
        "base_{keep} -= 1\nassert base_{keep} == 5\ndef {keep}(f):\n    assert base_{keep} == 5\n    return f",
    ],
    "by names of other letters": ["π_{keep} = 3.14\nα_{keep} = lambda f: f\n{keep} = α_{keep}  # 🎉"],
    "with help": ["?print\nlen?\n" + KEEP],
}
FIGURE = "in a figure's cell"


def decorated(with_what):
    return lambda name, code: re.sub(rf"^(def|class) {name}\b", rf"{with_what}\n\g<0>", code, count=1, flags=re.MULTILINE)


def imported(with_what):
    return lambda name, code: "import torch\n\n\n" + decorated(with_what)(name, code)


ANSWER = {  # what is done to an answer's own cell
    "%%time": lambda name, code: "%%time\n" + code,
    "%%capture": lambda name, code: "%%capture\n" + code,
    "%%prun": lambda name, code: "%%prun -q -T prun.txt\n" + code,
    "%matplotlib": lambda name, code: "%matplotlib inline\n" + code,
    "a command": lambda name, code: "!true\n" + code,
    "a package that is not there": lambda name, code: "import seaborn as sns\n" + code,
    "a theme": lambda name, code: "import seaborn as sns\nsns.set_theme()\n" + code,
    "a future import": lambda name, code: "from __future__ import annotations\n" + code,
    "@torch.compile": imported("@torch.compile"),
    "@torch.compile with options": imported("@torch.compile(dynamic=True)"),
    "compiled below": lambda name, code: f"{code}\nimport torch\n{name} = torch.compile({name})",
    "@numba.njit": lambda name, code: "import numba\n\n\n" + decorated("@numba.njit(parallel=True)")(name, code),
    "@beartype": lambda name, code: "from beartype import beartype\n\n\n" + decorated("@beartype")(name, code),
    "@jaxtyped": lambda name, code: (
        "from beartype import beartype\nfrom jaxtyping import jaxtyped\n\n\n" + decorated("@jaxtyped(typechecker=beartype)")(name, code)
    ),
    "@torch.jit.ignore": imported("@torch.jit.ignore"),
    "a print": lambda name, code: f"{code}\nprint('done', {name})",
    "displayed": lambda name, code: f"{code}\ndisplay({name})",
    "its help": lambda name, code: f"{code}\n{name}?",
    "waits": lambda name, code: "import asyncio\nawait asyncio.sleep(0)\n" + code,
    "Windows' line ends": lambda name, code: code.replace("\n", "\r\n"),
    "renamed and bound": lambda name, code: re.sub(rf"^def {name}\b", f"def my_{name}", code, flags=re.MULTILINE) + f"\n{name} = my_{name}",
    "a partial function": lambda name, code: (
        re.sub(rf"^def {name}\b", f"def _{name}", code, flags=re.MULTILINE) + f"\nimport functools\n{name} = functools.partial(_{name})"
    ),
    "an object that is called": lambda name, code: (
        re.sub(rf"^def {name}\b", f"def _{name}", code, flags=re.MULTILINE)
        + f"\nclass Called:\n    def __call__(self, *args, **options):\n        return _{name}(*args, **options)\n{name} = Called()"
    ),
    "in a block": lambda name, code: "if True:\n" + "\n".join("    " + line for line in code.split("\n")),
    "another default dtype": lambda name, code: "import torch\ntorch.set_default_dtype(torch.float64)\n" + code,
    "without gradients": lambda name, code: code + "\nimport torch\nwith torch.no_grad():\n    pass",
    "a trailing semicolon": lambda name, code: code.rstrip() + ";",
    "timed in a line": lambda name, code: f"{code}\n%time {name}_again = {name}",
    "a marker of a class": lambda name, code: "#@title My answer\n" + code,
    "type: ignore": lambda name, code: code + "  # type: ignore",
}
FUNCTIONS_ONLY = {
    "@numba.njit",
    "@jaxtyped",
    "@torch.compile",
    "@torch.compile with options",
    "compiled below",
    "@torch.jit.ignore",
    "a partial function",
    "an object that is called",
    "renamed and bound",
}


@functools.cache
def solved(lesson):
    return solved_notebook(source.read(layout.source_path(lesson)))


def answers(notebook):
    """The places of the answers by exercise."""
    found = ((i, c) for i, c in enumerate(notebook.cells) if c.cell_type == "code" and c.metadata.get("nbgrader", {}).get("solution"))
    return {cell.metadata.nbgrader.grade_id: i for i, cell in found}


def with_own(notebook, which):
    """Each of these own cells before an answer, which is decorated with what they define; one helper stands in a figure's cell."""
    names = list(answers(notebook))
    for number, edit in enumerate(which):
        keep, name = f"keep_{number}", names[number % len(names)]
        at = answers(notebook)[name]
        notebook.cells[at].source = decorated(f"@{keep}")(name, notebook.cells[at].source)
        if edit == FIGURE:
            figures = [c for c in notebook.cells[:at] if "figure" in c.metadata.get("tags", [])]
            if figures:
                figures[-1].source += "\n\n\n" + KEEP.format(keep=keep)
                figures[-1].metadata["edited"] = True
                continue
        cells = OWN.get(edit, [KEEP])
        notebook.cells[at:at] = [new_code_cell(code.replace("{keep}", keep)) for code in cells]
    return notebook


def with_answers(notebook, which):
    """One of these edits to an answer each, in turn, where it can be done."""
    left = list(which)
    for name, at in answers(notebook).items():
        cell = notebook.cells[at]
        function = re.search(rf"^def {name}\b", cell.source, re.MULTILINE)
        edit = next((e for e in left if function or e not in FUNCTIONS_ONLY), None)
        if edit:
            left.remove(edit)
            cell.source = ANSWER[edit](name, cell.source)
    return notebook, left


def compare(folder, lesson, notebook):
    path = folder / f"{lesson}.ipynb"
    path.write_text(nbformat.writes(notebook), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "tests.grader.worker.kernel", str(path), lesson],
        cwd=layout.ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    at_home = json.loads(done.stdout.splitlines()[-1])
    result = grade(Found("student", lesson, path), "auto")
    here = {r.exercise: r.status == "passed" for r in result.results if r.exercise in at_home}
    told = {r.exercise: r.message for r in result.results if r.exercise in at_home and not here[r.exercise]}
    assert at_home == dict.fromkeys(at_home, True), f"not right at home: {at_home}\n{done.stderr}"
    assert here == at_home, told


def turn(lesson):
    """The edits of answers, beginning with other ones in each lesson."""
    first = 9 * layout.lesson_names().index(lesson) % len(ANSWER)
    return [*ANSWER][first:] + [*ANSWER][:first]


def edited(lesson):
    """The solved lesson under all edits of own cells, and one edit in each answer."""
    return with_answers(with_own(copy.deepcopy(solved(lesson)), [*OWN, FIGURE]), turn(lesson))[0]


@pytest.mark.slow
def test_own_cells_and_edited_answers(tmp_path):
    compare(tmp_path, "03_self_attention", edited("03_self_attention"))


def test_every_edit_is_made_in_some_lesson():
    left = [set(with_answers(copy.deepcopy(solved(lesson)), turn(lesson))[1]) for lesson in layout.lesson_names()]
    assert not set.intersection(*left)


@pytest.mark.soak
@pytest.mark.parametrize("lesson", [name for name in layout.lesson_names() if name != "03_self_attention"])
def test_every_lesson(tmp_path, lesson):
    """About 80 s of processor time for all."""
    compare(tmp_path, lesson, edited(lesson))
