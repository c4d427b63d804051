"""A written question as graders see it: its text, its model answer, and its rubric taken apart into items that have points."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from autograde import layout
from autograde.authoring import source
from autograde.grader.gradebook import rubrics

HEADING = re.compile(r"\**Rubric\**\s*[—–:-]*\s*")
POINTS = re.compile(r"(?:^|\s)(?:-\s*)?(\d+(?:\.\d+)?) points?:\s*")
HALF = re.compile(r"(?:^|(?<=\.)\s+)(Half (?:a point|points)\b.*)$", re.DOTALL)
FOR_EACH = re.compile(r"Half points|Half a point each")
ASKED = re.compile(r"written question", re.IGNORECASE)


@dataclass(frozen=True)
class Item:
    """One line of a rubric. Items of one `part` exclude each other: all of its points, or half of them."""

    key: str
    part: int
    points: float
    words: str


@dataclass(frozen=True)
class Question:
    """`text`, `model` and the items' words are Markdown."""

    lesson: str
    name: str
    points: float
    text: str
    model: str
    items: tuple[Item, ...]


@lru_cache
def read(lesson: str, name: str) -> Question:
    """A question of a lesson's source."""
    written = source.read(layout.source_path(lesson))
    place = next(i for i, cell in enumerate(written.cells) if cell.question == name)
    model, rubric = _parted(rubrics.texts(lesson)[name])
    points = written.questions[name]
    return Question(lesson, name, points, _asked(written.cells[place - 1].source), model, items(rubric) or _whole(points))


def items(rubric: str) -> tuple[Item, ...]:
    """`1 point: this. Half a point without that.` for each part: two items a part, or one where no half is given.

    What begins with *Half points* or *Half a point each* counts for every part that says nothing of its own.
    """
    parts = POINTS.split(rubric)[1:]
    halves = [HALF.search(words) for words in parts[1::2]]
    common = next((m[1].strip() for m in halves if m and FOR_EACH.match(m[1])), "")
    found: list[Item] = []
    for number, (points, words, half) in enumerate(zip(map(float, parts[::2]), parts[1::2], halves), 1):
        own = half[1].strip() if half else common
        found.append(Item(f"{number}", number, points, (words[: half.start()] if half else words).strip()))
        if own:
            found.append(Item(f"{number}-half", number, points / 2, own))
    return tuple(found)


def _whole(points: float) -> tuple[Item, ...]:
    """For a rubric without parts."""
    return Item("1", 1, points, "All of it."), Item("1-half", 1, points / 2, "Half of it.")


def _parted(text: str) -> tuple[str, str]:
    """(model answer, rubric)."""
    [*before, rubric] = HEADING.split(text, maxsplit=1)
    return (before[0].strip(), rubric) if before else (text, "")


def _asked(text: str) -> str:
    """The question's own lines: from the one that says that it is the written question."""
    lines = text.splitlines()
    first = next((i for i, line in enumerate(lines) if ASKED.search(line)), 0)
    return "\n".join(lines[first:]).strip()
