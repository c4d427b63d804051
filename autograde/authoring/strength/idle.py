"""Answers that do nothing. Each must fail a test: a check that they pass all the same is marked `trivial`, and earns nothing by itself."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import torch

from autograde.checking.expect import is_record

FILLS = {"zeros": 0, "ones": 1, "NaN": math.nan, "infinity": math.inf}


class Unknown(TypeError):
    """A kind of value that cannot be emptied."""


class Idle(torch.nn.Module):
    """A module without a parameter that returns what it is given."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        return x


def idle_answers(right: Any) -> dict[str, Any]:
    """Answers to a function or a class that know nothing about it, by what they do."""
    nothing: dict[str, Any] = {"returns None": lambda *a, **k: None}
    if isinstance(right, type):
        return {**nothing, "passes on": passing_on(right), "refuses all that it is asked": refusing_all(right)}
    same: dict[str, Any] = {"returns its argument": lambda *a, **k: a[0] if a else None, "returns []": lambda *a, **k: []}
    numbers = {f"gives {words}": filled(right, fill) for words, fill in FILLS.items()}
    return {**nothing, **same, **numbers, "raises a ValueError that names every argument": refusing(right)}


def refusing(right: Callable) -> Callable:
    """What takes no arguments for good ones, whatever they are."""
    names = " ".join(inspect.signature(right).parameters)

    def answer(*args: Any, **kwargs: Any) -> Any:
        raise ValueError(f"{names}: {args} {kwargs}")

    return answer


def passing_on(right: type) -> type:
    """An idle class with the right one's public methods, which return what they are given, and its properties, which are 0."""
    public = {name: value for name, value in vars(right).items() if not name.startswith("_")}
    methods = {name: Idle.forward for name, value in public.items() if callable(value)}
    return type(right.__name__, (Idle,), methods | {name: 0 for name, value in public.items() if isinstance(value, property)})


def refusing_all(right: type) -> type:
    """A class whose objects can be made, and whose methods take no arguments for good ones."""
    refuse = refusing(right)
    methods = {
        name: lambda self, *args, **kwargs: refuse(*args, **kwargs) for name, value in vars(passing_on(right)).items() if callable(value)
    }
    return type(right.__name__, (Idle,), methods | {"forward": lambda self, *args, **kwargs: refuse(*args, **kwargs)})


def filled(right: Callable, fill: float) -> Callable:
    """Right in form only; what the right answer does to its arguments is not done either."""

    def answer(*args: Any, **kwargs: Any) -> Any:
        args, kwargs = (tuple(map(_own, args)), {key: _own(v) for key, v in kwargs.items()})
        return emptied(right(*args, **kwargs), fill)

    return answer


def emptied(value: Any, fill: float) -> Any:
    """The same kind and shape of value with `fill` for every number, 0 for one that cannot be that, and no text.

    Raises:
        Unknown: for a kind of value that has no such form.
    """
    if isinstance(value, torch.Tensor):
        return torch.full_like(value.detach(), fill if value.is_floating_point() or math.isfinite(fill) else 0)
    if value is None or isinstance(value, (bool, int, float)):
        return value if value is None else type(value)(fill if isinstance(value, float) or math.isfinite(fill) else 0)
    if isinstance(value, (str, bytes)):
        return type(value)()
    if isinstance(value, (list, tuple)):
        return type(value)(emptied(v, fill) for v in value)
    if isinstance(value, Mapping):
        return {key: emptied(v, fill) for key, v in value.items()}
    if is_record(value):
        return dataclasses.replace(value, **{f.name: emptied(getattr(value, f.name), fill) for f in dataclasses.fields(value)})
    raise Unknown(type(value).__name__)


def _own(value: Any) -> Any:
    kept = isinstance(value, torch.Generator) or callable(value) and not isinstance(value, torch.nn.Module)
    return value if kept else copy.deepcopy(value)
