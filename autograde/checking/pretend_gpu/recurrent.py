"""What CUDA's own kernels of recurrent layers refuse: the gradient through a layer that was not in training mode.

Source: PyTorch, `_cudnn_rnn_backward` ("cudnn RNN backward can only be called in training mode").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from autograde.checking.pretend_gpu.memory import is_on_gpu

KINDS = ("gru", "lstm", "rnn_tanh", "rnn_relu")


def as_cudnn(kernel: Callable) -> Callable:
    """`torch._VF.gru` or its like, whose results on the pretend GPU have a gradient in training mode only."""

    def called(*args: Any) -> tuple[torch.Tensor, ...]:
        results = kernel(*args)
        weights = next(i for i, value in enumerate(args) if isinstance(value, (list, tuple)) and i > 1)
        training = args[weights + 4]  # after whether there are biases, the number of layers and the dropout
        return tuple(_InEvaluation.apply(r) for r in results) if is_on_gpu(args[0]) and not training else results

    return called


class _InEvaluation(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, result: torch.Tensor) -> torch.Tensor:
        return result.view_as(result)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> None:
        raise RuntimeError("cudnn RNN backward can only be called in training mode")
