"""One grader at a time in a results folder: two would write one gradebook."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from autograde.checking.errors import UserError


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the system releases it when the process ends, however it ends.

    What is in the file only says who holds it: a number in it that another process has by now means nothing.

    Raises:
        UserError: when another grader holds it, or the folder can neither be made nor written.
    """
    path = folder / ".lock"
    lock = FileLock(path, timeout=0, thread_local=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.touch()
        lock.acquire()
    except Timeout:
        raise UserError(
            f"another grader ({_holder(path)}) is at work in {folder}: wait for it or end it, and type this again; `grade` can go to another --out meanwhile"
        ) from None
    except OSError as error:
        words = f"results cannot be written in {folder} ({error.strerror}): make it writable, or choose another --out on a local disk"
        raise UserError(words) from None
    try:
        path.write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")
        yield
    finally:
        lock.release()


def _holder(path: Path) -> str:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return path.read_text(encoding="utf-8")[:200] or "another process"
    return "another process"
