"""What every lesson must be, beyond what each of its cells shows: all that is wrong at once, each as `file:line: what`."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator

from autograde import layout
from autograde.authoring import pins
from autograde.authoring.rules import bodies, cell_order, contents, imports, leaks, suites, tasks, texts, typed
from autograde.authoring.source import BEGIN, END, Cell, Source
from autograde.checking.errors import UserError
from autograde.checking.syntax import is_magic

LEAST, MOST = 20, 30  # points by checks
FIGURES = 5
SCOREBOARD = "lesson.scoreboard()"  # in a cell tagged as a figure, which it is none
WIDTH = 88  # columns of what students are given of an exercise: a docstring is its specification, and is read in narrow windows
POINTS = re.compile(r"([\d.]+) points?\b")
WRITTEN = re.compile(r"([\d.]+) (?:more )?for the\s+written question")
ROW = re.compile(r"\|[^|]*\| `(\w+)`[^|]*\|.*\| *([\d.]+) *\|\s*$")  # of the table of exercises: its name, its points
RULE = re.compile(r"\|( *:?-+:? *\|)+ *")  # the line below a table's head
LATER = re.compile(r"\b(?:TODO|FIXME|XXX)\b|\?\?\?")
DIFFICULTY = "●"
OPENED = re.compile(r"""open_lesson\(\s*["']([^"']*)["']""")


def complaints(lesson: Source) -> list[str]:
    """What no lesson may have: a build and a release stop at it."""
    if unreadable := suites.unreadable(lesson.name):
        return unreadable  # what the others would say of such a file is wrong
    own = (
        *_points(lesson),
        *_wide(lesson),
        *_without_head(lesson),
        *_open_hints(lesson),
        *_of_another(lesson),
        *_forbids(lesson),
        *_silent(lesson),
    )
    said = (found for of in (texts, typed, contents, tasks, cell_order, imports) for found in of.complaints(lesson))
    return [*missing(lesson.name), *suites.complaints(lesson), *bodies.complaints(lesson), *own, *said, *leaks.complaints(lesson.name)]


def check(lesson: Source) -> None:
    """Raise UserError with all complaints, a line each."""
    if found := complaints(lesson):
        raise UserError("\n".join(found))


def missing(name: str) -> list[str]:
    """The files that a lesson lacks."""
    needed = {
        layout.checks_path(name): "its public tests",
        layout.hidden_path(name): "its hidden tests",
        layout.misconceptions_path(name): "wrong answers to try the tests on",
    }
    return [
        f"lesson {name} has no {path.relative_to(layout.ROOT).as_posix()}, which holds {what}"
        for path, what in needed.items()
        if not path.is_file()
    ]


def notes(lesson: Source) -> list[str]:
    """What a lesson still lacks of what every lesson of the course has; a build says it and goes on."""
    points = sum(exercise.points for exercise in lesson.exercises.values())
    figures = sum("figure" in cell.tags and SCOREBOARD not in cell.source for cell in lesson.cells)
    last = lesson.cells[-1].source.strip()
    found = {
        f"its points by checks are {points:g}; a lesson has {LEAST} to {MOST}": points >= LEAST,
        "it has no ungraded stretch exercise": any(exercise.stretch for exercise in lesson.exercises.values()),
        f"it has {len(lesson.questions)} written questions; a lesson has one": len(lesson.questions) == 1,
        f"its figures are {figures}; a lesson has {FIGURES} or more": figures >= FIGURES,
        f"its last cell is not {SCOREBOARD}": last.endswith(SCOREBOARD),
    }
    lacking = [*(note for note, well in found.items() if not well), *suites.notes(lesson)]
    unmarked = [cell for cell in lesson.cells if cell.question and tasks.RUBRIC not in cell.source]
    asked = [
        f"{lesson.path.name}:{cell.line}: a written question has no rubric: a line that begins with {tasks.RUBRIC}" for cell in unmarked
    ]
    return [*(f"{lesson.name}: {note}" for note in lacking), *asked, *_unfinished(lesson)]


def _unfinished(lesson: Source) -> Iterator[str]:
    """What an author has left for later, and students would read."""
    for cell in lesson.cells:
        for number, line in enumerate(cell.source.splitlines(), cell.line + 1):
            if left := LATER.search(line):
                yield f"{lesson.path.name}:{number}: {left[0]} is left in what students are given"


def _wide(lesson: Source) -> list[str]:
    """Lines of signatures and docstrings of exercises that are too long; answers may be as wide as other code."""
    return [
        f"{lesson.path.name}:{number}: {len(line)} columns, in {cell.exercise}: wrap signatures and docstrings of exercises at {WIDTH}"
        for cell in lesson.cells
        if cell.exercise
        for number, line in _given(cell)
        if len(line) > WIDTH
    ]


def _given(cell: Cell) -> Iterator[tuple[int, str]]:
    """The numbered lines of a cell that are no part of its answer."""
    answer = False
    for number, line in enumerate(cell.source.splitlines(), cell.line + 1):
        answer = answer or line.strip() == BEGIN
        if not answer:
            yield number, line
        answer = answer and line.strip() != END


def _without_head(lesson: Source) -> list[str]:
    """Tables with a column that has no head: a screen reader tells it with each cell of the column."""
    lines = [
        (number, line)
        for cell in lesson.cells
        if cell.kind == "markdown"
        for number, line in enumerate(cell.source.splitlines(), cell.line + 1)
    ]
    heads = (head for head, (_, below) in zip(lines, lines[1:]) if RULE.fullmatch(below))
    return [f"{lesson.path.name}:{number}: a column of this table has no head" for number, head in heads if "" in _cells(head)]


def _open_hints(lesson: Source) -> list[str]:
    """Texts whose `<details>` does not end in them, or shows no words to click on: what follows would be hidden with it."""
    found = []
    for cell in lesson.cells:
        opened, closed, named = (
            (cell.source.count(mark) for mark in ("<details", "</details>", "<summary>")) if cell.kind == "markdown" else (0, 0, 0)
        )
        if not opened == closed == named:
            found.append(
                f"{lesson.path.name}:{cell.line}: each hint is <details><summary>…</summary> … </details>; here are {opened}, {named} and {closed}"
            )
    return found


def _silent(lesson: Source) -> list[str]:
    """Figures and views without words for who cannot see them; an execution finds those whose words are computed."""
    calls = (
        (cell.line + node.lineno, node)
        for cell in lesson.cells
        if cell.kind == "code" and not is_magic(cell.source)
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("plots.show", "plots.show_html")
    )
    return [
        f'{lesson.path.name}:{line}: a figure without words: write what it shows into alt="…"' for line, call in calls if not _alt(call)
    ]


def _alt(call: ast.Call) -> bool:
    return any(
        word.arg in (None, "alt") and not (isinstance(word.value, ast.Constant) and not str(word.value.value or "").strip())
        for word in call.keywords
    )


def _of_another(lesson: Source) -> list[str]:
    """A notebook that opens another lesson, as one does that was begun as a copy: its checks would be that lesson's."""
    return [
        f'{lesson.path.name}:{_line(cell, found.start())}: this opens lesson {found[1]!r}: write open_lesson("{lesson.name}", globals())'
        for cell in lesson.cells
        if cell.kind == "code" and (found := OPENED.search(cell.source)) and found[1] != lesson.name
    ]


def _forbids(lesson: Source) -> list[str]:
    """Calls that nothing of PyTorch and no package is called by: to forbid them forbids nothing."""
    import torch

    places = (torch, torch.nn.functional, torch.Tensor)
    return [
        f"{lesson.path.name}:{cell.line}: forbids {name!r}, which is neither a function of torch, torch.nn.functional or a tensor, nor a package"
        for cell in lesson.cells
        for name in str(cell.metadata.get("forbids", "")).split()
        if not any(hasattr(place, name) for place in places) and not _is_package(name)
    ]


def _is_package(name: str) -> bool:
    """Whether this machine or requirements.lock has it: an instructor's machine lacks what only the tests need, and releases all the same."""
    if pins.normal(name.split(".")[0]) in pins.locked():
        return True
    try:
        return importlib.util.find_spec(name) is not None
    except ImportError:  # nor is there the package that it would be in
        return False


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().removeprefix("|").removesuffix("|").split("|")]


