"""What a file is that someone handed in, by its content where names lie."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

from autograde.files import opened
from autograde.grader.ingest.formats import archive, markdown_file, other_notebooks
from autograde.grader.ingest.naming import copies, programs_folders


class Kind(StrEnum):
    """What can be done with a file."""

    NOTEBOOK = "notebook"
    SCRIPT = "script"  # or a text with code in it
    ARCHIVE = "archive"
    MODEL = "model"  # or another file that a lesson grades
    SYSTEM = "system"  # of an operating system or an editor: nobody wrote it
    OTHER = "other"


SYSTEM_NAMES = {"thumbs.db", "desktop.ini", "icon\r"}
SYSTEM_FOLDERS = programs_folders.FOLDERS
NOTEBOOK_FOLDER = re.compile(r"(?i)notebooks?|nbs?|ipynbs?")  # beside `src` in a project
PACKED_BUT_NO_ARCHIVE = (".docx", ".xlsx", ".pptx", ".odt", ".pt", ".pth", ".npz", ".whl", ".jar", ".pages", ".numbers")
UNREAD = {  # archives that are not read here
    ".rar": b"Rar!\x1a\x07", ".7z": b"7z\xbc\xaf\x27\x1c", ".gz": b"\x1f\x8b", ".bz2": b"BZh", ".xz": b"\xfd7zXZ\0", ".zst": b"\x28\xb5\x2f\xfd",
}  # fmt: skip
LINKS = (".webloc", ".url", ".desktop", ".gdoc", ".gsheet", ".lnk", ".alias")  # to a file that lies elsewhere
DEFINES = re.compile(rb"^(?:def|class) \w+[^\n]{0,200}[:(][^\S\n]*\r?$", re.MULTILINE)
MAX_LOOK = 2**21  # bytes
POINTERS = (*LINKS, ".icloud")


def holds_notebooks(place: tuple[str, ...]) -> bool:
    """Whether a folder is that of the notebooks in a project, whose scripts lie beside it."""
    return bool(place) and bool(NOTEBOOK_FOLDER.fullmatch(place[-1]))


def kind(path: Path, parts: tuple[str, ...], models: frozenset[str]) -> Kind:
    """The kind of the regular file `path`, which lies at `parts` in what was handed in; `models` are the graded files' names."""
    name = parts[-1].lower()
    if name.startswith("._") or name in SYSTEM_NAMES or set(parts[:-1]) & SYSTEM_FOLDERS:
        return Kind.SYSTEM
    if not path.is_file():  # a pipe would be waited for
        return Kind.NOTEBOOK if ".ipynb" in name else Kind.OTHER
    if model(name, models):
        return Kind.MODEL
    if not name.endswith(PACKED_BUT_NO_ARCHIVE) and archive.is_archive(path):
        return Kind.ARCHIVE
    if (
        ".ipynb" in name
        and not name.endswith((".html", ".pdf", *POINTERS))
        and not archive_name(path)
        or _holds_cells(path)
        or other_notebooks.is_called_so(name)
    ):
        return Kind.NOTEBOOK
    if name.startswith(".") and not name.endswith(POINTERS):
        return Kind.SYSTEM
    if (
        (is_script(name) or name.endswith(".txt") and _defines(path))
        and not (name.endswith(".html") and _begins(path, b"<"))
        or markdown_file.is_one(path)
    ):
        return Kind.SCRIPT
    return Kind.OTHER


def is_script(name: str) -> bool:
    """Whether a file's name is a script's, also as browsers and mail programs write it: `x.py.txt`, `x.py.html`."""
    return name.lower().endswith((".py", ".pyw", ".py3", ".py.txt", ".py.html"))


def ending(of: Kind, path: Path) -> str:
    """How a notebook's or a script's file is called in a course, by its kind and what it holds."""
    if of is not Kind.SCRIPT:
        return ".ipynb"
    return ".md" if markdown_file.is_one(path) else ".py"


def archive_name(path: Path) -> str:
    """The ending of an archive of a kind that is not read here, by its content; "" for anything else."""
    return next((ending for ending, magic in UNREAD.items() if _begins(path, magic)), "")


def model(name: str, models: frozenset[str]) -> str:
    """The graded file that `name` is a copy of, such as `gpt (1).safetensors`, also with a student's name before it; "" if none."""
    plain = copies.COPY.sub("", name.lower())
    return next((m for m in sorted(models, key=len, reverse=True) if plain == m or re.search(rf"[\W_]{re.escape(m)}$", plain)), "")


def _begins(path: Path, magic: bytes) -> bool:
    try:
        with opened(path) as stream:
            return stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(magic)
    except OSError:
        return False


def _defines(path: Path) -> bool:
    """Whether a text begins functions or classes at its margin, as a script does that somebody has called a text."""
    try:
        with opened(path) as stream:
            return bool(DEFINES.search(stream.read(MAX_LOOK)))
    except OSError:
        return False


def _holds_cells(path: Path) -> bool:
    """Whether a text is a notebook under another name: only its beginning and its end are read."""
    try:
        with opened(path) as stream:
            start = stream.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")
            if not start.startswith(b"{"):
                return False
            stream.seek(max(0, path.stat().st_size - 4096))
            ends = start + stream.read()
    except OSError:
        return False
    return any(word in ends for word in (b'"nbformat"', b'"NotebookV1"', b'"paragraphs"'))
