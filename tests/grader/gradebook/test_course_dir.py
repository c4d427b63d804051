"""A class's folder is made once and completed later, with the lessons that the class has."""

import pytest
from typer.testing import CliRunner

from autograde import layout
from autograde.cli import app
from autograde.grader.gradebook.course_dir import open_gradebook


@pytest.fixture
def said(tmp_path):
    """said(lesson, …) → what `autograde course` on the class's folder says, in one line."""
    return lambda *lessons: " ".join(CliRunner().invoke(app, ["course", str(tmp_path / "class"), *lessons]).output.split())


def test_a_class_keeps_the_lessons_that_it_was_given(said, tmp_path):
    """Without names, the second call once gave a class of two lessons all of them."""
    assert "class holds lesson 03." in said("03")
    assert "class holds lessons 01, 03." in said("01")
    assert "class holds lessons 01, 03." in said()
    with open_gradebook(tmp_path / "class") as gradebook:
        assert sorted(assignment.name[:2] for assignment in gradebook.assignments) == ["01", "03"]


@pytest.mark.slow
def test_a_new_class_has_all_lessons(said):
    assert f"holds lessons {', '.join(name[:2] for name in layout.lesson_names())}." in said()
