"""The Linux calls that Python 3.11 does not have, by ctypes. Elsewhere every one of them raises OSError(ENOSYS).

The numbers of the newer system calls are the same on every architecture.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import sys

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REC, MS_PRIVATE, MS_BIND = 1, 2, 4, 8, 0x4000, 1 << 18, 0x1000
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 4, 24, 22, 38
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
_AT_FDCWD, _AT_EMPTY_PATH, _AT_RECURSIVE = -100, 0x1000, 0x8000
_OPEN_TREE_CLONE, _OPEN_TREE_CLOEXEC, _MOVE_MOUNT_F_EMPTY_PATH = 1, os.O_CLOEXEC, 4
_READ_ONLY, _NOSUID, _NODEV = 1, 2, 4
_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR = 428, 429, 442
LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
MACHINE = platform.machine()

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform.startswith("linux") else None


def _call(name: str, *arguments) -> int:
    if _libc is None:
        raise OSError(errno.ENOSYS, f"{name}: not Linux")
    result = getattr(_libc, name)(*arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return result


def syscall(number: int, *arguments) -> int:
    return _call("syscall", ctypes.c_long(number), *(ctypes.c_long(a) if isinstance(a, int) else a for a in arguments))


def unshare(flags: int) -> None:
    _call("unshare", ctypes.c_int(flags))


def setns(descriptor: int, kind: int) -> None:
    _call("setns", ctypes.c_int(descriptor), ctypes.c_int(kind))


def prctl(option: int, *arguments) -> int:
    return _call("prctl", ctypes.c_int(option), *(ctypes.c_ulong(a) if isinstance(a, int) else a for a in (*arguments, 0, 0, 0, 0)[:4]))


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    _call("mount", source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode() or None)


def sethostname(name: str) -> None:
    _call("sethostname", name.encode(), ctypes.c_size_t(len(name)))


def detached_tree(path: str, as_it_is: bool = False, device: bool = False) -> int:
    """A copy of the mounts below `path`, read-only for ever unless it stays `as_it_is`, as a descriptor that `attach` puts somewhere
    (Linux 5.12). Of a `device` that is read-only one cannot change when it was last used, which others would see; it takes what is written."""
    tree = syscall(_OPEN_TREE, _AT_FDCWD, ctypes.c_char_p(path.encode()), _OPEN_TREE_CLONE | _OPEN_TREE_CLOEXEC | _AT_RECURSIVE)
    if not as_it_is:
        read_only(tree, "", _AT_EMPTY_PATH | _AT_RECURSIVE, _READ_ONLY | _NOSUID | (0 if device else _NODEV))
    return tree


def read_only(descriptor: int, path: str, flags: int = 0, attributes: int = _READ_ONLY | _NOSUID | _NODEV) -> None:
    change = (ctypes.c_uint64 * 4)(attributes, 0, 0, 0)
    syscall(_MOUNT_SETATTR, descriptor, ctypes.c_char_p(path.encode()), flags, ctypes.byref(change), ctypes.sizeof(change))


def attach(tree: int, target: str) -> None:
    empty = ctypes.c_char_p(b"")
    syscall(_MOVE_MOUNT, tree, empty, _AT_FDCWD, ctypes.c_char_p(target.encode()), _MOVE_MOUNT_F_EMPTY_PATH)
    os.close(tree)


def change_root(path: str) -> None:
    """Make `path`, a mount, the root of everything; nothing of the old tree stays reachable."""
    os.chdir(path)
    if MACHINE not in _PIVOT_ROOT:
        raise OSError(errno.ENOSYS, f"pivot_root: its number on {MACHINE} is not known here")
    here = ctypes.c_char_p(b".")
    syscall(_PIVOT_ROOT[MACHINE], here, here)
    _call("umount2", b".", ctypes.c_int(MNT_DETACH))
    os.chdir("/")


def drop_capabilities() -> None:
    """Give up every capability for good: what one could gain, what one has, what a program would inherit."""
    for capability in range(64):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError as error:
            if error.errno == errno.EINVAL:
                break  # past the last one this kernel knows
            if error.errno != errno.EPERM:  # without CAP_SETPCAP there is nothing in it that one could use
                raise
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # version 3, this process
    _call("capset", ctypes.byref(header), ctypes.byref((ctypes.c_uint32 * 6)()))


def map_ids(inside: int, uid: int, gid: int, proc: int | None = None) -> None:
    """Give the new user namespace its one user and one group; `proc`: a descriptor of /proc where that is out of sight."""
    folder = os.open("/proc", os.O_PATH) if proc is None else proc
    for name, text in (("setgroups", "deny"), ("uid_map", f"{inside} {uid} 1"), ("gid_map", f"{inside} {gid} 1")):
        descriptor = os.open(f"self/{name}", os.O_WRONLY, dir_fd=folder)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)
