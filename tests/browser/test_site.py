"""The site as a reader meets it: opened from a folder, on a desk and on a phone, by day and by night, with a screen reader's rules."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from autograde import layout
from tests import shared
from tests.browser import keyboard

PAGES = [
    "index", "lessons/03_self_attention", "students", "instructors", "authoring", "architecture", "exports", "security", "leaderboard", "changelog", "search",
    "measured/strength", "measured/benchmarks", "tour", "sample/class", "sample/feedback/dev/03_self_attention",
]  # fmt: skip
# Each page in one look, the looks in turn: templates repeat, so each is met in several, and each page's own content once.
LOOKS = [(page, *look) for page, look in zip(PAGES, itertools.cycle(itertools.product(("desk", "phone"), ("light", "dark"))))]
WIDTHS = {"desk": 1280, "phone": 390}
FORMULAS = "mjx-container svg, mjx-container[jax='SVG'] svg"
VIEWS = {  # lesson: how many views come alive in it
    "03_self_attention": 1, "04_multi_head_attention": 1, "05_positional_encoding": 1, "06_tokenization": 3, "07_gpt": 1, "08_language_mdp": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The built site."""
    return shared.built_site(tmp_path_factory)


@pytest.fixture
def opened(site, watch):
    """opened(page, width, scheme) → the page from its file, without a network, formulas drawn."""

    def opened(page: str, width: int = 1280, scheme: str = "light"):
        watched = watch(width, color_scheme=scheme, offline=True)
        watched.page.goto((site / f"{page}.html").as_uri())
        watched.page.evaluate("() => window.MathJax?.startup?.promise.then(() => null)")
        return watched

    return opened


def barriers(page) -> list[tuple]:
    """What axe finds that keeps somebody from reading the page."""
    # `preload` would fetch style sheets, which a page opened from a folder may not
    found = Axe().run(page, options={"preload": False}).response["violations"]
    nodes = [(rule["id"], rule["impact"], node["target"][0]) for rule in found for node in rule["nodes"]]
    # a column headed by a formula has a heading: screen readers read its MathML, and axe does not
    return [n for n in nodes if n[0] != "empty-table-header" or not page.locator(f"{n[2]} mjx-assistive-mml").count()]


@pytest.mark.parametrize(("page", "device", "scheme"), LOOKS)
def test_everybody_can_read_a_page(opened, page, device, scheme):
    watched = opened(page, WIDTHS[device], scheme)
    watched.shot(f"site-{page.replace('/', '-')}-{device}-{scheme}")
    assert barriers(watched.page) == []
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[device], "the page scrolls sideways"
    assert keyboard.trouble(watched.page) == []
    watched.assert_quiet()


@pytest.mark.parametrize("name", layout.lesson_names())
def test_a_lesson_shows_its_formulas_pictures_and_views(opened, name):
    watched = opened(f"lessons/{name}", WIDTHS["phone"])
    page = watched.page
    assert page.locator("mjx-merror").count() == 0
    formulas = page.locator(".math").count()
    assert formulas > 3 and page.locator(FORMULAS).count() >= formulas
    assert page.evaluate("[...document.images].filter(image => !image.alt.trim() || !image.naturalWidth).length") == 0
    views = page.locator(".cell_output [role=group]")
    assert views.count() >= VIEWS.get(name, 0)
    for view in views.all():
        assert view.locator("> img").count() == 0, "the still picture has not made place for the view"
    assert barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS["phone"], "the page scrolls sideways"
    page.set_viewport_size({"width": WIDTHS["desk"], "height": 900})
    inner = "all => all.filter(e => e.scrollHeight > e.clientHeight + 1 && getComputedStyle(e).overflowY !== 'hidden').map(e => e.textContent.slice(0, 40))"
    assert page.locator("div.math").evaluate_all(inner) == [], "a formula scrolls up and down in its box, and no key reaches it"
    watched.assert_quiet()


def test_a_view_answers_to_the_keyboard(opened):
    watched = opened("lessons/03_self_attention")
    view = watched.page.locator(".cell_output [role=group]").first
    before = view.locator("output").first.inner_text()
    view.locator("input[type=range]").first.press("ArrowRight")
    assert view.locator("output").first.inner_text() != before
    watched.shot("site-view-by-keyboard", view)


