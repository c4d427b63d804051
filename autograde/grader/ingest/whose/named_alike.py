"""Whose folders are that a system has named alike, all of them side by side."""

from __future__ import annotations

import os.path
import re
from collections.abc import Mapping, Sequence, Set

from autograde.grader.ingest.found.lesson_of import full_name, named
from autograde.grader.ingest.naming.work_words import ATTEMPT, BY, DATE_BEHIND, DATED, NUMBERED, is_homework, is_work, said

ILIAS = re.compile(r"[^_]+_[^_]+_(?P<login>[^_].*)_\d+")  # last name, first name, login, the system's number
TEAM = re.compile(r"Team[ _]\d+")  # of ILIAS: in it a folder for each who handed in, or for each member
MILLISECONDS = re.compile(r"(.+?)[\s_-]+1[5-9]\d{11}")  # since 1970, behind a name
MOODLE_QUIZ = re.compile(r"(.+)_\d+_20\d{6}_\d{6}")  # who, the attempt's number, and when, of a plugin that downloads answers of quizzes
SUBMISSION = re.compile(r"exercise-\d+-.+_submission-\d+-(.+)")  # of a client of Artemis
PARTICIPATION = re.compile(r"(?P<work>.+)-(?P<number>\d+)-(?P<who>.+?)(?:\.git)?")  # of Artemis: course and exercise, its number, the login
COMMIT = re.compile(
    r"(?![0-9a-f]{8}(?:-[0-9a-f]{4}){3}-)(.+)-(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])(?:[0-9a-f]{12}|[0-9a-f]{40})"
)  # an archive of Bitbucket
DEVILRY = re.compile(r"group-\d+_(.+)")
GRADESCOPE = re.compile(r"(submission_\d{5,})")  # where the list of who is who is not there
COURSE = re.compile(r"(?:[a-z]{2,6}[\s_-]?\d{3,5}[a-z]?|\d{1,2}\.\d{3,4}[a-z]?)[\s_-]+", re.IGNORECASE)  # such as `CS 229 - ` or `6.036_`
BRANCH = re.compile(r"(.+)-(?:main|master)(?:-[0-9a-f]{7,40}(?:-\w+)?)?")  # a repository's archive of GitHub or GitLab


def by_layout(names: Set[str], root: str) -> dict[str, str]:
    """The students of folders that a system named alike, all of them; nothing where one is named in another way."""
    prefix = root.removesuffix("submissions")
    if prefix != root and prefix.endswith("-") and all(name.startswith(prefix) and name != prefix for name in names):  # GitHub Classroom
        return {name: name.removeprefix(prefix) for name in names}
    if systems := _of_systems(names):
        return systems
    whole = _without_branch(names)
    if not all(map(is_work, names)) and (rest := without_shared(set(whole.values()))):
        return _without_dates({name: rest[short] for name, short in whole.items()})
    if len(set(whole.values())) == len(names) > 1 and all(whole[name] != name for name in names):
        return whole
    logins = _of_ilias({name for name in names if not full_name(name)})
    return logins if len(set(logins.values())) == len(names) else _beside_work(names)


def _without_dates(called: dict[str, str]) -> dict[str, str]:
    """The same without the days of attempts behind, where all have one."""
    plain = {name: said(DATE_BEHIND.sub("", who)) for name, who in called.items() if DATE_BEHIND.search(who)}
    return plain if len(plain) == len(called) and all(plain.values()) else called


def _of_ilias(names: Set[str]) -> dict[str, str]:
    """The logins in names as ILIAS writes them. It writes blanks as `_`, too: where half have a last and a first name of one word each, the login is
    one word, behind names of several words as well."""
    found = {name: which["login"] for name in names if (which := ILIAS.fullmatch(name))}
    of_a_word = 2 * sum("_" not in login for login in found.values()) >= len(found)
    return {name: login.rpartition("_")[2] if of_a_word else login for name, login in found.items()}


def _beside_work(names: Set[str]) -> dict[str, str]:
    """What names say beside the homework's, each in its own way, such as `HW3 - Ann Lee` and `Re_ homework 3 Bo Kim`; nothing where one has none."""
    people = {name: said(name) for name in names if NUMBERED.search(name)}
    apart = len(set(people.values())) == len(names) > 1
    return people if apart and all(re.search(r"[^\W\d_]{2}", who) for who in people.values()) else {}


def _of_systems(names: Set[str]) -> dict[str, str]:
    """The same by the pattern of a system, which all names have; nothing where one has not."""
    for layout_of in (DEVILRY, GRADESCOPE, SUBMISSION, MOODLE_QUIZ):
        if all(map(layout_of.fullmatch, names)):
            return {name: layout_of.fullmatch(name)[1] for name in names}  # type: ignore[index]
    found = {name: which for name in names if (which := PARTICIPATION.fullmatch(name))}
    works, numbers, people = ({which[part] for which in found.values()} for part in ("work", "number", "who"))
    if len(found) == len(names) == len(numbers) > 1 and len(works) == 1:
        return {name: which["who" if len(people) == len(names) else "number"] for name, which in found.items()}
    return {}


