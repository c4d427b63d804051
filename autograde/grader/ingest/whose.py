"""Whose a file is where no learning system named it: by the folders it lies in, else by what its name says beside the lesson."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from autograde.grader.ingest import lesson_of, teams_folders
from autograde.grader.ingest.kinds import original
from autograde.grader.ingest.named_alike import by_date, by_layout, common_start, of_teams, without_shared
from autograde.grader.ingest.work_words import ATTEMPT, is_work, said

Parts = tuple[str, ...]
MOST_ATTEMPTS = 10
NUMBER = re.compile(r"\d{1,4}\.ipynb", re.IGNORECASE)
ENDING = re.compile(r"\.(?:ipynb|py).*$", re.IGNORECASE)
NUMBERED_PART = re.compile(r"(.*\D)??\d{1,2}(\D.*)?|(.*[\s_-])[A-Za-z]")  # `tut01`, `1반`, `Room B`
# Behind the file's name, and a number where that name was there already.
RESPONDER = re.compile(r"(?i)(?:.*_)?(.+?)(?: \d{1,2})?\.\w+(?:\.txt)?$")
SHORT_NUMBER = re.compile(r"\d{1,5}")  # of a section, and hardly a student's
PLACE = re.compile(  # of a computer
    r"(?i)desktop|mnt|media|schreibtisch|escritorio|scrivania|documenti|documents|dokumente|documentos|bureau|home|te?mp|new folder|neuer ordner|nouveau dossier|nueva carpeta|projects?|stuff|misc"
)
ONES_OWN = re.compile(r"(?i)(?:students?|users?|team|participants?|pair)[\s_-]*")  # with a number behind, a student's
HOLDS_WORK = re.compile(r"(?i)\.ipynb|\.(?:zip|tar|tgz)\b")
LISTING = re.compile(r"(?i).+\.(?:csv|tsv|xlsx?|ods|html?)")  # what systems and people write beside the folders of a class
ABOUT = re.compile(r"(?i)(?:readme|licen[cs]e|contributing|makefile|requirements|environment|changelog|notice)(?:\.\w+)?|\.git\w+")
DRIVES_PART = r".+-\d{8}T\d{6}Z(?:-\d+)+"  # of a folder of Google Drive, unpacked
PART = (  # of a class, in words that call nobody
    r"submissions?|submitted|resubmissions?|abgaben|einreichungen|entregas|remises|rendus|consegne|inleveringen|提交|late|on[ _-]?time|in[ _-]?time|extensions?"
    r"|sec(?:tion)?s?(?:[ _.-]+\w{1,3}|\d{1,3})?"
    r"|\d{1,2}[ ._-]?[a-z]"  # 10A, of a school
    r"|(?:(?:late|came|handed[ _-]in|received|sent|submitted)[ _-])?(?:(?:by|via|from|per|par|por|von)[ _-])?(?:e-?)?mails?"
    r"|(?:mon|tues|wednes|thurs|fri)days?|montag|dienstag|mittwoch|donnerstag|freitag|lundi|mardi|mercredi|jeudi|vendredi"  # when it meets
    r"|lunes|martes|mi[ée]rcoles|jueves|viernes|luned[iì]|marted[iì]|mercoled[iì]|gioved[iì]|venerd[iì]"
)
WRAPPER = re.compile(
    rf"(?i)({PART}|downloads?|downloaded|class|section.*|group.*|archive|extracted|inbound|assignment_\d+_export|export|all|.*submissions|student work"
    r"|.*\(file responses\)|question(?: \d+)?|apps|microsoft forms|(?:.+ )?file requests?"  # of Google's and Microsoft's forms, and of Dropbox
    rf"|{DRIVES_PART}"
    r"|onedrive[ _-].*|bulk_download|multi_feedback.*|gradebook_.+|.+ download .+"
    r"|(?:TA|tutor|grader|lab|tutorial|seminar|period|gruppe|kurs) .+|.+ (?:lab|tutorial|seminar|section|group|class|period|gruppe|kurs)(?: \w{1,3})?)"
)
MODEL_ANSWERS = re.compile(  # a folder of the course's own answers, where the others are people's
    r"(?i)(?:(?:model|sample|reference|example|official|instructor)[\s_-]*)?(?:solutions?|answers?|answer[\s_-]*keys?|base(?:[\s_-]*code)?|template|starter(?:[\s_-]*code)?|skeleton|handout|l[öo]e?sung(?:en)?|soluci[óo]n(?:es)?|corrig[ée]s?)"
)


THE_COURSES = re.compile(  # a notebook of the course's own, in the place of a student's name
    r"(?i)(?:model|sample|reference|example|official|instructor'?s?|teacher'?s?|staff)(?:[\s_-]*(?:solutions?|answers?|version|copy))?"
    r"|answer[\s_-]*keys?|starter(?:[\s_-]*code)?|template|muster[\s_-]*l[öo]e?sung(?:en)?|corrig[ée]s?"
)


def students(files: Sequence[Parts], root: str, one: bool = False) -> dict[Parts, str]:
    """Each file's student, by the first of `READINGS` that fits. `root` is the name of what holds them all; `one` says that it is a student's."""
    if one:
        return dict.fromkeys(files, root)
    if about := _about_all(files):
        others = students([parts for parts in files if parts not in about], root)
        return others | {parts: _everybodys(others, parts[:-1]) for parts in about}
    tree = _Tree.of(files, root)
    return next(found for reading in READINGS if (found := reading(tree)) is not None)


def _about_all(files: Sequence[Parts]) -> set[Parts]:
    """The texts about a folder that lie beside folders with work in it, as in a repository."""
    about = {parts for parts in files if ABOUT.fullmatch(parts[-1])}
    above = {parts[:depth] for parts in files if HOLDS_WORK.search(parts[-1]) for depth in range(len(parts) - 1)} if about else set()
    return {parts for parts in about if parts[:-1] in above}


def _everybodys(found: Mapping[Parts, str], folder: Parts) -> str:
    """The one student of all files in a folder, "" where there are several."""
    inside = {who for parts, who in found.items() if parts[: len(folder)] == folder}
    return inside.pop() if len(inside) == 1 else ""


@dataclass(frozen=True)
class _Tree:
    """Files below `root`: those that are `loose` in it, and by its `folders` where those in them lie."""

    files: Sequence[Parts]
    root: str
    loose: list[Parts]
    folders: dict[str, list[Parts]]

    @classmethod
    def of(cls, files: Sequence[Parts], root: str) -> _Tree:
        folders: dict[str, list[Parts]] = defaultdict(list)
        for parts in files:
            if len(parts) > 1:
                folders[parts[0]].append(parts[1:])
        return cls(files, root, [parts for parts in files if len(parts) == 1], folders)

    def whose_loose(self) -> dict[Parts, str]:
        return _loose(self.loose, "" if self.folders else self.root)


Reading = dict[Parts, str] | None


def _copies_and_parts(tree: _Tree) -> Reading:
    """Copies, and parts of one download that lie side by side, are read as what they are copies and parts of."""
    meant = _without_copies_and_parts(tree.files)
    if not meant or all(parts == place for parts, place in meant.items()):
        return None
    found = students(sorted(set(meant.values())), tree.root)
    return {parts: found[place] for parts, place in meant.items()}


def _microsoft_forms(tree: _Tree) -> Reading:
    """Below a form and a question, in any language."""
    if (
        len(tree.files) < 2
        or {name.casefold() for name in tree.folders} != {"microsoft forms"}
        or any(len(parts) != 4 for parts in tree.files)
    ):
        return None
    return {parts: RESPONDER.sub(r"\1", parts[3]) if said(parts[3]) else "" for parts in tree.files}


def _course(tree: _Tree) -> Reading:
    """A course of nbgrader's in a folder."""
    if len({parts[0] for parts in tree.files}) != 1 or {parts[1:2] for parts in tree.files} != {("submitted",)}:
        return None
    inside = students([parts[2:] for parts in tree.files if len(parts) > 2], "submitted")
    return {parts: inside.get(parts[2:], "") for parts in tree.files}


