"""Names of students and files as they can be written anywhere."""

from __future__ import annotations

import hashlib

MAX_NAME = 200  # bytes: a folder's name is at most 255 on any system, and spelling out strange characters makes it longer


def readable(name: str) -> str:
    """A name that can be written anywhere, also on a terminal: strange characters spelled out, one blank between words, not too long."""
    words = " ".join(name.encode("utf-8", "backslashreplace").decode().split())
    plain = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in words)
    if len(plain.encode()) <= MAX_NAME:
        return plain
    return plain.encode()[: MAX_NAME - 20].decode(errors="ignore") + "-" + hashlib.sha256(plain.encode()).hexdigest()[:16]
