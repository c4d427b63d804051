"""Unusual equalities between students' answers: what few share in a class where many wrote something else.

Four kinds are looked at: the same code with the same names, the same comment, the same wrong values, the same sentence in written answers.
Each is told with how many of the class share it, since what is rare in one class is what everybody writes in another.
"""

from __future__ import annotations

import json
import keyword
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from autograde import layout
from autograde.grader.pages.answers_page import Sheet
from autograde.grader.pages.same_code import LONGEST, tokens
from autograde.grader.results.model import Graded

FEW = 3  # students: what more share is no trace of two who sat together
RARE = 0.1  # of those who wrote something of that kind; in a class of less than 20, two students are enough
LONG_CODE, LONG_COMMENT, LONG_SENTENCE = 40, 4, 8  # tokens, words, words: shorter ones are equal by chance
SENTENCE = re.compile(r"[.!?:;]\s+|\n+")
WORD = re.compile(r"[\w√½≈=+*/^.-]+")


class Kind(Enum):
    """What is shared; the value is how a page says it."""

    CODE = "the same code, with the same names"
    COMMENT = "the same comment"
    WRONG = "the same wrong values"
    WRITTEN = "the same sentence"


@dataclass(frozen=True)
class Trace:
    """One thing in a student's answer that another's may share: equal `key`s are equal things. `shown` is what a reader sees of it."""

    student: str
    lesson: str
    where: str
    kind: Kind
    key: str
    shown: str


@dataclass(frozen=True)
class Evidence:
    """What these students share; `among` is how many answers it could have stood in."""

    lesson: str
    where: str
    kind: Kind
    shown: str
    sharing: int
    among: int

    @property
    def bits(self) -> float:
        """How surprising it is: the logarithm of one over its share in the class."""
        return math.log2(self.among / self.sharing)


@dataclass(frozen=True)
class Likeness:
    """Students who share something that few share."""

    students: tuple[str, ...]
    evidence: list[Evidence]

    @property
    def bits(self) -> float:
        return sum(e.bits for e in self.evidence)


def traces(graded: Graded, answers: Mapping[str, str]) -> Iterator[Trace]:
    """What could be shared in a submission's code and words; `answers` are its cells by exercise or question."""
    exercises = {result.exercise for result in graded.results}
    for where, text in answers.items():
        found = _in_code(text[:LONGEST]) if where in exercises else _in_words(text[:LONGEST])
        for kind, key, shown in found:
            if key not in _handed_out(graded.lesson):
                yield Trace(graded.student, graded.lesson, where, kind, key, shown)


def wrong(sheets: Iterable[Sheet]) -> Iterator[Trace]:
    """The wrong values of each answer that is no mistake the course knows."""
    for sheet in sheets:
        for group in sheet.groups:
            key = "" if group.kind == "mistake" else group.representative.student
            for answer in group.answers:
                yield Trace(answer.student, sheet.lesson, sheet.exercise, Kind.WRONG, key, group.words)


def likenesses(traces: Iterable[Trace]) -> list[Likeness]:
    """Groups of students with what they share, the most surprising first."""
    writers: dict[tuple[str, str, Kind], set[str]] = {}
    sharing: dict[tuple[str, str, Kind, str], tuple[set[str], str]] = {}
    for trace in traces:
        place = trace.lesson, trace.where, trace.kind
        writers.setdefault(place, set()).add(trace.student)
        if trace.key:
            sharing.setdefault((*place, trace.key), (set(), trace.shown))[0].add(trace.student)
    found: dict[tuple[str, ...], list[Evidence]] = {}
    for (lesson, where, kind, _), (students, shown) in sharing.items():
        among = len(writers[lesson, where, kind])
        if 1 < len(students) <= FEW and len(students) <= max(2, RARE * among) and len(students) < among:
            found.setdefault(tuple(sorted(students)), []).append(Evidence(lesson, where, kind, shown, len(students), among))
    likely = [Likeness(students, sorted(e, key=lambda e: -e.bits)) for students, e in found.items()]
    return sorted(likely, key=lambda x: (-x.bits, x.students))


def _in_code(code: str) -> Iterator[tuple[Kind, str, str]]:
    """Comments, and the code without them, without docstrings and without layout. It is cut by a pattern: nothing is run or compiled."""
    cut, comments = tokens(code)
    for words in comments:
        if len(WORD.findall(words)) >= LONG_COMMENT:
            yield Kind.COMMENT, _folded(words), words
    if len(cut) >= LONG_CODE:
        own = sorted({t for t in cut if t.isidentifier() and not keyword.iskeyword(t)})
        yield Kind.CODE, " ".join(cut), f"{len(cut)} tokens; names: {', '.join(own)[:200]}"


def _in_words(text: str) -> Iterator[tuple[Kind, str, str]]:
    for sentence in SENTENCE.split(text):
        if len(WORD.findall(sentence)) >= LONG_SENTENCE:
            yield Kind.WRITTEN, _folded(sentence), sentence.strip()


def _folded(text: str) -> str:
    return " ".join(WORD.findall(text.casefold()))


@lru_cache
def _handed_out(lesson: str) -> frozenset[str]:
    """Every comment and sentence of the notebook that students get: to repeat these is no trace."""
    cells = json.loads((layout.NOTEBOOKS / f"{lesson}.ipynb").read_text(encoding="utf-8"))["cells"]
    texts = [("".join(cell["source"]), cell["cell_type"]) for cell in cells]
    return frozenset(key for text, kind in texts for _, key, _ in (_in_code(text) if kind == "code" else _in_words(text)))
