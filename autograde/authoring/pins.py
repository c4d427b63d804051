"""The packages of requirements.lock, whether this machine has them or not: an author's and an instructor's installation differ."""

from __future__ import annotations

import re

from autograde import layout

PINS = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)


def locked() -> dict[str, str]:
    """Each package's version by its normal name."""
    return {normal(name): version for name, version in PINS.findall((layout.ROOT / "requirements.lock").read_text(encoding="utf-8"))}


def normal(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()
