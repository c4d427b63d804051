"""A page for each student and lesson: points as the gradebook has them, what did not pass and why, and what people wrote about it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from jinja2 import Template

from autograde.checking.manifest import read_manifest
from autograde.checking.result import Outcome, Result, tell
from autograde.checking.status import UNWRITTEN, ExerciseStatus
from autograde.files import write
from autograde.grader.gradebook.standing import Entry, Standing
from autograde.grader.pages.template import template
from autograde.grader.results.bare import bare
from autograde.grader.results.model import Graded, Picture
from autograde.grader.sandbox.bounded import TooMuch, bounded
from autograde.wording import counted

WORDS = {
    ExerciseStatus.PASSED: "all checks passed",
    ExerciseStatus.PARTIAL: "some checks passed",
    ExerciseStatus.FAILED: "no check passed",
    ExerciseStatus.ERROR: "stopped with an error",
    ExerciseStatus.TIMEOUT: "did not finish in time",
    ExerciseStatus.MISSING: "not found",
    ExerciseStatus.NOT_ATTEMPTED: "not written yet",
}
PASSED, TRIED, UNTRIED = "passed", "tried", "untried"
DAY, HOUR, MINUTE = 86400, 3600, 60
LONG = 60  # characters: a reason up to here is told again
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Told:
    """One test, or one on several inputs of which it says the same; `why` it did not pass."""

    outcome: Outcome
    times: int
    why: str


@dataclass(frozen=True)
class Row:
    """One exercise on the page: its result, and what the gradebook says of it where there is one."""

    result: Result
    entry: Entry | None
    answer: str

    @property
    def score(self) -> float:
        return self.entry.score if self.entry else self.result.score

    @property
    def kind(self) -> str:
        if self.result.status == ExerciseStatus.PASSED:
            return PASSED
        return UNTRIED if self.result.status in UNWRITTEN else TRIED

    @property
    def comment(self) -> str:
        return self.entry.comment if self.entry else ""

    @property
    def to_show(self) -> bool:
        """Whether there is more to say than a line, and what stands below it of an answer that passes."""
        return self.kind == TRIED or bool(self.comment) or bool(self.entry and self.entry.changed)

    @property
    def failures(self) -> list[Told]:
        return _told([o for o in self.result.outcomes if not o.passed])

    @property
    def passes(self) -> list[Told]:
        return _told([o for o in self.result.outcomes if o.passed])

    @property
    def why(self) -> str:
        if self.kind == UNTRIED:
            return ""
        return self.result.diagnosis or (self.result.message if not self.result.outcomes else "")


@dataclass(frozen=True)
class Written:
    """A written answer on the page."""

    entry: Entry
    answer: str
    pictures: list[Picture] = field(default_factory=list)


def save(graded: Graded, folder: Path, standing: Standing | None = None, name: str = "") -> Path:
    """Write `feedback/<student>/<lesson>.html` under `folder`; without the student's words where showing them takes too much.

    `name` is the roster's, for who has no `standing`.
    """
    path = path_of(folder, graded.student, graded.lesson)
    try:
        html = page(graded, standing, name)
    except TooMuch as error:
        log.warning("%s, lesson %s: the page shows nothing of theirs: %s", graded.student, graded.lesson, error)
        html = page(bare(graded), standing, name, unshown=str(error))
    write(path, html.encode())
    return path


def path_of(folder: Path, student: str, lesson: str) -> Path:
    """Where a student's page lies in a results folder."""
    return folder / "feedback" / student / f"{lesson}.html"


@bounded()
def page(graded: Graded, standing: Standing | None = None, name: str = "", unshown: str = "") -> str:
    """The page: self-contained, readable without a server, and without any hidden test's values.

    With the gradebook's `standing` the points are those that every export tells; without, those of the checks alone. `unshown` says why answers
    and messages are not there.
    """
    known = read_manifest(graded.lesson)
    answers, pictures = graded.answers(), graded.pictures()
    rows = [Row(r, standing.entry(r.exercise) if standing else None, answers.get(r.exercise, "")) for r in graded.results]
    stretch = {name for name, exercise in known["exercises"].items() if exercise["stretch"]}
    counted = [row for row in rows if row.result.exercise not in stretch]
    return _template().render(
        graded=graded,
        title=known["title"],
        standing=standing,
        name=(standing.name if standing else "") or name,
        unshown=unshown,
        counted=_sorted(counted),
        stretch=_sorted([row for row in rows if row.result.exercise in stretch]),
        written=[Written(entry, answers.get(entry.name, ""), pictures.get(entry.name, [])) for entry in standing.written]
        if standing
        else [],
        words=WORDS,
        late=duration(standing.late) if standing and standing.late else "",
    )


def duration(seconds: float) -> str:
    """`2 days 3 hours`: the two largest parts, at least one minute."""
    days, rest = divmod(round(max(seconds, MINUTE)), DAY)
    hours, rest = divmod(rest, HOUR)
    parts = [(days, "day"), (hours, "hour"), (rest // MINUTE, "minute")]
    return " ".join(counted(n, word) for n, word in [part for part in parts if part[0]][:2])


def _sorted(rows: list[Row]) -> list[Row]:
    """What needs a look first, each kind in the lesson's order."""
    order = (TRIED, UNTRIED, PASSED)
    return sorted(rows, key=lambda row: order.index(row.kind))


def _told(outcomes: list[Outcome]) -> list[Told]:
    """One test on several inputs is one line, where it says the same of each; a long reason stands once in an exercise."""
    same = [list(group) for _, group in groupby(outcomes, key=lambda o: (o.title, o.passed, o.hidden or _why(o)))]
    told: list[Told] = []
    for group in same:
        why = _why(group[0])
        again = len(why) > LONG and any(one.why == why for one in told)
        told.append(Told(group[0], len(group), "The same as above." if again else why))
    return told


def _why(outcome: Outcome) -> str:
    """Of a hidden test only what does not give its input away."""
    if outcome.passed:
        return ""
    return outcome.message if outcome.hidden else tell(outcome)


@lru_cache
def _template() -> Template:
    return template("feedback.html.j2", points=lambda value: f"{value:g}".replace("-", "−"))
