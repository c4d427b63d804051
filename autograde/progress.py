"""How far a student is, from what the check cells of their notebooks said last. Nothing is run, and torch is not imported."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograde import layout
from autograde.checking.errors import UserError

# the first line of `autograde.checking.report.Report`, as a notebook keeps it
HEADLINE = re.compile(
    r"^(?P<sign>[✓✗·]) (?P<exercise>\w+): [^·\n]*?(?: · (?P<score>[\d.e+-]+) of (?P<points>[\d.e+-]+) points| · (?:no points|ungraded)[^\n]*)?$",
    re.MULTILINE,
)
ADVICE = {
    "tried": "read what the check of `{}` says, and change the answer",
    "changed": "run the check of `{}` again: its answer ran after it",
    "not checked": "run the check of `{}`",
    "not begun": "write `{}`",
}


@dataclass(frozen=True)
class Standing:
    """One exercise: `state` is passed, tried, changed (since its check), not checked or not begun."""

    exercise: str
    state: str
    score: float
    points: float


@dataclass(frozen=True)
class Progress:
    """One lesson's notebook; `trouble` says why it could not be read."""

    name: str
    path: Path
    standings: list[Standing] = field(default_factory=list)
    trouble: str = ""

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
    def next_step(self) -> str | None:
        """What to do for the first exercise with points that does not pass."""
        left = next((s for s in self.standings if s.state != "passed" and s.points), None)
        return f"in {self.path}, {ADVICE[left.state].format(left.exercise)}." if left and not self.trouble else None


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
    exercises = json.loads(layout.manifest_path(name).read_text(encoding="utf-8"))["exercises"]
    try:
        cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell.get("cell_type") == "code"]
        said, written = _said(cells), _written(cells)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        unknown = [Standing(exercise, "not begun", 0.0, e["points"]) for exercise, e in exercises.items()]
        return Progress(name, path, unknown, f"this is no notebook that can be read ({type(error).__name__})")
    standings = [_standing(exercise, e["points"], said.get(exercise), written.get(exercise)) for exercise, e in exercises.items()]
    return Progress(name, path, standings)


def _standing(exercise: str, points: float, said: tuple[str, float, int] | None, written: int | None) -> Standing:
    if said is None or said[0] == "·":
        return Standing(exercise, "not begun" if written is None else "not checked", 0.0, points)
    sign, score, ran = said
    if written is not None and written > ran:
        return Standing(exercise, "changed", 0.0, points)
    return Standing(exercise, "passed" if sign == "✓" else "tried", min(score, points), points)


def _notebooks(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(path.glob("*.ipynb")) if path.is_dir() else [path]


def _lesson_of(path: Path) -> str | None:
    """Also of a copy such as `03_self_attention (1).ipynb`."""
    return next((name for name in layout.lesson_names() if path.stem.startswith(name)), None)


def _said(cells: Sequence[dict[str, Any]]) -> dict[str, tuple[str, float, int]]:
    """exercise → (sign, score, when it ran): the last thing that was said of it."""
    found: dict[str, tuple[str, float, int]] = {}
    for cell in cells:
        ran = cell.get("execution_count") or 0
        for output in cell.get("outputs", []):
            text = "".join(output.get("data", {}).get("text/plain", ""))
            line = HEADLINE.match(text)
            if line and ran >= found.get(line["exercise"], ("", 0.0, 0))[2]:
                found[line["exercise"]] = (line["sign"], float(line["score"] or 0), ran)
    return found


def _written(cells: Sequence[dict[str, Any]]) -> dict[str, int]:
    """exercise → when its cell ran last, for answers that are no longer as they were handed out."""
    found: dict[str, int] = {}
    for cell in cells:
        source = "".join(cell.get("source", ""))
        if "raise NotImplementedError" not in source:
            found |= {name: cell.get("execution_count") or 0 for name in _defined(source)}
    return found


def _defined(source: str) -> list[str]:
    """Top-level functions and classes; of code that does not parse yet, by how its lines begin."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return re.findall(r"^(?:def|class) (\w+)", source, re.MULTILINE)
    return [node.name for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef))]
