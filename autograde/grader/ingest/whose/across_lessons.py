"""Students whose names hold something else in each lesson, such as `ann_88121` and then `ann_90311`, or `hw3-ann` and then `hw4-ann`: known by
what stays the same from lesson to lesson."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import replace

from autograde.grader.ingest.found.findings import Survey
from autograde.grader.ingest.naming.work_words import said
from autograde.grader.ingest.whose.doubts import some

Lessons = Mapping[str, Set[str]]  # by student
NUMBER = re.compile(r"[\s_-]+\d+$|^\d+[\s_-]+")
READINGS: tuple[Callable[[str], str], ...] = (said, lambda name: NUMBER.sub("", name))
LEAST = 2  # students who are known again


def settle(found: Survey, known: Lessons) -> None:
    """Call them alike in all lessons, where no system says who they are. `known` are the lessons of students who were brought before."""
    lessons: dict[str, set[str]] = defaultdict(set)
    for one in found.handed:
        if one.lesson and not one.label:
            lessons[one.student].add(one.lesson)
    if not (instead := called_alike(lessons, known)):
        return
    found.handed = [one if one.label else replace(one, student=instead.get(one.student, one.student)) for one in found.handed]
    found.left_out = [out if out.label else replace(out, student=instead.get(out.student, out.student)) for out in found.left_out]
    found.students = {instead.get(student, student) for student in found.students}
    found.in_place = False
    found.doubts.append(
        f"{some(instead)} taken as {some(set(instead.values()))}, since the rest of all names changes from lesson to lesson"
    )


def called_alike(lessons: Lessons, known: Lessons) -> dict[str, str]:
    """What to call those students of `lessons` who are called in another way in each lesson; nothing where hardly any would be known again, or two
    of one lesson would be one."""
    everyone = {name: {*lessons.get(name, ()), *known.get(name, ())} for name in (*lessons, *known)}
    for reading in READINGS:
        alike: dict[str, list[str]] = defaultdict(list)
        for name in everyone:
            alike[reading(name) or name].append(name)
        new = {short: names for short, names in alike.items() if any(_comes_once(name, lessons, known) for name in names)}
        again = {short: names for short, names in new.items() if len(names) > 1}
        apart = all(sum(map(len, sets)) == len(set().union(*sets)) for names in alike.values() if (sets := [everyone[n] for n in names]))
        free = all(short not in everyone or short in names for short, names in new.items())
        if apart and free and len(again) >= LEAST and 2 * len(again) > len(new):
            return {name: _name(short, names, known) for short, names in new.items() for name in names if name in lessons}
    return {}


def _comes_once(name: str, lessons: Lessons, known: Lessons) -> bool:
    return len(lessons.get(name, ())) == 1 and name not in known


def _name(short: str, names: Iterable[str], known: Lessons) -> str:
    """Who was brought before keeps that name."""
    return min((name for name in names if name in known), default=short)
