"""One grader at a time in a results folder: two would write one gradebook."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

HELD = (errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK)


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the system releases it when the process ends, however it ends.

    What is in the file only says who holds it: a number in it that another process has by now means nothing.

    Raises:
        ValueError: when another grader holds it, or the folder can neither be made nor written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = (folder / ".lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise ValueError(f"results cannot be written in {folder} ({error.strerror}): make it writable, or choose another --out") from None
    with handle:
        _take(handle, folder)
        handle.truncate(0)
        handle.write(f"process {os.getpid()} on {socket.gethostname()}")
        handle.flush()
        yield


def _take(handle: IO[str], folder: Path) -> None:
    try:
        _lock(handle)
    except OSError as error:
        if error.errno in HELD:
            handle.seek(0)
            who = handle.read(200) or "another process"
            raise ValueError(f"another grader ({who}) is at work in {folder}: wait for it or end it, or choose another --out") from None
        raise ValueError(f"{folder} is on a disk without locks ({error.strerror}): choose an --out on this machine's own disk") from None


def _lock(handle: IO[str]) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
