"""The due dates of a class, read from nbgrader's gradebook without opening it for writing."""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import datetime
from pathlib import Path


def due_dates(course: Path) -> dict[str, datetime]:
    """Each lesson's due date, in UTC without a zone, as nbgrader keeps it; nothing where there is none, or no gradebook."""
    path = (course / "gradebook.db").resolve()
    if not path.is_file():
        return {}
    try:
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            rows = connection.execute("SELECT name, duedate FROM assignment WHERE duedate IS NOT NULL").fetchall()
        return {name: datetime.fromisoformat(date) for name, date in rows}
    except (sqlite3.Error, ValueError, TypeError):  # `grade` says what is wrong with it
        return {}
