"""Other units for numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import torch

from autograde.checking.expect import is_record
from autograde.grader.run.symmetries.symmetry import Change, each, is_function, translated

SCALES = (2.0, 4.0, 8.0)  # powers of two, so that scaling back is exact
REWARDS = ("reward",)  # what of a table of `utils.mdp` has the unit of a reward


@dataclass(frozen=True)
class Scaled:
    """Another unit for rewards and values: that of the `arguments` at these places (of a function, what it gives) and of the result, or of
    these `results` where it has several."""

    arguments: tuple[int, ...]
    results: tuple[int, ...] = ()
    alike: bool = False  # the result has no unit

    def changes(self, args: Sequence[Any], chosen: Random) -> tuple[list[Any], Change]:
        factor = chosen.choice(SCALES)
        there, back = Numbers(lambda x: x * factor), Numbers(lambda x: x / factor)
        given = [there.wherever(arg) if i in self.arguments else arg for i, arg in enumerate(args)]
        return given, (lambda result: result) if self.alike else lambda result: _in_parts(result, back, self.results)


class Numbers:
    """A change of every number that is no whole one, in whatever holds numbers; of tables, their rewards."""

    def __init__(self, change: Change) -> None:
        self.change = change

    def __call__(self, value: Any) -> Any:
        if isinstance(value, float) or isinstance(value, torch.Tensor) and value.is_floating_point():
            return self.change(value)
        if is_record(value):
            return replace(value, **{name: self(getattr(value, name)) for name in REWARDS if hasattr(value, name)})
        return {key: self(item) for key, item in value.items()} if isinstance(value, dict) else each(value, self)

    def wherever(self, value: Any) -> Any:
        """The value with other numbers; of a function, what it gives."""
        return translated(value, lambda given: given, self) if is_function(value) else self(value)


def _in_parts(result: Any, change: Change, parts: Sequence[int]) -> Any:
    if not parts:
        return change(result)
    return tuple(change(part) if i in parts else part for i, part in enumerate(result)) if type(result) in (list, tuple) else result
