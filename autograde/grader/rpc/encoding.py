"""From values to nodes and buffers (the format: `codec`)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import torch

from autograde.checking.errors import ProtocolError
from autograde.grader.rpc.wire import ARRAY_DTYPES, MAX_BUFFERS, MAX_DEPTH, MAX_NODES, NAMES, THEMSELVES, Table, data_class

INLINE_BYTES = 1024  # a vocabulary is a hundred thousand short byte strings: as text they cost little
IN_NUMPY = frozenset(getattr(torch, n) for n in "bool uint8 int8 int16 int32 int64 float16 float32 float64".split())
_NUMEL, _DETACH, _NUMPY, _IS_NEG = torch.Tensor.numel, torch.Tensor.detach, torch.Tensor.numpy, torch.Tensor.is_neg


class Encoder:
    def __init__(self, table: Table, limit: int) -> None:
        self.table, self.limit = table, limit
        self.buffers: list[bytes] = []
        self.size = self.count = 0
        self.plain: list[tuple[list, torch.Tensor]] = []  # tensors that are still to be copied, and their nodes
        self.open: set[int] = set()  # the containers we are inside of

    def node(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind in THEMSELVES:
            return value
        if kind is int:
            return value if -(1 << 63) <= value < 1 << 63 else self.big(value)
        if kind is float:
            return value if math.isfinite(value) else ["f", str(value)]
        write = _WRITERS.get(kind) or _writer_of(value)
        if write is None:
            return self.exported(value)
        if depth >= MAX_DEPTH:
            raise ProtocolError(f"the value is nested more than {MAX_DEPTH} deep")
        return write(self, value, depth + 1)

    def exported(self, value: Any) -> list:
        node = self.table.export(value)
        if node is None:
            raise ProtocolError(f"a {type(value).__name__} cannot cross between the processes")
        return node

    def big(self, value: int) -> list:
        if value.bit_length() > 1 << 20:
            raise ProtocolError("an integer is too large")
        return ["i", hex(value)]

    def buffer(self, data: bytes) -> int:
        self.room(len(data))
        if len(self.buffers) >= MAX_BUFFERS:
            raise ProtocolError("the value has too many tensors")
        self.buffers.append(data)
        return len(self.buffers) - 1

    def room(self, size: int) -> None:
        """Ask before copying: an expanded tensor of 10¹² elements takes no memory until it is written out."""
        self.size += size
        if self.size > self.limit:
            raise ProtocolError(f"the value is too large (the limit is {self.limit >> 20} MiB)")

    def items(self, container: Any, values: Any, depth: int) -> list:
        if id(container) in self.open:
            raise ProtocolError("the value contains itself")
        self.open.add(id(container))
        nodes = [v if type(v) in THEMSELVES else self.node(v, depth) for v in values]
        self.open.remove(id(container))
        self.count += len(nodes)
        if self.count > MAX_NODES // 2:
            raise ProtocolError("the value has too many parts")
        return nodes


def _write_bytes(e: Encoder, value: Any, depth: int) -> list:
    data = value if type(value) is bytes else bytes(value)
    return ["b", data.decode("latin-1")] if len(data) <= INLINE_BYTES else ["B", e.buffer(data)]


def _write_tensor(e: Encoder, tensor: torch.Tensor, depth: int) -> list | Any:
    if type(tensor) is torch.Tensor and tensor.dtype in IN_NUMPY and tensor.layout == torch.strided and tensor.device.type == "cpu":
        if not _IS_NEG(tensor):
            e.plain.append((["T"], tensor))
            return e.plain[-1][0]
    with torch._C.DisableTorchFunctionSubclass():
        if tensor.layout != torch.strided or tensor.dtype not in NAMES or tensor.is_nested:
            return e.exported(tensor)
        head = ["T", NAMES[tensor.dtype], list(tensor.shape)]
        if tensor.device.type == "meta":
            return [*head, None]
        size = tensor.numel() * tensor.element_size()
        if e.size + size > e.limit:
            e.room(size)
        return [*head, e.buffer(_raw(tensor) if size else b"")]


def write_plain(e: Encoder, tensor: torch.Tensor) -> list:
    dtype, size = tensor.dtype, _NUMEL(tensor) * tensor.dtype.itemsize
    if e.size + size > e.limit:
        e.room(size)
    data = _NUMPY(_DETACH(tensor) if tensor.requires_grad else tensor).tobytes() if size else b""
    return [NAMES[dtype], list(tensor.shape), e.buffer(data)]


def _write_array(e: Encoder, array: np.ndarray, depth: int) -> list:
    if array.dtype.str not in ARRAY_DTYPES and array.dtype.kind not in "US":
        return e.exported(array)
    if e.size + array.nbytes > e.limit:
        e.room(array.nbytes)
    return ["A", array.dtype.str, list(array.shape), e.buffer(np.asarray(array).tobytes())]


def _write_scalar(e: Encoder, value: np.generic, depth: int) -> list:
    array = np.asarray(value)
    return ["N", *_write_array(e, array, depth)[1:]] if array.dtype.str in ARRAY_DTYPES else e.node(value.item(), depth)


def _write_dataclass(e: Encoder, value: Any, depth: int) -> list:
    names = [f.name for f in fields(value)]
    parts = e.items(value, [getattr(value, name) for name in names], depth)
    return ["D", f"{type(value).__module__}.{type(value).__qualname__}", list(zip(names, parts))]


_WRITERS: dict[type, Callable[[Encoder, Any, int], Any]] = {
    complex: lambda e, v, d: ["c", e.node(v.real, d), e.node(v.imag, d)],
    bytes: _write_bytes,
    bytearray: _write_bytes,
    list: lambda e, v, d: ["l", e.items(v, list.__iter__(v), d)],
    tuple: lambda e, v, d: ["t", e.items(v, tuple.__iter__(v), d)],
    set: lambda e, v, d: ["s", e.items(v, set.__iter__(v), d)],
    frozenset: lambda e, v, d: ["z", e.items(v, frozenset.__iter__(v), d)],
    dict: lambda e, v, d: ["d", e.items(v, [x for pair in dict.items(v) for x in pair], d)],
    slice: lambda e, v, d: ["x", e.node(v.start, d), e.node(v.stop, d), e.node(v.step, d)],
    range: lambda e, v, d: ["r", e.node(v.start, d), e.node(v.stop, d), e.node(v.step, d)],
    type(Ellipsis): lambda e, v, d: ["e"],
    torch.Tensor: _write_tensor,
    torch.nn.Parameter: _write_tensor,
    np.ndarray: _write_array,
    torch.dtype: lambda e, v, d: ["y", NAMES[v]] if v in NAMES else e.exported(v),
    torch.device: lambda e, v, d: ["v", str(v)],
    torch.Size: lambda e, v, d: ["t", e.items(v, tuple.__iter__(v), d)],
}
# A subclass is written as what it is a kind of (an OrderedDict as a dict, an IntEnum as an int), by the base's own methods.
_PLAIN = {
    int: lambda e, v, d: e.node(int.__add__(v, 0), d),
    float: lambda e, v, d: e.node(float.__add__(v, 0.0), d),
    str: lambda e, v, d: str.__str__(v) if type(str.__str__(v)) is str else str.__add__("", v),
}


def _writer_of(value: Any) -> Callable[[Encoder, Any, int], Any] | None:
    if isinstance(value, np.generic):
        return _write_scalar
    if is_dataclass(value) and not isinstance(value, type):
        return _write_dataclass if data_class(f"{type(value).__module__}.{type(value).__qualname__}") is type(value) else None
    for base in type(value).__mro__:
        if base in _WRITERS:
            return _WRITERS[base]
        if base in _PLAIN:
            return _PLAIN[base]
    return None


def _raw(tensor: torch.Tensor) -> bytes:
    flat = tensor.detach().cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().tobytes()
