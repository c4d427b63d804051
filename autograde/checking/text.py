"""Untrusted text as one that can be shown."""

from __future__ import annotations

from typing import Any


def plain(text: Any, length: int) -> str:
    """Untrusted text as one that can be shown: a string, short, without control characters."""
    if type(text) is not str:
        return ""
    short = text[:length]
    if short.replace("\n", "").isprintable():  # as nearly all are
        return short
    return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in short)
