"""Other whole numbers for the same things: states, tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import torch

from autograde.grader.run.symmetries.symmetry import Change


@dataclass(frozen=True)
class Renumbered:
    """Other whole numbers for things, in the `arguments` at these places and in the result; those in `but` are no names of things."""

    arguments: tuple[int, ...]
    but: tuple[int, ...] = ()

    def changes(self, args: Sequence[Any], chosen: Random) -> tuple[list[Any], Change]:
        moved = chosen.randint(11, 60)
        given = [self._moved(arg, moved) if i in self.arguments else arg for i, arg in enumerate(args)]
        return given, lambda result: self._moved(result, -moved)

    def _moved(self, value: Any, by: int) -> Any:
        if isinstance(value, torch.Tensor) and value.dtype == torch.long:
            names = torch.stack([value != number for number in self.but]).all(0) if self.but else torch.ones_like(value, dtype=torch.bool)
            return torch.where(names, value + by, value)
        if type(value) is tuple:
            return tuple(self._moved(one, by) for one in value)
        return value + by if type(value) is int else value


@dataclass(frozen=True)
class Reordered:
    """Another order of the vocabulary for which the `argument` at this place has a number each, in its last dimension; the result holds tokens of it."""

    argument: int

    def changes(self, args: Sequence[Any], chosen: Random) -> tuple[list[Any], Change]:
        scores = args[self.argument]
        size = scores.shape[-1] if isinstance(scores, torch.Tensor) and scores.dim() else 0
        circle = chosen.sample(range(size), size)
        meant = torch.tensor(
            [token for _, token in sorted(zip(circle, [*circle[1:], *circle[:1]]))], dtype=torch.long
        )  # no token stays where it was
        given = [arg[..., meant] if i == self.argument and size else arg for i, arg in enumerate(args)]
        return given, lambda result: meant[result] if _are_below(result, size) else result


def _are_below(value: Any, size: int) -> bool:
    return isinstance(value, torch.Tensor) and value.dtype == torch.long and bool(((value >= 0) & (value < size)).all())