def test_the_search_finds_without_a_server(opened):
    watched = opened("search")
    watched.page.goto(watched.page.url + "?q=softmax")
    watched.page.locator("#search-results li a").first.wait_for()
    assert watched.page.locator("#search-results li a", has_text="Self-attention").count() >= 1
    found = watched.page.locator("#search-results li", has_text="Self-attention").first.locator("p.context")
    assert "softmax" in found.inner_text().lower() and len(found.inner_text()) > 60
    said = watched.page.locator("#search-results p.context").all_inner_texts()
    assert said and not any("\\" in text for text in said), "no TeX"
    whole = watched.page.evaluate("Object.values(EXCERPTS).flat().join(' ').split(' ')")
    ends = {word for text in said for word in (text.removeprefix("… ").removesuffix(" …").split()[i] for i in (0, -1))}
    assert ends <= set(whole), "a word is cut"
    watched.assert_quiet()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("sofmax", "softmax"),
        ("self atention", "self attention"),
        ("tokenisation", "tokenization"),
        ("cuasal mask", "causal mask"),
        ("Dijkstra", ""),
    ],
)
def test_a_word_that_is_spelled_nearly_right_is_offered_as_it_is_written(opened, typed, meant):
    """There was nothing but an advice to spell it correctly, and to select categories, of which there are none."""
    watched = opened("search")
    watched.page.goto(f"{watched.page.url}?q={typed}")
    status = watched.page.locator("#search-results .search-summary", has_text="No page has")
    status.wait_for()
    assert status.locator("a").all_inner_texts() == [meant] * bool(meant) and "categories" not in status.inner_text()
    if meant:
        status.locator("a").click()
        watched.page.locator("#search-results li a").first.wait_for()
    watched.assert_quiet()


def test_the_search_page_has_a_field_on_a_phone(opened):
    """The theme's own is behind a button there: who opened the page saw a heading and nothing else."""
    page = opened("search", WIDTHS["phone"]).page
    page.get_by_role("searchbox", name="Words to look for").fill("softmax")
    page.keyboard.press("Enter")
    page.locator("#search-results li a").first.wait_for()
    assert page.get_by_role("searchbox", name="Words to look for").input_value() == "softmax"


def test_the_code_of_a_figure_opens_by_keyboard(opened):
    watched = opened("lessons/03_self_attention", WIDTHS["phone"])
    summary = watched.page.locator("details.hide summary").first
    summary.press("Enter")
    assert watched.page.locator("details.hide").first.get_attribute("open") is not None


def test_the_first_page_shows_each_lesson_and_a_wide_screen_the_contents(opened):
    watched = opened("index", 1920)
    rows = watched.page.locator("table", has_text="what you write").locator("tbody tr")
    assert rows.count() == len(layout.lesson_names())
    for row in rows.all():
        assert row.locator("img").evaluate("e => e.naturalWidth") > 0 and "hour" in row.inner_text()
    lesson = opened("lessons/04_multi_head_attention", 1920).page
    assert lesson.locator(".toc-drawer").is_visible() and lesson.locator(".related-pages a").count() == 2


def test_a_formula_that_is_wider_than_a_phone_scrolls_and_shows_it(opened):
    page = opened("lessons/04_multi_head_attention", WIDTHS["phone"]).page
    wide = page.locator("div.math").evaluate_all(
        "all => all.filter(e => e.scrollWidth > e.clientWidth + 1).map(e => [getComputedStyle(e).backgroundImage, e.tabIndex])"
    )
    assert wide, "none is wide: take another lesson"
    assert all("gradient" in image and index == 0 for image, index in wide)


def test_code_and_figures_that_are_wider_than_a_phone_show_at_which_edge_there_is_more(opened):
    page = opened("lessons/03_self_attention", WIDTHS["phone"]).page
    wide = page.locator("div.highlight pre, .cell_output").evaluate_all(
        "all => all.filter(e => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1).map(e => [getComputedStyle(e).maskImage, e.className])"
    )
    assert len(wide) > 5 and all("gradient" in mask and "more-right" in name for mask, name in wide)
    first = page.locator("pre.more-right").first.element_handle()
    first.evaluate("e => { e.scrollLeft = e.scrollWidth; }")
    page.wait_for_function("e => e.matches('.more-left:not(.more-right)')", arg=first)


def test_a_figure_is_dark_on_a_dark_page(opened):
    page = opened("index", 1280, "dark").page
    assert page.locator("img").evaluate_all("all => all.every(e => getComputedStyle(e).filter.includes('invert'))")


def test_the_first_pages_table_needs_no_scrolling_on_a_phone(opened):
    page = opened("index", WIDTHS["phone"]).page
    assert page.locator(".table-wrapper").first.evaluate("e => e.scrollWidth <= e.clientWidth")


@pytest.mark.parametrize("name", ["exports", "instructors", "leaderboard"])
def test_an_option_is_in_one_piece_on_a_phone(opened, name):
    """`--format` once ended a line behind its first hyphen, and nobody could have typed what was read; in sentences it did so longer."""
    page = opened(name, WIDTHS["phone"]).page
    options = page.locator(":is(td, p, li) code .pre", has_text=re.compile("^--"))
    lines = "e => { const range = document.createRange(); range.selectNodeContents(e); return new Set([...range.getClientRects()].map(r => Math.round(r.top))).size; }"
    assert options.count() >= 1 and [option.inner_text() for option in options.all() if option.evaluate(lines) != 1] == []
