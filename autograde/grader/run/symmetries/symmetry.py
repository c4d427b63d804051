"""What a symmetry is, and what several kinds of them need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Protocol

import torch

Change = Callable[[Any], Any]


class Symmetry(Protocol):
    """A kind of change after which an exercise is the same."""

    def changes(self, args: Sequence[Any], chosen: Random) -> tuple[list[Any], Change]:
        """Other arguments, and what makes of the answer's result the one for the arguments as they were."""


def each(value: Any, change: Change) -> Any:
    return type(value)(map(change, value)) if type(value) in (list, tuple, set, frozenset) else value


def is_function(value: Any) -> bool:
    return callable(value) and not isinstance(value, (type, torch.nn.Module))


def translated(function: Callable, there: Change, back: Change) -> Callable:
    """A function of the check's that is asked in the answer's words and says it in them."""
    return lambda *args: back(function(*map(there, args)))
