"""Values as bytes, without pickle: a JSON structure and the raw buffers it points into.

    message = magic (4) | length of the JSON (8, big endian) | JSON | padding | buffers, each on a 16-byte boundary
    JSON    = {"v": node, "b": [length of each buffer]}

A node is a JSON null, boolean, number or string for itself, or a list `[tag, …]`. Whoever decodes makes numbers,
strings, containers, tensors and arrays and nothing else: no name in a message is looked up but dtypes and the
dataclasses of `utils`, and no code of the sender's runs. What is not data crosses as an id of a table that the
caller keeps (`Table`): objects of the student's one way, functions of the test's the other.
"""

from __future__ import annotations

import importlib
import json
import math
import pkgutil
import re
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
import torch

from autograde.checking.errors import ProtocolError

MAGIC = b"AGv1"
HEADER = struct.Struct(">4sQ")
MAX_DEPTH = 100
MAX_NODES = 4_000_000
MAX_BYTES = 64 << 20
MAX_BUFFERS = 20_000  # tensors and arrays: each costs far more to make than its text to read
KEYS_AT_ONCE, KEY_SECONDS = 256, 2.0  # processor time for one dict; a million honest keys take a tenth of it
MAX_DIMENSIONS = 64  # PyTorch's own limit
ALIGNMENT = 16
THEMSELVES = frozenset((type(None), bool, str))  # written as JSON's own; of numbers those that JSON can hold
READ_AS_THEY_ARE = THEMSELVES | {int, float}
INLINE_BYTES = 1024  # a vocabulary is a hundred thousand short byte strings: as text they cost little

_DTYPE_NAMES = (
    "bool uint8 uint16 uint32 uint64 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex32 complex64 complex128 "
    "float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz"
).split()
DTYPES = {name: getattr(torch, name) for name in _DTYPE_NAMES if hasattr(torch, name)}
NAMES = {dtype: name for name, dtype in DTYPES.items()}
IN_NUMPY = frozenset(getattr(torch, n) for n in "bool uint8 int8 int16 int32 int64 float16 float32 float64".split())
_NUMEL, _DETACH, _NUMPY, _IS_NEG = torch.Tensor.numel, torch.Tensor.detach, torch.Tensor.numpy, torch.Tensor.is_neg
ARRAY_DTYPES = {np.dtype(code).str for code in "? b B h H i I l L q Q e f d g F D G".split()}
DEVICE = re.compile(r"(cpu|meta|cuda|mps|xpu)(:\d{1,3})?")


class Table:
    """What is passed by reference instead of by value. Each side gives its own; this one takes and gives nothing."""

    def export(self, value: Any) -> list | None:
        """The node `[tag, …]` for a value that is not data, or None when it may not cross."""
        return None

    def resolve(self, tag: str, *arguments: Any) -> Any:
        """What a node of a tag that the codec does not know stands for."""
        raise ProtocolError(f"a message names something that is not there ({tag})")


def encode(value: Any, table: Table | None = None, limit: int = MAX_BYTES) -> bytes:
    """The message for `value`. Raises ProtocolError for what is cyclic, too deep, too large, or neither data nor in the table."""
    return Draft(value, table, limit).message()


class Draft:
    """A message of which only the tensors are still to be copied, which is what `message()` does, by methods of PyTorch's own alone: nothing
    for which a watch over a student's code has to be there, and it is slow under one."""

    def __init__(self, value: Any, table: Table | None = None, limit: int = MAX_BYTES) -> None:
        self.encoder = _Encoder(table or Table(), limit)
        self.node = self.encoder.node(value, 0)

    def message(self) -> bytes:
        """The bytes. Raises ProtocolError when they are too many."""
        for node, tensor in self.encoder.plain:
            node += _write_plain(self.encoder, tensor)
        self.encoder.plain = []
        return _packed(self.node, self.encoder.buffers, self.encoder.limit)


