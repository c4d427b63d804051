"""What a lesson's build wrote down of it: its exercises, points and files. It is read without the checks, and so without PyTorch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from autograde import layout
from autograde.checking.errors import UserError


@dataclass(frozen=True)
class Exercise:
    """One graded name (or file, for an outcome) of a lesson."""

    name: str
    points: float
    forbids: tuple[str, ...] = ()
    stretch: bool = False
    outcome: str | None = None


def read_manifest(name: str) -> dict[str, Any]:
    """The generated `autograde/lessons/manifests/NN_name.json`.

    Raises:
        UserError: when the lesson is not built yet.
    """
    path = layout.manifest_path(name)
    if not path.exists():
        raise UserError(f"lesson {name} is not built: run `python -m autograde build {name[:2]}`")
    return json.loads(path.read_text(encoding="utf-8"))


def outcome_files(name: str) -> list[str]:
    """The files beside a notebook that a lesson grades, such as a trained model."""
    path = layout.manifest_path(name)
    status = path.stat() if path.exists() else None
    return list(_outcome_files(name, path, status and (status.st_size, status.st_mtime_ns)))


@lru_cache(maxsize=64)
def _outcome_files(name: str, *_: object) -> tuple[str, ...]:
    """Read once for each manifest as it stands: grading a class asks thousands of times."""
    outcomes = (exercise["outcome"] for exercise in read_manifest(name)["exercises"].values())
    return tuple(sorted({file for outcome in outcomes if outcome for file in outcome.split()}))
