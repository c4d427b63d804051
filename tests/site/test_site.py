"""The site: no answer in it, nothing fetched from elsewhere, no broken link, words for every picture, headings in order."""

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from autograde import layout
from autograde.authoring import source
from autograde.site import build, lessons
from tests import shared
from utils.themes import FIGURE

LESSONS = layout.lesson_names()
LONG_ENOUGH = 24  # characters of a line that says something
LOADED = {"img": "src", "script": "src", "link": "href", "iframe": "src", "source": "src", "audio": "src", "video": "src", "object": "data"}
pytestmark = pytest.mark.filterwarnings("ignore")  # Sphinx's extensions


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """All that Sphinx is given."""
    folder = tmp_path_factory.mktemp("pages") / "pages"
    build.gather(folder)
    return folder


@pytest.fixture(scope="module")
def said(pages):
    """Every page by its name, with everything that it says, pictures left out."""
    return {page.name: words_of(page) for page in [*pages.rglob("*.ipynb"), *pages.rglob("*.md")]}


@pytest.fixture(scope="module")
def public():
    """What students have in their hands anyway."""
    notebooks = [words_of(path) for path in layout.NOTEBOOKS.glob("*.ipynb")]
    return "\n".join([*notebooks, *(path.read_text(encoding="utf-8") for path in layout.CHECKS.glob("*.py"))])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site; a warning of Sphinx (a link to nowhere, a formula that is none) fails it."""
    return shared.built_site(tmp_path_factory)


def words_of(page: Path) -> str:
    text = page.read_text(encoding="utf-8")
    said = "\n".join(strings(json.loads(text))) if page.suffix == ".ipynb" else text
    return re.sub(r"[A-Za-z0-9+/]{200,}={0,2}", "", said)


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and all(isinstance(item, str) for item in value):
        yield "".join(value)
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings(item)


def long_lines(text: str) -> set[str]:
    return {
        line.strip()
        for line in text.splitlines()
        if len(line.strip()) > LONG_ENOUGH and not line.strip().startswith(("#", "import ", "from "))
    }


def answers(name: str) -> set[str]:
    """The lines between solution marks that no student is given elsewhere; one that only begins a call (`x = f(`) says too little."""
    inside, given = set(), set()
    for cell in source.read(layout.source_path(name)).cells:
        parts = cell.source.split(source.BEGIN)
        given |= long_lines(parts[0])
        for part in parts[1:]:
            answer, _, rest = part.partition(source.END)
            inside |= {line for line in long_lines(answer) if not line.endswith("(")}
            given |= long_lines(rest)
    return inside - given


@pytest.mark.parametrize("name", LESSONS)
def test_no_line_of_an_answer_is_shown(said, name):
    secret = answers(name)
    assert len(secret) > 40
    for page, text in said.items():
        assert source.BEGIN not in text or page == "authoring.md"  # which teaches how marks are written
        assert [line for line in secret if line in text] == [], page


@pytest.mark.parametrize("name", LESSONS)
def test_no_hidden_test_and_no_misconception_is_shown(said, public, name):
    files = layout.hidden_path(name), layout.misconceptions_path(name)
    secret = {line for path in files for line in long_lines(path.read_text(encoding="utf-8")) if line not in public}
    assert len(secret) > 100
    for page, text in said.items():
        assert [line for line in secret if line in text] == [], page


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_is_shown_with_its_figures(pages, name):
    cells = nbformat.read(pages / "lessons" / f"{name}.ipynb", 4).cells
    assert cells[0].source.startswith("# ")
    shown = [cell for cell in cells if cell.get("outputs")]
    assert sum("image/png" in o.get("data", {}) or "text/html" in o.get("data", {}) for cell in shown for o in cell.outputs) >= 4
    assert not any("check(" in cell.source for cell in shown)


def test_a_picture_without_words_is_refused():
    picture = nbformat.v4.new_output("display_data", {"image/png": "AAAA"})
    cell = nbformat.v4.new_code_cell("plots.draw()", outputs=[picture])
    with pytest.raises(lessons.PageError, match="without alternative text"):
        lessons._carry_alternative_text("03_self_attention", cell)
    picture.metadata = {"image/png": {"alt": "A line"}}
    cell.outputs.append(nbformat.v4.new_output("display_data", {"text/html": "<div><svg></svg></div>"}))
    with pytest.raises(lessons.PageError, match="without alternative text"):
        lessons._carry_alternative_text("03_self_attention", cell)


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match="name a new folder"):
        build.build(tmp_path)
    assert (tmp_path / "thesis.tex").exists()


class Page(HTMLParser):
    """What a built page links to, loads, shows and is divided into."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links, self.loads, self.anchors, self.headings, self.mute = [], [], set(), [], 0
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.anchors.add(given.get("id"))
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag in LOADED and given.get(LOADED[tag]):
            self.loads.append(given[LOADED[tag]])
        self.mute += tag == "img" and not given.get("alt", "").strip()
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))


@pytest.fixture(scope="module")
def parsed(site):
    return {path: Page(path) for path in site.rglob("*.html")}


