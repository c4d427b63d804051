"""A picture in a notebook that follows the page's theme: the course's figures, and those that a student draws with pyplot alone."""

from __future__ import annotations

import base64
import struct
from html import escape
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure, FigureBase

from utils import themes

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


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


def follow_the_theme(shell: InteractiveShell | None) -> None:
    """Have this notebook show pyplot's figures as HTML, too.

    IPython forgets printers of `Figure` whenever it chooses a backend or a format; of the class above it, it knows nothing.
    """
    if shell is None or shell.display_formatter is None:
        return
    printers = shell.display_formatter.formatters
    pngs = printers["image/png"]
    printers["text/html"].for_type(FigureBase, lambda figure: _html(figure, pngs(figure)))


def _html(figure: Figure, shown: str | bytes | tuple[str | bytes, dict[str, int]] | None) -> str | None:
    """What IPython's own printer made of the figure, as HTML; None where it made no PNG, or the figure has a dark ground of its own."""
    png, size = shown if isinstance(shown, tuple) else (shown, {})
    if not png or themes.contrast(figure.get_facecolor(), themes.WHITE) > themes.ENOUGH:
        return None
    data = base64.b64decode(png) if isinstance(png, str) else png
    (pixels,) = struct.unpack(">I", data[16:20])
    titles = [axes.get_title() or axes.get_title("left") for axes in figure.axes]
    return Figured(data, "; ".join(filter(None, titles)) or "a figure without a title", size.get("width", pixels)).html()
