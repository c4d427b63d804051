"""What a cell of code has put out, as far as a person can be shown it: its words, and its pictures as a Markdown cell keeps them.

A notebook is read without its outputs, which may have any size; those of a few cells are read from the file by the place that was kept of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograde.files import opened
from autograde.grader.ingest.formats.without_outputs import Span

MOST_BYTES = 4 * 2**20  # of a cell's outputs
MOST_CHARACTERS = 2000  # of its words
KINDS = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif"}
BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+")
ELSEWHERE = "(the cell also shows something that only the notebook can show: open it)"
TOO_LARGE = "(what the cell shows is too large for this page: open the notebook)"
COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def drawn(path: Path | None, place: Span, name: str) -> tuple[str, dict[str, dict[str, str]]]:
    """(Markdown, pictures by the names that it has for them) of the outputs at `place` in the file; `name` begins each picture's name."""
    start, end = place
    if path is None or end <= start:
        return "", {}
    if end - start > MOST_BYTES:
        return TOO_LARGE, {}
    try:
        with opened(path) as stream:
            stream.seek(start)
            outputs = json.loads(stream.read(end - start))
    except (OSError, ValueError, RecursionError):
        return "", {}
    return _shown([output for output in outputs if isinstance(output, dict)] if isinstance(outputs, list) else [], name)


def _shown(outputs: list[dict[str, Any]], name: str) -> tuple[str, dict[str, dict[str, str]]]:
    pieces: list[str] = []
    pictures: dict[str, dict[str, str]] = {}
    for output in outputs:
        data = found if isinstance(found := output.get("data"), dict) else {}
        if picture := next(_pictures(data), None):
            file = f"{name}-{len(pictures)}.{KINDS[picture[0]]}"
            pictures[file] = dict([picture])
            pieces.append(f"![what the cell shows](attachment:{file})")
        elif words := COLOURS.sub("", _text(output.get("text", data.get("text/plain")))).strip():
            pieces.append(_fenced(words[:MOST_CHARACTERS]))
        if not picture and any(kind.startswith(("image/", "text/html")) for kind in data):
            pieces.append(ELSEWHERE)
    return "\n\n".join(pieces), pictures


def _pictures(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for kind in KINDS:
        text = _text(data.get(kind))
        if text and BASE64.fullmatch(text):
            yield kind, "".join(text.split())


def _text(value: Any) -> str:
    """A text as notebooks keep it: whole, or a list of its lines."""
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""


def _fenced(words: str) -> str:
    """As text that is no Markdown, whatever stands in it."""
    mark = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", words)), default=0))
    return f"{mark}text\n{words}\n{mark}"
