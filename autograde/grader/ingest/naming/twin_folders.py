"""Folders such as `ann (1)` beside `ann`: what a browser or a file manager calls a second download, and perhaps a second student."""

from __future__ import annotations

import filecmp
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Container, Mapping
from pathlib import Path

from autograde.files import opened

Parts = tuple[str, ...]
MAX_BYTES = 2**22  # of a notebook that may be one that was given: it has no outputs
NUMBERED = re.compile(r"(?P<name>.+?)(?: \(\d{1,2}\)| \d)")


def meant(students: Mapping[Parts, str], works: Mapping[Parts, Path], given: Container[str]) -> dict[Parts, str]:
    """The student of each file in a numbered folder that holds nothing but what lies in the folder without the number, byte by byte. One with
    other work may be another student's of the same name, and so may one with what everybody was `given`, by its digest. `works` are notebooks
    and scripts, and where they lie."""
    holding: dict[Parts, list[Parts]] = defaultdict(list)
    for parts, student in students.items():
        if student in parts[:-1]:
            holding[parts[: parts.index(student) + 1]].append(parts)
    found: dict[Parts, str] = {}
    for holder, files in holding.items():
        name = NUMBERED.fullmatch(holder[-1])
        twin = (*holder[:-1], name["name"]) if name else holder
        if twin != holder and twin in holding and _repeats(files, len(holder), twin, works, given):
            found |= dict.fromkeys(files, students[holding[twin][0]])
    return found


def _repeats(files: list[Parts], depth: int, twin: Parts, works: Mapping[Parts, Path], given: Container[str]) -> bool:
    pairs = [(works[parts], works.get((*twin, *parts[depth:]))) for parts in files if parts in works]
    same = bool(pairs) and all(other is not None and is_same(path, other) for path, other in pairs)
    return same and not all(code_digest(path) in given for path, _ in pairs)


def code_digest(path: Path) -> str:
    """A digest of what is written in a notebook's cells; of anything else "", since only notebooks are given."""
    try:
        with opened(path) as stream:
            cells = json.loads(stream.read(MAX_BYTES))["cells"]
        text = "\0".join("".join(cell["source"]) for cell in cells)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def is_same(file: Path, other: Path) -> bool:
    """Whether two files hold the same bytes; a link holds none."""
    try:
        regular = all(path.is_file() and not path.is_symlink() for path in (file, other))
        return regular and filecmp.cmp(file, other, shallow=False)
    except OSError:
        return False
