"""Canvas's gradebook CSV: the file that Canvas exports, with our columns filled in.

Canvas wants the columns Student, ID, SIS User ID, SIS Login ID, Section, in this order, then the assignments, each as `name (id)` or
as a name; a row `Points Possible` comes before the students. An empty cell takes a score away that Canvas has, so what we do not know
stays as it was.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from autograde.checking.errors import UserError
from autograde.exports.cells import NO_ZEROS, READ_ONLY, Sheet, differs, is_called, is_fixed, is_number, is_word, shown
from autograde.exports.marks import Marks
from autograde.exports.table import number
from autograde.grader.gradebook.list_columns import TEST_LOGIN, without_fractions
from autograde.grader.ingest.collect import Ledger
from autograde.grader.ingest.naming.names import readable
from autograde.grader.results.csv_tables import as_csv, guarded, read, safe

IDENTITY = ("Student", "LastName", "FirstName", "ID", "SIS User ID", "SIS Login ID", "Integration ID", "Root Account", "Section")
NAMES = ("Student", "LastName", "FirstName")  # which students may choose; Canvas goes by the ids, people read them in a spreadsheet
KEYS = ("SIS Login ID", "SIS User ID", "ID")  # what a student may be called by, the likeliest first
WITHOUT_ROSTER = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
WITH_INTEGRATION = (*WITHOUT_ROSTER[:4], "Integration ID", "Section")
POINTS = "    Points Possible"
NUMBERED = re.compile(r"\w_(\d+)$")
ID = re.compile(r"\s*\(\d+\)$")


@dataclass(frozen=True)
class _Roster:
    header: list[str]
    students: list[list[str]]
    points: list[str]

    def cell(self, row: list[str], name: str) -> str:
        return row[self.header.index(name)] if name in self.header else ""

    def identity(self, row: list[str], name: str) -> str:
        """A cell that says who it is, as Canvas wrote it, but for a name that a spreadsheet would run."""
        return guarded(self.cell(row, name).strip()) if name in NAMES else self.cell(row, name)

    def name(self, row: list[str]) -> str:
        """`Smith, Ann`, also where each has a column."""
        return row[0] if self.header[0] == "Student" else ", ".join(self.cell(row, part) for part in NAMES[1:])

    def named(self, index: int) -> str:
        """Who has a row, as a terminal can show it."""
        return readable(self.name(self.students[index]))

    def is_test_student(self, row: list[str]) -> bool:
        """Whether a row is Canvas's own, by its name or, in any language, by its login."""
        called = self.name(row).replace(" ", "").casefold() in ("student,test", "teststudent")
        return called or bool(TEST_LOGIN.fullmatch(self.cell(row, "SIS Login ID").strip()))


def fill(marks: Marks, roster: Path, zeros: bool = False, folder: Path | None = None) -> Sheet:
    """The roster with a column for each of our lessons; who is who stays as Canvas wrote it, but for names that a spreadsheet would run. `folder` is
    that of the class, which knows by what numbers Canvas called submissions.

    Raises:
        UserError: when the file is not a Canvas gradebook.
    """
    canvas = _read(roster)
    known, together, two = _match(marks, canvas, _numbered(folder) if folder else {})
    marks = marks.as_one(together)
    identity = [name for name in canvas.header if name in IDENTITY]
    columns = {lesson: _column(lesson, canvas.header) for lesson in marks.lessons}
    table = [[*identity, *(column or lesson for lesson, column in columns.items())]]
    table.append([POINTS, *[""] * (len(identity) - 1), *(number(marks.maximum(lesson)) for lesson in columns)])
    unmatched = [student for student in marks.students if student not in known.values()]
    could_be = {index: student for student in unmatched for index in _candidates(student, canvas) if index not in known}
    locked: list[str] = []
    for index, row in enumerate(canvas.students):
        before = {lesson: canvas.cell(row, column) if column else "" for lesson, column in columns.items()}
        none = zeros and index not in could_be and not canvas.is_test_student(row)
        after = {lesson: _score(marks, known.get(index), lesson, none and not is_word(before[lesson])) for lesson in columns}
        kept = [lesson for lesson, column in columns.items() if is_fixed(before[lesson]) or column and _is_locked(canvas, column)]
        locked += [f"{canvas.named(index)}: {columns[lesson]} stays {before[lesson].strip()}" for lesson in kept if after[lesson]]
        filled = (before[lesson] if lesson in kept else after[lesson] or before[lesson] for lesson in columns)
        table.append([*(canvas.identity(row, name) for name in identity), *filled])
    notes = [*two, *_notes(marks, canvas, columns), *locked, *(_no_zeros(could_be, canvas) if zeros else [])]
    return Sheet(as_csv(table[0], table[1:]), len(known), unmatched, notes)


