"""The lessons in an environment made of Colab's published list: another Python, PyTorch, NumPy and IPython than the course's own.

Such an environment takes gigabytes, so that it is made by hand (`published.txt` says how) and named by COURSE_COLAB_PYTHON. What pip has to fetch
is the course's own business, from whatever index or local address pip is set up for.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from autograde import layout
from autograde.authoring import source
from autograde.authoring.sample_class import solved_notebook
from tests import shared
from tests.colab.test_lone_notebook import grade_id, printed, run
from utils import setup

LIST = Path(__file__).with_name("published.txt")
PYTHON = os.environ.get("COURSE_COLAB_PYTHON")
PINNED = dict(re.findall(r"^([\w-]+)==(\S+)$", LIST.read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("package", ["torch", "numpy"])
def test_what_colab_ships_and_the_course_never_replaces_is_in_the_list(package):
    assert package in PINNED and setup.KEPT.match(package)


@pytest.mark.slow
def test_every_check_gives_full_points_by_this_python(tmp_path_factory, tmp_path):
    """What the rehearsal below does, for the shortest lesson: it is made by hand, and must still work on that day."""
    assert missed_by(sys.executable, "03_self_attention", torch.__version__, tmp_path_factory, tmp_path) == set()


@pytest.mark.soak
@pytest.mark.skipif(not PYTHON, reason="COURSE_COLAB_PYTHON names no environment; published.txt says how to make one")
@pytest.mark.parametrize("name", layout.lesson_names())
def test_every_check_gives_full_points(name, tmp_path_factory, tmp_path):
    """By Colab's Python; the trained model is an experiment's, which is left out."""
    versions = subprocess.run([PYTHON, "-m", "pip", "list", "--format", "freeze"], capture_output=True, text=True, check=True).stdout
    assert all(f"{package}=={PINNED[package]}" in versions for package in ("torch", "numpy", "ipython"))
    missed = missed_by(PYTHON, name, PINNED["torch"], tmp_path_factory, tmp_path)
    assert missed == ({"check-trained_gpt"} if name == "07_gpt" else set())


def missed_by(python, name, torch_version, tmp_path_factory, tmp_path):
    """The checks without full points, after the first cell and what the lesson defines, in a folder that holds the course alone."""
    folder = tmp_path / "content"
    shutil.copytree(shared.released_course(tmp_path_factory), folder / "course")  # Python leaves what it compiles there
    notebook = solved_notebook(source.read(layout.source_path(name)))
    notebook.cells = [cell for cell in notebook.cells if not {"figure", "experiment"} & set(cell.metadata.get("tags", []))]
    run(notebook, python, folder)
    assert f"Ready: PyTorch {torch_version}" in "".join(printed(cell) for cell in notebook.cells[:3] if cell.cell_type == "code")
    worth = {grade_id(cell): cell.metadata.nbgrader.get("points") for cell in notebook.cells if grade_id(cell).startswith("check-")}
    scores = {grade_id(cell): output.data["text/plain"] for cell in notebook.cells if grade_id(cell) in worth for output in results(cell)}
    return {check for check, points in worth.items() if points and float(scores.get(check, 0)) != points}


def results(cell):
    return [output for output in cell.outputs if output.output_type == "execute_result"]
