"""Answers called on the pretend GPU: what a test gives is moved there, what comes back is looked at and moved to the CPU.

The test notices nothing: it is the same code, with a student whose answers work on another device. Whatever an answer makes on a hard-wired
device meets a tensor of the GPU sooner or later, or comes back as a result.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Iterator
from typing import Any

import torch

from autograde.checking import pretend_gpu
from autograde.checking.errors import CheckFailed


class Border:
    """Moves values between a test on the CPU (outside) and an answer on the pretend GPU, or another `device` (inside).

    A generator that goes on inside goes on outside, too. That of a real GPU has other numbers: it begins with the same seed, and stays inside.
    """

    def __init__(self, drawing: str = pretend_gpu.ON_DEVICE, device: torch.device | str = pretend_gpu.DEVICE) -> None:
        """`drawing` on the device: an answer gets generators of the device, else the CPU's."""
        self.own_generators, self.device = drawing == pretend_gpu.ON_DEVICE, device
        self.kind = str(device).partition(":")[0]  # a name too, since a worker learns that of the pretend GPU when it is first used
        self.same_numbers = self.kind == pretend_gpu.NAME
        self.generators: list[tuple[torch.Generator, torch.Generator]] = []  # (outside, inside)

    def inward(self, value: Any) -> Any:
        """A test's value, for an answer."""
        if isinstance(value, torch.Tensor):
            return value.detach().to(self.device).requires_grad_(value.requires_grad)
        if isinstance(value, torch.nn.Module):
            return value.to(self.device)
        if isinstance(value, torch.Generator):
            return self._twin(value) if self.own_generators else value
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
        if any(self._is_there(t) for t in tensors(given)) and not all(self._is_there(t) for t in tensors(value)):
            raise CheckFailed("On a GPU the result comes back on the CPU: make its tensors on the device of the inputs (device=x.device)")
        self.keep_up()
        return self.outward(value)

    def keep_up(self) -> None:
        """What was drawn inside counts outside."""
        if self.same_numbers:
            for outside, inside in self.generators:
                outside.set_state(inside.get_state())

    def _twin(self, generator: torch.Generator) -> torch.Generator:
        for outside, inside in self.generators:
            if outside is generator:
                if self.same_numbers:
                    inside.set_state(outside.get_state())
                return inside
        self.generators.append((generator, torch.Generator(self.device).manual_seed(generator.initial_seed())))
        return self._twin(generator)

    def _is_there(self, tensor: torch.Tensor) -> bool:
        return tensor.device.type == self.kind


class OnGpu:
    """A student's object in this process, used by a test as if it lived elsewhere; `RemoteObject` is its like for a worker."""

    def __init__(self, border: Border, value: Any) -> None:
        self._border, self._value = border, value

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        given = [self._inward(args), self._inward(kwargs)]
        owner = self._border.inward(getattr(self._value, "__self__", self._value))
        return self._outward(self._border.result(self._value(*given[0], **given[1]), (given, owner)))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("_border", "_value"):
            raise AttributeError(name)
        return self._outward(self._border.outward(getattr(self._value, name)))

    def __getitem__(self, key: Any) -> Any:
        return self._outward(self._border.outward(self._value[self._inward(key)]))

    def __contains__(self, key: Any) -> bool:
        return self._inward(key) in self._value

    def __len__(self) -> int:
        return len(self._value)

    def __iter__(self) -> Iterator:
        return (self._outward(self._border.outward(part)) for part in self._value)

    def _inward(self, value: Any) -> Any:
        """An argument: its own objects as they are, a function of the test's so that it meets CPU tensors only."""
        if isinstance(value, OnGpu):
            return self._border.inward(value._value)
        if isinstance(value, (types.FunctionType, types.MethodType)):
            return lambda *args, **kwargs: self._inward(value(*self._outward(args), **self._outward(kwargs)))
        return _mapped(value, self._inward) if isinstance(value, (list, tuple, dict)) else self._border.inward(value)

    def _outward(self, value: Any) -> Any:
        """A result: data as data, anything else as an object that stays inside."""
        if isinstance(value, (list, tuple, dict)):
            return _mapped(value, self._outward)
        value = self._border.outward(value)
        return value if value is None or isinstance(value, _DATA) or dataclasses.is_dataclass(value) else OnGpu(self._border, value)


_DATA = (torch.Tensor, torch.Generator, torch.dtype, torch.device, int, float, complex, str, bytes, set, frozenset, range, slice)


class StudentOnGpu(OnGpu):
    """A `LocalStudent` whose answers work on the pretend GPU."""

    def pullback(self, *args: Any, **kwargs: Any) -> Any:
        return OnGpu(self._border, self._value.pullback)(*args, **kwargs)

    def artifact(self, name: str) -> bytes | None:
        return self._value.artifact(name)


def tensors(value: Any) -> list[torch.Tensor]:
    """Every tensor in a value: in containers, dataclasses and modules too."""
    found: list[torch.Tensor] = []
    if isinstance(value, torch.nn.Module):
        return [*value.parameters(), *value.buffers()]
    _mapped(value, lambda part: found.extend([part] if isinstance(part, torch.Tensor) else tensors(part)))
    return [value] if isinstance(value, torch.Tensor) else found


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """A container or a dataclass with `change` done to its parts; anything else as it is."""
    if isinstance(value, dict):
        return {key: change(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        parts = [change(part) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts) if isinstance(value, tuple) else parts
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changed = object.__new__(type(value))
        for key, part in vars(value).items():
            object.__setattr__(changed, key, change(part))
        return changed
    return value
