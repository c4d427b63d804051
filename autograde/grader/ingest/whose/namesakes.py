"""Students of one name, told apart by the number that their learning system gives them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Mapping, Set
from dataclasses import replace

from autograde.grader.ingest.found.findings import Handed, LeftOut, Survey
from autograde.grader.ingest.naming.names import plain_name
from autograde.grader.ingest.naming.systems import Label

PER_LESSON = ("Moodle",)  # which gives a student another number for each assignment


def tell_apart(found: Survey, people: dict[str, str], files: Container[str], shared: Container[str] = (), ids: Container[str] = ()) -> None:
    """Who has the plain name first keeps it, two that come at once both get their numbers, also where one has handed in nothing that can be
    graded. `people` are students by `person`, known from earlier and added to; `files` holds `<student>/<lesson>` of what was brought before,
    `shared` the names that several of the class have, and `ids` those that are an id of somebody else, as `folded`.
    """
    numbered = [(one, one.label) for one in found.handed if one.label and one.label.number]
    with_work = {person(label) for _, label in numbered}
    numbered.sort(key=lambda one: not one[0].lesson)  # a model's is known by the notebook's
    everyone = [(one.student, label, _scope(one)) for one, label in numbered]
    everyone += [(out.student, label, "") for out, label in _named(found.left_out) if person(label) not in with_work]
    numbers: dict[tuple[str, str], set[str]] = defaultdict(set)
    for name, label, scope in everyone:
        numbers[name, scope].add(person(label))
    taken = {name: someone for someone, name in people.items()}
    for name, label, scope in everyone:
        if person(label) not in people:
            several = len(numbers[name, scope] | numbers[name, ""]) > 1
            apart = several and name not in taken or taken.get(name, "") not in ("", person(label))
            if label.system in PER_LESSON:
                apart = several or f"{name}/{scope}" in files or _are_namesakes(name, people) or folded(name) in shared
            people[person(label)] = f"{name}_{label.number}" if apart or folded(name) in ids else name
    found.students -= {name for name, label, _ in everyone if people[person(label)] != name} - {
        people[person(label)] for _, label, _ in everyone
    }
    found.handed = [replace(one, student=called(one, people)) for one in found.handed]
    found.left_out = [replace(out, student=called(out, people)) for out in found.left_out]  # with scripts that go with a notebook
    _rename(found, {one.student for one in found.handed} | {out.student for out, _ in _named(found.left_out)})


def folded(name: str) -> str:
    """A name as it is compared with those of the class's list."""
    return " ".join(plain_name(name).casefold().split())


def person(label: Label) -> str:
    """Whom a system's number means. Brightspace's may be the assignment's, so that it tells namesakes apart and nobody else."""
    return f"{label.system.split(',')[0]} {label.number}" + (f" {label.name}" if label.system == "Brightspace" else "")


def called(one: Handed | LeftOut, people: Mapping[str, str]) -> str:
    """The student of a file, by the system's number where it has one."""
    return people.get(person(one.label), one.student) if one.label and one.label.number else one.student


def _named(left_out: list[LeftOut]) -> list[tuple[LeftOut, Label]]:
    return [(out, out.label) for out in left_out if out.label and out.label.number and out.student]


def _scope(handed: Handed) -> str:
    """Where a system's number tells a student from others: everywhere, or among the files of one lesson."""
    return handed.lesson if handed.label and handed.label.system in PER_LESSON else ""


def _are_namesakes(name: str, people: Mapping[str, str]) -> bool:
    return any(re.fullmatch(rf"{re.escape(name)}_\d+", known) for known in people.values())


def _rename(found: Survey, names: Set[str]) -> None:
    """Nobody is called by the plain name any more where all who were got their numbers."""
    apart = {name.rpartition("_")[0] for name in names} - names
    found.students = (found.students - apart) | names - {""}
