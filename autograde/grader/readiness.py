"""Before the first submission: can this machine shut a stranger's code in as asked?"""

from __future__ import annotations

from autograde.grader.session import Session

LEVELS = {
    "landlock": "no namespaces here: files and network are shut off by Landlock and seccomp, but processes share one view of the machine",
    "limits": "neither namespaces nor Landlock here: submissions are limited in time and memory only and CAN read your files",
    "off": "the sandbox is off: submissions run with all your rights; grade only code that you would run yourself",
}


def require(mode: str) -> list[str]:
    """Warnings about what the sandbox lacks.

    Raises:
        SandboxUnavailable: when `mode` is required and the machine has no full sandbox.
    """
    with Session([], sandbox_mode=mode) as session:
        level = session.level
    return [f"{LEVELS[level]}; `python -m autograde doctor` says how to mend it"] if level in LEVELS else []
