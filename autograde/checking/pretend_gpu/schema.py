"""What the schema of an operation says about it, and calling one by the names of its arguments."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch._ops import OpOverload


@dataclass(frozen=True)
class Form:
    """An operation: is its result a view, does it draw, what does it write, and where do its results come from."""

    name: str
    is_view: bool
    is_pointwise: bool
    is_random: bool
    takes_generator: bool
    arguments: tuple[str, ...]
    positional: tuple[str, ...]
    tensors: frozenset[str]  # the arguments that are tensors
    written: tuple[str, ...]  # the arguments that it writes
    returned: tuple[str | None, ...]  # for each result the argument that it is; None for a new tensor

    def named(self, args: tuple, kwargs: dict[str, Any]) -> dict[str, Any]:
        return dict(zip(self.arguments, args)) | kwargs


@functools.cache
def form(op: OpOverload) -> Form:
    arguments, returns = op._schema.arguments, op._schema.returns
    written = {_place(a): a.name for a in arguments if a.alias_info and a.alias_info.is_write}
    return Form(
        name=op.overloadpacket.__name__,
        is_view=any(r.alias_info and not r.alias_info.is_write for r in returns),
        is_pointwise=torch.Tag.pointwise in op.tags,
        is_random=torch.Tag.nondeterministic_seeded in op.tags,
        takes_generator=any(a.name == "generator" for a in arguments),
        arguments=tuple(a.name for a in arguments),
        positional=tuple(a.name for a in arguments if not a.kwarg_only),
        tensors=frozenset(a.name for a in arguments if str(a.type) in ("Tensor", "Optional[Tensor]")),
        written=tuple(written.values()),
        returned=tuple(written.get(_place(r)) if r.alias_info and r.alias_info.is_write else None for r in returns),
    )


def _place(argument: Any) -> frozenset[str]:
    """The letters that a schema gives to the memory of an argument or a result, as in `Tensor(a!)`."""
    return frozenset(argument.alias_info.before_set)


def call(op: OpOverload, named: dict[str, Any]) -> Any:
    """The operation on arguments by name. PyTorch hands over the 2 of `x % 2` as a number, and takes it as a tensor alone."""
    positional, tensors = form(op).positional, form(op).tensors
    named = {name: torch.tensor(v) if name in tensors and isinstance(v, (int, float, complex)) else v for name, v in named.items()}
    args = [named[name] for name in positional if name in named]
    return op(*args, **{name: value for name, value in named.items() if name not in positional})


def tensors_in(values: Iterable[Any]) -> list[torch.Tensor]:
    """The tensors among an operation's arguments, those in lists too."""
    found: list[torch.Tensor] = []
    for value in values:
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif type(value) in (list, tuple):
            found += tensors_in(value)
    return found
