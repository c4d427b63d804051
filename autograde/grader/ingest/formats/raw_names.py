"""Names of files on a disk that are no UTF-8: an unpacker of old, or a tar archive, has written those of another encoding."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from autograde.grader.spelling import likeliest

RAW = re.compile("[\udc80-\udcff]")  # how Python keeps bytes that it cannot read


def as_meant(names: Sequence[str]) -> dict[str, str]:
    """What names beside each other were meant to be, of those that are no UTF-8; none becomes one that is there already, or blanks and signs."""
    raw = {name: os.fsencode(name) for name in names if RAW.search(name)}
    encoding = likeliest(raw.values()) if raw else ""
    meant = {name: content.decode(encoding, errors="replace") for name, content in raw.items()}
    fits = {name: read for name, read in meant.items() if read.isprintable() and any(map(str.isalpha, read))}
    return {name: read for name, read in fits.items() if [*names, *meant.values()].count(read) == 1}
