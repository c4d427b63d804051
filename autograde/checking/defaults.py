"""PyTorch's own defaults around a check, whatever the notebook has set: neither the answers nor the checks mean them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from autograde.checking.compiler import put_off_meanwhile


@contextmanager
def plain_defaults() -> Iterator[None]:
    """float32 on the CPU, and compiled functions run as they are written: compiling takes longer than a check may."""
    dtype, device = torch.get_default_dtype(), torch.get_default_device()
    torch.set_default_dtype(torch.float32)
    if device.type != "cpu":
        torch.set_default_device(None)
    compiling = "torch._dynamo.eval_frame" in sys.modules  # without it nothing was compiled
    try:
        with torch.compiler.set_stance("force_eager") if compiling else put_off_meanwhile():
            yield
    finally:
        torch.set_default_dtype(dtype)
        if device.type != "cpu":
            torch.set_default_device(device)
