"""An instructor in formgrader: sees the class, grades a written answer by its rubric, regrades, gives feedback back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from autograde.authoring.sample_class import LESSON

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect

from tests.browser.lab import Lab  # noqa: E402
from tests.classroom import ANSWERS, Classroom  # noqa: E402

COMMENT = "The example with (½, 0) is just right; say also what becomes of the *gradient*."
FOR_GRADERS = ("For the grader", "Model answer", "Half a point")
QUESTION = "written_question"
SLOW_MS = 120_000  # a press on a button that grades


@pytest.fixture(scope="module")
def classroom(browser, tmp_path_factory) -> Classroom:
    """Four students have handed in lesson 03, and it is graded."""
    folder = tmp_path_factory.mktemp("instructor")
    made = Classroom(folder / "class", folder / "home", "01", "03")
    for student, answer in ANSWERS.items():
        made.hand_in(student, answer=answer)
    made.grade()
    return made


@pytest.fixture(scope="module")
def server(classroom):
    """JupyterLab, started in the class's folder."""
    lab = Lab(classroom.folder, classroom.home)
    yield lab
    lab.close()


@pytest.fixture
def formgrader(server, watch):
    """formgrader(path) → one of its pages; nothing but this machine can be reached."""
    return lambda path: open_formgrader(server, watch, path)


def open_formgrader(server: Lab, watch, path: str):
    """One of formgrader's pages, as an instructor who is logged in sees it."""
    watched = watch()
    watched.page.route(lambda url: not url.startswith(server.url), lambda route: route.abort())
    watched.page.context.request.get(server.address("lab"))  # formgrader's own pages would take the token for themselves alone
    watched.page.goto(f"{server.url}/formgrader/{path}")
    return watched


def question(page):
    """The written answer with its fields for points and a comment."""
    return page.locator(".nbgrader_cell", has=page.locator("textarea")).filter(has=page.locator(f"#{QUESTION}"))


def row(page, student: str):
    """The line of a table that belongs to a student."""
    return page.locator("tr", has=page.locator(".student-id", has_text=re.compile(f"^{student}$")))


def open_submission(watched, classroom: Classroom, student: str) -> None:
    """From the page of manual grading to a student's submission; formgrader hides the names, so the gradebook says which it is."""
    with Gradebook(f"sqlite:///{classroom.folder / 'gradebook.db'}") as gradebook:
        number = gradebook.find_submission_notebook(LESSON, LESSON, student).id
    watched.page.get_by_role("link", name=LESSON).click()
    watched.page.locator("#main-table, table").get_by_role("link", name=LESSON).click()
    watched.page.locator(f"a.name-hidden[href$='/submissions/{number}']").click()
    # formgrader's script puts these into the fields when it is ready to save what is typed there: points and comments come one after the other
    expect(question(watched.page).locator(".extra-credit")).to_have_attribute("placeholder", "0")
    expect(question(watched.page).locator("textarea")).to_have_attribute("placeholder", re.compile("."))


def manual(classroom: Classroom, student: str) -> tuple[float | None, str | None]:
    """The points and the comment that a person gave, read from the gradebook."""
    with Gradebook(f"sqlite:///{classroom.folder / 'gradebook.db'}") as gradebook:
        notebook = gradebook.find_submission_notebook(LESSON, LESSON, student)
        (grade,) = (g for g in notebook.grades if g.name == QUESTION)
        (comment,) = (c for c in notebook.comments if c.name == QUESTION)
        return grade.manual_score, comment.manual_comment


def saved(page, what: str):
    """Until formgrader has taken a grade or a comment."""
    return page.expect_response(lambda answer: f"/api/{what}/" in answer.url and answer.request.method == "PUT" and answer.ok)


def press(page, student: str, button: str) -> None:
    """Press a button of a student's line and wait for formgrader to say that it worked."""
    row(page, student).locator(f".{button} a").click()
    expect(page.locator(".modal-dialog")).to_contain_text("Success", timeout=SLOW_MS)
    page.locator(".modal-dialog").get_by_role("button", name="OK").click()
    expect(page.locator(".modal-dialog")).to_have_count(0)


