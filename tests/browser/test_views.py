"""The interactive views: alive in JupyterLab and in a sandboxed frame as Colab has, a still picture where scripts are not trusted."""

from __future__ import annotations

import io
import re
from html import escape

import nbformat
import pytest
from matplotlib.image import imread
from nbconvert import HTMLExporter, MarkdownExporter
from nbformat.v4 import new_code_cell, new_notebook

from autograde import layout
from autograde.authoring import notebooks, source
from autograde.authoring.sample_class import solved_notebook
from autograde.grader.ingest import discovery
from autograde.grader.run import submission
from utils import figured, plots, themes

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect

from tests.browser import contrast  # noqa: E402
from tests.browser.examples import CELLS, FIND, USE, notebook  # noqa: E402
from tests.browser.lab import NotebookPage  # noqa: E402

LESSONS = [name for name in layout.lesson_names() if name[:2] in CELLS]


def views_of(executed) -> list[str]:
    """The HTML of every output that holds a script."""
    html = [o.get("data", {}).get("text/html", "") for cell in executed.cells for o in cell.get("outputs", [])]
    return [text for text in html if "<script" in text]


@pytest.fixture(scope="module")
def executed(released):
    """The notebook of all views with its outputs, run outside of any browser and signed by nobody."""
    return notebooks.execute(notebook(), released / "notebooks")


@pytest.fixture(scope="module")
def saved(executed, lab):
    """Its path from the server's folder."""
    nbformat.write(executed, lab.root / "notebooks" / "all_views.ipynb")
    return "notebooks/all_views.ipynb"


def test_all_views_live_in_jupyterlab(lab, watch, saved):
    watched = watch(height=1000)
    opened = NotebookPage(watched.page, lab, saved)
    opened.choose("Run", "Run All Cells")
    opened.wait_until_idle()
    for number, cell in zip(CELLS, opened.panel.locator(".jp-CodeCell").all()[1:], strict=True):
        view = opened.output(cell)
        view.scroll_into_view_if_needed()
        watched.shot(f"view-{number}-at-first", view)
        USE[number](view)
        watched.shot(f"view-{number}-moved", view)
        expect(view.locator("img")).to_have_count(0)
    watched.assert_quiet()


def test_an_untrusted_notebook_shows_still_pictures(lab, watch, saved):
    watched = watch(height=1000)
    opened = NotebookPage(watched.page, lab, saved)
    for number, cell in zip(CELLS, opened.panel.locator(".jp-CodeCell").all()[1:], strict=True):
        output = opened.output(cell).locator(".jp-RenderedHTMLCommon")
        still = output.get_by_role("img", name=f"still of {number}")
        expect(still).to_be_visible()
        assert still.evaluate("e => e.naturalWidth") > 100
        expect(output.locator("input, button, svg")).to_have_count(0)
        assert output.inner_text().strip() == "", "nothing of the view but its picture is left"
    watched.shot("views-untrusted")
    watched.assert_quiet()


