"""How far a student is, from what the check cells of their notebooks said last. Nothing is run, and torch is not imported."""

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
from autograde.checking.status import ExerciseStatus

PLANNED = re.compile(r"\|\s*`(\w+)`[^|\n]*\|\s*[●○]+\s*\|\s*(\d+)\s*\|")
UNANSWERED = "YOUR ANSWER HERE"
ADVICE = {
    "tried": "read what the check of `{}` says, and change the answer",
    "changed": "run the check of `{}` again: its answer is another now",
    "waiting": "fix what `{}` builds on; its check names it",
    "not checked": "run the check of `{}`",
    "not begun": "write `{}`",
}


@dataclass(frozen=True)
class Standing:
    """One exercise: `state` is passed, tried, waiting (for an earlier answer), changed (since its check), not checked or not begun."""

    exercise: str
    state: str
    score: float
    points: float
    minutes: int = 0  # that the lesson plans for it; 0 where it says nothing


@dataclass(frozen=True)
class Progress:
    """One lesson's notebook; `trouble` says why it could not be read, `written` whether the written question has an answer."""

    name: str
    path: Path
    standings: list[Standing] = field(default_factory=list)
    trouble: str = ""
    title: str = ""
    written: bool = False

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
        return sum(s.minutes for s in self.standings if s.points and s.state != "passed")

    @property
    def milestones(self) -> dict[str, bool]:
        """The steps of a lesson, in order, and which of them are done."""
        counted = [s for s in self.standings if s.points]
        passed = sum(s.state == "passed" for s in counted)
        return {
            "begun": self.begun, "half of the exercises": bool(counted) and 2 * passed >= len(counted),
            "all exercises": bool(counted) and passed == len(counted), "written answer": self.written,
        }  # fmt: skip

    @property
    def next_step(self) -> str | None:
        """What to do for the first exercise with points that does not pass, then for the written question."""
        if self.trouble:
            return None
        left = next((s for s in self.standings if s.state != "passed" and s.points), None)
        if left:
            return f"in {self.path}, {ADVICE[left.state].format(left.exercise)}."
        return None if self.written else f"in {self.path}, answer the written question."


def read_all(paths: Sequence[Path]) -> list[Progress]:
    """The lessons found in notebooks and folders, in order.

    Raises:
        UserError: when there is none.
    """
    found = [read(path, name) for path in _notebooks(paths) if (name := _lesson_of(path))]
    if not found:
        wanted = ", ".join(f"{name}.ipynb" for name in layout.lesson_names()) or "(none; is this the course's folder?)"
        raise UserError(f"no lesson's notebook in {', '.join(map(str, paths))}; they are called {wanted}")
    return sorted(found, key=lambda progress: (progress.name, str(progress.path)))


def read(path: Path, name: str) -> Progress:
    """One notebook of the lesson `name`, as it was last saved."""
    manifest = json.loads(layout.manifest_path(name).read_text(encoding="utf-8"))
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
    standings = [_standing(exercise, e["points"], said.get(exercise), written.get(exercise)) for exercise, e in exercises.items()]
    return Progress(name, path, [replace(s, minutes=minutes.get(s.exercise, 0)) for s in standings], "", title, answered)


def _minutes(cells: Sequence[dict[str, Any]]) -> dict[str, int]:
    """exercise → the minutes that the lesson's table of exercises plans."""
    text = "\n".join("".join(cell.get("source", "")) for cell in cells)
    return {name: int(minutes) for name, minutes in PLANNED.findall(text)}


def _answered(cells: Sequence[dict[str, Any]]) -> bool:
    """Whether every question's cell holds something else than what it was handed out with."""
    questions = [c for c in cells if noted(c).get("grade")]
    texts = ["".join(cell.get("source", "")) for cell in questions]
    return bool(texts) and all(text.strip() and UNANSWERED not in text for text in texts)


def _standing(exercise: str, points: float, said: Mapping[str, Any] | None, written: str | None) -> Standing:
    if said is None or said["status"] == ExerciseStatus.NOT_ATTEMPTED:
        return Standing(exercise, "not begun" if written is None else "not checked", 0.0, points)
    if written is not None and said["answer"] and said["answer"] != digest(written):
        return Standing(exercise, "changed", 0.0, points)
    state = "passed" if said["status"] == ExerciseStatus.PASSED else "waiting" if said["waits_for"] else "tried"
    return Standing(exercise, state, min(float(said["score"]), points), points)


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
    """exercise → its cell's code, for answers that are no longer as they were handed out."""
    answers = answer_cells(["".join(cell.get("source", "")) for cell in cells], exercises)
    return {name: code for name, code in answers.items() if STUB not in code}