def _points(lesson: Source) -> list[str]:
    """Where the text gives other points than the checks, and a sum that is too large."""
    total = sum(exercise.points for exercise in lesson.exercises.values())
    found = [f"{lesson.path.name}: its points by checks are {total:g}; a lesson has {MOST} at most"] if total > MOST else []
    for number, name in _rows_of_nothing(lesson):
        found.append(f"{lesson.path.name}:{number}: the table of exercises has `{name}`, which is no exercise of the lesson")
    for number, said, what, right in (*_said_of_all(lesson, total), *_said_of_each(lesson)):
        if float(said.rstrip(".")) != right:
            found.append(f"{lesson.path.name}:{number}: the text says {said} points for {what}; its checks give {right:g}")
    return found


def _rows_of_nothing(lesson: Source) -> Iterator[tuple[int, str]]:
    """A slip of the pen there takes an exercise's minutes out of what `autograde progress` tells."""
    for cell in lesson.cells:
        for number, line in enumerate(cell.source.splitlines(), cell.line + 1) if cell.kind == "markdown" else ():
            if (row := ROW.search(line)) and row[1] not in lesson.exercises:
                yield number, row[1]


def _said_of_all(lesson: Source, total: float) -> Iterator[tuple[int, str, str, float]]:
    """(line, points in the text, of what, points it has) of the sums below the title."""
    first = next((cell for cell in lesson.cells if cell.kind == "markdown"), None)
    head = first.source.split("\n\n")[0] if first else ""
    if first and (by_checks := POINTS.search(head)):
        yield _line(first, by_checks.start()), by_checks[1], "the lesson", total
    if first and (written := WRITTEN.search(head)) and len(lesson.questions) == 1:
        yield _line(first, written.start()), written[1], "the written question", sum(lesson.questions.values())


def _said_of_each(lesson: Source) -> Iterator[tuple[int, str, str, float]]:
    """The same of each exercise: in the table of all, and beside its difficulty in the last text before it."""
    graded = {name: exercise.points for name, exercise in lesson.exercises.items() if exercise.points}
    task: list[tuple[int, str]] = []
    for cell in lesson.cells:
        lines = list(enumerate(cell.source.splitlines(), cell.line + 1)) if cell.kind == "markdown" else []
        rows = ((number, row) for number, line in lines if (row := ROW.search(line)) and row[1] in graded)
        yield from ((number, row[2], row[1], graded[row[1]]) for number, row in rows)
        task = [
            (number, said[1]) for number, line in lines if DIFFICULTY in line and line[0] != "|" and (said := POINTS.search(line))
        ] or task
        if cell.exercise:
            yield from ((number, points, cell.exercise, graded[cell.exercise]) for number, points in task[-1:] if cell.exercise in graded)
            task = []


def _line(cell: Cell, position: int) -> int:
    return cell.line + 1 + cell.source.count("\n", 0, position)
