"""The codec: what goes in comes out, and no untrusted bytes do more than raise ProtocolError."""

import collections
import enum
import json
import math
import struct
import sys
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autograde.checking.errors import ProtocolError
from autograde.grader.rpc import codec, decoding, encoding, wire
from autograde.grader.rpc.codec import MAGIC, decode, encode
from autograde.grader.rpc.wire import Table
from utils.mdp import TabularMDP


def same(a, b):
    """Equal with types, NaN equal to NaN."""
    if type(a) is not type(b):
        return False
    if isinstance(a, torch.Tensor):
        if a.device != b.device or a.shape != b.shape or a.dtype != b.dtype:
            return False
        return a.is_meta or encoding._raw(a) == encoding._raw(b)
    if isinstance(a, (np.ndarray, np.generic)):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, float):
        return a == b and math.copysign(1, a) == math.copysign(1, b) or (a != a and b != b)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a.items(), b.items()))
    return a == b


def there_and_back(value):
    return decode(encode(value))


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats()
    | st.complex_numbers(allow_nan=False) | st.text(st.characters()) | st.binary(max_size=2000)
    | st.sampled_from([torch.float32, torch.bool, torch.device("cpu"), torch.device("cuda:1"), slice(1, None, -2), range(3, 9, 2),
    ..., np.float64(2), np.int8(-3)])
)  # fmt: skip
keys = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.binary(max_size=5) | st.tuples(st.integers(), st.text(max_size=3))
)
tensors = st.builds(
    lambda shape, dtype: (torch.arange(math.prod(shape)) % 7 - 3).reshape(shape).to(dtype),
    st.lists(st.integers(0, 4), max_size=4),
    st.sampled_from(list(wire.DTYPES.values())),
)
values = st.recursive(
    scalars | tensors,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.tuples(inner, inner)
        | st.dictionaries(keys, inner, max_size=5)
        | st.sets(keys)
        | st.frozensets(keys)
    ),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(values)
@pytest.mark.slow
def test_a_value_comes_back_as_it_was(value):
    assert same(there_and_back(value), value)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300) | st.builds(lambda d: MAGIC + struct.pack(">Q", len(d)) + d, st.binary(max_size=300)))
def test_random_bytes_raise_protocol_error_and_nothing_else(data):
    with pytest.raises(ProtocolError):
        decode(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats()
    | st.text(max_size=6) | st.sampled_from([*decoding.READERS, *wire.DTYPES, "h", "k", "g", "?"]),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    | st.builds(lambda tag, rest: [tag, *rest], st.sampled_from([*decoding.READERS, "h", "k"]), st.lists(inner, max_size=4)),
    max_leaves=20,
)  # fmt: skip


def message(node, buffers=(), lengths=None):
    text = json.dumps({"v": node, "b": [len(b) for b in buffers] if lengths is None else lengths}).encode()
    body = MAGIC + struct.pack(">Q", len(text)) + text
    body += bytes(-len(body) % 16)
    for buffer in buffers:
        body += buffer + bytes(-len(buffer) % 16)
    return body


@settings(max_examples=500, deadline=None)
@given(JSON, st.lists(st.binary(max_size=40), max_size=3))
def test_any_structure_is_a_value_or_a_protocol_error(node, buffers):
    try:
        decode(message(node, buffers))
    except ProtocolError:
        pass


@settings(max_examples=200, deadline=None)
@given(values, st.data())
def test_a_damaged_message_is_a_value_or_a_protocol_error(value, data):
    damaged = bytearray(encode(value))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        decode(damaged[: data.draw(st.integers(0, len(damaged)))])
    except ProtocolError:
        pass