def _submitted(tree: _Tree) -> Reading:
    return {parts: parts[0] for parts in tree.files} if of_nbgrader(tree.files, tree.root) else None


def _lessons_first(tree: _Tree) -> Reading:
    """Folders of lessons, with students below them; or one student's, where notebooks lie beside them."""
    if not tree.folders or not all(is_work(name) for name in tree.folders) or any(_by_lesson(inner) for inner in tree.folders.values()):
        return None
    if any(said(parts[0]) for parts in tree.loose):
        return None
    below = {(name, *parts): who for name, inner in tree.folders.items() for parts, who in _below(inner, name, tree.root).items()}
    return dict.fromkeys(tree.files, tree.root) if tree.loose else below


def _teams(tree: _Tree) -> Reading:
    teams = of_teams(tree.folders)
    return tree.whose_loose() | teams if teams else None


def _layouts(tree: _Tree) -> Reading:
    """Names of folders as a learning system writes them, or with dates; not those of one folder that holds a class."""
    folders = tree.folders
    if len(folders) == 1 and any(len(_people(inner)) > 1 or len(_named_by_students(inner)) > 1 for inner in folders.values()):
        return None
    called = by_layout(set(folders), tree.root)
    if not called and not all(_by_lesson(inner) for inner in folders.values()):  # a folder in one's own looks like a person's, too
        called = by_date(set(folders))
    return tree.whose_loose() | {(name, *parts): called[name] for name, inner in folders.items() for parts in inner} if called else None


