"""Put a file of a student's among what was handed in, with its lesson, or among what is left out, with the reason."""

from __future__ import annotations

import re
from pathlib import Path

from autograde.grader.ingest import archive, kinds, listings, whose
from autograde.grader.ingest.findings import WORK, File, Handed, LeftOut, Survey
from autograde.grader.ingest.kinds import Kind
from autograde.grader.ingest.lesson_of import full_name, is_of, lesson_of
from autograde.grader.ingest.systems import Label
from autograde.grader.sandbox.bounded import TooMuch

TOO_MANY = "the other files of this student took all the time for looking into them: hand in fewer"
NOBODYS = "its name does not say whose it is: put it into a folder with the student's name"
OF_THE_COURSE = "in a folder that is called by solutions, beside folders of students: if it is a student's, rename it"
LINKS = {".webloc", ".url", ".desktop", ".gdoc", ".gsheet"}
ADDRESS = re.compile(rb"\s*https?://\S+\s*|\s*\{[^{}]*\"url\"\s*:\s*\"https?://[^{}]*\}\s*")
SUGGESTIONS = {
    ".html": "a page, not a notebook: ask for the .ipynb file",
    ".pdf": "a PDF, not a notebook: ask for the .ipynb file",
    **dict.fromkeys((".mhtml", ".mht", ".webarchive"), "a page, not a notebook: ask for the .ipynb file"),
    ".docx": "a document, not a notebook: ask for the .ipynb file",
    **dict.fromkeys((".md", ".qmd", ".rmd"), "a text, not a notebook: ask for the .ipynb file"),
    **dict.fromkeys((".eml", ".emlx", ".msg", ".mbox"), "a mail: save the notebook that is attached to it"),
    ".icloud": "a placeholder of iCloud, whose file was never downloaded: ask for the .ipynb file",
    **dict.fromkeys(kinds.UNREAD, "an archive of a kind that is not read: ask for a .zip or the .ipynb file"),
}


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
    elif kind in (Kind.NOTEBOOK, Kind.SCRIPT) and not student:
        found.left_out.append(LeftOut(file.shown, OF_THE_COURSE if any(map(whose.MODEL_ANSWERS.fullmatch, file.parts[:-1])) else NOBODYS))
    else:
        found.left_out.append(LeftOut(file.shown, trouble or _why(kind, file), student, file, label))
    found.students.add(student)


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


def _why(kind: Kind, file: File) -> str:
    if kind is Kind.NOTEBOOK:
        return "a notebook of no lesson that can be told: name it with --lesson"
    if kind is Kind.SCRIPT:
        return "a script of no lesson; beside a notebook it comes along"
    if file.path.suffix.lower() in LINKS or _is_address(file.path):
        return "the address of a notebook, not the notebook: ask for the .ipynb file"
    if archived := kinds.archive_name(file.path):
        return SUGGESTIONS[archived]
    return SUGGESTIONS.get(file.path.suffix.lower(), "neither a notebook nor a script")


def _is_address(path: Path) -> bool:
    """Whether a small text holds nothing but a link, such as one to Colab."""
    try:
        return path.suffix.lower() in (".txt", ".json") and path.stat().st_size < 4096 and bool(ADDRESS.fullmatch(path.read_bytes()))
    except OSError:
        return False
