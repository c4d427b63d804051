"""What a lesson says around each exercise and question (heading, row, minutes, docstring, rubric), each mistake as `file:line: what`."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator

from autograde import layout
from autograde.authoring.rules.texts import HEADING, without_fences
from autograde.authoring.source import Cell, Source, text_of

TITLE = re.compile(r"(?m)^# # \d\d · (.+?) *$")
NUMBERED = re.compile(r"Exercise (\d+)\b")
NAMED = re.compile(r"`(\w+)`")
MINUTES = re.compile(r"(\d+) minutes")
POINTS = re.compile(r"[\d.]+ points?\b")
ROW = re.compile(r"\|[^|]*\| `(\w+)`[^|]*\|.*?\| *(\d+) *\| *[\d.]+ *\|\s*$")  # of the table of exercises: its name, its minutes
HINT = re.compile(r"<summary>Hint (\d+)")
WORD = re.compile(r"\w+")
IN_TEXT = re.compile(r"`(\w{6,})[`(]")
ASKED = re.compile(r"(?i)question[^\n]*?([\d.]+) points?\b")
RUBRIC = "**Rubric**"  # from which the page for written answers has its keys
ITEM = re.compile(r"(?<![\w.])([\d.]+) points?:")
TARGETS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def complaints(lesson: Source) -> list[str]:
    found = (*_of_number(lesson), *_of_tasks(lesson), *_of_hints(lesson), *_of_names(lesson), *_of_cells(lesson), *_of_questions(lesson))
    return [f"{lesson.path.name}:{line}: {what}" for line, what in sorted(found)]


def _of_number(lesson: Source) -> Iterator[tuple[int, str]]:
    number = lesson.name[:2]
    if not lesson.title.startswith(f"{number} · "):
        line = next(c.line + 1 + c.source[: c.source.index(lesson.title)].count("\n") for c in lesson.cells if lesson.title in c.source)
        yield line, f"the title {lesson.title!r} does not begin with the number of the file's name: {number} · …"
    if others := [name for name in layout.lesson_names() if name[:2] == number and name != lesson.name]:
        yield 1, f"lesson {number} is there twice: also as solutions/{others[0]}.py"
    for other in (name for name in layout.lesson_names() if name[:2] != number):
        if (title := TITLE.search(text_of(layout.source_path(other)))) and title[1] == lesson.title.partition(" · ")[2]:
            yield lesson.cells[0].line + 1, f"lesson {other[:2]} has this title, too: tables of grades know a lesson's column by it"


def _of_tasks(lesson: Source) -> Iterator[tuple[int, str]]:
    """Each graded exercise has its heading between the last check and its cell, with the next number, and its row in the table."""
    rows = dict(_rows(lesson))
    task: list[tuple[int, str]] = []  # the lines of the texts since the last check
    last = 0
    for cell in lesson.cells:
        if cell.kind == "markdown":
            lines = list(enumerate(without_fences(cell.source)[0].split("\n"), cell.line + 1))
            for line, text in lines:
                if HEADING.match(text) and (said := NUMBERED.search(text)):
                    if int(said[1]) != last + 1:
                        yield line, f"exercise {said[1]} comes after exercise {last}"
                    last = int(said[1])
            task += lines
        elif cell.exercise and not lesson.exercises[cell.exercise].stretch:
            yield from _of_task(cell, cell.exercise, task, rows)
            task = []
        elif cell.check:
            task = []


def _of_task(cell: Cell, name: str, task: list[tuple[int, str]], rows: dict[str, int]) -> Iterator[tuple[int, str]]:
    headings = [(line, text) for line, text in task if HEADING.match(text)]
    if not any(name in NAMED.findall(text) for _, text in headings) and not any("●" in text and text[0] != "|" for _, text in task):
        yield cell.line, f"{name} has no heading above it: ### Exercise N · `{name}`"
    for line, text in headings:
        if NUMBERED.search(text) and name not in (named := NAMED.findall(text)):
            yield line, f"this heading names {', '.join(named) or 'no exercise'}; below it stands the exercise {name}"
    if name not in rows:
        yield cell.line, f"the lesson's table has no row of this exercise: | N | `{name}` | ●○○ | MINUTES | POINTS |"
        return
    for line, text in task:
        if "●" in text and text[0] != "|" and not POINTS.search(text):
            yield line, f"no points stand beside the difficulty of {name}: (●○○, {rows[name]} minutes, N points)"
        if "●" in text and (said := MINUTES.search(text)) and int(said[1]) != rows[name]:
            yield line, f"the text says {said[1]} minutes for {name}; the table of exercises says {rows[name]}"


def _rows(lesson: Source) -> Iterator[tuple[str, int]]:
    for cell in lesson.cells:
        for line in cell.source.splitlines() if cell.kind == "markdown" else ():
            if row := ROW.search(line):
                yield row[1], int(row[2])


def _of_hints(lesson: Source) -> Iterator[tuple[int, str]]:
    """Those of a task count from 1: who opens the second one first has seen more than was meant."""
    last = 0
    for cell in lesson.cells:
        for line, text in enumerate(cell.source.splitlines(), cell.line + 1) if cell.kind == "markdown" else ():
            last = 0 if HEADING.match(text) else last
            for number in map(int, HINT.findall(text)):
                if number != last + 1:
                    yield line, f"hint {number} comes after {f'hint {last}' if last else 'none'}"
                last = number


def _of_names(lesson: Source) -> Iterator[tuple[int, str]]:
    """Names in texts that nothing has, and that are nearly an exercise's: it was renamed, or misspelt."""
    known = {word for cell in lesson.cells if cell.kind == "code" for word in WORD.findall(cell.source)}
    for cell in lesson.cells:
        lines = without_fences(cell.source)[0].split("\n") if cell.kind == "markdown" else []
        for line, text in enumerate(lines, cell.line + 1):
            for word in () if HEADING.match(text) or text.startswith("|") else IN_TEXT.findall(text):  # of which more is said elsewhere
                if word not in known and (meant := difflib.get_close_matches(word, lesson.exercises, n=1, cutoff=0.8)):
                    yield line, f"nothing of the lesson is called {word}: is {meant[0]} meant?"