def _each_folder(tree: _Tree) -> Reading:
    """A folder for each student, or for each section."""
    found, folders = tree.whose_loose(), dict(tree.folders)
    people = {name for name, inner in folders.items() if not _by_lesson(inner, _holds(name))}
    answers = {name for name in people if is_model_answers(name)}
    if len(folders) > len(answers):
        found |= {(name, *parts): "" for name in answers for parts in folders.pop(name)}
        people -= answers
    for name, inner in _parts_with_files(folders).items():
        found |= {(name, *parts): who for parts, who in _loose(inner, "").items()}
        del folders[name]
    again, as_files = _in_several(folders), any(map(said, map("".join, tree.loose)))
    sections = set() if any(HOLDS_WORK.search(parts[0]) for parts in tree.loose) else _sections(folders)
    for name, inner in folders.items():
        alone = len(folders) == 1 and not tree.loose
        beside = people - {name} | again if len(folders) == 1 or _holds(name) else set(folders)
        who = students(inner, name) if name in sections else _folder(name, inner, alone, beside, as_files)
        found |= {(name, *parts): student for parts, student in who.items()}
    return found | ({} if tree.loose else _of_the_outer(found, folders))


# in this order: what a system writes before what people do, and what is surer before what is less so; the last always fits
READINGS = (_copies_and_parts, _microsoft_forms, _course, _submitted, _lessons_first, _teams, _layouts, _each_folder)


def _of_the_outer(found: Mapping[Parts, str], folders: Mapping[str, object]) -> dict[Parts, str]:
    """The files of folders such as `group_1/A3` and `group_2/A3`, which are taken for classes with one and the same student: they are the students."""
    inside = {name: {who for parts, who in found.items() if parts[0] == name} for name in folders if not is_work(name)}
    same = {frozenset(names) for names in inside.values()}
    only = next(iter(same), frozenset())
    if len(inside) < 2 or len(inside) < len(folders) or len(same) != 1 or len(only) != 1 or only & inside.keys() or only == {""}:
        return {}
    return {parts: parts[0] for parts in found}


def _sections(folders: Mapping[str, list[Parts]]) -> set[str]:
    """All folders, where each is a part of a class: it holds folders of people, nobody's twice, and several of them in at least half, or all parts are
    called alike but for a number; or it holds files of two students or more, as their names say beside the lesson's, or beside a part's short number."""
    if len(folders) < 2:
        return set()
    inside = {name: _people(inner, False) if all(len(parts) > 1 for parts in inner) else set() for name, inner in folders.items()}
    by_file = {name: _named_in(inner) for name, inner in folders.items()}
    by_number = {name: _called_in(inner) if SHORT_NUMBER.fullmatch(name) else set() for name, inner in folders.items()}
    for people, alike in ((inside, _numbered_parts(folders)), (by_file, False), (by_number, False)):
        if _are_people(people) and (alike or _several(people)):
            return set(folders)
    return set()


