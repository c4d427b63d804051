"""Gradescope's `results.json`: one test case an exercise, with its points and what a student may read about it."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograde.checking.errors import UserError
from autograde.checking.report import SIGNS, headline, shown
from autograde.checking.result import Outcome, Result, tell
from autograde.exports.visibility import Visibility
from autograde.files import write

if TYPE_CHECKING:  # it brings nbgrader, which is not there on Gradescope
    from autograde.exports.marks import Mark, Marks

LONGEST = 20_000  # characters of one test case's output
HIDDEN_ON = "Hidden checks are named only: try your function on inputs of your own."


def document(
    tests: Sequence[dict[str, Any]], output: str, visibility: Visibility = Visibility.visible, seconds: float = 0.0
) -> dict[str, Any]:
    """The whole file as a dictionary; its score is the sum of the tests' scores, to a hundredth. `seconds`: how long it took."""
    return {
        "score": round(sum(test["score"] for test in tests), 2),
        "output": plain(output),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": visibility.value,
        "stdout_visibility": "hidden",
        "execution_time": round(seconds),
        "tests": list(tests),
    }


def save(content: dict[str, Any], path: Path) -> None:
    """Write it at once: whoever looks sees the old file or the new one, whole."""
    write(path, (json.dumps(content, ensure_ascii=True, allow_nan=False, indent=1) + "\n").encode())


def case(name: str, score: float, max_score: float, status: str, output: str) -> dict[str, Any]:
    """One test case. Its text is plain text: nothing in it is markup to Gradescope."""
    return {
        "name": plain(name),
        "score": round(float(score), 2),
        "max_score": float(max_score),
        "status": "passed" if status == "passed" else "failed",
        "output": plain(output),
    }


def cases(results: Sequence[Result]) -> list[dict[str, Any]]:
    """The exercises that carry points."""
    return [case(r.exercise, r.score, r.points, r.status, explain(r)) for r in results if r.points]


def explain(result: Result) -> str:
    """The report that a student reads; of a hidden check its title alone, since one may hand in again and again."""
    lines = [headline(result)] if result.outcomes or not result.diagnosis else []  # not `0 of 0 checks`
    lines += [f"→ {result.diagnosis}"] if result.diagnosis else []
    lines += [_line(outcome) for outcome in shown(result)]
    if any(o.hidden and not o.passed for o in shown(result)):
        lines.append(HIDDEN_ON)
    return "\n".join(lines)


def _line(outcome: Outcome) -> str:
    sign = SIGNS.get(outcome.status, "✗")
    if outcome.passed or outcome.hidden:
        return f"{sign} {outcome.title}" + (" (hidden check)" if outcome.hidden else "")
    return f"{sign} {outcome.title}\n    {tell(outcome)}"


def plain(text: str) -> str:
    """Untrusted text without control characters, and not endless."""
    kept = "".join(c for c in text if c.isprintable() or c == "\n")
    return kept if len(kept) <= LONGEST else kept[:LONGEST] + " …"


def export(marks: Marks, folder: Path, out: Path, visibility: Visibility = Visibility.visible) -> list[Path]:
    """Write `<lesson>/<student>/results.json` under `out` for every submission that is graded already.

    Raises:
        UserError: when a student's name cannot be a folder's.
    """
    told = _messages(folder / "exercises.csv")
    written = []
    for mark in marks.by_key.values():
        if Path(mark.student).name != mark.student:
            raise UserError(f"a student is called {mark.student!r}, which cannot be a folder's name")
        if mark.score is not None:
            path = out / mark.lesson / mark.student / "results.json"
            save(_from_mark(mark, told, visibility), path)
            written.append(path)
    return written


def _from_mark(mark: Mark, told: dict[tuple[str, str, str], str], visibility: Visibility) -> dict[str, Any]:
    tests = []
    for part in mark.parts:
        status = "passed" if part.score >= part.max_score else "failed"
        tests.append(case(part.name, part.score, part.max_score, status, told.get((mark.student, mark.lesson, part.name), "")))
    content = document(tests, "A written answer still waits for its points." if mark.waiting else "", visibility)
    return {**content, "score": mark.score}  # late penalties are taken off


def _messages(table: Path) -> dict[tuple[str, str, str], str]:
    if not table.is_file():
        return {}
    with table.open(newline="", encoding="utf-8") as stream:
        return {(row["student_id"], row["assignment"], row["exercise"]): row["message"] for row in csv.DictReader(stream)}
