"""Put a file of a student's among what was handed in, with its lesson, or among what is left out, with the reason."""

from __future__ import annotations

import contextlib
from dataclasses import replace

from autograde.grader.ingest.formats import archive
from autograde.grader.ingest.formats.kinds import Kind
from autograde.grader.ingest.found import reasons
from autograde.grader.ingest.found.findings import WORK, File, Handed, LeftOut, Survey
from autograde.grader.ingest.found.lesson_of import full_name, is_of, lesson_of, others_in
from autograde.grader.ingest.naming import listings, nobodys_names
from autograde.grader.ingest.naming.systems import Label
from autograde.grader.sandbox.bounded import TooMuch

TOO_MANY = "the other files of this student took all the time for looking into them: hand in fewer"
NOBODYS = "its name does not say whose it is: put it into a folder with the student's name"
OF_THE_COURSE = "in a folder that is called by solutions, beside folders of students: if it is a student's, rename it"


def add(file: File, kind: Kind, student: str, label: Label | None, lesson: str | None, models: frozenset[str], found: Survey) -> None:
    """Put one file of a `student`'s, "" where nobody can tell whose, among what was found; `models` are the names of graded files."""
    student = found.called(student)
    name = label.file if label and label.file else file.parts[-1]
    folder = next((part for part in reversed(file.parts[:-1]) if full_name(part)), file.parts[-2] if len(file.parts) > 1 else "")
    if kind is Kind.SYSTEM or name == listings.METADATA or name in ("timestamp.txt", "submission_secret.txt"):
        return
    which, trouble = (
        _lesson(file, kind, student, lesson, folder, name, found) if kind in (Kind.NOTEBOOK, Kind.SCRIPT) else ("", file.trouble)
    )
    if kind in WORK and (file.path.stat().st_size if file.path.is_file() else 0) > archive.MAX_MEMBER:
        found.left_out.append(LeftOut(file.shown, f"it has more than {archive.MAX_MEMBER // 2**20} MB", student, file, label))
    elif kind is Kind.MODEL:
        found.handed.append(Handed(file, student, "", kind, label, file.parts[:-1]))
    elif which and student:
        found.in_place = found.in_place and not label and len(file.parts) > 1 and not file.packed
        found.handed.append(Handed(file, student, which, kind, label, file.parts[:-1]))
        if lesson is None and kind is Kind.NOTEBOOK:
            found.also += [replace(found.handed[-1], lesson=other) for other in _others(file, student, which, found)]
    elif kind in (Kind.NOTEBOOK, Kind.SCRIPT) and not student:
        nobodys = OF_THE_COURSE if any(map(nobodys_names.is_model_answers, file.parts[:-1])) else NOBODYS
        found.left_out.append(LeftOut(file.shown, found.held.get(file.parts, nobodys)))
    else:
        found.left_out.append(LeftOut(file.shown, trouble or reasons.why(kind, file), student, file, label))
    found.students.add(student)


def _others(file: File, student: str, lesson: str, found: Survey) -> list[str]:
    """The other lessons in a notebook; as far as there is time to look."""
    with contextlib.suppress(TooMuch), found.looking(student) as look:
        return others_in(file.path, lesson) if look else []
    return []


def _lesson(file: File, kind: Kind, student: str, wanted: str | None, folder: str, name: str, found: Survey) -> tuple[str | None, str]:
    """The lesson, or why it cannot be told. So many files that they take more than a student's time are told by their names alone."""
    with found.looking(student) as look:
        try:
            which = lesson_of(file.path, wanted, folder, name, look)
            if look and which and kind is Kind.SCRIPT and not is_of(file.path, which, name):
                which = None
            return which, "" if look else TOO_MANY
        except TooMuch as error:
            return None, f"which lesson it is cannot be told: {error}"
