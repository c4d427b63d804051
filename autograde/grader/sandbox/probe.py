"""Tries out what this machine offers to isolate code with, and says how to get what is missing. Run in a process of its own."""

from __future__ import annotations

import errno
import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from autograde.checking.errors import SandboxUnavailable
from autograde.grader.sandbox import cgroups, isolate, landlock, seccomp, syscalls
from autograde.grader.sandbox.limits import Limits
from autograde.grader.sandbox.modes import Level, Mode
from autograde.grader.sandbox.root_fs import RootFs
from autograde.layout import ROOT

KINDS = {
    "user": syscalls.CLONE_NEWUSER, "mount": syscalls.CLONE_NEWNS, "pid": syscalls.CLONE_NEWPID, "net": syscalls.CLONE_NEWNET,
    "ipc": syscalls.CLONE_NEWIPC, "uts": syscalls.CLONE_NEWUTS,
}  # fmt: skip
SWITCHES = {  # what distributions call the switch, and the value that is in the way
    "kernel.apparmor_restrict_unprivileged_userns": "1",
    "kernel.unprivileged_userns_clone": "0",
    "user.max_user_namespaces": "0",
}


@dataclass(frozen=True)
class Missing:
    """Something this machine does not offer, why, and how to get it."""

    what: str
    reason: str
    remedy: str


@dataclass(frozen=True)
class Support:
    """What this machine offers to isolate student code with: `level` is namespaces, landlock, account or limits."""

    level: Level
    reason: str  # why it is not a better one
    namespaces: dict[str, bool]
    landlock: int  # its version; 0: none
    seccomp: bool
    missing: tuple[Missing, ...]
    groups: tuple[str, ...] = ()  # what a control group limits of a submission as a whole: memory, pids, cpu


@functools.cache
def support() -> Support:
    """Tried out, in a process of its own."""
    root = str(ROOT)
    code = f"import sys; sys.path.insert(0, {root!r}); from {__name__} import main; main({root!r})"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise SandboxUnavailable(f"the sandbox could not be tried out: {done.stderr.strip()[-300:]}")
    found = json.loads(done.stdout)
    return Support(
        **{
            **found,
            "level": Level(found["level"]),
            "missing": tuple(Missing(**m) for m in found["missing"]),
            "groups": tuple(found["groups"]),
        }
    )


def require(mode: Mode) -> list[str]:
    """What an instructor should know before grading in this mode, a sentence each.

    Raises:
        SandboxUnavailable: when `mode` is required and this machine cannot isolate student code.
    """
    if mode == Mode.OFF:
        return ["The sandbox is off: student code can read and change whatever you can. Grade only code you trust."]
    found = support()
    warnings = [f"No {m.what}: {m.reason}. {m.remedy}" for m in found.missing]
    if found.level in isolate.OPEN:
        if mode == Mode.REQUIRED:
            raise SandboxUnavailable("This machine cannot isolate student code. " + " ".join(warnings))
        if found.level == Level.ACCOUNT:
            return ["Student code runs as an account of its own: it can read every file here that all accounts may read.", *warnings]
        return ["Student code is NOT isolated here: only memory, time and sizes are limited.", *warnings]
    if found.level == Level.LANDLOCK:
        return ["No namespaces here: student code is isolated by Landlock and seccomp instead, and cannot write any file.", *warnings]
    return warnings


def main(root: str) -> None:
    """Print a `sandbox.Support` as JSON."""
    namespaces = {name: not attempt(functools.partial(_unshare, flag)) for name, flag in KINDS.items()}
    filters = not attempt(_install_filter)
    level, reason = _level(Path(root))
    missing = []
    if level != Level.NAMESPACES:
        missing.append(_no_namespaces(reason))
    if not landlock.abi() and level != Level.NAMESPACES:
        missing.append(
            Missing(
                "Landlock",
                _linux_only("this kernel has none"),
                "It needs Linux 5.13 with `landlock` among its security modules (the `lsm=` boot parameter).",
            )
        )
    if not filters:
        missing.append(
            Missing("seccomp", _linux_only("this kernel has no filters"), "It needs Linux with CONFIG_SECCOMP_FILTER on x86_64 or aarch64.")
        )
    print(
        json.dumps(
            {
                "level": level,
                "reason": reason,
                "namespaces": namespaces,
                "landlock": landlock.abi(),
                "seccomp": filters,
                "missing": [asdict(m) for m in missing],
                "groups": cgroups.prepare().controllers,
            }
        )
    )


def attempt(action: Callable[[], None]) -> str:
    """What goes wrong when a fork of this process does it; nothing when it works."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            action()
            word = ""
        except Exception as error:
            word = str(error) or type(error).__name__
        os.write(writer, word.encode()[:1000])
        os._exit(0)
    os.close(writer)
    with open(reader) as file:
        word = file.read()
    _, status = os.waitpid(child, 0)
    return word or ("" if status == 0 else "it was killed")


def _unshare(flag: int) -> None:
    syscalls.unshare(flag | (0 if os.geteuid() == 0 else syscalls.CLONE_NEWUSER))


def _install_filter() -> None:
    syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
    seccomp.install(Level.NAMESPACES)


def _level(root: Path) -> tuple[Level, str]:
    """Go the whole way once: the level that `sandbox.enter` reaches, and what kept it from the best."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _go(root, writer)
    os.close(writer)
    os.waitpid(child, 0)
    with open(reader) as file:
        lines = file.read().splitlines()
    return (Level(lines[0]), lines[1]) if len(lines) > 1 else (Level.LIMITS, "it could not be tried out")


def _go(root: Path, writer: int) -> None:
    isolate.prepare()
    child = isolate.fork(Mode.AUTO)
    if child == 0:
        level, reason = isolate._isolate(Limits(), Mode.AUTO, RootFs(root))
        os.write(writer, f"{level}\n{reason}\n".encode())
        os._exit(0)
    os.waitpid(child, 0)
    os._exit(0)


def _linux_only(otherwise: str) -> str:
    return otherwise if sys.platform.startswith("linux") else "this is not Linux"


def _no_namespaces(reason: str) -> Missing:
    closed = [name for name, bad in SWITCHES.items() if _sysctl(name) == bad]
    if not sys.platform.startswith("linux"):
        remedy = "Grade on Linux, in WSL 2, or in a Linux container."
    elif closed:
        remedy = " ".join(
            f"An administrator can allow them: sudo sysctl {name}={'0' if bad == '1' else '28633'}."
            for name, bad in SWITCHES.items()
            if name in closed
        )
    elif os.path.exists("/.dockerenv") or os.path.exists("/run/.containerenv"):
        remedy = "In a container, start it with --security-opt seccomp=unconfined --security-opt apparmor=unconfined --cap-add SYS_ADMIN."
    else:
        remedy = "They need Linux 5.12 or newer, with user namespaces allowed for ordinary accounts."
    return Missing("namespaces", _linux_only(reason.removeprefix("no namespaces: ")), remedy)


def _sysctl(name: str) -> str:
    try:
        return Path("/proc/sys", name.replace(".", "/")).read_text().strip()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, "")