@pytest.mark.parametrize("tensor", [
    torch.randn(3, 4).T, torch.randn(4, 6)[::2, 1::3], torch.zeros(1).expand(5), torch.tensor(3.5), torch.empty(0, 3),
    torch.randn(2, 3, requires_grad=True) * 2,
    torch.nn.Parameter(torch.ones(2)), torch.complex(torch.ones(2), torch.ones(2)).conj(), torch.complex(torch.ones(2),
    torch.ones(2)).conj().imag,
    torch.tensor([True, False]), torch.tensor([math.nan, math.inf, -0.0]), torch.ones(2, dtype=torch.bfloat16),
    torch.empty(2, 3, device="meta", dtype=torch.float16),
])  # fmt: skip
def test_every_kind_of_dense_tensor_comes_back_plain(tensor):
    got = there_and_back(tensor)
    assert type(got) is torch.Tensor and not got.requires_grad and got.is_contiguous()
    assert got.shape == tensor.shape and got.dtype == tensor.dtype and got.device == tensor.device
    if not tensor.is_meta:
        assert torch.equal(
            got.nan_to_num(7.0) if got.is_floating_point() else got, tensor.nan_to_num(7.0) if tensor.is_floating_point() else tensor
        )


def test_a_meta_tensor_crosses_without_data():
    huge = torch.empty(1 << 20, 1 << 20, device="meta")
    assert len(encode(huge)) < 200 and there_and_back(huge).shape == huge.shape


def test_subclasses_cross_as_what_they_are_kinds_of():
    class Loud(torch.Tensor):
        @classmethod
        def __torch_function__(cls, *args, **kwargs):
            raise AssertionError("asked")

    class Level(enum.IntEnum):
        HIGH = 3

    Pair = collections.namedtuple("Pair", "a b")
    assert type(there_and_back(torch.ones(2).as_subclass(Loud))) is torch.Tensor
    assert same(there_and_back(Pair(1, torch.ones(1))), (1, torch.ones(1)))
    assert same(there_and_back(collections.OrderedDict(a=1)), {"a": 1}) and same(
        there_and_back(collections.Counter("aab")), {"a": 2, "b": 1}
    )
    assert (
        same(there_and_back(Level.HIGH), 3)
        and same(there_and_back(torch.Size([2, 3])), (2, 3))
        and same(there_and_back(bytearray(b"x")), b"x")
    )


def test_arrays_and_their_scalars():
    for array in (
        np.arange(6.0).reshape(2, 3).T,
        np.array(["ab", "c"]),
        np.array(True),
        np.zeros((0, 2), np.int16),
        np.float32(2.5),
        np.bool_(True),
    ):
        assert same(there_and_back(array), array)
    with pytest.raises(ProtocolError):
        encode(np.array([object()]))


def test_a_dataclass_of_utils_crosses_by_its_fields_and_no_other_class_does():
    mdp = TabularMDP(torch.ones(2, 1, 2) / 2, torch.ones(2, 1), torch.tensor([False, True]), torch.tensor([1.0, 0.0]))
    got = there_and_back(mdp)
    assert type(got) is TabularMDP and torch.equal(got.transition, mdp.transition)
    for name in ("os.system", "subprocess.Popen", "builtins.eval", "utils.os.path", "utils.mdp.torch", "utils.mdp.__builtins__",
        "utils.mdp", "utils..mdp.X",
                 "autograde.checking.runner.Check", "utils.mdp.TabularMDP.step", "utils.textworld.__loader__"):  # fmt: skip
        with pytest.raises(ProtocolError):
            decode(message(["D", name, []]))
    with pytest.raises(ProtocolError, match="fields"):
        decode(message(["D", "utils.mdp.TabularMDP", [["reward", 1]]]))
    with pytest.raises(ProtocolError):
        decode(message(["D", "utils.mdp.TabularMDP", [[f, 1] for f in ("transition", "reward", "terminal", "start", "__class__")]]))


def test_what_is_not_data_does_not_cross_without_a_table():
    for value in (object(), print, (x for x in ()), torch.nn.Linear(1, 1), open, sys, torch.Generator(), torch.ones(2).to_sparse()):
        with pytest.raises(ProtocolError, match="cannot cross"):
            encode([value])


