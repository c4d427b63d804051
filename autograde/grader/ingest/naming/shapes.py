"""How names are built: `Cy Li` as `Ann Lee` is, and `from office hours` in another way."""

from __future__ import annotations

import re


def shape(name: str) -> str:
    """A name's words, with a capital or without, its numbers by their length, and what stands between."""
    words = re.sub(r"[^\W\d_]+", lambda word: "A" if word[0][0].isupper() else "a", name)
    return re.sub(r"\d+", lambda number: f"0{len(number[0])}", words)
