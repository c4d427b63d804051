"""Who is in the class: a CSV of any learning system, read into the gradebook (names) and `roster.csv` (sections, and who is missing).

Submissions may come by another id than the roster has: Canvas's zip says `smithann` of `Smith, Ann`, Moodle's `Ann Smith`, Gradescope's an
e-mail address. Where one person alone can be meant, that is who it is.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path

from nbgrader.api import Gradebook

from autograde.checking.errors import UserError
from autograde.files import write
from autograde.grader.gradebook.list_columns import (
    EMAIL,
    FIRST,
    ID,
    LAST,
    NAME,
    SECTION,
    SUMS,
    as_people_mean,
    column,
    from_its_header,
    is_nobodys,
    without_fractions,
)
from autograde.grader.results import encodings
from autograde.grader.results.class_list import ClassList
from autograde.grader.results.csv_tables import as_csv, guarded, unguarded
from autograde.grader.results.csv_tables import read as read_table

FILE = "roster.csv"  # in a course directory
HEADER = ("student_id", "name", "section", "email", "family", "other_ids")
FIELDS = ("student", "name", "section", "email", "family", "others")  # of a person, for the columns
MOST_TOLD = 10  # of students, in a line on a terminal
MOST_WORDS = 12  # of a name, at each of which the family's may begin: who chooses a name of thousands shall not hold up the list
ROUNDED = re.compile(r"\d([.,]\d+)?E\+\d+", re.IGNORECASE)  # what spreadsheets make of long numbers


@dataclass(frozen=True)
class Person:
    """One student of the class; `student` is the id by which submissions come."""

    student: str
    name: str
    section: str
    email: str
    family: str = ""  # the name's end that is the family's, where a column or a comma said so
    others: str = ""  # ids that other columns have, with blanks between: systems call one person by several
    listed: str = ""  # the list's own id, where submissions come by another

    @property
    def also(self) -> tuple[str, ...]:
        """By what else than `student` and the name another system may call them: the list's ids and the address, the likeliest first."""
        return tuple(filter(None, (self.listed, self.email, *self.others.split())))

    @property
    def in_list(self) -> str:
        """The list's own id, which one person has alone."""
        return self.listed or self.student

    @property
    def parts(self) -> tuple[str, str]:
        """(first, last) name; where nobody said which is which, the last word, or all from a `van` or `de la` on, is the family's."""
        words = self.name.split()
        start = next((i for i, word in enumerate(words) if i and word[0].islower()), len(words) - 1)
        family = self.family if self.family and self.name.endswith(self.family) else " ".join(words[start:])
        return self.name.removesuffix(family).strip(), family


def same(student: str) -> str:
    """An id as it is compared: without case and marks that nobody sees, and alike however `é` is written."""
    composed = unicodedata.normalize("NFC", student)
    return "".join(c for c in composed if unicodedata.category(c) != "Cf").strip().casefold()


class Directory:
    """Finds the person whom a submission's id means."""

    def __init__(self, people: Collection[Person]) -> None:
        self.people = list(people)
        self._by_own_id = {person.student: person for person in people}
        keys = Counter(same(person.student) for person in people)
        self._by_id = {key: person for person in people if keys[key := same(person.student)] == 1}
        digits = [(person.student.lstrip("0"), person) for person in people if person.student.isdigit()]
        counted = Counter(number for number, _ in digits)
        self._by_number = {number: person for number, person in digits if counted[number] == 1}
        others = [(key, person) for person in people for key in _other_keys(person)]
        often = Counter(key for key, _ in {(key, person.in_list) for key, person in others})
        self._by_other = {key: person for key, person in others if often[key] == 1}

    def of(self, student: str) -> Person | None:
        """By the id, also without the zeros before it, which spreadsheets take away; else by an address or a name that one person alone has;
        None where nobody can tell."""
        key = same(student)
        own = self._by_own_id.get(student) or self._by_id.get(key) or (self._by_number.get(key.lstrip("0")) if key.isdigit() else None)
        return own or self._by_other.get(key) or self._by_other.get(re.sub(r"\W|_", "", key))

    def called(self, students: Collection[str], lessons: Mapping[str, Set[str]] | None = None) -> list[Person]:
        """Everyone by the id that the class has for them: `students` are those of submissions, and `lessons` what each of them handed in. Who came by
        one id in some lessons and by another in others is there by each; else the roster's id is kept where it is one of them, and where two could
        be meant."""
        alike, others = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
        for student in students:
            alike[same(student)].append(student)
            if (person := self.of(student)) and same(person.student) != same(student):
                others[person.student].append(student)
        found = []
        for person in self.people:
            own = list(filter(None, [self._own(person.student, alike)]))
            ids = [*own, *others[person.student]]
            ids = ids if len(ids) == 1 or lessons and _apart(ids, lessons) else own
            found += [replace(person, student=s, listed=person.student if s != person.student else "") for s in ids or [person.student]]
        return found

    def _own(self, student: str, alike: Mapping[str, Sequence[str]]) -> str:
        """Which of the ids of submissions is that of a person of the list; one that differs in case alone is no longer, where another person's does, too."""
        own = alike.get(same(student), [])
        return student if student in own else _one(student, own) if same(student) in self._by_id else ""


