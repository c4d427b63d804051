"""From nodes and buffers to values (the format: `codec`). Everything here reads what a stranger wrote."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch

from autograde.checking.errors import ProtocolError
from autograde.grader.rpc.wire import ARRAY_DTYPES, DTYPES, MAX_DEPTH, MAX_NODES, READ_AS_THEY_ARE, Table, data_class

KEYS_AT_ONCE, KEY_SECONDS = 256, 2.0  # processor time for one dict; a million honest keys take a tenth of it
MAX_DIMENSIONS = 64  # PyTorch's own limit
DEVICE = re.compile(r"(cpu|meta|cuda|mps|xpu)(:\d{1,3})?")


@dataclass
class Decoder:
    message: bytes | bytearray
    buffers: list[tuple[int, int] | None]
    table: Table

    def value(self, node: Any, depth: int) -> Any:
        if type(node) in READ_AS_THEY_ARE:
            return node
        if type(node) is not list or not node or type(node[0]) is not str:
            raise ProtocolError("the message is malformed (not a value)")
        if depth >= MAX_DEPTH:
            raise ProtocolError(f"the value is nested more than {MAX_DEPTH} deep")
        tag, *arguments = node
        read = READERS.get(tag)
        if read is None:
            return self.table.resolve(tag, *arguments)
        return read(self, depth + 1, *arguments)

    def items(self, nodes: Any, depth: int) -> list:
        if type(nodes) is not list:
            raise ProtocolError("the message is malformed (not a list)")
        return [n if type(n) in READ_AS_THEY_ARE else self.value(n, depth) for n in nodes]

    def bytes(self, index: Any) -> bytes:
        """A buffer, once: one that a million nodes name would fill the memory."""
        if type(index) is not int or not 0 <= index < len(self.buffers) or (where := self.buffers[index]) is None:
            raise ProtocolError("the message is malformed (no such buffer)")
        (start, length), self.buffers[index] = where, None
        return bytes(self.message[start : start + length])


def _shape(shape: Any) -> tuple[int, ...]:
    if type(shape) is not list or len(shape) > MAX_DIMENSIONS or any(type(n) is not int or not 0 <= n < 1 << 62 for n in shape):
        raise ProtocolError("the message is malformed (no shape)")
    if math.prod(n or 1 for n in shape) >= 1 << 58:
        raise ProtocolError("a tensor's shape is too large")
    return tuple(shape)


def _read_tensor(d: Decoder, depth: int, name: Any, shape: Any, index: Any) -> torch.Tensor:
    dtype, shape = DTYPES[name], _shape(shape)
    if index is None:
        return torch.empty(shape, dtype=dtype, device="meta")
    data = np.frombuffer(_exactly(d.bytes(index), math.prod(shape) * dtype.itemsize), dtype=np.uint8).copy()
    if dtype == torch.bool:  # a byte that is neither 0 nor 1 is no bool, and comparing it is undefined
        data = (data != 0).view(np.uint8)
    if not data.size:
        return torch.empty(shape, dtype=dtype)
    return torch.from_numpy(data).view(dtype).reshape(shape)


def _exactly(data: bytes, size: int) -> bytes:
    if len(data) != size:
        raise ProtocolError("the message is malformed (a buffer does not fit its shape)")
    return data


def _read_array(d: Decoder, depth: int, code: Any, shape: Any, index: Any) -> np.ndarray:
    shape = _shape(shape)
    if type(code) is not str or not (code in ARRAY_DTYPES or re.fullmatch(r"[<|][US]\d{1,7}", code)) or len(shape) > 32:
        raise ProtocolError("the message is malformed (no dtype of an array)")
    dtype = np.dtype(code)
    data = _exactly(d.bytes(index), math.prod(shape) * dtype.itemsize)
    if dtype.kind == "b":
        return (np.frombuffer(data, np.uint8) != 0).reshape(shape)
    if dtype.kind == "U" and data and np.frombuffer(data, np.uint32).max() > 0x10FFFF:
        raise ProtocolError("the message is malformed (no text)")
    return np.frombuffer(data, dtype).reshape(shape).copy() if data else np.empty(shape, dtype)


def _read_scalar(d: Decoder, depth: int, code: Any, shape: Any, index: Any) -> np.generic:
    if shape != []:
        raise ProtocolError("the message is malformed (a scalar with a shape)")
    return _read_array(d, depth, code, [], index).flat[0]


def _read_dict(d: Decoder, depth: int, nodes: Any) -> dict:
    flat = d.items(nodes, depth)
    found: dict = {}
    for chunk in _chunks(list(zip(_spread(flat[::2]), flat[1::2], strict=True))):
        found.update(chunk)
    return found


def _read_set(d: Decoder, depth: int, nodes: Any) -> set:
    found: set = set()
    for chunk in _chunks(_spread(d.items(nodes, depth))):
        found.update(chunk)
    return found


def _chunks(items: list) -> Iterator[list]:
    """A few at a time, with an eye on the clock: keys with different hashes may still meet in a dict's table, each with all before it."""
    began = time.process_time()
    for start in range(0, len(items), KEYS_AT_ONCE):
        if time.process_time() - began > KEY_SECONDS:
            raise ProtocolError("the keys of a dict or set take too long to tell apart")
        yield items[start : start + KEYS_AT_ONCE]


