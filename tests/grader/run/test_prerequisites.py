"""An earlier mistake costs its points once, whether an answer calls the other one or its checks do, to have something to call it with."""

import copy

import nbformat
import pytest

from autograde import layout
from autograde.authoring import source
from autograde.authoring.sample_class import solved_notebook
from autograde.checking.answers import used
from autograde.grader.ingest.discovery import Found
from autograde.grader.run.submission import grade
from autograde.notebook import open_lesson

HAS_NO_FORWARD = "class {name}(torch.nn.Module):\n    def __init__(self, *args, **kwargs):\n        super().__init__()\n"
CASES = {  # an exercise, and those whose checks make one of it
    ("04_multi_head_attention", "MultiHeadAttention"): {"load_torch_weights"},
    ("07_gpt", "GPT"): {"initialize", "parameter_groups", "generate", "train_step", "generate_cached"},
}


@pytest.mark.slow
@pytest.mark.parametrize(("lesson", "wrong"), CASES)
def test_a_wrong_class_costs_what_is_checked_with_it_nothing(tmp_path, lesson, wrong):
    """About 20 s of processor time for lesson 07."""
    notebook = copy.deepcopy(solved_notebook(source.read(layout.source_path(lesson))))
    cell = next(c for c in notebook.cells if c.cell_type == "code" and c.metadata.get("nbgrader", {}).get("grade_id") == wrong)
    cell.source = HAS_NO_FORWARD.format(name=wrong)
    nbformat.write(notebook, tmp_path / f"{lesson}.ipynb")
    results = {r.exercise: r for r in grade(Found("ann", lesson, tmp_path / f"{lesson}.ipynb"), "auto").results}
    assert {name for name, r in results.items() if r.score < r.points} - {"trained_gpt"} == {wrong}
    assert all(f"a right answer to `{wrong}`" in results[name].diagnosis for name in CASES[lesson, wrong] if results[name].diagnosis)
    assert any(results[name].diagnosis for name in CASES[lesson, wrong])


def test_at_home_an_answer_waits_for_what_its_checks_make():
    names = {"__name__": "notebook", "In": [""]}
    for code in (
        "import torch",
        HAS_NO_FORWARD.format(name="MultiHeadAttention"),
        "def load_torch_weights(module, theirs):\n    module.x = 1",
    ):
        names["In"].append(code)
        exec(code, names)
    assert open_lesson("04_multi_head_attention", names).check("load_torch_weights").result.waits_for == ["MultiHeadAttention"]


def test_what_checks_ask_for_builds_on_others():
    answers = {"GPT": "class GPT:\n    part = Block", "Block": "class Block: ...", "initialize": "def initialize(model): ..."}
    assert used("initialize", answers, ["Block", "GPT", "other"]) == set()
    assert used("initialize", answers, ["Block", "GPT", "other"], ["GPT", "initialize", "helper"]) == {"GPT", "Block"}