@pytest.mark.slow
def test_a_build_leaves_nothing_beside_the_site(site):
    """myst-nb keeps every notebook's pictures there: in a checkout git found 150 new files."""
    assert not (site.parent / "jupyter_execute").exists()


@pytest.mark.slow
def test_nothing_is_loaded_from_elsewhere(site, parsed):
    for path, page in parsed.items():
        for address in page.loads:
            scheme, host, file, *_ = urlsplit(address)
            assert scheme in ("", "data") and not host, f"{path.name} loads {address}"
            assert scheme == "data" or (path.parent / unquote(file)).exists(), f"{path.name} loads {address}, which is not there"
    for style in site.rglob("*.css"):
        assert not re.search(r"(url\(\s*['\"]?|@import\s+['\"]?)(https?:)?//", style.read_text(encoding="utf-8")), style.name


@pytest.mark.slow
def test_every_link_within_the_site_leads_somewhere(parsed):
    for path, page in parsed.items():
        for address in page.links:
            scheme, host, file, _, anchor = urlsplit(address)
            if scheme or host:
                assert scheme in ("https", "http", "mailto"), address
                continue
            target = (path.parent / unquote(file)).resolve() if file else path
            assert target.exists(), f"{path.name}: {address}"
            if anchor and target in parsed:
                assert unquote(anchor) in parsed[target].anchors, f"{path.name}: {address}"


@pytest.mark.slow
def test_every_picture_has_words_and_headings_stand_in_order(parsed):
    for path, page in parsed.items():
        assert page.mute == 0, path.name
        assert page.headings[0] == 1 and page.headings.count(1) == 1, path.name
        assert all(deeper <= level + 1 for level, deeper in zip(page.headings, page.headings[1:])), f"{path.name}: {page.headings}"


def test_the_first_page_gets_a_figure_and_the_time_of_each_lesson(tmp_path):
    page = new_notebook(cells=[new_markdown_cell("# 03\n\n*Needs: nothing · about 2 hours · 24 points*"), new_code_cell("draw()")])
    page.cells[1].outputs = [new_output("display_data", {"image/png": "AAAA"})]
    page.cells[1].metadata["mystnb"] = {"image": {"alt": "a | b [c]"}}
    index = "| lesson | what you write |\n| --- | --- |\n| [03](../notebooks/03_self_attention.ipynb) | masks |\nThe end"
    shown = build.with_figures(index, {"03_self_attention": page}, tmp_path).splitlines()
    assert shown[2] == "| ![a / b (c)](images/lesson-03.png) | [03](../notebooks/03_self_attention.ipynb) | masks | 2 hours |"
    assert (
        {line.count("|") for line in shown[:3]} == {5} and shown[3] == "The end" and (tmp_path / "lesson-03.png").read_bytes() == b"\0\0\0"
    )


def test_a_figure_is_a_file_and_a_view_stays_a_view():
    """Both come as HTML too: the figure's is the same picture, for dark notebooks."""
    png = {"image/png": "AAAA"}
    figure = new_output("display_data", {**png, "text/html": f'<img class="{FIGURE}" alt="x" src="data:image/png;base64,AAAA">'})
    view = new_output("display_data", {**png, "text/html": "<div role=group></div>"})
    assert list(lessons._one_form(figure).data) == ["image/png"] and list(lessons._one_form(view).data) == ["text/html"]


SAMPLE = sorted((build.DOCS / "sample").rglob("*.html"))


def test_sample_pages_show_a_class_and_no_answers():
    """Their links lead to each other, and the code that the sample students wrote is not in them."""
    assert {"class.html", "likenesses.html"} <= {page.name for page in SAMPLE} and len(SAMPLE) > 15
    secret = {line for line in answers("03_self_attention") if len(line) > LONG_ENOUGH + 8}
    for page in SAMPLE:
        text = html.unescape(page.read_text(encoding="utf-8"))
        assert [line for line in secret if line in text] == []
        for link in re.findall(r'href="([^"#]+)', text):
            assert (page.parent / unquote(link)).is_file(), f"{page.name} links {link}"


def test_a_picture_follows_the_pages_own_button():
    """`<picture>` alone follows the system's setting, and its files would not be copied."""
    made = build.PICTURE.sub(build.IN_BOTH, (build.DOCS / "tour.md").read_text(encoding="utf-8"))
    assert "<picture>" not in made and made.count(":class: only-dark") == made.count(":class: only-light") == 10
    assert re.search(r"^```\{image\} images/class-dark\.png\n:alt: The class page: .*\n:class: only-dark\n```$", made, re.MULTILINE)


def test_the_tour_is_ten_pictures_that_the_script_takes():
    tour = (build.DOCS / "tour.md").read_text(encoding="utf-8")
    found = build.PICTURE.findall(tour)
    pictures = [(alt, Path(light).stem) for _, alt, light in found]
    assert len(pictures) == 10 and all(len(alt) > 40 for alt, _ in pictures) and tour.count("images/") == 20
    assert all(dark == light.replace(".png", "-dark.png") and (build.DOCS / dark).is_file() for dark, _, light in found)
    script = (build.DOCS / "pictures.py").read_text(encoding="utf-8")
    assert [name for _, name in pictures if not (build.DOCS / "images" / f"{name}.png").is_file() or f'"{name}' not in script] == []
