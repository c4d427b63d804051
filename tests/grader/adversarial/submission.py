"""A hostile submission: three honest answers of lesson 03, and an attack where a fourth should be."""

from __future__ import annotations

import copy
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograde import layout
from autograde.authoring import source
from autograde.authoring.sample_class import LESSON, solved_notebook

HONEST = {"query_key_value": 2.0, "causal_mask": 1.5, "padding_mask": 1.5}
TARGET = "attention_scores"
TARGET_POINTS = 3.0
# A theft that works would earn the points: the attacks below know the answer only when `stolen` holds something.
PREFACE = """\
import builtins, gc, glob, os, pathlib, signal, sys, threading, time
stolen = []
def shape_of(q, k): return (*q.shape[:-1], k.shape[-2])
def wrong(q, k): return torch.zeros(shape_of(q, k))
def right(q, k): return torch.einsum("...id,...jd->...ij", q, k) * q.shape[-1] ** -0.5
def attention_scores(q, k): return right(q, k) if stolen else wrong(q, k)
"""


@dataclass(frozen=True)
class Attack:
    """What is handed in, and exactly what it must earn.

    `code` is the cell of the target exercise, after PREFACE; `edit` changes the notebook (or returns other bytes) afterwards.
    `earns` names the exercises whose points are not those of three honest answers and a failed fourth. In another `lesson` than 03 the
    target is all that is answered, without PREFACE.
    """

    name: str
    about: str
    code: str = ""
    edit: Callable[[NotebookNode], NotebookNode | str | bytes | None] | None = None
    earns: dict[str, float] = field(default_factory=dict)
    status: str | None = "failed"  # of the target exercise
    says: str = ""  # what its message must hold
    file: str = f"{LESSON}.ipynb"
    beside: Callable[[Path], None] | None = None  # puts what else is handed in into the student's folder
    lesson: str = LESSON
    target: str = TARGET
    outcome: str = "graded"  # of the submission; one that is not graded earns nothing, and `says` is in its reason

    @property
    def points(self) -> dict[str, float]:
        """Exercise → points, of every exercise that earns any."""
        if self.outcome != "graded":
            return {}
        honest = HONEST if self.lesson == LESSON else {}
        return {name: points for name, points in {**honest, **self.earns}.items() if points}

    def content(self) -> bytes:
        """The file that is handed in."""
        notebook = copy.deepcopy(_base(self.lesson))
        answer(notebook, self.target).source = PREFACE * (self.lesson == LESSON) + textwrap.dedent(self.code)
        edited = self.edit(notebook) if self.edit else None
        edited = notebook if edited is None else edited
        text = nbformat.writes(edited) if isinstance(edited, NotebookNode) else edited
        return text if isinstance(text, bytes) else text.encode()


def answer(notebook: NotebookNode, grade_id: str) -> NotebookNode:
    """The cell of an exercise (or, as `check-<exercise>`, of its check)."""
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


def honest() -> bytes:
    """The three honest answers and the right fourth."""
    return Attack("honest", "", "stolen.append('knowledge')").content()


@cache
def _base(lesson: str) -> NotebookNode:
    """The notebook that students get; in lesson 03 with the honest answers."""
    released = nbformat.read(layout.NOTEBOOKS / f"{lesson}.ipynb", 4)
    if lesson != LESSON:
        return released
    solved = solved_notebook(source.read(layout.source_path(LESSON)))
    for name in HONEST:
        answer(released, name).source = answer(solved, name).source
    return released
