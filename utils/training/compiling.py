"""`torch.compile` where it works; elsewhere training goes on without it."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from utils.device import Precision, random_state, set_random_state


def compiled(model: nn.Module, batch: tuple[Tensor, Tensor], precision: Precision) -> tuple[nn.Module, str]:
    """`(compiled model, "")`, or `(model, why not)` where a trial on one batch fails: no compiler, no Triton, a device it does not know.

    Compiling happens at the first call, so there has to be one. The trial leaves no gradient and no trace in the random numbers.
    """
    device = batch[0].device
    state = random_state(device)
    try:
        runner = cast(nn.Module, torch.compile(model))  # a module of a module, which the stub of torch.compile does not say
        with torch.autocast(device.type, dtype=precision.dtype, enabled=precision.dtype is not None):
            loss = runner(*batch)[1]
        loss.backward()
        return runner, ""
    except Exception as error:  # it may be any: of the C++ compiler, of Triton, of the tracing
        reason = (str(error).strip().splitlines() or [""])[0][:120]
        return model, f"torch.compile does not work here ({type(error).__name__}: {reason}); training goes on without it, more slowly"
    finally:
        model.zero_grad()
        set_random_state(device, state)
