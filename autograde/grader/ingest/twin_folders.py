"""Folders such as `ann (1)` beside `ann`: what a browser or a file manager calls a second download, and perhaps a second student."""

from __future__ import annotations

import filecmp
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

Parts = tuple[str, ...]
NUMBERED = re.compile(r"(?P<name>.+?)(?: \(\d{1,2}\)| \d)")


def meant(students: Mapping[Parts, str], works: Mapping[Parts, Path]) -> dict[Parts, str]:
    """The student of each file in a numbered folder that holds nothing but what lies in the folder without the number, byte by byte. One with
    other work may be another student's of the same name. `works` are notebooks and scripts, and where they lie."""
    holding: dict[Parts, list[Parts]] = defaultdict(list)
    for parts, student in students.items():
        if student in parts[:-1]:
            holding[parts[: parts.index(student) + 1]].append(parts)
    found: dict[Parts, str] = {}
    for holder, files in holding.items():
        name = NUMBERED.fullmatch(holder[-1])
        twin = (*holder[:-1], name["name"]) if name else holder
        if twin != holder and twin in holding and _repeats(files, len(holder), twin, works):
            found |= dict.fromkeys(files, students[holding[twin][0]])
    return found


def _repeats(files: list[Parts], depth: int, twin: Parts, works: Mapping[Parts, Path]) -> bool:
    pairs = [(works[parts], works.get((*twin, *parts[depth:]))) for parts in files if parts in works]
    return bool(pairs) and all(other is not None and is_same(path, other) for path, other in pairs)


def is_same(file: Path, other: Path) -> bool:
    """Whether two files hold the same bytes; a link holds none."""
    try:
        regular = all(path.is_file() and not path.is_symlink() for path in (file, other))
        return regular and filecmp.cmp(file, other, shallow=False)
    except OSError:
        return False
