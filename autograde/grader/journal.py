"""Results on disk, one by one, so that a killed run goes on where it stopped and an unchanged submission is not run again."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import tempfile
from dataclasses import asdict
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from autograde import layout
from autograde.grader.discovery import Found
from autograde.grader.pipeline import Graded
from autograde.grading import Result
from autograde.suite import Outcome

PACKAGES = ("torch", "numpy", "nbgrader", "nbformat", "pytest")


class Journal:
    """Finished results by key; the key holds everything a result depends on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def load(self, key: str) -> Graded | None:
        """The result of an earlier run; a damaged file counts as none."""
        try:
            return _decode(json.loads((self.folder / f"{key}.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def save(self, key: str, graded: Graded) -> None:
        """Durable before it returns."""
        write(self.folder / f"{key}.json", json.dumps(asdict(graded), ensure_ascii=False).encode())


def key(found: Found, sandbox: str) -> str:
    """A digest of the submission, its lesson's checks, the grader, and the package versions."""
    digest = hashlib.sha256(f"{found.student}\0{found.lesson}\0{found.notes}\0{sandbox}\0{_lesson_digest(found.lesson)}".encode())
    if found.path is not None and found.path.is_file() and not found.path.is_symlink():
        for file in [found.path, *sorted(found.path.parent.glob("*.safetensors")), *sorted(found.path.parent.glob("*_config.json"))]:
            digest.update(f"\0{file.name}\0".encode())
            with file.open("rb") as stream:
                while block := stream.read(2**20):
                    digest.update(block)
    return digest.hexdigest()[:40]


def write(path: Path, content: bytes) -> None:
    """Replace a file at once: a reader sees the old content or the new, also after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@lru_cache
def _lesson_digest(lesson: str) -> str:
    files = [layout.checks_path(lesson), layout.hidden_path(lesson), layout.fingerprints_path(lesson), layout.NOTEBOOKS / f"{lesson}.ipynb"]
    files += sorted(layout.ROOT.glob("utils/*.py")) + sorted(layout.ROOT.glob("autograde/*.py")) + sorted(layout.ROOT.glob("autograde/grader/*.py"))
    digest = hashlib.sha256(platform.python_version().encode())
    for package in PACKAGES:
        digest.update(f"{package}=={version(package)}\0".encode())
    for file in files:
        digest.update(file.read_bytes() if file.exists() else b"")
    return digest.hexdigest()


def _decode(data: dict[str, Any]) -> Graded:
    results = [Result(**{**r, "outcomes": [Outcome(**o) for o in r["outcomes"]]}) for r in data.pop("results")]
    return Graded(**data, results=results)