def _packed(node: Any, buffers: list[bytes], limit: int) -> bytes:
    text = _as_json({"v": node, "b": [len(b) for b in buffers]}).encode("ascii")
    parts = [HEADER.pack(MAGIC, len(text)), text, bytes(-(HEADER.size + len(text)) % ALIGNMENT)]
    for buffer in buffers:
        parts += (buffer, bytes(-len(buffer) % ALIGNMENT))
    message = b"".join(parts)
    if len(message) > limit:
        raise ProtocolError(f"the value is too large ({len(message) >> 20} MiB; the limit is {limit >> 20} MiB)")
    return message


def decode(message: bytes | bytearray, table: Table | None = None, limit: int = MAX_BYTES) -> Any:
    """The value in an untrusted message. Anything that is not a message raises ProtocolError, and nothing else."""
    if len(message) > limit:
        raise ProtocolError(f"the value is too large (the limit is {limit >> 20} MiB)")
    try:
        text, start = _json_part(message)
        buffers = _buffers(text.get("b"), start, len(message))
        return _Decoder(message, buffers, table or Table()).value(text.get("v"), 0)
    except ProtocolError:
        raise
    except RecursionError:
        raise ProtocolError("the value is nested too deeply") from None
    except MemoryError:
        raise ProtocolError("the value is too large for this machine's memory") from None
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, RuntimeError, AttributeError, struct.error) as error:
        raise ProtocolError(f"the message is malformed ({type(error).__name__})") from None


def _json_part(message: bytes | bytearray) -> tuple[dict, int]:
    magic, length = HEADER.unpack_from(message)
    end = HEADER.size + length
    if magic != MAGIC or end > len(message):
        raise ProtocolError("the message is malformed (no header)")
    text = bytes(message[HEADER.size : end])
    if text.count(b",") + text.count(b"[") > MAX_NODES:  # before parsing: a list of lists costs far more than its text
        raise ProtocolError("the value has too many parts")
    parsed = _from_json(text.decode())
    if not isinstance(parsed, dict):
        raise ProtocolError("the message is malformed (no structure)")
    return parsed, end + -end % ALIGNMENT


def _no_constant(name: str) -> None:
    raise ProtocolError(f"the message is malformed ({name})")


# Made once, since `json.dumps` and `json.loads` make them anew for each message; what is written holds no cycle.
_as_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode
_from_json = json.JSONDecoder(parse_constant=_no_constant).decode


def _buffers(lengths: Any, start: int, end: int) -> list[tuple[int, int] | None]:
    spans: list[tuple[int, int] | None] = []
    if len(lengths) > MAX_BUFFERS:
        raise ProtocolError("the value has too many tensors")
    for length in lengths:
        if type(length) is not int or length < 0 or start + length > end:
            raise ProtocolError("the message is malformed (a buffer past its end)")
        spans.append((start, length))
        start += length + -length % ALIGNMENT
    return spans


def _raw(tensor: torch.Tensor) -> bytes:
    flat = tensor.detach().cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().tobytes()


class _Encoder:
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


def _write_bytes(e: _Encoder, value: Any, depth: int) -> list:
    data = value if type(value) is bytes else bytes(value)
    return ["b", data.decode("latin-1")] if len(data) <= INLINE_BYTES else ["B", e.buffer(data)]


def _write_tensor(e: _Encoder, tensor: torch.Tensor, depth: int) -> list | Any:
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


def _write_plain(e: _Encoder, tensor: torch.Tensor) -> list:
    dtype, size = tensor.dtype, _NUMEL(tensor) * tensor.dtype.itemsize
    if e.size + size > e.limit:
        e.room(size)
    data = _NUMPY(_DETACH(tensor) if tensor.requires_grad else tensor).tobytes() if size else b""
    return [NAMES[dtype], list(tensor.shape), e.buffer(data)]


def _write_array(e: _Encoder, array: np.ndarray, depth: int) -> list:
    if array.dtype.str not in ARRAY_DTYPES and array.dtype.kind not in "US":
        return e.exported(array)
    if e.size + array.nbytes > e.limit:
        e.room(array.nbytes)
    return ["A", array.dtype.str, list(array.shape), e.buffer(np.asarray(array).tobytes())]


