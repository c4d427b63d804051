"""Generators of the pretend GPU: a CPU generator whose object says `gpu:0`, so that PyTorch itself refuses it for a draw on the CPU.

PyTorch has no way to make a generator for a device that is written in Python, hence the one field of the C++ object that is overwritten here.
Where that field lies is found by trying, and each write is verified by reading it back through PyTorch.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from autograde.checking.pretend_gpu.memory import NAME

_CPU = (0, 255)  # kind of device and its number, as a fresh CPU generator holds them: CPU, -1
_GPU = (20, 0)  # `c10::DeviceType::PrivateUse1`
_RealGenerator = torch.Generator


def new_generator() -> torch.Generator:
    """A generator on the pretend GPU; with the same seed it gives the CPU's numbers."""
    generator = _RealGenerator()
    _write(generator, _GPU)
    return generator


def on_device(device: Any = "cpu") -> torch.Generator:
    """`torch.Generator(device)`, for the pretend GPU too."""
    return new_generator() if torch.device(device).type == NAME else _RealGenerator(device)


@contextmanager
def as_cpu(generator: torch.Generator) -> Iterator[torch.Generator]:
    """The generator as the CPU's kernels want it, for as long as they draw."""
    if generator.device.type == "cpu":
        yield generator
        return
    _write(generator, _CPU)
    try:
        yield generator
    finally:
        _write(generator, _GPU)


@contextmanager
def as_default(generator: torch.Generator) -> Iterator[None]:
    """For operations that cannot be given a generator: they draw from this one, and the CPU's default one stays as it is."""
    before = torch.default_generator.get_state()
    torch.default_generator.set_state(generator.get_state())
    try:
        yield
    finally:
        generator.set_state(torch.default_generator.get_state())
        torch.default_generator.set_state(before)


class GeneratorType(type(_RealGenerator)):  # type: ignore[misc]  # whichever metaclass this version of PyTorch has
    """Stands for `torch.Generator` while the pretend GPU is there: makes generators of either device, and knows both."""

    def __call__(cls, device: Any = "cpu") -> torch.Generator:
        return on_device(device)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _RealGenerator)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, _RealGenerator)


class Generator(_RealGenerator, metaclass=GeneratorType):
    """`torch.Generator`, to a program on a machine with the pretend GPU."""


def _write(generator: torch.Generator, device: tuple[int, int]) -> None:
    place = _address(generator) + _place()
    for i, value in enumerate(device):
        ctypes.c_uint8.from_address(place + i).value = value


def _address(generator: torch.Generator) -> int:
    """Of the C++ object."""
    return generator._cdata  # type: ignore[attr-defined]  # PyTorch's stubs leave it out


@functools.cache
def _place() -> int:
    """Where in a generator's C++ object the device stands."""
    trial = _RealGenerator()
    for offset in range(16, 128, 2):
        fields = [ctypes.c_uint8.from_address(_address(trial) + offset + i) for i in (0, 1)]
        if tuple(f.value for f in fields) != _CPU:
            continue
        for f, value in zip(fields, _GPU):
            f.value = value
        found = trial.device.type in (NAME, "privateuseone") and trial.device.index == 0
        for f, value in zip(fields, _CPU):
            f.value = value
        if found:
            return offset
    # no word of a device: who judges answers must not take this for an answer's mistake
    raise RuntimeError(f"generators of PyTorch {torch.__version__} are not laid out as those of 2.11 to 2.13")
