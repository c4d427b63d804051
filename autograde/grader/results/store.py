"""Results on disk, one by one, so that a killed run goes on where it stopped and an unchanged submission is not run again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from autograde.files import write
from autograde.grader.results.model import Graded, from_dict

RESULTS = ".results"  # in a results folder


class ResultStore:
    """Finished results by key (`autograde.grader.run.cache_key.key`), which holds everything a result depends on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @staticmethod
    def has(out: Path, key: str) -> bool:
        """Whether a results folder has a result of this key, without opening it."""
        return (out / RESULTS / f"{key}.json").exists()

    def load(self, key: str) -> Graded | None:
        """The result of an earlier run; a file that is not as it was written counts as none."""
        try:
            seal, content = (self.folder / f"{key}.json").read_bytes().split(b"\n", 1)
            return from_dict(json.loads(content)) if seal.decode() == _seal(content) else None
        except (OSError, ValueError):
            return None

    def save(self, key: str, graded: Graded) -> None:
        """Durable before it returns."""
        content = json.dumps(asdict(graded)).encode()
        write(self.folder / f"{key}.json", _seal(content).encode() + b"\n" + content)


def _seal(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
