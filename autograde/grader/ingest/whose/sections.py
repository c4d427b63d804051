"""Folders that are parts of a class: each holds folders or files of people, nobody's twice."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Set

from autograde.grader.ingest.naming.nobodys_names import DAY, PART, PLACE, is_ones_own, wraps
from autograde.grader.ingest.naming.work_words import ATTEMPT
from autograde.grader.ingest.whose.by_file_name import called_in, named_in
from autograde.grader.ingest.whose.people_below import people_in

Parts = tuple[str, ...]
NUMBERED_PART = re.compile(r"(.*\D)??\d{1,2}(\D.*)?|(.*[\s_-])[A-Za-z]")  # `tut01`, `1반`, `Room B`
SHORT_NUMBER = re.compile(r"\d{1,5}")  # of a section, and hardly a student's
ONES_OWN = re.compile(r"(?i)(?:students?|users?|team|participants?|pair)[\s_-]*")  # with a number behind, a student's


def sections_of(folders: Mapping[str, list[Parts]]) -> set[str]:
    """All folders, where each is a part of a class: it holds folders of people, nobody's twice, and several of them in at least half, or all parts are
    called alike but for a number, or by days; or it holds files of two students or more, as their names say beside the lesson's, or beside a part's short number."""
    if len(folders) < 2:
        return set()
    inside = {name: people_in(inner, False) if all(len(parts) > 1 for parts in inner) else set() for name, inner in folders.items()}
    by_file = {name: named_in(inner) for name, inner in folders.items()}
    by_number = {name: called_in(inner) if SHORT_NUMBER.fullmatch(name) else set() for name, inner in folders.items()}
    days = all(map(DAY.fullmatch, folders))
    for people, alike in ((inside, days or _numbered_parts(folders)), (by_file, days), (by_number, False)):
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


def parts_with_files(folders: Mapping[str, list[Parts]]) -> dict[str, list[Parts]]:
    """The folders such as `late` or `Section 2` that hold notebooks called by students; not sections in which a name comes twice."""
    found = {name: inner for name, inner in folders.items() if re.fullmatch(PART, unicodedata.normalize("NFC", name), re.IGNORECASE)}
    found = {name: inner for name, inner in found.items() if all(len(parts) == 1 for parts in inner) and called_in(inner)}
    sections = {name: called_in(inner) for name, inner in found.items() if re.search(r"\d|[\s_-]\w$", name)}
    twice = sum(map(len, sections.values())) > len(set[str]().union(*sections.values()))
    return {name: inner for name, inner in found.items() if not (twice and name in sections)}


def _numbered_parts(names: Iterable[str]) -> bool:
    """Whether names differ in a short number or a letter alone, as those of a class's parts do."""
    stems = {"".join(part or "" for part in found.groups()) if (found := NUMBERED_PART.fullmatch(name)) else "" for name in names}
    stem = stems.pop()
    return not stems and bool(re.search(r"[^\W\d_]{2}|[^\W\d_a-zA-Z]", stem)) and not ONES_OWN.fullmatch(stem)