def test_formgrader_shows_assignments_and_submissions(server, watch):
    watched = watch()
    page = watched.page
    page.goto(server.address("lab?reset"))
    page.locator(".lm-MenuBar-item", has_text="Nbgrader").click()
    page.locator(".lm-Menu-itemLabel", has_text="Formgrader").first.click()
    frame = page.frame_locator("iframe").first
    assignments = frame.locator("#main-table tbody tr, tbody#main-table tr")
    expect(assignments).to_have_count(2)
    expect(assignments.filter(has_text=LESSON).locator(".num-submissions")).to_have_text("4")
    watched.shot("instructor-1-assignments")


def test_formgrader_shows_the_class(formgrader):
    watched = formgrader(f"manage_submissions/{LESSON}")
    for student, points in {"ada": "24 / 27", "ben": "0 / 27", "chloe": "8 / 27", "dev": "21.52 / 27"}.items():
        expect(row(watched.page, student)).to_contain_text(points)
    watched.shot("instructor-2-class")
    watched.assert_quiet()


def test_a_written_answer_is_graded_and_given_back(classroom, formgrader, watch):
    watched = formgrader("gradebook")
    page = watched.page
    open_submission(watched, classroom, "ada")
    field = question(page)
    expect(field).to_contain_text("A typical score is 16.")
    for words in FOR_GRADERS:
        expect(page.locator("body")).to_contain_text(words)
    field.scroll_into_view_if_needed()
    watched.shot("instructor-3-rubric")

    with saved(page, "grade"):
        field.locator("input.score").press_sequentially("2.5")
        page.keyboard.press("Tab")
    with saved(page, "comment"):
        field.locator("textarea").press_sequentially(COMMENT)
        page.keyboard.press("Tab")
    field.scroll_into_view_if_needed()
    watched.shot("instructor-4-graded")
    assert manual(classroom, "ada") == (2.5, COMMENT)
    page.reload()
    expect(question(page).locator("input.score")).to_have_value("2.5")
    expect(question(page).locator("textarea")).to_have_value(COMMENT)

    page.goto(page.url.split("/formgrader")[0] + f"/formgrader/manage_submissions/{LESSON}")
    expect(row(page, "ada")).to_contain_text("26.5 / 27")
    press(page, "ada", "generate-feedback")
    press(page, "ada", "release-feedback")
    watched.shot("instructor-5-released")

    feedback = classroom.folder / "feedback" / "ada" / LESSON / f"{LESSON}.html"
    released = list((classroom.folder / "exchange").rglob("*.html"))
    assert [path.read_text() for path in released] == [feedback.read_text()]
    student_reads(watch(offline=True), feedback)


def student_reads(watched, feedback: Path) -> None:
    """The page has the comment and the points, and nothing that is for graders."""
    page = watched.page
    page.goto(feedback.as_uri())
    expect(page.locator("body")).to_contain_text("(Score: 26.5 / 27.0)")
    comment = page.get_by_text("The example with (½, 0) is just right")
    expect(comment).to_be_visible()
    for words in FOR_GRADERS:
        assert words not in feedback.read_text()
    comment.scroll_into_view_if_needed()
    watched.shot("instructor-6-feedback")


def test_a_regrade_keeps_points_and_comment(classroom, formgrader):
    """By formgrader's button and by the course's command, after a student has handed in again."""
    watched = formgrader("gradebook")
    page = watched.page
    open_submission(watched, classroom, "dev")
    with saved(page, "comment"):
        question(page).locator("textarea").press_sequentially("Come to my office hour.")
        page.keyboard.press("Tab")
    with saved(page, "grade"):
        question(page).get_by_role("button", name="No credit").click()

    classroom.hand_in("dev", like="ada", answer=ANSWERS["dev"])
    page.goto(page.url.split("/formgrader")[0] + f"/formgrader/manage_submissions/{LESSON}")
    expect(row(page, "dev")).to_contain_text("21.52 / 27")
    press(page, "dev", "autograde")
    expect(row(page, "dev")).to_contain_text("24 / 27")
    watched.shot("instructor-7-regraded")
    assert manual(classroom, "dev") == (0.0, "Come to my office hour.")
    classroom.grade()
    assert manual(classroom, "dev") == (0.0, "Come to my office hour.")


def test_an_answer_cannot_run_scripts_in_the_graders_browser(classroom, formgrader):
    watched = formgrader("gradebook")
    open_submission(watched, classroom, "chloe")
    expect(question(watched.page)).to_contain_text("The softmax saturates.")
    assert watched.page.title() == LESSON
