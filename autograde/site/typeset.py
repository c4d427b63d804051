"""What becomes of a lesson's text where lines are long or short: marks stay with their formulas, and printed columns stand near each other."""

from __future__ import annotations

import re

MARK = re.compile(
    r"(`+)(?!`).+?(?<!`)\1(?!`)|\$\$.+?\$\$|(?<!\\)\$((?:[^$\n\\]|\\.|\n(?!\n))+)\$([.,;:!?)]+)", re.DOTALL
)  # code and displays stay
DISPLAY = re.compile(r"[.,;]\s*\$\$\s*$")
LONG, APART = 64, 3  # characters of a printed line that is long for a slide; blanks between two columns of it


def glued(text: str) -> str:
    """No line begins with the mark behind a formula, as browsers would have it: to them a formula is a picture. So the mark is made a part of it."""
    return MARK.sub(lambda found: rf"${found[2]}\text{{{found[3]}}}$" if found[3] else found[0], text)


def alone(block: str) -> str:
    """A display without the comma that led on to a text which is not shown."""
    return DISPLAY.sub("$$", block)


def narrowed(printed: str) -> str:
    """Printed lines whose columns are no farther apart than needed, where a line is long."""
    lines = printed.split("\n")
    widest = max(map(len, lines))
    if widest <= LONG:
        return printed
    blank = [all(line[at : at + 1] in ("", " ") for line in lines) for at in range(widest)]
    kept = [at for at in range(widest) if not all(blank[max(0, at - APART) : at + 1]) or at < APART]
    return "\n".join("".join(line[at : at + 1] for at in kept).rstrip() for line in lines)
