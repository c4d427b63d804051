"""The page of unusual equalities, for instructors' eyes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from jinja2 import Template

from autograde.checking.manifest import read_manifest
from autograde.files import write
from autograde.grader.pages.likeness import Likeness
from autograde.grader.pages.template import template

FILE = "likenesses.html"  # in a results folder
SHOWN = 100  # of the most surprising; a page with more is not read


def save(found: Sequence[Likeness], folder: Path, names: Mapping[str, str]) -> Path:
    """Write the page; `names` are those of the roster, by student."""
    write(folder / FILE, page(found, names).encode())
    return folder / FILE


def page(found: Sequence[Likeness], names: Mapping[str, str]) -> str:
    """The page, one file."""
    lessons = sorted({e.lesson for likeness in found for e in likeness.evidence})
    return _template().render(
        found=found[:SHOWN],
        more=max(0, len(found) - SHOWN),
        names=names,
        titles={lesson: read_manifest(lesson)["title"] for lesson in lessons},
    )


@lru_cache
def _template() -> Template:
    return template("likeness_page.html.j2", quoted=quote)
