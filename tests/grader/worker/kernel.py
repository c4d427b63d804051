"""A student's machine: run a notebook's cells in IPython's own shell, with packages and files that the grader lacks, and say which checks pass.

`python -m tests.grader.worker.kernel NOTEBOOK LESSON` prints `{exercise: passed}` as its last line.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

DEMONSTRATIONS = {"figure", "experiment", "bootstrap"}
PACKAGES = ("seaborn", "google", "google.colab", "numba", "beartype")  # on the student's machine, and not in the grader
DECORATORS = {"numba": ("jit", "njit"), "beartype": ("beartype",)}  # of these: what they decorate does what it did


def kept(target: Any = None, **options: Any) -> Any:
    """A decorator, also one with options: the function itself."""
    return target if target is not None else kept


def scores(path: Path, lesson: str) -> dict[str, bool]:
    """Run every cell but demonstrations that nobody edited."""
    from IPython.core.interactiveshell import InteractiveShell

    from autograde.notebook import open_lesson

    InteractiveShell.enable_gui = lambda self, gui=None: None
    shell = InteractiveShell.instance()
    for name in PACKAGES:
        sys.modules[name] = module = ModuleType(name)
        module.__path__ = []
        module.__getattr__ = lambda _: MagicMock()
        vars(module).update(dict.fromkeys(DECORATORS.get(name, ()), kept))
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        metadata = cell["metadata"]
        checks = metadata.get("nbgrader", {}).get("grade_id", "").startswith("check-")
        demonstrates = DEMONSTRATIONS & set(metadata.get("tags", [])) and not metadata.get("edited")
        if cell["cell_type"] == "code" and not checks and not demonstrates:
            with contextlib.redirect_stdout(io.StringIO()):
                ran = shell.run_cell("".join(cell["source"]), store_history=True)
            if ran.error_in_exec or ran.error_before_exec:
                print(f"{''.join(cell['source'])}\n{ran.error_in_exec or ran.error_before_exec!r}", file=sys.stderr)
    opened = open_lesson(lesson, shell.user_ns)
    return {
        name: opened._examine(exercise).status == "passed" for name, exercise in opened._lesson.exercises.items() if not exercise.outcome
    }


if __name__ == "__main__":
    notebook = Path(sys.argv[1]).resolve()
    os.chdir(tempfile.mkdtemp())
    Path("notes.txt").write_text("notes", encoding="utf-8")
    print("\n" + json.dumps(scores(notebook, sys.argv[2])))
