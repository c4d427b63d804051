"""A lecturer with a lesson's slides: opened from a folder without a network, by keyboard, with formulas, a live view and notes."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from autograde import layout
from autograde.site import slides

LESSON = "04_multi_head_attention"
SLACK = 25  # px that a slide may be longer than the screen, of its margin: it scrolls
READ = (0, 1, 3, 8)  # the first one, a formula, a figure, an exercise: what axe looks at
OVER = "(() => { const e = Reveal.getCurrentSlide(); return Math.max(e.scrollHeight - e.clientHeight, e.scrollWidth - e.clientWidth); })()"


@pytest.fixture(scope="module")
def deck(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slides")
    return slides.build(folder, [LESSON])[0]


SIZES = """[...Reveal.getCurrentSlide().querySelectorAll('.jp-OutputArea pre')]
  .map(text => [parseFloat(getComputedStyle(text).fontSize), text.scrollWidth <= text.clientWidth + 1])"""
BACKGROUND = "getComputedStyle(document.querySelector('.reveal-viewport')).backgroundColor"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_lesson_is_shown_from_its_slides(watch, deck, scheme):
    watched = watch(1280, 720, offline=True, color_scheme=scheme)
    page = watched.page
    page.goto(deck.as_uri())
    page.evaluate("() => MathJax.startup.promise.then(() => null)")
    assert page.locator("mjx-merror").count() == 0 and page.locator("mjx-container svg").count() > 10
    total, long, views = page.evaluate("Reveal.getTotalSlides()"), [], 0
    for number in range(total):
        if (over := page.evaluate(OVER)) > SLACK:
            long.append((number, over))
        views += page.locator("section.present [role=group] button").count() > 0
        if number in (0, 3):
            watched.shot(f"slides-{number}-{scheme}")
        if number in READ:
            page.wait_for_timeout(1000)  # until the slide stands still: colours in passing are not judged
            assert [
                (rule["id"], rule["nodes"][0]["target"]) for rule in Axe().run(page, options={"preload": False}).response["violations"]
            ] == []
        before = page.evaluate("Reveal.getSlidePastCount()")
        page.keyboard.press("Space")
        if number < total - 1:
            assert page.evaluate("Reveal.getSlidePastCount()") == before + 1
    assert long == [] and views >= 1
    assert page.evaluate(BACKGROUND) == {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 17, 17)"}[scheme]
    assert page.locator("aside.notes").count() == total
    assert page.evaluate("Reveal.getPlugin('notes') !== undefined")
    watched.assert_quiet()


def test_the_speakers_window_has_the_notes_and_each_formula_once(watch, deck):
    page = watch(1280, 720, offline=True).page
    page.goto(deck.as_uri())
    page.evaluate("() => MathJax.startup.promise.then(() => null)")
    with page.expect_popup() as opened:
        page.keyboard.press("s")
    notes = opened.value.locator(".speaker-controls-notes .value")
    page.evaluate(
        "(({h, v}) => Reveal.slide(h, v))(Reveal.getIndices(document.querySelector('aside.notes mjx-container').closest('section')))"
    )
    expect(notes.locator("mjx-container svg").first).to_be_visible()
    doubled = "all => all.filter(e => e.getBoundingClientRect().width > 1).length"
    assert len(notes.inner_text().split()) > 10 and notes.locator("mjx-assistive-mml").evaluate_all(doubled) == 0


def test_paper_is_white_and_figures_are_as_they_were_drawn(watch, deck):
    page = watch(1280, 720, offline=True, color_scheme="dark").page
    for address, turned in ((deck.as_uri(), True), (f"{deck.as_uri()}?print-pdf", False)):
        page.goto(address)
        page.wait_for_function("document.querySelector('.jp-OutputArea img')")  # for paper the slides are taken out and put into pages
        filters = page.evaluate("[...document.querySelectorAll('.jp-OutputArea img')].map(e => getComputedStyle(e).filter)")
        assert filters and all((value != "none") is turned for value in filters)
    page.emulate_media(media="print")
    assert page.evaluate(BACKGROUND) == "rgb(255, 255, 255)"


@pytest.mark.parametrize("lesson", ["01_sample_based_planning", "07_gpt"])
def test_on_paper_a_slide_is_one_page_and_no_notes_lie_on_it(watch, tmp_path, lesson):
    """A picture went on over the next page, and reveal's own form of notes covers the lower half of their slide."""
    [asked] = re.findall(r"`(\?print-pdf[^`]*)`", (layout.ROOT / "docs" / "instructors.md").read_text(encoding="utf-8"))
    page = watch(1280, 720, offline=True).page
    page.goto(slides.build(tmp_path, [lesson])[0].as_uri() + asked)
    page.wait_for_function("Reveal.isReady() && document.querySelectorAll('.pdf-page').length > 20")
    total = page.evaluate("document.querySelectorAll('.pdf-page section').length")
    assert (
        page.locator(".speaker-notes-pdf").count() == total
        and page.locator(".pdf-page .speaker-notes-pdf:not([data-layout=separate-page])").count() == 0
    )
    high = "[...document.querySelectorAll('.pdf-page')].filter(e => e.offsetHeight > 760).map(e => e.innerText.slice(0, 40))"
    assert page.evaluate(high) == []


def test_what_was_printed_is_read_from_the_last_row(watch, tmp_path):
    """Three short lines stood there in 18 px, with two thirds of the slide empty."""
    page = watch(1280, 720, offline=True).page
    page.goto(slides.build(tmp_path, ["01_sample_based_planning"])[0].as_uri())
    page.evaluate("(({h, v}) => Reveal.slide(h, v))(Reveal.getIndices(document.querySelector('.jp-OutputArea pre').closest('section')))")
    text = page.locator("section.present .jp-OutputArea pre").first
    assert text.evaluate("e => [parseFloat(getComputedStyle(e).fontSize) >= 28, e.scrollWidth <= e.clientWidth]") == [True, True]


def test_long_lines_that_were_printed_are_broken_before_they_are_too_small(watch, tmp_path):
    """Lines of 140 characters stood there in 15 px, above an empty half of the slide."""
    page = watch(1280, 720, offline=True).page
    page.goto(slides.build(tmp_path, ["07_gpt"])[0].as_uri())
    sizes = []
    for number in range(page.evaluate("Reveal.getTotalSlides()")):
        sizes += [[number, *found] for found in page.evaluate(SIZES)]
        page.keyboard.press("Space")
    assert len(sizes) > 6 and [number for number, size, whole in sizes if size < 20 or not whole] == []


@pytest.mark.parametrize("lesson", [name for name in layout.lesson_names() if name != LESSON])
def test_every_slide_of_every_lesson_fits(watch, tmp_path, lesson):
    page = watch(1280, 720, offline=True).page
    page.goto(slides.build(tmp_path, [lesson])[0].as_uri())
    page.evaluate("() => MathJax.startup.promise.then(() => null)")
    long, total = [], page.evaluate("Reveal.getTotalSlides()")
    for number in range(total):
        if (over := page.evaluate(OVER)) > SLACK:
            long.append((number, over))
        page.keyboard.press("Space")
    assert long == [] and page.locator("mjx-merror").count() == 0 and page.locator("aside.notes").count() == total
    assert page.evaluate("[...document.images].every(image => !image.complete || image.naturalWidth > 0)")
