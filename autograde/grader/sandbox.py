"""Shuts a forked process in before a stranger's code runs in it.

Four levels, the best that the machine has:
- *namespaces*: a file system of its own with nothing in it but Python and the course's `utils` and `data`, read-only, and a
  small scratch folder; no network, no other process in sight; no privilege left to get out with;
- *landlock*: the machine's files, of which only the same may be read and none written; no network, no signals to others;
- *account*: where root has neither (in most containers), an account that owns nothing; it reads what everybody may, and writes
  nothing; no network, no signals to others;
- *limits*: only the limits on memory, processor time and so on, which hold at every level.
Seccomp, where there is one, makes the kernel smaller at the first three and forbids new processes.

The work is in two steps, because a new PID namespace begins with a fork: `prepare` when the warm process starts, `fork`
and `enter` for each worker. Both are the same for root and for an ordinary account, which gets its privileges from a user
namespace of the warm process's own.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from autograde.errors import SandboxUnavailable
from autograde.grader import landlock, linux, seccomp
from autograde.grader.channel import Channel
from autograde.grader.jail import NOBODY, Jail

MODES = ("required", "auto", "off")  # and "landlock", "account" and "limits": no better than that
OPEN = ("account", "limits")  # levels at which some or all of the machine's files can be read
REFUSED = {"required": OPEN, "account": ("limits",)}  # by mode


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
    own_seconds: float = (
        2  # a cell that the student has added: what an answer uses is defined in no time, and an experiment must not cost one
    )
    cells_seconds: float = 30  # all cells together
    total_seconds: float = 240  # all that a submission's code does, in every worker it gets
    patience: float = 4  # on a machine with more to do than processors, every time above is longer, at most so many times
    hidden_paths: tuple[str, ...] = ()  # never readable, wherever they lie: a gradebook, the other submissions


@dataclass
class _Server:
    """What `prepare` found."""

    pid_namespace: int = -1  # a descriptor of the warm process's own
    reason: str = "prepare() was not called"


_server = _Server()


def prepare() -> None:
    """Give this process, single-threaded still, the right to make namespaces, and become the first of a PID namespace.

    The process that called waits in the background and ends as this one does.
    """
    uid, gid = os.geteuid(), os.getegid()
    try:
        linux.unshare(linux.CLONE_NEWPID | (linux.CLONE_NEWUSER if uid else 0))
        if uid:
            linux.map_ids(uid, uid, gid)
    except OSError as error:
        _server.reason = f"no namespaces: {error}"
        return
    child = os.fork()
    if child:
        _mirror(child)
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    _server.pid_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    _server.reason = ""


def _mirror(child: int) -> None:
    """Wait for `child` and end as it ends."""
    os.closerange(0, 3)
    _, status = os.waitpid(child, 0)
    os._exit(max(0, os.waitstatus_to_exitcode(status)))


def fork(mode: str) -> int:
    """os.fork(), into a new PID namespace where that is possible: what is in it dies with its first process."""
    if mode not in ("required", "auto") or _server.reason:
        return os.fork()
    linux.unshare(linux.CLONE_NEWPID)  # of the children
    pid = -1
    try:
        pid = os.fork()
        return pid
    finally:
        if pid:
            linux.setns(_server.pid_namespace, linux.CLONE_NEWPID)


def enter(limits: Limits, mode: str, jail: Jail) -> str:
    """Shut this process in and say at which level. Raises SandboxUnavailable where that is less than `mode` wants."""
    level, reason = _shut_in(limits, mode, jail)
    if level in REFUSED.get(mode, ()):
        raise SandboxUnavailable(f"this machine cannot shut student code in: {reason}")
    return level


@dataclass(frozen=True)
class Missing:
    """Something this machine does not offer, why, and how to get it."""

    what: str
    reason: str
    remedy: str


@dataclass(frozen=True)
class Support:
    """What this machine offers to shut student code in with: `level` is namespaces, landlock, account or limits."""

    level: str
    reason: str  # why it is not a better one
    namespaces: dict[str, bool]
    landlock: int  # its version; 0: none
    seccomp: bool
    missing: tuple[Missing, ...]


@functools.cache
def support() -> Support:
    """Tried out, in a process of its own."""
    root = str(Path(__file__).resolve().parents[2])
    code = f"import sys; sys.path.insert(0, {root!r}); from autograde.grader import support; support.main({root!r})"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise SandboxUnavailable(f"the sandbox could not be tried out: {done.stderr.strip()[-300:]}")
    found = json.loads(done.stdout)
    return Support(**{**found, "missing": tuple(Missing(**m) for m in found["missing"])})


def require(mode: str) -> list[str]:
    """What an instructor should know before grading in this mode, a sentence each.

    Raises:
        SandboxUnavailable: when `mode` is required and this machine cannot shut student code in.
    """
    if mode == "off":
        return ["The sandbox is off: student code can read and change whatever you can. Grade only code you trust."]
    found = support()
    warnings = [f"No {m.what}: {m.reason}. {m.remedy}" for m in found.missing]
    if found.level in OPEN:
        if mode == "required":
            raise SandboxUnavailable("This machine cannot shut student code in. " + " ".join(warnings))
        if found.level == "account":
            return ["Student code runs as an account of its own: it can read every file here that all accounts may read.", *warnings]
        return ["Student code is NOT shut in here: only memory, time and sizes are limited.", *warnings]
    if found.level == "landlock":
        return ["No namespaces here: student code is shut in by Landlock and seccomp instead, and cannot write any file.", *warnings]
    return warnings


def _shut_in(limits: Limits, mode: str, jail: Jail) -> tuple[str, str]:
    jail = jail.hiding(limits.hidden_paths)
    mapped = _mapped_bytes()  # while there is a /proc to ask
    if mode == "off":
        _set_limits(limits, mapped)
        return "off", ""
    reason = _server.reason or ("not wanted" if mode in ("landlock", *OPEN) else "")
    if not reason:
        try:
            jail.build(limits.disk_bytes, limits.disk_files)
            _no_privileges()
            _set_limits(limits, mapped, limits.tasks)  # counted in our own user namespace
            _filter()
            return "namespaces", ""
        except OSError as error:
            reason = f"no namespaces: {error}"
    return _without_namespaces(limits, mapped, jail, reason, mode)


def _without_namespaces(limits: Limits, mapped: int, jail: Jail, reason: str, mode: str) -> tuple[str, str]:
    try:
        if landlock.abi() < 1 or mode in OPEN:
            raise OSError("no Landlock")
        linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
        landlock.restrict(jail.allowed(), ["/dev/null"])
        _no_privileges()
        _set_limits(limits, mapped)
        seccomp.install(namespaces=False)
        os.chdir("/")
        return "landlock", reason
    except OSError as error:
        reason = f"{reason}; {error}"
    try:
        _as_nobody(limits, mapped, mode)
        return "account", reason
    except OSError as error:
        _set_limits(limits, mapped, _tasks_of_this_user() + limits.tasks)
        return "limits", f"{reason}; {error}"


def _as_nobody(limits: Limits, mapped: int, mode: str) -> None:
    """The system's own rules for files are what is left. Raises OSError where this is not root, or there is no filter."""
    if mode == "limits" or os.geteuid() != 0:
        raise OSError("no other account to run as")
    seccomp.program(namespaces=False)  # that there is one is known before there is no way back
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    _no_privileges()
    _set_limits(replace(limits, file_bytes=0), mapped)  # some folders are everybody's to write
    seccomp.install(namespaces=False)
    os.chdir("/")


