"""How names are built: `Cy Li` as `Ann Lee` is, and `from office hours` in another way."""

from __future__ import annotations

import re
from collections.abc import Iterable

LEAST = 2  # names that say how all are built


def shape(name: str) -> str:
    """A name's words, with a capital or without, its numbers by their length, and what stands between."""
    words = re.sub(r"[^\W\d_]+", lambda word: "A" if word[0][0].isupper() else "a", name)
    return re.sub(r"\d+", lambda number: f"0{len(number[0])}", words)


def fits(inner: str, outer: str, others: Iterable[str]) -> bool:
    """Whether the name of what lies in a folder is built as all others beside the folder are, and the folder's is not."""
    shapes = list(map(shape, others))
    return len(shapes) >= LEAST and {shape(inner)} == set(shapes) != {shape(outer)}
