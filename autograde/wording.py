"""Words that screens and commands share: how many there are of something, and where a long name may break."""

from __future__ import annotations

import re
from html import escape

WORD_ENDS = re.compile(r"(?<=_)(?=\w)|(?<=[a-z])(?=[A-Z])|(?<=[\w.]/)(?=\w)")  # within a name of Python's, and of a file; none in a tag


def counted(number: float, noun: str) -> str:
    """`1 lesson`, `2 lessons`, `1.5 points`."""
    return f"{number:.10g} {noun}" + "s" * (number != 1)


def breakable(name: str) -> str:
    """A name as HTML that breaks between its words where it does not fit, as on a phone."""
    return with_breaks(escape(name))


def with_breaks(html: str) -> str:
    """Sentences as HTML, their names and paths breaking between words: else a browser breaks them anywhere, as in `.ip` and `ynb`."""
    return WORD_ENDS.sub("<wbr>", html)
