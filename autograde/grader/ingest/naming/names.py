"""Names of students and files as they can be written anywhere."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from urllib.parse import unquote

EMBEDDED = re.compile("[\u202b\u2066-\u2069]")  # begins or ends a part that is written in its own direction
MAX_NAME = 200  # bytes: a folder's name is at most 255 on any system, and spelling out strange characters makes it longer
INVISIBLE = re.compile("[\u200b-\u200f\u061c\u2060\ufeff\u00ad\u202a\u202c]")  # of a text's direction, joiners, blanks of no width


def plain_name(name: str) -> str:
    """A name as it was meant: letters composed, without marks that nobody sees, `%20` as a blank. Marks that turn a text around stay:
    they can make a name look like another."""
    with_blanks = unquote(name, errors="strict") if re.search(r"%[0-9A-Fa-f]{2}", name) and _unquotes(name) else name
    composed = unicodedata.normalize("NFC", with_blanks)
    from_the_right = any(unicodedata.bidirectional(c) in ("R", "AL") for c in composed)  # Windows and chats put such marks around these
    return INVISIBLE.sub("", EMBEDDED.sub("", composed) if from_the_right else composed) or composed


def _unquotes(name: str) -> bool:
    try:
        return unquote(name, errors="strict").isprintable()
    except UnicodeDecodeError:
        return False


def readable(name: str) -> str:
    """A name that can be written anywhere, also on a terminal: strange characters spelled out, one blank between words, not too long."""
    words = " ".join(name.encode("utf-8", "backslashreplace").decode().split())
    plain = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in words)
    if len(plain.encode()) <= MAX_NAME:
        return plain
    return plain.encode()[: MAX_NAME - 20].decode(errors="ignore") + "-" + hashlib.sha256(plain.encode()).hexdigest()[:16]
