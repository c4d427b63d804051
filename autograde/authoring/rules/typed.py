"""Markdown that is shown as it was typed: stars, links, notes and tables that are none, and what nobody is shown at all."""

from __future__ import annotations

import re
from collections.abc import Iterator

from autograde.authoring.rules import tables
from autograde.authoring.source import Cell, Source

HIDDEN = re.compile(r"`+[^`\n]*`+|\$\$.+?\$\$|\$[^$\n]+\$|\\\*|<[^>\n]*>|\]\([^)\n]*\)", re.DOTALL)  # where a star is no mark
NEW = re.compile(r"^\s*(?:[-+*]|\d+[.)]|>|#{1,6})\s+|^\s*(?:\*\s*){3,}$|^\s*\|")  # a line that begins a block of its own
BOTH = tuple(re.compile(rf"{stars}(?=[^\s*])(.+?)(?<=[^\s*]){stars}(?!\*)", re.DOTALL) for stars in (r"\*\*\*", r"\*\*", r"\*"))
LEFT = re.compile(r"\*+(?=\S)|(?<=\S)\*+|\*\*+")  # a star between blanks is a star, as in 2 * 3
TYPED = (
    (re.compile(r"<!--"), "a comment, which nobody is shown, and everybody has in the notebook's file"),
    (re.compile(r"\]\s+\((?:https?:|[^)\s]+\.(?:ipynb|md|html|png)\b|#)"), "a blank between ] and (: this is no link"),
    (re.compile(r"\]\((?:https?:|[\w./]+)[^)\s\"']*\s+[^)\s\"'][^)]*\)"), "a blank in a link's address: write %20"),
    (re.compile(r"\[\^[^\]\n]+\]"), "a footnote: notebooks show it as it is typed"),
    (re.compile(r"\]\[[^\]\n]*\]"), "a link by a name: write its address, [words](address)"),
    (re.compile(r"\\[(\[]"), "a formula stands between $ and $, or $$ and $$"),
)  # fmt: skip
HINT = re.compile(r"</summary>((?:[^\n]+|\n(?!\s*\n))*)")  # up to the first empty line it is HTML
MARKED = re.compile(r"`|\*\*|\$|\]\(")


def complaints(lesson: Source) -> list[str]:
    found = [(cell.line + 1 + line, what) for cell in lesson.cells if cell.kind == "markdown" for line, what in _of_cell(cell)]
    return [f"{lesson.path.name}:{line}: {what}" for line, what in sorted(found)]


def _of_cell(cell: Cell) -> Iterator[tuple[int, str]]:
    """(number of lines above it, what is wrong)."""
    from autograde.authoring.rules.texts import without_fences

    prose, _ = without_fences(cell.source)
    if not prose.strip() and not cell.source.strip():
        yield 0, "a text without words"
    bare = re.sub(r"`+[^`\n]*`+|\$\$.+?\$\$|\$[^$\n]+\$", lambda found: re.sub(r"[^\n]", "x", found[0]), prose, flags=re.DOTALL)
    for pattern, what in TYPED:
        yield from ((bare.count("\n", 0, found.start()), what) for found in pattern.finditer(bare))
    for hint in HINT.finditer(prose):
        if MARKED.search(hint[1]):
            yield (
                prose.count("\n", 0, hint.start()),
                "a hint's Markdown needs an empty line below <summary>: up to there it is shown as it is typed",
            )
    for above, block in _blocks(prose):
        yield from ((above + line, what) for line, what in _of_stars(block))
    yield from tables.complaints(prose.split("\n"))


def _blocks(text: str) -> Iterator[tuple[int, str]]:
    """(number of lines above it, text) of what emphasis does not reach across: paragraphs, items of lists, rows of tables."""
    began, lines = 0, list[str]()
    for number, line in enumerate([*text.split("\n"), ""]):
        if lines and (not line.strip() or NEW.match(line)):
            yield began, "\n".join(lines)
            lines = []
        if line.strip():
            began, lines = (began, [*lines, line]) if lines else (number, [NEW.sub("", line)])


def _of_stars(block: str) -> Iterator[tuple[int, str]]:
    rest = HIDDEN.sub(lambda found: re.sub(r"[^\n]", "x", found[0]), block)
    for pair in BOTH:
        rest = pair.sub(lambda found: re.sub(r"[^\n*]", "x", found[1]).replace("*", "x"), rest)
    if left := LEFT.search(rest):
        yield (
            rest.count("\n", 0, left.start()),
            f"{left[0]} without a second one, or beside a blank: the stars are shown (\\* is the sign itself)",
        )
