"""What CUDA refuses, in CUDA's words: mixed devices, another device's generator, integers in a matrix product.

Sources: PyTorch's notes on CUDA semantics ("cross-GPU operations are not allowed by default, with the exception of copy_() and other methods
with copy-like functionality"; tensors of zero dimensions may be the CPU's), `TensorIterator`'s common device, and the checks of the kernels named below.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from autograde.checking.pretend_gpu.memory import DEVICE, is_on_gpu
from autograde.checking.pretend_gpu.schema import Form

_MIXED = "Expected all tensors to be on the same device, but found at least two devices"
# besides pointwise operations, these take a number as a CPU tensor without dimensions
_NUMBER_FROM_CPU = {"masked_fill", "masked_fill_", "fill_", "fill", "index_fill", "index_fill_", "lerp", "where", "_local_scalar_dense"}
_INDEX = {"index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index", "_unsafe_index_put"}  # positions may lie on the CPU
_INTEGERS_REFUSED = {"mm", "bmm", "addmm", "addmm_", "baddbmm", "baddbmm_", "addbmm", "mv", "addmv", "dot", "vdot", "addr"}
_READS = {"_local_scalar_dense", "nonzero", "nonzero_numpy", "masked_select", "is_nonzero", "equal", "_unique2", "unique_dim", "bincount"}


def refuse(operation: Form, tensors: Sequence[torch.Tensor], written: Sequence[torch.Tensor]) -> None:
    """Raise what CUDA raises for this operation on these tensors, or do nothing."""
    _same_device(operation, tensors, written)
    name = operation.name
    if name in _INTEGERS_REFUSED and not (tensors[0].is_floating_point() or tensors[0].is_complex()):
        kind = str(tensors[0].dtype).removeprefix("torch.").replace("int64", "Long").replace("int32", "Int")
        raise RuntimeError(f"\"{name.strip('_')}_cuda\" not implemented for '{kind}'")


def _same_device(operation: Form, tensors: Sequence[torch.Tensor], written: Sequence[torch.Tensor]) -> None:
    foreign = [t for t in tensors if not is_on_gpu(t)]
    if not foreign:
        return
    if operation.name in _INDEX:
        return _index_devices(tensors)
    numbers_allowed = operation.is_pointwise or operation.name in _NUMBER_FROM_CPU
    mixed = [t for t in foreign if t.dim() > 0 or not numbers_allowed or any(t is w for w in written)]
    if mixed:
        raise RuntimeError(f"{_MIXED}, {DEVICE} and {mixed[0].device}! (in {operation.name})")


def _index_devices(tensors: Sequence[torch.Tensor]) -> None:
    """`x[i]`: positions lie on the CPU or beside x; values that are put lie beside x, or are one number."""
    if not is_on_gpu(tensors[0]):
        raise RuntimeError(f"indices should be either on cpu or on the same device as the indexed tensor ({tensors[0].device})")


def values_to_put(x: torch.Tensor, values: torch.Tensor) -> None:
    """`x[i] = values`: refuse values of another device that are more than a number."""
    if is_on_gpu(x) and not is_on_gpu(values) and values.dim() > 0:
        raise RuntimeError(f"{_MIXED}, {DEVICE} and {values.device}! (in index_put_)")


def generator(given: torch.Generator | None) -> None:
    """Refuse a generator of another device."""
    if given is not None and str(given.device) != DEVICE:
        raise RuntimeError(f"Expected a 'gpu' device type for generator but found '{given.device.type}'")


def waits(operation: Form, tensors: Sequence[torch.Tensor]) -> bool:
    """Whether the host has to wait for the device's result: a value is read, or the size of the result depends on values."""
    name = operation.name
    by_mask = name in _INDEX and any(t.dtype in (torch.bool, torch.uint8) for t in tensors[1:])
    return name in _READS or by_mask or (name == "repeat_interleave" and len(tensors) > 1)
