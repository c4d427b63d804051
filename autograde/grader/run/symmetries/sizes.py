"""More of the same: what was asked for is a part of what is given."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import torch

from autograde.grader.run.symmetries.symmetry import Change
from autograde.grader.run.symmetries.units import Numbers


@dataclass(frozen=True)
class Longer:
    """A larger size as the `argument` at this place: along these `dimensions` its result begins with the one for the size that was asked for."""

    argument: int
    dimensions: tuple[int, ...]

    def changes(self, args: Sequence[Any], chosen: Random) -> tuple[list[Any], Change]:
        if self.argument >= len(args):
            return [*args], lambda result: result
        size, more = args[self.argument], chosen.randint(2, 5)
        given = [arg + more if i == self.argument else arg for i, arg in enumerate(args)]
        return given, lambda result: self._cut(result, size, size + more)

    def _cut(self, result: Any, size: int, asked: int) -> Any:
        for dimension in self.dimensions:
            if isinstance(result, torch.Tensor) and result.dim() >= -dimension:
                result = of_size(result, dimension, asked, size)
                result = result if result is None or result.shape[dimension] != asked else result.narrow(dimension, 0, size)
        return result


@dataclass(frozen=True)
class Wider:
    """Twice as many columns as the `argument` at this place says: of pairs whose speeds fall evenly from the first to the last, every other one is a
    pair of the table or matrix that was asked for, along these `dimensions`."""

    argument: int
    dimensions: tuple[int, ...]

    def changes(self, args: Sequence[Any], chosen: Random) -> tuple[list[Any], Change]:
        if self.argument >= len(args) or args[self.argument] % 2:  # an odd number is an error, and twice it is none
            return [*args], lambda result: result
        width = args[self.argument]
        given = [2 * arg if i == self.argument else arg for i, arg in enumerate(args)]
        return given, lambda result: self._chosen(result, width)

    def _chosen(self, result: Any, width: int) -> Any:
        pairs = torch.arange(2 * width).unflatten(0, (-1, 2))[::2].flatten()
        for dimension in self.dimensions:
            if isinstance(result, torch.Tensor) and result.dim() >= -dimension:
                result = of_size(result, dimension, 2 * width, width)
                result = result if result is None or result.shape[dimension] != 2 * width else result.index_select(dimension, pairs)
        return result


@dataclass(frozen=True)
class Repeated:
    """Every token of the vocabulary several times in the last dimension of the `argument` at this place: each has so much less probability, and the
    result, a mean of -log p, is larger by the logarithm of their number."""

    argument: int

    def changes(self, args: Sequence[Any], chosen: Random) -> tuple[list[Any], Change]:
        times = chosen.randint(2, 5)
        given = [
            torch.cat([arg] * times, -1) if i == self.argument and isinstance(arg, torch.Tensor) else arg for i, arg in enumerate(args)
        ]
        less = Numbers(lambda loss: loss - math.log(times))
        return given, less


@dataclass(frozen=True)
class MoreRows:
    """More rows in the `argument` at this place: each result begins with those that were asked for."""

    argument: int

    def changes(self, args: Sequence[Any], chosen: Random) -> tuple[list[Any], Change]:
        rows, times = args[self.argument], chosen.randint(2, 3)
        if not isinstance(rows, torch.Tensor) or not rows.dim():
            return [*args], lambda result: result
        given = [torch.cat([rows] * times) if i == self.argument else arg for i, arg in enumerate(args)]
        return given, lambda result: self._first(result, len(rows), times * len(rows))

    def _first(self, result: Any, rows: int, asked: int) -> Any:
        if type(result) in (list, tuple):
            return type(result)(self._first(part, rows, asked) for part in result)
        found = of_size(result, 0, asked, rows) if isinstance(result, torch.Tensor) and result.dim() else result
        return found[:rows] if isinstance(found, torch.Tensor) and found.dim() and len(found) == asked else found


def of_size(result: torch.Tensor, dimension: int, asked: int, written: int) -> torch.Tensor | None:
    """Nothing where an answer gives the size that its check writes out, though it was asked for another."""
    return None if result.shape[dimension] == written != asked else result
