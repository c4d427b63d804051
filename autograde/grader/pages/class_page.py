"""A page about the class: scores a lesson, what each exercise told apart, common mistakes, who is stuck where.

It is made from `grades.csv` and `exercises.csv`, for every lesson in them, with points as the gradebook has them where there is one.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from statistics import StatisticsError, correlation, mean, median
from urllib.parse import quote

from jinja2 import Template
from markupsafe import Markup

from autograde import layout
from autograde.checking.manifest import read_manifest
from autograde.checking.status import SubmissionStatus
from autograde.files import write
from autograde.grader.gradebook import roster
from autograde.grader.gradebook.roster import Person
from autograde.grader.gradebook.standing import Standing
from autograde.grader.pages import answers_page, terms
from autograde.grader.pages.answers_page import Sheet
from autograde.grader.pages.as_recorded import WAITING, Table, as_recorded
from autograde.grader.pages.feedback_page import duration
from autograde.grader.pages.template import template
from autograde.grader.pages.terms import Term
from autograde.grader.results import csv_tables
from autograde.grader.results.csv_tables import safe
from autograde.wording import counted

FILE = "class.html"  # in a results folder
BINS = 10  # of a tenth of the points each
ENOUGH = 20  # students: below it a correlation of 0.4 can be chance (its standard error is about 1 / √n)
HARD, SEPARATES = 0.3, 0.2  # Ebel (1965): below 0.20 an item is poor, 0.20 to 0.29 marginal, from 0.30 good
APART = 0.15  # of an exercise's points: a section that is farther from the class is told
STUCK = 0.5  # of the points: below it a student is listed
MISSING = SubmissionStatus.MISSING.value
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
    label: str = ""  # the name in the roster
    family: str = ""  # the same, its last name first
    section: str = ""
    note: str = ""
    absent: bool = False  # there is no page of theirs to open
    handed_in: str = ""  # a time in UTC, as it is shown and sorted by
    page: str = ""  # the id by which their page lies

    @property
    def state(self) -> int:
        """What an instructor looks at first: what could not be read, nothing handed in, an answer that waits, late, all the others."""
        waits = any(status == WAITING for _, status in self.cells.values())
        return 0 if self.status not in ("graded", MISSING) else 1 if self.status == MISSING else 2 if waits else 3 if self.note else 4

    @property
    def begun(self) -> bool:
        return any(status in BEGUN for _, status in self.cells.values())

    @property
    def stuck_at(self) -> list[str]:
        return [name for name, (share, status) in self.cells.items() if share < STUCK and status in BEGUN]


@dataclass(frozen=True)
class Section:
    """One section of the class in a lesson; `shares` are those of the points that it earned, by exercise, of all who handed in."""

    name: str
    students: int
    handed_in: int
    mean: float | None
    median: float | None
    shares: dict[str, float]

    def apart(self, items: Sequence[Item]) -> list[tuple[str, float, float]]:
        """(exercise, its share here, that of the class) where they differ most, if by more than APART."""
        pairs = [(i.name, self.shares[i.name], i.easiness) for i in items if i.name in self.shares and i.easiness is not None]
        far = [pair for pair in pairs if abs(pair[1] - pair[2]) > APART]
        return sorted(far, key=lambda pair: -abs(pair[1] - pair[2]))[:3]


@dataclass(frozen=True)
class LessonPage:
    """What the page says of a lesson; `pupils` come weakest first."""

    name: str
    title: str
    points: float
    pupils: list[Pupil]
    items: list[Item]
    mistakes: list[tuple[str, str, int]]
    waiting: int = 0  # submissions whose written answer nobody has graded

    @property
    def handed_in(self) -> list[Pupil]:
        return [p for p in self.pupils if p.status == "graded"]

    @property
    def submissions(self) -> list[Pupil]:
        """Who handed in something, also what cannot be read."""
        return [p for p in self.pupils if p.status != MISSING]

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
    def ticks(self) -> list[tuple[float, float]]:
        """(points, place) of round numbers of points below the histogram, whose bars are tenths of the points."""
        step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 1000) if self.points / step <= 8)
        return [(tick, round(8 + 420 * tick / self.points, 1)) for tick in range(0, int(self.points) + 1, step)] if self.points else []

    @property
    def places(self) -> int:
        """How many decimals every student's points are shown with, so that they stand below each other."""
        return _decimals(p.score for p in self.pupils)

    @property
    def item_places(self) -> int:
        """The same for the points that exercises are worth."""
        return _decimals(item.points for item in self.items)

    @property
    def sections(self) -> list[Section]:
        """Nothing where there are fewer than two."""
        names = sorted({p.section for p in self.pupils if p.section})
        return [_section(name, [p for p in self.pupils if p.section == name]) for name in names] if len(names) > 1 else []

    @property
    def stuck(self) -> list[Pupil]:
        return [p for p in self.pupils if p.status != MISSING and (p.status != "graded" or p.share < STUCK)]

    @property
    def missing(self) -> list[Pupil]:
        """Who handed in nothing, by name."""
        return sorted((p for p in self.pupils if p.status == MISSING), key=lambda p: p.label or p.name)


