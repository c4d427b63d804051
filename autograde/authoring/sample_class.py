"""A sample class for lesson 03: a dozen kinds of submission, made from files in the repository, each with the score it must get."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograde import layout
from autograde.authoring import notebooks, source
from autograde.checking.cells import grade_id, noted

LESSON = "03_self_attention"


@dataclass(frozen=True)
class Sample:
    """One student: what they handed in, and the exercises in which they lose points, with what is left of them."""

    student: str
    about: str
    content: Callable[[NotebookNode], str | None]
    loses: dict[str, float]
    status: str = "graded"
    file: str = f"{LESSON}.ipynb"


def sample_class(folder: Path) -> list[Sample]:
    """Write the class as `<folder>/<student>/<lesson>.ipynb` and return it."""
    lesson = source.read(layout.source_path(LESSON))
    solved = solved_notebook(lesson)
    for sample in SAMPLES:
        home = folder / sample.student
        home.mkdir(parents=True, exist_ok=True)
        content = sample.content(copy.deepcopy(solved))
        if content is not None:
            (home / sample.file).write_text(content, encoding="utf-8")
    return SAMPLES


def expected_score(sample: Sample) -> float:
    """The points the sample must get."""
    points = {e.name: e.points for e in source.read(layout.source_path(LESSON)).exercises.values()}
    return round(sum(sample.loses.get(name, value) for name, value in points.items()), 2)


def solved_notebook(lesson: source.Source) -> NotebookNode:
    """The student's notebook with every answer written in."""
    notebook = notebooks.student_notebook(lesson)
    for cell in notebook.cells:
        name = grade_id(cell)
        if cell.cell_type == "code" and noted(cell).get("solution"):
            cell.source = _without_marks(lesson.answer(name))
    return notebook


def _without_marks(code: str) -> str:
    return "\n".join(line for line in code.splitlines() if line.strip() not in (source.BEGIN, source.END))


def _complete(notebook: NotebookNode) -> str:
    return nbformat.writes(notebook)


def _untouched(notebook: NotebookNode) -> str:
    return (layout.NOTEBOOKS / f"{LESSON}.ipynb").read_text(encoding="utf-8")


def _half_done(notebook: NotebookNode) -> str:
    """The first four answers; the rest as released."""
    released = nbformat.reads(_untouched(notebook), 4)
    unwritten = [c for c in released.cells if noted(c).get("solution") and c.cell_type == "code"][4:]
    for cell in unwritten:
        _cell(notebook, grade_id(cell)).source = cell.source
    return nbformat.writes(notebook)


def _with(name: str, code: str) -> Callable[[NotebookNode], str]:
    """The complete notebook, with another answer to `name`."""

    def content(notebook: NotebookNode) -> str:
        _cell(notebook, name).source = code
        return nbformat.writes(notebook)

    return content


def _stripped(notebook: NotebookNode) -> str:
    """As Colab and VS Code may leave it: no nbgrader metadata, no ids, no tags."""
    data = json.loads(nbformat.writes(notebook))
    for cell in data["cells"]:
        cell["metadata"] = {"id": "x" * 12}
        cell.pop("id", None)
    return json.dumps(data)


def _cell(notebook: NotebookNode, name: str) -> NotebookNode:
    return next(c for c in notebook.cells if grade_id(c) == name)


EXERCISES = (
    "query_key_value", "attention_scores", "causal_mask", "padding_mask", "scaled_dot_product_attention", "SelfAttention",
    "intra_attention_weights", "attention_backward",
)  # fmt: skip
NOTHING = dict.fromkeys(EXERCISES, 0.0)
UNSCALED = "def attention_scores(q, k):\n    return q @ k.transpose(-2, -1)\n"
STRICT_MASK = "def causal_mask(n, device=None):\n    return torch.ones(n, n, dtype=torch.bool, device=device).tril(-1)\n"
WRONG_AXIS = """\
def scaled_dot_product_attention(q, k, v, mask=None):
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -1e9)
    weights = scores.softmax(dim=-2)
    return weights @ v, weights
"""
UNUSUAL = '''\
def _row(query, keys):
    return torch.stack([(query * key).sum(-1) for key in keys.unbind(-2)], dim=-1)


def attention_scores(q, k):
    """Row by row, with the scale taken out of q first."""
    q = q * q.shape[-1] ** -0.5
    return torch.stack([_row(query, k) for query in q.unbind(-2)], dim=-2)
'''
SAMPLES = [
    Sample("ada", "complete", _complete, {}),
    Sample("ben", "untouched", _untouched, NOTHING),
    Sample("chloe", "half done", _half_done, {n: 0.0 for n in EXERCISES[4:]}),
    Sample("dev", "forgets to divide by √d_k", _with("attention_scores", UNSCALED), {"attention_scores": 0.52}),
    Sample("eva", "a causal mask without its diagonal", _with("causal_mask", STRICT_MASK), {"causal_mask": 0.0}),
    Sample("finn", "softmax over the queries", _with("scaled_dot_product_attention", WRONG_AXIS), {"scaled_dot_product_attention": 0.0}),
    Sample("gita", "right, in an unusual way", _with("attention_scores", UNUSUAL), {}),
    Sample("hugo", "a syntax error", _with("padding_mask", "def padding_mask(lengths, n)\n    return None\n"), {"padding_mask": 0.0}),
    Sample(
        "ines",
        "an endless loop",
        _with("causal_mask", "def causal_mask(n, device=None):\n    while True:\n        pass\n"),
        {"causal_mask": 0.0},
    ),
    Sample(
        "jun",
        "ends the process",
        _with("causal_mask", "import os\ndef causal_mask(n, device=None):\n    os._exit(0)\n"),
        {"causal_mask": 0.0},
    ),
    Sample("kofi", "metadata stripped", _stripped, {}),
    Sample("lena", "not a notebook", lambda _: "I will hand it in tomorrow, I promise.\n", NOTHING, "unreadable"),
    Sample("mo", "handed in nothing", lambda _: None, NOTHING, "missing"),
    Sample("nora", "renamed by a browser", _complete, {}, file=f"{LESSON} (1).ipynb"),
]