def _apart(students: Sequence[str], lessons: Mapping[str, Set[str]]) -> bool:
    """Whether no two of them handed in the same lesson."""
    handed_in = [lessons.get(student, set()) for student in students]
    return sum(map(len, handed_in)) == len(set[str]().union(*handed_in))


def _one(student: str, alike: Sequence[str]) -> str:
    """Which of the ids that differ in case alone is the student's: the very one, or the only one; "" where there is none."""
    return alike[0] if len(alike) == 1 else student if alike else ""


def _other_keys(person: Person) -> set[str]:
    """The address, ids of other columns, and id and name as systems write them in one word: from which word the last name begins is not known."""
    words = same(person.name).split()
    starts = range(min(len(words), MOST_WORDS)) if len(words) > 1 else ()
    names = {re.sub(r"\W|_", "", "".join(words[i:] + words[:i])) for i in starts}
    others = {re.sub(r"\W|_", "", same(person.student))} - {same(person.student)}
    return {key for key in (*names, *others, same(person.email), *map(same, person.others.split())) if key}


def parse(path: Path) -> list[Person]:
    """The students in a CSV: Canvas's gradebook, Moodle's list of participants, or any with an id and names in its header.

    Raises:
        UserError: when it cannot be read, has no column of ids, or names one student twice.
    """
    header, *lines = from_its_header(read_table(path)) or [[]]
    people = [person for person in of_rows(path, header, lines) if person]
    if rounded := [p.student for p in people if ROUNDED.fullmatch(p.student)]:
        raise UserError(
            f"{path} has ids that a spreadsheet has rounded, such as {rounded[0]}: export it again, and do not save it in between"
        )
    people = _once(people)
    often = Counter(p.student for p in people)
    if twice := sorted(student for student in often if often[student] > 1):
        raise UserError(f"{path} has {', '.join(twice)} more than once: keep one line each")
    return people


def without_ids(path: Path) -> list[str]:
    """A line on the people of a CSV of whom no column has an id; none where there are none."""
    header, *lines = from_its_header(read_table(path))
    names = list(map(column, header))
    rows = [dict(zip(names, map(as_people_mean, line))) for line in lines]
    key = next(name for name in (*ID, *EMAIL) if any(row.get(name) for row in rows))
    lacking = [row for row in rows if not _another_id(row) and not is_nobodys({key: "", **row}, key, [])]
    called = [name for row in lacking if (name := _person({key: "", **row}, key).name) and name.casefold() not in SUMS]
    return [f"not in the class's list, since no column has an id of theirs: {', '.join(called)}"] if called else []


def spelled_otherwise(path: Path) -> list[str]:
    """A line on names in a CSV that may be meant otherwise, since nothing in it says how its letters are written."""
    return encodings.doubt(path)


