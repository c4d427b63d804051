"""What docs/security.md promises of untrusted code, and which of it holds on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograde.grader.sandbox.modes import Level
from autograde.grader.sandbox.probe import Support

SIGNALS_SCOPED = 6  # Landlock's version from which it keeps signals in


@dataclass(frozen=True)
class Promise:
    """One thing that a submission cannot do; `why` says what keeps it, or what is open instead."""

    what: str
    kept: bool
    why: str


def promises(support: Support, schedstat: Path = Path("/proc/self/schedstat")) -> Iterator[Promise]:
    """Each promise that depends on the machine, the weightiest first."""
    level, filtered = support.level, support.seccomp
    isolated = level in (Level.NAMESPACES, Level.LANDLOCK)
    apart = level == Level.NAMESPACES
    yield Promise(
        "reads nothing but Python and the course's material",
        isolated,
        _by(level) if isolated else "files that your account may read are open",
    )
    written = level != Level.LIMITS
    yield Promise("writes nothing outside its scratch folder", written, _by(level) if written else "your files can be changed")
    yield Promise(
        "does not see which other files there are", apart, _by(level) if apart else "that a file exists, and its size, can be seen"
    )
    closed = apart or filtered and written
    yield Promise("reaches no network", closed, _by(level, filtered) if closed else "the network is open")
    quiet = apart or filtered and written or level == Level.LANDLOCK and support.landlock >= SIGNALS_SCOPED
    yield Promise(
        "sends no signal to other processes", quiet, _by(level, filtered) if quiet else "processes of the same account can be ended"
    )
    listed = filtered and written
    yield Promise("makes only system calls of a list", listed, "by seccomp" if listed else "all of the kernel's are open")
    grouped = "memory" in support.groups
    kept_by = [*["no new processes, by seccomp"] * listed, *["by a control group"] * grouped]
    yield Promise(
        "has one memory limit for all it starts", bool(kept_by), "; ".join(kept_by) or "each process it starts has the limit anew"
    )
    counted = schedstat.exists()
    yield Promise(
        "gains and loses no time by how busy the machine is", counted, "by the kernel's count of each process" if counted
        else "this system does not count how long a process waits: on a busy machine, grade with fewer --workers",
    )  # fmt: skip
    if "cpu" in support.groups:
        yield Promise("keeps no more than one processor busy", True, "by a control group")


def _by(level: Level, filtered: bool = False) -> str:
    return f"by {level}" if level == Level.NAMESPACES or not filtered else "by seccomp"
