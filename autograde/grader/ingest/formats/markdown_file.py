"""Notebooks as texts: what jupytext, Quarto, R Markdown and nbconvert write, with the code between fences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from autograde.files import opened

ENDINGS = (".md", ".markdown", ".qmd", ".rmd", ".txt")
MAX_LOOK = 2**21  # bytes in which a definition is looked for
FENCE = re.compile(r"(?P<mark>`{3,}|~{3,})[^\S\n]*(?P<open>\{?)(?P<name>[\w-]*)(?P<more>.*)")
CODE = {"python", "python3", "py", "ipython", "ipython3", "code-cell"}
DEFINES = re.compile(  # each repetition has an end, so that no text keeps it busy
    rb"^(?:```|~~~)[^\n`]{0,40}?(?:py|code-cell)[^\n]{0,200}\n(?:(?!```|~~~)[^\n]{0,2000}\n){0,500}?(?:def|class) \w", re.MULTILINE
)
SEPARATES = re.compile(r"^(?:\+\+\+.*|<!-- #(?:end)?region.*-->)$", re.MULTILINE)  # cells of words: MyST's and jupytext's marks
OPTION = re.compile(r":[\w-]+:|#\| ?\w")  # of MyST, of Quarto
RULE = "---"


def is_one(path: Path) -> bool:
    """Whether a file is a text that defines something between fences of Python, as no text about a notebook has to."""
    if not path.name.lower().endswith(ENDINGS):
        return False
    try:
        with opened(path) as stream:
            return bool(DEFINES.search(stream.read(MAX_LOOK).replace(b"\r\n", b"\n")))
    except OSError:
        return False


def cells(text: str) -> Iterator[tuple[str, str]]:
    """The text's cells, `("code", source)` or `("markdown", text)`, in their order; a fence without an end reaches to the text's."""
    lines = _without_head(text.split("\n"))
    kept: list[str] = []
    fence = ""
    for line in lines:
        found = FENCE.fullmatch(line)
        if fence and line.strip().startswith(fence) and not line.strip().strip(fence[0]):
            yield "code", "\n".join(_without_options(kept)).strip("\n")
            kept, fence = [], ""
        elif not fence and found and found["name"].lower() in CODE:
            yield from _texts(kept)
            kept, fence = [], found["mark"]
        else:
            kept.append(line)
    yield from [("code", "\n".join(_without_options(kept)))] if fence else _texts(kept)


def _texts(lines: list[str]) -> Iterator[tuple[str, str]]:
    for text in SEPARATES.split("\n".join(lines)):
        if text.strip():
            yield "markdown", text.strip("\n")


def _without_head(lines: list[str]) -> list[str]:
    """Without the settings that stand above a text, between two rules."""
    if lines and lines[0].strip() == RULE and RULE in (rest := [line.strip() for line in lines[1:]]):
        return lines[rest.index(RULE) + 2 :]
    return lines


def _without_options(lines: list[str]) -> list[str]:
    """A cell without MyST's and Quarto's settings, which are no Python or mean nothing to it."""
    lines = _without_head(lines)
    while lines and OPTION.match(lines[0]):
        lines = lines[1:]
    return lines
