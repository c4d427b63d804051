"""A page about the class: scores a lesson, what each exercise told apart, common mistakes, who is stuck where.

It is made from `grades.csv` and `exercises.csv`, so that it says what they say, for every lesson in them.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from pathlib import Path
from statistics import StatisticsError, correlation, mean, median

from jinja2 import Environment, FileSystemLoader, Template

from autograde import layout
from autograde.checking.lesson import read_manifest
from autograde.files import write

BINS = 10  # of a tenth of the points each
ENOUGH = 20  # students: below it a correlation of 0.4 can be chance (its standard error is about 1 / √n)
HARD, SEPARATES = 0.3, 0.2  # Ebel (1965): below 0.20 an item is poor, 0.20 to 0.29 marginal, from 0.30 good
STUCK = 0.5  # of the points: below it a student is listed
BEGUN = ("passed", "partial", "failed", "error", "timeout")


@dataclass(frozen=True)
class Item:
    """One exercise in a class: shares are 0 to 1, of the points; None where there is nothing to compute from."""

    name: str
    points: float
    begun: int
    handed_in: int
    easiness: float | None  # the share of its points that all who handed in earned
    easiness_begun: float | None  # and that those earned who began it
    discrimination: float | None

    @property
    def flags(self) -> list[str]:
        """What is worth a look, in words."""
        found = []
        if self.handed_in and not self.begun:
            found.append("nobody began it")
        elif self.easiness is not None and self.easiness < HARD:
            found.append("hardly anyone can do it")
        if self.discrimination is not None and self.handed_in >= ENOUGH and self.discrimination < SEPARATES:
            found.append("good students do worse" if self.discrimination < -SEPARATES else "does not separate")
        return found


@dataclass(frozen=True)
class Pupil:
    """One student in one lesson: a cell is (share of the points, status)."""

    name: str
    score: float
    share: float
    status: str
    cells: dict[str, tuple[float, str]]

    @property
    def begun(self) -> bool:
        return any(status in BEGUN for _, status in self.cells.values())

    @property
    def stuck_at(self) -> list[str]:
        return [name for name, (share, status) in self.cells.items() if share < STUCK and status in BEGUN]


@dataclass(frozen=True)
class LessonPage:
    """What the page says of a lesson; `pupils` come weakest first."""

    name: str
    title: str
    points: float
    pupils: list[Pupil]
    items: list[Item]
    mistakes: list[tuple[str, str, int]]

    @property
    def handed_in(self) -> list[Pupil]:
        return [p for p in self.pupils if p.status == "graded"]

    @property
    def mean(self) -> float | None:
        return mean(p.score for p in self.handed_in) if self.handed_in else None

    @property
    def median(self) -> float | None:
        return median(p.score for p in self.handed_in) if self.handed_in else None

    @property
    def histogram(self) -> list[int]:
        """How many graded submissions have each tenth of the points; all of them counts as the last tenth."""
        found = Counter(min(int(round(p.share * BINS, 6)), BINS - 1) for p in self.handed_in)
        return [found[i] for i in range(BINS)]

    @property
    def stuck(self) -> list[Pupil]:
        return [p for p in self.pupils if p.status != "graded" or p.share < STUCK]


def save(folder: Path) -> Path:
    """Write `class.html` beside the tables it is made from."""
    write(folder / "class.html", page(_rows(folder / "grades.csv"), _rows(folder / "exercises.csv")).encode())
    return folder / "class.html"


def page(grades: Sequence[Mapping[str, str]], exercises: Sequence[Mapping[str, str]]) -> str:
    """The page: one file, without scripts, readable without a server."""
    return _template().render(lessons=summarize(grades, exercises), enough=ENOUGH, stuck=STUCK)


def summarize(grades: Sequence[Mapping[str, str]], exercises: Sequence[Mapping[str, str]]) -> list[LessonPage]:
    """The rows of both tables as what the page says, a lesson each; of lessons that the course has no more, nothing."""
    names = sorted({row["assignment"] for row in grades} & set(layout.lesson_names()))
    return [_lesson(n, [g for g in grades if g["assignment"] == n], [e for e in exercises if e["assignment"] == n]) for n in names]


def _lesson(name: str, grades: Sequence[Mapping[str, str]], rows: Sequence[Mapping[str, str]]) -> LessonPage:
    known = read_manifest(name)
    points = {exercise: e["points"] for exercise, e in known["exercises"].items()}
    by_student: dict[str, dict[str, Mapping[str, str]]] = {}
    for row in rows:
        by_student.setdefault(row["student_id"], {})[row["exercise"]] = row
    pupils = sorted((_pupil(grade, by_student.get(grade["student_id"], {})) for grade in grades), key=lambda p: (p.share, p.name))
    table = {p.name: {e: float(r["score"]) for e, r in by_student.get(p.name, {}).items()} for p in pupils if p.status == "graded"}
    begun = Counter(r["exercise"] for r in rows if r["status"] in BEGUN and r["student_id"] in table)
    items = [_item(exercise, worth, table, begun[exercise]) for exercise, worth in points.items() if worth]
    sentences = {exercise: [m["sentence"] for m in listed] for exercise, listed in known["mistakes"].items()}
    return LessonPage(name, known["title"], sum(points.values()), pupils, items, _mistakes(rows, sentences))


def _pupil(grade: Mapping[str, str], rows: Mapping[str, Mapping[str, str]]) -> Pupil:
    score, worth = float(grade["score"]), float(grade["max_score"])
    cells = {
        name: (_share(float(row["score"]), float(row["max_score"])), row["status"]) for name, row in rows.items() if float(row["max_score"])
    }
    return Pupil(grade["student_id"], score, _share(score, worth), grade["status"], cells)


def _share(score: float, worth: float) -> float:
    return min(max(score / worth, 0.0), 1.0) + 0.0 if worth else 0.0


def _item(name: str, points: float, table: Mapping[str, Mapping[str, float]], begun: int) -> Item:
    own = [scores.get(name, 0.0) for scores in table.values()]
    rest = [sum(scores.values()) - scores.get(name, 0.0) for scores in table.values()]
    earned = sum(own) / points
    return Item(
        name, points, begun, len(own), earned / len(own) if own else None, earned / begun if begun else None, _discrimination(own, rest)
    )


def _discrimination(own: Sequence[float], rest: Sequence[float]) -> float | None:
    """The corrected item–total correlation: of an exercise's points with those of all others, so that it is not compared with itself."""
    try:
        return correlation(own, rest)
    except StatisticsError:  # fewer than two students, or all alike
        return None