def _are_people(inside: Mapping[str, Set[str]]) -> bool:
    """Whether the names in all folders may be people's: there are some in each, none twice or called by the folder, by an attempt or by a computer."""
    everyone = set[str]().union(*inside.values())
    apart = all(inside.values()) and sum(map(len, inside.values())) == len(everyone) and not everyone & inside.keys()
    own = any(all(is_ones_own(name, inner) for inner in names) for name, names in inside.items())
    return apart and not own


def _several(inside: Mapping[str, Set[str]]) -> bool:
    """Whether there are several people in all folders, or in half of them and in two at least, where nobody would call a folder or file of one's own
    so: one student who hands in two folders makes no section of the others."""
    several = sum(len(names) > 1 for names in inside.values())
    ones_own = any(ATTEMPT.fullmatch(name) or PLACE.fullmatch(name) or wraps(name) for names in inside.values() for name in names)
    in_half = several > 1 and 2 * several >= len(inside)
    return several == len(inside) or not ones_own and in_half and not any(map(ONES_OWN.match, inside))


def _parts_with_files(folders: Mapping[str, list[Parts]]) -> dict[str, list[Parts]]:
    """The folders such as `late` or `Section 2` that hold notebooks called by students; not sections in which a name comes twice."""
    found = {name: inner for name, inner in folders.items() if re.fullmatch(PART, unicodedata.normalize("NFC", name), re.IGNORECASE)}
    found = {name: inner for name, inner in found.items() if all(len(parts) == 1 for parts in inner) and _called_in(inner)}
    sections = {name: _called_in(inner) for name, inner in found.items() if re.search(r"\d|[\s_-]\w$", name)}
    twice = sum(map(len, sections.values())) > len(set[str]().union(*sections.values()))
    return {name: inner for name, inner in found.items() if not (twice and name in sections)}


def _called_in(inner: Sequence[Parts]) -> set[str]:
    """Whom the notebooks that lie in a folder are called by, where each is called by another one; else nobody."""
    notebooks = [parts[0] for parts in inner if len(parts) == 1 and ".ipynb" in parts[0].lower()]
    names = set(map(said, notebooks))
    return names if len(names) == len(notebooks) and "" not in names else set()


def is_ones_own(name: str, inner: str) -> bool:
    """Whether a folder or file in another says its name again, as in `Lee, Ann/annlee_hw3`."""
    words = [word.casefold() for word in re.findall(r"[^\W\d_]+", name)]
    return any(len(word) > 1 and word in inner.casefold() for word in words)


def _numbered_parts(names: Iterable[str]) -> bool:
    """Whether names differ in a short number or a letter alone, as those of a class's parts do."""
    stems = {"".join(part or "" for part in found.groups()) if (found := NUMBERED_PART.fullmatch(name)) else "" for name in names}
    stem = stems.pop()
    return not stems and bool(re.search(r"[^\W\d_]{2}|[^\W\d_a-zA-Z]", stem)) and not ONES_OWN.fullmatch(stem)


def _named_in(inner: Sequence[Parts]) -> set[str]:
    """The same where all are called by the lesson, too."""
    lessons = all(lesson_of.full_name(parts[0]) for parts in inner if len(parts) == 1 and ".ipynb" in parts[0].lower())
    return _called_in(inner) if lessons else set()


def _in_several(folders: Mapping[str, Sequence[Parts]]) -> set[str]:
    """Names of folders in more than one of folders that are called by no work and hold no class by their names: what all are told to call their
    own, such as `take 1`, and nobody who is in two places."""
    inside = [_people(inner, False) for name, inner in folders.items() if not _holds(name)]
    return {name for name in set().union(*inside) if sum(name in names for names in inside) > 1}


