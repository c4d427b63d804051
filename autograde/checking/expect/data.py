"""What a check looks into: tensors in nests, dataclasses' objects."""

from __future__ import annotations

from dataclasses import is_dataclass
from typing import Any

import torch


def is_floating(x: Any) -> bool:
    return isinstance(x, torch.Tensor) and x.is_floating_point()


def tensors_in(value: Any) -> list[torch.Tensor]:
    """Every tensor in a nest of tuples, lists and dicts."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [t for item in value for t in tensors_in(item)] if isinstance(value, (tuple, list)) else []


def is_record(value: Any) -> bool:
    """Whether it is a dataclass's object, such as a model in tables."""
    return is_dataclass(value) and not isinstance(value, type)
