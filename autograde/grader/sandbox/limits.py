"""What one submission may use, and the kernel's limits that hold it to that."""

from __future__ import annotations

import contextlib
import math
import os
import resource
from collections.abc import Iterator
from dataclasses import dataclass

NO_GPU = {"CUDA_VISIBLE_DEVICES": "", "HIP_VISIBLE_DEVICES": ""}  # a machine's GPU is not for strangers, and points must not depend on it


@dataclass(frozen=True)
class Limits:
    """What one submission may use."""

    memory_bytes: int = 2 << 30  # beyond what Python and PyTorch have mapped at the start
    cpu_seconds: int = 600
    tasks: int = 64  # threads; new processes are forbidden
    file_bytes: int = 64 << 20
    disk_bytes: int = 128 << 20  # of the scratch folder
    disk_files: int = 4096
    open_files: int = 256
    message_bytes: int = 64 << 20
    request_seconds: float = 10
    test_seconds: float = 30
    cell_seconds: float = 10
    own_seconds: float = 2  # a cell that the student has added and no answer needs: an experiment must not cost one
    own_cells_seconds: float = 10  # all of these together; of the later ones only what takes no time is run
    cells_seconds: float = 30  # all cells together
    total_seconds: float = 240  # all that a submission's code does, in every worker it gets
    wall_factor: float = 4  # the seconds above are the worker's own; a busy machine may take so many times as long
    hidden_paths: tuple[str, ...] = ()  # never readable, wherever they lie: a gradebook, the other submissions


def apply(limits: Limits, mapped: int, tasks: int | None = None) -> None:
    """`tasks` is left out where the filter allows no new process: the memory limit ends a flood of threads."""
    for name, value in (
        ("AS", mapped + limits.memory_bytes if mapped else None),
        ("CPU", limits.cpu_seconds),
        ("NPROC", tasks),
        ("FSIZE", limits.file_bytes),
        ("NOFILE", limits.open_files),
        ("CORE", 0),
    ):
        which = getattr(resource, f"RLIMIT_{name}", None)
        if which is not None and value is not None:
            _, hard = resource.getrlimit(which)
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            with contextlib.suppress(ValueError, OSError):  # macOS refuses some
                resource.setrlimit(which, (value, value))


def first_to_go() -> None:
    """When the machine runs out of memory, Linux ends this process before the grader's own."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("1000")


def tasks_of_this_user() -> int:
    """What the kernel compares the limit with where there is no user namespace; 1000 where the system does not say."""
    count, uid = 0, os.getuid()
    with contextlib.suppress(OSError):
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                count += len(os.listdir(f"/proc/{name}/task")) if os.stat(f"/proc/{name}").st_uid == uid else 0
    return count or 1000


def mapped_bytes() -> int:
    """The address space in use; 0 where the system does not say."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


@contextlib.contextmanager
def bounded_memory(beyond: int = Limits.memory_bytes) -> Iterator[None]:
    """For the trusted side, too: untrusted data may be small and what a check makes of it large. More is a MemoryError."""
    mapped, before = mapped_bytes(), resource.getrlimit(resource.RLIMIT_AS)
    most = [n for n in (mapped + beyond, before[0]) if n != resource.RLIM_INFINITY]
    try:
        if mapped:
            resource.setrlimit(resource.RLIMIT_AS, (min(most), before[1]))
        yield
    finally:
        if mapped:
            resource.setrlimit(resource.RLIMIT_AS, before)


def more_processor_time(seconds: int) -> None:
    """Let this process use so many seconds from now on; the system then ends it, whatever it is at."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    soft = math.ceil(used.ru_utime + used.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