def _without_branch(names: Set[str]) -> dict[str, str]:
    """Names of repositories' archives without the branch or the commit, where all have one; else as they are."""
    for pattern in (BRANCH, COMMIT):
        if all(map(pattern.fullmatch, names)):
            return {name: pattern.fullmatch(name)[1] for name in names}  # type: ignore[index]
    return {name: name for name in names}


def without_shared(names: Set[str]) -> dict[str, str]:
    """What to call students whose names all begin or end with the same words, where these are no part of a name; nothing where there are none, or where
    the rest could not call anybody."""
    found = {name: name for name in names}
    for turn in (1, -1) if len(names) > 1 else ():
        shared = _start({short[::turn] for short in found.values()})[::turn]
        rest = {name: short.removeprefix(shared) if turn > 0 else short.removesuffix(shared) for name, short in found.items()}
        if shared and _is_nobodys(shared, len(names)) and all(_may_call(short, bool(said(shared))) for short in rest.values()):
            found = rest
    return {name: BY.sub("", short) for name, short in found.items()} if any(name != short for name, short in found.items()) else {}


def _is_nobodys(shared: str, students: int) -> bool:
    """Whether words that all names share are no part of one: the work's or a branch's name, a year behind three names, or what a mark between words sets
    apart. A course's number such as `cs1-` stays: who hands in alone in the next lesson would have another name."""
    words = shared.strip(" _-")
    of_work = is_work(words) and shared.endswith("-") or bool(BRANCH.fullmatch(words)) or bool(named(words)) or is_homework(words)
    return of_work or students > 2 and bool(re.search(r"__$|^__|\s+-\s+$|^\s+-\s+|^[\s_-]+\d[\d\s_-]*$", shared))


def _may_call(rest: str, beside_words: bool) -> bool:
    """Whether what a name says besides may call a student; beside words that are not the work's, a number may be a part of another."""
    letters = bool(re.match(r"[^\W\d_]{2}", said(rest))) and not ATTEMPT.fullmatch(rest)
    return letters or not beside_words and bool(said(rest))


def common_start_of_students(students: Set[str]) -> str:
    """The word with which all of three students or more begin or end, or two where it holds a number; "" where they are called by one thing and a
    number, as groups are."""
    for turn in (1, -1):
        start = _start({student[::turn] for student in students})[::turn]
        rest = [student.removeprefix(start).removesuffix(start) for student in students]
        least = 2 if any(map(str.isdecimal, start)) else 3
        if len(students) >= least and len(re.findall(r"[^\W\d_]", start)) > 1 and all(re.search(r"[^\W\d_]{2}", name) for name in rest):
            return start.strip(" _-")
    return ""


def by_date(names: Set[str]) -> dict[str, str]:
    """The students of folders that all bear a day behind or before their names, one for each attempt; nothing where one does not."""
    if all(times := [MILLISECONDS.fullmatch(name) for name in names]) and len(names) > len({time[1] for time in times if time}):
        return {time[0]: time[1] for time in times if time}
    people = {name: said(DATE_BEHIND.sub("", name)) for name in names if DATE_BEHIND.search(name) or DATED.match(name)}
    return people if len(people) == len(names) and all(people.values()) else {}


def of_teams(folders: Mapping[str, Sequence[tuple[str, ...]]]) -> dict[tuple[str, ...], str]:
    """The students of files in folders that ILIAS has made for teams, where all are; nothing where one is called in another way."""
    members = {(team, *parts): parts[0] for team, inner in folders.items() for parts in inner if TEAM.fullmatch(team) and len(parts) > 1}
    called = _of_ilias(set(members.values()))
    logins = {place: called[member] for place, member in members.items() if member in called}
    return logins if len(logins) == sum(map(len, folders.values())) else {}


def common_start(names: Sequence[str]) -> str:
    """What stands before the names of all students in those of their files, such as a course's number and the lesson: `cs229-hw3-ann.ipynb`.
    Two files may be one student's, unless a number stands there as courses have; so may one."""
    if len(names) == 1:
        return _course_and_work(names[0])
    start = _start(names)
    of_class = len(names) > 2 or len(names) > 1 and any(map(str.isdecimal, said(start)))
    of_work = of_class and said(start) and (NUMBERED.search(start) or named(start) or is_homework(start))
    return start if of_work and all(said(name.removeprefix(start)) for name in names) else ""


def _course_and_work(name: str) -> str:
    """A course's number and the homework's before a name, as in `CS 229 - Homework 3 - Ann Lee.ipynb`; "" where nothing follows them."""
    course = COURSE.match(name)
    work = NUMBERED.match(name[course.end() :].replace("_", " ")) if course else None
    if not course or not work:
        return ""
    rest = name[course.end() + work.end() :].lstrip(" _-")
    return name.removesuffix(rest) if said(rest) else ""


def _start(names: Sequence[str] | Set[str]) -> str:
    """With what all begin, to the last mark between words."""
    found = re.match(r".*[-_ ]|", os.path.commonprefix(sorted(names)))
    return found[0] if found else ""
