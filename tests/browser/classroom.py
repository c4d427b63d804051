"""A class in a course directory: made, handed in and graded by the commands that an instructor types."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograde import layout
from autograde.build import source
from autograde.demo import LESSON, SAMPLES, solved_notebook
from tests.browser.lab import environment

ANSWERS = {
    "ada": "A typical score is 16. A padded word still stands in the denominator: (½, ½) becomes (½, 0).",
    "ben": "",
    "chloe": "The softmax saturates. <b>Rows</b> no longer sum to one. <script>document.title = 'taken over'</script>",
    "dev": "I do not know.",
}


class Classroom:
    """`folder` is the course directory; `home` is the instructor's account."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder, self.home = folder, home
        self.autograde("course", str(folder), "01", "03")

    def autograde(self, *arguments: str) -> str:
        """`python -m autograde …` → what it prints."""
        return _run(["-m", "autograde", *arguments], layout.ROOT, self.home)

    def nbgrader(self, *arguments: str, cwd: Path | None = None) -> str:
        """`nbgrader …` in the course directory → what it prints."""
        return _run(["-m", "nbgrader", *arguments], cwd or self.folder, self.home)

    def grade(self) -> None:
        """Grade whatever is handed in; shut in as well as this machine can."""
        self.autograde("grade", str(self.folder), "--lesson", "03", "--sandbox", "auto")

    def hand_in(self, student: str, like: str = "", answer: str = "") -> None:
        """What the demo's student `like` writes, with this answer to the written question."""
        path = self.folder / "submitted" / student / LESSON / f"{LESSON}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, like or student, answer)


def write(path: Path, like: str, answer: str) -> None:
    """A lesson's notebook as the demo's student `like` fills it in, with this answer to the written question."""
    content: Callable[[NotebookNode], str | None] = next(s.content for s in SAMPLES if s.student == like)
    notebook = nbformat.reads(content(copy.deepcopy(solved_notebook(source.read(layout.source_path(LESSON))))), 4)
    if answer:
        next(cell for cell in notebook.cells if "YOUR ANSWER HERE" in cell.source).source = answer
    nbformat.write(notebook, path)


def _run(arguments: list[str], cwd: Path, home: Path) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=cwd, env=environment(home), capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise AssertionError(f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout + done.stderr
