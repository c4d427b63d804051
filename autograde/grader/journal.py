"""Results on disk, one by one, so that a killed run goes on where it stopped and an unchanged submission is not run again."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autograde.grader.connection import plain
from autograde.grader.pipeline import Graded
from autograde.grading import Result
from autograde.suite import Outcome

LONGEST = 2000  # characters of a message
PART = ".autograde-"  # how a file begins that is being written


class Journal:
    """Finished results by key (`autograde.grader.identity.key`), which holds everything a result depends on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def load(self, key: str) -> Graded | None:
        """The result of an earlier run; a file that is not as it was written counts as none."""
        try:
            seal, content = (self.folder / f"{key}.json").read_bytes().split(b"\n", 1)
            return _decode(json.loads(content)) if seal.decode() == _seal(content) else None
        except (OSError, ValueError):
            return None

    def save(self, key: str, graded: Graded) -> None:
        """Durable before it returns."""
        content = json.dumps(asdict(graded)).encode()
        write(self.folder / f"{key}.json", _seal(content).encode() + b"\n" + content)


def writable(graded: Graded) -> Graded:
    """The result as every file, page and terminal takes it: without halves of characters, which JSON can bring along in a submission,
    and, but for the notebook, without what a terminal would obey."""
    data = json.loads(json.dumps(asdict(graded), ensure_ascii=False).encode(errors="replace"))
    return _decode({**_shown(data), "notebook": data["notebook"]})


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return plain(value, LONGEST)
    if isinstance(value, dict):
        return {key: _shown(part) for key, part in value.items()}
    return [_shown(part) for part in value] if isinstance(value, list) else value


def write(path: Path, content: bytes) -> None:
    """Replace a file at once: a reader sees the old content or the new, also after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=PART, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def sweep(folder: Path) -> None:
    """Take away what a killed run was writing; only for who holds the folder's lock."""
    for part in folder.rglob(f"{PART}*.part"):
        part.unlink(missing_ok=True)


def _seal(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _decode(data: dict[str, Any]) -> Graded:
    results = [Result(**{**r, "outcomes": [Outcome(**o) for o in r["outcomes"]]}) for r in data.pop("results")]
    return Graded(**data, results=results)
