"""A grader on the page for written answers: by keyboard and by mouse, reloaded in the middle, with another grader, after the server was gone."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import closing

import pytest
from axe_playwright_python.sync_playwright import Axe
from nbgrader.api import Gradebook

from autograde import layout
from autograde.grader.gradebook.record import Records
from autograde.grader.written.answers import Answers, Mark
from tests import written
from tests.browser import contrast, keyboard
from tests.classroom import environment

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect


class Desk:
    """`autograde written` on a class of its own."""

    def __init__(self, folder, home) -> None:
        self.folder, self._home = folder, home
        self.start()

    def start(self, port: str = "0") -> None:
        command = [sys.executable, "-u", "-m", "autograde", "written", str(self.folder), "--no-browser", "--port", port]
        self.process = subprocess.Popen(command, cwd=layout.ROOT, env=environment(self._home), stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().split()[-1]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=60)
        return self.process.returncode

    def given(self) -> dict[str, tuple[float | None, str | None]]:
        """What nbgrader's gradebook says, by student."""
        with Gradebook(f"sqlite:///{self.folder / 'gradebook.db'}") as gradebook:
            notebooks = [s.notebooks[0] for s in gradebook.assignment_submissions(written.LESSON)]
            grades = {n.student.id: g.manual_score for n in notebooks for g in n.grades if g.name == written.QUESTION}
            said = {n.student.id: c.manual_comment for n in notebooks for c in n.comments if c.name == written.QUESTION}
        return {student: (points, said[student]) for student, points in grades.items()}


@pytest.fixture
def desk(tmp_path):
    desk = Desk(written.course(tmp_path / "class"), tmp_path / "home")
    yield desk
    assert desk.stop() == 0


def saved(page, points: str) -> None:
    expect(page.locator("#state")).to_have_text(f"Saved: {points}.")


def names_shown(page) -> None:
    page.get_by_label("Show names").check()
    expect(page.locator("#who")).not_to_contain_text("Answer")


def test_a_class_is_graded_by_keyboard_and_nothing_is_lost(desk, watch):
    watched = watch()
    page = watched.page
    page.goto(desk.address)
    expect(page.locator("#done")).to_have_text("0 of 4 graded, 1 blank (0 points)")
    names_shown(page)
    order = []
    for number in range(4):
        student = page.locator("#who").inner_text()
        order.append(student)
        page.keyboard.press("1")
        saved(page, "1 point")
        page.keyboard.press("4")
        saved(page, "1.5 points")
        page.keyboard.press("3")  # of the same part: the whole point takes the half's place
        saved(page, "2 points")
        if number == 0:
            page.keyboard.press("c")
            page.keyboard.type("Say what becomes of the gradient.")
            page.reload()  # between the last key and its request
            expect(page.get_by_label("Comment for the student")).to_have_value("Say what becomes of the gradient.")
            expect(page.get_by_label("Points", exact=True)).to_have_value("2")
            assert page.locator("[aria-pressed=true]").count() == 2
            names_shown(page)
            expect(page.locator("#who")).to_have_text(student)
        else:
            page.get_by_role("button", name="Say what becomes of the gradient.").click()
            expect(page.get_by_label("Comment for the student")).to_have_value("Say what becomes of the gradient.")
            saved(page, "2 points")
        if number == 0:
            page.keyboard.press("c")
            page.keyboard.press("End")
            page.keyboard.press("Control+Enter")  # leaves the comment as it is
        else:
            page.keyboard.press("n")
        if number < 3:
            expect(page.locator("#who")).not_to_have_text(student)
    expect(page.locator("#done")).to_have_text("4 of 4 graded, 1 blank (0 points)")
    expect(page.locator("#question option:checked")).to_contain_text("(done)")
    expect(page.get_by_role("button", name="Next ungraded")).to_be_disabled()
    assert sorted(order) == ["ada", "chloe", "dev", "eve"] != order, "without names, and not in the order of names"
    assert desk.given() == {s: (2.0, "Say what becomes of the gradient.") for s in order} | {"ben": (None, None)}
    watched.assert_quiet()


def test_answers_show_formulas_and_cannot_act(desk, watch):
    watched = watch(width=1280)
    page = watched.page
    page.goto(desk.address)
    page.get_by_role("button", name="No points").click()
    saved(page, "0 points")
    names_shown(page)
    shown = {}
    page.get_by_role("button", name="Previous").click()
    expect(page.get_by_role("button", name="Previous")).to_be_disabled()
    for number in range(5):
        student = page.locator("#who").inner_text()
        shown[student] = (page.locator("#answer math").count(), page.locator("#answer").inner_text())
        if number < 4:
            page.get_by_role("button", name="Next →").click()
            expect(page.locator("#who")).not_to_have_text(student)
    assert shown["ada"][0] == 2 and "The softmax saturates." in shown["chloe"][1] and "Nothing was written" in shown["ben"][1]
    assert page.title() == "Written answers"
    watched.assert_quiet()  # a picture elsewhere, too, would tell who reads what when


