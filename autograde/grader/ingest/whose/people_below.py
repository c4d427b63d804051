"""The folders in a folder that are called by people, and what is none of them: the work, numbers of attempts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set

from autograde.grader.ingest.naming.nobodys_names import may_hold_a_class
from autograde.grader.ingest.naming.work_words import is_work

Parts = tuple[str, ...]
MOST_ATTEMPTS = 10
HOLDS_WORK = re.compile(r"(?i)\.ipynb|\.(?:zip|tar|tgz)\b")
LISTING = re.compile(r"(?i).+\.(?:csv|tsv|xlsx?|ods|html?)")  # what systems and people write beside the folders of a class


def are_attempts(below: Set[str]) -> bool:
    """Whether folders are called by the numbers of attempts: 1 and so on, or the one that counts."""
    numbers = {int(name) for name in below if re.fullmatch(r"[1-9]\d?", name, re.ASCII)}
    return len(numbers) == len(below) and (
        len(numbers) == 1 or numbers == set(range(1, len(numbers) + 1)) and len(numbers) <= MOST_ATTEMPTS
    )


def by_people(inner: list[Parts], numbers: bool = True) -> bool:
    """Whether what a folder holds is folders of people, also below one folder more that is called by the work; `numbers` says whether 1, 2, 3
    may be people."""
    inner = [parts for parts in inner if len(parts) > 1 or not LISTING.fullmatch(parts[0])]
    if not all(len(parts) > 1 for parts in inner) or not numbers and are_attempts({parts[0] for parts in inner}):
        return False
    alone = len({parts[0] for parts in inner}) == 1
    return bool(with_work(inner)) or alone and by_people([parts[1:] for parts in inner])


def with_work(inner: Sequence[Parts]) -> set[str]:
    """The folders that are called by no work, as people's are: those that hold notebooks, where any does, so that `data` is nobody's."""
    people = {parts[0]: False for parts in inner if len(parts) > 1 and not is_work(parts[0])}
    for parts in inner:
        if parts[0] in people and (not parts[-1] or HOLDS_WORK.search(parts[-1])):
            people[parts[0]] = True
    notebooks = any(HOLDS_WORK.search(parts[-1]) for parts in inner)
    return {name for name, holds in people.items() if holds or not notebooks}


def people_in(inner: Sequence[Parts], numbers: bool = True) -> set[str]:
    """The folders in a folder that are called by people, also below one folder more that is called by the work."""
    below = {parts[0] for parts in inner if len(parts) > 1}
    people = with_work(inner) if numbers or not are_attempts(below) else set()
    if len(below) == 1 and all(len(parts) > 1 for parts in inner):
        deeper = people_in([parts[1:] for parts in inner])
        if not people or len(deeper) > 1 and all(is_work(parts[1]) for parts in inner):  # `CS 229/HW3/ann`
            return deeper
    return people


def inmost(inner: Sequence[Parts]) -> Sequence[Parts]:
    """What lies in the last of folders that lie in one another, each alone."""
    while len({parts[0] for parts in inner}) == 1 and all(len(parts) > 1 for parts in inner):
        inner = [parts[1:] for parts in inner]
    return inner


def in_several(folders: Mapping[str, Sequence[Parts]]) -> set[str]:
    """Names of folders in more than one of folders that are called by no work and hold no class by their names: what all are told to call their
    own, such as `take 1`, and nobody who is in two places."""
    inside = [people_in(inner, False) for name, inner in folders.items() if not may_hold_a_class(name)]
    return {name for name in set().union(*inside) if sum(name in names for names in inside) > 1}