def test_the_table_takes_and_gives_the_rest():
    class Objects(Table):
        kept = [print]

        def export(self, value):
            return ["h", self.kept.index(value)]

        def resolve(self, tag, *arguments):
            return self.kept[arguments[0]]

    assert decode(encode({"f": [print]}, Objects()), Objects()) == {"f": [print]}


def test_cycles_depth_and_size_are_refused_by_who_writes():
    ring = []
    ring.append([ring])
    with pytest.raises(ProtocolError, match="contains itself"):
        encode(ring)
    deep = []
    for _ in range(500):
        deep = [deep]
    with pytest.raises(ProtocolError, match="deep"):
        encode(deep)
    shared = [1]
    assert there_and_back([shared, shared]) == [[1], [1]]
    for giant in (
        torch.zeros(1).expand(10**12),
        torch.zeros(1 << 25),
        np.broadcast_to(np.zeros(1), (10**12,)),
        bytes(65 << 20),
        "x" * (65 << 20),
        [0] * 3_000_000,
        1 << (1 << 21),
    ):
        with pytest.raises(ProtocolError, match="too (large|many)"):
            encode(giant)


def test_depth_size_and_count_are_refused_by_who_reads():
    with pytest.raises(ProtocolError, match="deep|nested"):
        decode(message(json.loads('["l",[' * 150 + "]]" * 150)))
    nested = '{"v":' + '["l",[' * 100_000 + "]]" * 100_000 + ',"b":[]}'
    for text in (nested, "[" * 1_000_000, '{"v":[' + "[]," * 5_000_000 + '[]],"b":[]}'):
        with pytest.raises(ProtocolError):
            decode(MAGIC + struct.pack(">Q", len(text)) + text.encode())
    with pytest.raises(ProtocolError, match="large"):
        decode(bytes(1000), limit=100)


@pytest.mark.parametrize("node", [
    ["T", "float32", [10**12], 0], ["T", "float32", [-1], 0], ["T", "float32", [1] * 65, 0], ["T", "float32", [1.0], 0], ["T",
    "float32", [True], 0],
    ["T", "float32", [1 << 61, 1 << 61], None], ["T", "float32", [0, 1 << 61, 1 << 61], None], ["T", "qint8", [1], 0], ["T", "Tensor",
    [1], 0], ["T", "float32", [1], 2],
    ["T", "float32", [1], -1], ["T", "float32", [1], "0"], ["A", "|O", [1], 0], ["A", "<f8,<f8", [1], 0], ["A", "O8", [], 0], ["A",
    "<U1", [1], 1], ["N", "<f4", [1], 0],
    ["A", "<f4", [1] * 40, 0], ["f", "nope"], ["i", "0x" + "f" * (1 << 20)], ["i", 5], ["c", "a", 1], ["d", [1]], ["d", [["l", []],
    1]], ["s", [["l", []]]],
    ["v", "cpu; import os"], ["v", 5], ["y", "Tensor"], ["x", 1], ["h", 0], ["k", 0, "function"], ["g", 0], ["l"], ["l", 5], [], [5],
    {"v": 1}, ["b", "\u20ac"], ["e", 1],
])  # fmt: skip
def test_every_lie_in_a_message_is_refused(node):
    with pytest.raises(ProtocolError):
        decode(message(node, [b"\0\0\0\0", b"\xff\xff\xff\xff"]))


def test_lies_about_the_buffers_are_refused():
    for lengths in ([1 << 40], [-1], ["4"], [True], None, 5, {"a": 1}):
        with pytest.raises(ProtocolError):
            decode(message(["B", 0], [b"abcd"], lengths if lengths is not None else {}))
    for text in (b"{}", b'{"v":null}', b"null", b'{"v":NaN,"b":[]}', b'{"v":1' + b"0" * 5000 + b',"b":[]}', b"\xff"):
        if text == b"{}":
            continue
        with pytest.raises(ProtocolError):
            decode(MAGIC + struct.pack(">Q", len(text)) + text)


