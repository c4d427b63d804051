"""Look through what an instructor points at: which file is whose, of which lesson, and what was left out and why. Nothing is written but
what archives hold, in a folder that the caller gives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from autograde.checking.manifest import outcome_files
from autograde.grader.ingest.attempts import has_work
from autograde.grader.ingest.formats import kinds
from autograde.grader.ingest.found.findings import Survey
from autograde.grader.ingest.found.sources import grouped, is_course, is_courses_own
from autograde.grader.ingest.found.take import add
from autograde.grader.ingest.found.walk import every_file, walk
from autograde.grader.ingest.whose import across_lessons
from autograde.grader.ingest.whose.assign import assign
from autograde.grader.ingest.whose.by_list import Person


def survey(sources: Sequence[Path], lesson: str | None, scratch: Path, results: Path | None = None, person: Person | None = None) -> Survey:
    """Look through files, folders and archives, but for the folder `results`. Archives are unpacked below `scratch`; `person` asks
    the list of the class.

    Raises:
        ValueError: when a path does not exist.
    """
    found = Survey(results=results.resolve() if results else None)
    for number, (root, files) in enumerate(grouped(sources)):
        found.barren = []
        listed = list(every_file(root, files, scratch / str(number), found))
        assign(root, files is not None, listed, lesson, found, person)
    found.students.discard("")
    have = {(one.student, one.lesson) for one in found.handed}
    found.handed += [one for one in found.also if (one.student, one.lesson) not in have and has_work(one.file.path, one.lesson)]
    if not any(map(is_courses_own, sources)):
        across_lessons.settle(found, {})
    found.in_place = found.in_place and not _shared_folder(found) and (not _is_project(found) or any(map(is_course, sources)))
    return found


def _shared_folder(found: Survey) -> bool:
    """Whether a notebook lies beside another student's notebook, model or script: what is beside it then does not go with it."""
    scripts = [out for out in found.left_out if out.file and kinds.is_script(out.file.parts[-1])]
    lying = [(one.file, one.student) for one in found.handed] + [(out.file, out.student) for out in scripts if out.file]
    beside: dict[tuple[Path, tuple[str, ...]], set[str]] = defaultdict(set)
    for file, student in lying:
        beside[file.origin, file.parts[:-1]].add(student)
    return any(len(students) > 1 for students in beside.values())


def _is_project(found: Survey) -> bool:
    """Whether a notebook lies in a project's folder of notebooks, and the same student's scripts above it."""
    tops = {(one.student, one.place[:-1]) for one in found.handed if kinds.holds_notebooks(one.place)}
    scripts = [(out.student, out.file.parts[:-1]) for out in found.left_out if out.file and kinds.is_script(out.file.parts[-1])]
    return any(student == owner and place[: len(top)] == top for student, place in scripts for owner, top in tops)


def student_folder(folder: Path, lesson: str, scratch: Path) -> Survey:
    """The same for the folder of one student."""
    found = Survey()
    files = list(walk(folder, (), folder, scratch, found, 0))
    models = frozenset(outcome_files(lesson))
    for file in files:
        add(file, kinds.kind(file.path, file.parts, models), folder.name, None, lesson, models, found)
    found.left_out = [replace(out, student=folder.name) for out in found.left_out]  # whose else
    return found
