"""Views and figures on light and dark pages: what they mix from the page's own text colour is read on its background."""

from __future__ import annotations

import re

import pytest
from IPython.core.interactiveshell import InteractiveShell

from autograde import layout
from autograde.authoring import source
from tests.browser.examples import CELLS
from utils import lesson, plots, themes

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
