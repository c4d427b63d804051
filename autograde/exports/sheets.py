"""Gradebooks of Moodle, Blackboard, Brightspace, Sakai and ILIAS: the file that the system wrote, with our points in it.

Each reads what it writes, so encoding, separators, ids and the names of columns stay as they are. Columns of other assignments are left out: what
was graded there since the download would be overwritten.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path

from autograde.checking.errors import UserError
from autograde.exports.cells import NO_ZEROS, Sheet, differs, is_called, is_fixed, is_number, is_word, shown
from autograde.exports.marks import Marks
from autograde.grader.gradebook import roster
from autograde.grader.gradebook.list_columns import ID
from autograde.grader.gradebook.list_columns import column as compared
from autograde.grader.gradebook.roster import Directory, Person
from autograde.grader.ingest.collect import Ledger
from autograde.grader.ingest.naming.names import readable
from autograde.grader.results.csv_tables import Form, guarded, points, read_with_form

NUMBER = re.compile(r"(?=.*[^\W\d]).*\D(\d+)", re.DOTALL)  # `Participant 4711`, `Ann Lee_4711`
SAKAI = ("Student ID", "Student Name")  # in any language
NO = set("no nein non não nee nej nei nie ne ei nem nu hayır нет ні όχι 否 いいえ 아니오 לא لا".split())  # as Moodle says it
NOTHING = "-"  # what Moodle writes where there is nothing
NO_POINTS = ("percentage", "letter", "text", "complete/incomplete")  # what a column of Blackboard may show instead


@dataclass(frozen=True)
class System:
    """How a system writes its gradebook: `points` matches the name of an assignment's column, `grades` that of any column that people grade in;
    neither is there where the file is of one assignment. `new` is the name of a column that its import creates, `last` ends each row, `has` are columns by which its file is known."""

    title: str
    points: re.Pattern[str] | None = None
    grades: re.Pattern[str] | None = None
    new: str = ""
    last: str = ""
    has: tuple[str, ...] = ()


SYSTEMS = {
    "moodle": System("Moodle"),
    "ilias": System("ILIAS", has=("update", "login", "mark")),
    "blackboard": System(
        "Blackboard",
        re.compile(r"(?P<name>.+?) *\[[^\]:]+: (?P<points>\d[\d.,]*)(?: (?P<kind>[^\]]+))?\] *\|\d+"),
        re.compile(r"\|\d+$"),
    ),
    "brightspace": System(
        "Brightspace",
        re.compile(r"(?P<name>.+?) Points Grade(?: <Numeric MaxPoints:(?P<points>\d[\d.,]*)[^>]*>)?"),
        re.compile(r" Grade\b"),
        "{} Points Grade <Numeric MaxPoints:{:g}>",
        "End-of-Line Indicator",
        ("End-of-Line Indicator",),
    ),
    "sakai": System(
        "Sakai",
        re.compile(r"(?P<name>[^*#[]+?) *\[(?P<points>\d[\d.,]*)\]"),
        re.compile(r"\[[\d.,]+\]$|^[*#] "),
        "{} [{:g}]",
    ),
}


@dataclass(frozen=True)
class _Column:
    """The column of a lesson: where it stands, its name, and what it is worth there."""

    index: int
    name: str
    worth: str = ""
    changes: int | None = None  # where Moodle says whether a grade can be changed


def fill(marks: Marks, path: Path, system: System, folder: Path, zeros: bool = False) -> Sheet:
    """The file with our points; `folder` is that of the class, which knows by what numbers Moodle called submissions.

    Raises:
        UserError: when it is no gradebook of that system.
    """
    header, rows, form = _read(path)
    names = [name.strip() for name in header]
    if not set(system.has) <= set(names) or system.grades and not (system.has or any(map(system.grades.search, names))):
        raise UserError(f"{path} is not as {system.title} writes it: export the gradebook there, and name that file")
    people = roster.of_rows(path, [*SAKAI, *header[2:]] if system.title == "Sakai" else header, rows)
    columns, notes = _columns(marks, system, header, rows)
    new = [column.name for column in columns.values() if column.index >= len(header)]
    rows = [[*row, *[""] * len(new)] for row in rows]
    known, together = _owners(marks, people, rows, Ledger.read(folder).people if system.title == "Moodle" else {})
    marks = marks.as_one(together)
    unmatched = [s for s in marks.students if s not in known.values() and any(marks.score(s, lesson) is not None for lesson in columns)]
    named = {i: readable(person.name or person.student) for i, person in enumerate(people) if person}
    if zeros and unmatched and (nobodys := [name for i, name in named.items() if i not in known]):
        notes.append(NO_ZEROS.format(shown(nobodys), ", ".join(unmatched)))
    comma = system.title != "Moodle" and _has_commas(form, [row[column.index] for row in rows for column in columns.values()])
    before = [list(row) for row in rows]
    for i, name in named.items():
        notes += _filled(rows[i], columns, marks, known.get(i), zeros and (i in known or not unmatched), comma, name)
    if system.title == "ILIAS":
        _mark_updates(header, before, rows)
    return Sheet(_as_written(system, [*header, *new], rows, columns, form), len(known), unmatched, notes)


def _read(path: Path) -> tuple[list[str], list[list[str]], Form]:
    try:
        rows, form = read_with_form(path)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror})") from None
    if not rows:
        raise UserError(f"{path} is empty")
    return rows[0], [[*row, *[""] * (len(rows[0]) - len(row))] for row in rows[1:]], form


def _columns(marks: Marks, system: System, header: Sequence[str], rows: Sequence[list[str]]) -> tuple[dict[str, _Column], list[str]]:
    """Each lesson's column, and what to know of it.

    Raises:
        UserError: when no lesson has one.
    """
    columns, notes = _of_a_gradebook(marks, system, header) if system.points else _of_one_assignment(marks, system, header, rows)
    if not columns:
        raise UserError(
            f"the file has no column of {system.title}'s for {', '.join(marks.lessons)}" + "".join(f"; {note}" for note in notes)
        )
    for lesson, column in columns.items():
        if column.worth and differs(column.worth, marks.maximum(lesson)):
            worth = f"{column.worth.strip()} points in {system.title} and {marks.maximum(lesson):g} here"
            notes.append(f"{column.name} has {worth}: set the points there first")
    return columns, notes


def _of_a_gradebook(marks: Marks, system: System, header: Sequence[str]) -> tuple[dict[str, _Column], list[str]]:
    columns: dict[str, _Column] = {}
    notes = []
    named = {i: found for i, name in enumerate(header) if system.points and (found := system.points.fullmatch(name.strip()))}
    for lesson in marks.lessons:
        called = [i for i, found in named.items() if is_called(found["name"], lesson)]
        with_points = [i for i in called if (named[i].groupdict().get("kind") or "").casefold() not in NO_POINTS]
        if not called:
            if system.new:
                columns[lesson] = _Column(len(header) + len(columns), system.new.format(lesson, marks.maximum(lesson)))
            what = "its import will ask whether to create it" if system.new else "create it there, and download the file again"
            notes.append(f"{system.title} has no {lesson}: {what}")
        elif not with_points:
            notes.append(f"{header[called[0]]} shows no points: let it show the score in {system.title}, and download the file again")
        else:
            index, *others = with_points
            columns[lesson] = _Column(index, header[index], named[index]["points"] or "")
            if others:
                more = ", ".join(header[i].strip() for i in others)
                notes.append(f"{lesson} goes to {header[index].strip()}; there is {more}, too: call what is another assignment otherwise")
    return columns, notes


def _of_one_assignment(
    marks: Marks, system: System, header: Sequence[str], rows: Sequence[list[str]]
) -> tuple[dict[str, _Column], list[str]]:
    """The column of points of a file that holds one assignment: in Moodle's, of any language, that before the highest grade, which is one number
    in all rows."""
    if len(marks.lessons) != 1:
        raise UserError(f"{system.title}'s file is of one assignment: name the lesson, as in `--lesson {marks.lessons[0][:2]}`")
    names = [name.strip().casefold() for name in header]
    found = None
    if system.title == "ILIAS":
        found = _Column(names.index("mark"), "mark")
    elif rows and all(NUMBER.fullmatch(row[0].strip()) for row in rows):  # Moodle's numbers of submissions
        most = _highest_grade(rows)
        index = most - 1 if most else names.index("grade") if "grade" in names else None
        found = None if index is None else _Column(index, header[index], rows[0][most].strip() if most else "", most + 1 if most else None)
    return ({marks.lessons[0]: found} if found else {}), []


def _highest_grade(rows: Sequence[list[str]]) -> int | None:
    """The column of Moodle's highest grade: one number above 0 in all rows, behind a column of grades. Where all have one grade, this is the second of
    two such columns."""
    cells = [[row[i].strip() for row in rows] for i in range(len(rows[0]))]
    grades = {i for i, column in enumerate(cells) if all(cell in ("", NOTHING) or is_number(cell) for cell in column)}
    one = [
        i for i in grades if i > 2 and i - 1 in grades and len(set(cells[i])) == 1 and is_number(cells[i][0]) and points(cells[i][0]) > 0
    ]
    return max(one, default=None)


def _owners(
    marks: Marks, people: Sequence[Person | None], rows: Sequence[list[str]], numbered: Mapping[str, str]
) -> tuple[dict[int, str], list[list[str]]]:
    """Rows and whose they are, and the ids of who came by several: by the number that the system gave a submission, else by any id, address or name that
    the student or the class's list has of them, and one row alone; a row that two are who handed in one lesson is nobody's."""
    known = {}
    for i, row in enumerate(rows):
        number = NUMBER.fullmatch(row[0].strip())
        student = numbered.get(f"Moodle {number[1]}") if number else None
        if student in marks.students:
            known[i] = str(student)
    claims: dict[int, list[str]] = defaultdict(list)
    index = {id(person): i for i, person in enumerate(people) if person}
    directory = Directory([person for i, person in enumerate(people) if person and i not in known])
    for student in marks.students:
        if student not in known.values() and (person := _meant(student, marks.roster.get(student), directory)):
            claims[index[id(person)]].append(student)
    named = _by_listed_names(marks, directory, {*known.values(), *(s for students in claims.values() for s in students)})
    claims |= {i: students for i, students in ((index[who], students) for who, students in named.items()) if i not in claims}
    sure = {i: students for i, students in claims.items() if marks.are_one(students)}
    return known | {i: students[0] for i, students in sure.items()}, [students for students in sure.values() if len(students) > 1]


def _by_listed_names(marks: Marks, directory: Directory, taken: Set[str]) -> dict[int, list[str]]:
    """People of the file, by `id`, whom somebody not `taken` has the name of in the class's list."""
    found: dict[int, list[str]] = defaultdict(list)
    for student, listed in marks.roster.items():
        if student in marks.students and student not in taken and listed.name and (person := directory.of(listed.name)):
            found[id(person)].append(student)
    return found


