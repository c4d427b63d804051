"""Memory of the pretend GPU: a block of the CPU's memory under another device's name.

A tensor leaves PyTorch as a DLPack capsule and comes back with another kind of device written in it. Both tensors share the memory, and each
keeps it alive. What comes back is an ordinary `torch.Tensor` whose storage, views and version counter are PyTorch's own, so that only the
computing has to be taken care of (`kernels.py`).
"""

from __future__ import annotations

import ctypes
import weakref
from dataclasses import dataclass

import torch

NAME = "gpu"
DEVICE = f"{NAME}:0"
# DLPack's header: `DLTensor` begins with the data's address (8 bytes), then the kind of device and its number, 4 bytes each
_KIND, _INDEX = 8, 12
_CPU, _EXTENSION = 1, 12  # kinds: kDLCPU; kDLExtDev, which is PyTorch's PrivateUse1

_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype, _pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]


@dataclass
class Use:
    """Bytes held by tensors of the pretend GPU, now and at most."""

    now: int = 0
    peak: int = 0

    def add(self, size: int) -> None:
        self.now += size
        self.peak = max(self.peak, self.now)

    def remove(self, size: int) -> None:
        self.now -= size


USE = Use()


def is_on_gpu(value: object) -> bool:
    """Whether the value is a tensor on the pretend GPU."""
    return isinstance(value, torch.Tensor) and value.device.type == NAME


def on_gpu(tensor: torch.Tensor) -> torch.Tensor:
    """A fresh CPU tensor as one of the pretend GPU, over the same memory; it counts as allocated until it is freed."""
    size = tensor.nbytes
    if size:
        USE.add(size)
        weakref.finalize(tensor, USE.remove, size).atexit = False
    return _relabelled(tensor, _EXTENSION)


def on_cpu(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor of the pretend GPU as a CPU tensor over the same memory: what its kernels compute with."""
    return _relabelled(tensor, _CPU)


def _relabelled(tensor: torch.Tensor, kind: int) -> torch.Tensor:
    capsule = torch._C._to_dlpack(tensor)
    header = _pointer(capsule, b"dltensor")
    ctypes.c_int32.from_address(header + _KIND).value = kind
    ctypes.c_int32.from_address(header + _INDEX).value = 0
    return torch._C._from_dlpack(capsule)
