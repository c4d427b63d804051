"""A figure says in words what it shows, and when it is only a note, the words are the note's."""

import base64

import pytest

from utils import plots


@pytest.fixture
def shown(monkeypatch):
    """What a cell displays, as (data, metadata)."""
    displayed = []
    monkeypatch.setattr(plots, "display", lambda output, raw=False: displayed.append((output, {}) if raw else output._repr_mimebundle_()))
    return displayed


def unwritten(figure):
    raise NotImplementedError("softmax is not written yet")


def test_a_figure_has_its_alternative_text(shown):
    plots.show(lambda figure: figure.subplots().plot([0, 1]), alt="A line that rises", width=2, height=1)
    [(data, metadata)] = shown
    assert metadata["image/png"]["alt"] == "A line that rises" and base64.b64decode(data["image/png"]).startswith(b"\x89PNG")


def test_a_figure_that_cannot_be_drawn_says_so(shown):
    plots.show(unwritten, alt="A line that rises", width=2, height=1)
    [(_, metadata)] = shown
    assert metadata["image/png"]["alt"] == "This figure is drawn by your own function: softmax is not written yet"


def test_the_still_picture_of_a_view_has_words_too(shown):
    plots.show_html("<p>a view</p>", still=unwritten, alt="A view", width=2, height=1)
    [(data, _)] = shown
    assert 'aria-label="A view"' in data["text/html"]
    assert 'alt="This figure is drawn by your own function: softmax is not written yet"' in data["text/html"]


@pytest.mark.parametrize("address", ["https://example.org/a.js", "http://example.org", "src=//example.org/a.js"])
def test_a_view_fetches_nothing(address):
    with pytest.raises(ValueError, match="self-contained"):
        plots.show_html(f"<img {address}>", still=unwritten, alt="A view")
