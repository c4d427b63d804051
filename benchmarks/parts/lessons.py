"""The lessons' reference answers, by name."""

from __future__ import annotations

import functools
from typing import Any

from autograde import layout
from autograde.authoring import source


@functools.cache
def answers(lesson: str) -> dict[str, Any]:
    """What the lesson's source defines."""
    return source.namespace(source.read(layout.source_path(lesson)))


def gpt_lesson() -> dict[str, Any]:
    return answers("07_gpt")