def _spread(keys: list) -> list:
    """The keys, if not too many share one hash: a hundred thousand that do would keep a dict busy for minutes."""
    if len(keys) > 1000 and np.unique(np.fromiter(map(hash, keys), np.int64, len(keys)), return_counts=True)[1].max() > 100:
        raise ProtocolError("the keys of a dict or set all have the same hash")
    return keys


def _read_dataclass(d: Decoder, depth: int, name: Any, parts: Any) -> Any:
    cls = data_class(name) if type(name) is str else None
    if cls is None:
        raise ProtocolError("the message names a class that does not cross")
    values = {key: d.value(node, depth) for key, node in parts}
    if set(values) != {f.name for f in fields(cls)}:
        raise ProtocolError(f"the fields of a {cls.__name__} are not all there")
    made: Any = object.__new__(cls)  # no constructor: the fields are all that crosses
    for key, value in values.items():
        object.__setattr__(made, key, value)
    return made


def _read_float(d: Decoder, depth: int, name: Any) -> float:
    return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[name]


def _read_big(d: Decoder, depth: int, digits: Any) -> int:
    if type(digits) is not str or len(digits) > 1 << 19:
        raise ProtocolError("an integer is too large")
    return int(digits, 16)


def _read_complex(d: Decoder, depth: int, real: Any, imag: Any) -> complex:
    real, imag = d.value(real, depth), d.value(imag, depth)
    if type(real) not in (int, float) or type(imag) not in (int, float):
        raise ProtocolError("the message is malformed (no complex number)")
    return complex(real, imag)


def _read_device(d: Decoder, depth: int, name: Any) -> torch.device:
    if not DEVICE.fullmatch(name):
        raise ProtocolError("the message is malformed (no device)")
    return torch.device(name)


def _read_slice(d: Decoder, depth: int, *ends: Any) -> slice:
    start, stop, step = (d.value(end, depth) for end in ends)
    return slice(start, stop, step)


def _read_range(d: Decoder, depth: int, *ends: Any) -> range:
    """A range of no more numbers than a list could bring: whoever makes a list of it should survive that."""
    found = range(*(d.value(end, depth) for end in ends))
    if found and (found[-1] - found[0]) // found.step >= MAX_NODES:
        raise ProtocolError("a range is too long")
    return found


READERS: dict[str, Callable[..., Any]] = {
    "f": _read_float,
    "i": _read_big,
    "c": _read_complex,
    "b": lambda d, depth, text: text.encode("latin-1"),
    "B": lambda d, depth, index: d.bytes(index),
    "l": lambda d, depth, nodes: d.items(nodes, depth),
    "t": lambda d, depth, nodes: tuple(d.items(nodes, depth)),
    "s": lambda d, depth, nodes: _read_set(d, depth, nodes),
    "z": lambda d, depth, nodes: frozenset(_read_set(d, depth, nodes)),
    "d": _read_dict,
    "x": _read_slice,
    "r": _read_range,
    "e": lambda d, depth: Ellipsis,
    "T": _read_tensor,
    "A": _read_array,
    "N": _read_scalar,
    "y": lambda d, depth, name: DTYPES[name],
    "v": _read_device,
    "D": _read_dataclass,
}