def without_roster(marks: Marks, zeros: bool = False) -> Sheet:
    """The same by student ids alone, which must be the SIS Login IDs."""
    rows = [[POINTS, "", "", "", "", *(number(marks.maximum(lesson)) for lesson in marks.lessons)]]
    for student in marks.students:
        name = safe(student)
        rows.append([name, "", "", name, "", *(_score(marks, student, lesson, zeros) for lesson in marks.lessons)])
    return Sheet(as_csv([*WITHOUT_ROSTER, *marks.lessons], rows), len(marks.students))


def _read(path: Path) -> _Roster:
    try:
        rows = read(path)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror})") from None
    header = _in_english([name.strip() for name in rows[0]], rows[1:]) if rows else []
    if not header or header[0] not in ("Student", "LastName") or "ID" not in header or "Section" not in header:
        raise UserError(f"{path} is not a gradebook that Canvas exported: its first row must begin with Student, ID, … Section")
    rows = [[*row, *[""] * (len(header) - len(row))] for row in rows[1:]]
    points = next((row for row in rows if _is_points(row, header)), [])
    names = [header.index(name) for name in (header[0], "ID")]
    people = [row for row in rows if row is not points and any(row[i].strip() for i in names) and not _is_posting(row)]
    return _Roster(header, _with_whole_ids(header, people), points)


def _with_whole_ids(header: list[str], people: list[list[str]]) -> list[list[str]]:
    """The same with ids as they were before a program took a column of them for measures, which has empty cells then, such as that of the points."""
    columns = [list(column) for column in zip(*people)]
    for place, name in enumerate(header[: len(columns)]):
        if name in IDENTITY and name not in NAMES:
            plain = [cell.strip() for cell in columns[place]]
            columns[place] = whole if (whole := without_fractions(plain)) != plain else columns[place]
    return [list(row) for row in zip(*columns)]


def _in_english(header: list[str], rows: list[list[str]]) -> list[str]:
    """The header as Canvas writes it, where somebody has translated its first columns: these stand in one order, before the first assignment,
    and the second holds the numbers of Canvas."""
    if "ID" in header:  # `Student` is a word of other languages, too
        return header
    before = next((i for i, name in enumerate(header) if ID.search(name)), 0)
    identity = {
        3: ("Student", "ID", "Section"),
        4: ("Student", "ID", "SIS Login ID", "Section"),
        5: WITHOUT_ROSTER,
        6: WITH_INTEGRATION,
    }.get(before)
    numbers = [row[1].strip() for row in rows if len(row) > 1 and row[1].strip()]
    if not identity or not numbers or not all(number.isdigit() for number in numbers):
        return header
    return [*identity, *header[before:]]


def _is_points(row: list[str], header: list[str]) -> bool:
    """The row of the points that assignments are worth: called so, or without anybody's number and with one for an assignment."""
    nobody = not row[header.index("ID")].strip()
    return "Points Possible" in row[0] or nobody and any(is_number(cell) for cell, name in zip(row, header) if ID.search(name))


