"""A control group of Linux's (cgroup v2) for each worker, where this process may make some: limits of memory, tasks and processors that hold for all that a
submission starts together, its files in memory included. Where there are none, or only some controllers, the other limits stand as they are.

They can be had where a part of the tree has been given to us: in a container that may write to it, or after `systemd-run --user --scope -p
Delegate=yes`. A group that has processes cannot be divided, so those that are in ours (this one, and who started it) go into one beside the workers'.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

from autograde.grader.sandbox.limits import Limits

PREFIX = "autograde-"
BESIDE = f"{PREFIX}grader"  # the group of what was in ours
WANTED = ("memory", "pids", "cpu")
DELEGATED = ("user.delegate", "trusted.delegate")  # what systemd writes on a part that it has given away
PERIOD = 100_000  # microseconds, in which a worker may use one processor for as long


class Groups:
    """Those in `folder`, which is None where there are none; `controllers` are the kinds of limits that can be had."""

    def __init__(self, folder: Path | None = None, controllers: tuple[str, ...] = ()) -> None:
        self.folder, self.controllers = folder, controllers
        self._name, self._numbers = f"{PREFIX}{os.getpid()}", itertools.count()  # in a PID namespace every server is the first

    def make(self, limits: Limits) -> Path | None:
        """A new one with limits, to `join`."""
        if self.folder is None:
            return None
        group = self.folder / f"{self._name}-{next(self._numbers)}"
        with contextlib.suppress(OSError):
            group.mkdir()
            for name, value in _settings(limits):
                if name.split(".")[0] in self.controllers:
                    _write(group / name, value)
            return group
        return None


def join(group: Path | None) -> None:
    """This process, and what it starts, is in it from now on."""
    if group is not None:
        _write(group / "cgroup.procs", "0")


def remove(group: Path | None) -> None:
    """End what is left in it, and the group."""
    if group is not None:
        _write(group / "cgroup.kill", "1")
        with contextlib.suppress(OSError):
            group.rmdir()


def prepare(proc: Path = Path("/proc")) -> Groups:
    """What can be had here, made ready; it is looked for in `proc`."""
    with contextlib.suppress(OSError, ValueError, StopIteration):
        own = _own(proc)
        if own is not None and _is_ours(own):
            controllers = [name for name in WANTED if name in (own / "cgroup.controllers").read_text().split()]
            if controllers and _divide(own, controllers):
                _sweep(own)
                return Groups(own, tuple(controllers))
    return Groups()


def _own(proc: Path) -> Path | None:
    """The folder of the group that this process was started in, where version 2 is mounted."""
    name = next(line[3:] for line in (proc / "self/cgroup").read_text().splitlines() if line.startswith("0::"))
    for line in (proc / "self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        if after.split(" ")[0] == "cgroup2":
            own = Path(before.split(" ")[4], name.lstrip("/"))
            return own.parent if own.name == BESIDE else own  # there a command before this one has put who started both
    return None


def _is_ours(group: Path) -> bool:
    """Whether this part of the tree has been given to us, and not only that an administrator may write everywhere."""
    if not os.access(group / "cgroup.procs", os.W_OK) or not os.access(group, os.W_OK):
        return False
    if not (group.parent / "cgroup.procs").exists():  # a container's own, or the machine's first
        return True
    return os.geteuid() != 0 or any(_attribute(group, name) == b"1" for name in DELEGATED)


def _attribute(path: Path, name: str) -> bytes:
    with contextlib.suppress(OSError, AttributeError):  # a system without
        return os.getxattr(path, name)
    return b""


def _divide(own: Path, controllers: list[str]) -> bool:
    """Let groups in ours have limits. Only the machine's first may have processes of its own beside them."""
    wanted = " ".join(f"+{name}" for name in controllers)
    if _write(own / "cgroup.subtree_control", wanted):
        return True
    beside = own / BESIDE
    beside.mkdir(exist_ok=True)
    for _ in range(5):  # one may start another meanwhile
        for number in (own / "cgroup.procs").read_text().split():
            _write(beside / "cgroup.procs", number)
        if _write(own / "cgroup.subtree_control", wanted):
            return True
    return False


def _sweep(own: Path) -> None:
    """Remove what a grader that was killed has left; one that has processes stays."""
    for group in own.glob(f"{PREFIX}[0-9]*"):
        with contextlib.suppress(OSError):
            group.rmdir()


def _settings(limits: Limits) -> Iterator[tuple[str, str]]:
    yield "memory.max", str(limits.memory_bytes + limits.disk_bytes)  # files of the scratch folder are in memory
    yield "memory.swap.max", "0"
    yield "memory.oom.group", "1"
    yield "pids.max", str(limits.tasks)
    yield "cpu.max", f"{PERIOD} {PERIOD}"


def _write(path: Path, text: str) -> bool:
    """Whether it was taken."""
    with contextlib.suppress(OSError):
        path.write_text(text)
        return True
    return False