def _meant(student: str, listed: Person | None, directory: Directory) -> Person | None:
    names = [student, *(listed.also if listed else ())]
    return next((person for name in names if name and (person := directory.of(name))), None)


def _has_commas(form: Form, cells: Sequence[str]) -> bool:
    """Whether numbers have a decimal comma where the file comes from: as its own do, else as they do where a semicolon stands between cells."""
    numbers = [cell for cell in cells if re.fullmatch(r"\s*\d+[.,]\d+\s*", cell)]
    return any("," in cell for cell in numbers) if numbers else form.separator == ";"


def _written(score: float, comma: bool) -> str:
    text = repr(round(float(score), 2)).removesuffix(".0")
    return text.replace(".", ",") if comma else text


def _filled(
    row: list[str], columns: Mapping[str, _Column], marks: Marks, student: str | None, none: bool, comma: bool, name: str
) -> list[str]:
    """Our points into a row; with `none` a 0 where there are no points and no word. What is excused stays, and is told."""
    notes = []
    for lesson, column in columns.items():
        before = row[column.index].strip()
        zero = none and not (is_word(before) and before != NOTHING)
        score = marks.score(student, lesson, zero) if student is not None else 0.0 if zero else None
        if score is not None and is_fixed(before):
            notes.append(f"{name}: {column.name} stays {before}")
        elif score is not None and column.changes and row[column.changes].strip().casefold() in NO:
            notes.append(f"{name}: Moodle takes no grade of theirs, which was locked or given there by hand")
            row[column.index] = _written(score, comma)
        elif score is not None:
            row[column.index] = _written(score, comma)
    return notes


