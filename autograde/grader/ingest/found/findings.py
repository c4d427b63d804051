"""What was found in what an instructor points at: files, whose each is and of which lesson, what was left out and why, and what students are called."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path

from autograde.grader.ingest.formats import kinds
from autograde.grader.ingest.formats.kinds import Kind
from autograde.grader.ingest.found.not_handed_in import OWN_FOLDERS
from autograde.grader.ingest.naming import copies
from autograde.grader.ingest.naming.names import plain_name, readable
from autograde.grader.ingest.naming.systems import Label
from autograde.grader.sandbox.bounded import used

STUDENT_SECONDS = 30  # of processor time for looking into all files of a student; a usual notebook takes a thousandth of it
DAY = re.compile(r"(?<!\d)(\d{1,2})([-._])(\d{1,2})\2(20\d\d)(?!\d)")
WORK = (Kind.NOTEBOOK, Kind.SCRIPT, Kind.MODEL, Kind.ARCHIVE)


@dataclass(frozen=True)
class File:
    """A regular file: where its bytes lie, and its folders and name below what the instructor pointed at; `origin` is the latter."""

    path: Path
    parts: tuple[str, ...]
    origin: Path
    packed: bool = False
    trouble: str = ""  # why an archive could not be unpacked

    @property
    def shown(self) -> str:
        return "/".join(self.parts)


@dataclass(frozen=True)
class Handed:
    """A notebook, script or model file that belongs to a student; `lesson` is "" for a model until its notebook is known."""

    file: File
    student: str
    lesson: str
    kind: Kind
    label: Label | None = None
    place: tuple[str, ...] = ()

    @property
    def order(self) -> tuple:
        """Newest last, by what tells most: the system's time and number, then numbers in the names of folders and file, `(2)` and `-2`."""
        label = self.label
        time = label.time.replace(tzinfo=label.time.tzinfo or UTC).timestamp() if label and label.time else 0.0
        number = label.order if label else 0
        name = label.file if label and label.file else self.file.parts[-1]
        return (copies.rank(self.file.parts), time, number, *_natural((*self.file.parts[:-1], name)))


@dataclass(frozen=True)
class LeftOut:
    """A file that is not taken; `student` is "" where nobody can tell whose it is. `file` is it, where it is a regular one."""

    shown: str
    why: str
    student: str = ""
    file: File | None = None
    label: Label | None = None


@dataclass
class Survey:
    """What was found. `students` has those without any file, too."""

    handed: list[Handed] = field(default_factory=list)
    # Notebooks that hold a second lesson: they count where nothing else of it was handed in.
    also: list[Handed] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    students: set[str] = field(default_factory=set)
    barren: list[tuple[str, ...]] = field(default_factory=list)  # folders and links below the source: whose they are counts, too
    given: set[str] = field(default_factory=set)  # the names of students as they came
    apart: set[str] = field(default_factory=set)  # those that are another student's but for how their letters are composed
    names: dict[str, str] = field(default_factory=dict)  # what each student is called, by what their folder or system says
    spent: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))  # seconds for looking into each student's files
    results: Path | None = None  # where this run writes: nobody's folder, also while it is still empty
    doubts: list[str] = field(default_factory=list)  # whose files may be read in another way
    told: list[str] = field(default_factory=list)  # what was settled by the class's list
    held: dict[tuple[str, ...], str] = field(default_factory=dict)  # files of which nobody should guess whose they are, and why
    in_place: bool = True  # every file lies in a folder of its student's and is what it says

    @contextmanager
    def looking(self, student: str) -> Iterator[bool]:
        """Whether there is time left to look into a file of this student's; what is looked into meanwhile is counted."""
        began = used()
        try:
            yield self.spent[student] < STUDENT_SECONDS
        finally:
            self.spent[student] += used() - began

    def called(self, name: str) -> str:
        """A student's name as it can be written anywhere; no two the same where that had to be changed, in a table for spreadsheets either."""
        came, given, name = name, composed(name), plain_name(name).replace("/", "_")
        if given != name and name in self.given:  # somebody else's, who is called just so
            name = given
        if came in self.apart:
            self.called(given)  # has the name before this one
            name = came
        if name not in self.names:
            plain = _as_folder(readable(composed(name)))
            if plain != name and plain in self.given:
                self.called(plain)  # is called just so, and this one ` ann`
            taken, count = {known.lstrip("'") for known in self.names.values()}, 1
            while (unique := f"{plain} ({count})" if count > 1 else plain).lstrip("'") in taken and unique:
                count += 1
            self.names[name] = unique
        return self.names[name]


def composed(name: str) -> str:
    """A name as it came, in one file's or folder's part."""
    return unicodedata.normalize("NFC", name).replace("/", "_")


def _as_folder(name: str) -> str:
    """A name that a folder may have which is looked into: none that leads out of where it lies, is hidden, or is kept for other things."""
    kept = name.startswith(".") or name in OWN_FOLDERS or name in kinds.SYSTEM_FOLDERS
    return f"_{name}" if kept else name


def _year_first(day: re.Match[str]) -> str:
    """A day as it sorts. Where neither number is above 12, the month stands first only as America writes it, without dots and zeros."""
    first, between, second, year = day.groups()
    month_first = int(second) > 12 or between != "." and int(first) <= 12 and "0" not in (first[0], second[0])
    month, day_of_it = (first, second) if month_first else (second, first)
    return f"{year}-{month:0>2}-{day_of_it:0>2}"


def _natural(parts: Sequence[str]) -> tuple:
    """`attempt 9` before `attempt 10`, and `03_x.ipynb` before `03_x (1).ipynb`, also with a name behind all."""
    keys = []
    for part in parts:
        part = DAY.sub(_year_first, part)
        stem = re.sub(r"^([^()]+?)[ _]*(\(\d{1,2}\))(?=[ _-])(.+)$", r"\1\3 \2", re.sub(r"\.\w+$", "", part))
        keys.append(tuple((0, int(x)) if x.isdigit() else (1, x) for x in re.findall(r"\d{1,18}|\D+", stem)))
    return tuple(keys)
