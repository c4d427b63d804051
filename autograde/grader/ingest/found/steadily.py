"""A folder that another program changes while it is looked through, as one that is synchronised."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

TRIES = 3
Asked = ParamSpec("Asked")
Seen = TypeVar("Seen")


def steadily(look: Callable[Asked, Seen]) -> Callable[Asked, Seen]:
    """Look again where a file was gone that had been there: that one of them goes ends nobody else's grading."""

    @wraps(look)
    def again(*args: Asked.args, **options: Asked.kwargs) -> Seen:
        for _ in range(TRIES - 1):
            with contextlib.suppress(FileNotFoundError):
                return look(*args, **options)
        return look(*args, **options)

    return again