def save(folder: Path, standings: Sequence[Standing] = (), sheets: Sequence[Sheet] = (), alike: int = 0) -> Path:
    """Write `class.html` beside the tables it is made from, with points as the gradebook has them and names as the roster has.

    `alike` is how many unusual equalities `likenesses.html` lists.
    """
    write(folder / FILE, of_folder(folder, standings, sheets, alike).encode())
    return folder / FILE


def of_folder(folder: Path, standings: Sequence[Standing] = (), sheets: Sequence[Sheet] = (), alike: int = 0) -> str:
    """The page that `save` writes."""
    people = roster.told_apart(roster.read(folder))
    return page(_grades(folder), csv_tables.rows(folder / "exercises.csv"), standings, sheets, people, alike, terms.read(folder))


def page(
    grades: Table,
    exercises: Table,
    standings: Sequence[Standing] = (),
    sheets: Sequence[Sheet] = (),
    people: Sequence[Person] = (),
    alike: int = 0,
    other: Term | None = None,
) -> str:
    """The page: one file, readable without a server; no script but ours, which sorts, runs in it. `other` is a term to compare with."""
    script = (Path(__file__).parent / "templates" / "sort.js").read_text(encoding="utf-8")
    return _template().render(
        script=Markup(script),
        script_digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        lessons=summarize(grades, exercises, standings, sheets, people),
        sections=sorted({person.section for person in people if person.section}),
        pages={(sheet.lesson, sheet.exercise): answers_page.path_of(sheet.lesson, sheet.exercise) for sheet in sheets},
        from_gradebook=bool(standings),
        alike=alike,
        enough=ENOUGH,
        stuck=STUCK,
        apart=APART,
        other=other,
        beside=terms.beside(terms.of_tables("", *as_recorded(grades, exercises, standings)), other) if other else {},
    )


def summarize(
    grades: Table, exercises: Table, standings: Sequence[Standing] = (), sheets: Sequence[Sheet] = (), people: Sequence[Person] = ()
) -> list[LessonPage]:
    """The rows of both tables as what the page says, a lesson each; of lessons that the course has no more, nothing."""
    names = sorted({row["assignment"] for row in grades} & set(layout.lesson_names()))
    grades, exercises = as_recorded(grades, exercises, standings)
    return [
        _lesson(
            name,
            [g for g in grades if g["assignment"] == name],
            [e for e in exercises if e["assignment"] == name],
            {safe(s.student): s for s in standings if s.lesson == name},
            [sheet for sheet in sheets if sheet.lesson == name],
            {safe(person.student): person for person in people},
        )
        for name in names
    ]


def _lesson(
    name: str, grades: Table, rows: Table, standings: Mapping[str, Standing], sheets: Sequence[Sheet], people: Mapping[str, Person]
) -> LessonPage:
    known = read_manifest(name)
    points = {exercise: e["points"] for exercise, e in known["exercises"].items()}
    points |= {entry.name: entry.max_score for s in standings.values() for entry in s.written}
    by_student: dict[str, dict[str, Mapping[str, str]]] = {}
    for row in rows:
        by_student.setdefault(row["student_id"], {})[row["exercise"]] = row
    pupils = [_pupil(g, by_student.get(g["student_id"], {}), standings.get(g["student_id"]), people.get(g["student_id"])) for g in grades]
    pupils.sort(key=lambda p: (p.share, p.name))
    table = {p.name: {e: float(r["score"]) for e, r in by_student.get(p.name, {}).items()} for p in pupils if p.status == "graded"}
    begun = Counter(r["exercise"] for r in rows if r["status"] in BEGUN and r["student_id"] in table)
    unread = Counter(r["exercise"] for r in rows if r["status"] == WAITING and r["student_id"] in table)
    items = [
        _unread(exercise, worth, begun[exercise] + unread[exercise], len(table))
        if unread[exercise]
        else _item(exercise, worth, table, begun[exercise])
        for exercise, worth in points.items()
        if worth
    ]
    return LessonPage(
        name, known["title"], sum(points.values()), pupils, items, _mistakes(sheets), sum(s.waiting for s in standings.values())
    )


