"""Find the submissions in what an instructor points at: a course directory, a folder of students, or single files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from autograde import layout
from autograde.checking.errors import UserError

SUFFIXES = (".ipynb", ".py")
IGNORED = {"__MACOSX", "__pycache__", "autograde", "graded"}
MAX_NAME = 200  # bytes: a folder's name is at most 255 on any system, and spelling out strange characters makes it longer


@dataclass(frozen=True)
class Found:
    """A submission to grade; `path` is None for a student who handed in nothing."""

    student: str
    lesson: str
    path: Path | None
    notes: tuple[str, ...] = field(default=())


def is_course(path: Path) -> bool:
    """Whether a folder is an nbgrader course directory."""
    return (path / "nbgrader_config.py").exists() or (path / "submitted").is_dir()


def find(paths: list[Path], lesson: str | None = None) -> list[Found]:
    """Every submission under `paths`, by student and lesson, each once.

    Raises:
        UserError: when a path does not exist, or a single file belongs to no lesson.
    """
    files: list[tuple[str, Path]] = []
    students: set[str] = set()
    for path in paths:
        if not path.exists():
            raise UserError(f"there is no file or folder {path}")
        if path.is_dir():
            folders = _student_folders(path / "submitted" if is_course(path) and (path / "submitted").is_dir() else path)
            for folder, student in _names(folders).items():
                students.add(student)
                files += [(student, file) for file in _files(folder)]
        else:
            student = path.stem if lesson and not _lesson_in_name(path.name) else path.resolve().parent.name
            students.add(_readable(student))
            files.append((_readable(student), path))
    return _pair(students, files, lesson)


def in_folder(folder: Path, lesson: str) -> Found:
    """The submission of the one student whose files lie in `folder`."""
    candidates = [path for path in _files(folder) if _lesson_of(path, lesson) == lesson]
    return Found(folder.name, lesson, _best(candidates, lesson), _notes(candidates, lesson))


def _names(folders: Iterable[Path]) -> dict[Path, str]:
    """What each student is called: as their folder, and no two the same where that had to be changed, in a table for spreadsheets either."""
    found: dict[Path, str] = {}
    taken: set[str] = set()
    for folder in folders:
        name, count = _readable(folder.name), 1
        while (unique := f"{name} ({count})" if count > 1 else name).lstrip("'") in taken:
            count += 1
        taken.add(unique.lstrip("'"))
        found[folder] = unique
    return found


def _readable(name: str) -> str:
    """A name that can be written anywhere, also on a terminal: strange characters spelled out, one blank between words, not too long."""
    words = " ".join(name.encode("utf-8", "backslashreplace").decode().split())
    plain = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in words)
    if len(plain.encode()) <= MAX_NAME:
        return plain
    return plain.encode()[: MAX_NAME - 20].decode(errors="ignore") + "-" + hashlib.sha256(plain.encode()).hexdigest()[:16]


def _student_folders(root: Path) -> list[Path]:
    folders = [p for p in sorted(root.iterdir()) if p.is_dir() and not p.name.startswith(".") and p.name not in IGNORED]
    if not folders:
        raise UserError(f"{root} holds no student folders (<student>/<lesson>.ipynb)")
    return folders


def _files(folder: Path) -> list[Path]:
    """Notebooks and scripts of one student: in the folder, and one level down as nbgrader has them; links to others' folders are none."""
    if folder.is_symlink():
        return []
    levels = [p for pattern in ("*", "*/*") for p in folder.glob(pattern) if p.parent == folder or not p.parent.is_symlink()]
    visible = [p for p in levels if p.suffix in SUFFIXES and not any(part.startswith(".") for part in p.relative_to(folder).parts)]
    return sorted(p for p in visible if not any(part in IGNORED for part in p.parent.relative_to(folder).parts))


def _pair(students: set[str], files: list[tuple[str, Path]], wanted: str | None) -> list[Found]:
    by_key: dict[tuple[str, str], list[Path]] = {}
    for student, path in files:
        lesson = _lesson_of(path, wanted)
        if lesson and (wanted is None or lesson == wanted):
            by_key.setdefault((student, lesson), []).append(path)
    lessons = {wanted} if wanted else {lesson for _, lesson in by_key}
    found = []
    for student in sorted(students):
        for lesson in sorted(lessons):
            candidates = by_key.get((student, lesson), [])
            found.append(Found(student, lesson, _best(candidates, lesson), _notes(candidates, lesson)))
    return found


def _lesson_of(path: Path, wanted: str | None) -> str | None:
    """A file's lesson: by its name, its folder's name, the lesson asked for, or what it defines."""
    named = _lesson_in_name(path.name) or _lesson_in_name(path.parent.name)
    return named or wanted or (_lesson_by_content(path) if path.suffix == ".ipynb" else None)


def _lesson_in_name(name: str) -> str | None:
    """The lesson whose name a file carries, also as 'Copy of 03_self_attention (1).ipynb' or '03.ipynb'."""
    plain = re.sub(r"[\s-]+", "_", name.lower())
    for lesson in layout.lesson_names():
        if lesson in plain or re.fullmatch(rf"{lesson[:2]}\.(ipynb|py)", plain) or lesson[3:] in plain:
            return lesson
    return None


def _lesson_by_content(path: Path) -> str | None:
    """The lesson most of whose exercises the file mentions, for notebooks that were renamed."""
    from autograde.checking.lesson import read_manifest

    try:
        readable = path.is_file() and not path.is_symlink() and path.stat().st_size < 20 * 2**20  # a pipe would be waited for
        text = path.read_text(encoding="utf-8", errors="replace") if readable else ""
    except OSError:
        return None
    share = {}
    for name in filter(lambda n: layout.manifest_path(n).exists(), layout.lesson_names()):
        exercises = list(read_manifest(name)["exercises"])
        share[name] = sum(bool(re.search(rf"\b(?:def|class) {e}\b", text)) for e in exercises) / len(exercises)
    best = max(share, key=share.get, default=None)
    return best if best and share[best] >= 0.3 else None


def _best(candidates: list[Path], lesson: str) -> Path | None:
    """The notebook of the right name, else any notebook, else a script; the last by name among equals."""
    order = sorted(candidates, key=lambda p: (p.stem == lesson, p.suffix == ".ipynb", str(p)))
    return order[-1] if order else None


def _notes(candidates: list[Path], lesson: str) -> tuple[str, ...]:
    chosen = _best(candidates, lesson)
    notes = []
    if len(candidates) > 1:
        notes.append(f"{len(candidates)} files were handed in; {_readable(chosen.name)} counts")
    if chosen and chosen.stem != lesson:
        notes.append(f"the file was named {_readable(chosen.name)}")
    return tuple(notes)
