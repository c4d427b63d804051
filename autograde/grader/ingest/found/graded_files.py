"""The files that a lesson grades beside its notebook, such as `gpt.safetensors`: by their names, else by what they hold, and what lies there instead."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from autograde.checking.manifest import outcome_files
from autograde.checking.model_files import MAX_HEADER, header_bytes
from autograde.files import opened
from autograde.grader.ingest.formats import archive, kinds
from autograde.grader.ingest.found.not_handed_in import OWN_FOLDERS
from autograde.grader.ingest.naming.names import readable

WEIGHTS = ".safetensors"
MOST = 200  # files of a folder that are looked into
PYTORCHS = "weights as torch.save writes them, which are not opened, since they may run code: write them with the lesson's save_model"
BEGINS = {  # what a file of weights may be that is none
    b"version https://git-lfs": "a pointer of Git LFS, not the file: `git lfs pull` fetches it",
    b"<": "a page of the web, not the file: download it again",
    b"\x80": PYTORCHS,
}


def beside(folder: Path, lesson: str) -> dict[str, Path]:
    """The graded files in a folder by their names: one of that name, else a copy's such as `gpt (1).safetensors`, else the only one that holds weights."""
    wanted = outcome_files(lesson)
    found = {name: folder / name for name in wanted if (folder / name).is_file() and not (folder / name).is_symlink()}
    others = _files(folder) if len(found) < len(wanted) else []
    for name in wanted:
        copies = [path for path in others if kinds.model(path.name, frozenset(wanted)) == name]
        if name not in found and not (folder / name).is_symlink() and (path := last(copies) or only(others, name)):
            found[name] = path
    return found


def last(paths: Iterable[Path]) -> Path | None:
    """Of copies the newest by their names, those in the notebook's own folder before others."""
    return max(paths, key=lambda path: (-len(path.parts), len(path.name), path.name), default=None)


def only(paths: Iterable[Path], name: str) -> Path | None:
    """The only file that holds weights under another name, where weights are wanted."""
    held = [path for path in paths if is_weights(path)] if name.endswith(WEIGHTS) else []
    return held[0] if len(held) == 1 else None


def told(folder: Path, lesson: str) -> tuple[str, ...]:
    """What a student should know of them: a file that is taken under another name, and one that is not what its name says."""
    taken, notes = beside(folder, lesson), []
    for name in outcome_files(lesson):
        if path := taken.get(name):
            notes += [f"{readable(path.name)} is taken for {name}"] if path.name != name else []
            notes += [f"{readable(path.name)} is {what}"] if name.endswith(WEIGHTS) and (what := instead(path)) else []
        elif name.endswith(WEIGHTS):
            notes += [f"{readable(path.name)} is not {name}: it is {PYTORCHS}" for path in _files(folder) if archive.is_pytorchs(path)][:1]
    return tuple(notes)


def instead(path: Path) -> str:
    """What a file of weights is that is none; "" where it may be one."""
    start, _ = _start(path)
    if not start:
        return "empty"
    if archive.is_pytorchs(path):
        return PYTORCHS
    return "" if is_weights(path) else next((what for begins, what in BEGINS.items() if start.lstrip().startswith(begins)), "")


def is_weights(path: Path) -> bool:
    """Whether a file begins as safetensors do: the length of a list of weights, and the list."""
    start, size = _start(path)
    return 8 < 8 + header_bytes(start) <= min(size, 8 + MAX_HEADER) and start[8:9] == b"{"


def _files(folder: Path) -> list[Path]:
    """The files in a folder, then those in its folders, such as `checkpoints`."""
    inside = _listed(folder)
    folders = [p for p in inside if p.is_dir() and not p.name.startswith(".") and p.name not in {*OWN_FOLDERS, *kinds.SYSTEM_FOLDERS}]
    files = [*inside, *(path for below in folders[:MOST] for path in _listed(below))]
    return [path for path in files if path.is_file() and path.suffix != ".ipynb"][:MOST]


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.is_symlink())
    except OSError:
        return []


def _start(path: Path) -> tuple[bytes, int]:
    """How a file begins, and its size; nothing of one that cannot be read, or is gone."""
    try:
        status = path.stat()
        return _read(path, status.st_size, status.st_mtime_ns), status.st_size
    except OSError:
        return b"", 0


@lru_cache(maxsize=10_000)
def _read(path: Path, *_: int) -> bytes:
    with opened(path) as stream:
        return stream.read(64)
