"""Every file below what an instructor points at, those in archives included. Nothing is written but what archives hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from autograde.grader.ingest import archive, kinds, systems
from autograde.grader.ingest.findings import File, LeftOut, Survey
from autograde.grader.ingest.kinds import Kind
from autograde.grader.ingest.not_handed_in import EARLIER, OWN_FOLDERS, is_graders
from autograde.grader.ingest.work_words import said

DEEPEST, NESTED = 20, 3  # folders in folders, archives in archives
DRIVE = re.compile(r"-\d{8}T\d{6}Z(?:-\d+)+\.zip$", re.IGNORECASE)  # how Google Drive names the parts of a folder that it packs
OURS = "called like a folder of the grader's: if it is a student's, give it another name"


def every_file(root: Path, named: list[Path] | None, scratch: Path, found: Survey) -> Iterator[File]:
    """Every regular file, those in archives included."""
    if named is None:
        if root.is_dir():
            yield from walk(root, (), root, scratch, found, 0)
        return
    for path in named:
        if path.is_symlink():
            found.left_out.append(LeftOut(path.name, "a link; links are not followed"))
        elif len(named) == 1 and _unpackable(path):
            found.in_place = False
            try:
                yield from _unpacked(path, (), root, scratch, found, 1)
            except archive.BadArchive as error:
                found.left_out.append(LeftOut(path.name, str(error)))
        else:
            yield from _one(path, (path.name,), root, scratch, found, 0)


def walk(
    folder: Path, parts: tuple[str, ...], origin: Path, scratch: Path, found: Survey, nested: int, around: archive.Room | None = None
) -> Iterator[File]:
    """Every regular file below `folder`, which lies at `parts`; `nested` counts the archives around it, `around` is what they may still hold."""
    try:
        inside = sorted(folder.iterdir())
    except OSError as error:
        found.left_out.append(LeftOut("/".join(parts), f"the folder cannot be read ({error.strerror})"))
        return
    for path in inside:
        here = (*parts, path.name)
        if path.is_symlink():
            found.left_out.append(LeftOut("/".join(here), "a link; links are not followed"))
            found.barren.append(here if parts or not path.is_dir() else (*here, ""))
        elif not path.is_dir():
            yield from _one(path, here, origin, scratch, found, nested, around)
        elif path.name in kinds.SYSTEM_FOLDERS or _is_hidden(path.name) or is_graders(path):
            continue
        elif path.name in OWN_FOLDERS - {EARLIER}:
            found.left_out.append(LeftOut("/".join(here), OURS))
        elif path.name in ("outbound", "feedback") and (path.parent / "inbound").is_dir():
            found.left_out.append(LeftOut("/".join(here), "what nbgrader's exchange hands out or back, not what was handed in"))
        elif (path / "gradebook.db").is_file():
            found.left_out.append(LeftOut("/".join(here), "results of grading, not a student's folder"))
        elif len(here) < DEEPEST:
            empty = True
            for file in walk(path, here, origin, scratch, found, nested, around):
                empty = False
                yield file
            if empty:
                found.barren.append((*here, ""))


def _is_hidden(name: str) -> bool:
    """Whether a folder's name hides it, and is not a system's for a person whose name begins with a dot."""
    return name.startswith(".") and name != ".ipynb_checkpoints" and systems.read(name) is None


def _one(
    path: Path, parts: tuple[str, ...], origin: Path, scratch: Path, found: Survey, nested: int, around: archive.Room | None = None
) -> Iterator[File]:
    if not path.is_file() and ".ipynb" not in path.name.lower():  # a notebook that is none is its student's result, by its name
        found.left_out.append(LeftOut("/".join(parts), "a pipe or a device, not a file"))
        found.barren.append(parts)
    elif nested < NESTED and path.is_file() and kinds.kind(path, parts, frozenset()) is Kind.ARCHIVE:
        found.in_place = False
        label = systems.read(path.name)  # the system's name stays on what the archive holds
        name = path.name if label else re.sub(r"\.(zip|tar|tgz)(\.\w+)?$", "", path.name, flags=re.IGNORECASE)
        own = (*parts[:-1], name if label or len(parts) > 1 else said(name) or name)
        if DRIVE.search(path.name):  # a part of one folder
            own = parts[:-1]
        before, empty = len(found.left_out), True
        try:
            for file in _unpacked(path, own, origin, scratch, found, nested + 1, around):
                empty = False
                yield file
            if empty:
                why = [f"nothing in it could be unpacked: {out.why}" for out in found.left_out[before:]]
                yield File(path, parts, origin, nested > 0, why[0] if why else "the archive is empty")
        except archive.BadArchive as error:  # its name may still say whose it is
            yield File(path, parts, origin, nested > 0, str(error))
    else:
        yield File(path, parts, origin, nested > 0)


def _unpackable(path: Path) -> bool:
    return path.is_file() and kinds.kind(path, (path.name,), frozenset()) is Kind.ARCHIVE and systems.read(path.name) is None


def _unpacked(
    path: Path, parts: tuple[str, ...], origin: Path, scratch: Path, found: Survey, nested: int, around: archive.Room | None = None
) -> Iterator[File]:
    folder = scratch / f"{nested}-{len(list(scratch.iterdir())) if scratch.is_dir() else 0}"
    result = archive.unpack(path, folder, around)
    found.left_out += [LeftOut(f"{path.name}/{name}", why) for name, why in result.left_out]
    yield from walk(folder, parts, origin, scratch, found, nested, result.room)
