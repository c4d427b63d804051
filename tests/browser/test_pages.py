"""The pages that grading makes, in a browser: short on a phone where one thing is wrong, read by everybody, light and dark, wide and narrow."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from autograde import layout
from autograde.checking.lesson import read_manifest
from autograde.checking.runner import Outcome
from autograde.checking.scoring import Result
from autograde.grader.gradebook import roster
from autograde.grader.gradebook.roster import Person
from autograde.grader.gradebook.standing import Entry, Standing
from autograde.grader.pages import answers_page, class_page, feedback_page, likeness_page, terms
from autograde.grader.pages.likeness import Evidence, Kind, Likeness
from autograde.grader.results import csv_tables
from autograde.grader.results.model import Graded
from autograde.progress import read_all
from autograde.progress_page import page as progress_page
from tests.browser import broken_words, keyboard

LESSON, WRONG = "03_self_attention", "attention_scores"
LOOKS = [(390, "dark"), (1280, "light"), (1920, "dark")]
BUILD_ON_IT = ("scaled_dot_product_attention", "SelfAttention", "attention_backward", "streaming_attention")
BUILDS = "Checked with a right answer to `attention_scores` in place of yours, so that the earlier mistake costs its points once."
SAID = "For q (3, 10) and k (5, 10): wrong values: 15 of 15 values are off; furthest at index [1, 0]: expected 2.31217, got 7.31173"


def one_mistake() -> Graded:
    """A whole lesson, right but for one exercise with five failing checks, whose mistake the course knows, and on which four build."""
    results = []
    for name, exercise in read_manifest(LESSON)["exercises"].items():
        outcomes = [Outcome(f"t{i}", "Rows sum to one, whatever the lengths of queries and keys.", "passed", 1, i > 5) for i in range(8)]
        if name == WRONG:
            wrong = [Outcome(f"w{i}", "The scale is that of the vectors' length.", "failed", 1, i > 2, "wrong", SAID) for i in range(5)]
            results.append(
                Result(name, 0.52, exercise["points"], "partial", wrong + outcomes, "These are scores that are not divided by √d_k.")
            )
        else:
            results.append(Result(name, exercise["points"], exercise["points"], "passed", outcomes, BUILDS if name in BUILD_ON_IT else ""))
    return Graded("dev", LESSON, "graded", results)


def in_gradebook(graded: Graded) -> Standing:
    """Late, with points that a person changed, and a comment."""
    by_hand = {WRONG: 1.5}
    exercises = [
        Entry(r.exercise, by_hand.get(r.exercise, r.score), r.points, r.score, by_hand.get(r.exercise), 0.0, "", False)
        for r in graded.results
    ]
    written = Entry("written_question", 2.0, 3.0, None, 2.0, 0.0, "Say what becomes of the gradient.", True)
    return Standing("dev", "Dev Rao", LESSON, (*exercises, written), 19.6, 27.0, 4.9, 112320.0, 0.0)


def readable(watched, path, width: int, name: str):
    page = watched.page
    page.goto(path.as_uri())
    watched.shot(name)
    assert Axe().run(page, options={"preload": False}).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "the page scrolls sideways"
    assert keyboard.trouble(page) == []
    assert broken_words.broken(page) == []
    watched.assert_quiet()
    return page


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_a_page_about_one_mistake_is_short_and_begins_with_it(watch, tmp_path, width, scheme):
    graded = one_mistake()
    path = feedback_page.save(graded, tmp_path, in_gradebook(graded))
    page = readable(watch(width, color_scheme=scheme), path, width, f"feedback-{width}-{scheme}")
    assert page.evaluate("document.documentElement.scrollHeight") < 2000
    first = page.locator("section").first
    assert first.get_attribute("id") == WRONG
    page.get_by_role("navigation").get_by_role("link", name="written answer").click()
    assert page.locator("#written_question").evaluate(
        "e => { const r = e.getBoundingClientRect(); return r.top >= -1 && r.top < innerHeight; }"
    )


def test_what_is_folded_on_a_screen_is_on_paper(watch, tmp_path):
    """Of what went wrong: people print a page to write on it."""
    graded = one_mistake()
    page = watch(718).page
    page.goto(feedback_page.save(graded, tmp_path, in_gradebook(graded)).as_uri())
    folded = page.locator(f"#{WRONG} details li").first
    assert not folded.evaluate("e => e.checkVisibility()")
    page.emulate_media(media="print")
    assert folded.evaluate("e => e.checkVisibility()")
    assert not page.locator(".passed details li, details.line li").first.evaluate("e => e.checkVisibility()"), "what passed takes no paper"


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_page_of_equalities_is_read_by_everybody(watch, tmp_path, width, scheme):
    shown = "40 tokens; names: " + ", ".join(f"name_{i}" for i in range(20))
    found = [Likeness(("ada", "ben"), [Evidence(LESSON, WRONG, kind, shown, 2, 40) for kind in Kind])]
    path = likeness_page.save(found, tmp_path, {"ada": "Ada Lovelace"})
    readable(watch(width, color_scheme=scheme), path, width, f"likenesses-{width}-{scheme}")


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_page_of_progress_is_read_by_everybody(watch, tmp_path, width, scheme):
    path = tmp_path / "progress.html"
    (tmp_path / "attention/notebooks").mkdir(parents=True)
    copied = shutil.copy(layout.NOTEBOOKS / f"{LESSON}.ipynb", tmp_path / "attention/notebooks")
    path.write_text(progress_page(read_all([Path(copied), layout.NOTEBOOKS])).replace("<details>", "<details open>"), encoding="utf-8")
    page = readable(watch(width, color_scheme=scheme), path, width, f"progress-{width}-{scheme}")
    page.set_viewport_size({"width": 320, "height": 640})  # as at 400 %
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert broken_words.broken(page) == []


def many_mistakes() -> list[Graded]:
    """A class in which some pass, some make the same mistake, and some stop with an error or in no time."""
    kinds = [
        ("passed", 1.5, "", ""),
        ("failed", 0.0, "wrong", SAID),
        ("error", 0.0, "error", "ValueError: " + SAID),
        ("error", 0.0, "error", "TypeError: " + SAID),
        ("timeout", 0.0, "timeout", SAID),
    ]
    made = []
    for number in range(24):
        status, score, outcome, said = kinds[number % len(kinds) if number < 20 else 0]
        outcomes = [Outcome("t", "Rows sum to one.", outcome, 1, False, said, "got 7")] if outcome else []
        results = [Result("causal_mask", score, 1.5, status, outcomes), Result("padding_mask", 0.0, 1.5, "not_attempted")]
        made.append(Graded(f"s{number:02}", LESSON, "graded", results))
    return made


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_class_and_its_answers_are_read_by_everybody(watch, tmp_path, width, scheme):
    """With sections, something worth a look, names longer than a column, and who handed in nothing."""
    graded = [*many_mistakes(), Graded("lena", LESSON, "unreadable", [], "the file is empty")]
    (tmp_path / "attention-2027").mkdir()
    for folder, pupils in ((tmp_path / "attention-2027", graded[3:]), (tmp_path, graded)):
        csv_tables.save(pupils, folder)
    terms.keep(tmp_path, str(tmp_path / "attention-2027"), lambda _: [])
    people = [Person(g.student, f"{g.student.title()} of a long name", "AB"[i % 2], "") for i, g in enumerate(graded)]
    (tmp_path / roster.FILE).write_text("student_id,name,section,email\n" + "".join(f"{p.student},{p.name},{p.section},\n" for p in people))
    code = {
        "causal_mask": "def causal_mask(n, device=None):\n    return torch.ones(n, n, dtype=torch.bool, device=device).tril(-1)  # long"
    }
    forms = {"causal_mask": "one form"}  # of every other one: the rest wrote it in ways of their own
    sheets = answers_page.sheets(a for i, g in enumerate(graded) for a in answers_page.of(g, code, forms if i % 8 < 4 else None))
    for sheet in sheets:
        answers_page.save(sheet, tmp_path, {p.student: p.name for p in people})
    watched = watch(width, color_scheme=scheme)
    page = readable(watched, class_page.save(tmp_path, sheets=sheets), width, f"class-{width}-{scheme}")
    assert page.get_by_text("nobody began it").first.is_visible()
    compared = page.get_by_role("region", name="compared with attention-2027")
    compared.scroll_into_view_if_needed()
    watched.shot(f"terms-{width}-{scheme}")
    page.get_by_role("radio", name="A", exact=True).press("Space")
    assert page.locator("table.heat tbody tr:visible").count() == 13
    page.get_by_role("radio", name="all sections").press("Space")
    in_other_orders(page)
    readable(watch(width, color_scheme=scheme), tmp_path / answers_page.path_of(LESSON, "causal_mask"), width, f"answers-{width}-{scheme}")


def test_an_id_wider_than_a_phone_does_not_push_the_page(watch, tmp_path):
    """As an address of a university is, where no list says a name; of who needs help, and of who handed in nothing."""
    long = "maximiliane" * 6 + "@students.example.org"
    graded = [*many_mistakes(), Graded(long, LESSON, "unreadable", [], "the file is empty"), Graded("x" + long, LESSON, "missing", [])]
    csv_tables.save(graded, tmp_path)
    page = watch(390).page
    page.goto(class_page.save(tmp_path).as_uri())
    page.locator("summary", has_text="handed in nothing").click()
    assert page.locator("summary", has_text="1 handed in nothing").is_visible() and long in page.content()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, "the page scrolls sideways"


def in_other_orders(page) -> None:
    """Chosen by keyboard; the heading says which it is."""
    names = page.locator("table.heat tbody th")
    weakest_first = names.all_inner_texts()
    for order, expected in [
        ("by name", sorted(weakest_first)),
        ("the strongest first", None),
        ("by state", None),
        ("the weakest first", weakest_first),
    ]:
        page.get_by_label("Order").select_option(
            label=next(o for o in page.locator(".sort option").all_inner_texts() if o.startswith(order))
        )
        assert order in page.locator("summary", has_text="students, ").inner_text()
        found = names.all_inner_texts()
        assert sorted(found) == sorted(weakest_first) and (expected is None or found == expected)
        if order == "by state":
            assert found[0].startswith("Lena"), "who could not be read comes first"


def test_a_control_without_a_visible_focus_or_out_of_reach_is_found(watch):
    page = watch().page
    page.set_content(
        '<a href="#x">link</a> <button style="outline: none">bare</button> <input type="radio" name="r"> <input type="radio" name="r">'
    )
    assert keyboard.trouble(page) == ["no focus to see: bare"]
    trap = "onkeydown=\"if (event.key === 'Tab') event.preventDefault()\""
    page.set_content(f"<button {trap}>trap</button> <button>behind</button>")
    assert keyboard.trouble(page) == ["Tab does not reach: behind"]
