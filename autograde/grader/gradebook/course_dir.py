"""An nbgrader course directory for these lessons: what formgrader and nbgrader's own commands work on."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import nbformat
from alembic.script import ScriptDirectory
from nbgrader import dbutil
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import SaveCells

from autograde import layout
from autograde.authoring import notebooks, source
from autograde.checking.errors import UserError
from autograde.files import write

CONFIG = '''\
"""nbgrader's configuration for this course, by its documented options only.

Stock `nbgrader autograde`, `generate_feedback`, `validate` and `formgrader` work in this folder. The submitted code runs in the course's
sandbox instead of a kernel: the preprocessor below takes the place of nbgrader's Execute.
"""

import os
import sys

sys.path.append({root!r})  # where the course is installed

c = get_config()
here = os.path.dirname(os.path.abspath(__file__))
c.CourseDirectory.root = here
c.CourseDirectory.course_id = "attention"
# Where assignments, submissions and feedback change hands: a folder that the accounts of all students can write to, the same in their
# nbgrader_config.py. Without one, students hand in some other way, and released feedback waits here.
c.Exchange.root = os.environ.get("NBGRADER_EXCHANGE", os.path.join(here, "exchange"))
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
c.GenerateFeedback.preprocessors = [
    "autograde.grader.plugin.HideRubrics",
    "nbgrader.preprocessors.GetGrades",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
# Formgrader and feedback pages show what students wrote; no script of theirs runs in the reader's browser.
c.HTMLExporter.filters = {"markdown2html": "autograde.grader.safe_markdown.render"}
c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\\nraise NotImplementedError"}
'''


def create(folder: Path, lessons: list[str]) -> None:
    """Make or complete a course directory: configuration, source and release versions, and the assignments in the gradebook."""
    (folder / "exchange").mkdir(parents=True, exist_ok=True)
    config_file(folder)
    for lesson in lessons:
        _add(folder, lesson)


def held(folder: Path) -> list[str]:
    """The lessons that a course directory has."""
    return [lesson for lesson in layout.lesson_names() if (folder / "release" / lesson / f"{lesson}.ipynb").exists()]


def config_file(folder: Path) -> Path:
    """The course's nbgrader configuration, written when it is not there."""
    path = folder / "nbgrader_config.py"
    if not path.exists():
        write(path, CONFIG.replace("{root!r}", repr(str(layout.ROOT))).encode())
    return path


def database(folder: Path) -> str:
    """The address of the course's gradebook."""
    return f"sqlite:///{(folder / 'gradebook.db').resolve()}"


def open_gradebook(folder: Path) -> Gradebook:
    """The course's gradebook, made when it is not there."""
    path = folder / "gradebook.db"
    if not path.exists():
        _begin_gradebook(path)
    return Gradebook(database(folder))


def _begin_gradebook(path: Path) -> None:
    """A database with nbgrader's version in it and nothing else, in one step; nbgrader adds its tables.

    To make one nbgrader itself runs `alembic` by name, for seconds, and leaves half a database behind when it cannot.
    """
    version = ScriptDirectory(dbutil.ALEMBIC_DIR).get_current_head()
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("BEGIN")
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.execute("INSERT INTO alembic_version VALUES (?)", (version,))


def _add(folder: Path, lesson: str) -> None:
    """The release version is written last: it says that the rest is there."""
    release = folder / "release" / lesson / f"{lesson}.ipynb"
    student = (layout.NOTEBOOKS / f"{lesson}.ipynb").read_text(encoding="utf-8")
    if release.exists() and release.read_text(encoding="utf-8") == student and _knows(folder, lesson):
        return
    instructor = notebooks.instructor_notebook(source.read(layout.source_path(lesson)))
    write(folder / "source" / lesson / f"{lesson}.ipynb", notebooks.text(instructor).encode())
    with open_gradebook(folder) as gradebook:
        gradebook.update_or_create_assignment(lesson)
    resources = {"nbgrader": {"assignment": lesson, "notebook": lesson, "db_url": database(folder)}}
    try:
        SaveCells().preprocess(nbformat.reads(student, 4), resources)
    except RuntimeError as error:  # an exercise came or went
        raise UserError(f"{folder / 'gradebook.db'}: {error}. Grade this version of the lesson into another --out") from None
    write(release, student.encode())


def _knows(folder: Path, lesson: str) -> bool:
    if not (folder / "gradebook.db").exists():
        return False
    with open_gradebook(folder) as gradebook:
        try:
            return bool(gradebook.find_notebook(lesson, lesson).grade_cells)
        except MissingEntry:
            return False
