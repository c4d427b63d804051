"""What an instructor points at: folders that are looked through whole, single files, an nbgrader course."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from autograde.checking.errors import UserError
from autograde.grader.ingest.found.lesson_of import full_name
from autograde.grader.ingest.naming.work_words import is_work

COURSE_FOLDERS = {"source", "release", "autograded", "feedback", "utils", "data", "docs", "autograde"}  # beside `submitted`


def is_course(path: Path) -> bool:
    """Whether a folder is an nbgrader course directory: by its configuration or gradebook, or since it has `submitted/<student>/<lesson>/`."""
    if holds_results(path) or (path / "nbgrader_config.py").is_file() and not _is_a_students(path):
        return True
    inside = path / "submitted"
    if not inside.is_dir():
        return False
    if any(_is_persons(beside) for beside in path.iterdir() if beside.name != inside.name):
        return False  # somebody of that name among others
    people = [p for p in inside.iterdir() if not p.name.startswith(".")]
    return not any(full_name(p.name) or p.is_file() and ".ipynb" in p.name for p in people)


def holds_results(path: Path) -> bool:
    """Whether a folder has a gradebook, and not because a student has tried nbgrader in a folder of their own."""
    return (path / "gradebook.db").is_file() and not _is_a_students(path)


def _is_a_students(path: Path) -> bool:
    """Whether a lesson's file lies in a folder that has none of those which grading makes."""
    graded = any((path / name).is_dir() for name in ("submitted", "autograded"))
    return not graded and any(inside.is_file() and full_name(inside.name) for inside in path.iterdir())


def _is_persons(folder: Path) -> bool:
    """Whether a folder is called by a person and holds a lesson."""
    if folder.name in COURSE_FOLDERS or is_work(folder.name) or folder.name.startswith(".") or not folder.is_dir():
        return False
    return any(full_name(inside.name) for inside in folder.iterdir())


def grouped(sources: Sequence[Path]) -> Iterator[tuple[Path, list[Path] | None]]:
    """Each folder to look through, with the files of it that were named, or None for all."""
    single: dict[Path, list[Path]] = defaultdict(list)
    for source in sources:
        if not source.exists():
            raise UserError(f"there is no file or folder {source}")
        if source.is_dir():
            yield (source / "submitted" if is_course(source) else source), None
        else:
            single[source.absolute().parent].append(source.absolute())
    yield from single.items()


def folders(sources: Sequence[Path]) -> list[Path]:
    """The folders that `survey` looks through whole."""
    return [root for root, named in grouped(sources) if named is None]


def is_courses_own(source: Path) -> bool:
    """Whether a source is a course directory, or lies in one's folder of submissions: there the folders' names are the students'."""
    return is_course(source) or "submitted" in source.absolute().parts
