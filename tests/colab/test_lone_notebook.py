"""A notebook alone in an empty folder, in an environment that has only what Colab ships: it fetches the course and works."""

import os
import shutil
import subprocess
import time
from importlib.metadata import distributions
from pathlib import Path

import nbformat
import pytest
import torch
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from packaging.requirements import Requirement

from autograde import layout
from autograde.authoring import source
from autograde.authoring.sample_class import solved_notebook
from tests.colab.bare import SHIPPED, Bare, plain, with_dependencies
from tests.colab.conftest import LESSON
from utils.setup import FILES_ONLY, NEEDED

SECONDS = 30
EXERCISES = ("query_key_value", "attention_scores", "causal_mask")


@pytest.fixture
def bare(tmp_path):
    return with_index(Bare(tmp_path / "bare"))


def with_index(bare):
    """The environment, where pip finds an index; the test is skipped elsewhere."""
    command = ["-m", "pip", "install", "--dry-run", "--no-deps", "--retries", "0", "--timeout", "10", "wadler-lindig"]
    done = subprocess.run([bare.python, *command], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"pip finds no index here: {done.stderr.strip().splitlines()[-1]}")
    return bare


@pytest.fixture
def notebook(published, tmp_path):
    """The released notebook with its first exercises solved, and nothing after their checks; in a folder of its own."""
    (tmp_path / "alone").mkdir()
    path = shutil.copy(published / "notebooks" / f"{LESSON}.ipynb", tmp_path / "alone")
    notebook = nbformat.read(path, 4)
    answers = {grade_id(cell): cell.source for cell in solved_notebook(source.read(layout.source_path(LESSON))).cells}
    for cell in notebook.cells:
        if grade_id(cell) in EXERCISES:
            cell.source = answers[grade_id(cell)]
    last = next(i for i, cell in enumerate(notebook.cells) if grade_id(cell) == f"check-{EXERCISES[-1]}")
    notebook.cells = notebook.cells[: last + 1]
    return notebook


def grade_id(cell):
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def files_of_torch():
    folder = Path(torch.__file__).parent
    found = ((path, path.stat()) for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {str(path): (state.st_size, state.st_mtime_ns) for path, state in found}


def run(notebook, python, folder):
    """Run the notebook by another Python's kernel; gives the seconds that its first cell of code took, the kernel's start left out."""
    specs = folder.parent / "kernels"
    (specs / "bare").mkdir(parents=True, exist_ok=True)
    argv = f'["{python}", "-m", "ipykernel_launcher", "-f", "{{connection_file}}"]'
    (specs / "bare" / "kernel.json").write_text(f'{{"argv": {argv}, "display_name": "Bare", "language": "python"}}')
    manager = AsyncKernelManager(kernel_name="bare", kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(specs)]))
    client = NotebookClient(notebook, km=manager, timeout=200, coalesce_streams=True, resources={"metadata": {"path": str(folder)}})
    env = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV", "JPY_SESSION_NAME", "MPLBACKEND")}
    seconds = {}
    with client.setup_kernel(env=env):
        for index, cell in enumerate(notebook.cells):
            began = time.monotonic()
            client.execute_cell(cell, index)
            seconds[cell.id] = time.monotonic() - began
    return seconds["bootstrap"]


def printed(cell):
    return "".join(output.get("text", "") for output in cell.outputs)


@pytest.mark.soak
def test_the_first_cell_and_some_exercises(notebook, bare, published, tmp_path):
    before, folder = files_of_torch(), tmp_path / "alone"
    seconds = run(notebook, bare.python, folder)
    first = next(cell for cell in notebook.cells if cell.id == "bootstrap")
    assert published.as_uri() in first.source
    assert printed(first).startswith("Installing ") and f"Ready: PyTorch {torch.__version__} on " in printed(first)
    checks = [cell for cell in notebook.cells if grade_id(cell).startswith("check-")]
    scores = [float(output.data["text/plain"]) for cell in checks for output in cell.outputs if output.output_type == "execute_result"]
    assert scores == [cell.metadata.nbgrader.points for cell in checks] and len(scores) == len(EXERCISES)
    assert (
        sorted(path.name for path in folder.iterdir()) == [f"{LESSON}.ipynb", "course"] and not (folder / "course" / "solutions").exists()
    )
    assert files_of_torch() == before
    only_what_was_missing(bare)
    assert seconds < SECONDS or again(bare, notebook, tmp_path) < SECONDS
    notebook.cells = [first]
    assert run(notebook, bare.python, folder) < SECONDS / 3 and printed(first).startswith("Ready: ")


def only_what_was_missing(bare):
    """Nothing that was there is there anew, and what is new was asked for, or is needed by what was."""
    shipped, new = with_dependencies(*SHIPPED), bare.new_packages()
    assert not new & shipped
    asked = {plain(Requirement(NEEDED[module]).name) for module in NEEDED} - shipped
    whole = [d for d in distributions(path=[str(bare.installed)]) if d.name.replace("-", "_") not in FILES_ONLY]
    needed = {plain(Requirement(line).name) for package in whole for line in package.requires or []}
    assert asked <= new <= asked | needed


def again(bare, notebook, tmp_path):
    """The seconds in a fresh environment: another program may have kept this machine busy."""
    fresh = Bare(tmp_path / "fresh")
    (tmp_path / "fresh" / "alone").mkdir()
    notebook.cells = [cell for cell in notebook.cells if cell.id == "bootstrap"]
    return run(notebook, fresh.python, tmp_path / "fresh" / "alone")
