"""The lessons in an environment made of Colab's published list: another Python, PyTorch, NumPy and IPython than the course's own.

Such an environment takes gigabytes, so that it is made by hand (`published.txt` says how) and named by COURSE_COLAB_PYTHON. What pip has to fetch
is the course's own business, from whatever index or local address pip is set up for.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

from autograde import layout
from autograde.authoring import source
from autograde.authoring.sample_class import solved_notebook
from tests.colab.test_lone_notebook import grade_id, printed, run
from utils import setup

LIST = Path(__file__).with_name("published.txt")
PYTHON = os.environ.get("COURSE_COLAB_PYTHON")
PINNED = dict(re.findall(r"^([\w-]+)==(\S+)$", LIST.read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("package", ["torch", "numpy"])
def test_what_colab_ships_and_the_course_never_replaces_is_in_the_list(package):
    assert package in PINNED and setup.KEPT.match(package)


@pytest.mark.soak
@pytest.mark.skipif(not PYTHON, reason="COURSE_COLAB_PYTHON names no environment; published.txt says how to make one")
@pytest.mark.parametrize("name", layout.lesson_names())
def test_every_check_gives_full_points(name, tmp_path_factory, tmp_path):
    """The first cell, what the lesson defines, and every check, by Colab's Python in a folder that holds the course alone."""
    versions = subprocess.run([PYTHON, "-m", "pip", "list", "--format", "freeze"], capture_output=True, text=True, check=True).stdout
    assert (
        f"torch=={PINNED['torch']}" in versions and f"numpy=={PINNED['numpy']}" in versions and f"ipython=={PINNED['ipython']}" in versions
    )
    folder = tmp_path / "content"
    folder.mkdir()
    (folder / "course").symlink_to(released(tmp_path_factory))
    notebook = solved_notebook(source.read(layout.source_path(name)))
    notebook.cells = [cell for cell in notebook.cells if not {"figure", "experiment"} & set(cell.metadata.get("tags", []))]
    run(notebook, PYTHON, folder)
    assert f"Ready: PyTorch {PINNED['torch']}" in "".join(printed(cell) for cell in notebook.cells[:3] if cell.cell_type == "code")
    checks = [cell for cell in notebook.cells if grade_id(cell).startswith("check-") and cell.metadata.nbgrader.points]
    scores = {
        grade_id(cell): float(output.data["text/plain"])
        for cell in checks
        for output in cell.outputs
        if output.output_type == "execute_result"
    }
    missed = {grade_id(cell) for cell in checks if scores.get(grade_id(cell)) != cell.metadata.nbgrader.points}
    assert missed == ({"check-trained_gpt"} if name == "07_gpt" else set()), "the trained model is an experiment's, which is left out"


def released(tmp_path_factory):
    """What students get."""
    from autograde.authoring.release import release

    folder = tmp_path_factory.getbasetemp() / "released"
    if not folder.exists():
        release(folder)
    return folder
