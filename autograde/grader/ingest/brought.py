"""What became of the files of a class, as lines for a terminal: a line or two a submission, no file's name in pieces."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape

from autograde.grader.ingest.found.findings import LeftOut
from autograde.grader.ingest.naming.names import readable

SURE = "Call each student's folder by the student, or say who is in the class (autograde roster)"
WIDEST = 24  # columns for students' names
INDENT = "    "
MOST_ALIKE = 5  # files of a student's that are left out for one reason


@dataclass(frozen=True)
class Row:
    """One submission: `state` is new, newer, known or older."""

    student: str
    lesson: str
    file: str
    state: str
    notes: tuple[str, ...] = ()


@dataclass
class Collected:
    """What was brought, and what was not."""

    rows: list[Row] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


def show(result: Collected, console: Console) -> None:
    """Print who handed in which file and what to know of it; then what may be read in two ways, and what was not taken and why."""
    for line in lines(result, console.width):
        console.print(escape(line), soft_wrap=True)


def lines(result: Collected, width: int) -> Iterator[str]:
    names = min(max((cell_len(row.student) for row in result.rows), default=0), WIDEST)
    for row in sorted(result.rows, key=lambda row: (row.student, row.lesson)):
        padded = row.student + " " * (names - cell_len(row.student))
        yield from _entry(f"{padded}  {row.lesson[:2]}  {row.state:5}", row.file, row.notes, width)
    for said in result.told:
        yield from _wrapped(readable(said), "", width)
    for doubt in result.doubts:
        yield from _wrapped(f"not sure whose these are: {readable(doubt)}. {SURE}", "", width)
    shown, more = _shortened(result.left_out)
    for out in shown:
        yield from _entry("not taken", ": ".join(filter(None, (out.student, ascii(out.shown)[1:-1]))), (out.why,), width)
    for (student, why), count in more.items():
        yield from _entry("not taken", ": ".join(filter(None, (student, f"{count} more"))), (why,), width)


def _shortened(left_out: Sequence[LeftOut]) -> tuple[list[LeftOut], dict[tuple[str, str], int]]:
    """The first files of each student's, or of nobody's, of those that are not taken for one reason; and how many more there are, such as a data set's."""
    shown, counted = list[LeftOut](), Counter[tuple[str, str]]()
    for out in left_out:
        counted[out.student, out.why] += 1
        if counted[out.student, out.why] <= MOST_ALIKE or not out.student:
            shown.append(out)
    return shown, {key: count - MOST_ALIKE for key, count in counted.items() if key[0] and count > MOST_ALIKE}


def _entry(head: str, file: str, notes: Iterable[str], width: int) -> Iterator[str]:
    """A file that does not fit beside its student has the next line; one that is wider than the terminal goes on at its left edge."""
    fits = cell_len(head) + 2 + cell_len(file) <= width
    yield f"{head}  {file}" if fits else head.rstrip()
    if not fits:
        yield INDENT + file
    for note in notes:
        yield from _wrapped(note, INDENT, width)


def _wrapped(words: str, indent: str, width: int) -> list[str]:
    return textwrap.wrap(words, width, initial_indent=indent, subsequent_indent=INDENT, break_long_words=False, break_on_hyphens=False)
