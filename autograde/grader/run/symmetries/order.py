"""The same entries in the opposite order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import torch

from autograde.checking.expect import is_record
from autograde.grader.run.symmetries.symmetry import Change


@dataclass(frozen=True)
class Reversed:
    """Entries in the opposite order: of the `arguments` at these places along these dimensions, and of the result along another, or of these
    results where it has several."""

    arguments: Mapping[int, int]
    results: int | Mapping[int, int]

    def changes(self, args: Sequence[Any], chosen: Random) -> tuple[list[Any], Change]:
        given = [_flipped(arg, self.arguments[i]) if i in self.arguments else arg for i, arg in enumerate(args)]
        return given, self._back

    def _back(self, result: Any) -> Any:
        if isinstance(self.results, int):
            return _flipped(result, self.results)
        if type(result) not in (list, tuple):
            return result
        return tuple(_flipped(part, self.results[i]) if i in self.results else part for i, part in enumerate(result))


def _flipped(value: Any, dimension: int) -> Any:
    return value.flip(dimension) if isinstance(value, torch.Tensor) and value.dim() >= -dimension else value


@dataclass(frozen=True)
class Backwards:
    """States counted from the last to the first: in experience, of which the second argument says how many states there are, in models, and in
    tables with a state in front and a next one at the end."""

    def changes(self, args: Sequence[Any], chosen: Random) -> tuple[list[Any], Change]:
        return [_backwards(arg, args[1]) for arg in args], lambda result: _backwards(result, args[1])


def _backwards(value: Any, states: Any) -> Any:
    if isinstance(value, torch.Tensor) and value.dim() == 3:
        return value.flip(0, 2)
    if not is_record(value):
        return value
    found = {name: one for name, one in vars(value).items() if isinstance(one, torch.Tensor)}
    if "next_state" in found:
        return replace(value, **{name: states - 1 - one for name, one in found.items() if name in ("state", "next_state")})
    return replace(value, **{name: _backwards(one, states) if one.dim() == 3 else one.flip(0) for name, one in found.items() if one.dim()})
