"""What nbgrader noted about a notebook's cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def noted(cell: Mapping[str, Any]) -> Mapping[str, Any]:
    """nbgrader's metadata of a cell: `grade_id`, `solution`, `grade`, `points`; empty where there is none that can be read."""
    metadata = cell.get("metadata")
    found = metadata.get("nbgrader") if isinstance(metadata, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def grade_id(cell: Mapping[str, Any]) -> str:
    """nbgrader's name of a cell: its exercise or question; "" where it has none."""
    name = noted(cell).get("grade_id", "")
    return name if isinstance(name, str) else ""