def _mistakes(rows: Sequence[Mapping[str, str]], sentences: Mapping[str, Sequence[str]]) -> list[tuple[str, str, int]]:
    """(exercise, sentence, how many students), the commonest first; messages that are no known mistake's sentence do not count."""
    found = Counter(
        (row["exercise"], sentence)
        for row in rows
        for sentence in sentences.get(row["exercise"], ())
        if " ".join(sentence.split()) == row["message"].removeprefix("'")
    )
    return [(exercise, sentence, n) for (exercise, sentence), n in sorted(found.items(), key=lambda x: (-x[1], x[0]))]


def _rows(path: Path) -> list[dict[str, str]]:
    """The lines of a table whose points are numbers: lines of other lessons may have been edited by hand."""
    with path.open(newline="", encoding="utf-8") as stream:
        return [row for row in csv.DictReader(stream) if _is_number(row["score"]) and _is_number(row["max_score"])]


def _is_number(text: str) -> bool:
    try:
        return isfinite(float(text))
    except ValueError:
        return False


@lru_cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["number"] = lambda value: "–" if value is None else f"{value:.4g}"
    environment.filters["percent"] = lambda value: "–" if value is None else f"{value:.0%}"
    environment.filters["signed"] = lambda value: "–" if value is None else f"{value:.2f}".replace("-", "−")
    return environment.get_template("class_page.html.j2")
