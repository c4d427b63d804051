"""Say whose each file is: by what learning systems say, then by folders and names, in a few cases by what it holds."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from autograde import layout
from autograde.checking.manifest import outcome_files
from autograde.grader.ingest.formats import kinds
from autograde.grader.ingest.formats.kinds import Kind
from autograde.grader.ingest.found.findings import WORK, File, LeftOut, Survey, composed
from autograde.grader.ingest.found.lesson_of import by_content, full_name, named
from autograde.grader.ingest.found.not_handed_in import RETURNED, given_back, of_systems_alone
from autograde.grader.ingest.found.take import add
from autograde.grader.ingest.naming import listings, nobodys_names, systems, twin_folders
from autograde.grader.ingest.naming.systems import Label
from autograde.grader.ingest.naming.work_words import is_work
from autograde.grader.ingest.whose import by_folder, by_list, doubts
from autograde.grader.sandbox.bounded import TooMuch

Parts = tuple[str, ...]
EXPORT = re.compile(r"assignment_\d+_export")  # how Gradescope calls the folder of a class, in which a list says whose a folder is


def assign(root: Path, named: bool, files: list[File], lesson: str | None, found: Survey, person: by_list.Person | None = None) -> None:
    """Say whose each file is, and which lesson's."""
    models = frozenset(model for name in layout.lesson_names() for model in outcome_files(name))
    known = [(file, kinds.kind(file.path, file.parts, models)) for file in files]
    found.barren += of_systems_alone([(file.parts, kind is Kind.SYSTEM) for file, kind in known])
    one, called = _own_folder(root, named)
    course = by_folder.of_nbgrader([file.parts for file in files], called)
    labels, owners = ({}, {}) if course else _by_systems(known)
    barren = {parts for parts in found.barren if len(parts) > 1 and (course or not _label(parts)) and not one}
    plain = by_folder.students(sorted(_unlabelled(known, labels, owners) | barren), called, one)
    plain |= _by_content(known, plain, called) | listings.of_cocalc(plain)
    plain |= {} if course else twin_folders.meant(plain, {file.parts: file.path for file, kind in known if kind in WORK}, _given())
    for parts in _composed_otherwise({file.parts for file, kind in known if kind in WORK}, plain):
        plain[parts] = unicodedata.normalize("NFD", plain[parts])
        found.apart |= {plain[parts]} - {composed(plain[parts])}
    if not course and not one:
        by_systems = [name for label in labels.values() for name in label.members]
        _look_again(plain, {file.parts for file, kind in known if kind in WORK}, called, person, found, by_systems)
    everyone = [label.members for label in labels.values()] + [[label.name for label in people] for people in owners.values()]
    found.given |= {composed(name) for names in [plain.values(), *everyone] for name in names}
    found.students |= {found.called(plain[parts]) for parts in barren}
    returned = given_back([file.parts for file in files])
    for file, kind in known:
        for student, label in _owners(file, owners, labels, plain):
            if file.parts in returned:
                found.left_out.append(LeftOut(file.shown, RETURNED, found.called(student) if student else "", file, label))
            else:
                add(file, kind, student, label, lesson, models, found)


def _look_again(
    plain: dict[Parts, str], works: Set[Parts], called: str, person: by_list.Person | None, found: Survey, beside: Sequence[str]
) -> None:
    """Ask the list of the class, and note what stays in doubt."""
    placed = {parts: student for parts, student in plain.items() if parts in works and student}
    if person and (found_there := by_list.decided(placed, person)):
        found.in_place = False
        plain |= by_list.with_the_rest(found_there, plain)
    unsure = {parts: plain[parts] for parts in placed if not person or not person(plain[parts])}
    held = doubts.held_back(unsure)
    found.in_place = found.in_place and not held
    found.held |= held
    plain |= dict.fromkeys(held, "")
    found.doubts += doubts.of_one(unsure) if len(unsure) == len(placed) and not held else []
    found.doubts += doubts.told({parts: student for parts, student in unsure.items() if parts not in held and student != called}, beside)


@lru_cache
def _given() -> frozenset[str]:
    """The lessons' notebooks as everybody gets them, by their digests."""
    return frozenset(twin_folders.code_digest(layout.NOTEBOOKS / f"{name}.ipynb") for name in layout.lesson_names())


def _by_systems(known: Sequence[tuple[File, Kind]]) -> tuple[dict[Parts, Label], dict[Parts, list[Label]]]:
    """What learning systems say of files: by the names that they give them, and in lists beside them."""
    personal = _personal({f.parts for f, kind in known if kind in WORK and not _label(f.parts) and not any(map(EXPORT.fullmatch, f.parts))})
    ours = {file.parts: file.path for file, _ in known if not _in_ones_own(file.parts[:-1], personal)}
    labels = {file.parts: label for file, kind in known if kind is not Kind.SYSTEM and (label := _label(file.parts, personal))}
    no_ones = _of_everybody(labels.values())
    labels = {parts: label for parts, label in labels.items() if label.number not in no_ones}
    return listings.completed(labels, ours), listings.gradescope(ours, [file.parts for file, _ in known])


def _of_everybody(labels: Collection[Label]) -> set[str]:
    """Numbers behind three students' names or more, or two where nobody has another, as in Canvas's files: a year, say, and no system's for one."""
    names: dict[str, set[str]] = defaultdict(set)
    for label in labels:
        if label.system.startswith("Canvas"):
            names[label.number].add(label.name)
    return {number for number, called in names.items() if number and len(called) > (1 if len(names) == 1 else 2)}


