"""The packages of requirements.lock, whether this machine has them or not: an author's and an instructor's installation differ."""

from __future__ import annotations

import re
import tomllib

from autograde import layout

NAME = re.compile(r"[\w.-]+")
PINS = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)


def locked() -> dict[str, str]:
    """Each package's version by its normal name."""
    return {normal(name): version for name, version in PINS.findall((layout.ROOT / "requirements.lock").read_text(encoding="utf-8"))}


def needed() -> set[str]:
    """The packages that every installation of the course has, by their normal names: without those of authors and of tests."""
    settings = tomllib.loads((layout.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {normal(found[0]) for line in settings["project"]["dependencies"] if (found := NAME.match(line))}


def normal(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()