def test_little_does_not_become_much():
    """A buffer belongs to one node, and a range is no longer than a list could be: ten megabytes must not become ten gigabytes."""
    with pytest.raises(ProtocolError, match="no such buffer"):
        decode(message(["l", [["B", 0], ["T", "uint8", [4], 0]]], [b"abcd"]))
    for ends in ([0, 10**18, 1], [10**18, 0, -3], [-(10**9), 10**9, 7]):
        with pytest.raises(ProtocolError, match="too long"):
            decode(message(["r", *ends]))
    for short in (range(0), range(10, 0, -3), range(10**18, 10**18 + 5), range(0, 10**18, 10**12)):
        assert there_and_back(short) == short


def test_a_bool_that_is_neither_is_made_one():
    got = decode(message(["T", "bool", [4], 0], [b"\x00\x01\x02\xff"]))
    assert got.tolist() == [False, True, True, True] and got.sum() == 3
    assert decode(message(["A", "|b1", [2], 0], [b"\x02\x00"])).view(np.uint8).tolist() == [1, 0]


def test_keys_made_to_collide_are_refused():
    prime = (1 << 61) - 1  # of Python's integer hash
    same_hash = [x for i in range(5000) for x in (["i", hex(i * prime)], 0)]
    with pytest.raises(ProtocolError, match="hash"):
        decode(message(["d", same_hash]))
    with pytest.raises(ProtocolError, match="hash"):
        decode(message(["s", same_hash[::2]]))
    assert len(there_and_back({i: i for i in range(5000)})) == 5000


def test_decoding_looks_nothing_up_and_runs_nothing(monkeypatch):
    imported = []
    monkeypatch.setattr(wire.importlib, "import_module", lambda name: imported.append(name) or sys.modules["utils"])
    for node in (["D", "os.path", []], ["D", "evil.module.Class", []], ["h", 1], ["y", "__class__"]):
        with pytest.raises(ProtocolError):
            decode(message(node))
    assert set(imported) <= {"utils"}


def meeting(filled, walking, size):
    """Keys with different hashes that a dict's table of `size` puts into the same places: the first fill a stretch of the order in which
    Python looks for a free place, the others walk along it."""
    slots, slot = [], 0
    for _ in range(filled):
        slots.append(slot)
        slot = (5 * slot + 1) % size
    return slots + [size * n for n in range(1, walking + 1)]


def test_keys_that_meet_in_a_table_do_not_keep_the_decoder_busy(monkeypatch):
    monkeypatch.setattr(decoding, "KEY_SECONDS", 0.2)
    nodes = [x for key in meeting(320_000, 25_000, 1 << 19) for x in (key, 0)]
    text = json.dumps({"v": ["d", nodes], "b": []}).encode()
    message = codec.HEADER.pack(codec.MAGIC, len(text)) + text
    began = time.process_time()
    with pytest.raises(ProtocolError, match="keys"):
        decode(message)
    assert time.process_time() - began < 3  # it takes far longer to the end


def test_many_honest_keys_are_read():
    value = {f"word {n}": n for n in range(200_000)} | {n: str(n) for n in range(200_000)}
    assert decode(encode(value)) == value


def test_no_more_tensors_than_anybody_needs():
    assert len(decode(encode([torch.ones(()) for _ in range(2000)]))) == 2000
    with pytest.raises(ProtocolError, match="too many tensors"):
        encode([torch.ones(())] * (wire.MAX_BUFFERS + 1))
    text = json.dumps({"v": None, "b": [0] * (wire.MAX_BUFFERS + 1)}).encode()
    with pytest.raises(ProtocolError, match="too many tensors"):
        decode(codec.HEADER.pack(codec.MAGIC, len(text)) + text)
