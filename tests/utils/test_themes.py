"""Views and figures on light and dark pages: what they mix from the page's own text colour is read on its background."""

from __future__ import annotations

import base64
import io
import re

import matplotlib
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.pylabtools import select_figure_formats
from matplotlib.figure import Figure
from matplotlib.image import imread

from autograde import layout
from autograde.authoring import source
from tests.browser.examples import CELLS
from utils import figured, lesson, plots, themes

FIXED = re.compile(r"(?:color|background|fill|stroke)\s*[:=]\s*[\"']?(#(?:fff|ffffff|111827|4b5563|374151)\b)", re.IGNORECASE)


@pytest.fixture(scope="module")
def html():
    """What each view of the lessons displays."""
    displayed = {}
    for number, code in CELLS.items():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(plots, "display", lambda data, raw: displayed.update({number: data["text/html"]}))  # noqa: B023
            exec("import torch\nfrom utils import plots\n" + code, {})
    return displayed


@pytest.mark.parametrize("number", CELLS)
def test_a_view_has_the_pages_own_ink_and_background(html, number):
    page = html[number].replace("\\", "")
    frame = re.sub(r"\{\"text\".*?</script>", "", page, flags=re.DOTALL) if number == "08" else page  # 08's boxes bring their own ink
    frame = re.sub(r"padding:1px 2px[^\"]*", "", frame)  # so do tokens
    assert not FIXED.findall(frame) and "color-scheme:light" not in frame


def test_a_figure_turns_dark_where_the_page_is(monkeypatch):
    shown = []
    monkeypatch.setattr(plots, "display", lambda figure: shown.append(figure._repr_mimebundle_()[0]))
    plots.show(lambda figure: figure.subplots().plot([0, 1]), alt="A line", width=2, height=1)
    page = shown[0]["text/html"]
    assert f'class="{themes.FIGURE}"' in page and all(
        mark in page for mark in ("data-jp-theme-light", "vscode-dark", '[theme="dark"]', "data-theme")
    )


def test_what_waits_is_said_once(capsys, monkeypatch):
    """By the figure that shows it, or in a line at the end of the cell when there is none."""
    shell = InteractiveShell()
    monkeypatch.setattr(lesson, "get_ipython", lambda: shell)
    shell.push({"attempt": lesson.attempt, "render": plots.render, "unwritten": _unwritten})
    shell.run_cell("result = attempt(unwritten)")
    assert capsys.readouterr().out.count("softmax is not written yet") == 1
    shell.run_cell("result = attempt(unwritten)\nrender(lambda figure: result + 1)")
    assert "softmax is not written yet" not in capsys.readouterr().out
    shell.run_cell("x = 1")
    assert "softmax" not in capsys.readouterr().out


def _unwritten():
    raise NotImplementedError("softmax is not written yet")


@pytest.mark.parametrize("name", layout.lesson_names())
def test_no_words_of_a_figure_depend_on_the_theme(name):
    """A dark cell is a bright one where the figure is turned: words tell it by its colour. (What a screen reader reads is of the picture itself.)"""
    cells = [cell for cell in source.read(layout.source_path(name)).cells if "figure" in cell.tags]
    drawn = [re.sub(r"alt=(\(\s*)?(f?\"[^\"]*\"\s*)+", "", cell.source) for cell in cells]
    words = [
        text for code in drawn for text in re.findall(r"\"([^\"]*)\"", code) if re.search(r"\b(dark|light|pale|bright)(er|est)?\b", text)
    ]
    assert words == []


@pytest.mark.parametrize("colour", [*plots.CYCLE, plots.GREY])
def test_words_in_a_lines_colour_are_read_by_day_and_by_night(colour):
    """By the pixels of the picture: the darkest is what the letters are made of."""
    png = plots.render(lambda figure: figure.text(0.1, 0.3, "HHH", color=colour, fontsize=40, weight="bold"), width=2, height=1)
    darkest = min(imread(io.BytesIO(png))[..., :3].reshape(-1, 3).tolist(), key=sum)
    assert themes.contrast(darkest, themes.WHITE) >= themes.ENOUGH
    assert themes.contrast(themes.turned(darkest), themes.turned(themes.WHITE)) >= themes.ENOUGH


def test_the_note_in_a_figures_place_is_read():
    png = plots.render(lambda figure: _unwritten())
    pixels = sorted(imread(io.BytesIO(png))[..., :3].reshape(-1, 3).tolist(), key=sum)
    assert themes.contrast(pixels[0], pixels[-1]) >= themes.ENOUGH
    assert themes.contrast(themes.turned(pixels[0]), themes.turned(pixels[-1])) >= themes.ENOUGH


@pytest.mark.parametrize("name", [plots.SEQUENTIAL, plots.DIVERGING, "viridis"])
def test_a_number_on_every_colour_of_a_map_is_read(name):
    """It has enough contrast by day and by night, or an edge that has."""
    colours = matplotlib.colormaps[name](range(256))[:, :3].tolist()
    for ground in colours:
        ink, edge = themes.ink_on(ground)
        beside = edge or ground
        assert themes.contrast(ink, beside) >= themes.ENOUGH and themes.contrast(themes.turned(ink), themes.turned(beside)) >= themes.ENOUGH
    edged = [ground for ground in colours if "path_effects" in plots.on(ground)]
    assert 0 < len(edged) < 128


@pytest.fixture
def shell():
    """A notebook's shell that has chosen its backend after the course was imported, as the first plot does."""
    shell = InteractiveShell()
    figured.follow_the_theme(shell)
    select_figure_formats(shell, {"png"})
    return shell


def displayed(shell, title: str = "", **options) -> dict[str, str]:
    """What the notebook keeps of a figure of 2 by 1 inches with this title."""
    figure = Figure(figsize=(2, 1), **options)
    figure.subplots().set_title(title)
    shell.display_formatter.active_types = ["text/html", "image/png", "text/plain"]
    return shell.display_formatter.format(figure)[0]


def test_a_figure_of_the_students_own_turns_dark_where_the_page_is(shell):
    data = displayed(shell, "My <losses>")
    assert themes.DARK_FIGURES in data["text/html"] and 'alt="My &lt;losses&gt;"' in data["text/html"]
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")


def test_a_figure_on_a_dark_ground_of_its_own_stays_as_it_is(shell):
    data = displayed(shell, facecolor="black")
    assert "text/html" not in data and "image/png" in data


def test_a_sharper_picture_keeps_its_size(shell):
    select_figure_formats(shell, {"retina"})
    assert re.search(r'width="2[01]\d"', displayed(shell, dpi=100)["text/html"])


def test_where_the_student_chose_another_format_it_stays(shell):
    select_figure_formats(shell, {"svg"})
    assert "text/html" not in displayed(shell)
