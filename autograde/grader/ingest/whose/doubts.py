"""What could be read in two ways: whose files are where only names of folders and files say it, and nobody's list of the class confirms it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence, Set

from autograde.grader.ingest.found import lesson_of
from autograde.grader.ingest.naming import copies
from autograde.grader.ingest.naming.nobodys_names import is_ones_own, wraps
from autograde.grader.ingest.naming.shapes import shape
from autograde.grader.ingest.naming.work_words import ATTEMPT, GROUP, is_work, said
from autograde.grader.ingest.whose.named_alike import common_start_of_students

Parts = tuple[str, ...]
SEVERAL = (
    "it may be one of several students', or an attempt of one: put it into a folder with the student's name, "
    "or say who is in the class (autograde roster)"
)
SUFFIX = re.compile(
    r"(?P<name>.*[^\W\d_].*?)(?:[\s_-]+\d{1,2}|[\s_-]*\(\d{1,2}\)|[\s_-]+1[5-9]\d{8}(?:\d{3})?)"
)  # the last is a time since 1970
MOST = 3  # names that a line gives
SECTION = 3  # students, from which on a folder is a section of a class


def held_back(placed: Mapping[Parts, str]) -> dict[Parts, str]:
    """The files that might be of several students where all are taken for one's, and why: each file's name says something else."""
    if len(set(placed.values())) != 1 or len(placed) < 2:
        return {}
    names = [said(parts[-1]) for parts in placed]
    apart = all(names) and len(set(names)) == len(names) and len({parts[:-1] for parts in placed}) == 1
    return dict.fromkeys(placed, SEVERAL) if apart else {}


def told(placed: Mapping[Parts, str], beside: Collection[str] = ()) -> list[str]:
    """A line for each thing that might be another: `placed` is the student of each file that no system and no list of the class confirms, `beside` are
    students that a system named."""
    students = {student for student in placed.values() if student}
    return [
        line
        for line in (
            _levels(placed),
            _below(placed),
            _deeper(placed, beside),
            _files(placed),
            _suffixes(students),
            _attempts(students),
            _shared(students),
        )
        if line
    ]


def of_one(placed: Mapping[Parts, str]) -> list[str]:
    """A line where all work is taken for one student's, and several notebooks are called by the same lesson."""
    names: dict[str, list[str]] = defaultdict(list)
    for parts in placed:
        if ".ipynb" in parts[-1].lower() and copies.rank(parts) == 2:
            names[lesson_of.named(parts[-1]) or ""].append(parts[-1])
    several = max(names.values(), key=len, default=[])
    if len(several) < 2 or len(set(placed.values())) != 1:
        return []
    return [f"{some(several)} taken as attempts of {some(set(placed.values()))}; they may be a student's each"]


def _levels(placed: Mapping[Parts, str]) -> str:
    """Folders that lie around those or files of students and are called by no work: they may be the students."""
    inside: dict[str, set[str]] = defaultdict(set)
    for parts, student in placed.items():
        if len(parts) > 1 and (student in parts[:-1] or said(parts[-1]) == student):
            depth = parts.index(student) if student in parts[:-1] else -1
            above = [part for part in parts[:depth] if not is_work(part) and not wraps(part)]
            inside[above[0] if above else ""].add(student)
    outer = inside.keys() - {""}
    if not outer or len(inside) < 2 or all(len(inside[name]) >= SECTION for name in outer):
        return ""
    inner = set().union(*(inside[name] for name in outer))
    beside = f", and so is {some(inside[''])} beside" if inside.get("") else ""
    return f"{some(inner)} in {some(outer)} taken as {_students(inner)}{beside}; they may be attempts of {some(outer)}"


def _below(placed: Mapping[Parts, str]) -> str:
    """Folders in one of a student's that are called by no work: they may be students, and the one around them a part of the class."""
    inside: dict[str, set[str]] = defaultdict(set)
    for parts, student in placed.items():
        after = parts[parts.index(student) + 1 : -1] if student in parts[:-1] and ".ipynb" in parts[-1].lower() else ()
        if (
            after
            and not is_work(after[0])
            and not wraps(after[0])
            and not ATTEMPT.fullmatch(after[0])
            and not re.search(r"^\d|\d{4}", after[0])
        ):
            inside[student].add(after[0])
    several = {
        student: names for student, names in inside.items() if len(names) > 1 and not all(is_ones_own(student, name) for name in names)
    }
    if not several:
        return ""
    return f"{some(set().union(*several.values()))} in {some(several)} taken as attempts of one student each; they may be students"


