"""What shows or compares students' words runs in a reader: one that it takes too much for costs that student's words, and nothing else."""

import csv
import os
import re
from dataclasses import replace

import pytest

from autograde.authoring.sample_class import LESSON
from autograde.checking.runner import Outcome
from autograde.grader.batch import class_run
from autograde.grader.batch.class_folder import ClassFolder
from autograde.grader.gradebook import record
from autograde.grader.pages import answers_page, feedback_page, likeness, of_class
from autograde.grader.pages.template import with_code, with_stress
from autograde.grader.sandbox import bounded as bounds
from autograde.grader.sandbox.bounded import bounded, reading
from tests.grader.durability.conftest import graded

MARK = "endless"
ROWS = ("grades.csv", "exercises.csv")


def spin():
    return re.match("(a+)+$", "a" * 60 + "b")


def hoard():
    return len([bytearray(1 << 28) for _ in range(64)])


def answering(monkeypatch, words):
    """Grading takes no time, and each student's first message and answer say what `words` has for them."""

    def result(found, share):
        whole = graded(found, 0.5)
        said = words.get(found.student, "a value")
        outcome = Outcome("test_x", "Rows sum to one.", "failed", 1.0, False, f"got {said}", "")
        results = [replace(r, outcomes=[outcome]) for r in whole.results]
        return replace(whole, results=results, notebook=whole.notebook.replace("Because of the mask.", f"Because of {said}."))

    monkeypatch.setattr("tests.grader.durability.conftest.graded", result)


def tables(out, *students):
    """The rows of these students in both tables, and their points in the gradebook."""
    rows = [row for name in ROWS for row in csv.reader((out / name).open(newline="")) if row[0] in students]
    with ClassFolder(out, ()) as folder:
        return rows, [(s.student, s.total, s.max_score) for s in folder.records.standings() if s.student in students]


def hostile(real, how):
    """The function, with an end to no words that hold the mark."""

    def run(text, *more):
        return how() if MARK in str(text) else real(text, *more)

    return run


def impatient(monkeypatch):
    """Every call of a reader has a second, so that the test does not take the minutes that a class may."""
    real = bounds.Readers.ask
    monkeypatch.setattr(
        bounds.Readers, "ask", lambda self, function, args, kwargs, seconds, raises: real(self, function, args, kwargs, 1, raises)
    )


PLACES = {
    "page": (feedback_page, "_template", lambda real, how: lambda: Rendering(real(), how)),
    "notebook": (record, "with_outputs", lambda real, how: lambda notebook, results: hostile(real, how)(notebook, results)),
    "traces": (likeness, "_in_words", lambda real, how: lambda text: hostile(real, how)(text)),
    "answers": (answers_page, "_template", lambda real, how: lambda: Rendering(real(), how)),
}


class Rendering:
    """A template that does not come to an end over the mark."""

    def __init__(self, real, how):
        self.real, self.how = real, how

    def render(self, **known):
        return hostile(lambda _: self.real.render(**known), self.how)(known)


@pytest.mark.soak
@pytest.mark.parametrize("how", [spin, hoard])
@pytest.mark.parametrize("place", PLACES)
def test_one_whose_words_cannot_be_shown_keeps_the_points_and_costs_nobody_else(pupils, tmp_path, monkeypatch, place, how):
    answering(monkeypatch, {"ben": MARK})
    pupils.grade(tmp_path / "calm")
    module, name, hook = PLACES[place]
    monkeypatch.setattr(module, name, hook(getattr(module, name), how))
    impatient(monkeypatch)
    pupils.grade(tmp_path / "out")
    calm, out = tmp_path / "calm", tmp_path / "out"
    assert tables(out, "ada", "ben", "cleo") == tables(calm, "ada", "ben", "cleo")
    for student in ("ada", "cleo"):
        page = f"feedback/{student}/{LESSON}.html"
        assert (out / page).read_bytes() == (calm / page).read_bytes()
    log = (out / "grader.log").read_text()
    assert "ben, lesson 03_self_attention" in log and "ada, lesson 03_self_attention: the" not in log
    if place == "page":
        page = (out / f"feedback/ben/{LESSON}.html").read_text()
        assert "cannot be shown here" in page and MARK not in page
    shown = [p for p in (out / "answers").rglob("*.html") if "got a value" in p.read_text()]
    assert shown and (out / "class.html").is_file()
    if place == "answers":
        assert not any(f"got {MARK}" in p.read_text() for p in shown)


@pytest.mark.slow
@pytest.mark.parametrize("bare", [True, False], ids=["without words", "at all"])
def test_pages_that_cannot_be_made_of_all_together_cost_no_table(pupils, tmp_path, monkeypatch, bare):
    """Each student's words can be shown, and those of the class take too much: then there are pages without, or none."""
    answering(monkeypatch, dict.fromkeys(("ada", "ben", "cleo"), MARK))
    pupils.grade(tmp_path / "calm")
    real = of_class._made

    def together(parts, *more):
        if sum(not bare or MARK in str(part) for part in parts) > 1:
            spin()
        return real(parts, *more)

    monkeypatch.setattr(of_class, "_made", together)
    impatient(monkeypatch)
    pupils.grade(tmp_path / "out")
    out = tmp_path / "out"
    assert tables(out, "ada", "ben", "cleo") == tables(tmp_path / "calm", "ada", "ben", "cleo")
    assert (out / "class.html").is_file() == bare and not any(MARK in page.read_text() for page in (out / "answers").rglob("*.html"))
    assert ("there are no pages about the class" in (out / "grader.log").read_text()) != bare


def test_nothing_of_a_class_is_shown_or_compared_in_the_process_that_writes(pupils, tmp_path, monkeypatch):
    here = os.getpid()

    def elsewhere(real):
        def run(*args, **known):
            assert os.getpid() != here, "a student's words are handled in the process that holds the gradebook"
            return real(*args, **known)

        return run

    for module, name in [
        (feedback_page, "_template"), (record, "with_outputs"), (answers_page, "_template"), (answers_page, "_why"), (likeness, "traces"),
        (likeness, "likenesses"), (record, "parse_utc"), (of_class, "normal_form"),
    ]:  # fmt: skip
        monkeypatch.setattr(module, name, elsewhere(getattr(module, name)))
    (pupils.folder / "ada" / "timestamp.txt").write_text("2026-01-01 00:00:00 UTC")
    pupils.share = 0.5  # of the points: there are wrong answers
    pupils.grade(tmp_path / "out")
    pupils.hand_in("ada", text="another answer")
    pupils.grade(tmp_path / "out")
    assert class_run.refresh(tmp_path / "out") == 3
    assert class_run.comment(tmp_path / "out", LESSON, "causal_mask", "ada", "A comment.") == ["ada", "ben", "cleo"]


@pytest.mark.parametrize(
    "text", ["`" * 2000, "`a" * 1000, ("`" * 40 + "a") * 45, "`" * 999 + "a" + "`" * 998, "*a" * 5000, " *a" * 5000, "**a " * 5000]
)
def test_text_in_backticks_or_asterisks_is_shown_in_no_time(text):
    """A pattern that looks for the end of each that has none would take minutes over a page of such messages."""
    assert shown(text) >= len(text.replace("`", "")) and str(with_code("a `b` c")) == "a <code>b</code> c"


@bounded(2)
def _shown(text):
    return len([with_stress(text) for _ in range(40)][0])


def shown(text):
    with reading():
        return _shown(text)
