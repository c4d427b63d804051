"""Whose files are by the list of the class, where folders and names give students whom it does not have."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from autograde.grader.ingest.work_words import said

Parts = tuple[str, ...]
Person = Callable[[str], object | None]  # the person of the list whom a name, an id or an address means; None where nobody or several
MOST_WORDS = 4


@dataclass(frozen=True)
class Listed:
    """The list of the class: the name of each person, and how to ask for one."""

    names: Sequence[str] = ()
    person: Person | None = None


NOBODY = Listed()


def decided(placed: Mapping[Parts, str], person: Person) -> dict[Parts, str]:
    """Another reading of files whose student the list does not have: the one person whom the student's name holds between other words; or, where
    the list has nobody of all students, the one whom the same place in each path names."""
    strange = {parts: student for parts, student in placed.items() if student and not person(student)}
    found = {parts: name for parts, student in strange.items() if (name := _named(student, person))}
    if found or len(strange) < len(placed):
        return found
    levels = [{parts: name for parts in placed if (name := _at(parts, depth, person))} for depth in range(max(map(len, placed), default=0))]
    best = max(levels, key=len, default={})
    return best if 2 * len(best) > len(placed) else {}


def _at(parts: Parts, depth: int, person: Person) -> str:
    return (_named(parts[depth], person) or _named(said(parts[depth]), person)) if depth < len(parts) else ""


def _named(text: str, person: Person) -> str:
    """The longest run of a text's words that is one person of the list; "" where there is none, or where two are as long."""
    if text and person(text):
        return text
    for length in range(MOST_WORDS, 0, -1):
        runs = {run: who for run in _runs(text, length) if (who := person(run))}
        if runs:
            people = list(runs.values())
            return next(iter(runs)) if all(who == people[0] for who in people) else ""
    return ""


def _runs(text: str, length: int) -> Iterator[str]:
    words = list(re.finditer(r"[^\W_]+", text))
    for first, last in zip(words, words[length - 1 :]):
        run = text[first.start() : last.end()]
        if len(run) > 2 and not run.isdecimal() or len(run) > 4:  # 3 is the homework's number
            yield run