def test_another_grader_and_a_server_that_went_away(desk, watch):
    first, second = watch().page, watch().page
    for page in (first, second):
        page.goto(desk.address)
        expect(page.locator("#who")).to_contain_text("Answer")
    first.keyboard.press("1")
    saved(first, "1 point")
    second.keyboard.press("4")
    expect(second.locator("#trouble")).to_contain_text("Somebody else")
    expect(second.get_by_label("Points", exact=True)).to_have_value("1")
    second.keyboard.press("3")
    saved(second, "2 points")

    port = desk.address.split(":")[2].split("/")[0]
    assert desk.stop() == 0
    second.keyboard.press("0")
    expect(second.locator("#trouble")).to_contain_text("Not saved")
    expect(second.get_by_label("Points", exact=True)).to_have_value("0")
    desk.start(port)
    assert 2.0 in [points for points, _ in desk.given().values()]


def test_an_answer_that_changed_after_it_was_graded_is_shown_again_and_said_to_be_so(desk, watch):
    with closing(Answers(desk.folder)) as answers:
        [asked] = answers.questions().values()
        for one in asked:
            answers.give(one.id, Mark(1.0, ""), [], one.mark)
        with closing(Records(desk.folder)) as records:
            for student in ("dev", "eve"):
                written.hand_in(records, student, "I know more now.")
    watched = watch(1280)
    page = watched.page
    page.goto(desk.address)
    expect(page.locator("#done")).to_have_text("3 of 5 graded")
    for key, done in (("k", 4), ("1", 5)):  # its points stay; others are given
        expect(page.locator("#answer")).to_have_text("I know more now.")
        expect(page.locator("#changed")).to_be_visible()
        if done == 4:
            page.screenshot(path=watched.shot("written-changed"), full_page=True)
            assert keyboard.trouble(page) == [] and Axe().run(page).response["violations"] == []
        page.keyboard.press(key)
        expect(page.locator("#done")).to_have_text(f"{done} of 5 graded")
        expect(page.locator("#changed")).to_be_hidden()
        page.keyboard.press("n")
    page.keyboard.press("n")
    expect(page.locator("#question option:checked")).to_contain_text("(done)")
    watched.assert_quiet()


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light"), (1920, "dark")])
def test_everybody_can_use_it(desk, watch, width, scheme):
    watched = watch(width, color_scheme=scheme)
    page = watched.page
    page.goto(desk.address)
    names_shown(page)
    page.keyboard.press("1")
    saved(page, "1 point")
    page.locator("summary").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "the page scrolls sideways"
    assert keyboard.trouble(page) == []
    found = Axe().run(page).response["violations"]
    assert [(v["id"], v["impact"], v["nodes"][0]["target"]) for v in found] == []
    assert contrast.faint(page.locator("button, label, summary, p, h2, #done")) == []
    page.screenshot(path=watched.shot(f"written-{width}-{scheme}"), full_page=True)


WIDE = (
    "$$"
    + " + ".join(f"\\sqrt{{x_{{{i}}}}}" for i in range(40))
    + "$$\n\n```\n"
    + "wide " * 60
    + "\n```\n\n|"
    + " wide |" * 30
    + "\n|"
    + "---|" * 30
    + "\n"
)


def test_what_is_wider_than_a_phone_is_reached_and_scrolled_by_keyboard(tmp_path, watch):
    """Arrow keys scroll a formula that has the focus, and go to another answer elsewhere; Caps Lock does not matter."""
    desk = Desk(written.course(tmp_path / "class", {"ada": WIDE, "ben": WIDE}), tmp_path / "home")
    page = watch(390).page
    page.goto(desk.address)
    expect(page.locator("#who")).to_contain_text("Answer")
    page.locator("#question option").first.evaluate(
        "e => { e.textContent = 'GPT: from blocks to a trained language model (300 to grade)'; }"
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, "the page scrolls sideways"
    wide = page.locator("#answer [tabindex='0']")
    assert sorted(wide.evaluate_all("all => all.map(e => e.localName)")) == ["math", "pre", "table"]
    assert keyboard.trouble(page) == [] and Axe().run(page).response["violations"] == []
    before = page.locator("#who").inner_text()
    for _ in range(3):
        wide.first.press("ArrowRight")
        page.wait_for_timeout(200)  # scrolling is smooth
    assert wide.first.evaluate("e => e.scrollLeft") > 0
    assert page.locator("#who").inner_text() == before
    page.locator("#next:enabled, #previous:enabled").press("Enter")
    expect(page.locator("#who")).not_to_have_text(before)
    page.keyboard.press("C")
    expect(page.get_by_label("Comment")).to_be_focused()
    assert desk.stop() == 0
