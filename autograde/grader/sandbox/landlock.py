"""Landlock: which files a process may read and write, without any namespace. Where there are none, it stands in for them."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable

from autograde.grader.sandbox import syscalls

_EXECUTE, _WRITE, _READ, _READ_DIR = 1, 2, 4, 8
_ALL_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
_FOR_FILES = _EXECUTE | _WRITE | _READ | 1 << 14 | 1 << 15  # what makes sense for a path that is no folder


def abi() -> int:
    """The kernel's version of Landlock; 0 where there is none."""
    try:
        return syscalls.syscall(syscalls.LANDLOCK_CREATE_RULESET, 0, 0, 1)
    except OSError:
        return 0


def restrict(readable: Iterable[str], writable: Iterable[str]) -> None:
    """From now on: read below `readable`, read and write below `writable`, nothing else; no TCP, no signals to others."""
    version = abi()
    everything = _ALL_BY_ABI[min(version, 5)]
    tcp, scopes = (3 if version >= 4 else 0), (3 if version >= 6 else 0)
    attributes = (ctypes.c_uint64 * 3)(everything, tcp, scopes)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = syscalls.syscall(syscalls.LANDLOCK_CREATE_RULESET, ctypes.byref(attributes), size, 0)
    for paths, rights in ((readable, _EXECUTE | _READ | _READ_DIR), (writable, everything & ~_EXECUTE)):
        for path in paths:
            _allow(ruleset, path, rights)
    syscalls.syscall(syscalls.LANDLOCK_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


class _Rule(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("rights", ctypes.c_uint64), ("descriptor", ctypes.c_int32)]


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there needs no rule
    rule = _Rule(rights if os.path.isdir(path) else rights & _FOR_FILES, descriptor)
    syscalls.syscall(syscalls.LANDLOCK_ADD_RULE, ruleset, 1, ctypes.byref(rule), 0)
    os.close(descriptor)
