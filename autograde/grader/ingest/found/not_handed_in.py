"""What lies among a class's files and was handed in by nobody: what the grader wrote, and what students were given or given back."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

Parts = tuple[str, ...]
EARLIER = "earlier"  # beside a notebook: the attempts before it
OWN_FOLDERS = {"autograde", "graded", EARLIER}
# One of them lies in each of the others, the log from the first second on.
WRITTEN = ("gradebook.db", "grades.csv", "grader.log", "__init__.py")
RETURNED = "what was given out or back, not what was handed in"
FEEDBACK = re.compile(r"(?i)feedback attachment\(s\)|.+_assignfeedback_.*")  # as Sakai and Moodle call its folder
OLAT_GIVEN, OLAT_HANDED_IN = re.compile(r"\d_(?:tasks?|solutions?|corrections?)"), re.compile(r"\d_submissions?")  # side by side


def is_graders(folder: Path) -> bool:
    """Whether a folder is called like one of the grader's, and is one by what it holds."""
    if folder.name != EARLIER:
        return folder.name in OWN_FOLDERS and any((folder / name).is_file() for name in WRITTEN)
    with contextlib.suppress(OSError):  # who walks on says why it cannot be read
        return all(path.is_dir() and path.name.isdecimal() for path in folder.iterdir())
    return False


def given_back(files: Sequence[Parts]) -> set[Parts]:
    """The files that students were given: tasks, and feedback, which may be their own notebook with remarks in it."""
    handed_in = {parts[:depth] for parts in files for depth, name in enumerate(parts[:-1]) if OLAT_HANDED_IN.fullmatch(name)}
    return {
        parts
        for parts in files
        for depth, name in enumerate(parts)
        if FEEDBACK.fullmatch(name) or OLAT_GIVEN.fullmatch(name) and parts[:depth] in handed_in
    }


def of_systems_alone(files: Iterable[tuple[Parts, bool]]) -> list[Parts]:
    """The folders that hold nothing but what an operating system or an editor has put there, such as `.keep`: as empty as others. Each file
    comes with whether it is such a one."""
    files = list(files)
    full = {parts[:depth] for parts, systems in files if not systems for depth in range(1, len(parts))}
    return sorted({(*parts[:-1], "") for parts, systems in files if systems and len(parts) > 1} - {(*folder, "") for folder in full})
