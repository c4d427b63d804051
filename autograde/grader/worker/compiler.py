"""PyTorch's compiler is imported when something of it is used, and not before.

Optimizers and dispatch modes import `torch._dynamo` when they are first called, which takes a second, only to keep it away from themselves.
Here nothing is compiled (see `stand_ins`): a stand-in answers those two requests, and whatever else is asked of it brings the real module.
"""

from __future__ import annotations

import importlib
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import torch

from autograde.grader.worker.stand_ins import as_it_is, left_alone

NAME = "torch._dynamo"


class StandIn(ModuleType):
    """What `torch._dynamo` is until more of it is used."""

    __path__: list[str] = []  # it has parts, which `_Parts` finds

    def __init__(self) -> None:
        super().__init__(NAME)
        self.disable, self.graph_break = as_it_is, left_alone

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what the import system and inspections ask of every module
            raise AttributeError(name)
        return getattr(_real(), name)


class _Parts(MetaPathFinder, Loader):
    """Finds `torch._dynamo.config` and its like in the real module, which is imported first."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        return ModuleSpec(name, self) if name.startswith(f"{NAME}.") and isinstance(sys.modules.get(NAME), StandIn) else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        _real()
        return importlib.import_module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """It has run already."""


def put_off() -> None:
    """From now on in this process. Without effect where the compiler is imported already."""
    if NAME not in sys.modules:
        torch._dynamo = sys.modules[NAME] = StandIn()
        sys.meta_path.insert(0, _Parts())


def _real() -> ModuleType:
    """The module itself, in the stand-in's place."""
    if isinstance(sys.modules.get(NAME), StandIn):
        del sys.modules[NAME]
    return importlib.import_module(NAME)
