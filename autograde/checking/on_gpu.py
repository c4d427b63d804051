"""Answers called on the pretend GPU: what a test gives is moved there, what comes back is looked at and moved to the CPU.

The test notices nothing: it is the same code, with a student whose answers work on another device. Whatever an answer makes on a hard-wired
device meets a tensor of the GPU sooner or later, or comes back as a result.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable
from typing import Any

import torch

from autograde.checking import pretend_gpu
from autograde.errors import CheckFailed

HINT = "On a GPU this fails: somewhere a tensor is made on the CPU, or drawn with another device's generator (pass device=x.device)"


class Border:
    """Moves values between a test on the CPU (outside) and an answer on the pretend GPU (inside)."""

    def __init__(self) -> None:
        self.generators: list[tuple[torch.Generator, torch.Generator]] = []  # (outside, inside)
        self.crossed = False  # whether a tensor has gone inside

    def inward(self, value: Any) -> Any:
        """A test's value, for an answer."""
        if isinstance(value, torch.Tensor):
            self.crossed = True
            return value.detach().to(pretend_gpu.DEVICE).requires_grad_(value.requires_grad)
        if isinstance(value, torch.nn.Module):
            self.crossed = True
            return value.to(pretend_gpu.DEVICE)
        if isinstance(value, torch.Generator):
            return self._twin(value)
        if isinstance(value, (types.FunctionType, types.MethodType)):
            return lambda *args, **kwargs: self.inward(value(*self.outward(args), **self.outward(kwargs)))
        return _mapped(value, self.inward)

    def outward(self, value: Any) -> Any:
        """An answer's value, for a test."""
        if isinstance(value, torch.Tensor):
            return value.detach().cpu()
        if isinstance(value, torch.Generator):
            return next((outside for outside, inside in self.generators if inside is value), value)
        return _mapped(value, self.outward)

    def result(self, value: Any, given: Any) -> Any:
        """An answer's result, for a test; CheckFailed where a tensor of it is on the CPU although `given` was on the GPU."""
        if holds_gpu_tensors(given) and any(not pretend_gpu.is_on_gpu(t) for t in tensors(value)):
            raise CheckFailed("On a GPU the result comes back on the CPU: make its tensors on the device of the inputs (device=x.device)")
        self.keep_up()
        return self.outward(value)

    def keep_up(self) -> None:
        """What was drawn inside counts outside."""
        for outside, inside in self.generators:
            outside.set_state(inside.get_state())

    def _twin(self, generator: torch.Generator) -> torch.Generator:
        for outside, inside in self.generators:
            if outside is generator:
                inside.set_state(outside.get_state())
                return inside
        self.generators.append((generator, torch.Generator(pretend_gpu.DEVICE)))
        return self._twin(generator)


def tensors(value: Any) -> list[torch.Tensor]:
    """Every tensor in a value: in containers, dataclasses and modules too."""
    found: list[torch.Tensor] = []
    if isinstance(value, torch.nn.Module):
        return [*value.parameters(), *value.buffers()]
    _mapped(value, lambda part: found.extend([part] if isinstance(part, torch.Tensor) else tensors(part)))
    return [value] if isinstance(value, torch.Tensor) else found


def holds_gpu_tensors(value: Any) -> bool:
    return any(pretend_gpu.is_on_gpu(t) for t in tensors(value))


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """A container or a dataclass with `change` done to its parts; anything else as it is."""
    if isinstance(value, dict):
        return {key: change(part) for key, part in value.items()}
    if type(value) in (list, tuple):
        return type(value)(change(part) for part in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changed = object.__new__(type(value))
        for key, part in vars(value).items():
            object.__setattr__(changed, key, change(part))
        return changed
    return value
