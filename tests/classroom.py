"""Accounts, and a class in a course directory: made, handed in and graded by the commands that an instructor types."""

from __future__ import annotations

import copy
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograde import layout
from autograde.authoring import source
from autograde.authoring.sample_class import LESSON, SAMPLES, solved_notebook
from tests import preloaded

SCRIPTS = str(Path(sys.executable).parent)
GUIDE = (layout.ROOT / "docs" / "instructors.md").read_text(encoding="utf-8")
[FOR_STUDENTS] = re.findall(r"```python\n(c = get_config\(\)\n.*?c\.Exchange\.root = .*?)```", GUIDE, re.DOTALL)
ANSWERS = {
    "ada": "A typical score is 16. A padded word still stands in the denominator: (½, ½) becomes (½, 0).",
    "ben": "",
    "chloe": "The softmax saturates. <b>Rows</b> no longer sum to one. <script>document.title = 'taken over'</script>",
    "dev": "I do not know.",
}


def environment(home: Path) -> dict[str, str]:
    """A user's fresh account in `home`: none of this machine's Jupyter or nbgrader settings reach the tests."""
    lasting = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "IPYTHON", "PYTEST"))}
    own = {"HOME": home, "JUPYTER_CONFIG_DIR": home / "config", "JUPYTER_DATA_DIR": home / "data", "JUPYTER_RUNTIME_DIR": home / "run"}
    path = os.pathsep.join([SCRIPTS, os.environ.get("PATH", "")])
    return {
        **lasting,
        **{k: str(v) for k, v in own.items()},
        "IPYTHONDIR": str(home / "ipython"),
        "PATH": path,
        "PYTHONWARNINGS": "ignore",
        "AUTOGRADE_SANDBOX": "auto",
    }


class Classroom:
    """`folder` is the course directory; `home` is the instructor's account."""

    def __init__(self, folder: Path, home: Path, *lessons: str) -> None:
        self.folder, self.home = folder, home
        self.autograde("course", str(folder), *lessons)

    def autograde(self, *arguments: str) -> str:
        """`python -m autograde …` → what it prints."""
        return _run("autograde", arguments, layout.ROOT, self.home)

    def nbgrader(self, *arguments: str) -> str:
        """`nbgrader …` in the course directory → what it prints."""
        return nbgrader(*arguments, cwd=self.folder, home=self.home)

    def grade(self) -> None:
        """Grade whatever is handed in, in the best sandbox that this machine has."""
        self.autograde("grade", str(self.folder), "--lesson", "03", "--sandbox", "auto")

    def hand_in(self, student: str, like: str = "", answer: str = "") -> None:
        """What the demo's student `like` writes, with this answer to the written question."""
        path = self.folder / "submitted" / student / LESSON / f"{LESSON}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, like or student, answer)


@dataclass(frozen=True)
class Student:
    """An account with the settings that the guide gives, and the commands that a student types in it."""

    name: str
    home: Path

    @classmethod
    def enrolled(cls, name: str, home: Path, exchange: Path) -> Student:
        (home / "config").mkdir(parents=True)
        settings = FOR_STUDENTS.replace('"/srv/exchange"', repr(str(exchange)))
        assert str(exchange) in settings
        (home / "config" / "nbgrader_config.py").write_text(settings)
        (home / "work").mkdir()
        return cls(name, home)

    @property
    def notebook(self) -> Path:
        return self.home / "work" / LESSON / f"{LESSON}.ipynb"

    def fetch(self) -> None:
        nbgrader("fetch_assignment", LESSON, cwd=self.home / "work", home=self.home)

    def submit(self, like: str = "", answer: str = "") -> None:
        """Write what the demo's student `like` writes, and hand it in. On a real machine the account's name is the student's."""
        write(self.notebook, like or self.name, answer)
        nbgrader("submit", LESSON, "--student", self.name, cwd=self.home / "work", home=self.home)

    def feedback(self) -> list[str]:
        """The pages that come back, the oldest submission's first."""
        nbgrader("fetch_feedback", LESSON, "--student", self.name, cwd=self.home / "work", home=self.home)
        return [page.read_text(encoding="utf-8") for page in sorted(self.notebook.parent.glob("feedback/*/*.html"))]


def nbgrader(*arguments: str, cwd: Path, home: Path) -> str:
    """`nbgrader …` in any folder and account → what it prints."""
    return _run("nbgrader", arguments, cwd, home)


def write(path: Path, like: str, answer: str) -> None:
    """A lesson's notebook as the demo's student `like` fills it in, with this answer to the written question."""
    content: Callable[[NotebookNode], str | None] = next(s.content for s in SAMPLES if s.student == like)
    notebook = nbformat.reads(content(copy.deepcopy(solved_notebook(source.read(layout.source_path(LESSON))))), 4)
    if answer:
        next(cell for cell in notebook.cells if "YOUR ANSWER HERE" in cell.source).source = answer
    nbformat.write(notebook, path)


def _run(module: str, arguments: tuple[str, ...], cwd: Path, home: Path) -> str:
    code, told = preloaded.run(module, arguments, cwd, environment(home))
    if code:
        raise AssertionError(f"python -m {module} {' '.join(arguments)} ended with {code}:\n{told}")
    return told