def _is_locked(canvas: _Roster, column: str) -> bool:
    """Whether Canvas takes no scores for an assignment."""
    return bool(canvas.points) and canvas.cell(canvas.points, column).strip().casefold() == READ_ONLY


def _candidates(student: str, canvas: _Roster) -> set[int]:
    """The rows that a student who matches none, or two, could be: those with the id or the name, else all."""
    wanted = {_same(student), re.sub(r"\W", "", _same(student))}
    keys = [{_same(canvas.cell(row, key)) for key in KEYS} | {re.sub(r"\W", "", _same(canvas.name(row)))} for row in canvas.students]
    return {index for index, own in enumerate(keys) if wanted & own} or set(range(len(canvas.students)))


def _no_zeros(could_be: Mapping[int, str], canvas: _Roster) -> list[str]:
    rows = [canvas.named(index) for index in sorted(could_be) if not canvas.is_test_student(canvas.students[index])]
    return [NO_ZEROS.format(shown(rows), ", ".join(sorted(set(could_be.values()))))] if rows else []


def _is_posting(row: list[str]) -> bool:
    """The row that says which assignments are posted by hand names no student."""
    return all(re.fullmatch(r"\s*(Muted|Manual Posting.*)?\s*", cell, re.IGNORECASE) for cell in row)


def _numbered(folder: Path) -> dict[str, str]:
    """The students whom Canvas has called by its own number, which no student chooses, as they chose the names before it."""
    ledger = Ledger.read(folder)
    numbers = {person.removeprefix("Canvas "): name for person, name in ledger.people.items() if person.startswith("Canvas ")}
    return {number: ledger.called.get(name, name) for number, name in numbers.items() if not name.startswith("anon_")}


def _match(marks: Marks, canvas: _Roster, numbered: Mapping[str, str]) -> tuple[dict[int, str], list[list[str]], list[str]]:
    """Rows of the roster and whose they are, the ids of who came by several, and a note on each two who came by one: by Canvas's number, else by an id
    or a name. One that two rows share is nobody's, and a row that is somebody's by an id or a name is not taken by a student's number."""
    sure = {numbered[key]: i for i, row in enumerate(canvas.students) if (key := canvas.cell(row, "ID").strip()) in numbered}
    claims, by_number = _claims(marks, canvas, sure)
    one = {index: students for index, students in claims.items() if marks.are_one(students)}
    known = {index: students[0] for index, students in claims.items() if index in one or students[0] in sure}
    rows_taken = Counter(by_number.values())
    known |= {index: student for student, index in by_number.items() if index not in claims and rows_taken[index] == 1}
    by_id = {canvas.cell(canvas.students[index], "ID"): student for index, student in known.items()}
    others = {index: by_id[key] for index, row in enumerate(canvas.students) if (key := canvas.cell(row, "ID")) and key in by_id}
    two = [f"{_both(students)} are both {canvas.named(index)} in Canvas" for index, students in claims.items() if index not in one]
    return others | known, [students for students in one.values() if len(students) > 1], two


def _claims(marks: Marks, canvas: _Roster, sure: Mapping[str, int]) -> tuple[dict[int, list[str]], dict[str, int]]:
    """Who each row may be, those first who are `sure`; and the rows of students whose own number alone names one."""
    rows, numbers = _by_key(canvas), _without_zeros(canvas)
    claims: dict[int, list[str]] = defaultdict(list)
    by_number: dict[str, int] = {}
    for student in sorted(marks.students, key=lambda student: student not in sure):
        listed = marks.roster.get(student)
        index = sure.get(student, _row_of((student, *(listed.also if listed else ())), rows))
        if index is not None:
            claims[index].append(student)
            continue
        behind = NUMBERED.search(student)  # a namesake, as `collect` tells them apart
        index = rows.get(behind[1]) if behind else numbers.get(student.lstrip("0")) if student.isdigit() else None
        if index is not None:
            by_number[student] = index
    taken = {*claims, *by_number.values()}
    for student, index in _by_listed_names(marks, rows, {*by_number, *(s for students in claims.values() for s in students)}):
        if index not in taken:
            claims[index].append(student)
    return claims, by_number


