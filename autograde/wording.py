"""Words that screens and commands share: how many there are of something, where a long name may break, and what cannot be seen of a text."""

from __future__ import annotations

import re
from html import escape

WORD_ENDS = re.compile(r"(?<=_)(?=\w)|(?<=[a-z])(?=[A-Z])|(?<=[\w.]/)(?=\w)")  # within a name of Python's, and of a file; none in a tag
# What a terminal obeys, and what has text run the other way, so that code reads as what it is not.
DIRECTING = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def counted(number: float, noun: str) -> str:
    """`1 lesson`, `2 lessons`, `1.5 points`."""
    return f"{number:.10g} {noun}" + "s" * (number != 1)


def breakable(name: str) -> str:
    """A name as HTML that breaks between its words where it does not fit, as on a phone."""
    return with_breaks(escape(name))


def with_breaks(html: str) -> str:
    """Sentences as HTML, their names and paths breaking between words: else a browser breaks them anywhere, as in `.ip` and `ynb`."""
    return WORD_ENDS.sub("<wbr>", html)


def visible(text: str) -> str:
    """Text with a mark that can be seen for each character that directs how others are shown. HTML stays HTML."""
    return DIRECTING.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)
