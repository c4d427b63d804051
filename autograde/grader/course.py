"""An nbgrader course directory for these lessons: what formgrader and nbgrader's own commands work on."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook
from nbgrader.preprocessors import SaveCells

from autograde import layout
from autograde.build import notebooks, source
from autograde.grader.journal import write

CONFIG = '''\
"""nbgrader's configuration for this course, by its documented options only.

Stock `nbgrader autograde`, `generate_feedback`, `validate` and `formgrader` work in this folder. The submitted code runs in the course's
sandbox instead of a kernel: the preprocessor below takes the place of nbgrader's Execute.
"""

import os
import sys

sys.path.append({root!r})  # where the course is installed

c = get_config()
c.CourseDirectory.root = os.path.dirname(os.path.abspath(__file__))
c.CourseDirectory.course_id = "attention"
c.Autograde.sanitize_preprocessors = [
    "autograde.grader.plugin.Repair",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.DeduplicateIds",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.Autograde.autograde_preprocessors = [
    "autograde.grader.plugin.GradeInSandbox",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\\nraise NotImplementedError"}
'''


def create(folder: Path, lessons: list[str]) -> None:
    """Make or complete a course directory: configuration, source and release versions, and the assignments in the gradebook."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "nbgrader_config.py").exists():
        write(folder / "nbgrader_config.py", CONFIG.replace("{root!r}", repr(str(layout.ROOT))).encode())
    for lesson in lessons:
        _add(folder, lesson)


def database(folder: Path) -> str:
    """The address of the course's gradebook."""
    return f"sqlite:///{(folder / 'gradebook.db').resolve()}"


def open_gradebook(folder: Path) -> Gradebook:
    """The course's gradebook, made when it is not there.

    nbgrader runs `alembic` by name to make one, and leaves half a database behind when it cannot: so Python's own scripts come first
    on the search path, and a database whose making failed is taken away.
    """
    scripts = str(Path(sys.executable).parent)
    if scripts not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = scripts + os.pathsep + os.environ.get("PATH", "")
    path = folder / "gradebook.db"
    new = not path.exists()
    try:
        return Gradebook(database(folder))
    except BaseException:
        if new:
            path.unlink(missing_ok=True)
        raise


def _add(folder: Path, lesson: str) -> None:
    release = folder / "release" / lesson / f"{lesson}.ipynb"
    student = (layout.NOTEBOOKS / f"{lesson}.ipynb").read_text(encoding="utf-8")
    if release.exists() and release.read_text(encoding="utf-8") == student and (folder / "gradebook.db").exists():
        return
    instructor = notebooks.instructor_notebook(source.read(layout.source_path(lesson)))
    write(folder / "source" / lesson / f"{lesson}.ipynb", notebooks.text(instructor).encode())
    write(release, student.encode())
    with open_gradebook(folder) as gradebook:
        gradebook.update_or_create_assignment(lesson)
    resources = {"nbgrader": {"assignment": lesson, "notebook": lesson, "db_url": database(folder)}}
    SaveCells().preprocess(nbformat.reads(student, 4), resources)