def of_nbgrader(files: Sequence[Parts], root: str) -> bool:
    """Whether files lie as nbgrader has them, whatever students are called: `submitted/<student>/<lesson>/`, at least one of each student's."""
    placed = {parts[0] for parts in files if len(parts) > 2 and lesson_of.full_name(parts[1])}
    return root == "submitted" and bool(placed) and placed == {parts[0] for parts in files if parts[-1]}


def wraps(name: str) -> bool:
    """Whether a folder is called as those are that hold a class or a part of one."""
    whole = unicodedata.normalize("NFC", name)  # a Mac's letters come in parts
    return bool(WRAPPER.fullmatch(whole)) or teams_folders.is_one(whole)


def calls_nobody(name: str) -> bool:
    """Whether a folder is called by where it is on a computer, or by the work or the class in it."""
    return bool(PLACE.fullmatch(unicodedata.normalize("NFC", name))) or wraps(name) or is_work(name)


def is_model_answers(name: str) -> bool:
    return bool(MODEL_ANSWERS.fullmatch(unicodedata.normalize("NFC", name)))


def copies_of(names: Set[str]) -> dict[str, str]:
    """The folders that are copies of one that lies beside them, such as `ann - Copy`, and which. `ann (1)` and `ann 2` are not: two students
    may be called ann."""
    beside = {unicodedata.normalize("NFC", name): name for name in names}
    return {name: beside[original(name)] for name in names if original(name) != name and original(name) in beside}


def _without_copies_and_parts(files: Sequence[Parts]) -> dict[Parts, Parts]:
    """Where files would lie without the folders that a drive has packed in parts, and in what copies of folders are copies of."""
    copies = copies_of({parts[0] for parts in files if len(parts) > 1})
    drives = {parts for parts in files if len(parts) > 1 and re.fullmatch(DRIVES_PART, parts[0])}
    return {parts: parts[1:] if parts in drives else (copies.get(parts[0], parts[0]), *parts[1:]) for parts in files}


def _below(inner: list[Parts], name: str, root: str) -> dict[Parts, str]:
    """The files of a folder that is called by the work: a student each where all notebooks in it are named by students, or by numbers in the
    folder of a class."""
    if len(again := {parts[0] for parts in inner}) == 1 and all(len(parts) > 1 for parts in inner) and is_work(folder := again.pop()):
        return {(folder, *parts): who for parts, who in _below([parts[1:] for parts in inner], folder, root).items()}
    notebooks = [parts[0] for parts in inner if len(parts) == 1 and ".ipynb" in parts[0].lower()]
    if notebooks and all(map(said, notebooks)):
        return students(inner, root)
    return students(inner, name) if _holds(root) and _numbered(notebooks) else dict.fromkeys(inner, root)


def _numbered(notebooks: Sequence[str]) -> bool:
    """Whether notebooks are called by nothing but numbers, more than one of them."""
    return len(notebooks) > 1 and all(NUMBER.fullmatch(name) for name in notebooks)


def _folder(name: str, inner: list[Parts], alone: bool, beside: Set[str], as_files: bool) -> Mapping[Parts, str]:
    """`beside` are people's folders that lie where this one lies: what is in this one may then be called by who handed it in, to pass for
    another's. `as_files` says that files called by students lie beside it: what was an archive among them is called as they are."""
    people = _people(inner, _holds(name))
    holds_class = _by_lesson(inner, _holds(name)) and (
        (is_work(name) or wraps(name)) and not people & beside or len(people) > 1 and not beside
    )
    if holds_class or alone and (wraps(name) or len(_people(_inmost(inner))) > 1):
        return students(inner, name)
    if alone and len(named := _named_by_students(inner)) > 1:
        return {parts: named.get(parts[-1], "") for parts in inner}
    who = said(name) if as_files or lesson_of.full_name(name) else ""  # `03-self-attention-ann`, as GitHub Classroom has it
    return dict.fromkeys(inner, who or name)


def _inmost(inner: Sequence[Parts]) -> Sequence[Parts]:
    """What lies in the last of folders that lie in one another, each alone."""
    while len({parts[0] for parts in inner}) == 1 and all(len(parts) > 1 for parts in inner):
        inner = [parts[1:] for parts in inner]
    return inner


