"""Unpack what people hand in: nothing outside the folder, no links, no devices, and never more than a limit of bytes and files."""

from __future__ import annotations

import bz2
import contextlib
import errno
import gzip
import io
import lzma
import math
import os
import re
import shutil
import stat
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from autograde.files import opened
from autograde.grader.ingest.formats import mail_file, odd_zips, zip_names
from autograde.grader.ingest.naming.programs_folders import FOLDERS
from autograde.grader.sandbox.bounded import TooMuch, bounded, used

MAX_FILES = 20_000
MAX_BYTES = 4 * 2**30  # of all files in one archive, unpacked
MAX_MEMBER = 1 * 2**30
MAX_RATIO = 200  # a member that grows more than this is a bomb; outputs of a notebook grow about thirty times
GROWTH = 30  # of a whole archive, since outputs pack well
MODEST = 2**29  # bytes to which any archive may grow, however small it is
KEPT = (2**25, 500, 1.0)  # bytes, files and seconds that the others take from no archive that waits, as far as there is so much for all
MAX_NAME = 240  # bytes
UNNAMEABLE = (errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ)  # of one member, and of no other
CHUNK = 2**20
FAULTS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, UnicodeError)  # of what is packed
PART = "it cannot be unpacked whole ({})"
SECONDS = 60  # of processor time for one archive
SMALL_SECONDS = 20  # for one of no size, and one more for each MB: half a gigabyte is unpacked in less
Opens = Callable[[IO[bytes]], IO[bytes]]
PACKED: dict[bytes, Opens] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open}  # type: ignore[dict-item]  # by how it begins
ROOT = re.compile(r"^(?:[A-Za-z]:)?/+")  # of a path from the top of a disk: it is taken from the top of the archive
PYTORCHS = re.compile(
    rb"[^/]+/(?:data\.pkl|data/\d+|constants\.pkl|\.format_version|byteorder|\.data/.+|code/__torch__.*)"
)  # not a student's `hw3/code/`
WORK = re.compile(r"(?i)\.(?:ipynb|py|zip|tar|tgz|eml|mbox|safetensors|dbc|deepnote|yml)\b|(?:^|/)gpt_config\.json$")  # by their names
SUFFIXES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")


@dataclass
class Unpacked:
    """The folder, and what was left out and why, by its name in the archive."""

    folder: Path
    left_out: list[tuple[str, str]] = field(default_factory=list)
    room: Room | None = None  # for the archives in it


