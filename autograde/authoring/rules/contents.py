"""A lesson's table of exercises, beside the lesson: numbers, order, difficulty, and the row of the written question."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from autograde.authoring.rules.tables import cells
from autograde.authoring.rules.texts import HEADING
from autograde.authoring.source import Cell, Source

NUMBERED = re.compile(r"Exercise (\d+)\b")
SIGNS = re.compile(r"[●○]+")
NAME = re.compile(r"`(\w+)`")
WRITTEN = re.compile(r"\bquestion\b", re.IGNORECASE)
RIGHT = re.compile(r"●{1,3}○{0,2}")


class Row(NamedTuple):
    line: int
    number: str
    name: str  # of the exercise; "" of what is none
    difficulty: str
    points: str
    words: str


def complaints(lesson: Source) -> list[str]:
    rows = list(_rows(lesson))
    found = (*_of_order(lesson, rows), *_of_difficulty(lesson, rows), *_of_question(lesson, rows))
    return [f"{lesson.path.name}:{line}: {what}" for line, what in sorted(found)]


def _rows(lesson: Source) -> Iterator[Row]:
    """Of the first text, where the table stands."""
    first = next((cell for cell in lesson.cells if cell.kind == "markdown"), None)
    for line, text in enumerate(first.source.splitlines(), first.line + 1) if first else ():
        row = cells(text) if text.startswith("|") else []
        if len(row) == 5 and not row[0].startswith(("-", ":", "No")):
            name = NAME.match(row[1])
            yield Row(line, row[0], name[1] if name else "", row[2], row[4], row[1])


def _of_order(lesson: Source, rows: list[Row]) -> Iterator[tuple[int, str]]:
    """Rows stand in the lesson's order, each with the number of its heading."""
    order = [cell.exercise for cell in lesson.cells if cell.exercise]
    numbers = dict(_numbers(lesson))
    places = [(order.index(row.name), row) for row in rows if row.name in order]
    for (before, above), (at, row) in zip(places, places[1:]):
        if at < before:
            yield row.line, f"`{row.name}` stands below `{above.name}` in the table, and above it in the lesson"
    for row in rows:
        if row.name in numbers and (number := re.match(r"\d+", row.number)) and number[0] != numbers[row.name]:
            yield row.line, f"the table gives `{row.name}` the number {row.number}; its heading says {numbers[row.name]}"


def _numbers(lesson: Source) -> Iterator[tuple[str, str]]:
    """(exercise, the number of its heading)."""
    for line in (line for cell in lesson.cells if cell.kind == "markdown" for line in cell.source.splitlines()):
        if HEADING.match(line) and (number := NUMBERED.search(line)) and (name := NAME.search(line)):
            yield name[1], number[1]


def _of_difficulty(lesson: Source, rows: list[Row]) -> Iterator[tuple[int, str]]:
    """Three signs each, and the same in the table and beside the task."""
    in_table = {row.name: row.difficulty for row in rows if row.name and _three(row)}
    task: list[tuple[int, str]] = []
    for row in rows:
        if row.name and not _three(row):
            yield row.line, f"the difficulty of `{row.name}` is {row.difficulty or 'not there'}: three signs, ●○○, ●●○ or ●●●"
    for cell in lesson.cells:
        if cell.kind == "markdown":
            task += [(line, signs[0]) for line, signs in _signs(cell)]
        elif cell.exercise:
            for line, signs in task[-1:]:
                if signs != in_table.get(cell.exercise, signs):
                    yield line, f"the text says {signs} for {cell.exercise}; the table of exercises says {in_table[cell.exercise]}"
            task = []


def _three(row: Row) -> bool:
    return len(row.difficulty) == 3 and bool(RIGHT.fullmatch(row.difficulty))


def _signs(cell: Cell) -> Iterator[tuple[int, re.Match[str]]]:
    for line, text in enumerate(cell.source.splitlines(), cell.line + 1):
        if not text.startswith("|") and (signs := SIGNS.search(text)):
            yield line, signs


def _of_question(lesson: Source, rows: list[Row]) -> Iterator[tuple[int, str]]:
    """Its points are a part of the lesson's, and so of the table."""
    written = [row for row in rows if not row.name and WRITTEN.search(row.words)]
    for row, points in zip(written, lesson.questions.values()):
        if row.points != f"{points:g}":
            yield row.line, f"the table gives the written question {row.points or 'no'} points; it has points={points:g}"
    if rows and lesson.questions and not written:
        name, line = next((str(cell.question), cell.line) for cell in lesson.cells if cell.question)
        yield line, f"the lesson's table has no row of the question {name}: | | written question | | MINUTES | {lesson.questions[name]:g} |"
