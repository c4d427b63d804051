"""PyTorch's compiler is imported when something of it is used, and not before.

Optimizers, dispatch modes and tensors without numbers import `torch._dynamo` when they are first used, which takes a second, only to keep it
away from themselves. Where nothing is compiled, a stand-in answers that; whatever else is asked of it brings the real module.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import torch

NAME = "torch._dynamo"
KEPT = "__dynamo_disable"  # where a function of PyTorch's keeps what `disable` gave for it


class StandIn(ModuleType):
    """What `torch._dynamo` is until more of it is used."""

    __path__: list[str] = []  # it has parts, which `_Parts` finds

    def __init__(self) -> None:
        super().__init__(NAME)
        self.left_alone: list[Any] = []

    def disable(self, fn: Any = None, recursive: bool = True, **options: Any) -> Any:
        """The function as it is; without one, this as a decorator."""
        self.left_alone.append(fn)
        return self.disable if fn is None else fn

    def graph_break(self, msg: str = "") -> None:
        """Nothing is compiled that could be broken."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what the import system and inspections ask of every module
            raise AttributeError(name)
        return getattr(_real(), name)


class _Parts(MetaPathFinder, Loader):
    """Finds `torch._dynamo.config` and its like in the real module, which is imported first."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        return ModuleSpec(name, self) if name.startswith(f"{NAME}.") and _is_put_off() else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        _real()
        return importlib.import_module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """It has run already."""


def put_off() -> StandIn | None:
    """From now on in this process; None where the compiler is imported or put off already."""
    if NAME in sys.modules:
        return None
    torch._dynamo = sys.modules[NAME] = found = StandIn()
    sys.meta_path.insert(0, _Parts())
    return found


@contextmanager
def put_off_meanwhile() -> Iterator[None]:
    """While it is open. PyTorch's functions then ask the compiler again: a student may want it."""
    standing = put_off()
    try:
        yield
    finally:
        if standing:
            _real_again(standing)


def _real_again(standing: StandIn) -> None:
    if sys.modules.get(NAME) is standing:
        del sys.modules[NAME], torch._dynamo
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Parts)]
    for function in standing.left_alone:
        with suppress(AttributeError):
            delattr(function, KEPT)


def _is_put_off() -> bool:
    return isinstance(sys.modules.get(NAME), StandIn)


def _real() -> ModuleType:
    """The module itself, in the stand-in's place."""
    if _is_put_off():
        del sys.modules[NAME]
    return importlib.import_module(NAME)
