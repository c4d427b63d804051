"""How a check asks many times at the cost of asking once, where the answer lives in a worker: a message costs more than a small answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

T = TypeVar("T", bound=Callable[..., Any])


def repeated(function: Callable[..., Any], times: int, *args: Any, **kwargs: Any) -> list[Any]:
    """The results of so many equal calls, such as draws from one generator: as `[function(…) for _ in range(times)]`, with the same
    arguments in each."""
    together = getattr(type(function), "_repeated", None)
    return together(function, times, args, kwargs) if together else [function(*args, **kwargs) for _ in range(times)]


def each(function: Callable[..., Any], calls: Iterable[Sequence[Any]]) -> list[Any]:
    """The results of one call for each tuple of arguments, in order: as `[function(*arguments) for arguments in calls]`."""
    together = getattr(type(function), "_each", None)
    return together(function, list(calls)) if together else [function(*arguments) for arguments in calls]


def pure(function: T) -> T:
    """Mark a function of a check, or a class whose objects are called: asked the same, it answers the same, and nothing else comes of it.
    A worker may then remember its answers."""
    function.answers_alike = True  # type: ignore[attr-defined]
    return function


def is_pure(function: Callable[..., Any]) -> bool:
    """Whether it was marked."""
    return getattr(function, "answers_alike", False) is True
