"""Random bytes where untrusted ones come in: messages of a worker, and files that are handed in.

Whatever comes, the wire format gives a value or a ProtocolError, and reading a file gives cells or Unreadable, within a stated processor
time. A few seconds here; `make fuzz` goes on for an hour with other bytes each time and prints the seed of what it finds.
"""

import json
import os
import random
import struct
import time

import pytest

from autograde import layout
from autograde.authoring.sample_class import LESSON
from autograde.checking.errors import ProtocolError
from autograde.grader.ingest.formats.notebook_file import Unreadable, read
from autograde.grader.ingest.found.lesson_of import by_content
from autograde.grader.rpc import codec, decoding
from autograde.grader.rpc.codec import decode, encode

pytestmark = pytest.mark.soak
SECONDS = float(os.environ.get("FUZZ_SECONDS", "2"))  # for each fuzzer
SEED = int(os.environ.get("FUZZ_SEED", "0"))  # of the first round
MOST = 5.0  # seconds of processor time for one message or file, as small as these are
WORDS = ["{", "}", "[", "]", '"', ",", ":", "\\", "\n", "# %%", "```", "'''", "<<<<<<< ", "=======", ">>>>>>> ", "cells", "source", "worksheets",
         "outputs", "metadata", "nbgrader", "grade_id", "null", "NaN", "1e999", "\ud800", "\u202e", "\0", "def f(", "!x", "%%time", "-1", "é"]  # fmt: skip


def seeds():
    """Numbers of rounds for as long as there is time: always the same ones, or from FUZZ_SEED on."""
    end = time.process_time() + SECONDS
    seed = SEED
    while time.process_time() < end:
        yield seed
        seed += 1


def damaged(data: bytes, source: random.Random) -> bytes:
    """`data` with a few pieces of it changed, doubled, moved, cut or replaced by words that mean something to a parser."""
    found = bytearray(data)
    for _ in range(source.randint(1, 8)):
        at, size = source.randrange(len(found) + 1), source.choice((1, 2, 8, 64, 512))
        piece = source.choice(
            (
                b"",
                found[at : at + size] * source.choice((2, 50)),
                source.randbytes(size),
                source.choice(WORDS).encode("utf-8", "surrogatepass") * size,
            )
        )
        found[at : at + source.choice((0, size))] = piece
    return bytes(found[: 1 << 20])


def node(source: random.Random, depth: int = 0) -> object:
    """A tree that looks like a message's, with tags and numbers where they may not be."""
    if depth > 4 or source.random() < 0.3:
        return source.choice((None, True, 0, -1, 1 << 70, 0.5, "x", "\ud800", [], {}, "cpu", "float32", [["h", 1]]))
    tags = source.choice((*decoding.READERS, "h", "k", "g", "?", ""))
    return [tags, *(node(source, depth + 1) for _ in range(source.randint(0, 4)))]


def message(source: random.Random) -> bytes:
    buffers = [source.choice((0, 1, 16, 1 << 40, -1, "x")) for _ in range(source.randint(0, 3))]
    text = json.dumps({"v": node(source), "b": buffers}).encode()
    body = codec.MAGIC + struct.pack(">Q", len(text)) + text
    return body + bytes(-len(body) % codec.ALIGNMENT) + source.randbytes(source.choice((0, 16, 48)))


VALUES = [{"a": [1, 2.5, None], "b": (True, "text", b"bytes")}, {3, 4}, slice(1, 2), range(5), 1 << 200, complex(1, 2), float("inf")]


@pytest.mark.parametrize("make", [message, lambda source: damaged(encode(source.choice(VALUES)), source)], ids=["made", "damaged"])
def test_any_message_is_a_value_or_a_protocol_error(make):
    for seed in seeds():
        data = make(random.Random(seed))
        began = time.process_time()
        try:
            decode(data)
        except ProtocolError:
            pass
        except BaseException as error:
            raise AssertionError(f"FUZZ_SEED={seed}: {type(error).__name__}") from error
        assert time.process_time() - began < MOST, f"FUZZ_SEED={seed}"


NOTEBOOK = (layout.NOTEBOOKS / f"{LESSON}.ipynb").read_bytes()
SCRIPT = layout.source_path(LESSON).read_bytes()
OLD = json.dumps(
    {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [{"cells": [{"cell_type": "markdown", "source": "x"}]}]}
)


@pytest.mark.parametrize(
    ("data", "suffix"), [(NOTEBOOK, ".ipynb"), (OLD.encode(), ".ipynb"), (SCRIPT, ".py")], ids=["notebook", "old", "script"]
)
def test_any_file_is_read_or_unreadable(tmp_path, data, suffix):
    path = tmp_path / f"work{suffix}"
    for seed in seeds():
        path.write_bytes(damaged(data, random.Random(seed)))
        began = time.process_time()
        try:
            by_content(path)
            notebook = read(path)
            assert all(isinstance(cell.source, str) for cell in notebook.cells)
        except Unreadable as reason:
            assert str(reason)
        except BaseException as error:
            raise AssertionError(f"FUZZ_SEED={seed}: {type(error).__name__}") from error
        assert time.process_time() - began < MOST, f"FUZZ_SEED={seed}"
