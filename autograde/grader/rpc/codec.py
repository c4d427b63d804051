"""Values as bytes, without pickle: a JSON structure and the raw buffers it points into.

    message = magic (4) | length of the JSON (8, big endian) | JSON | padding | buffers, each on a 16-byte boundary
    JSON    = {"v": node, "b": [length of each buffer]}

A node is a JSON null, boolean, number or string for itself, or a list `[tag, …]`. Whoever decodes makes numbers,
strings, containers, tensors and arrays and nothing else: no name in a message is looked up but dtypes and the
dataclasses of `utils`, and no code of the sender's runs. What is not data crosses as an id of a table that the
caller keeps (`Table`): objects of the student's one way, functions of the test's the other.
"""

from __future__ import annotations

import json
import struct
from typing import Any

from autograde.checking.errors import ProtocolError
from autograde.grader.rpc.decoding import Decoder
from autograde.grader.rpc.encoding import Encoder, write_plain
from autograde.grader.rpc.wire import MAX_BUFFERS, MAX_BYTES, MAX_NODES, Table

MAGIC = b"AGv1"
HEADER = struct.Struct(">4sQ")
ALIGNMENT = 16


def encode(value: Any, table: Table | None = None, limit: int = MAX_BYTES) -> bytes:
    """The message for `value`. Raises ProtocolError for what is cyclic, too deep, too large, or neither data nor in the table."""
    return Draft(value, table, limit).message()


class Draft:
    """A message of which only the tensors are still to be copied, which is what `message()` does, by methods of PyTorch's own alone: nothing
    for which a watch over a student's code has to be there, and it is slow under one."""

    def __init__(self, value: Any, table: Table | None = None, limit: int = MAX_BYTES) -> None:
        self.encoder = Encoder(table or Table(), limit)
        self.node = self.encoder.node(value, 0)

    def message(self) -> bytes:
        """The bytes. Raises ProtocolError when they are too many."""
        for node, tensor in self.encoder.plain:
            node += write_plain(self.encoder, tensor)
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
        return Decoder(message, buffers, table or Table()).value(text.get("v"), 0)
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
