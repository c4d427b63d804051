"""Whose files are by the list of the class, where folders and names give students whom it does not have."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from autograde.grader.ingest.naming.work_words import said

Parts = tuple[str, ...]
Person = Callable[[str], object | None]  # the person of the list whom a name, an id or an address means; None where nobody or several
MOST_WORDS = 4
WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Listed:
    """The list of the class: the name of each person, and how to ask for one; and the lessons that each student has handed in before."""

    names: Sequence[str] = ()
    person: Person | None = None
    lessons: Mapping[str, Set[str]] = field(default_factory=dict)


NOBODY = Listed()


def of_others(listed: Listed) -> set[str]:
    """The names in the list that are an id of somebody else: in many systems students choose what they are called, also so."""
    ask = listed.person
    return {name for name in listed.names if ask and (who := ask(name)) and getattr(who, "name", name) != name}


def decided(placed: Mapping[Parts, str], person: Person) -> dict[Parts, str]:
    """Another reading of files whose student the list does not have: the one person whom the student's name holds beside words that are no name;
    or, where the list has nobody of all students, the one whom the same place in each path names."""
    strange = {parts: student for parts, student in placed.items() if student and not person(student)}
    shared = _shared(set(strange.values()))
    found = {parts: name for parts, student in strange.items() if (name := _named(student, shared, person))}
    if found or len(strange) < len(placed):
        return found
    levels = [_level(placed, depth, person) for depth in range(max(map(len, placed), default=0))]
    best = max(levels, key=len, default={})
    return best if 2 * len(best) > len(placed) else {}


def with_the_rest(decided: Mapping[Parts, str], placed: Mapping[Parts, str]) -> dict[Parts, str]:
    """The same for all files of a student who is one person of the list, whatever they hold."""
    people: dict[str, set[str]] = defaultdict(set)
    for parts, name in decided.items():
        people[placed[parts]].add(name)
    return {parts: min(names) for parts, student in placed.items() if len(names := people.get(student, set())) == 1} | dict(decided)


def _level(placed: Mapping[Parts, str], depth: int, person: Person) -> dict[Parts, str]:
    """The people whom the parts at one depth of all paths name. Below a student's own folder the student has chosen the names: where two folders
    hold one person's, neither is."""
    texts = {parts: parts[depth] if person(parts[depth]) else said(parts[depth]) for parts in placed if len(parts) > depth}
    shared = _shared(set(texts.values()))
    found = {parts: name for parts, text in texts.items() if (name := _named(text, shared, person))}
    holders: dict[str, set[str]] = defaultdict(set)
    for parts, name in found.items():
        holders[name].add(placed[parts] if placed[parts] in parts[:depth] else "")
    return {parts: name for parts, name in found.items() if len(holders[name]) == 1}


def _shared(texts: Set[str]) -> set[str]:
    """The words that all texts have, of two or more."""
    return set.intersection(*(set(WORD.findall(text)) for text in texts)) if len(texts) > 1 else set()


def _named(text: str, shared: Set[str], person: Person) -> str:
    """The longest run of a text's words that is one person of the list, where no other word may be a part of another's name: each holds digits, is
    in all texts, or is the person's own. "" where there is none, or where two are as long."""
    if text and person(text):
        return text
    for length in range(MOST_WORDS, 0, -1):
        if runs := {run: who for run in _runs(text, length) if (who := person(run))}:
            name, *others = runs
            rest = set(WORD.findall(text)) - set(WORD.findall(name)) - shared
            sure = all(runs[other] == runs[name] for other in others) and all(any(map(str.isdigit, word)) for word in rest)
            return name if sure else ""
    return ""


def _runs(text: str, length: int) -> Iterator[str]:
    words = list(WORD.finditer(text))
    for first, last in zip(words, words[length - 1 :]):
        run = text[first.start() : last.end()]
        if len(run) > 1 and not run.isdecimal() or len(run) > 4:  # 3 is the homework's number
            yield run
