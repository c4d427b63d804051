"""The class as CSV: `grades.csv`, a line a submission, and `exercises.csv`, a line an exercise."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from autograde.checking.errors import UserError
from autograde.checking.status import SubmissionStatus
from autograde.files import write
from autograde.grader.results import encodings
from autograde.grader.results.model import Graded

GRADES = ("student_id", "assignment", "score", "max_score", "status")
NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?")
FORMULA = re.compile(r'(\A|;"?)(?=\s*[=+\-@＝＋－＠])')  # blanks before it are taken away by some that read a table
GUARDED = re.compile(r"""(\A|;"?)'(?=\s*[=+\-@＝＋－＠])""")
SEPARATORS = (",", ";", "\t", "|")
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?(?:\r\n|\n|\r)', re.IGNORECASE)  # which some write above a table for Excel
FIRST_LINE = re.compile(r"([^\r\n]*)(\r\n|\n|\r|\Z)")  # Excel ends lines by the last of these for old Macs
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # how .xlsx, .ods and other zips begin, and .xls
EXERCISES = ("student_id", "assignment", "exercise", "score", "max_score", "status", "message")
ENDS_IN_A_QUOTE = "unexpected end of data"  # as Python's reader says it
csv.field_size_limit(2**30)  # a gradebook may have what students wrote, with pictures; Python's own limit is 128 KiB


@dataclass(frozen=True)
class Form:
    """How a table was written, so that it can be written so again."""

    encoding: str
    begins: bytes  # with a byte order mark, or nothing
    separator: str
    line_end: str
    quoted: bool  # all cells, not only those that need it

    def written(self, rows: Sequence[Sequence[str]]) -> bytes:
        stream = io.StringIO()
        quoted = csv.writer(stream, delimiter=self.separator, lineterminator=self.line_end, quoting=csv.QUOTE_ALL)
        plain = csv.writer(stream, delimiter=self.separator, lineterminator=self.line_end)
        (quoted if self.quoted else plain).writerows(rows)
        return self.begins + stream.getvalue().encode(self.encoding, errors="replace")


@dataclass(frozen=True)
class Total:
    """A submission's points in the gradebook."""

    score: float
    max_score: float


def save(graded: Sequence[Graded], folder: Path, totals: Mapping[tuple[str, str], Total] | None = None) -> None:
    """Write both tables of all that is known of a class, sorted, each at once: the same results give the same bytes.

    `totals` are a submission's points as the gradebook has them, with written answers, what people changed, and late penalties; a submission
    that is not in it has the sum of its exercises. Where nothing was handed in, scores are empty: there is nothing that earned a 0.
    """
    known = totals or {}
    worth = {lesson: total.max_score for (_, lesson), total in known.items()}
    grades, exercises = [], []
    for g in sorted(graded, key=lambda g: (g.student, g.lesson)):
        recorded = known.get((g.student, g.lesson))
        total = recorded or Total(g.score, worth.get(g.lesson, g.max_score))
        empty = g.status == SubmissionStatus.MISSING and not recorded
        grades.append((g.student, g.lesson, "" if empty else f"{total.score:g}", f"{total.max_score:g}", g.status))
        exercises += [
            (g.student, g.lesson, r.exercise, "" if empty else f"{r.score:g}", f"{r.points:g}", r.status, r.message) for r in g.results
        ]
    for name, header, rows in (("grades.csv", GRADES, grades), ("exercises.csv", EXERCISES, exercises)):
        write(folder / name, as_csv(header, [[safe(value) for value in row] for row in rows]))


def read(path: Path) -> list[list[str]]:
    """A table's rows as a learning system wrote it or a spreadsheet saved it, with commas, semicolons, tabs or strokes between the cells; `encodings` says
    in which encodings. Empty rows are left out.

    Raises:
        OSError: when it cannot be read.
        UserError: when it is no text, or a quote in it is not closed.
    """
    return read_with_form(path)[0]


