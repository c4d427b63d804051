"""Tries out what this machine offers to shut code in with, and says how to get what is missing. Run in a process of its own."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from autograde.grader import landlock, linux, sandbox, seccomp
from autograde.grader.jail import Jail

KINDS = {
    "user": linux.CLONE_NEWUSER, "mount": linux.CLONE_NEWNS, "pid": linux.CLONE_NEWPID, "net": linux.CLONE_NEWNET,
    "ipc": linux.CLONE_NEWIPC, "uts": linux.CLONE_NEWUTS,
}  # fmt: skip
SWITCHES = {  # what distributions call the switch, and the value that is in the way
    "kernel.apparmor_restrict_unprivileged_userns": "1",
    "kernel.unprivileged_userns_clone": "0",
    "user.max_user_namespaces": "0",
}


def main(root: str) -> None:
    """Print a `sandbox.Support` as JSON."""
    namespaces = {name: not attempt(lambda flag=flag: _unshare(flag)) for name, flag in KINDS.items()}
    filters = not attempt(_install_filter)
    level, reason = _level(Path(root))
    missing = []
    if level != "namespaces":
        missing.append(_no_namespaces(reason))
    if not landlock.abi() and level != "namespaces":
        missing.append(
            sandbox.Missing(
                "Landlock",
                _linux_only("this kernel has none"),
                "It needs Linux 5.13 with `landlock` among its security modules (the `lsm=` boot parameter).",
            )
        )
    if not filters:
        missing.append(
            sandbox.Missing(
                "seccomp", _linux_only("this kernel has no filters"), "It needs Linux with CONFIG_SECCOMP_FILTER on x86_64 or aarch64."
            )
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
    linux.unshare(flag | (0 if os.geteuid() == 0 else linux.CLONE_NEWUSER))


def _install_filter() -> None:
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    seccomp.install(namespaces=True)


def _level(root: Path) -> tuple[str, str]:
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
    return (lines[0], lines[1]) if len(lines) > 1 else ("limits", "it could not be tried out")


def _go(root: Path, writer: int) -> None:
    sandbox.prepare()
    child = sandbox.fork("auto")
    if child == 0:
        level, reason = sandbox._shut_in(sandbox.Limits(), "auto", Jail(root))
        os.write(writer, f"{level}\n{reason}\n".encode())
        os._exit(0)
    os.waitpid(child, 0)
    os._exit(0)


def _linux_only(otherwise: str) -> str:
    return otherwise if sys.platform.startswith("linux") else "this is not Linux"


def _no_namespaces(reason: str) -> sandbox.Missing:
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
    return sandbox.Missing("namespaces", _linux_only(reason.removeprefix("no namespaces: ")), remedy)


def _sysctl(name: str) -> str:
    try:
        return Path("/proc/sys", name.replace(".", "/")).read_text().strip()
    except OSError as error:
        return errno.errorcode.get(error.errno, "")
