"""One step of an optimizer on gradients that are known beforehand: whether parameter groups reach the model they were made of."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn


def first_step(parameter_groups: Callable[[nn.Module, float], list[dict]], model: nn.Module, weight_decay: float, lr: float) -> None:
    """Plain gradient descent by `parameter_groups(model, weight_decay)`, with gradients of 1 in all of the model's parameters.

    A parameter p of the model becomes p − lr · (1 + decay · p), by the decay of its group; one that no group holds stays as it is.
    """
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer = torch.optim.SGD(parameter_groups(model, weight_decay), lr=lr)
    optimizer.step()
    model.zero_grad()
