"""Every situation of the table has what is right."""

import csv
import importlib
import re
from functools import cache

import nbformat
import pytest
from rich.console import Console

from autograde.grader.batch.class_run import grade_class
from autograde.grader.ingest.collect import collected
from tests.grader.ingest.situations.table import COLLECTED, ELSEWHERE, FULL, GRADED, GRADED_MORE, LESSON, NAME


# A tenth of the rows in every run, each with a reader of its own; all of them in `make test-more`.
@pytest.mark.parametrize("name", [name if i % 10 == 0 else pytest.param(name, marks=pytest.mark.slow) for i, name in enumerate(COLLECTED)])
def test_collected(tmp_path, name):
    row = COLLECTED[name]
    for file, content in row.files.items():
        path = tmp_path / "class" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    for link, target in row.links.items():
        (tmp_path / "class" / link).symlink_to(tmp_path / "class" / target)
    found, _ = collected([tmp_path / "class"], LESSON, tmp_path / "out", Console(quiet=True))
    originals = {content if isinstance(content, bytes) else content.encode(): file for file, content in row.files.items()}
    assert {f.student for f in found} == set(row.counts)
    for one in found:
        wanted = row.counts[one.student]
        assert bool(one.path) == bool(wanted), one
        if one.path and (file := originals.get(one.path.read_bytes())) and len(originals) == len(row.files):
            assert file.endswith(wanted), f"{file} counts"
        assert row.names.get(one.student, "") in " ".join(one.notes)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    return of_a_class(tmp_path_factory.mktemp("situations"), GRADED)


@pytest.fixture(scope="module")
def graded_more(tmp_path_factory):
    """A class of each kind, graded when the first of it is asked for."""

    @cache
    def of_kind(kind):
        return of_a_class(tmp_path_factory.mktemp("more"), {student: row for student, row in GRADED_MORE.items() if row.kind == kind})

    return of_kind


def of_a_class(folder, students):
    """The class, graded once: a row of grades.csv a student, and the folder."""
    for student, row in students.items():
        (folder / "class" / student).mkdir(parents=True)
        (folder / "class" / student / row.name).write_bytes(row.write())
        for name, text in row.beside:
            path = folder / "class" / student / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    grade_class([folder / "class"], LESSON, folder / "out", 2, None, "auto", Console(quiet=True))
    with (folder / "out" / "grades.csv").open(newline="", encoding="utf-8") as stream:
        return {row["student_id"]: row for row in csv.DictReader(stream)}, folder / "out"


@pytest.mark.parametrize("student", GRADED)
def test_graded(graded, student):
    has_what_is_right(GRADED[student], student, *graded)


@pytest.mark.slow
@pytest.mark.parametrize("student", GRADED_MORE)
def test_graded_more(graded_more, student):
    has_what_is_right(GRADED_MORE[student], student, *graded_more(GRADED_MORE[student].kind))


def has_what_is_right(row, student, rows, out):
    page = re.sub(r"<[^>]+>", "", (out / "feedback" / student / f"{LESSON}.html").read_text(encoding="utf-8"))
    assert (rows[student]["status"], float(rows[student]["score"])) == (row.status, FULL - row.lost), page[-3000:]
    assert all(text in page for text in row.says)
    notebook = nbformat.read(out / "autograded" / student / LESSON / NAME, 4)
    written = next(c.source for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == "written_question")
    assert all(word in written for word in row.words)


@pytest.mark.parametrize("test", ELSEWHERE.values(), ids=ELSEWHERE)
def test_elsewhere(test):
    """The test that holds the situation is still there."""
    module, _, name = test.rpartition(".")
    assert callable(getattr(importlib.import_module(module), name))
