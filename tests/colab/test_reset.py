"""Colab resets a runtime when it likes: its disk is gone, what was saved to a mounted folder is there, and a training goes on from it."""

import json
import os
import shutil
import signal
import subprocess
import sys

import nbformat
import pytest

from autograde import layout
from autograde.authoring import source
from autograde.authoring.sample_class import solved_notebook

RESET_AT, NEVER = 33, 1001  # between two checkpoints; beyond the last step. Both are odd, which seeds the masks alike; 0 does not
OWN_CELL = """
def small_run():
    import json, os, signal
    steps = []

    def step(*arguments):
        steps.append(1)
        if len(steps) == int(os.environ["RESET_AT"]):
            os.kill(os.getpid(), signal.SIGKILL)
        return train_step(*arguments)

    ids = torch.randint(17, (500,), generator=torch.Generator().manual_seed(1))
    plan = Plan(60, 4, 8, 1e-2, eval_every=5, eval_batches=1)
    model = build_gpt(GPTConfig(17, 8, 1, 2, 16, dropout=0.1))
    torch.manual_seed(int(os.environ["RESET_AT"]) % 2)  # of the dropout masks; a checkpoint brings its own back
    history = train(model, ids, ids, plan, Pieces(get_batch, parameter_groups, learning_rate, step), checkpoint=os.environ["KEPT"], live=False)
    print(json.dumps([len(steps), history.losses]))
"""


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """Lesson 07, solved, with a cell of one's own; it lies in the mounted folder."""
    path = tmp_path_factory.mktemp("drive") / "07_gpt.ipynb"
    solved = solved_notebook(source.read(layout.source_path("07_gpt")))
    solved.cells.append(nbformat.v4.new_code_cell(OWN_CELL))
    nbformat.write(solved, path)
    return path


def runtime(folder, notebook, kept, reset_at):
    """A new machine with an empty disk and the notebook; gives the run's result, or None where it was reset."""
    folder.mkdir()
    shutil.copy(notebook, folder)
    env = {**os.environ, "PYTHONPATH": str(layout.ROOT), "KEPT": str(kept), "RESET_AT": str(reset_at)}
    command = [sys.executable, "-m", "utils.run_notebook", notebook.name, "small_run"]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=600)
    shutil.rmtree(folder)
    if done.returncode == -signal.SIGKILL:
        return None
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.mark.slow
def test_a_training_goes_on_after_the_runtime_was_reset(notebook, tmp_path):
    kept = notebook.parent / "gpt.ckpt"
    assert runtime(tmp_path / "first", notebook, kept, RESET_AT) is None and kept.exists()
    steps, losses = runtime(tmp_path / "second", notebook, kept, reset_at=0)
    assert steps == 60 - 30, "it goes on from the last checkpoint, of step 30"
    whole, expected = runtime(tmp_path / "third", notebook, tmp_path / "elsewhere.ckpt", reset_at=NEVER)
    assert whole == 60 and losses == expected, "as if there had been no reset"