def of_rows(path: Path, header: Sequence[str], lines: Sequence[Sequence[str]]) -> list[Person | None]:
    """Who each line of a table is; None for one that is nobody's.

    Raises:
        UserError: when there is no column of ids.
    """
    names = list(map(column, header))
    rows = [dict(zip(names, map(as_people_mean, line), strict=False)) for line in lines]
    rows = [{name: row.get(name, "") for name in names} for row in rows]
    key = next((name for name in (*ID, *EMAIL) if any(row.get(name) for row in rows)), None)
    if key is None:
        raise UserError(
            f"{path} has no column of student ids: its first line must name one, such as student_id, {', '.join(ID[1:5])} or {EMAIL[0]}"
        )
    ids = without_fractions([row[key] or _another_id(row) for row in rows])
    rows = [{**row, key: student} for row, student in zip(rows, ids)]
    return [_person(row, key) if row[key] and not is_nobodys(row, key, ids) else None for row in rows]


def _another_id(row: Mapping[str, str]) -> str:
    """Whom the column of ids has nothing for, as Moodle's of numbers often: by the next column that has."""
    return next((row[name] for name in (*ID, *EMAIL) if row.get(name)), "")


def _once(people: list[Person]) -> list[Person]:
    """Who stands in several sections has a line in each: one person, in all of them, as Canvas writes it."""
    found: dict[Person, list[str]] = {}
    for person in people:
        found.setdefault(replace(person, section=""), []).append(person.section)
    return [replace(person, section=" and ".join(dict.fromkeys(filter(None, own)))) for person, own in found.items()]


def _person(row: dict[str, str], key: str) -> Person:
    address = next((row[name] for name in ID if "@" in row.get(name, "")), "")  # Canvas's login often is one
    first, last = _first(row, FIRST), _first(row, LAST)
    if first and not last and not set(same(first).split()) & set(same(_first(row, NAME)).split()):  # `Name;Vorname`
        last = _first(row, NAME)
    name = f"{first} {last}".strip() or _first(row, NAME)
    if name.count(",") == 1:  # Canvas: `Smith, Ann`
        last, first = map(str.strip, name.split(","))
        name = f"{first} {last}".strip()
    student = row[key].removeprefix("#")
    others = dict.fromkeys(row[name].removeprefix("#") for name in ID if row.get(name) and " " not in row[name])
    return Person(student, name, _first(row, SECTION), _first(row, EMAIL) or address, last, " ".join(i for i in others if i != student))


def _first(row: dict[str, str], names: tuple[str, ...]) -> str:
    return next((row[name] for name in names if row.get(name)), "")


def save(people: list[Person], folder: Path, gradebook: Gradebook) -> None:
    """Names and addresses into the gradebook, where formgrader shows them; the whole list into `roster.csv`. Nobody is removed."""
    write(folder / FILE, as_csv(HEADER, [[guarded(getattr(person, field)) for field in FIELDS] for person in people]))
    for person in read(folder):
        first, last = person.parts if person.name else nameless(person.student)
        gradebook.update_or_create_student(person.student, first_name=first, last_name=last, email=person.email or None)


def nameless(student: str) -> tuple[str, str]:
    """(first, last) name of whom nobody has named: the id. Without any, all of a class are "None, None" in formgrader."""
    return "", student


def read(folder: Path) -> list[Person]:
    """The roster of a course directory, everyone by the id that their submissions have; nobody where it has none."""
    return Directory(_listed(folder)).called(_of_submissions(folder), lessons(folder))


def ids(folder: Path, student: str) -> list[str]:
    """All ids of the student whom this one means, itself first: the roster's, and those by which submissions came, but for one that differs
    from the student's very own in case alone, which somebody else has chosen."""
    directory, submitted = Directory(_listed(folder)), _of_submissions(folder)
    person = directory.of(student)
    if person is None:
        return [student]
    alike = [s for s in submitted if same(s) == same(person.student)]
    strangers = set(alike) - {_one(person.student, alike)}
    others = (
        [person.student, *(s for s in submitted if s not in strangers and directory.of(s) == person)] if student not in strangers else []
    )
    return list(dict.fromkeys([student, *others]))


def listed(folder: Path, student: str) -> str:
    """The list's own id of whom this one means, itself where the list has nobody such."""
    person = Directory(_listed(folder)).of(student)
    return person.student if person and student not in _of_submissions(folder) else student


def of_several_ids(folder: Path) -> list[str]:
    """A line on each who handed in by one id in some lessons and by another in others."""
    handed_in = lessons(folder)
    return [
        f"{' and '.join(_with_lessons(student, handed_in.get(student, ())) for student in ids)} are one student, says the list: "
        "pages, tables and exports show one"
        for ids in by_several(read(folder))
    ]


