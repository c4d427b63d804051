"""Which items of the rubric a grader chose. nbgrader's gradebook has a place for points and comments, and none for these."""

from __future__ import annotations

import json
from pathlib import Path

from autograde.files import write

FILE = "written.json"  # in a course directory, beside the gradebook


class Ticks:
    """Chosen items by student, lesson and question, on disk after each change.

    They only say how points came about: where the gradebook has other points (formgrader was used), they are left out.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        try:
            self._chosen: dict[str, dict] = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            self._chosen = {}

    def of(self, student: str, lesson: str, question: str, points: float | None) -> list[str]:
        """The items that gave these points."""
        known = self._chosen.get(_key(student, lesson, question))
        return list(known["items"]) if known and known["points"] == points else []

    def choose(self, student: str, lesson: str, question: str, points: float | None, items: list[str]) -> None:
        """Keep what was chosen."""
        self._chosen[_key(student, lesson, question)] = {"points": points, "items": items}
        write(self.path, (json.dumps(self._chosen, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode())


def _key(*parts: str) -> str:
    return json.dumps(parts, ensure_ascii=False)