def _deeper(placed: Mapping[Parts, str], beside: Collection[str]) -> str:
    """The one folder in which a name stands that may be a student's, where the folder may be of those who handed in later or in another way; or all
    folders, where another name stands in each."""
    inside: dict[str, set[str]] = defaultdict(set)
    by_file = beside or len(set(placed.values())) == 1
    for parts, student in placed.items():
        after = parts[parts.index(student) + 1 :] if student in parts[:-1] else ()
        inside[student].add((after[0] if len(after) > 1 else _named_by(after[0], beside) if by_file else "") if after else "")
    named = {who: name for who, names in inside.items() if len(names) == 1 and (name := min(names)) and _may_be_a_student(who, name)}
    others = [*beside, *(who for who in inside if who not in named)]
    one = len(named) == 1 and (beside or {shape(other) for other in others} == {shape(name) for name in named.values()})
    each = len(named) == len(set(named.values())) == len(inside) and not beside
    if not (one and len(others) > 1 or each and (len(named) > 1 or len(placed) == 1 and by_file)):
        return ""
    what = "it may be a student" if len(named) == 1 else "they may be students"
    return f"{some(set(named.values()))} in {some(named)} taken as work of {some(named)}; {what}"


def _named_by(file: str, beside: Collection[str]) -> str:
    """What a file's name says beside the lesson: where no system named others, only one that is called by the lesson, too."""
    return said(file) if beside or lesson_of.full_name(file) else ""


def _may_be_a_student(folder: str, name: str) -> bool:
    return not (is_work(name) or wraps(name) or ATTEMPT.fullmatch(name) or is_ones_own(folder, name))


def _files(placed: Mapping[Parts, str]) -> str:
    """Folders of students, at least half of them, that hold several notebooks each, all of them called by another name."""
    called: dict[str, dict[Parts, set[str]]] = defaultdict(lambda: defaultdict(set))
    for parts, student in placed.items():
        if student in parts[:-1] and ".ipynb" in parts[-1].lower():
            called[student][parts[:-1]].add(said(parts[-1]))
    several = {
        who: set[str]().union(*folders.values()) for who, folders in called.items() if any(len(names) > 1 for names in folders.values())
    }
    names = set[str]().union(*several.values())
    if len(called) < 2 or "" in names or sum(map(len, several.values())) > len(names) or 2 * len(several) < len(called) or not names:
        return ""
    return f"{some(several)} taken as students; {some(names)} in them may be a student's each"


def _suffixes(students: Set[str]) -> str:
    """Students who differ in a number behind the name alone, where others have no such number."""
    alike: dict[str, set[str]] = defaultdict(set)
    for student in students:
        found = SUFFIX.fullmatch(student)
        alike[found["name"].strip() if found else student].add(student)
    several = {stem: names for stem, names in alike.items() if len(names) > 1 and not GROUP.fullmatch(stem)}
    if not several or len(alike) == 1 and len(students) > 2:  # it is how all are called
        return ""
    return f"{some(set().union(*several.values()))} taken as different students; they may be attempts of {some(several)}"


def _attempts(students: Set[str]) -> str:
    called = {student for student in students if ATTEMPT.fullmatch(student)}
    return f"{some(called)} taken as {_students(called)}, called like an attempt or a day" if called else ""


def _shared(students: Set[str]) -> str:
    """What all students' names have in common, which is then no part of a name."""
    shared = common_start_of_students(students)
    return f"all names begin or end with `{shared}`, which may be no part of them" if shared else ""


def _students(names: Set[str]) -> str:
    return "a student" if len(names) == 1 else "students"


def some(names: Set[str] | Sequence[str] | Mapping[str, object]) -> str:
    """The first few of names, and how many more there are."""
    given = sorted(names)
    more = f" and {len(given) - MOST} more" if len(given) > MOST else ""
    return ", ".join(f"`{name}`" for name in given[:MOST]) + more
