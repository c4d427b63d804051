"""The first two cells of every notebook: the Colab link, and code that finds or fetches the course."""

from __future__ import annotations

import tomllib

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograde.layout import ROOT

BOOTSTRAP = """\
# Finds the course around this notebook, or fetches it (Colab); installs only what is missing, never torch.
import subprocess
import sys
from pathlib import Path

here = Path.cwd()
course = next((p for p in (here, *here.parents, here / "course") if (p / "utils" / "plots.py").exists()), None)
if course is None:
    course = here / "course"
    subprocess.run(["git", "clone", "--quiet", "--depth", "1", "{repository}", str(course)], check=True)
sys.path.insert(0, str(course))

from utils.setup import get_ready

get_ready()"""


def repository() -> str:
    """The address students fetch the course from: one setting, in pyproject.toml."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return settings["tool"]["course"]["repository"]


def badge_cell(lesson: str) -> NotebookNode:
    """A link that opens the student's notebook in Colab."""
    where = repository().removesuffix(".git").removeprefix("https://github.com/")
    address = f"https://colab.research.google.com/github/{where}/blob/main/notebooks/{lesson}.ipynb"
    return new_markdown_cell(f"[Open this notebook in Colab]({address})", id="colab-badge")


def bootstrap_cell() -> NotebookNode:
    """The cell that makes `utils` and `autograde` importable wherever the notebook runs."""
    return new_code_cell(BOOTSTRAP.format(repository=repository()), metadata={"tags": ["bootstrap"]}, id="bootstrap")