def doubled(folder: Path) -> list[str]:
    """A line on each student of the list whom several ids mean that handed in the same lesson: nobody can tell whose a submission is."""
    find, handed_in = Directory(_listed(folder)).of, lessons(folder)
    counted = {student for (student, _), _ in ClassList.read(folder).members()}
    meant = defaultdict[str, list[str]](list)
    for student in sorted(counted & handed_in.keys()):
        if person := find(student):
            meant[person.student].append(student)
    return [
        f"{' and '.join(_with_lessons(student, handed_in[student]) for student in ids)} are {listed} of the list by their names, and handed in the same "
        "lesson: they stay two. Take away the folder that is not theirs, or add who is missing to the list"
        for listed, ids in meant.items()
        if not _apart(ids, handed_in)
    ]


def unlisted(folder: Path) -> list[str]:
    """A line on who has handed in and is not in the list: who has left the class, or is called otherwise there."""
    find, handed_in = Directory(_listed(folder)).of, lessons(folder)
    counted = {student for (student, _), _ in ClassList.read(folder).members()}
    strange = [_with_lessons(student, handed_in[student]) for student in sorted(counted & handed_in.keys()) if not find(student)]
    more = [f"{len(strange) - MOST_TOLD} more"] if len(strange) > MOST_TOLD else []
    told = ", ".join([*strange[:MOST_TOLD], *more])
    return [f"handed in, and not on this list: {told}. Pages and tables show them until their folders are taken away"] if strange else []


def _with_lessons(student: str, handed_in: Iterable[str]) -> str:
    numbers = ", ".join(sorted(lesson[:2] for lesson in handed_in))
    return f"{student} ({numbers})" if numbers else student


def first_ids(folder: Path) -> dict[str, str]:
    """How tables call those who came by several ids: by that of the first lesson that they handed in."""
    handed_in = lessons(folder)
    several = [sorted(ids, key=lambda s: min(handed_in.get(s, {"~"}))) for ids in by_several(read(folder))]
    return {student: ids[0] for ids in several for student in ids}


def by_several(people: Iterable[Person]) -> list[list[str]]:
    """The ids of each who came by several, as `read` gives them."""
    found = defaultdict[str, list[str]](list)
    for person in people:
        found[person.in_list].append(person.student)
    return [ids for ids in found.values() if len(ids) > 1]


def _listed(folder: Path) -> list[Person]:
    """Everyone by the id that the roster itself has."""
    path = folder / FILE
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as stream:
        return [Person(*(unguarded(row.get(name) or "") for name in HEADER)) for row in csv.DictReader(stream)]


def _of_submissions(folder: Path) -> list[str]:
    return sorted({student for student, _ in ClassList.read(folder).entries})


def lessons(folder: Path) -> dict[str, set[str]]:
    """The lessons that each student has handed in, by the ids of submissions."""
    found: dict[str, set[str]] = {}
    for (student, lesson), entry in ClassList.read(folder).entries.items():
        if not entry.missing:
            found.setdefault(student, set()).add(lesson)
    return found


def names(folder: Path) -> list[str]:
    """The name of each person in the list."""
    return [person.name for person in _listed(folder) if person.name]


def finder(folder: Path) -> Callable[[str], Person | None] | None:
    """Whom of the list an id, a name or an address means; None where there is no list."""
    people = _listed(folder)
    return Directory(people).of if people else None


def told_apart(people: Sequence[Person]) -> list[Person]:
    """The same people for a page that shows no ids: where two have one name, the id stands behind it."""
    shared = Counter(name for name, _ in {(person.name, person.in_list) for person in people})

    def with_id(person: Person) -> Person:
        return replace(person, name=f"{person.name} ({person.student})", family=f"{person.parts[1]} ({person.student})")

    return [with_id(p) if p.name and shared[p.name] > 1 else p for p in people]


def in_class(folder: Path) -> Callable[[tuple[str, str]], bool]:
    """Whether a (student, lesson) counts in a results folder: nobody who left the class does, nor a file that was taken away."""
    return ClassList.read(folder).counts
