"""What cells and columns of other systems' gradebooks mean to whoever fills them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from autograde.checking.manifest import read_manifest
from autograde.grader.results.csv_tables import points

READ_ONLY = "(read only)"
NO_ZEROS = "no 0 was written for {}: {} handed in, and nobody can tell which row is theirs"
MOST = 10  # rows that a note names


@dataclass(frozen=True)
class Sheet:
    """The file's bytes, and what the instructor should know before importing it."""

    content: bytes
    filled: int
    unmatched: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def is_called(column: str, lesson: str) -> bool:
    """Whether a column has a lesson's name or title, however it is written."""
    return _plain(column) in {_plain(name) for name in (lesson, lesson[3:], _title(lesson))} - {""}


def is_fixed(cell: str) -> bool:
    """Whether a cell says something that a number must not take away: excused, not counted, or locked."""
    return cell.strip().upper() in ("EX", "EXCUSED", "EXEMPT", "N/A", READ_ONLY.upper())


def is_word(cell: str) -> bool:
    """Whether a cell holds a grade that is no number: a letter, `complete`."""
    try:
        points(cell)
    except ValueError:
        return bool(cell.strip())
    return False


def is_number(cell: str) -> bool:
    return bool(cell.strip()) and not is_word(cell)


def shown(rows: Sequence[str]) -> str:
    return "; ".join(rows[:MOST]) + (f" and {len(rows) - MOST} more" if len(rows) > MOST else "")


def differs(theirs: str, ours: float) -> bool:
    try:
        return abs(points(theirs) - ours) > 0.005
    except ValueError:
        return True


def _title(lesson: str) -> str:
    try:
        return read_manifest(lesson)["title"]
    except ValueError:
        return ""


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", name.casefold())
