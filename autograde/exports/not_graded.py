"""Who handed in something that could not be graded: before their 0 goes to another system, somebody should know of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from autograde.checking.status import SubmissionStatus
from autograde.grader.results import csv_tables
from autograde.wording import counted

INSTEAD = "no notebook of this lesson was handed in"  # with what lies there instead, as `exercises.csv` says it
UNREADABLE = "{who} handed in a file that cannot be read, and {have} a 0: class.html says why"
OTHERS = "{who} handed in something else than a notebook, and {have} a 0 by --zeros: class.html says what"
MOST_TOLD = 10


def told(folder: Path, lessons: list[str], zeros: bool) -> list[str]:
    """A line on those whose file cannot be read, and with `zeros` on those who handed in a PDF, say."""
    unreadable = _some(_rows(folder / "grades.csv", lessons), lambda row: row.get("status") == SubmissionStatus.UNREADABLE and _is_0(row))
    others = _some(_rows(folder / "exercises.csv", lessons), lambda row: zeros and row["message"].startswith(INSTEAD))
    return [
        words.format(who=", ".join(who[:MOST_TOLD]) + more, have="has" if len(who) == 1 else "have")
        for words, (who, more) in ((UNREADABLE, unreadable), (OTHERS, others))
        if who
    ]


def _rows(table: Path, lessons: list[str]) -> list[dict[str, str]]:
    """Nothing of a table that is not as `grade` writes it, such as nbgrader's of the same name."""
    try:
        return [row for row in csv_tables.rows(table) if row["assignment"] in lessons]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _is_0(row: dict[str, str]) -> bool:
    return not float(row["score"] or 0)


def _some(rows: list[dict[str, str]], told: Callable[[dict[str, str]], bool]) -> tuple[list[str], str]:
    """Students with the number of the lesson, and how many more there are than are told."""
    found = list(dict.fromkeys(f"{row['student_id']} ({row['assignment'][:2]})" for row in rows if told(row)))
    return found, f" and {counted(len(found) - MOST_TOLD, 'other')}" if len(found) > MOST_TOLD else ""
