"""Record results in nbgrader's gradebook with nbgrader's own code; only this process writes it."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import AssignLatePenalties, SaveAutoGrades

from autograde.grader.course import database, open_gradebook
from autograde.grader.journal import write
from autograde.grader.pipeline import Graded
from autograde.grading import Result
from autograde.report import Report


def record(graded: Graded, folder: Path, digest: str) -> None:
    """Save scores and the graded notebook under `folder`; a manual grade or comment stays as it is.

    `digest` marks what was recorded, so that an unchanged result is not written twice.
    """
    if graded.status == "missing":
        return
    path = folder / "autograded" / graded.student / graded.lesson / f"{graded.lesson}.ipynb"
    mark = path.with_name(".recorded")
    if path.exists() and mark.exists() and mark.read_text() == digest:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nbgrader's own way with its database makes SQLAlchemy warn
        _save(graded, folder, path)
    write(mark, digest.encode())


def _save(graded: Graded, folder: Path, path: Path) -> None:
    notebook = with_outputs(nbformat.reads(graded.notebook, 4), graded.results)
    with open_gradebook(folder) as gradebook:
        gradebook.update_or_create_student(graded.student)
        gradebook.update_or_create_submission(graded.lesson, graded.student, timestamp=_handed_in(folder, graded))
    names = {"student": graded.student, "assignment": graded.lesson, "notebook": graded.lesson, "db_url": database(folder)}
    for preprocessor in (SaveAutoGrades(), AssignLatePenalties()):
        notebook, _ = preprocessor.preprocess(notebook, {"nbgrader": names, "unique_key": graded.lesson})
    write(path, (nbformat.writes(notebook) + "\n").encode())


def with_outputs(notebook: NotebookNode, results: list[Result]) -> NotebookNode:
    """The check cells with what nbgrader reads (a plain number) and what people read (the report)."""
    by_name = {f"check-{r.exercise}": r for r in results}
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.outputs, cell.execution_count = [], None
        result = by_name.get(cell.metadata.get("nbgrader", {}).get("grade_id", ""))
        if result is not None:
            report = Report(result)
            shown = new_output("display_data", {"text/plain": str(report), "text/html": report._repr_html_()})
            cell.outputs = [shown, new_output("execute_result", {"text/plain": repr(float(result.score))}, execution_count=1)]
            cell.execution_count = 1
    return notebook


def _handed_in(folder: Path, graded: Graded) -> datetime | None:
    """nbgrader's own time stamp of a collected submission, if there is one."""
    stamp = folder / "submitted" / graded.student / graded.lesson / "timestamp.txt"
    try:
        return datetime.fromisoformat(stamp.read_text().strip().replace(" UTC", "+00:00")).astimezone(UTC).replace(tzinfo=None)
    except (OSError, ValueError):
        return None
