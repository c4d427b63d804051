"""Build one lesson: read, check, write what is generated, or say what is out of date."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import nbformat

from autograde import layout
from autograde.authoring import executed, expected_values, manifest, notebooks, source, went_wrong
from autograde.authoring.measuring import program
from autograde.authoring.measuring.numbers import Numbers
from autograde.authoring.rules import every_lesson
from autograde.authoring.rules.alt_text import cells_with_silent_pictures
from autograde.authoring.strength.mutation import Bench
from autograde.checking import expected
from autograde.checking.answers import RESULT_MIME, digest
from autograde.checking.errors import UserError

PROBE = "the lesson's own answer raises an exception in the probe of {exercise}: no mistake in it can be called by name"


@dataclass(frozen=True)
class Built:
    """What a build wrote, and what the lesson still lacks."""

    lesson: str
    paths: list[Path]
    notes: list[str]


def build(name: str, execute: bool = True) -> Built:
    """Write the lesson's expected values, manifest and both notebooks; `execute` runs the instructor's from top to bottom.

    Raises:
        UserError: when a rule of `rules` is broken (all of them are told), or a figure has no alternative text.
    """
    every_lesson.check(source.read(layout.source_path(name)))
    bench = Bench(name)
    expected_values.write(bench)
    if not _is_recorded(bench):  # the last digits of another machine are no change
        layout.manifest_path(name).write_text(manifest.text(manifest.manifest(bench)), encoding="utf-8")
    instructor = notebooks.instructor_notebook(bench.source)
    notes = [*every_lesson.notes(bench.source), *(f"{name}: {PROBE.format(exercise=exercise)}" for exercise in bench.broken_probes())]
    notes += went_wrong.of_own_answers(bench)
    path = executed.notebook_path(name)
    known = nbformat.read(path, 4) if path.exists() else None
    if execute:
        instructor = notebooks.execute(instructor, layout.SOLUTIONS)
        if silent := cells_with_silent_pictures(instructor):
            raise UserError(
                f"lesson {name} shows a picture without alternative text (draw it with `plots.show(draw, alt=…)`), in the cell that begins {silent[0]!r}"
            )
        executed.stamp(instructor, bench.source, known)
        notes += went_wrong.notes(instructor, bench.source)
    elif known is not None:
        instructor = _with_known_outputs(instructor, known)
        executed.keep_stamps(instructor, known)
    written = {
        path: instructor,
        layout.NOTEBOOKS / f"{name}.ipynb": notebooks.student_notebook(bench.source),
    }
    for path, notebook in written.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(notebooks.text(notebook), encoding="utf-8")
    return Built(name, [layout.expected_path(name), layout.manifest_path(name), *written], notes)


def stale(name: str, bench: Bench | None = None) -> list[str]:
    """What no longer is what the source gives (outputs are not compared) or was not measured since, each a line for the author."""
    if wrong := every_lesson.complaints(bench.source if bench else source.read(layout.source_path(name))):
        return wrong
    bench = bench or Bench(name)
    student = notebooks.text(notebooks.student_notebook(bench.source))
    found = []
    if _text(layout.NOTEBOOKS / f"{name}.ipynb") != student:
        found.append(f"notebooks/{name}.ipynb")
    known = executed.notebook_path(name)
    fresh = notebooks.instructor_notebook(bench.source)
    if not known.exists() or notebooks.without_outputs(nbformat.read(known, 4)) != notebooks.without_outputs(fresh):
        found.append(f"solutions/{name}.ipynb")
    if not _is_recorded(bench):
        found.append(f"autograde/lessons/manifests/{name}.json")
    if not expected_values.agrees(expected.read(name), expected_values.record(bench)):
        found.append(f"autograde/lessons/expected/{name}.json")
    outdated = [f"{path} is not what solutions/{name}.py gives: run `python -m autograde build {name[:2]}`" for path in found]
    if run_before := executed.stale(name):
        outdated.append(run_before)
    return Numbers(name).stale() + outdated


def _is_recorded(bench: Bench) -> bool:
    recorded = _text(layout.manifest_path(bench.source.name))
    return bool(recorded) and manifest.agrees(json.loads(recorded), manifest.manifest(bench))


def _with_known_outputs(notebook: nbformat.NotebookNode, known: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Keep the outputs of cells that compute what they did, so that prose and layout can be edited without running the lesson."""
    cells = {program.says(cell.source): cell for cell in known.cells if cell.cell_type == "code"}
    moved = {}  # digest of an answer → the one that it has now
    for cell in notebook.cells:
        if cell.cell_type == "code" and (before := cells.get(program.says(cell.source))) is not None:
            cell.outputs, cell.execution_count = before.outputs, before.execution_count
            moved[digest(before.source)] = digest(cell.source)
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
    for said in (output.data[RESULT_MIME] for output in outputs if RESULT_MIME in output.get("data", {})):
        said["answer"] = moved.get(said.get("answer"), said.get("answer"))
    return notebook


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
