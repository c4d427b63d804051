"""nbgrader's exchange from release to feedback, by the commands of the guide for instructors, with accounts that share one folder."""

import csv
from datetime import UTC, datetime

import pytest
from nbgrader.api import Gradebook

from autograde import layout
from autograde.authoring.sample_class import LESSON
from autograde.grader.gradebook.course_dir import database
from tests.classroom import Classroom, Student

COMMENT = "Say also what becomes of the gradient."


@pytest.fixture
def exchange(tmp_path, monkeypatch):
    folder = tmp_path / "exchange"
    folder.mkdir()
    monkeypatch.setenv("NBGRADER_EXCHANGE", str(folder))
    return folder


@pytest.fixture
def classroom(tmp_path, exchange):
    return Classroom(tmp_path / "class", tmp_path / "instructor", "03")


@pytest.mark.soak
def test_from_release_to_feedback_and_once_more(classroom, exchange, tmp_path):
    ada, dev = students = [Student.enrolled(name, tmp_path / name, exchange) for name in ("ada", "dev")]
    classroom.nbgrader("release_assignment", LESSON)
    for student in students:
        student.fetch()
        assert student.notebook.read_bytes() == (layout.NOTEBOOKS / f"{LESSON}.ipynb").read_bytes()

    (ada.notebook.parent / "src").mkdir()
    (ada.notebook.parent / "src" / "helper.py").write_text("own = 1\n")
    ada.submit(answer="It saturates.")
    due = datetime.now(UTC)
    (dev.notebook.parent / "course").mkdir()  # where the first cell fetches the course to, when it is not around the notebook
    (dev.notebook.parent / "course" / "README.md").touch()
    dev.submit()
    classroom.nbgrader("db", "assignment", "add", LESSON, f"--duedate={due:%Y-%m-%d %H:%M:%S.%f} UTC")
    collect(classroom, students)
    classroom.grade()
    assert points(classroom.folder) == {"ada": "24", "dev": "21.52"}
    assert seconds_late(classroom.folder, "ada") == 0 < seconds_late(classroom.folder, "dev")
    grade_by_hand(classroom.folder, "ada", 2.5)
    give_back(classroom)
    [page] = ada.feedback()
    assert "(Score: 26.5 / 27.0)" in page and COMMENT in page and "Model answer" not in page
    [page] = dev.feedback()
    assert "(Score: 21.52 / 27.0)" in page and "not divided by √d_k" in page and COMMENT not in page

    untouched = recorded(classroom.folder, "ada")
    dev.submit(like="ada")
    collect(classroom, students)
    classroom.grade()
    assert points(classroom.folder) == {"ada": "26.5", "dev": "24"}  # with what was given by hand
    assert recorded(classroom.folder, "ada") == untouched
    give_back(classroom)
    before, after = dev.feedback()
    assert before == page and "(Score: 24.0 / 27.0)" in after


def collect(classroom, students):
    """What the students have on their disks arrives, and nothing else."""
    classroom.nbgrader("collect", LESSON, "--update")
    for student in students:
        folder = classroom.folder / "submitted" / student.name / LESSON
        own = [path for path in student.notebook.parent.rglob("*.py") if path.parent.name == "src"]  # folders travel, too
        assert [path.read_bytes() for path in folder.rglob("*.py")] == [path.read_bytes() for path in own]
        there = {path.name for path in folder.iterdir()} - {path.parent.name for path in own}
        assert there == {f"{LESSON}.ipynb", "submission_secret.txt", "timestamp.txt"}
        assert (folder / f"{LESSON}.ipynb").read_bytes() == student.notebook.read_bytes()


def give_back(classroom):
    classroom.nbgrader("generate_feedback", LESSON, "--force")
    classroom.nbgrader("release_feedback", LESSON)


def points(folder):
    """What `autograde grade` gave."""
    with (folder / "grades.csv").open(newline="", encoding="utf-8") as stream:
        return {row["student_id"]: row["score"] for row in csv.DictReader(stream)}


def recorded(folder, student):
    """When a student's graded notebook was written."""
    return (folder / "autograded" / student / LESSON / f"{LESSON}.ipynb").stat().st_mtime_ns


def grade_by_hand(folder, student, points):
    """What formgrader does when a person types points and a comment for the written answer."""
    with Gradebook(database(folder)) as gradebook:
        notebook = gradebook.find_submission_notebook(LESSON, LESSON, student)
        [grade] = [g for g in notebook.grades if g.name == "written_question"]
        [comment] = [c for c in notebook.comments if c.name == "written_question"]
        grade.manual_score, comment.manual_comment = points, COMMENT
        gradebook.db.commit()


def seconds_late(folder, student):
    with Gradebook(database(folder)) as gradebook:
        return gradebook.find_submission(LESSON, student).total_seconds_late
