"""Every state that a killed process can leave on disk: what a folder holds before each change that a run makes in it.

SIGKILL, the end of memory and a crash leave the files as the kernel has them. So a copy of the folder, made before a change, is what a kill at
that moment leaves, and one run gives all moments. A file that was opened to be written is also kept cut in half: a kill amid its writing.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from sqlalchemy import event
from sqlalchemy.engine import Engine

# audit events of Python that change the disk, and which of their arguments are paths; fsync has none and is replaced
CHANGES = {
    "os.rename": (0, 1),
    "os.remove": (0,),
    "os.mkdir": (0,),
    "os.rmdir": (0,),
    "os.link": (0, 1),
    "os.symlink": (0, 1),
    "os.truncate": (0,),
}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
SECONDS = 100  # for a run that takes one to five
WITHOUT_MEANING = ("grader.log", ".lock")


class Snapshots:
    """Copies of `folder` in `into`, numbered, one for each state that differs from all before."""

    def __init__(self, folder: Path, into: Path) -> None:
        self.folder, self.into = folder, into
        self._states: set[str] = set()
        self._opened: Path | None = None
        self._at_it = False  # the copying itself changes nothing

    def install(self) -> None:
        """For the rest of this process: audit hooks cannot be removed."""
        sys.addaudithook(self._audited)
        event.listen(Engine, "before_cursor_execute", lambda *_: self.keep())
        event.listen(Engine, "commit", lambda _: self.keep())
        real = os.fsync

        def fsync(descriptor: int) -> None:
            self.keep()
            real(descriptor)

        os.fsync = fsync

    def keep(self) -> None:
        """Copy the folder as it is, if it is as it never was."""
        if self._at_it or not self.folder.exists():
            return
        self._at_it = True
        copied, torn = self._copy(), self._opened
        if copied and torn is not None and torn.exists() and torn.stat().st_size:
            half = self._copy(again=True) / torn.relative_to(self.folder)
            os.truncate(half, half.stat().st_size // 2)
        self._opened, self._at_it = None, False

    def _copy(self, again: bool = False) -> Path | None:
        state = _state(self.folder)
        if state in self._states and not again:
            return None
        self._states.add(state)
        target = self.into / f"{len(list(self.into.iterdir())):03d}"
        shutil.copytree(self.folder, target)
        return target

    def _audited(self, name: str, arguments: tuple) -> None:
        if name == "open" and arguments[2] & WRITES and self._is_here(arguments[0]):
            self.keep()
            self._opened = Path(os.fsdecode(arguments[0]))
        elif any(self._is_here(arguments[i]) for i in CHANGES.get(name, ())):
            self.keep()

    def _is_here(self, path: object) -> bool:
        return not self._at_it and isinstance(path, (str, bytes, os.PathLike)) and os.fsdecode(path).startswith(str(self.folder))


def states_of(work: Callable[[], object], folder: Path, into: Path) -> list[Path]:
    """Do `work` in a forked process; give what `folder` held before each of its changes, and at its end.

    A fork of a process with threads (another test may have left some of Dask's) inherits the locks that they held, and may wait for one for
    ever. Such a fork is ended, and made once more.

    Raises:
        AssertionError: when the work fails.
    """
    for _ in range(2):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(into, ignore_errors=True)
        into.mkdir()
        status, told = _forked(work, Snapshots(folder, into))
        if status != -signal.SIGALRM:
            break
    assert status == 0, told or f"the forked process ended with {status}"
    return sorted(into.iterdir())


def _forked(work: Callable[[], object], snapshots: Snapshots) -> tuple[int, str]:
    """How the process ended, and what it told."""
    reader, writer = os.pipe()
    if (pid := os.fork()) == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(SECONDS)
        _work(work, snapshots, writer)
    os.close(writer)
    with os.fdopen(reader) as stream:
        told = stream.read()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), told


def _work(work: Callable[[], object], snapshots: Snapshots, writer: int) -> NoReturn:
    status = 1
    try:
        snapshots.install()
        work()
        snapshots.keep()
        status = 0
    except BaseException as error:
        os.write(writer, repr(error).encode()[:4000])
    finally:
        os._exit(status)


def _state(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.name not in WITHOUT_MEANING:
            digest.update(f"\0{path.relative_to(folder)}\0".encode())
            digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()
