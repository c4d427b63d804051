"""Isolates a forked process before untrusted code runs in it.

Four levels, the best that the machine has:
- *namespaces*: a file system of its own with nothing in it but Python and the course's `utils` and `data`, read-only, and a
  small scratch folder; no network, no other process in sight; no privilege left to get out with;
- *landlock*: the machine's files, of which only the same may be read and none written; no network, no signals to others;
- *account*: where root has neither (in most containers), an account that owns nothing; it reads what everybody may, and writes
  nothing; no network, no signals to others;
- *limits*: only the limits on memory, processor time and so on, which hold at every level.
Seccomp, where there is one, makes the kernel smaller at the first three and forbids new processes.

The work is in two steps, because a new PID namespace begins with a fork: `prepare` when the fork server starts, `fork`
and `enter` for each worker. Both are the same for root and for an ordinary account, which gets its privileges from a user
namespace of the fork server's own.
"""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass, replace

from autograde.checking.errors import SandboxUnavailable
from autograde.grader.sandbox import landlock, seccomp, syscalls
from autograde.grader.sandbox.limits import Limits, apply, mapped_bytes, tasks_of_this_user
from autograde.grader.sandbox.modes import Level, Mode
from autograde.grader.sandbox.root_fs import NOBODY, RootFs

FIRST_ACCOUNT = 0x70000000  # above what systems, containers and directory services give out
OPEN = (Level.ACCOUNT, Level.LIMITS)  # levels at which some or all of the machine's files can be read
REFUSED = {Mode.REQUIRED: OPEN, Mode.ACCOUNT: (Level.LIMITS,)}  # by mode


@dataclass
class _Server:
    """What `prepare` found."""

    pid_namespace: int = -1  # a descriptor of the fork server's own
    reason: str = "prepare() was not called"


_server = _Server()


def prepare() -> None:
    """Give this process, single-threaded still, the right to make namespaces, and become the first of a PID namespace.

    The process that called waits in the background and ends as this one does.
    """
    uid, gid = os.geteuid(), os.getegid()
    try:
        syscalls.unshare(syscalls.CLONE_NEWPID | (syscalls.CLONE_NEWUSER if uid else 0))
        if uid:
            syscalls.map_ids(uid, uid, gid)
    except OSError as error:
        _server.reason = f"no namespaces: {error}"
        return
    child = os.fork()
    if child:
        _mirror(child)
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
    _server.pid_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    _server.reason = ""


def _mirror(child: int) -> None:
    """Wait for `child` and end as it ends."""
    os.closerange(0, 3)
    _, status = os.waitpid(child, 0)
    os._exit(max(0, os.waitstatus_to_exitcode(status)))


def fork(mode: Mode) -> int:
    """os.fork(), into a new PID namespace where that is possible: what is in it dies with its first process."""
    if mode not in (Mode.REQUIRED, Mode.AUTO) or _server.reason:
        return os.fork()
    syscalls.unshare(syscalls.CLONE_NEWPID)  # of the children
    pid = -1
    try:
        pid = os.fork()
        return pid
    finally:
        if pid:
            syscalls.setns(_server.pid_namespace, syscalls.CLONE_NEWPID)


def enter(limits: Limits, mode: Mode, root_fs: RootFs) -> Level:
    """Shut this process in and say at which level. Raises SandboxUnavailable where that is less than `mode` wants."""
    level, reason = _isolate(limits, mode, root_fs)
    if level in REFUSED.get(mode, ()):
        raise SandboxUnavailable(f"this machine cannot isolate student code: {reason}")
    return level


def _isolate(limits: Limits, mode: Mode, root_fs: RootFs) -> tuple[Level, str]:
    mapped = mapped_bytes()  # while there is a /proc to ask
    if mode == Mode.OFF:
        apply(limits, mapped)
        return Level.OFF, ""
    reason = _server.reason or ("not wanted" if mode in (Mode.LANDLOCK, Mode.ACCOUNT, Mode.LIMITS) else "")
    if not reason:
        try:
            root_fs.build(limits.disk_bytes, limits.disk_files)
            _no_privileges()
            apply(limits, mapped, limits.tasks)  # counted in our own user namespace
            _filter()
            return Level.NAMESPACES, ""
        except OSError as error:
            reason = f"no namespaces: {error}"
    return _without_namespaces(limits, mapped, root_fs, reason, mode)


def _without_namespaces(limits: Limits, mapped: int, root_fs: RootFs, reason: str, mode: Mode) -> tuple[Level, str]:
    try:
        if landlock.abi() < 1 or mode in (Mode.ACCOUNT, Mode.LIMITS):
            raise OSError("no Landlock")
        syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
        landlock.restrict(root_fs.allowed(), ["/dev/null"])
        _no_privileges()
        apply(limits, mapped)
        seccomp.install(Level.LANDLOCK)
        os.chdir("/")
        return Level.LANDLOCK, reason
    except OSError as error:
        reason = f"{reason}; {error}"
    try:
        _as_nobody(limits, mapped, mode)
        return Level.ACCOUNT, reason
    except OSError as error:
        apply(limits, mapped, tasks_of_this_user() + limits.tasks)
        return Level.LIMITS, f"{reason}; {error}"


def _as_nobody(limits: Limits, mapped: int, mode: Mode) -> None:
    """The system's own rules for files are what is left. Raises OSError where this is not root, or there is no filter."""
    if mode == Mode.LIMITS or os.geteuid() != 0:
        raise OSError("no other account to run as")
    seccomp.program(Level.ACCOUNT)  # that there is one is known before there is no way back
    os.setgroups([])
    try:
        _become(FIRST_ACCOUNT + os.getpid())  # an account for each worker, so that none has a right over another
    except OSError:  # a container may know few accounts
        _become(NOBODY)
    _no_privileges()
    apply(replace(limits, file_bytes=0), mapped)  # some folders are everybody's to write
    seccomp.install(Level.ACCOUNT)
    os.chdir("/")


def _become(account: int) -> None:
    os.setresgid(account, account, account)
    os.setresuid(account, account, account)


def _no_privileges() -> None:
    syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
    syscalls.drop_capabilities()
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)  # a change of user clears it


def _filter() -> None:
    with contextlib.suppress(OSError):  # namespaces stand without it
        seccomp.install(Level.NAMESPACES)
