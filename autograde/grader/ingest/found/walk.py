"""Every file below what an instructor points at, those in archives included. Nothing is written but what archives hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from autograde.grader.ingest.formats import archive, kinds, mail_file
from autograde.grader.ingest.formats.kinds import Kind
from autograde.grader.ingest.formats.raw_names import as_meant
from autograde.grader.ingest.found.findings import File, LeftOut, Survey
from autograde.grader.ingest.found.not_handed_in import EARLIER, OWN_FOLDERS, is_graders
from autograde.grader.ingest.found.reasons import NO_FILE
from autograde.grader.ingest.found.sources import holds_results, is_course
from autograde.grader.ingest.naming import systems
from autograde.grader.ingest.naming.nobodys_names import wraps
from autograde.grader.ingest.naming.twin_folders import is_same
from autograde.grader.ingest.naming.work_words import DATE_BEHIND, DATED, said

DEEPEST, NESTED = 20, 3  # folders in folders, archives in archives
COURSES = {"autograded", "feedback", "release", "source"}  # beside nbgrader's `submitted`
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
                folder, room = _unpack(path, scratch, found, 1, sender=True)
            except archive.BadArchive as error:
                found.left_out.append(LeftOut(path.name, str(error)))
                continue
            yield from walk(folder, (), root, scratch, found, 1, room)
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
    meant = as_meant([path.name for path in inside])
    for path in inside:
        here = (*parts, meant.get(path.name, path.name))
        if path.is_symlink():
            found.left_out.append(LeftOut("/".join(here), "a link; links are not followed"))
            found.barren.append(here if parts or not path.is_dir() else (*here, ""))
        elif not path.is_dir():
            yield from _one(path, here, origin, scratch, found, nested, around)
        elif path.name in kinds.SYSTEM_FOLDERS or _is_hidden(path.name) or is_graders(path):
            continue
        elif path.resolve() == found.results:
            continue
        elif path.name in OWN_FOLDERS - {EARLIER}:
            found.left_out.append(LeftOut("/".join(here), OURS))
        elif path.name in ("outbound", "feedback") and (path.parent / "inbound").is_dir():
            found.left_out.append(LeftOut("/".join(here), "what nbgrader's exchange hands out or back, not what was handed in"))
        elif path.name in COURSES and is_course(path.parent):
            found.left_out.append(LeftOut("/".join(here), "what nbgrader gives out or makes of a course, not what was handed in"))
        elif holds_results(path):
            found.left_out.append(LeftOut("/".join(here), "results of grading, not a student's folder"))
        elif len(here) < DEEPEST:
            empty, room = True, around or archive.Room.of_folder(path)
            for file in walk(path, here, origin, scratch, found, nested, room):
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
        found.left_out.append(LeftOut("/".join(parts), NO_FILE))
        found.barren.append(parts)
    elif nested < NESTED and path.is_file() and kinds.kind(path, parts, frozenset()) is Kind.ARCHIVE:
        yield from _archive(path, parts, origin, scratch, found, nested, around)
    else:
        yield File(path, parts, origin, nested > 0)


def _archive(
    path: Path, parts: tuple[str, ...], origin: Path, scratch: Path, found: Survey, nested: int, around: archive.Room | None
) -> Iterator[File]:
    """What an archive in a folder holds; the archive itself where that is nothing, since its name may still say whose it is."""
    before, sender = len(found.left_out), _is_by_sender(path, parts)
    try:
        folder, room = _unpack(path, scratch, found, nested + 1, around, sender)
    except archive.BadArchive as error:
        found.in_place = False
        yield File(path, parts, origin, nested > 0, str(error))
        return
    if _lies_unpacked(path, folder):
        found.left_out.append(LeftOut("/".join(parts), "an archive that lies unpacked beside itself"))
        return
    found.in_place, empty = False, True
    for file in walk(folder, parts[:-1] if sender else _called(path, parts), origin, scratch, found, nested + 1, room):
        empty = False
        yield file
    if empty:
        why = [f"nothing in it could be unpacked: {out.why}" for out in found.left_out[before:]]
        yield File(path, parts, origin, nested > 0, why[0] if why else "the archive is empty")


def _is_by_sender(path: Path, parts: tuple[str, ...]) -> bool:
    """Whether a mail says by its sender whose its files are: saved with others of a class, not handed in by a student."""
    return mail_file.is_one(path) and not systems.read(path.name) and all(map(wraps, parts[:-1])) and mail_file.alone(path)


def _called(path: Path, parts: tuple[str, ...]) -> tuple[str, ...]:
    """Where an archive's files lie, as if it were a folder. A system's name stays on what it holds."""
    if DRIVE.search(path.name):  # a part of one folder
        return parts[:-1]
    if systems.read(path.name):
        return parts
    name = _without_ending(path.name)
    if mail_file.is_one(path) and len(parts) > 1:  # it has a folder for its time
        return parts[:-1]
    if len(parts) > 1:
        return (*parts[:-1], name)
    when = DATE_BEHIND.search(name)  # it says which attempt is the newest
    day = when[0].strip(" _-") if when else ""
    return (said(name) or name, day) if said(name) and DATED.fullmatch(day) else (said(name) or name,)


def _without_ending(name: str) -> str:
    return re.sub(r"\.(zip|tar|tgz|dbc|eml|mbox)(\.\w+)?$", "", name, flags=re.IGNORECASE)


def _lies_unpacked(path: Path, unpacked: Path) -> bool:
    """Whether all that an archive holds lies beside it, in a folder of its name: somebody has unpacked it and kept it."""
    beside = path.with_name(_without_ending(path.name))
    files = [file for file in unpacked.rglob("*") if file.is_file() and not set(file.parts) & kinds.SYSTEM_FOLDERS]
    if beside == path or not beside.is_dir() or not files:
        return False
    places = (beside, path.parent) if all(file.relative_to(unpacked).parts[0] == beside.name for file in files) else (beside,)
    return any(all(is_same(file, place / file.relative_to(unpacked)) for file in files) for place in places)


def _unpackable(path: Path) -> bool:
    return path.is_file() and kinds.kind(path, (path.name,), frozenset()) is Kind.ARCHIVE and systems.read(path.name) is None


def _unpack(
    path: Path, scratch: Path, found: Survey, nested: int, around: archive.Room | None = None, sender: bool = False
) -> tuple[Path, archive.Room | None]:
    """The folder that an archive was unpacked to, and what the archives in it may hold. Raises `BadArchive`."""
    folder = scratch / f"{nested}-{len(list(scratch.iterdir())) if scratch.is_dir() else 0}"
    result = archive.unpack(path, folder, around, sender)
    found.left_out += [LeftOut(f"{path.name}/{name}", why) for name, why in result.left_out]
    return folder, result.room
