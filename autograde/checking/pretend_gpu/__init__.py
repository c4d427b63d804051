"""A pretend GPU: a device `gpu` that computes on the CPU and is as strict as CUDA. For machines that have no GPU.

    with pretend_gpu.machine():
        model.to("gpu"); model(ids)                    # RuntimeError: Expected all tensors to be on the same device, …

Tensors on it are ordinary tensors that say `gpu:0`. Mixed devices, a CPU generator for a draw on the device and integers in a matrix product
are refused in CUDA's words; autocast really casts; the default generator is the device's own; a copy to the host that does not block arrives
late; `torch.gpu` answers what `torch.cuda` would for a T4 or an A100. It finds mistakes of programs, not of CUDA's kernels or compilers,
and says nothing about speed.

Once a program has used it, PyTorch takes it for the accelerator of the process: `torch.gpu` is then available inside `machine()` only.
It is not meant for processes that use a real GPU.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.types import Storage
from torch.utils import backend_registration

from autograde.checking.pretend_gpu import autocast, generators, kernels, recurrent
from autograde.checking.pretend_gpu.card import A100, BACKEND, T4, Card
from autograde.checking.pretend_gpu.drawing import ANYWHERE, DRAWINGS, ON_CPU, ON_DEVICE, drawn_anywhere
from autograde.checking.pretend_gpu.memory import DEVICE, NAME, is_on_gpu, on_gpu

AnyStorage = Storage | torch.TypedStorage | torch.UntypedStorage
_original_apply = torch.nn.Module._apply
__all__ = [
    "A100",
    "ANYWHERE",
    "BACKEND",
    "DEVICE",
    "DRAWINGS",
    "NAME",
    "ON_CPU",
    "ON_DEVICE",
    "T4",
    "Card",
    "drawn_anywhere",
    "is_on_gpu",
    "is_possible",
    "machine",
    "prepare",
]


def is_possible() -> bool:
    """Whether this process has no real GPU: PyTorch knows one such device at a time. (Apple's can stand beside it.)"""
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    return accelerator is None or accelerator.type in ("mps", NAME)


@contextmanager
def machine(card: Card = A100, drawing: str = ON_DEVICE) -> Iterator[torch.device]:
    """Inside, this machine has the pretend GPU `card`: gives its device. Where `drawing` is anywhere, it takes the CPU's generators, too."""
    _install()
    before = BACKEND.card, BACKEND.waits
    BACKEND.card, BACKEND.waits = card, []
    try:
        # PyTorch has a thread for each device that it knew at its first backward pass
        with _replaced(), torch.autograd.set_multithreading_enabled(False), drawn_anywhere(drawing):
            yield torch.device(DEVICE)
    finally:
        BACKEND.synchronize()
        BACKEND.card, BACKEND.waits = before


@contextmanager
def _replaced() -> Iterator[None]:
    """Inside, PyTorch has our parts in place of those of its own that know no device written in Python."""
    parts: tuple[tuple[Any, str, Any], ...] = (
        (torch, "Generator", generators.Generator),
        (torch.UntypedStorage, "clone", _clone),
        (torch.nn.Module, "_apply", _apply),
        *((torch._VF, kind, recurrent.as_cudnn(getattr(torch._VF, kind))) for kind in recurrent.KINDS),
    )
    before = [getattr(owner, name) for owner, name, _ in parts]
    for owner, name, ours in parts:
        setattr(owner, name, ours)
    try:
        yield
    finally:
        for (owner, name, _), theirs in zip(parts, before):
            setattr(owner, name, theirs)


@functools.cache
def prepare() -> list[torch.library.Library]:
    """Once for the process, before `machine()` or by it: what the device's operations do. Until then nobody can see that there is one."""
    return kernels.register() + autocast.register()


@functools.cache
def _install() -> list[torch.library.Library]:
    """Once for the process: the device's name, its operations, autocast, and how files name it."""
    torch.ones((), requires_grad=True).backward()  # before the device is known: no thread is started for it, so the process may still fork
    backend_registration._setup_privateuseone_for_python_backend(NAME, BACKEND)
    torch.serialization.register_package(5, _tag, _restore)  # before PyTorch's own, which wants an allocator
    return prepare() + kernels.register_on_cpu()


def _tag(storage: AnyStorage) -> str | None:
    return DEVICE if storage.device.type == NAME else None


def _restore(storage: AnyStorage, location: str) -> torch.UntypedStorage | None:
    """`torch.load`: a storage whose file, or `map_location`, says that it belongs on the device."""
    if location.split(":")[0] != NAME:
        return None
    if not BACKEND.is_available():
        raise RuntimeError("Attempting to deserialize object on a GPU device, but there is none; use torch.load with map_location='cpu'")
    return on_gpu(torch.empty(0, dtype=torch.uint8).set_(storage).clone()).untyped_storage()


def _apply(module: torch.nn.Module, *args, **kwargs) -> torch.nn.Module:
    """`module.to(…)`: its parameters stay the objects that they are, so that tied ones stay tied, as they do between the CPU and CUDA."""
    swap = torch.__future__.get_swap_module_params_on_conversion()
    torch.__future__.set_swap_module_params_on_conversion(True)
    try:
        return _original_apply(module, *args, **kwargs)
    finally:
        torch.__future__.set_swap_module_params_on_conversion(swap)


def _clone(storage: torch.UntypedStorage) -> torch.UntypedStorage:
    """A copy on the same device."""
    bytes_ = torch.empty(0, dtype=torch.uint8, device=storage.device).set_(storage)
    return bytes_.clone().untyped_storage()
