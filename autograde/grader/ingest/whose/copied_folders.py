"""Folders that are copies of one beside them, or parts of one that a drive has packed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence, Set

from autograde.grader.ingest.naming.copies import original
from autograde.grader.ingest.naming.nobodys_names import DRIVES_PART

Parts = tuple[str, ...]


def copies_of(names: Set[str]) -> dict[str, str]:
    """The folders that are copies of one that lies beside them, such as `ann - Copy`, and which. `ann (1)` and `ann 2` are not: two students
    may be called ann."""
    beside = {unicodedata.normalize("NFC", name): name for name in names}
    return {name: beside[original(name)] for name in names if original(name) != name and original(name) in beside}


def without_copies_and_parts(files: Sequence[Parts]) -> dict[Parts, Parts]:
    """Where files would lie without the folders that a drive has packed in parts, and in what copies of folders are copies of."""
    copies = copies_of({parts[0] for parts in files if len(parts) > 1})
    drives = {parts for parts in files if len(parts) > 1 and re.fullmatch(DRIVES_PART, parts[0])}
    return {parts: parts[1:] if parts in drives else (copies.get(parts[0], parts[0]), *parts[1:]) for parts in files}
