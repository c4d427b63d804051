"""Settings of a student's machine that are no part of an answer: compilers, and the default device and dtype.

In the sandbox there is no compiler to start and no GPU, and an answer that is right with them is right without.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


def as_it_is(target: Any = None, *args: Any, **options: Any) -> Any:
    """Takes the place of `torch.compile` and `torch.jit.script`, also as a decorator with options: the function or module itself."""
    return target if target is not None else as_it_is


def traced(target: Callable | torch.nn.Module, *args: Any, **options: Any) -> Any:
    """Takes the place of `torch.jit.trace`."""
    return target


def left_alone(*args: Any, **options: Any) -> None:
    """Takes the place of what sets a default."""


def install() -> None:
    """For the whole process."""
    replaced: dict[Any, dict[str, Callable]] = {
        torch: {"compile": as_it_is, **dict.fromkeys(("set_default_device", "set_default_dtype", "set_default_tensor_type"), left_alone)},
        torch.jit: {"script": as_it_is, "script_if_tracing": as_it_is, "trace": traced, "trace_module": traced},
        torch.nn.Module: {"compile": left_alone},
    }
    for owner, functions in replaced.items():
        for name, ours in functions.items():
            setattr(owner, name, ours)