def _write_scalar(e: _Encoder, value: np.generic, depth: int) -> list:
    array = np.asarray(value)
    return ["N", *_write_array(e, array, depth)[1:]] if array.dtype.str in ARRAY_DTYPES else e.node(value.item(), depth)


def _write_dataclass(e: _Encoder, value: Any, depth: int) -> list:
    names = [f.name for f in fields(value)]
    parts = e.items(value, [getattr(value, name) for name in names], depth)
    return ["D", f"{type(value).__module__}.{type(value).__qualname__}", list(zip(names, parts))]


_WRITERS: dict[type, Callable[[_Encoder, Any, int], Any]] = {
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


def _writer_of(value: Any) -> Callable[[_Encoder, Any, int], Any] | None:
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


def data_class(qualified_name: str) -> type | None:
    """The dataclass of the `utils` package by that name, or None: the only classes a message can name."""
    module, _, name = qualified_name.rpartition(".")
    if module not in _utils_modules() or not name.isidentifier():
        return None
    found = vars(importlib.import_module(module)).get(name)
    return found if isinstance(found, type) and is_dataclass(found) and found.__module__ == module else None


def _utils_modules() -> set[str]:
    if not _UTILS:
        package = importlib.import_module("utils")
        _UTILS.update(f"utils.{m.name}" for m in pkgutil.iter_modules(package.__path__))
    return _UTILS


_UTILS: set[str] = set()


@dataclass
class _Decoder:
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
        read = _READERS.get(tag)
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


def _read_tensor(d: _Decoder, depth: int, name: Any, shape: Any, index: Any) -> torch.Tensor:
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


def _read_array(d: _Decoder, depth: int, code: Any, shape: Any, index: Any) -> np.ndarray:
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


def _read_scalar(d: _Decoder, depth: int, code: Any, shape: Any, index: Any) -> np.generic:
    if shape != []:
        raise ProtocolError("the message is malformed (a scalar with a shape)")
    return _read_array(d, depth, code, [], index).flat[0]


def _read_dict(d: _Decoder, depth: int, nodes: Any) -> dict:
    flat = d.items(nodes, depth)
    found: dict = {}
    for chunk in _chunks(list(zip(_spread(flat[::2]), flat[1::2], strict=True))):
        found.update(chunk)
    return found


def _read_set(d: _Decoder, depth: int, nodes: Any) -> set:
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


def _read_dataclass(d: _Decoder, depth: int, name: Any, parts: Any) -> Any:
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


def _read_float(d: _Decoder, depth: int, name: Any) -> float:
    return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[name]


def _read_big(d: _Decoder, depth: int, digits: Any) -> int:
    if type(digits) is not str or len(digits) > 1 << 19:
        raise ProtocolError("an integer is too large")
    return int(digits, 16)


def _read_complex(d: _Decoder, depth: int, real: Any, imag: Any) -> complex:
    real, imag = d.value(real, depth), d.value(imag, depth)
    if type(real) not in (int, float) or type(imag) not in (int, float):
        raise ProtocolError("the message is malformed (no complex number)")
    return complex(real, imag)


def _read_device(d: _Decoder, depth: int, name: Any) -> torch.device:
    if not DEVICE.fullmatch(name):
        raise ProtocolError("the message is malformed (no device)")
    return torch.device(name)


def _read_slice(d: _Decoder, depth: int, *ends: Any) -> slice:
    start, stop, step = (d.value(end, depth) for end in ends)
    return slice(start, stop, step)


def _read_range(d: _Decoder, depth: int, *ends: Any) -> range:
    """A range of no more numbers than a list could bring: whoever makes a list of it should survive that."""
    found = range(*(d.value(end, depth) for end in ends))
    if found and (found[-1] - found[0]) // found.step >= MAX_NODES:
        raise ProtocolError("a range is too long")
    return found


_READERS: dict[str, Callable[..., Any]] = {
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
