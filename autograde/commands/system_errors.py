"""What the operating system refused, in words, with what to do about it."""

from __future__ import annotations

import errno
from pathlib import Path

from autograde.files import PART

ROOM = "make room on the disk, then type the same again"
CLOSED = "make it writable for you, close the program that has it open (a spreadsheet?), or name another place"
REMEDIES = {
    errno.ENOSPC: ROOM,
    errno.EDQUOT: ROOM,
    errno.EACCES: CLOSED,
    errno.EPERM: CLOSED,
    errno.EROFS: "make it writable for you, or name another place",
    errno.EADDRINUSE: "another program has this port: name another one, or none",
    errno.ENOENT: "look whether it is called so",
    errno.EEXIST: "a file is where a folder is needed: name another place",
    errno.ENOTDIR: "a file is where a folder is needed: name another place",
    errno.EISDIR: "a folder is where a file is needed: name another place",
}


def in_words(error: OSError) -> str:
    """One line: which file or folder, why not, and what to do; errors of our own have all that in their message."""
    if not error.strerror:
        return str(error)
    named = error.filename2 or error.filename  # of a copy, where it goes to
    place = Path(named) if isinstance(named, str) else None
    if place and place.name.startswith(PART):  # a file that is being written, under a name that nobody has given
        place = place.parent
    why = f"{place} cannot be written or read ({error.strerror})" if place else error.strerror
    remedy = REMEDIES.get(error.errno or 0)
    return f"{why}: {remedy}" if remedy else why
