"""Settings of a student's machine that are no part of an answer: compilers, debuggers, the default device and dtype, the GPU that cells put
tensors on, and the other processes of a training.

In the sandbox there is no compiler to start and no GPU, and an answer that is right with them is right without.
"""

from __future__ import annotations

import contextlib
import pdb
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

ACCELERATORS = ("cuda", "mps", "xpu")
MOVES = {getattr(torch.Tensor, name) for name in ("cuda", "xpu") if hasattr(torch.Tensor, name)}
CPU = torch.device("cpu")


def as_it_is(target: Any = None, *args: Any, **options: Any) -> Any:
    """Takes the place of `torch.compile` and `torch.jit.script`, also as a decorator with options: the function or module itself."""
    return target if target is not None else as_it_is


def traced(target: Callable | torch.nn.Module, *args: Any, **options: Any) -> Any:
    """Takes the place of `torch.jit.trace`."""
    return target


def left_alone(*args: Any, **options: Any) -> None:
    """Takes the place of what sets a default."""


class NoAnomaly(contextlib.nullcontext[None]):
    """Takes the place of `torch.autograd.set_detect_anomaly`, which makes an error of every NaN in a gradient, and of `detect_anomaly`."""

    def __init__(self, mode: bool = True, check_nan: bool = True) -> None:
        super().__init__()


def install() -> None:
    """For the whole process."""
    replaced: dict[Any, dict[str, Callable]] = {
        torch: {"compile": as_it_is, **dict.fromkeys(("set_default_device", "set_default_dtype", "set_default_tensor_type"), left_alone)},
        torch.jit: {"script": as_it_is, "script_if_tracing": as_it_is, "trace": traced, "trace_module": traced},
        torch.nn.Module: {"compile": left_alone},
        pdb: {"set_trace": left_alone},
        sys: {"breakpointhook": left_alone},
        torch.distributed: {"init_process_group": left_alone, "destroy_process_group": left_alone, "barrier": left_alone,
                            "get_rank": lambda *_: 0, "get_world_size": lambda *_: 1, "all_reduce": left_alone, "broadcast": left_alone},
        torch.autograd: {"set_detect_anomaly": NoAnomaly, "detect_anomaly": NoAnomaly},
    }  # fmt: skip
    for owner, functions in replaced.items():
        for name, ours in functions.items():
            setattr(owner, name, ours if isinstance(ours, type) else _another(ours))


def _another(function: Callable) -> Callable:
    """The same under an identity of its own: PyTorch's compiler keeps rules by identity, and refuses one function under two names."""
    return lambda *args, **options: function(*args, **options)


class OnCpu(TorchFunctionMode):
    """Inside, what asks for a GPU gets the CPU. For cells as they are run; what an answer asks for when a check calls it stays as it is."""

    def __torch_function__(self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None) -> Any:
        if func in MOVES:
            return args[0]
        named = {key: _on_cpu(value) if key == "device" else value for key, value in (kwargs or {}).items()}
        given = [*args[:1], *map(_on_cpu, args[1:])] if func is torch.Tensor.to else args
        return func(*given, **named)


def _on_cpu(device: Any) -> Any:
    """The CPU for a device that is a GPU, by name or by number; anything else, such as a tensor or a dtype, as it is."""
    if isinstance(device, int) and not isinstance(device, bool):
        return CPU
    name = device.type if isinstance(device, torch.device) else device.split(":")[0] if isinstance(device, str) else ""
    return CPU if name in ACCELERATORS else device