def _of_cells(lesson: Source) -> Iterator[tuple[int, str]]:
    """An exercise's own cell: students read its docstring, and graders run all of it. A check's shows its result alone, from which nbgrader reads points."""
    for cell in lesson.cells:
        for node in ast.parse(cell.source).body if cell.check else ():
            if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "check"):
                yield (
                    cell.line + node.lineno,
                    f"this stands in the cell of a check, which is check({cell.check}) alone: give it a cell of its own",
                )
        for node in ast.parse(cell.source).body if cell.exercise else ():
            if isinstance(node, TARGETS) and node.name == cell.exercise and not ast.get_docstring(node):
                yield cell.line + node.lineno, f"{node.name} has no docstring, which says what to write"
            if isinstance(node, ast.Assert) or isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                what = "assertion" if isinstance(node, ast.Assert) else "call"
                yield (
                    cell.line + node.lineno,
                    f"this {what} is in the cell of {cell.exercise}, which every grading runs: give it a cell of its own",
                )


def _of_questions(lesson: Source) -> Iterator[tuple[int, str]]:
    """The points of the rubric's items, and those that the text before the question gives."""
    for before, cell in ((before, cell) for before, cell in zip(lesson.cells, lesson.cells[1:]) if cell.question):
        points = lesson.questions[str(cell.question)]
        if (said := ASKED.search(before.source)) and before.kind == "markdown" and float(said[1].rstrip(".")) != points:
            line = before.line + 1 + before.source.count("\n", 0, said.start())
            yield line, f"the text says {said[1]} points for the question; it has points={points:g}"
        head, mark, rubric = cell.source.partition(RUBRIC)
        items = [float(item.rstrip(".")) for item in ITEM.findall(rubric)]
        if mark and sum(items) != points:
            given = f"its items give {sum(items):g}" if items else 'it has no items such as "1 point: …"'
            yield cell.line + 1 + head.count("\n"), f"the rubric is of {points:g} points; {given}"
