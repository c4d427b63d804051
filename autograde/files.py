"""Files that are never half written, and files of strangers that are files."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
import tempfile
from pathlib import Path

PART = ".autograde-"  # how a file begins that is being written


def write(path: Path, content: bytes) -> None:
    """Replace a file at once: a reader sees the old content or the new, also after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=PART, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except BaseException as error:
        if isinstance(error, OSError) and not error.filename:
            error.filename = str(path)  # a full disk names no file
        Path(temporary).unlink(missing_ok=True)
        raise


def opened(path: Path) -> io.BufferedReader:
    """A regular file, to be read: opening a pipe would wait for whoever writes into it, and a device has no end.

    Raises:
        OSError: for anything else.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    return os.fdopen(descriptor, "rb")


def sweep(folder: Path) -> None:
    """Take away what a killed run was writing; only for who holds the folder's lock."""
    for part in folder.rglob(f"{PART}*.part"):
        part.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make the new name durable too; not every file system and not Windows can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
