"""One comment for a group: it is in nbgrader's gradebook for each of them and nobody else, on their pages, and nothing of a person's is lost."""

import pytest
from typer.testing import CliRunner

from autograde.authoring.sample_class import LESSON
from autograde.checking.errors import UserError
from autograde.cli import app
from autograde.grader.batch import class_run
from autograde.grader.gradebook import comments, roster
from tests.grader.durability import conftest
from tests.grader.durability.test_manual import by_hand, read

EXERCISE, SAID, SHOWN = "causal_mask", "Look at the <first> *row*.", "Look at the &lt;first&gt; <em>row</em>."


@pytest.fixture
def wrong(pupils, tmp_path, monkeypatch):
    """A graded class in which two have the same half of the points, and one has all."""
    result = conftest.graded
    monkeypatch.setattr(conftest, "graded", lambda found, _: result(found, 1.0 if found.student == "cleo" else 0.5))
    pupils.grade(tmp_path / "out")
    return tmp_path / "out"


def said(out):
    return {student: read(out, student)[1][EXERCISE] for student in ("ada", "ben", "cleo")}


def comment(out, *arguments):
    result = CliRunner().invoke(app, ["comment", str(out), *arguments])
    return result.exit_code, " ".join(result.output.split())


def test_it_reaches_the_group_and_nobody_else_once_and_below_what_is_there(wrong):
    by_hand(wrong)
    (wrong / roster.FILE).write_text("student_id,name,section,email\nBEN,Ben Okri,,ben@x.org\n", encoding="utf-8")
    for known_by in ("ben", "BEN", "Ben Okri", "ben@x.org"):  # the submission's id, the roster's, a name, an address
        assert comment(wrong, "3", EXERCISE, SAID, "--like", known_by, "--same-code") == (0, "✓ 2 students: ada, ben")
    assert said(wrong) == {"ada": f"read by a person: {EXERCISE}\n\n{SAID}", "ben": SAID, "cleo": None}
    assert read(wrong)[1]["padding_mask"] == "read by a person: padding_mask"
    pages = {student: (wrong / "feedback" / student / f"{LESSON}.html").read_text(encoding="utf-8") for student in said(wrong)}
    assert {student for student, html in pages.items() if SHOWN in html} == {"ada", "ben"}


@pytest.mark.slow
def test_what_cannot_be_said_is_said_to_nobody(wrong, monkeypatch):
    for arguments, named in (
        (["03", EXERCISE, "x", "--like", "cleo"], "ada, ben"),
        (["03", EXERCISE, "x", "--like", "nobody"], "ada, ben"),
        (["03", "mask", "x", "--like", "ada"], EXERCISE),
        (["17", EXERCISE, "x", "--like", "ada"], LESSON),
        (["03", EXERCISE, " ", "--like", "ada"], "1 to 10,000 characters"),
        (["03", EXERCISE, "x" * 10_001, "--like", "ada"], "1 to 10,000 characters"),
    ):
        code, output = comment(wrong, *arguments)
        assert code == 2 and named in output, arguments
    real = comments._comment  # of two students the second fails: the first has no comment either
    monkeypatch.setattr(comments, "_comment", lambda book, *where: real(book, *where[:2], {"ben": "gone"}.get(where[2], where[2])))
    with pytest.raises(UserError, match="gone"):
        class_run.comment(wrong, LESSON, EXERCISE, "ada", "One for all.")
    assert set(said(wrong).values()) == {None}
