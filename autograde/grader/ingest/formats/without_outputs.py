"""A notebook's bytes without what its cells printed and drew, read in flat memory: outputs never count against a size."""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from pathlib import Path

from autograde.files import opened

QUOTE = re.compile(rb'"')
STRING_END = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)  # possessive: flat memory however long the string
IN_VALUE = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}]', re.DOTALL)
DEPTH = {b"[": 1, b"{": 1, b"]": -1, b"}": -1}
LEFT_OUT = {b"outputs": b"[", b"widgets": b"{"}  # the latter: the saved state of widgets, in the notebook's own metadata
PICTURES = {b"attachments": b"{"}
PICTURE = re.compile(rb"data:image/[\w.+-]{1,40};base64,[A-Za-z0-9+/=]{4096,}+")  # in a text
EMPTY = {b"[": b"[]", b"{": b"{}"}
SHORTEST = 40  # bytes: fewer hold no output
Span = tuple[int, int]  # where in the file something begins and ends
KEY_END = re.compile(rb"\s*:\s*")


class TooLarge(ValueError):
    """More than `limit` bytes are left without the outputs."""


def read(path: Path, limit: int, places: bool = False, pictures: bool = True) -> bytes:
    """The file's JSON with empty `outputs`, at most `limit` bytes; a file that is no JSON comes back as it is. Without `pictures` those in texts
    are left out, too.

    With `places` the list of outputs holds where in the file it begins and ends, if there are some.

    Raises:
        TooLarge: when more is left.
    """
    if path.stat().st_size == 0:
        return b""
    with opened(path) as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        kept: list[bytes] = []
        size = 0
        for start, end, instead in _kept(data, places, pictures):
            size += end - start + len(instead)
            if size > limit:
                raise TooLarge(size)
            kept.append(data[start:end] + instead)
        return b"".join(kept)


def _kept(data: mmap.mmap, places: bool, pictures: bool) -> Iterator[tuple[int, int, bytes]]:
    """`(start, end, instead)`: what stays, and what stands for what is left out after it."""
    start = position = 0
    left_out = LEFT_OUT if pictures else LEFT_OUT | PICTURES
    while found := QUOTE.search(data, position):
        first, position = found.end(), _string_end(data, found.end())
        for picture in PICTURE.finditer(data, first, position) if not pictures else ():
            yield start, picture.start(), b""
            start = picture.end()
        opens = left_out.get(data[first : position - 1]) if position - first < 13 else None
        value = KEY_END.match(data, position) if opens else None
        if value and data[value.end() : value.end() + 1] == opens:
            position = _value_end(data, value.end())
            place = places and opens == b"[" and position - value.end() > SHORTEST
            yield start, value.end(), f"[{value.end()},{position}]".encode() if place else EMPTY[opens]
            start = position
    yield start, len(data), b""


def _string_end(data: mmap.mmap, position: int) -> int:
    """Just after the quote that ends the string whose text begins at `position`."""
    found = STRING_END.match(data, position)
    return found.end() if found else len(data)


def _value_end(data: mmap.mmap, position: int) -> int:
    """Just after the array or object that begins at `position`."""
    depth = 0
    for found in IN_VALUE.finditer(data, position):
        depth += DEPTH.get(data[found.start() : found.start() + 1], 0)  # `found[0]` would copy a string of any length
        if depth == 0:
            return found.end()
    return len(data)
