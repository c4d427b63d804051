"""Runs a command as a container does that gives root no more than Docker's default: `python container.py [--no-landlock] COMMAND…`.

The capabilities are Docker's default ones, and its system call filter's refusals that matter here: no new namespaces, no mounts. With
`--no-landlock` the kernel behind it has no Landlock either, as before Linux 5.13.
"""

import ctypes
import errno
import os
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from autograde.grader.sandbox import seccomp, syscalls  # noqa: E402, after the path is set

KEPT = {0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31}  # CHOWN, DAC_OVERRIDE, … SETGID, SETUID, SETPCAP, … SETFCAP
REFUSED = {  # by x86_64's number and aarch64's
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "open_tree": (428, 428),
    "move_mount": (429, 429), "mount_setattr": (442, 442), "fsopen": (430, 430), "fsmount": (432, 432), "ptrace": (101, 117),
}  # fmt: skip
CLONE, CLONE3 = (56, 220), (435, 435)
LANDLOCK = (syscalls.LANDLOCK_CREATE_RULESET, syscalls.LANDLOCK_ADD_RULE, syscalls.LANDLOCK_RESTRICT_SELF)


def enter(landlock: bool) -> None:
    """Become root as a container knows it, for ever."""
    syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
    _install(landlock)
    for capability in range(41):
        if capability not in KEPT:
            syscalls.prctl(syscalls.PR_CAPBSET_DROP, capability)
    kept = sum(1 << capability for capability in KEPT)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    data = (ctypes.c_uint32 * 6)(kept & 0xFFFFFFFF, kept & 0xFFFFFFFF, 0, 0, 0, 0)
    syscalls._call("capset", ctypes.byref(header), ctypes.byref(data))


def _install(landlock: bool) -> None:
    which = list(seccomp.ARCHITECTURES).index(syscalls.MACHINE)
    steps = [(seccomp._LOAD, 0, 0, seccomp._NUMBER)]
    for numbers in REFUSED.values():
        steps += [(seccomp._EQUAL, 0, 1, numbers[which]), seccomp._deny(errno.EPERM)]
    for number in () if landlock else LANDLOCK:
        steps += [(seccomp._EQUAL, 0, 1, number), seccomp._deny(errno.ENOSYS)]
    steps += [(seccomp._EQUAL, 0, 1, CLONE3[which]), seccomp._deny(errno.ENOSYS)]
    body = seccomp._unless(0, seccomp._NEW_NAMESPACES, [0])
    steps += [(seccomp._EQUAL, 0, len(body), CLONE[which]), *body, seccomp._ALLOW]
    filter_ = seccomp._Program(len(steps), b"".join(struct.pack("HBBI", *step) for step in steps))
    syscalls.prctl(syscalls.PR_SET_SECCOMP, 2, ctypes.addressof(filter_))


if __name__ == "__main__":
    command = sys.argv[1:]
    without = command[0] == "--no-landlock"
    enter(landlock=not without)
    os.execv(command[without], command[without:])
