"""Whose a file is where no learning system named it: by the folders it lies in, else by what its name says beside the lesson."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from autograde.grader.ingest.found import lesson_of
from autograde.grader.ingest.naming.nobodys_names import is_model_answers, may_hold_a_class, wraps
from autograde.grader.ingest.naming.work_words import is_work, said
from autograde.grader.ingest.whose.by_file_name import are_numbered, loose_files, named_by_students
from autograde.grader.ingest.whose.copied_folders import without_copies_and_parts
from autograde.grader.ingest.whose.named_alike import by_date, by_layout, of_teams
from autograde.grader.ingest.whose.people_below import HOLDS_WORK, by_people, in_several, inmost, people_in
from autograde.grader.ingest.whose.sections import parts_with_files, sections_of

Parts = tuple[str, ...]
# Behind the file's name, and a number where that name was there already.
RESPONDER = re.compile(r"(?i)(?:.*_)?(.+?)(?: \d{1,2})?\.\w+(?:\.txt)?$")
LATE = re.compile(
    r"(?i)\s*[\[(](?:late|resub\w*|extension|retake|verspätet|en retard|in ritardo|con retraso|atrasado|te laat)[\])]$"
)  # behind a name
ABOUT = re.compile(r"(?i)(?:readme|licen[cs]e|contributing|makefile|requirements|environment|changelog|notice)(?:\.\w+)?|\.git\w+")


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
        return loose_files(self.loose, "" if self.folders else self.root)


Reading = dict[Parts, str] | None


def _copies_and_parts(tree: _Tree) -> Reading:
    """Copies, and parts of one download that lie side by side, are read as what they are copies and parts of."""
    meant = without_copies_and_parts(tree.files)
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
    if not tree.folders or not all(is_work(name) for name in tree.folders) or any(by_people(inner) for inner in tree.folders.values()):
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
    if len(folders) == 1 and any(len(people_in(inner)) > 1 or len(named_by_students(inner)) > 1 for inner in folders.values()):
        return None
    called = by_layout(set(folders), tree.root)
    if not called and not all(by_people(inner) for inner in folders.values()):  # a folder in one's own looks like a person's, too
        called = by_date(set(folders))
    return tree.whose_loose() | {(name, *parts): called[name] for name, inner in folders.items() for parts in inner} if called else None


def _each_folder(tree: _Tree) -> Reading:
    """A folder for each student, or for each section."""
    found, folders = tree.whose_loose(), dict(tree.folders)
    people = {name for name, inner in folders.items() if not by_people(inner, may_hold_a_class(name))}
    answers = {name for name in people if is_model_answers(name)}
    if len(folders) > len(answers):
        found |= {(name, *parts): "" for name in answers for parts in folders.pop(name)}
        people -= answers
    for name, inner in parts_with_files(folders).items():
        found |= {(name, *parts): who for parts, who in loose_files(inner, "").items()}
        del folders[name]
    again, as_files = in_several(folders), any(map(said, map("".join, tree.loose)))
    sections = set() if any(HOLDS_WORK.search(parts[0]) for parts in tree.loose) else sections_of(folders)
    for name, inner in folders.items():
        alone = len(folders) == 1 and not tree.loose
        beside = people - {name} | again if len(folders) == 1 or may_hold_a_class(name) else set(folders)
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


def of_nbgrader(files: Sequence[Parts], root: str) -> bool:
    """Whether files lie as nbgrader has them, whatever students are called: `submitted/<student>/<lesson>/`, at least one of each student's."""
    placed = {parts[0] for parts in files if len(parts) > 2 and lesson_of.full_name(parts[1])}
    return root == "submitted" and bool(placed) and placed == {parts[0] for parts in files if parts[-1]}


def _below(inner: list[Parts], name: str, root: str) -> dict[Parts, str]:
    """The files of a folder that is called by the work: a student each where all notebooks in it are named by students, or by numbers in the
    folder of a class."""
    if len(again := {parts[0] for parts in inner}) == 1 and all(len(parts) > 1 for parts in inner) and is_work(folder := again.pop()):
        return {(folder, *parts): who for parts, who in _below([parts[1:] for parts in inner], folder, root).items()}
    notebooks = [parts[0] for parts in inner if len(parts) == 1 and ".ipynb" in parts[0].lower()]
    if notebooks and all(map(said, notebooks)):
        return students(inner, root)
    return students(inner, name) if may_hold_a_class(root) and are_numbered(notebooks) else dict.fromkeys(inner, root)


def _folder(name: str, inner: list[Parts], alone: bool, beside: Set[str], as_files: bool) -> Mapping[Parts, str]:
    """`beside` are people's folders that lie where this one lies: what is in this one may then be called by who handed it in, to pass for
    another's. `as_files` says that files called by students lie beside it: what was an archive among them is called as they are."""
    people = people_in(inner, may_hold_a_class(name))
    holds_class = by_people(inner, may_hold_a_class(name)) and (
        (is_work(name) or wraps(name)) and not people & beside or len(people) > 1 and not beside
    )
    if holds_class or alone and (wraps(name) or len(people_in(inmost(inner))) > 1):
        return students(inner, name)
    if alone and len(named := named_by_students(inner)) > 1:
        return {parts: named.get(parts[-1], "") for parts in inner}
    who = said(name) if as_files or lesson_of.full_name(name) else ""  # `03-self-attention-ann`, as GitHub Classroom has it
    return dict.fromkeys(inner, who or LATE.sub("", name) or name)
