"""What a call costs: its time, and the most memory its tensors hold at once."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


@dataclass(frozen=True)
class Cost:
    """`seconds` of the fastest of several calls; `peak_bytes` of the tensors that a call makes, its result among them."""

    seconds: float
    peak_bytes: int


class _LiveTensors(TorchDispatchMode):
    """Counts the bytes of every storage that an operation makes, from its birth to its death."""

    def __init__(self) -> None:
        super().__init__()
        self.live = self.peak = 0
        self._known: set[int] = set()

    def __torch_dispatch__(self, function: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        given = [x.untyped_storage() for x in tree_leaves((args, kwargs)) if isinstance(x, torch.Tensor)]
        result = function(*args, **(kwargs or {}))
        before = {id(storage) for storage in given}
        for tensor in tree_leaves(result):
            # a view shares its storage with an argument, or with a storage counted already
            if isinstance(tensor, torch.Tensor) and id(tensor.untyped_storage()) not in before | self._known:
                self._count(tensor.untyped_storage())
        return result

    def _count(self, storage: torch.UntypedStorage) -> None:
        self._known.add(id(storage))
        self.live += storage.nbytes()
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._forget, id(storage), storage.nbytes())

    def _forget(self, known: int, size: int) -> None:
        self._known.discard(known)
        self.live -= size


def measure(function: Callable, *args: Any, repeats: int = 5) -> Cost:
    """Call `function(*args)` several times and say what one call costs."""
    with torch.no_grad(), _LiveTensors() as tensors:
        function(*args)
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        with torch.no_grad():
            function(*args)
        seconds.append(time.perf_counter() - start)
    return Cost(min(seconds), tensors.peak)
