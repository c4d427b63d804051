"""Zips with names that Python's reader stops at, though all files could be read: no UTF-8, as they say, or another than in the zip's list."""

from __future__ import annotations

import io
import zipfile
from bisect import bisect_left
from pathlib import Path
from typing import IO

from autograde.files import opened

UTF_8 = 0x800  # the flag of a name that says that it is UTF-8
END, ENTRY = b"PK\x05\x06", b"PK\x01\x02"
END_BYTES, ENTRY_BYTES, LONGEST_COMMENT = 22, 46, 2**16
FLAGS, FLAGS_OF_FILE = 9, 7  # the byte in which that flag is, of an entry and of what stands before the file itself


def reader(path: Path) -> zipfile.ZipFile:
    """The archive as it is; where Python cannot read its names, without the flag at names that are not UTF-8.

    Raises:
        zipfile.BadZipFile, UnicodeError: when it cannot be read so, either.
    """
    try:
        return zipfile.ZipFile(path)
    except UnicodeDecodeError:
        return zipfile.ZipFile(_WithoutFlags(path))


def member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes]:
    """One file of the archive, also where another name stands before it than in the list: packers write one of them in another encoding.

    Raises:
        zipfile.BadZipFile and what else `ZipFile.open` does: when it cannot be read.
    """
    try:
        return archive.open(info)
    except zipfile.BadZipFile:
        info.orig_filename = _name_before(archive, info)
        return archive.open(info)


def _name_before(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> str:
    stream = archive.fp
    assert stream is not None, "it is open"
    stream.seek(info.header_offset)
    header = stream.read(30)
    name = stream.read(int.from_bytes(header[26:28], "little"))
    return name.decode("utf-8" if int.from_bytes(header[6:8], "little") & UTF_8 else "cp437")


class _WithoutFlags(io.BufferedReader):
    """A zip's bytes, but for the flags that are wrong, in its list of names and before each file."""

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path))
        self._wrong = _wrong_flags(path)

    def read(self, size: int | None = -1, /) -> bytes:
        begin, content = self.tell(), bytearray(super().read(size))
        for at in self._wrong[bisect_left(self._wrong, begin) : bisect_left(self._wrong, begin + len(content))]:
            content[at - begin] &= ~(UTF_8 >> 8) & 0xFF
        return bytes(content)


def _wrong_flags(path: Path) -> list[int]:
    """Where the bytes lie that say of a name that it is UTF-8, and it is not."""
    with opened(path) as stream:
        start, entries, before = _list(stream)
    at, found = 0, list[int]()
    while entries[at : at + 4] == ENTRY:
        name, extra, comment = (int.from_bytes(entries[at + i : at + i + 2], "little") for i in (28, 30, 32))
        if not _is_utf_8(entries[at + ENTRY_BYTES : at + ENTRY_BYTES + name]):
            file = before + int.from_bytes(entries[at + 42 : at + 46], "little")
            found += [start + at + FLAGS, file + FLAGS_OF_FILE]
        at += ENTRY_BYTES + name + extra + comment
    return sorted(found)


def _list(stream: IO[bytes]) -> tuple[int, bytes, int]:
    """Where the list of names begins, the list, and what stands before the archive, as before one that unpacks itself."""
    whole = stream.seek(0, io.SEEK_END)
    behind = stream.seek(max(0, whole - END_BYTES - LONGEST_COMMENT))
    last = stream.read()
    end = last.rfind(END)
    size, said = (int.from_bytes(last[end + i : end + i + 4], "little") for i in (12, 16))
    start = stream.seek(max(0, behind + end - size))
    return start, stream.read(size), start - said


def _is_utf_8(name: bytes) -> bool:
    try:
        name.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