def _by_listed_names(marks: Marks, rows: Mapping[str, int], taken: Set[str]) -> Iterator[tuple[str, int]]:
    """Who is not `taken` and has the name of a row in the class's list, which people read; ids come before names."""
    for student, listed in marks.roster.items():
        if student in marks.students and student not in taken and listed.name:
            if (index := _row_of(["".join(reversed(listed.parts))], rows)) is not None:  # as `smithann`
                yield student, index


def _row_of(called: Iterable[str], rows: Mapping[str, int]) -> int | None:
    """By the first of these that is somebody's in Canvas."""
    keys = (key for name in map(_same, called) for key in (name, re.sub(r"\W", "", name)))
    return next((rows[key] for key in keys if key in rows), None)


def _both(students: Sequence[str]) -> str:
    return " and ".join(map(readable, students))


def _by_key(canvas: _Roster) -> dict[str, int]:
    """Rows by their ids and names, as they are compared; those that two have are nobody's, and an id comes before a name."""
    rows: dict[str, int] = {}
    for name in ("Student", *reversed(KEYS)):
        cells = [_same(canvas.name(row) if name == "Student" else canvas.cell(row, name)) for row in canvas.students]
        if name == "Student":  # `Smith, Ann` is smithann in the file names of Canvas's zip of submissions
            cells = [re.sub(r"\W", "", cell) for cell in cells]
        people = {(cell, canvas.cell(row, "ID") or str(index)): index for index, (cell, row) in enumerate(zip(cells, canvas.students))}
        often = Counter(cell for cell, _ in people)  # a person may have a row for each section
        rows |= {cell: index for (cell, _), index in people.items() if cell and often[cell] == 1}
    return rows


def _without_zeros(canvas: _Roster) -> dict[str, int]:
    """Rows by the university's numbers without the zeros before them, which spreadsheets take away; only those that one row has."""
    found = [(canvas.cell(row, key).strip(), index) for key in KEYS[:2] for index, row in enumerate(canvas.students)]
    numbers = {(cell.lstrip("0"), index) for cell, index in found if cell.isdigit()}
    often = Counter(number for number, _ in numbers)
    return {number: index for number, index in numbers if often[number] == 1}


def _same(name: str) -> str:
    """A name as it is compared: macOS and Canvas write `ü` in two ways."""
    return unicodedata.normalize("NFC", name).strip().casefold()


def _column(lesson: str, header: list[str]) -> str | None:
    """Canvas's own column for a lesson: of the lesson's name or title, as `name (id)` or alone."""
    return next(iter(_columns(lesson, header)), None)


def _columns(lesson: str, header: list[str]) -> list[str]:
    return [column for column in header if column not in IDENTITY and is_called(ID.sub("", column), lesson)]


def _score(marks: Marks, student: str | None, lesson: str, zeros: bool) -> str:
    return number(marks.score(student, lesson, zeros) if student is not None else 0.0 if zeros else None)


def _notes(marks: Marks, canvas: _Roster, columns: dict[str, str | None]) -> list[str]:
    notes = []
    for lesson, column in columns.items():
        if column is None:
            notes.append(f"Canvas has no assignment {lesson}: the import will ask what it is; create it there, or rename the column")
            continue
        if others := _columns(lesson, canvas.header)[1:]:
            notes.append(f"{lesson} goes to {column}; Canvas has {', '.join(others)}, too: call what is another assignment otherwise")
        theirs = canvas.cell(canvas.points, column).strip() if canvas.points else ""
        if theirs and theirs != READ_ONLY and differs(theirs, marks.maximum(lesson)):
            notes.append(f"{column} has {theirs} points in Canvas and {marks.maximum(lesson):g} here: set the points in Canvas first")
    return notes