def _no_privileges() -> None:
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    linux.drop_capabilities()
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)  # a change of user clears it


def _filter() -> None:
    with contextlib.suppress(OSError):  # namespaces stand without it
        seccomp.install(namespaces=True)


def _set_limits(limits: Limits, mapped: int, tasks: int | None = None) -> None:
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


def _tasks_of_this_user() -> int:
    """What the kernel compares the limit with where there is no user namespace; 1000 where the system does not say."""
    count, uid = 0, os.getuid()
    with contextlib.suppress(OSError):
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                count += len(os.listdir(f"/proc/{name}/task")) if os.stat(f"/proc/{name}").st_uid == uid else 0
    return count or 1000


def _mapped_bytes() -> int:
    """The address space in use; 0 where the system does not say."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


@contextlib.contextmanager
def bounded_memory(beyond: int = Limits.memory_bytes) -> Iterator[None]:
    """For the trusted side, too: a stranger's data may be small and what a check makes of it large. More is a MemoryError."""
    mapped, before = _mapped_bytes(), resource.getrlimit(resource.RLIMIT_AS)
    most = [n for n in (mapped + beyond, before[0]) if n != resource.RLIM_INFINITY]
    try:
        if mapped:
            resource.setrlimit(resource.RLIMIT_AS, (min(most), before[1]))
        yield
    finally:
        if mapped:
            resource.setrlimit(resource.RLIMIT_AS, before)


def only_channel(data: socket.socket, limit: int) -> Channel:
    """Close every descriptor but `data`; nothing to read on stdin, and nobody listens to stdout and stderr."""
    with contextlib.suppress(OSError):
        os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    kept = data.detach()
    os.closerange(3, kept)
    os.closerange(kept + 1, 4096 if sys.platform == "darwin" else 1 << 20)
    return Channel(socket.socket(fileno=kept), limit)


def kill(pid: int, dead: bool = False) -> None:
    """Kill a worker with all that it started; `dead`: what it left behind."""
    with contextlib.suppress(OSError):
        os.killpg(pid, signal.SIGKILL)
    if not dead:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
