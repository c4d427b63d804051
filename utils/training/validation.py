"""The validation loss, and the weights that had the least."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from utils.device import precision
from utils.training import processes
from utils.training.batches import to_device
from utils.training.plan import Plan


class Validation:
    """The same `eval_batches` batches of `data` every time, shared out over the processes; `best` has loss, step and weights of the best time."""

    def __init__(self, data: Any, plan: Plan, get_batch: Callable, device: torch.device, rank: int, world: int) -> None:
        self.data, self.plan, self.get_batch, self.device, self.rank, self.world = data, plan, get_batch, device, rank, world
        self.best: dict[str, Any] = {}

    def measure(self, model: nn.Module, step: int) -> float:
        """The mean loss of the model now; where it is the best so far, its weights are kept, on the CPU."""
        was_training = model.training
        model.eval()
        loss = self._loss(model)
        model.train(was_training)
        if not self.best or loss < self.best["loss"]:
            self.best = {"loss": loss, "step": step, "weights": {k: v.cpu().clone() for k, v in model.state_dict().items()}}
        return loss

    @torch.no_grad()
    def _loss(self, model: nn.Module) -> float:
        generator, dtype = torch.Generator().manual_seed(0), precision(self.device).dtype
        total = torch.zeros((), device=self.device)  # added up on the device, which is waited for once, at the end
        for i in range(self.plan.eval_batches):
            x, y = self.get_batch(self.data, self.plan.batch_size, self.plan.block_size, generator)
            if i % self.world == self.rank:
                with torch.autocast(self.device.type, dtype=dtype, enabled=dtype is not None):
                    total += model(to_device(x, self.device), to_device(y, self.device))[1]
        (share,) = processes.mean([total.item()], self.world, self.device)
        return share * self.world / self.plan.eval_batches
