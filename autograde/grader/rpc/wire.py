"""What both directions of the wire format agree on: limits, the dtypes and classes that a message may name, and what crosses by reference."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import is_dataclass
from typing import Any

import numpy as np
import torch

from autograde.checking.errors import ProtocolError

MAX_DEPTH = 100
MAX_NODES = 4_000_000
MAX_BYTES = 64 << 20
MAX_BUFFERS = 20_000  # tensors and arrays: each costs far more to make than its text to read
THEMSELVES = frozenset((type(None), bool, str))  # written as JSON's own; of numbers those that JSON can hold
READ_AS_THEY_ARE = THEMSELVES | {int, float}

_DTYPE_NAMES = (
    "bool uint8 uint16 uint32 uint64 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex32 complex64 complex128 "
    "float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz"
).split()
DTYPES = {name: getattr(torch, name) for name in _DTYPE_NAMES if hasattr(torch, name)}
NAMES = {dtype: name for name, dtype in DTYPES.items()}
ARRAY_DTYPES = {np.dtype(code).str for code in "? b B h H i I l L q Q e f d g F D G".split()}


class Table:
    """What is passed by reference instead of by value. Each side gives its own; this one takes and gives nothing."""

    def export(self, value: Any) -> list | None:
        """The node `[tag, …]` for a value that is not data, or None when it may not cross."""
        return None

    def resolve(self, tag: str, *arguments: Any) -> Any:
        """What a node of a tag that the codec does not know stands for."""
        raise ProtocolError(f"a message names something that is not there ({tag})")


def data_class(qualified_name: str) -> type | None:
    """The dataclass of the `utils` package by that name, or None: the only classes a message can name."""
    module, _, name = qualified_name.rpartition(".")
    if module not in _utils_modules() or not name.isidentifier():
        return None
    found = vars(importlib.import_module(module)).get(name)
    return found if isinstance(found, type) and is_dataclass(found) and found.__module__ == module else None


def _utils_modules() -> set[str]:
    if not _UTILS:
        package = importlib.import_module("utils")
        _UTILS.update(f"utils.{m.name}" for m in pkgutil.iter_modules(package.__path__))
    return _UTILS


_UTILS: set[str] = set()
