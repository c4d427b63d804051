"""A training on disk: everything it takes to go on, all or nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from utils.training.plan import Plan, plain


def write(path: Path, content: dict[str, Any]) -> None:
    """Write beside the old checkpoint, reach the disk, then replace it: a cut at any moment leaves the old one or the new one, whole."""
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        torch.save(content, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


def read(path: Path) -> dict[str, Any] | None:
    """The content of a checkpoint (numbers only, nothing that could run), on the CPU; None where there is no such file."""
    return torch.load(path, map_location="cpu", weights_only=True) if path.exists() else None


def belongs_to(plan: Plan, world: int, content: dict[str, Any], path: Path) -> None:
    """Raise ValueError when the checkpoint is of another plan, or of another number of processes."""
    if content["plan"] != plain(plan):
        raise ValueError(f"checkpoint {path} belongs to another plan; delete it to begin anew")
    if len(content["random"]) != world:
        raise ValueError(f"checkpoint {path} was written by {len(content['random'])} processes, and this run has {world}")
