"""The sample class of `make demo`: each submission gets the score it must get; nbgrader's own commands agree."""

import csv
import os
import shutil

import pytest
from rich.console import Console

from autograde import layout
from autograde.authoring.sample_class import LESSON, SAMPLES, expected_score
from autograde.grader.batch.class_run import grade_class
from tests import preloaded, shared

pytestmark = pytest.mark.slow  # who hangs in it costs seconds


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    return shared.graded_samples(tmp_path_factory) / "graded"


def rows(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_each_submission_gets_the_score_it_must_get(graded):
    found = {row["student_id"]: (float(row["score"] or 0), row["status"]) for row in rows(graded / "grades.csv")}
    assert found == {s.student: (expected_score(s), s.status) for s in SAMPLES}


def test_a_mistake_costs_only_its_own_exercise(graded):
    by_student = {}
    for row in rows(graded / "exercises.csv"):
        if row["status"] != "passed" and row["student_id"] not in ("ben", "lena", "mo"):
            by_student.setdefault(row["student_id"], set()).add(row["exercise"])
    lost = {s.student: set(s.loses) for s in SAMPLES if s.loses and s.student not in ("ben", "lena", "mo", "chloe")}
    assert {k: v for k, v in by_student.items() if k != "chloe"} == lost


def test_messages_name_the_mistake(graded):
    messages = {(r["student_id"], r["exercise"]): r for r in rows(graded / "exercises.csv")}
    assert "not divided by √d_k" in messages["dev", "attention_scores"]["message"]
    assert messages["ines", "causal_mask"]["status"] == "timeout"
    assert messages["hugo", "padding_mask"]["status"] == "error" and "SyntaxError" in messages["hugo", "padding_mask"]["message"]
    assert messages["jun", "causal_mask"]["status"] == "error"
    assert messages["chloe", "attention_backward"]["status"] == "not_attempted"


def test_every_student_has_a_page(graded):
    for sample in SAMPLES:
        page = (graded / "feedback" / sample.student / f"{LESSON}.html").read_text(encoding="utf-8")
        assert sample.student in page and "http" not in page


def test_stock_nbgrader_gives_the_same_scores(graded, tmp_path):
    """nbgrader's own commands, in a course directory of `autograde course`, on the readable part of the class."""
    course = tmp_path / "course"
    run("autograde", "course", str(course), "03")
    readable = [s for s in SAMPLES if s.student in ("ada", "dev", "hugo", "kofi")]
    for sample in readable:
        home = course / "submitted" / sample.student / LESSON
        home.mkdir(parents=True)
        original = graded.parent / "class" / sample.student / sample.file
        (home / f"{LESSON}.ipynb").write_bytes(original.read_bytes())
    run("nbgrader", "autograde", LESSON, "--create", cwd=course)
    run("nbgrader", "generate_feedback", LESSON, cwd=course)
    run("nbgrader", "export", "--to", "grades.csv", cwd=course)
    scores = {r["student_id"]: float(r["score"]) for r in rows(course / "grades.csv") if r["assignment"] == LESSON}
    assert scores == {s.student: expected_score(s) for s in readable}
    assert (course / "feedback" / "ada" / LESSON / f"{LESSON}.html").exists()


def run(module, *arguments, cwd=layout.ROOT):
    code, told = preloaded.run(module, arguments, cwd, {**os.environ, "AUTOGRADE_SANDBOX": "auto"})
    assert code == 0, told[-3000:]


def test_the_page_about_the_class_is_beside_the_tables_also_after_a_second_run(graded, tmp_path):
    out = shutil.copytree(graded, tmp_path / "graded")
    page = out / "class.html"
    first = page.read_text(encoding="utf-8")
    assert all(s.student in first for s in SAMPLES)
    page.unlink()
    grade_class([graded.parent / "class"], LESSON, out, None, None, "auto", Console(quiet=True))
    assert page.read_text(encoding="utf-8") == first