@dataclass
class Room:
    """How much archives may still unpack to, in a folder or an archive `around` them: what they take is taken from what that one has, too.

    An archive that holds a class may grow as notebooks do. One in another is a student's, and a small file may hold thousands of them. Each of those
    `waiting` keeps a share, so that nobody's take it from those of others that come later.
    """

    bytes: float
    files: float
    seconds: float  # of processor time
    around: Room | None = None
    waiting: int = 0

    @classmethod
    def of(cls, path: Path, around: Room | None) -> Room:
        if around:
            return cls(MAX_BYTES // 4, MAX_FILES, SECONDS, around)
        size = _size(path)
        return cls(max(MAX_BYTES, GROWTH * size), 5 * MAX_FILES, min(10 * SECONDS, SECONDS + size / 2**20))

    @classmethod
    def of_folder(cls, folder: Path) -> Room:
        """For all archives below a folder: it may be one student's, or that of a section with many."""
        sizes = [_size(path) for path in _called_archives(folder)]
        return cls(
            max(MAX_BYTES, GROWTH * sum(sizes)), 5 * MAX_FILES, min(10 * SECONDS, 2 * SECONDS + sum(sizes) / 2**20), waiting=len(sizes)
        )

    def left(self) -> tuple[float, float, float]:
        """Bytes, files and seconds that the next archive may take."""
        all_there_is = self.bytes, self.files, self.seconds
        own = [most - self.waiting * min(kept, most / (self.waiting + 1)) for most, kept in zip(all_there_is, KEPT)]
        most, files, seconds = map(min, own, self.around.left()) if self.around else own
        return most, files, seconds

    def take(self, size: int, files: int, seconds: float) -> None:
        self.bytes, self.files, self.seconds = self.bytes - size, self.files - files, self.seconds - seconds
        if self.around:
            self.around.take(size, files, seconds)


def _called_archives(folder: Path) -> list[Path]:
    """The files below a folder that are called archives."""
    found = [
        Path(place, name) for place, _, names in os.walk(folder) for name in names if name.lower().endswith((*SUFFIXES, *mail_file.ENDINGS))
    ]
    return [path for path in found if path.is_file() and not path.is_symlink()]


def _size(path: Path) -> int:
    """0 of one that has gone since it was found."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


class BadArchive(ValueError):
    """It cannot be unpacked; the message says why."""


def is_archive(path: Path) -> bool:
    """Whether it can be unpacked here, by its content: a notebook called `.zip` is none, a zip called `.ipynb` is one."""
    try:
        with opened(path) as stream:
            start = stream.read(8)
        return (
            start.startswith((b"PK\x03\x04", b"PK\x05\x06"))
            and not is_pytorchs(path)
            or _is_gz(path, start)
            or path.name.lower().endswith(SUFFIXES[1:])
            and _is_tar(path)
            or mail_file.is_one(path)
        )
    except (OSError, TooMuch):
        return False


def is_pytorchs(path: Path) -> bool:
    """Whether it is a zip as `torch.save` and `torch.jit.save` write one, by the name of the first file in it."""
    try:
        with opened(path) as stream:
            start = stream.read(200)
    except OSError:
        return False
    name = start[30 : 30 + int.from_bytes(start[26:28], "little")]
    return start.startswith(b"PK\x03\x04") and bool(PYTORCHS.fullmatch(name))


def _is_gz(path: Path, start: bytes) -> bool:
    """Whether it is one packed notebook."""
    return start.startswith(b"\x1f\x8b") and path.name.lower().endswith((".ipynb.gz", ".ipynb"))


@bounded()
def _is_tar(path: Path) -> bool:
    """By its first block alone: to read what stands behind may take for ever, and is for who unpacks it."""
    with opened(path) as stream:
        unpacked = next((opens(stream) for begins, opens in PACKED.items() if stream.peek().startswith(begins)), stream)
        try:
            block = unpacked.read(tarfile.BLOCKSIZE)
            if block == bytes(tarfile.BLOCKSIZE):
                return True  # it holds nothing
            tarfile.TarInfo.frombuf(block, tarfile.ENCODING, "surrogateescape")
        except (tarfile.HeaderError, EOFError, ValueError, OSError, lzma.LZMAError, zlib.error):
            return False
    return True


def unpack(path: Path, folder: Path, around: Room | None = None, sender: bool = False) -> Unpacked:
    """Write an archive's files below `folder`, which is new; `around` is what is left of the archive that it lay in, `sender` says that of a mail
    they are to lie in the folder of who sent it.

    Raises:
        BadArchive: when it is damaged, holds too much, is locked by a password, or takes too much to unpack. Nothing of it stays then.
    """
    if around:
        around.waiting = max(0, around.waiting - 1)
    room, began = Room.of(path, around), used()
    most, files, seconds = room.left()
    if most < 1 or files < 1 or seconds <= 0:
        raise BadArchive("the archives around it and beside it hold too much already")
    most, size, count = min(most, MAX_BYTES, max(MODEST, GROWTH * _size(path))), 0, 0
    seconds = min(seconds, SECONDS, SMALL_SECONDS + _size(path) / 2**20)
    try:
        left_out, size, count = _unpack(path, folder, int(most), int(min(files, MAX_FILES)), sender, math.ceil(seconds))
        room.waiting = len(_called_archives(folder))
        return Unpacked(folder, [(name, why) for name, why in left_out], room)
    except (BadArchive, TooMuch) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise error if isinstance(error, BadArchive) else BadArchive(f"the archive cannot be unpacked: {error}") from None
    finally:
        room.take(size, count, min(used() - began, seconds))  # the system ends by whole seconds: what is over is not the others'


@bounded(lambda *given: given[-1], raises=(BadArchive,))
def _unpack(path: Path, folder: Path, most: int, files: int, sender: bool, seconds: int) -> tuple[list[tuple[str, str]], int, int]:
    """What was left out, and how many bytes and files were written."""
    result = Unpacked(folder)
    folder.mkdir(parents=True)
    try:
        if _is_locked(path):
            raise BadArchive("the archive is locked by a password: ask for it without one")
        members = _mail_members(path, sender) if mail_file.is_one(path) else _members(path)
        size, count = _write_all(members, result, most, files)
    except BadArchive:
        raise
    except (*FAULTS, tarfile.TarError, OSError, ValueError) as error:
        raise BadArchive(f"the archive cannot be unpacked ({_said(error)})") from None
    return result.left_out, size, count


def _said(error: Exception) -> str:
    """An error without the place to which files are unpacked, which tells nobody anything."""
    if isinstance(error, RuntimeError) and "password" in str(error):
        return "it is locked by a password"
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)


@dataclass(frozen=True)
class _Member:
    name: str
    size: int
    packed: int
    regular: bool
    time: float  # seconds since 1970
    open: Callable[[], IO[bytes] | None]
    ordered: bool = False  # whether what may be work comes before this and all that follow


def _is_locked(path: Path) -> bool:
    """Whether all in a zip can only be read with a password."""
    if not zipfile.is_zipfile(path):
        return False
    with odd_zips.reader(path) as archive:
        files = [info for info in archive.infolist() if not info.is_dir()]
    return bool(files) and all(info.flag_bits & 0x1 for info in files)


def _members(path: Path) -> Iterator[_Member]:
    if zipfile.is_zipfile(path):
        return _zip_members(path)
    with opened(path) as stream:
        start = stream.read(8)
    if start.startswith(b"PK"):
        raise BadArchive("the archive is cut off, or a part of one: ask for it in one piece")
    packed = _is_gz(path, start)
    return _gz_member(path) if packed else _tar_members(path)


def _mail_members(path: Path, sender: bool) -> Iterator[_Member]:
    for file in mail_file.attached(path, sender):
        size = len(file.content)
        yield _Member(file.name, size, max(size, 1), True, file.time or path.stat().st_mtime, partial(io.BytesIO, file.content))


def _gz_member(path: Path) -> Iterator[_Member]:
    status = path.stat()
    yield _Member(path.name.removesuffix(".gz"), 0, status.st_size, True, status.st_mtime, partial(gzip.open, path))  # type: ignore[arg-type]


def _zip_members(path: Path) -> Iterator[_Member]:
    with odd_zips.reader(path) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
        for info, name in sorted(zip(infos, zip_names.names(infos)), key=lambda one: _order(one[1])):
            kind = stat.S_IFMT(info.external_attr >> 16)
            regular = kind in (0, stat.S_IFREG)
            yield _Member(
                name, info.file_size, max(info.compress_size, 1), regular, _zip_time(info), partial(odd_zips.member, archive, info), True
            )


def _order(name: str) -> tuple[bool, int]:
    """What may be somebody's work comes first, and then what lies less deep: where there are too many files, the rest is a data set's."""
    return not WORK.search(name), name.count("/") if not WORK.search(name) else 0


def _zip_time(info: zipfile.ZipInfo) -> float:
    """The member's own time, which has no zone: this machine's is taken. Packers that know none write 1980."""
    try:
        return time.mktime((*info.date_time, 0, 0, -1)) if info.date_time[0] > 1980 else time.time()
    except (ValueError, OverflowError):
        return time.time()


def _tar_members(path: Path) -> Iterator[_Member]:
    with tarfile.open(path) as archive:
        for info in archive:
            if not info.isdir():
                yield _Member(info.name, info.size, max(info.size, 1), info.isreg(), info.mtime, partial(archive.extractfile, info))


def _write_all(members: Iterator[_Member], result: Unpacked, most: int, files: int) -> tuple[int, int]:
    count = total = 0
    for member in members:
        if not FOLDERS.isdisjoint(PurePosixPath(member.name.replace("\\", "/")).parts[:-1]):
            continue
        count += 1
        if count > files and (WORK.search(member.name) or not member.ordered):
            raise BadArchive(f"it holds more than {files} files")
        if count > files:
            result.left_out.append((member.name, f"it holds more than {files} files: this one and others that are no notebooks stay in it"))
            break
        try:
            place, why = _place(member, result.folder)
            total += 0 if why else _copy(member, place, most - total)
        except FAULTS as error:
            why = PART.format(_said(error))
        except OSError as error:
            if error.errno and error.errno not in UNNAMEABLE:
                raise
            why = f"it cannot be called so here ({os.strerror(error.errno)})" if error.errno else PART.format(error)
        if why:
            result.left_out.append((member.name, why))
    return total, count


def _place(member: _Member, folder: Path) -> tuple[Path, str]:
    """Where a member goes, or why it is left out."""
    parts = PurePosixPath(ROOT.sub("", member.name.replace("\\", "/"))).parts
    if not parts or ".." in parts or parts[0][1:2] == ":" or any("\0" in part for part in parts):
        return folder, "its path leads out of the archive"
    if any(len(part.encode(errors="replace")) > MAX_NAME for part in parts) or len(parts) > 40:
        return folder, "its path is too long"
    if not member.regular:
        return folder, "it is a link or a device; these are not followed"
    if member.size > MAX_MEMBER:
        return folder, f"it has more than {MAX_MEMBER // 2**20} MB"
    if member.size > 10 * 2**20 and member.size / member.packed > MAX_RATIO:
        return folder, "it grows as only a trap for unpackers does"
    place = folder.joinpath(*parts)
    return (place, "it stands twice in the archive") if place.exists() else (place, "")


def _copy(member: _Member, place: Path, most: int) -> int:
    """Write one member, by what it really holds: the size in the archive's list is only what it says."""
    allowed = min(most, MAX_MEMBER, max(10 * 2**20, member.packed * MAX_RATIO))
    place.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with (
        place.open("wb") as stream,
        contextlib.ExitStack() as opened_too,
    ):  # whose it is can then be told by its name, also where nothing can be read
        source = member.open()
        assert source is not None, "only a link or a device has nothing to read, and is left out"
        opened_too.enter_context(source)
        while chunk := source.read(CHUNK):
            written += len(chunk)
            if written > allowed:
                raise BadArchive(
                    f"{member.name} holds more than it says, or the archive more than {MAX_BYTES // 2**30} GB, with those around it"
                )
            stream.write(chunk)
    with contextlib.suppress(OSError, OverflowError, ValueError):
        os.utime(place, (member.time, member.time))
    return written