def _mark_updates(header: Sequence[str], before: Sequence[list[str]], after: Sequence[list[str]]) -> None:
    """ILIAS takes the rows that say so."""
    index = [name.strip().casefold() for name in header].index("update")
    for old, new in zip(before, after):
        new[index] = "1" if new != old else old[index]


def _chosen(system: System, names: Sequence[str], ours: int) -> set[int]:
    """The columns before ours in which a student may have chosen the words, called in any language: all but those of ids, by which the import goes."""
    ids = {i for i, name in enumerate(names[:ours]) if compared(name) in ID or system.title == "Sakai" and i == 0}
    return set(range(min(ours, len(names)))) - ids


def _as_written(system: System, names: Sequence[str], table: Sequence[list[str]], columns: Mapping[str, _Column], form: Form) -> bytes:
    """The columns that say who is who, ours, and what ends a row; all of a file that is of one assignment."""
    if system.title == "Moodle":  # whose import expects this, whatever a spreadsheet has made of it
        form = replace(form, encoding="utf-8", begins=b"", separator=",")
    kept = list(range(len(names)))
    if system.grades:
        ours = [column.index for column in columns.values()]
        last = [i for i, name in enumerate(names) if system.last and name.strip() == system.last]
        first = next((i for i, name in enumerate(names) if system.grades.search(name.strip()) or i in ours), len(names))
        kept = [*(i for i in range(first) if i not in last), *ours, *last]
    texts = _chosen(system, names, min(one.index for one in columns.values()))
    return form.written([[names[i] for i in kept], *([guarded(row[i]) if i in texts else row[i] for i in kept] for row in table)])
