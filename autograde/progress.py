"""How far a student is, from what checks said last: in notebooks as they were saved, or in a notebook's session.

The scoreboard, `autograde progress` and its page show what stands here, in these words. Nothing is run, and torch is not imported.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from autograde import layout
from autograde.checking.answers import RESULT_MIME as MIME
from autograde.checking.answers import STUB, answer_cells, digest
from autograde.checking.cells import noted
from autograde.checking.errors import UserError
from autograde.checking.manifest import read_manifest
from autograde.checking.status import ExerciseStatus
from autograde.wording import counted

PLANNED = re.compile(r"\|\s*`(\w+)`[^|\n]*\|\s*[●○]+\s*\|\s*(\d+)\s*\|")
UNANSWERED = "YOUR ANSWER HERE"
HEADS = ("Exercise", "State", "Points", "Minutes")
STATES = {  # the sign, the words, what to do next
    "passed": ("✓", "passed", ""),
    "tried": ("✗", "does not pass yet", "read what the check of `{}` says, and change the answer"),
    "changed": ("↻", "changed since its check", "run the check of `{}` again: its answer is another now"),
    "waiting": ("…", "waits for {}", "fix what `{}` builds on; its check names it"),
    "not checked": ("?", "check not run yet", "run the check of `{}`"),
    "not begun": ("·", "not written yet", "write `{}`, then run its check"),
}
LAST_STEP = "answer the written question, save the notebook, and hand it in"


@dataclass(frozen=True)
class Standing:
    """One exercise: `state` is passed, tried, waiting (for an earlier answer), changed (since its check), not checked or not begun."""

    exercise: str
    state: str
    score: float
    points: float
    minutes: int = 0  # that the lesson plans for it; 0 where it says nothing
    waits_for: tuple[str, ...] = ()

    @property
    def minutes_left(self) -> int:
        """What the lesson plans for it, while it has points and does not pass."""
        return self.minutes if self.points and self.state != "passed" else 0

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """Its row below `HEADS`."""
        sign, words, _ = STATES[self.state]
        points = f"{self.score:g} / {self.points:g}" if self.points else "stretch"
        return self.exercise, f"{sign} {words.format(', '.join(self.waits_for))}", points, str(self.minutes_left or "")


@dataclass(frozen=True)
class Progress:
    """One lesson; `trouble` says why its notebook could not be read, `written` whether the written question has an answer (None: not known)."""

    name: str
    path: Path | None  # None in the notebook itself
    standings: list[Standing] = field(default_factory=list)
    trouble: str = ""
    title: str = ""
    written: bool | None = False
    older: bool = False  # there is another copy of this lesson, which counts

    @property
    def score(self) -> float:
        return sum(s.score for s in self.standings)

    @property
    def points(self) -> float:
        return sum(s.points for s in self.standings)

    @property
    def begun(self) -> bool:
        return any(s.state != "not begun" for s in self.standings)

    @property
    def minutes_left(self) -> int:
        """What the lesson plans for the exercises with points that do not pass yet."""
        return sum(s.minutes_left for s in self.standings)

    @property
    def milestones(self) -> dict[str, bool]:
        """The steps of a lesson, in order, and which of them are done."""
        counted = [s for s in self.standings if s.points]
        passed = sum(s.state == "passed" for s in counted)
        done = {
            "begun": self.begun, "half of the exercises": bool(counted) and 2 * passed >= len(counted),
            "all exercises": bool(counted) and passed == len(counted),
        }  # fmt: skip
        return done if self.written is None else {**done, "written answer": self.written}

    @property
    def next_step(self) -> str | None:
        """What to do for the first exercise with points that does not pass, then for the written question."""
        if self.trouble:
            return None
        place = f"in {from_here(self.path)}, " if self.path else ""
        left = next((s for s in self.standings if s.state != "passed" and s.points), None)
        if left:
            return f"{place}{STATES[left.state][2].format(left.exercise)}."
        return None if self.written else f"{place}{LAST_STEP}."


def from_here(path: Path) -> Path:
    """The path as one would type it in this folder."""
    try:
        return path.resolve().relative_to(Path.cwd())
    except (ValueError, OSError):  # elsewhere; or this folder is gone
        return path


def other_copy(lesson: Progress) -> str:
    """What is said of a copy that does not count."""
    return f"{lesson.path and from_here(lesson.path)}: {lesson.score:g} of {lesson.points:g} points; another copy of this lesson counts."


def steps(lesson: Progress) -> str:
    """The milestones in one line."""
    return "   ".join(f"{'✓' if done else '·'} {name}" for name, done in lesson.milestones.items())


def next_step(lessons: Sequence[Progress]) -> str:
    """What to do next, in a lesson that is begun before others; where nothing is left, that."""
    found = (lesson.next_step for lesson in sorted(lessons, key=lambda lesson: not lesson.begun) if not lesson.older)
    return next(filter(None, found), "Nothing is left: hand in what you have not handed in yet.")


def total(lessons: Sequence[Progress]) -> str:
    """Points, time, and what waits for an earlier answer, by the rule of the grader."""
    standings = [s for lesson in lessons if not lesson.older for s in lesson.standings]
    score, points, minutes = (sum(getattr(s, field) for s in standings) for field in ("score", "points", "minutes_left"))
    waiting = sum(s.points - s.score for s in standings if s.state == "waiting")
    names = dict.fromkeys(name for s in standings if s.state == "waiting" for name in s.waits_for)
    return (
        f"{score:g} of {points:g} points by the public checks"
        + (f" · about {duration(minutes)} of exercises left. " if minutes else ". ")
        + (f"{waiting:g} more wait for {', '.join(names)}: graded with a right answer there, they count in full. " if waiting else "")
        + "Hidden checks and the written answers come with grading."
    )


def duration(minutes: int) -> str:
    """`45 minutes`, `2 h 05`."""
    return counted(minutes, "minute") if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def read_all(paths: Sequence[Path]) -> list[Progress]:
    """The lessons found in notebooks and folders, in order. Of copies of one lesson the one that is begun and was saved last counts.

    Raises:
        UserError: when there is none.
    """
    found = [read(path, name) for path in _notebooks(paths) if (name := _lesson_of(path))]
    if not found:
        wanted = ", ".join(f"{name}.ipynb" for name in layout.lesson_names()) or "(none; is this the course's folder?)"
        raise UserError(f"no lesson's notebook in {', '.join(map(str, paths))}; they are called {wanted}")
    counts = {progress.name: progress for progress in sorted(found, key=lambda progress: (progress.begun, _saved(progress.path)))}
    marked = [replace(progress, older=progress is not counts[progress.name]) for progress in found]
    return sorted(marked, key=lambda progress: (progress.name, progress.older, str(progress.path)))


def _saved(path: Path | None) -> float:
    try:
        return path.stat().st_mtime if path else 0.0
    except OSError:
        return 0.0


def read(path: Path, name: str) -> Progress:
    """One notebook of the lesson `name`, as it was last saved."""
    manifest = read_manifest(name)
    exercises, title = manifest["exercises"], manifest["title"]
    try:
        everything = json.loads(path.read_text(encoding="utf-8"))["cells"]
        cells = [cell for cell in everything if cell.get("cell_type") == "code"]
        said, written = _said(cells), _written(cells, exercises)
        words = [cell for cell in everything if cell.get("cell_type") == "markdown"]
        minutes, answered = _minutes(words), _answered(words)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        unknown = [Standing(exercise, "not begun", 0.0, e["points"]) for exercise, e in exercises.items()]
        return Progress(name, path, unknown, f"this is no notebook that can be read ({type(error).__name__})", title)
    return Progress(name, path, _standings(exercises, said, written, minutes), "", title, answered)


def of_session(name: str, said: Mapping[str, Mapping[str, Any]], answers: Mapping[str, str]) -> Progress:
    """The lesson in a notebook's session: what each check said last, and the answers' code as it ran last."""
    manifest = read_manifest(name)
    try:
        cells = json.loads((layout.NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
        minutes = _minutes([cell for cell in cells if cell.get("cell_type") == "markdown"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # the course without its notebooks, or a damaged one
        minutes = {}
    return Progress(name, None, _standings(manifest["exercises"], said, answers, minutes), "", manifest["title"], None)


def _standings(
    exercises: Mapping[str, Any], said: Mapping[str, Mapping[str, Any]], answers: Mapping[str, str], minutes: Mapping[str, int]
) -> list[Standing]:
    found = [_standing(name, e["points"], said.get(name), answers.get(name)) for name, e in exercises.items()]
    return [replace(s, minutes=minutes.get(s.exercise, 0)) for s in found]


def _minutes(cells: Sequence[dict[str, Any]]) -> dict[str, int]:
    """exercise → the minutes that the lesson's table of exercises plans."""
    text = "\n".join("".join(cell.get("source", "")) for cell in cells)
    return {name: int(minutes) for name, minutes in PLANNED.findall(text)}


