"""A seccomp filter in plain BPF: system calls that no lesson needs and that have been the way out of sandboxes.

It is a list of what is denied, so that a Python or PyTorch that starts to use some new harmless call still runs. What
keeps a student's code in is the namespaces; this makes the kernel behind them smaller, keeps one process one process
(threads are fine, so the memory limit of a process is the limit of all), and takes away memory that no limit counts.
"""

from __future__ import annotations

import ctypes
import errno
import struct

from autograde.grader.sandbox import syscalls

_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32 = 0x40000000
# (x86_64, aarch64); None where the architecture has no such call
_DENIED = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "add_key": (248, 217),
    "request_key": (249, 218), "keyctl": (250, 219), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431),
    "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442), "unshare": (272, 97), "setns": (308, 268),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104), "kexec_file_load": (320, 294),
    "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89), "quotactl": (179, 60),
    "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264), "syslog": (103, 116), "settimeofday": (164, 170),
    "clock_settime": (227, 112), "adjtimex": (159, 171), "memfd_create": (319, 279), "memfd_secret": (447, 447),
    "shmget": (29, 194), "msgget": (68, 186), "semget": (64, 190), "mq_open": (240, 180), "fanotify_init": (300, 262),
    "pidfd_getfd": (438, 438), "personality": (135, 92), "vhangup": (153, 58),
    "iopl": (172, None), "ioperm": (173, None), "lookup_dcookie": (212, 18),
}  # fmt: skip
_NEW_PROGRAM = {"execve": (59, 221), "execveat": (322, 281), "fork": (57, None), "vfork": (58, None)}
# What Landlock leaves open and namespaces close: signals, sockets in the file system, what a file is called and whose it is
_WITHOUT_NAMESPACES = {
    "kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424), "truncate": (76, 45), "chmod": (90, None), "fchmod": (91, 52),
    "fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, None), "lchown": (94, None), "fchown": (93, 55),
    "fchownat": (260, 54), "utime": (132, None), "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "removexattr": (197, 14), "lremovexattr": (198, 15),
    "fremovexattr": (199, 16), "setpriority": (141, 140), "sched_setaffinity": (203, 122), "sched_setscheduler": (144, 119),
    "ioprio_set": (251, 30), "migrate_pages": (256, 238), "move_pages": (279, 239), "shmat": (30, 196), "shmctl": (31, 195),
    "semop": (65, 193), "msgsnd": (69, 189), "msgrcv": (70, 188),
}  # fmt: skip
_CLONE, _CLONE3, _SOCKET, _PRLIMIT = (56, 220), (435, 435), (41, 198), (302, 261)
_CLONE_THREAD, _NEW_NAMESPACES = 0x10000, 0x7E020000

# BPF: (code, jump if true, jump if false, constant)
_LOAD, _EQUAL, _AT_LEAST, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data; the first argument's low half
_ALLOW, _KILL = 0x7FFF0000, 0x80000000


def _deny(code: int) -> tuple[int, int, int, int]:
    return (_RETURN, 0, 0, 0x00050000 | code)


def program(namespaces: bool) -> bytes:
    """The filter for this machine; `namespaces`: there are some. Raises OSError where the architecture is not known here."""
    if syscalls.MACHINE not in _ARCH:
        raise OSError(errno.ENOSYS, f"no filter for {syscalls.MACHINE}")
    which = list(_ARCH).index(syscalls.MACHINE)
    steps = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, _ARCH[syscalls.MACHINE]), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, _NUMBER)]
    if syscalls.MACHINE == "x86_64":
        steps += [(_AT_LEAST, 0, 1, _X32), _deny(errno.EPERM)]  # the same calls under other numbers
    denied = {**_DENIED, **_NEW_PROGRAM, **({} if namespaces else _WITHOUT_NAMESPACES)}
    for number in (numbers[which] for numbers in denied.values()):
        if number is not None:
            steps += [(_EQUAL, 0, 1, number), _deny(errno.EPERM)]
    steps += [(_EQUAL, 0, 1, _SOCKET[which]), _deny(errno.EACCES)]  # not vsock either, which no namespace holds; pairs are fine
    steps += [(_EQUAL, 0, 1, _CLONE3[which]), _deny(errno.ENOSYS)]  # its flags are in memory; glibc falls back to clone
    steps += _only_if(_CLONE[which], _NEW_NAMESPACES, 0, [*_only_threads()])
    if not namespaces:
        steps += _only_if(_PRLIMIT[which], 0xFFFFFFFF, 0, [])  # of this process, not of another
    steps.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def _only_if(number: int, mask: int, value: int, then: list) -> list[tuple[int, int, int, int]]:
    """Deny the call unless its first argument & mask is `value`; where it is, go through `then` and allow."""
    test = [(_LOAD, 0, 0, _FIRST_ARGUMENT), (_AND, 0, 0, mask), (_EQUAL, 1, 0, value), _deny(errno.EPERM)]
    inside = [*test, *then, (_RETURN, 0, 0, _ALLOW)]
    return [(_EQUAL, 0, len(inside), number), *inside]


def _only_threads() -> list[tuple[int, int, int, int]]:
    return [(_LOAD, 0, 0, _FIRST_ARGUMENT), (_AND, 0, 0, _CLONE_THREAD), (_EQUAL, 0, 1, 0), _deny(errno.EPERM)]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_char_p)]


def install(namespaces: bool) -> None:
    """Filter this process and all it starts, for ever. `no_new_privs` must be set. Raises OSError."""
    steps = program(namespaces)
    filter_ = _Program(len(steps) // 8, steps)
    syscalls.prctl(syscalls.PR_SET_SECCOMP, 2, ctypes.addressof(filter_))