def _pupil(
    grade: Mapping[str, str], rows: Mapping[str, Mapping[str, str]], standing: Standing | None = None, person: Person | None = None
) -> Pupil:
    score, worth = _points(grade), float(grade["max_score"])
    cells = {name: (_share(_points(row), float(row["max_score"])), row["status"]) for name, row in rows.items() if float(row["max_score"])}
    name = (person.name if person else "") or (standing.name if standing else "")
    late = f"{duration(standing.late)} late, {counted(standing.penalty, 'point')} off" if standing and standing.late else ""
    return Pupil(
        grade["student_id"],
        score,
        _share(score, worth),
        grade["status"],
        cells,
        name,
        " ".join(filter(None, reversed(person.parts))) if person and person.name else name,
        person.section if person else "",
        late,
        "absent" in grade,
        f"{standing.handed_in:%Y-%m-%d %H:%M}" if standing and standing.handed_in else "",
        grade.get("page", grade["student_id"]),
    )


def _section(name: str, pupils: Sequence[Pupil]) -> Section:
    there = [p for p in pupils if p.status == "graded"]
    scores = [p.score for p in there]
    known = {exercise for p in there for exercise in p.cells}
    shares = {exercise: mean(p.cells.get(exercise, (0.0, ""))[0] for p in there) for exercise in known}
    return Section(name, len(pupils), len(there), mean(scores) if scores else None, median(scores) if scores else None, shares)


def _decimals(numbers: Iterable[float]) -> int:
    """The fewest decimals, at most two, that show all of these numbers."""
    return max((len(f"{number:.2f}".rstrip("0").split(".")[1]) for number in numbers), default=0)


def _share(score: float, worth: float) -> float:
    return min(max(score / worth, 0.0), 1.0) + 0.0 if worth else 0.0


def _item(name: str, points: float, table: Mapping[str, Mapping[str, float]], begun: int) -> Item:
    own = [scores.get(name, 0.0) for scores in table.values()]
    rest = [sum(scores.values()) - scores.get(name, 0.0) for scores in table.values()]
    earned = sum(own) / points
    return Item(
        name, points, begun, len(own), earned / len(own) if own else None, earned / begun if begun else None, _discrimination(own, rest)
    )


def _unread(name: str, points: float, begun: int, handed_in: int) -> Item:
    """A written question that nobody has graded for everyone yet: its points say nothing."""
    return Item(name, points, begun, handed_in, None, None, None)


def _discrimination(own: Sequence[float], rest: Sequence[float]) -> float | None:
    """The corrected item–total correlation: of an exercise's points with those of all others, so that it is not compared with itself."""
    try:
        return correlation(own, rest)
    except StatisticsError:  # fewer than two students, or all alike
        return None


def _mistakes(sheets: Sequence[Sheet]) -> list[tuple[str, str, int]]:
    """(exercise, sentence, how many students), the commonest first; a mistake is known by its fingerprint, not by its sentence."""
    found = [(s.exercise, group.words, len(group.answers)) for s in sheets for group in s.groups if group.kind == "mistake"]
    return sorted(found, key=lambda x: (-x[2], x[:2]))


def _difference(now: float | None, then: float | None) -> str:
    """That of two shares as they are shown, in percentage points."""
    if now is None or then is None:
        return "–"
    points = round(100 * now) - round(100 * then)
    return f"{points:+d}".replace("-", "−") if points else "0"


def _grades(folder: Path) -> list[dict[str, str]]:
    """The lines of `grades.csv`; `absent` are those who handed in nothing and have no page, as they are in the roster alone, and `page` is the id
    by which the page of one lies who came by several."""
    first, handed_in = roster.first_ids(folder), roster.lessons(folder)
    found = [(path.parent.name, path.stem) for path in (folder / "feedback").glob("*/*.html")]
    found.sort(key=lambda one: one[1] in handed_in.get(one[0], ()))  # what was handed in comes last and stays
    pages = {(safe(first.get(student, student)), lesson): safe(student) for student, lesson in found}
    rows = csv_tables.rows(folder / "grades.csv")
    return [_with_page(row, pages.get((row["student_id"], row["assignment"]))) for row in rows]


def _with_page(row: dict[str, str], page: str | None) -> dict[str, str]:
    return {**row, "page": page} if page else {**row, "absent": "yes"} if row["status"] == MISSING else row


def _points(row: Mapping[str, str]) -> float:
    """A row's points; of who handed in nothing the cell is empty."""
    return float(row["score"] or 0)


@lru_cache
def _template() -> Template:
    return template(
        "class_page.html.j2",
        number=lambda value: "–" if value is None else f"{value:.4g}",
        cents=lambda value: "–" if value is None else f"{value:.2f}",
        aligned=lambda value, places: f"{value:.{places}f}",
        percent=lambda value: "–" if value is None else f"{value:.0%}",
        signed=lambda value: "–" if value is None else f"{value:.2f}".replace("-", "−"),
        difference=_difference,
        quoted=lambda name: quote(csv_tables.unguarded(name)),  # `safe` puts one before what a spreadsheet would run
    )