def test_views_are_legible_in_the_dark_theme(lab, watch, saved):
    watched = watch(height=1000)
    opened = NotebookPage(watched.page, lab, saved)
    opened.choose("Settings", "Theme", "JupyterLab Dark")
    expect(watched.page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    opened.choose("Run", "Run All Cells")
    opened.wait_until_idle()
    for number, cell in zip(CELLS, opened.panel.locator(".jp-CodeCell").all()[1:], strict=True):
        view = opened.output(cell)
        watched.shot(f"view-{number}-dark", view)
        assert contrast.faint(view.locator("label, p, output, [role=status], button, svg text")) == [], number
        if view.get_by_role("slider").count():  # the notebook does not take the arrow keys
            USE[number](view)
            slider = view.get_by_role("slider").first
            slider.press("Home")
            before = slider.input_value()
            slider.press("ArrowRight")
            assert slider.input_value() != before
            expect(slider).to_be_focused()
            slider.press("ArrowDown")
            expect(slider).to_be_focused()
    opened.choose("Settings", "Theme", "JupyterLab Light")
    expect(watched.page.locator("body")).to_have_attribute("data-jp-theme-light", "true")


OWN = "import matplotlib.pyplot as plt\nplt.plot([0, 1])\nplt.title('Mine')\nplt.show()"


def test_a_figure_of_the_students_own_is_dark_in_the_dark_theme(lab, watch):
    made = new_notebook(metadata={"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}})
    made.cells = [new_code_cell(FIND, id="find"), new_code_cell(OWN, id="own")]
    nbformat.write(made, lab.root / "notebooks" / "own_figure.ipynb")
    opened = NotebookPage(watch().page, lab, "notebooks/own_figure.ipynb")
    opened.choose("Run", "Run All Cells")
    opened.wait_until_idle()
    picture = opened.panel.get_by_role("img", name="Mine")
    expect(picture).to_be_visible()
    expect(picture).to_have_css("filter", "none")
    opened.choose("Settings", "Theme", "JupyterLab Dark")
    expect(picture).to_have_css("filter", re.compile("invert"))
    opened.choose("Settings", "Theme", "JupyterLab Light")
    expect(picture).to_have_css("filter", "none")


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_lessons_own_view_lives_in_a_sandboxed_frame(watch, lesson):
    """As in Colab, which shows each output in a frame of its own that may run scripts and nothing else."""
    shown = views_of(nbformat.read(layout.SOLUTIONS / f"{lesson}.ipynb", 4))
    (html,) = (text for text in shown if re.search(r"\\u003c(input|svg)", text))  # the others are coloured tokens, which do not move
    watched = watch(width=420, height=700)
    watched.page.set_content(
        f'<iframe sandbox="allow-scripts" style="width:400px;height:680px;border:0" srcdoc="{escape(html, quote=True)}"></iframe>'
    )
    frame = watched.page.frame_locator("iframe")
    expect(frame.locator("svg, .tokens").first).to_be_visible()
    USE[lesson[:2]](frame.locator("body"))
    watched.shot(f"view-{lesson[:2]}-400px")
    assert frame.locator("body").evaluate("b => b.scrollWidth <= b.clientWidth + 16"), "at 400 px nothing hangs over"
    watched.assert_quiet()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("lesson", LESSONS)
def test_every_view_fits_colabs_frame_and_is_read_in_its_themes(watch, lesson, theme):
    """Colab makes the frame as high as the view is when it appears, and says the theme at the page's root; no file lies beside the frame."""
    ink, ground = {"light": ("#1f1f1f", "#ffffff"), "dark": ("#ffffff", "#383838")}[theme]
    watched, wanted = watch(width=820, height=900), []
    watched.page.on("request", lambda request: wanted.append(request.url))
    for html in views_of(nbformat.read(layout.SOLUTIONS / f"{lesson}.ipynb", 4)):
        page = f'<html theme="{theme}"><body style="margin:8px;color:{ink};background:{ground};font-family:sans-serif">{html}</body></html>'
        watched.page.set_content(
            f'<iframe sandbox="allow-scripts" style="width:780px;height:150px;border:0" srcdoc="{escape(page, quote=True)}"></iframe>'
        )
        body = watched.page.frame_locator("iframe").locator("body")
        expect(body.locator("svg, .tokens, span").first).to_be_visible()
        height = body.evaluate("b => b.ownerDocument.documentElement.scrollHeight")
        watched.page.locator("iframe").evaluate("(frame, height) => frame.style.height = `${height}px`", height)
        if re.search(r"\\u003c(input|svg)", html):  # the others are coloured tokens, which do not move
            USE[lesson[:2]](body)
        assert body.evaluate("b => b.ownerDocument.documentElement.scrollHeight") <= height, "it grows out of the frame"
        assert contrast.faint(body.locator("label, p, output, [role=status], button, svg text")) == []
    assert [url for url in wanted if not url.startswith(("data:", "about:"))] == []
    watched.shot(f"view-{lesson[:2]}-colab-{theme}")
    watched.assert_quiet()


# VS Code shows all outputs in one page: a policy that lets nothing in, the theme as a class of its body, and each script run again
# by its own hand, at the end of its output, since a browser runs none that comes as `innerHTML` (its `domEval`).
POLICY = "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data:"
DOM_EVAL = """html => {
  const output = Object.assign(document.createElement("div"), {className: "output", innerHTML: html});
  document.body.append(output);
  for (const old of output.querySelectorAll("script")) {
    const script = Object.assign(document.createElement("script"), {text: old.innerText});
    if (old.type) script.type = old.type;
    output.appendChild(script).parentNode.removeChild(script);
  }
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("lesson", LESSONS)
def test_every_view_works_and_is_read_in_vs_codes_page(watch, lesson, theme):
    ink, ground = {"light": ("#3b3b3b", "#f8f8f8"), "dark": ("#cccccc", "#1f1f1f")}[theme]
    watched = watch(width=820, height=900)
    watched.page.set_content(
        f"""<html><head><meta http-equiv="Content-Security-Policy" content="{POLICY}"></head>
<body class="vscode-body notebookOutput vscode-{theme}" style="color:{ink};background:{ground};font-family:sans-serif"></body></html>"""
    )
    views = views_of(nbformat.read(layout.SOLUTIONS / f"{lesson}.ipynb", 4))
    for html in views:
        watched.page.evaluate(DOM_EVAL, html)
    for html, output in zip(views, watched.page.locator(".output").all(), strict=True):
        expect(output.locator("svg, .tokens, span").first).to_be_visible()
        if re.search(r"\\u003c(input|svg)", html):
            USE[lesson[:2]](output)
        assert contrast.faint(output.locator("label, p, output, [role=status], button, svg text")) == []
    watched.shot(f"view-{lesson[:2]}-vs-code-{theme}")
    watched.assert_quiet()


@pytest.mark.parametrize("ground", ["#ffffff", plots.ORANGE, plots.BLUE, "#6baed6", "#111827"])
def test_a_dark_page_turns_colours_as_the_contrast_of_words_is_computed(watch, ground):
    page = watch(width=300, height=200).page
    png = plots.render(lambda figure: figure.set_facecolor(ground), width=1, height=1)
    page.set_content(f'<body data-jp-theme-light="false" style="margin:0">{figured.Figured(png, "a colour", 100).html()}</body>')
    pixel = imread(io.BytesIO(page.screenshot()))[50, 50, :3].tolist()
    assert pixel == pytest.approx(themes.turned(ground), abs=0.02)


def test_two_views_on_one_page_do_not_steer_each_other(watch, executed):
    watched = watch()
    html = views_of(executed)[0]
    watched.page.set_content(f"<section>{html}</section><section>{html}</section>")
    one, other = watched.page.locator("section").all()
    before = other.locator("svg").inner_html()
    USE["03"](one)
    assert other.locator("svg").inner_html() == before
    USE["03"](other)


def test_an_exported_page_is_alive_and_plain_markdown_has_the_picture(watch, executed, tmp_path):
    page, _ = HTMLExporter(template_name="basic").from_notebook_node(executed)
    text, _ = MarkdownExporter().from_notebook_node(executed)
    watched = watch()
    watched.page.set_content(page)
    for number, view in zip(CELLS, watched.page.locator("div[role=group][id^=view-]").all(), strict=True):
        USE[number](view)
    watched.assert_quiet()
    without_scripts = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert re.findall(r'<img[^>]* alt="still of (\d\d)"', without_scripts) == list(CELLS)
    assert "<input" not in without_scripts and "<svg" not in without_scripts


def test_no_figure_is_run_when_grading(tmp_path):
    """A view's cell that would spoil the answer if it ran."""
    lesson = "03_self_attention"
    solved = solved_notebook(source.read(layout.source_path(lesson)))
    shown = [cell for cell in solved.cells if "scale_view(" in cell.source]
    assert shown and all({"figure", "experiment"} & set(cell.metadata.get("tags", [])) for cell in shown)
    for cell in shown:
        cell.source = "globals().update(attention_scores=None)\n" + cell.source
    path = tmp_path / "ada" / f"{lesson}.ipynb"
    path.parent.mkdir()
    nbformat.write(solved, path)
    (found,) = discovery.find([path])
    graded = submission.grade(found, "auto")
    assert graded.score == graded.max_score > 0
