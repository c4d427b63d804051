"""PyTorch's modes that belong to a whole thread: what an answer does to them must not reach whatever runs after it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def modes_kept() -> Iterator[None]:
    """Gradients on or off, and autocast on the CPU, are afterwards as they were before."""
    with torch.set_grad_enabled(torch.is_grad_enabled()), torch.autocast("cpu", enabled=torch.is_autocast_enabled("cpu")):
        yield