def read_with_form(path: Path) -> tuple[list[list[str]], Form]:
    """The same, with how it was written."""
    raw = path.read_bytes()
    if raw.startswith(WORKBOOKS):
        raise UserError(f"{path} is a spreadsheet's own file or an archive: save it as CSV (in Excel: Save As, CSV UTF-8), and name that")
    encoding, begins = encodings.of(raw)
    text = (
        raw[len(begins) :].decode(encoding, errors="replace").replace("\0", "")
    )  # which no program shows, and a student may have in a name
    said = SEPARATOR_LINE.match(text)
    text = text[said.end() :] if said else text
    first, line_end = FIRST_LINE.match(text).groups()  # type: ignore[union-attr]
    tables = {mark: _rows(text, mark) for mark in ([said[1]] if said else SEPARATORS)}
    separator = max(tables, key=lambda mark: _rows_alike(tables[mark]))
    if unclosed := _unclosed(text, separator):
        first, last = unclosed
        raise UserError(
            f"{path} has a quote in line {first + bool(said)} that is not closed there, so that all to line {last + bool(said)} is one cell: "
            f"take the quote away or close it"
        )
    rows = tables[separator]
    return rows, Form(encoding, begins, separator, line_end or "\n", first.count('"') >= 2 * len(rows[0]) if rows else False)


def _rows(text: str, separator: str) -> list[list[str]]:
    """The rows that are not empty."""
    return [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if any(row)]


def _unclosed(text: str, separator: str) -> tuple[int, int] | None:
    """The first and the last line of a row with a quote that is not closed, or in a line below: it takes what others have into one cell."""
    lines = list(io.StringIO(text, newline="")) if '"' in text else []
    reader, first = csv.reader(lines, delimiter=separator), 0
    for _ in reader:
        fault = _fault(lines[first : reader.line_num], separator)
        if fault == ENDS_IN_A_QUOTE or fault and reader.line_num > first + 1:
            return first + 1, reader.line_num
        first = reader.line_num
    return None


def _fault(lines: Sequence[str], separator: str) -> str:
    """What is wrong with the quotes of a row: in one line nothing is lost by words behind a quote that is closed."""
    try:
        list(csv.reader(lines, delimiter=separator, strict=True))
    except csv.Error as error:
        return str(error)
    return ""


def _rows_alike(rows: Sequence[Sequence[str]]) -> tuple[int, int]:
    """How many rows have as many cells as most have, several; and how many cells: a separator divides all rows alike, wherever titles stand above them."""
    counted = Counter(len(row) for row in rows if len(row) > 1)
    cells, often = max(counted.items(), key=lambda one: (one[1], one[0]), default=(0, 0))
    return often, cells


def rows(path: Path) -> list[dict[str, str]]:
    """The lines of `grades.csv` or `exercises.csv` whose points are numbers or empty: lines of other lessons may be edited by hand."""
    with path.open(newline="", encoding="utf-8") as stream:
        return [row for row in csv.DictReader(stream) if _is_number(row["score"] or "0") and _is_number(row["max_score"])]


def _is_number(text: str) -> bool:
    try:
        return isfinite(float(text))
    except ValueError:
        return False


def points(cell: str) -> float:
    """A number as spreadsheets of any language write it: `7.5`, `7,5`."""
    return float(cell.strip().replace(",", "."))


def as_csv(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """A table in UTF-8, of cells that are `safe` or `guarded`."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([header, *rows])
    return stream.getvalue().encode()


def safe(value: str) -> str:
    """Text on one line that a spreadsheet does not run; a student chooses their folder's name and their error messages."""
    return guarded(" ".join(value.replace("\x00", "").split()))


def guarded(text: str) -> str:
    """Text with a `'` before what begins like a formula, also behind a `;`, at which a spreadsheet in half of Europe begins a new cell."""
    return text if NUMBER.fullmatch(text) else FORMULA.sub(r"\1'", text)


def unguarded(text: str) -> str:
    """The text that was `guarded`."""
    return GUARDED.sub(r"\1", text)
