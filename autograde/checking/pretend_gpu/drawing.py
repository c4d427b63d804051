"""How an answer may draw random numbers on a GPU: with a generator of the device; with the CPU's, moving what it drew; or with either, anywhere.

CUDA refuses a generator of the CPU for a draw on the device. `drawn_anywhere` lets it through, on a real GPU too: what else an answer does
wrong there can then be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as trees

DRAWINGS = ON_DEVICE, ON_CPU, ANYWHERE = "on the device", "on the CPU", "anywhere"
_CPU = torch.device("cpu")


@contextmanager
def drawn_anywhere(drawing: str) -> Iterator[None]:
    """Inside, where `drawing` is anywhere, a draw on the device takes the CPU's generators, too."""
    if drawing != ANYWHERE:
        yield
        return
    with _DrawnOnTheCPU():
        yield


class _DrawnOnTheCPU(TorchFunctionMode):
    """What a generator of the CPU is to draw for a device is drawn on the CPU, and moved."""

    def __torch_function__(self, function: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        generator = next((value for value in (*args, *kwargs.values()) if isinstance(value, torch.Generator)), None)
        device = _device(args, kwargs)
        if generator is None or generator.device != _CPU or device in (None, _CPU):
            return function(*args, **kwargs)
        here = trees.tree_map_only(torch.Tensor, torch.Tensor.cpu, (args, {**kwargs, **({"device": _CPU} if "device" in kwargs else {})}))
        drawn = function(*here[0], **here[1])
        if args and drawn is here[0][0]:  # in place
            return args[0].copy_(drawn)
        return trees.tree_map_only(torch.Tensor, lambda tensor: tensor.to(device), drawn)


def _device(args: tuple, kwargs: dict) -> torch.device | None:
    """Where a call is to draw."""
    if kwargs.get("device") is not None:
        return torch.device(kwargs["device"])
    return next((value.device for value in trees.tree_leaves((args, kwargs)) if isinstance(value, torch.Tensor)), None)
