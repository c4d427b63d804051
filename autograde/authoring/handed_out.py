"""Which Python files students get: what runs in their kernel, and their commands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autograde import layout

# What of the package students get, with the modules above these folders.
STUDENT_PARTS = ("checking", "commands", "lessons/__init__.py")


def code(names: Sequence[str]) -> list[Path]:
    """Every Python file that students of these lessons get."""
    package = [*layout.PACKAGE.glob("*.py"), *layout.part_files(*STUDENT_PARTS)]
    return [*map(layout.checks_path, names), *package, *(layout.ROOT / "utils").rglob("*.py")]
