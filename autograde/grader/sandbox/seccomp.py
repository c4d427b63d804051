"""A seccomp filter in plain BPF: the system calls that computing needs are allowed, and no others.

The namespaces are what isolates; this makes the kernel behind them smaller. It also keeps one process one process (threads are fine,
so the memory limit of a process is the limit of all), takes away memory that no limit counts (`memfd_create`), and closes channels
between workers that share read-only files: locks, leases, inotify, the page cache's state (`mincore`, `RWF_NOWAIT`), futexes in their pages,
the pages of pipes, which are counted for an account, and how many threads the machine has (`sysinfo`). Where there are no namespaces it
also stands between a worker and the signals, names and attributes of files, and datagram sockets of others.

An unknown call gets ENOSYS, as from an older kernel, so that a newer C library falls back to one that is known.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Sequence

from autograde.grader.sandbox import syscalls
from autograde.grader.sandbox.modes import Level
from autograde.grader.sandbox.syscall_numbers import EVERYWHERE, IN_NAMESPACES, LOOKED_INTO

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32 = 0x40000000  # the same calls under other numbers
_NEWER = 435  # from clone3 on, a C library expects that a kernel may not have it
_CLONE_THREAD, _NEW_NAMESPACES = 0x10000, 0x7E020000
_SOCK_STREAM, _SOCK_SEQPACKET, _SOCK_TYPE = 1, 5, 0xF
# F_DUPFD to F_SETFL, F_DUPFD_CLOEXEC, F_GETPIPE_SZ, F_GET_SEALS: no locks, leases, owners of signals, no larger pipes
_FCNTL = (0, 1, 2, 3, 4, 1030, 1032, 1034)
_F_SETFL, _O_ASYNC = 4, 0x2000
_IOCTL = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX
# PR_GET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_NAME, PR_GET_NAME, PR_CAPBSET_READ, PR_GET_NO_NEW_PRIVS, PR_GET_TID_ADDRESS, PR_GET_THP_DISABLE, PR_SET_VMA
_PRCTL = (2, 3, 15, 16, 23, 39, 40, 42, 0x53564D41)
# FUTEX_PRIVATE_FLAG with any operation, or FUTEX_WAIT and FUTEX_WAIT_BITSET, by which a thread waits for the end of another: nothing wakes a
# waiter in another process
_FUTEX = (*(0x80 | operation for operation in range(14)), 0, 9)
_CLOCK_REALTIME = 0x100
# MADV_NORMAL to MADV_DONTNEED, FREE, DONTFORK, DOFORK, HUGEPAGE, NOHUGEPAGE, DONTDUMP, DODUMP, WIPEONFORK, KEEPONFORK: nothing about pages that others share
_MADVISE = (0, 1, 2, 3, 4, 8, 10, 11, 14, 15, 16, 17, 18, 19)

Step = tuple[int, int, int, int]  # BPF: code, jump if true, jump if false, constant
_LOAD, _EQUAL, _AT_LEAST, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_KILL = 0x80000000
_ALLOW: Step = (_RETURN, 0, 0, 0x7FFF0000)


def program(level: Level) -> bytes:
    """The filter for this machine at a level. Raises OSError where the architecture is not known here."""
    if syscalls.MACHINE not in ARCHITECTURES:
        raise OSError(errno.ENOSYS, f"no filter for {syscalls.MACHINE}")
    which = list(ARCHITECTURES).index(syscalls.MACHINE)
    steps = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, ARCHITECTURES[syscalls.MACHINE]), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, _NUMBER)]
    if syscalls.MACHINE == "x86_64":
        steps += [(_AT_LEAST, 0, 1, _X32), _deny(errno.EPERM)]
    for name, body in _looked_into(level).items():
        if (number := LOOKED_INTO[name][which]) is not None:
            steps += [(_EQUAL, 0, len(body), number), *body]
    listed = {**EVERYWHERE, **(IN_NAMESPACES if level == Level.NAMESPACES else {})}
    steps += _any_of(sorted(number for numbers in listed.values() if (number := numbers[which]) is not None))
    steps += [(_AT_LEAST, 0, 1, _NEWER), _deny(errno.ENOSYS), _deny(errno.EPERM)]
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def _looked_into(level: Level) -> dict[str, list[Step]]:
    """Calls that are allowed with some arguments only; each body ends with a verdict."""
    # Some folders, files, pipes and devices are everybody's to write
    writing = os.O_CREAT | os.O_TRUNC | os.O_ACCMODE | os.O_TMPFILE & ~os.O_DIRECTORY if level == Level.ACCOUNT else 0
    return {
        "clone": [*_unless(0, _NEW_NAMESPACES, [0]), *_unless(0, _CLONE_THREAD, [_CLONE_THREAD]), _ALLOW],
        "socket": [_deny(errno.EACCES)],  # not vsock either, which no namespace holds; pairs are fine
        "socketpair": [*_unless(1, _SOCK_TYPE, [_SOCK_STREAM, _SOCK_SEQPACKET]), _ALLOW],  # a datagram's address may name another socket
        "fcntl": [*_unless(1, 0xFFFFFFFF, _FCNTL), *_set_flags(), _ALLOW],
        "ioctl": [*_unless(1, 0xFFFFFFFF, _IOCTL, errno.ENOTTY), _ALLOW],
        "prctl": [*_unless(0, 0xFFFFFFFF, _PRCTL), _ALLOW],
        "prlimit64": [*_unless(0, 0xFFFFFFFF, [0]), _ALLOW],  # of this process, not of another
        "open": [*_unless(1, writing, [0], errno.EACCES), _ALLOW],
        "openat": [*_unless(2, writing, [0], errno.EACCES), _ALLOW],
        "futex": [*_unless(1, 0xFFFFFFFF & ~_CLOCK_REALTIME, _FUTEX), _ALLOW],
        "preadv2": [*_unless(5, 0xFFFFFFFF, [0], errno.EOPNOTSUPP), _ALLOW],  # no RWF_NOWAIT, which tells what is in the page cache
        "pwritev2": [*_unless(5, 0xFFFFFFFF, [0], errno.EOPNOTSUPP), _ALLOW],
        "madvise": [*_unless(2, 0xFFFFFFFF, _MADVISE, errno.EINVAL), _ALLOW],
    }


def _set_flags() -> list[Step]:
    """F_SETFL: not O_ASYNC, which sends signals."""
    refused = _unless(2, _O_ASYNC, [0])
    return [(_LOAD, 0, 0, _offset(1)), (_EQUAL, 0, len(refused), _F_SETFL), *refused]


def _unless(argument: int, mask: int, values: Sequence[int], code: int = errno.EPERM) -> list[Step]:
    """Deny unless `argument` & `mask` is one of `values`; else go on."""
    tests = [(_EQUAL, len(values) - i, 0, value) for i, value in enumerate(values)]
    return [(_LOAD, 0, 0, _offset(argument)), (_AND, 0, 0, mask), *tests, _deny(code)]


def _any_of(numbers: Sequence[int]) -> list[Step]:
    """Allow each of these system calls, those with numbers in a row together."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return [step for first, last in runs for step in ((_AT_LEAST, 2, 0, last + 1), (_AT_LEAST, 0, 1, first), _ALLOW)]


def _offset(argument: int) -> int:
    """Where an argument's low half is, on a little-endian machine."""
    return _ARGUMENTS + 8 * argument


def _deny(code: int) -> Step:
    return (_RETURN, 0, 0, 0x00050000 | code)


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_char_p)]


def install(level: Level) -> None:
    """Filter this process and all it starts, for ever. `no_new_privs` must be set. Raises OSError."""
    steps = program(level)
    filter_ = _Program(len(steps) // 8, steps)
    syscalls.prctl(syscalls.PR_SET_SECCOMP, 2, ctypes.addressof(filter_))
