"""Whose files in one folder are, by what their names say beside the lesson."""

from __future__ import annotations

import re
from collections.abc import Sequence

from autograde.grader.ingest.found import lesson_of
from autograde.grader.ingest.naming.nobodys_names import THE_COURSES, may_hold_a_class
from autograde.grader.ingest.naming.work_words import said
from autograde.grader.ingest.whose.named_alike import common_start, without_shared
from autograde.grader.ingest.whose.people_below import LISTING

Parts = tuple[str, ...]
NUMBER = re.compile(r"\d{1,4}\.ipynb", re.IGNORECASE)
CAPITAL = "[^\\W\\d_a-zß-öø-ÿ]"
PERSON = re.compile(rf"{CAPITAL}[^\W\d_]*(?:[ '’-]+{CAPITAL}[^\W\d_]*\.?)+")  # two names or more
ENDING = re.compile(r"\.(?:ipynb|py).*$", re.IGNORECASE)


def called_in(inner: Sequence[Parts]) -> set[str]:
    """Whom the notebooks that lie in a folder are called by, where each is called by another one; else nobody."""
    notebooks = [parts[0] for parts in inner if len(parts) == 1 and ".ipynb" in parts[0].lower()]
    names = set(map(said, notebooks))
    return names if len(names) == len(notebooks) and "" not in names else set()


def named_in(inner: Sequence[Parts]) -> set[str]:
    """The same where all are called by the lesson, too."""
    lessons = all(lesson_of.full_name(parts[0]) for parts in inner if len(parts) == 1 and ".ipynb" in parts[0].lower())
    return called_in(inner) if lessons else set()


def named_by_students(inner: Sequence[Parts]) -> dict[str, str]:
    """Whose notebooks are, deep in one folder, where all are called by two students or more, and by the lesson or behind a dash; else nothing. In
    the folder itself, which may be a student's, names have to be those of people, as `first try` is not."""
    notebooks = [parts for parts in inner if ".ipynb" in parts[-1].lower()]
    whose = {parts[-1]: said(parts[-1]) for parts in notebooks if lesson_of.full_name(parts[-1]) or " - " in parts[-1]}
    apart = len(whose) == len(notebooks) == len(set(whose.values())) and all(whose.values())
    deep = all(len(parts) > 1 for parts in notebooks) or all(map(PERSON.fullmatch, whose.values()))
    return whose if apart and deep and len({parts[:-1] for parts in notebooks}) == 1 else {}


def are_numbered(notebooks: Sequence[str]) -> bool:
    """Whether notebooks are called by nothing but numbers, more than one of them."""
    return len(notebooks) > 1 and all(NUMBER.fullmatch(name) for name in notebooks)


def loose_files(files: Sequence[Parts], root: str) -> dict[Parts, str]:
    """Files in one folder: a student each where names say whose, else all the folder's; "" where nobody can tell."""
    start = common_start([parts[0] for parts in files])
    whose = {parts: said(parts[0].removeprefix(start)) for parts in files}
    shorter = without_shared(set(filter(None, whose.values())))
    named = {parts: "" if THE_COURSES.fullmatch(who) else shorter.get(who, who) for parts, who in whose.items() if who}
    by_number = not named and may_hold_a_class(root) and are_numbered([parts[0] for parts in files])
    if root and not any(named.values()) and not by_number:
        return dict.fromkeys(files, root)
    beside_named = any(named.values())  # a notebook called by the lesson alone is then likely what was handed out
    nameless = {p: "" if not root or beside_named and lesson_of.full_name(p[0]) else ENDING.sub("", p[0]) for p in files}
    lists = {parts: "" for parts in files if not root and LISTING.fullmatch(parts[0])}
    return nameless | named | lists