def _answered(cells: Sequence[dict[str, Any]]) -> bool:
    """Whether every question's cell holds something else than what it was handed out with."""
    questions = [c for c in cells if noted(c).get("grade")]
    texts = ["".join(cell.get("source", "")) for cell in questions]
    return bool(texts) and all(text.strip() and UNANSWERED not in text for text in texts)


def _standing(exercise: str, points: float, said: Mapping[str, Any] | None, answer: str | None) -> Standing:
    """`answer` is its cell's code; None where there is none, or where it is not known."""
    if said is None or said["status"] == ExerciseStatus.NOT_ATTEMPTED:
        return Standing(exercise, "not begun" if answer is None or STUB in answer else "not checked", 0.0, points)
    if answer is not None and said["answer"] and said["answer"] != digest(answer):
        return Standing(exercise, "changed", 0.0, points)
    waits_for = tuple(map(str, said["waits_for"]))
    state = "passed" if said["status"] == ExerciseStatus.PASSED else "waiting" if waits_for else "tried"
    return Standing(exercise, state, min(float(said["score"]), points), points, waits_for=waits_for)


def _notebooks(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(path.glob("*.ipynb")) if path.is_dir() else [path]


def _lesson_of(path: Path) -> str | None:
    """Also of a copy such as `03_self_attention (1).ipynb`."""
    return next((name for name in layout.lesson_names() if path.stem.startswith(name)), None)


def _said(cells: Sequence[dict[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """exercise → the last result that a check left in its output, as data."""
    found: dict[str, tuple[int, Mapping[str, Any]]] = {}
    for cell in cells:
        ran = cell.get("execution_count") or 0
        for output in cell.get("outputs", []):
            said = output.get("data", {}).get(MIME)
            if said and ran >= found.get(said["exercise"], (0, {}))[0]:
                found[said["exercise"]] = ran, said
    return {exercise: said for exercise, (_, said) in found.items()}


def _written(cells: Sequence[dict[str, Any]], exercises: Collection[str]) -> dict[str, str]:
    """exercise → its cell's code."""
    return answer_cells(["".join(cell.get("source", "")) for cell in cells], exercises)
