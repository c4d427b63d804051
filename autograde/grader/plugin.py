"""The grader inside stock nbgrader: preprocessors that the course's `nbgrader_config.py` names."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from autograde import layout
from autograde.checking.cells import grade_id
from autograde.checking.manifest import read_manifest
from autograde.grader.gradebook import exchange_files
from autograde.grader.gradebook.record import with_outputs
from autograde.grader.gradebook.rubrics import with_rubrics, without_rubrics
from autograde.grader.ingest.cells.matching import Submission, match
from autograde.grader.ingest.formats.notebook_file import RawCell, RawNotebook, pictures, python_of
from autograde.grader.run.submission import check_submission
from autograde.grader.sandbox.modes import Mode


class Repair(NbGraderPreprocessor):
    """Put a submission into the lesson's shape before nbgrader looks at it: one duplicated cell would end the whole class."""

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        return _matched(nb, resources["nbgrader"]["notebook"]).notebook, resources


class GradeInSandbox(NbGraderPreprocessor):
    """Takes the place of nbgrader's Execute: runs what defines in the sandbox, checks it from here, writes the scores as outputs."""

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        names = resources["nbgrader"]
        submission = _matched(nb, names["notebook"])
        folder = Path(resources["metadata"]["path"])
        submission, results = check_submission(
            names["notebook"], submission, folder, Mode(os.environ.get("AUTOGRADE_SANDBOX", Mode.REQUIRED))
        )
        exchange_files.keep(folder, folder)
        return with_rubrics(with_outputs(submission.notebook, results), names["notebook"]), resources


class HideRubrics(NbGraderPreprocessor):
    """Takes model answers and rubrics out before feedback is made."""

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        return without_rubrics(nb), resources


def _matched(nb: NotebookNode, lesson: str) -> Submission:
    exercises = [name for name, e in read_manifest(lesson)["exercises"].items() if not e["outcome"]]
    cells = [
        RawCell(
            c.cell_type,
            c.source,
            grade_id(c),
            tuple(c.metadata.get("tags", ())),
            c.get("id", ""),
            pictures(c.get("attachments")),
        )
        for c in nb.cells
    ]
    return match(
        RawNotebook(cells, python=python_of(nb.metadata)),
        nbformat.read(layout.NOTEBOOKS / f"{lesson}.ipynb", 4),
        exercises,
    )