def _unlabelled(known: Sequence[tuple[File, Kind]], labels: Mapping[Parts, Label], owners: Mapping[Parts, list[Label]]) -> set[Parts]:
    """The files of which no system says whose they are, but for those that it put beside the students' folders."""
    systems_own = {parts[:depth] for parts in labels for depth in range(len(parts))}  # folders in which a system made a folder for each
    people = {
        f.parts
        for f, kind in known
        if len(f.parts) > 1 and kind is Kind.OTHER and f.parts[:-1] not in systems_own or kind in WORK or kinds.archive_name(f.path)
    }
    return people - labels.keys() - owners.keys()


def _composed_otherwise(works: Set[tuple[str, ...]], files: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The files below a name that differs from one beside it only in how letters are composed, where both hold work: who made the second is
    not the first one's student. The first is the composed one."""
    forms: dict[tuple[str, ...], set[tuple[str, ...]]] = defaultdict(set)
    for parts in works:
        for depth in range(1, len(parts) + 1):
            forms[tuple(map(composed, parts[:depth]))].add(parts[:depth])
    second = {form for whole, same in forms.items() for form in sorted(same, key=lambda form: (form != whole, form))[1:]}
    return [parts for parts in files if any(parts[:depth] in second for depth in range(1, len(parts) + 1))] if second else []


def _by_content(known: Sequence[tuple[File, Kind]], plain: Mapping[tuple[str, ...], str], root: str) -> dict[tuple[str, ...], str]:
    """Whose files are where their names alone would mislead: notebooks `01` to `08` that hold the lessons of these numbers are one student's,
    and a script of no lesson beside folders of students is nobody's."""
    numbered: dict[tuple[str, ...], list[File]] = defaultdict(list)
    for file, kind in known:
        if kind is Kind.NOTEBOOK and (stem := plain.get(file.parts, "")).isdecimal() and file.parts[-1].lower() == f"{stem}.ipynb":
            numbered[file.parts[:-1]].append(file)
    lessons = {folder: files for folder, files in numbered.items() if len(files) > 1 and all(map(_holds_its_number, files))}
    found = {file.parts: folder[-1] if folder else root for folder, files in lessons.items() for file in files}
    for file, kind in known if any(len(parts) > 1 for parts in plain) else ():
        others = kind is Kind.SCRIPT and file.parts in plain and len(file.parts) == 1 and _content(file) is None
        if others and not any(who == plain[file.parts] and parts != file.parts for parts, who in plain.items()):
            found[file.parts] = ""
    return found


def _holds_its_number(file: File) -> bool:
    return (_content(file) or "")[:2] == file.parts[-1].partition(".")[0].zfill(2)


def _content(file: File) -> str | None:
    """The lesson that a file holds; None where that cannot be told."""
    try:
        return by_content(file.path)
    except TooMuch:
        return None


def _own_folder(root: Path, named: bool) -> tuple[bool, str]:
    """Whether what was pointed at is one student's own folder (a place in `submitted/` is), and the student's or the folder's name."""
    path = root.absolute()
    above = [p.name for p in path.parents]
    if "submitted" in above[:2]:
        return True, path.name if above[0] == "submitted" else path.parent.name
    if named and full_name(path.name):
        return False, path.parent.name
    if named and above[0] != "submitted" and path.name != "submitted" and nobodys_names.calls_nobody(path.name):
        return False, ""
    return False, path.name


def _owners(file: File, owners: dict, labels: dict, plain: dict) -> list[tuple[str, Label | None]]:
    if file.parts in owners:
        return [(label.name, label) for label in owners[file.parts]]
    if label := labels.get(file.parts):
        return [(name, replace(label, name=name)) for name in label.members]
    return [(plain.get(file.parts, ""), None)]


def _personal(unlabelled: Set[tuple[str, ...]]) -> Callable[[tuple[str, ...]], bool]:
    """Whether a folder is one student's, by its neighbours: one of them holds work that no system named.

    What stands in such a folder was named by that student, who could use a system's way to name another.
    """
    holders = {parts[:depth] for parts in unlabelled for depth in range(1, len(parts))}
    neighbours: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for holder in holders:
        neighbours[holder[:-1]].add(holder[-1])

    def personal(folder: tuple[str, ...]) -> bool:
        others = neighbours[folder[:-1]] - {folder[-1]}
        return not nobodys_names.wraps(folder[-1]) and not all(nobodys_names.wraps(other) or is_work(other) for other in others)

    return personal


def _in_ones_own(parts: tuple[str, ...], personal: Callable[[tuple[str, ...]], bool]) -> bool:
    return any(personal(parts[:depth]) for depth in range(1, len(parts) + 1))


def _label(parts: tuple[str, ...], personal: Callable[[tuple[str, ...]], bool] = lambda folder: False) -> Label | None:
    """The outermost part that a system named, and no student could have; the file's own name where it did not say one."""
    for depth, part in enumerate(parts):
        if (label := systems.read(part)) and not named(label.name) and not (label.system == "Canvas" and is_work(label.name)):
            if _in_ones_own(parts[:depth], personal):
                return None
            return label if depth == len(parts) - 1 else replace(label, file=label.file if depth == len(parts) - 1 else "")
    return None
