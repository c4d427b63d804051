"""Which lesson a file is: by what it holds first (cell ids, definitions, heading), then by its name; the lesson asked for decides."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from autograde import layout
from autograde.checking.manifest import read_manifest
from autograde.grader.ingest.formats import without_outputs
from autograde.grader.sandbox.bounded import TooMuch, bounded

MAX_BYTES = 20 * 2**20
ENOUGH = 0.3  # of a lesson's exercises
GRADE_ID = re.compile(r'"grade_id":\s*"(?:check-)?(\w+)"')
DEFINED = re.compile(r"(?:^ {0,16}|\"|\\n)(?:def|class) (\w+)", re.MULTILINE)
HEADING = re.compile(r"(?:^|\"|\\n|\n)# (?:# )?(\d\d · [^\"\\\n]+)")
NUMBERED = re.compile(r"(?:lesson|homework|hw|assignment|week|exercise|notebook|nb)[\s_-]*0?(\d)(?!\d)", re.IGNORECASE)


def lesson_of(path: Path, wanted: str | None = None, folder: str = "", name: str = "", look: bool = True) -> str | None:
    """The lesson of a notebook or script. `wanted` decides, unless content and name both say another, as in a folder of all lessons.
    Without `look`, the name alone says it.

    Raises:
        TooMuch: when nothing but its content could tell, and looking into that takes too much.
    """
    name = name or path.name
    called, full = named(name) or named(folder), full_name(name) or full_name(folder)
    try:
        content = by_content(path) if look else None
    except TooMuch:
        if wanted is None and called is None:
            raise
        content = None
    if wanted is None:
        return content or called
    other = content if content and content == called else full if content is None else None
    return other if other and other != wanted else wanted


def named(name: str) -> str | None:
    """The lesson whose name a file or folder carries, also as `Copy of 03_self_attention (1).ipynb`, `03.ipynb` or `hw3`."""
    if full := full_name(name):
        return full
    words = f"_{_plain(name)}_"
    subjects = [lesson for lesson in layout.lesson_names() if f"_{lesson[3:]}_" in words.replace(".", "_")]
    if subjects:
        return max(subjects, key=len)
    numbers = {f"0{n}" for n in NUMBERED.findall(name)}
    return next((lesson for lesson in layout.lesson_names() if {lesson[:2]} == numbers), None)


@lru_cache(maxsize=2**16)
def full_name(name: str) -> str | None:
    """The lesson that is named in full or by its number alone."""
    plain = _plain(name)
    return next((x for x in layout.lesson_names() if x in plain or re.fullmatch(rf"{x[:2]}(\.ipynb|\.py|_\(\d+\)\.ipynb)?", plain)), None)


def _plain(name: str) -> str:
    return re.sub(r"[\s+-]+", "_", name.lower())


def by_content(path: Path) -> str | None:
    """The lesson most of whose exercises the file mentions; a damaged file is looked through as text. Raises TooMuch."""
    return next(iter(_held(path)), None)


def others_in(path: Path, lesson: str) -> list[str]:
    """The other lessons whose cells a notebook holds, as who puts two into one file leaves them. Raises TooMuch."""
    return [other for other in _held(path) if other != lesson]


def _held(path: Path) -> list[str]:
    try:
        status = path.lstat()
        if path.is_symlink() or not path.is_file():  # a pipe would be waited for
            return []
        found = _by_content(path, status.st_size, status.st_mtime_ns)
    except OSError:
        return []
    if isinstance(found, TooMuch):
        raise found
    return found


@lru_cache(maxsize=10_000)
def _by_content(path: Path, *_: int) -> list[str] | TooMuch:
    try:
        found = _looked_into(path)  # by a process that what it reads may have taken over
    except TooMuch as error:  # once is enough
        return error
    return _lessons_among(found)


def _lessons_among(found: object) -> list[str]:
    known = layout.lesson_names()
    return [name for name in found if name in known] if isinstance(found, list) else []


def is_of(path: Path, lesson: str, name: str) -> bool:
    """Whether a script is of a lesson: it is called so, or defines one of its exercises. Another one is a helper, beside a notebook.

    Raises:
        TooMuch: when its name does not say it, and looking into it takes too much.
    """
    try:
        return named(name) == lesson or _defines_any(path, lesson)
    except OSError:
        return False


@bounded(raises=(OSError,))
def _defines_any(path: Path, lesson: str) -> bool:
    return bool(_known(lesson)[0] & set(DEFINED.findall(_text(path))))


def _text(path: Path) -> str:
    """What a file holds without outputs; "" of one that is too large."""
    try:
        raw = without_outputs.read(path, MAX_BYTES, pictures=False)
    except without_outputs.TooLarge:
        return ""
    return raw.decode(json.detect_encoding(raw), errors="replace")


@bounded(raises=(OSError,))
def _looked_into(path: Path) -> list[str]:
    """The lesson that fits best, then others of which the file has cells: functions alone may be another lesson's helpers."""
    text = _text(path)
    ids, defined, headings = (set(pattern.findall(text)) for pattern in (GRADE_ID, DEFINED, HEADING))
    scores = {name: _score(name, ids, defined, {h.strip() for h in headings}) for name in _built()}
    best = max(scores, key=scores.__getitem__, default="")
    if not best or scores[best] < ENOUGH:
        return []
    return [best, *(name for name in _built() if name != best and len(ids & _known(name)[0]) >= ENOUGH * len(_known(name)[0]))]


def _score(lesson: str, ids: set[str], defined: set[str], headings: set[str]) -> float:
    exercises, title = _known(lesson)
    return len(exercises & ids) / len(exercises) + len(exercises & defined) / len(exercises) + (title in headings)


@lru_cache
def _known(lesson: str) -> tuple[frozenset[str], str]:
    """A lesson's exercises and title, read once: a student may hand in a thousand scripts."""
    known = read_manifest(lesson)
    return frozenset(known["exercises"]), known["title"]


def _built() -> Sequence[str]:
    return [name for name in layout.lesson_names() if layout.manifest_path(name).exists()]
