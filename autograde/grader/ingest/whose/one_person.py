"""One student whom the class's list knows by several ids, such as `Ann Lee` in one lesson and `alee` in the next: called in all as in the first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Set
from dataclasses import replace

from autograde.grader.ingest.found.findings import Survey
from autograde.grader.ingest.whose.by_list import Person


def settle(found: Survey, known: Mapping[str, Set[str]], called: dict[str, str], person: Person | None) -> None:
    """`known` are the lessons that each student has handed in before, and `called` the ids that were settled so, which gets new ones."""
    lessons: dict[str, set[str]] = defaultdict(set)
    for one in found.handed:
        lessons[one.student].add(one.lesson)
    instead = {s: name for s in lessons if person and (name := _before(s, lessons, known, called, person))}
    if not instead:
        return
    found.handed = [replace(one, student=instead.get(one.student, one.student)) for one in found.handed]
    found.left_out = [replace(out, student=instead.get(out.student, out.student)) for out in found.left_out]
    found.students = {instead.get(student, student) for student in found.students}
    found.told += [f"{student} is {name} of the lessons before, says the class's list" for student, name in sorted(instead.items())]
    called |= instead


def _before(student: str, lessons: Mapping[str, Set[str]], known: Mapping[str, Set[str]], called: Mapping[str, str], person: Person) -> str:
    """By what id this student has handed in before; "" by none, where there are two, or where that one hands in the same lesson now or did so."""
    who = person(student)
    if student in known or who is None:
        return ""
    names = [name for name in known if person(name) is who]
    again = [other for other in lessons if other != student and person(other) is who]
    if len(names) != 1 or any(lessons[other] & lessons[student] for other in again):
        return ""
    [name] = names
    return name if called.get(student) == name or not known[name] & lessons[student] else ""
