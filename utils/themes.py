"""Colours that follow the page's theme: light or dark, in JupyterLab, VS Code, Colab and on the course's pages.

A view takes its text colour and its background from the page (`currentColor`, no background of its own) and mixes the rest from
these. A figure is a picture on white: on a dark page a filter turns its lightness round and keeps its hues.
"""

from __future__ import annotations

from typing import Any

from matplotlib.colors import to_hex, to_rgb

INK = "currentColor"
QUIET = "color-mix(in srgb, currentColor 78%, transparent)"  # of labels and numbers: more than 4.5:1 on every theme's background
LINE = "color-mix(in srgb, currentColor 35%, transparent)"  # of frames and axes
FILL = "color-mix(in srgb, currentColor 9%, transparent)"  # behind a word
FIGURE = "course-figure"  # the class of pictures on white

_TURNED = f".{FIGURE}{{filter:invert(.93) hue-rotate(180deg)}}"  # white becomes #121212
# how each page tells that it is dark; a page of the course may also follow the reader's system
_DARK_PAGES = (
    '[data-jp-theme-light="false"]', ".vscode-dark", ".vscode-high-contrast:not(.vscode-high-contrast-light)", '[theme="dark"]',
    '[data-theme="dark"]',
)  # fmt: skip
DARK_FIGURES = "".join(f"{page} {_TURNED}" for page in _DARK_PAGES)
DARK_FIGURES += f'@media (prefers-color-scheme:dark){{[data-theme="auto"] {_TURNED}}}'

Colour = Any  # whatever Matplotlib takes for one: "#0072B2", "white", (0.0, 0.4, 0.7), with an alpha or without
WHITE, BLACK = "#ffffff", "#111827"
ENOUGH = 4.5  # WCAG 2.2's least contrast of words


def contrast(one: Colour, other: Colour) -> float:
    """WCAG's contrast ratio of two colours, 1 to 21."""
    darker, lighter = sorted(map(_luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def turned(colour: Colour) -> tuple[float, ...]:
    """What a dark page makes of a colour in a figure: the same numbers as its filter's, `invert(.93) hue-rotate(180deg)`."""
    red, green, blue = (0.93 - 0.86 * channel for channel in to_rgb(colour))
    shared = 0.426 * red + 1.43 * green + 0.144 * blue
    return tuple(min(1.0, max(0.0, shared - channel)) for channel in (red, green, blue))


def as_word(colour: str) -> str:
    """A line's colour for words on white: darkened until it is read, since lines need less contrast than words."""
    shade: Colour = to_rgb(colour)
    while contrast(shade, WHITE) < ENOUGH + 0.5:  # a little more, for grounds that are not quite white
        shade = tuple(0.98 * channel for channel in shade)
    return to_hex(shade)


def ink_on(ground: Colour) -> tuple[str, str]:
    """White or near black, whichever is read better on a colour by day and by night, and the colour of an edge around it ("" for none).

    On colours of medium lightness neither is enough: there the words are dark with a white edge.
    """
    ink = max(WHITE, BLACK, key=lambda ink: _least(ink, ground))
    return (ink, "") if _least(ink, ground) >= ENOUGH else (BLACK, WHITE)


def _least(ink: str, ground: Colour) -> float:
    return min(contrast(ink, ground), contrast(turned(ink), turned(ground)))


def _luminance(colour: Colour) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear))