def _named_by_students(inner: Sequence[Parts]) -> dict[str, str]:
    """Whose notebooks are, deep in one folder, where all are called by two students or more, and by the lesson or behind a dash; else nothing."""
    notebooks = [parts for parts in inner if ".ipynb" in parts[-1].lower()]
    whose = {parts[-1]: said(parts[-1]) for parts in notebooks if lesson_of.full_name(parts[-1]) or " - " in parts[-1]}
    apart = len(whose) == len(notebooks) == len(set(whose.values())) and all(whose.values())
    return whose if apart and len({parts[:-1] for parts in notebooks}) == 1 and all(len(parts) > 1 for parts in notebooks) else {}


def _holds(name: str) -> bool:
    """Whether a folder's name says that it holds a class, whose students may be called by short numbers."""
    return is_work(name) or wraps(name)


def _attempts(below: Set[str]) -> bool:
    """Whether folders are called by the numbers of attempts: 1 and so on, or the one that counts."""
    numbers = {int(name) for name in below if re.fullmatch(r"[1-9]\d?", name, re.ASCII)}
    return len(numbers) == len(below) and (
        len(numbers) == 1 or numbers == set(range(1, len(numbers) + 1)) and len(numbers) <= MOST_ATTEMPTS
    )


def _by_lesson(inner: list[Parts], numbers: bool = True) -> bool:
    """Whether what a folder holds is folders of people, also below one folder more that is called by the work; `numbers` says whether 1, 2, 3
    may be people."""
    inner = [parts for parts in inner if len(parts) > 1 or not LISTING.fullmatch(parts[0])]
    if not all(len(parts) > 1 for parts in inner) or not numbers and _attempts({parts[0] for parts in inner}):
        return False
    alone = len({parts[0] for parts in inner}) == 1
    return bool(_with_work(inner)) or alone and _by_lesson([parts[1:] for parts in inner])


def _with_work(inner: Sequence[Parts]) -> set[str]:
    """The folders that are called by no work, as people's are: those that hold notebooks, where any does, so that `data` is nobody's."""
    people = {parts[0]: False for parts in inner if len(parts) > 1 and not is_work(parts[0])}
    for parts in inner:
        if parts[0] in people and (not parts[-1] or HOLDS_WORK.search(parts[-1])):
            people[parts[0]] = True
    notebooks = any(HOLDS_WORK.search(parts[-1]) for parts in inner)
    return {name for name, holds in people.items() if holds or not notebooks}


def _people(inner: Sequence[Parts], numbers: bool = True) -> set[str]:
    """The folders in a folder that are called by people, also below one folder more that is called by the work."""
    below = {parts[0] for parts in inner if len(parts) > 1}
    people = _with_work(inner) if numbers or not _attempts(below) else set()
    if len(below) == 1 and all(len(parts) > 1 for parts in inner):
        deeper = _people([parts[1:] for parts in inner])
        if not people or len(deeper) > 1 and all(is_work(parts[1]) for parts in inner):  # `CS 229/HW3/ann`
            return deeper
    return people


def _loose(files: Sequence[Parts], root: str) -> dict[Parts, str]:
    """Files in one folder: a student each where names say whose, else all the folder's; "" where nobody can tell."""
    start = common_start([parts[0] for parts in files])
    whose = {parts: said(parts[0].removeprefix(start)) for parts in files}
    shorter = without_shared(set(filter(None, whose.values())))
    named = {parts: "" if THE_COURSES.fullmatch(who) else shorter.get(who, who) for parts, who in whose.items() if who}
    by_number = not named and _holds(root) and _numbered([parts[0] for parts in files])
    if root and not any(named.values()) and not by_number:
        return dict.fromkeys(files, root)
    beside_named = any(named.values())  # a notebook called by the lesson alone is then likely what was handed out
    nameless = {p: "" if not root or beside_named and lesson_of.full_name(p[0]) else ENDING.sub("", p[0]) for p in files}
    lists = {parts: "" for parts in files if not root and LISTING.fullmatch(parts[0])}
    return nameless | named | lists
