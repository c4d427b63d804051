"""Another term beside this one: what share of its points each exercise earned then and now, and the medians, with how many handed in.

Of the other term only numbers about all of it are kept, in this term's folder, so that the old folder can be deleted when rules say so.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from autograde.checking.errors import UserError
from autograde.checking.status import SubmissionStatus
from autograde.files import write
from autograde.grader.gradebook import roster
from autograde.grader.gradebook.standing import Standing, under_one_id
from autograde.grader.pages.as_recorded import WAITING, Table, as_recorded
from autograde.grader.results import csv_tables

Row = Mapping[str, str]
FILE = "other_term.json"  # in a results folder
NONE = "none"  # instead of a folder: compare with nothing any more


@dataclass(frozen=True)
class Solved:
    """One exercise or written question in one term: what it was worth, and the share of that, 0 to 1, which all who handed in earned together.

    The share is None while an answer waits for a person.
    """

    points: float
    share: float | None


@dataclass(frozen=True)
class Lesson:
    """One lesson in one term; `median` is a share of its points, with what people gave and what being late cost, without what is `waiting`;
    `by_checks` is the same without all that is written, None in a file that was kept before there was one."""

    handed_in: int
    median: float
    exercises: dict[str, Solved]
    by_checks: float | None = None

    @property
    def waiting(self) -> list[str]:
        """The written questions of which answers wait for a person."""
        return [name for name, solved in self.exercises.items() if solved.share is None]


@dataclass(frozen=True)
class Term:
    """One term; only lessons that somebody handed in."""

    name: str
    lessons: dict[str, Lesson]


@dataclass(frozen=True)
class Beside:
    """A lesson in both terms; each pair is (now, then)."""

    now: Lesson
    then: Lesson

    @property
    def exercises(self) -> list[tuple[str, Solved | None, Solved | None]]:
        """In the order of this term, then those that it has no more."""
        names = dict.fromkeys([*self.now.exercises, *self.then.exercises])
        return [(name, self.now.exercises.get(name), self.then.exercises.get(name)) for name in names]

    @property
    def medians(self) -> tuple[float, float]:
        """Of the same kind: where answers wait in one term, without what is written in both."""
        if (self.now.waiting or self.then.waiting) and self.now.by_checks is not None and self.then.by_checks is not None:
            return self.now.by_checks, self.then.by_checks
        return self.now.median, self.then.median

    @property
    def chance(self) -> float:
        """How far shares of two classes of these sizes may lie apart by chance: two standard errors, where points vary as much as they can."""
        return min(1.0, math.sqrt(1 / self.now.handed_in + 1 / self.then.handed_in))


def of_tables(name: str, grades: Table, exercises: Table) -> Term:
    """A term from the rows of `grades.csv` and `exercises.csv`, as recorded in its gradebook."""
    there: dict[str, dict[str, Row]] = {}
    for row in grades:
        if row["status"] == SubmissionStatus.GRADED:
            there.setdefault(row["assignment"], {})[row["student_id"]] = row
    return Term(name, {lesson: _lesson(totals, [e for e in exercises if e["assignment"] == lesson]) for lesson, totals in there.items()})


def beside(now: Term, then: Term) -> dict[str, Beside]:
    """The lessons of both terms."""
    return {lesson: Beside(known, then.lessons[lesson]) for lesson, known in now.lessons.items() if lesson in then.lessons}


def keep(folder: Path, other: str, recorded: Callable[[Path], Iterable[Standing]]) -> None:
    """Keep the numbers of another term's folder in this one, whose class page then shows them; with NONE forget them.

    `recorded` reads what the gradebook in that folder says.

    Raises:
        UserError: when nothing was graded there.
    """
    if other == NONE:
        (folder / FILE).unlink(missing_ok=True)
        return
    place = Path(other).expanduser()
    if not (place / "grades.csv").is_file() or not (place / "exercises.csv").is_file():
        raise UserError(
            f"{other} holds no grades to compare with (grades.csv and exercises.csv): name the folder of a term that was graded"
        )
    if place.resolve() == folder.resolve():
        raise UserError(f"{other} is this term's own folder: name that of another term")
    grades, exercises = csv_tables.rows(place / "grades.csv"), csv_tables.rows(place / "exercises.csv")
    term = of_tables(place.resolve().name, *as_recorded(grades, exercises, under_one_id(recorded(place), roster.first_ids(place))))
    write(folder / FILE, (json.dumps(asdict(term), indent=1) + "\n").encode())


def read(folder: Path) -> Term | None:
    """The term that `keep` kept; None where there is none, or its file is damaged."""
    try:
        said = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return Term(str(said["name"]), {lesson: _read_lesson(known) for lesson, known in said["lessons"].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _lesson(totals: Mapping[str, Row], rows: Table) -> Lesson:
    """`totals` are the rows of those who handed in; who has no row of an exercise earned nothing of it."""
    earned: dict[str, list[float]] = {}
    points: dict[str, float] = {}
    waiting = {row["exercise"] for row in rows if row["status"] == WAITING and row["student_id"] in totals}
    for row in rows:
        if row["student_id"] in totals and float(row["max_score"]):
            earned.setdefault(row["exercise"], []).append(_share(row))
            points[row["exercise"]] = float(row["max_score"])
    shares = {name: None if name in waiting else sum(got) / len(totals) for name, got in earned.items()}
    written = {row["exercise"] for row in rows if row.get("written")}
    solved = {name: Solved(points[name], share) for name, share in shares.items()}
    return Lesson(len(totals), _median(totals, rows, waiting), solved, _median(totals, rows, written))


def _median(totals: Mapping[str, Row], rows: Table, without: Collection[str]) -> float:
    """Of the students' shares of the points, but for those of some exercises."""
    return median(_share(row, [r for r in rows if r["exercise"] in without and r["student_id"] == who]) for who, row in totals.items())


def _read_lesson(known: Mapping) -> Lesson:
    exercises = {
        name: Solved(float(e["points"]), None if e["share"] is None else float(e["share"])) for name, e in known["exercises"].items()
    }
    by_checks = known.get("by_checks")
    return Lesson(max(1, int(known["handed_in"])), float(known["median"]), exercises, None if by_checks is None else float(by_checks))


def _share(row: Row, without: Table = ()) -> float:
    """What was earned of a row's points, 0 to 1; of a sum also without the rows that are a part of it."""
    score, worth = (float(row[column]) - sum(float(part[column]) for part in without) for column in ("score", "max_score"))
    return min(max(score / worth, 0.0), 1.0) if worth else 0.0
