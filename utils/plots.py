"""The course's one look: quiet, colour-blind-safe Matplotlib figures with alt text, and self-contained interactive views.

Colours are Okabe and Ito's (2008), which stay apart for every common kind of colour blindness.
"""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import matplotlib
import torch
from IPython import get_ipython
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patheffects import withStroke
from matplotlib.rcsetup import cycler
from matplotlib.text import Text

from utils import themes
from utils.figured import Figured, follow_the_theme
from utils.lesson import explain, tell_no_more

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType  # older versions, on Colab, have none

BLUE, ORANGE, GREEN, RED, PURPLE, SKY, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#6B7280"
CYCLE = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY)
SEQUENTIAL, DIVERGING = "Blues", "PuOr_r"
STYLE: dict[RcKeyType, Any] = {
    "axes.prop_cycle": cycler(color=CYCLE),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#9CA3AF",
    "axes.titlesize": 10,
    "axes.labelsize": 9,
    "axes.titlelocation": "left",
    "axes.grid": False,
    "font.size": 9,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}
UNDRAWN = "This figure is drawn by your own function"
# Puts a view in the place of its still picture. Who does not trust a notebook takes out its scripts and leaves the rest, so whatever
# stands outside of the script must be worth looking at alone. Scripts in innerHTML do not run: they are made anew. JupyterLab would
# take the arrow keys for itself and leave the cell, unless the focused element (no ancestor of it) says that it wants them.
COME_ALIVE = """
document.querySelectorAll('[id="%NAME%"]:not([data-alive])').forEach(box => {
  box.dataset.alive = "";
  box.addEventListener("focusin", event => event.target.setAttribute("data-lm-suppress-shortcuts", "true"));
  box.innerHTML = %HTML%;
  box.querySelectorAll("script").forEach(still => {
    const script = document.createElement("script");
    script.textContent = still.textContent;
    still.replaceWith(script);
  });
});
"""


def render(draw: Callable[[Figure], Any], width: float = 6.4, height: float = 3.2, dpi: int = 110) -> bytes:
    """A PNG of what `draw(figure)` draws; a grey note instead when an answer that it needs is unwritten or wrong.

    `width` and `height` are in inches.
    """
    return _picture(draw, width, height, dpi)[0]


def show(draw: Callable[[Figure], Any], *, alt: str, width: float = 6.4, height: float = 3.2) -> None:
    """Draw with the course's style and display the picture with its alternative text."""
    png, note = _picture(draw, width, height)
    display(Figured(png, note or alt, round(width * 100)))


def show_html(html: str, *, still: Callable[[Figure], Any], alt: str, width: float = 6.4, height: float = 3.2) -> None:
    """Display a self-contained interactive view, and the still picture where scripts do not run.

    `html` must hold everything it needs: a view that fetches something breaks in a classroom without a network. Its scripts find it as
    `document.currentScript.parentElement`.
    """
    for outside in ("http://", "https://", "src=//", "@import"):
        if outside in html.replace("http://www.w3.org/", ""):
            raise ValueError(f"html must be self-contained, but it holds {outside!r}")
    png, note = _picture(still, width, height)
    picture, words, name = (
        Figured(png, note or alt, round(width * 100)),
        escape(alt, quote=True),
        f"view-{zlib.crc32((html + alt).encode())}",
    )
    script = COME_ALIVE.replace("%NAME%", name).replace("%HTML%", json.dumps(html).replace("<", "\\u003c"))
    page = f'<div id="{name}" role="group" aria-label="{words}">{picture.html()}<script>{script}</script></div>'
    display({"text/html": page, "image/png": picture.png, "text/plain": alt}, raw=True)


def heatmap(
    ax: Axes,
    values: torch.Tensor,
    rows: Sequence[str],
    columns: Sequence[str],
    label: str = "",
    cmap: str = SEQUENTIAL,
    annotate: bool = False,
    vmin: float | None = None,
    vmax: float | None = None,
) -> AxesImage:
    """A matrix `(len(rows), len(columns))` as colours with a token on every row and column, and a colour bar named `label`."""
    values = torch.as_tensor(values).detach().to("cpu", torch.float64)
    if values.shape != (len(rows), len(columns)):
        raise ValueError(f"values has shape {tuple(values.shape)}, rows and columns say {(len(rows), len(columns))}")
    image = ax.imshow(values.numpy(), cmap=cmap, aspect="auto", vmin=vmin, vmax=vmax)
    slanted = max(map(len, columns), default=0) > 2
    ax.set_xticks(range(len(columns)), columns, rotation=45 if slanted else 0, ha="right" if slanted else "center", rotation_mode="anchor")
    ax.set_yticks(range(len(rows)), rows)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    if annotate:
        _write_numbers(ax, image, values)
    if label:
        bar = ax.figure.colorbar(image, ax=ax, fraction=0.046, pad=0.03, label=label)
        bar.outline.set_visible(False)
    return image


def band(ax: Axes, x: Sequence[float], runs: torch.Tensor, label: str, color: str | None = None) -> None:
    """The mean of `runs (n_seeds, len(x))` as a line and the spread from the lowest to the highest seed as a band."""
    runs = torch.as_tensor(runs, dtype=torch.float64).detach()
    (line,) = ax.plot(x, runs.mean(0).numpy(), label=label, color=color)
    ax.fill_between(x, runs.amin(0).numpy(), runs.amax(0).numpy(), color=line.get_color(), alpha=0.18, linewidth=0)


def on(ground: themes.Colour) -> dict[str, Any]:
    """How words are written on a colour, by day and by night: `ax.text(x, y, words, **plots.on(colour))`."""
    ink, edge = themes.ink_on(ground)
    return {"color": ink, "path_effects": [withStroke(linewidth=1.6, foreground=edge)]} if edge else {"color": ink}


def _write_numbers(ax: Axes, image: AxesImage, values: torch.Tensor) -> None:
    for i, row in enumerate(values.tolist()):
        for j, value in enumerate(row):
            ax.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=8, **on(image.cmap(image.norm(value))))


def _picture(draw: Callable[[Figure], Any], width: float, height: float, dpi: int = 110) -> tuple[bytes, str]:
    """The PNG, and what it says when it is only a note ("" when it is the figure)."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        try:
            draw(figure)
            _darken_words(figure)
            return _png(figure, dpi), ""
        except Exception as error:  # a figure of a half-written answer must not stop the notebook
            note = explain(error)
            tell_no_more(note)
            return _png(_placeholder(width, height, note), dpi), f"{UNDRAWN}: {note}"


def _darken_words(figure: Figure) -> None:
    """Words in the colour of their line are darkened until they are read."""
    for text in figure.findobj(Text):
        colour = to_hex(text.get_color()).upper()
        if colour in CYCLE:
            text.set_color(themes.as_word(colour))


def _placeholder(width: float, height: float, note: str) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="#F3F4F6")
    figure.text(0.5, 0.56, UNDRAWN, ha="center", color="#4B5563", fontsize=11)
    figure.text(0.5, 0.42, note, ha="center", va="top", color="#4B5563", fontsize=9, wrap=True)
    return figure


def _png(figure: Figure, dpi: int) -> bytes:
    buffer = io.BytesIO()
    # no software version in the file, so that the same figure is the same bytes on every machine with these pins
    figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None}, facecolor=figure.get_facecolor())
    return buffer.getvalue()


follow_the_theme(get_ipython())  # what the notebook that imports this draws with pyplot alone
