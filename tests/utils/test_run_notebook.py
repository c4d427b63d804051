"""What a notebook defines can be run outside it, also by torchrun."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from utils.run_notebook import definitions

ROOT = Path(__file__).resolve().parents[2]
GO = """
import torch.distributed as dist
from utils.training import pick_device, process_group

def go():
    with process_group(pick_device()) as (rank, world):
        total = torch.tensor(rank + 1.0)
        if world > 1:
            dist.all_reduce(total)
        print(f"[{rank} of {world}: {total.item():g}]")
"""


@pytest.fixture
def notebook(tmp_path):
    cells = [
        new_markdown_cell("# A lesson"),
        new_code_cell("raise RuntimeError('the bootstrap cell')", metadata={"tags": ["bootstrap"]}),
        new_code_cell("import torch"),
        new_code_cell("def double(x: int) -> int:\n    return 2 * x", metadata={"nbgrader": {"grade_id": "double"}}),
        new_code_cell("raise RuntimeError('a check')", metadata={"nbgrader": {"grade_id": "check-double"}}),
        new_code_cell("raise RuntimeError('an experiment')", metadata={"tags": ["experiment"]}),
        new_code_cell(GO),
    ]
    path = tmp_path / "lesson.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    return path


def test_only_what_defines_is_run(notebook):
    names = definitions(notebook)
    assert names["double"](21) == 42
    assert names["double"].__annotations__ == {"x": int, "return": int}, "annotations are evaluated, as in a kernel"


def test_lesson_07_can_be_run_this_way():
    names = definitions(ROOT / "notebooks" / "07_gpt.ipynb")
    assert {"GPT", "settings", "train_gpt", "distributed_run"} <= set(names)


@pytest.mark.soak
def test_torchrun_starts_two_processes(notebook):
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node=2",
        "-m",
        "utils.run_notebook",
        str(notebook),
        "go",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "[0 of 2: 3]" in done.stdout and "[1 of 2: 3]" in done.stdout
