"""The course's one look: quiet, colour-blind-safe Matplotlib figures with alt text, and self-contained interactive views.

Colours are Okabe and Ito's (2008), which stay apart for every common kind of colour blindness.
"""

from __future__ import annotations

import base64
import io
import json
import zlib
from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import matplotlib
import torch
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.rcsetup import cycler

from utils import themes
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


class Figured:
    """A picture that displays itself: as HTML that follows the page's theme, and as a PNG for what shows no HTML."""

    def __init__(self, png: bytes, alt: str, width: int) -> None:
        self.png, self.alt, self.width = base64.b64encode(png).decode(), alt, width

    def html(self) -> str:
        """An <img> on white that turns dark on a dark page; where styles are not trusted it stays white."""
        image = f'<img class="{themes.FIGURE}" alt="{escape(self.alt, quote=True)}" style="max-width:100%" width="{self.width}"'
        return f'{image} src="data:image/png;base64,{self.png}"><style>{themes.DARK_FIGURES}</style>'

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, dict[str, Any]]]:
        data = {"text/html": self.html(), "image/png": self.png, "text/plain": self.alt}
        return data, {"image/png": {"alt": self.alt, "width": self.width}}


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


def _write_numbers(ax: Axes, image: AxesImage, values: torch.Tensor) -> None:
    for i, row in enumerate(values.tolist()):
        for j, value in enumerate(row):
            red, green, blue, _ = image.cmap(image.norm(value))
            dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.55
            ax.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=8, color="white" if dark else "#111827")


def _picture(draw: Callable[[Figure], Any], width: float, height: float, dpi: int = 110) -> tuple[bytes, str]:
    """The PNG, and what it says when it is only a note ("" when it is the figure)."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        try:
            draw(figure)
            return _png(figure, dpi), ""
        except Exception as error:  # a figure of a half-written answer must not stop the notebook
            note = explain(error)
            tell_no_more(note)
            return _png(_placeholder(width, height, note), dpi), f"{UNDRAWN}: {note}"


def _placeholder(width: float, height: float, note: str) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="#F3F4F6")
    figure.text(0.5, 0.56, UNDRAWN, ha="center", color=GREY, fontsize=11)
    figure.text(0.5, 0.42, note, ha="center", va="top", color=GREY, fontsize=9, wrap=True)
    return figure


def _png(figure: Figure, dpi: int) -> bytes:
    buffer = io.BytesIO()
    # no software version in the file, so that the same figure is the same bytes on every machine with these pins
    figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None}, facecolor=figure.get_facecolor())
    return buffer.getvalue()
