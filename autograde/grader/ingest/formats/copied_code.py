"""Code as it was before a program that it went through changed it: a chat, a word processor, a web page, a mail, a list with line numbers.

A cell that is Python stays as it is. One that is none, and is some without such marks, is taken without them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from autograde.grader.ingest.formats import markdown_file
from autograde.grader.ingest.formats.cell_facts import facts
from autograde.grader.ingest.formats.python_cells import parsed

BLANKS = dict.fromkeys(map(ord, "\u00a0\u202f\u2007\u2009\u3000"), " ")
UNSEEN = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad"))
TYPESET = str.maketrans({**dict.fromkeys("“”„‟", '"'), **dict.fromkeys("‘’‚‛", "'"), **dict.fromkeys("−–", "-")})
LONGEST = 2**15  # characters of a cell that is looked at
FENCE = re.compile(r"^[^\S\n]*(?:```|~~~)", re.MULTILINE)
OPENED = re.compile(r"\A\s*(```|~~~)[^\S\n]*\n")  # without the name of the language
NUMBER = re.compile(r"[ \t]*(\d{1,4})(?:[.:|][ \t]?|[ \t]|$)")
MARKS = (">", "+")  # before every line of a mail that is answered, and of what a comparison shows as new


def as_it_was(code: str) -> tuple[str, str]:
    """The code without what a program has put into it, and what that was; the code as it is, and "", where it is Python or stays none."""
    if len(code) > LONGEST or facts(code).is_python:
        return code, ""
    left, taken = code, list[str]()
    for what, undo in UNDO:
        if (without := undo(left)) != left:
            left, taken = without, [*taken, what]
            if left.strip() and parsed(left) is not None:
                return left, " and ".join(taken)
    return code, ""


def _without_fences(code: str) -> str:
    """What stands between fences; where only the last one is left, what stands above it."""
    if not FENCE.search(code):
        return code
    fenced = [text for kind, text in markdown_file.cells(OPENED.sub(r"\1python\n", code)) if kind == "code"]
    return "\n\n".join(fenced) or FENCE.split(code)[0]


def _without_numbers(code: str) -> str:
    """Without the numbers before its lines, where these count up one by one; blank lines may have none."""
    lines = code.split("\n")
    found = [(place, NUMBER.match(line)) for place, line in enumerate(lines) if line.strip()]
    counted = [(place, int(number[1])) for place, number in found if number]
    steps = {(b - a, later - earlier) for (earlier, a), (later, b) in zip(counted, counted[1:])}
    if not steps or len(counted) != len(found) or any(step not in (1, lines_between) for step, lines_between in steps):
        return code
    return "\n".join(NUMBER.sub("", line, count=1) for line in lines)


def _without_marks(code: str) -> str:
    lines = code.split("\n")
    mark = next((mark for mark in MARKS if all(line.startswith(mark) for line in lines if line.strip())), None)
    if mark is None:
        return code
    rest = [line.removeprefix(mark) for line in lines]
    blank = mark == ">" and all(line.startswith(" ") for line in rest if line.strip())
    return "\n".join(line[1:] if blank else line for line in rest)


UNDO: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("characters that nobody sees", lambda code: code.translate(BLANKS | UNSEEN)),
    ("the quotes and dashes of a word processor", lambda code: code.translate(TYPESET)),
    ("what stands around its code, between ```", _without_fences),
    ("the numbers of lines", _without_numbers),
    ("marks before its lines", _without_marks),
    ("the codes of a web page, such as &gt;", html.unescape),
)
