"""A student in JupyterLab on a shared machine: fetches a lesson from nbgrader's exchange and hands it in, by buttons."""

from __future__ import annotations

import pytest

from autograde import layout
from autograde.authoring.sample_class import LESSON

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect

from tests.browser.lab import Lab  # noqa: E402
from tests.classroom import Classroom, Student, write  # noqa: E402


@pytest.fixture
def student(browser, tmp_path, monkeypatch):
    """ada, to whom lesson 03 is released."""
    exchange = tmp_path / "exchange"
    exchange.mkdir()
    monkeypatch.setenv("NBGRADER_EXCHANGE", str(exchange))
    Classroom(tmp_path / "class", tmp_path / "instructor", "03").nbgrader("release_assignment", LESSON)
    return Student.enrolled("ada", tmp_path / "ada", exchange)


def test_a_lesson_is_fetched_and_handed_in(student, watch, tmp_path):
    lab = Lab(student.home / "work", student.home)
    try:
        watched = watch()
        page = watched.page
        page.goto(lab.address("lab?reset"))
        page.locator(".lm-MenuBar-item", has_text="Nbgrader").click()
        page.locator(".lm-Menu-itemLabel", has_text="Assignment List").click()
        page.get_by_text("Fetch", exact=True).click()
        expect(page.get_by_text("Submit", exact=True)).to_be_visible()
        assert student.notebook.read_bytes() == (layout.NOTEBOOKS / f"{LESSON}.ipynb").read_bytes()
        write(student.notebook, "ada", "It saturates.")
        page.get_by_text("Submit", exact=True).click()
        expect(page.locator("#submitted_assignments_list")).to_contain_text(LESSON)
        watched.shot("student-10-handed-in")
    finally:
        lab.close()
    (received,) = (tmp_path / "exchange").glob(f"attention/inbound/*/{LESSON}.ipynb")
    assert received.read_bytes() == student.notebook.read_bytes()
