"""What a submission must leave as it is: files, processes, listening sockets."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path

import psutil

from autograde import layout

PARTS = ("autograde", "solutions", "notebooks", "utils", "data")
LARGE = 64 << 20  # bytes
SAVED = {"gpt.safetensors", "gpt_config.json"}  # by lesson 07, which another test may execute at the same time


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file under `folder`; what Python and Jupyter keep for themselves is left out."""
    files = [p for p in folder.rglob("*") if p.is_file() and not {"__pycache__", ".ipynb_checkpoints", *SAVED} & set(p.parts)]
    return {str(p.relative_to(folder)): _digest(p) for p in files}


def _digest(path: Path) -> str:
    """The SHA-256; of a file of hundreds of megabytes of nothing, which takes seconds to read, its size and time."""
    known = path.stat()
    return f"{known.st_size} {known.st_mtime_ns}" if known.st_size > LARGE else hashlib.sha256(path.read_bytes()).hexdigest()


def course() -> dict[str, dict[str, str]]:
    """The digests of everything that a grader works with."""
    return {part: digests(layout.ROOT / part) for part in PARTS}


def session_of(leader: int) -> list[int]:
    """The processes that still run in the session which process `leader` began."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, session = stat.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(session) == leader and state not in "ZX":
            found.append(int(stat.parent.name))
    return found


def listening() -> set[tuple[str, int]]:
    """Addresses on which a process listens that outlived who started it: the servers of other tests have their test."""
    sockets = psutil.net_connections("inet")
    return {tuple(s.laddr) for s in sockets if (s.status == psutil.CONN_LISTEN or s.type == socket.SOCK_DGRAM) and _orphaned(s.pid)}


def _orphaned(pid: int | None) -> bool:
    try:
        return pid is not None and psutil.Process(pid).ppid() == 1
    except psutil.NoSuchProcess:
        return False
