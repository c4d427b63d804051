"""Whose points are others than before: what a corrected test, a new submission or a due date that was moved did to the class."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from autograde.grader.results import csv_tables
from autograde.wording import counted

MOST_TOLD = 10  # submissions
Points = dict[tuple[str, str], float]  # of a student and a lesson


def points(out: Path) -> Points:
    """What the table of a results folder says now; nothing where there is none yet."""
    try:
        rows = csv_tables.rows(out / "grades.csv")
        return {(csv_tables.unguarded(row["student_id"]), row["assignment"]): float(row["score"]) for row in rows if row["score"]}
    except (OSError, ValueError, KeyError):  # none, or one that somebody edited
        return {}


def told(before: Mapping[tuple[str, str], float], after: Mapping[tuple[str, str], float]) -> list[str]:
    """A line on each submission that had points before and has others now."""
    changed = sorted(key for key in before.keys() & after.keys() if before[key] != after[key])
    return [
        f"{student}, lesson {lesson[:2]}: {before[student, lesson]:g} → {after[student, lesson]:g} points" for student, lesson in changed
    ]


def shortened(lines: list[str]) -> list[str]:
    """The lines as a terminal shows them, under a heading."""
    if not lines:
        return []
    head = f"{counted(len(lines), 'submission')} {'has' if len(lines) == 1 else 'have'} other points than before:"
    rest = [f"… and {len(lines) - MOST_TOLD} more, in grader.log"] if len(lines) > MOST_TOLD else []
    return ["\n  ".join([head, *lines[:MOST_TOLD], *rest])]
