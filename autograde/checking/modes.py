"""PyTorch's modes that belong to a whole thread: what an answer does to them must not reach whatever runs after it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def modes_kept() -> Iterator[None]:
    """Gradients on or off, and autocast on the CPU, are afterwards as they were before.

    Autocast is not entered for that: it keeps the weights that it has cast until the outermost one ends, and an answer that trains would go on
    with those of its first step.
    """
    enabled, dtype, cached = torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu"), torch.is_autocast_cache_enabled()
    depth = _depth()
    with torch.set_grad_enabled(torch.is_grad_enabled()):
        try:
            yield
        finally:
            torch.set_autocast_enabled("cpu", enabled)
            torch.set_autocast_dtype("cpu", dtype)
            torch.set_autocast_cache_enabled(cached)
            while _depth() > depth:  # one that an answer has entered and never left
                torch.autocast_decrement_nesting()
            if not depth:
                torch.clear_autocast_cache()


def _depth() -> int:
    """How many of `torch.autocast` are open in this thread."""
    torch.autocast_increment_nesting()
    return torch.autocast_decrement_nesting()
