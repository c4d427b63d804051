"""Colours that follow the page's theme: light or dark, in JupyterLab, VS Code, Colab and on the course's pages.

A view takes its text colour and its background from the page (`currentColor`, no background of its own) and mixes the rest from
these. A figure is a picture on white: on a dark page a filter turns its lightness round and keeps its hues.
"""

from __future__ import annotations

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
