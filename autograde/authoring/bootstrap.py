"""The first two cells of every notebook: the Colab badge, and code that finds or fetches the course."""

from __future__ import annotations

import base64
import re
import tomllib
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograde.layout import ROOT

BADGE = Path(__file__).with_name("colab.png")  # our own drawing, so that no notebook asks the network for a picture
GITHUB = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+?)(\.git)?/?")

# The first line is what is seen of the cell while it is folded, in Colab as the title of a form. Imports stay inside the functions:
# the grader does not run this cell, so an answer must not come to rely on them.
BOOTSTRAP = '''\
# @title Run this cell first: it gets the course ready and says which device you have
# It finds the course or fetches it, and installs only what is missing, never torch.
def find_course(address="REPOSITORY"):
    """Make the course importable: the one around this notebook, the installed one, or one fetched into the folder `course`."""
    import importlib.util, os, sys
    from pathlib import Path

    def is_whole(folder):
        return (folder / "utils" / "setup.py").exists() and (folder / "autograde" / "notebook.py").exists()

    here, installed = Path.cwd(), importlib.util.find_spec("autograde")
    # VS Code and JupyterLab say where the notebook lies; its kernel may run elsewhere
    notebook = Path(globals().get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME") or "notebook").absolute()
    places = [place for start in (here, notebook.parent) for place in (start, *start.parents, start / "course")]
    places += [Path(installed.origin).parents[1]] if installed and installed.origin else []
    course = next(filter(is_whole, places), here / "course")
    problem = None if is_whole(course) else fetch_course(address, course)
    if problem and not is_whole(course):  # another notebook may have fetched it meanwhile
        raise RuntimeError(f"{problem}. Then run this cell again.")
    sys.path.insert(0, str(course))


def fetch_course(address, course):
    """Download the course, whole or not at all; what went wrong and what to do about it, if something did."""
    import os, shutil, subprocess, tempfile

    if course.exists():
        return f"{course} is not the whole course (an interrupted download?): delete or rename it"
    if not shutil.which("git"):
        return f"git, which fetches the course, is not installed: install it, or download the course from {address} and move this notebook into it"
    try:
        with tempfile.TemporaryDirectory(dir=course.parent, prefix=".course-") as part:
            command = ["git", "clone", "--quiet", "--depth", "1", address, f"{part}/course"]
            env = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}  # a private repository must not wait for a password
            git = subprocess.run(command, env=env, capture_output=True, text=True, timeout=180)
            if os.path.exists(f"{part}/course/utils/setup.py"):
                return os.rename(f"{part}/course", course)
    except subprocess.TimeoutExpired:
        return f"Fetching the course from {address} takes too long: look at your network"
    except OSError as error:
        return f"{course.parent} cannot be written to ({error.strerror}): move this notebook to a folder of your own"
    if any(sign in git.stderr.lower() for sign in ("resolve", "connect", "timed out", "unreachable")):
        return f"{address} cannot be reached: look at your network"
    said = git.stderr.strip().splitlines()[-1:] or ["what it fetched is not the course"]
    return f"The course could not be fetched from {address} ({said[0]}): ask your instructor whether it is public, and still there"


find_course()
from utils.setup import get_ready

get_ready()'''


DEFAULT = "https://github.com/attention-course/attention-course.git"  # this course's own, which has the answers


def repository() -> str:
    """The address students fetch the course from: one setting, in pyproject.toml."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return settings["tool"]["course"]["repository"]


def badge_cell(lesson: str, address: str = "") -> NotebookNode:
    """A badge that opens the student's notebook in Colab; words where pictures are not shown, or where Colab cannot open the repository."""
    found = GITHUB.fullmatch(address or repository())
    if not found:
        words = "In Colab: *File*, *Upload notebook*, and choose this file. Its first cell fetches the course."
        return new_markdown_cell(words, id="colab-badge")
    page = f"https://colab.research.google.com/github/{found[1]}/blob/main/notebooks/{lesson}.ipynb"
    # PNG: Markdown in VS Code takes no SVG from a data address
    picture = base64.b64encode(BADGE.read_bytes()).decode()
    return new_markdown_cell(f"[![Open in Colab](data:image/png;base64,{picture})]({page})", id="colab-badge")


def bootstrap_cell(address: str = "") -> NotebookNode:
    """The cell that makes `utils` and `autograde` importable wherever the notebook runs; it fetches them from `address`, else the setting's."""
    folded = {"cellView": "form", "jupyter": {"source_hidden": True}}  # in Colab and in JupyterLab
    return new_code_cell(
        BOOTSTRAP.replace("REPOSITORY", address or repository()), metadata={"tags": ["bootstrap"], **folded}, id="bootstrap"
    )
