"""Find the submissions in what an instructor points at, where they lie in folders of the students' own."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from autograde.checking.errors import UserError
from autograde.grader.ingest import helpers
from autograde.grader.ingest.attempts import Chosen, choose
from autograde.grader.ingest.found import graded_files
from autograde.grader.ingest.found.findings import Handed, Survey
from autograde.grader.ingest.found.reasons import NO_FILE
from autograde.grader.ingest.naming.names import readable
from autograde.grader.ingest.survey import student_folder, survey
from autograde.grader.sandbox.bounded import reading

MOST = 5  # files that a reason names


@dataclass(frozen=True)
class Found:
    """A submission to grade; `path` is None for a student of whom nothing can be graded, and `notes` say what lies there instead."""

    student: str
    lesson: str
    path: Path | None
    notes: tuple[str, ...] = field(default=())


def find(paths: list[Path], lesson: str | None = None) -> list[Found]:
    """Every submission under `paths`, by student and lesson, each once.

    Raises:
        ValueError: when a path does not exist, or a folder holds no student's folder.
    """
    with tempfile.TemporaryDirectory(prefix="autograde-") as scratch, reading(Path(scratch)):
        return in_place(survey(paths, lesson, Path(scratch)), lesson, paths)


def in_place(surveyed: Survey, lesson: str | None, paths: list[Path]) -> list[Found]:
    """The submissions of a survey, where they lie."""
    chosen = {(c.student, c.lesson): c for c in choose(surveyed) if not lesson or c.lesson == lesson}
    if not surveyed.students:
        raise UserError(f"{', '.join(map(str, paths))}: there are no students' folders (<student>/<lesson>.ipynb) and no notebooks in it")
    lessons = {lesson} if lesson else {lesson for _, lesson in chosen}
    return [_found(s, name, chosen.get((s, name)), surveyed) for s in sorted(surveyed.students) for name in sorted(lessons)]


def _found(student: str, lesson: str, chosen: Chosen | None, surveyed: Survey) -> Found:
    if chosen:
        return _counts(student, chosen)
    return Found(student, lesson, None, seen(student, surveyed))


def _counts(student: str, chosen: Chosen) -> Found:
    path = chosen.handed.file.path
    return Found(
        student, chosen.lesson, path, (*chosen.notes, *helpers.told(path.parent, path.name), *graded_files.told(path.parent, chosen.lesson))
    )


def seen(student: str, surveyed: Survey) -> tuple[str, ...]:
    """What lies there of a student's instead of a submission: each file, and why it is none."""
    others = [f"{readable(h.file.shown)}: {_other(h)}" for h in surveyed.handed if h.student == student]
    left_out = [f"{readable(out.shown)}: {out.why}" for out in surveyed.left_out if out.student == student or _begins(out.shown, student)]
    return tuple([*others, *left_out][:MOST])


def _other(handed: Handed) -> str:
    if not handed.file.path.is_file():
        return NO_FILE
    return f"it is lesson {handed.lesson[:2]}" if handed.lesson else "a model without its notebook"


def _begins(shown: str, student: str) -> bool:
    """Whether a file that nobody could be asked for lies in the student's folder, also one of a section's folder."""
    return student in shown.split("/")[:3]


def in_folder(folder: Path, lesson: str) -> Found:
    """The submission of the one student whose files lie in `folder`."""
    with tempfile.TemporaryDirectory(prefix="autograde-") as scratch:
        found = student_folder(folder, lesson, Path(scratch))
        chosen = next((c for c in choose(found) if c.lesson == lesson and not c.handed.file.packed), None)
    if chosen:
        return _counts(folder.name, chosen)
    return Found(folder.name, lesson, None, seen(folder.name, found))
