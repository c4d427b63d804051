"""Everything that changes while training, so that it can be saved and restored as one."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import torch
from torch import nn

from utils.device import precision, random_state, set_random_state
from utils.training import processes
from utils.training.batches import Batches, to_device
from utils.training.compiling import compiled
from utils.training.plan import History, Pieces, Plan, plain
from utils.training.scaling import ScaledLoss
from utils.training.validation import Validation


class Run:
    """One process's part of a training: `model` is the plain one, `runner` the same as it is trained (compiled, scaled, synchronized)."""

    def __init__(
        self, model: nn.Module, data: tuple[Any, Any], plan: Plan, pieces: Pieces, device: torch.device, rank: int, world: int
    ) -> None:
        self.model, self.plan, self.pieces, self.device, self.rank, self.world = model, plan, pieces, device, rank, world
        self.train_data = data[0]
        self.validation = Validation(data[1], plan, pieces.get_batch, device, rank, world)
        self.precision, self.step, self.history, self.pending = precision(device), 0, History(), 0
        groups = pieces.parameter_groups(model, plan.weight_decay)
        # the generic loop of AdamW touches every parameter many times; fused does it in one pass
        self.optimizer = torch.optim.AdamW(groups, lr=plan.max_lr, betas=plan.betas, fused=True)
        self.batches = Batches(self._draw, plan.seed, device, plan.accumulate, rank, world)
        self.runner: nn.Module = model
        self.scaled: ScaledLoss | None = None

    def prepare(self, compile: bool) -> str:
        """Make the runner of the model; gives the line to say where compiling fails."""
        line = ""
        if compile:
            x, y = self._draw(torch.Generator().manual_seed(0))
            share = len(x) // (self.plan.accumulate * self.world)
            self.runner, line = compiled(self.model, (to_device(x[:share], self.device), to_device(y[:share], self.device)), self.precision)
        if self.world > 1:
            self.runner = processes.Synchronized(self.runner, self.plan.accumulate, self.device)
        if self.precision.scaled:
            self.runner = self.scaled = ScaledLoss(self.runner, self.optimizer)
        return line

    def advance(self) -> None:
        """One optimizer step, on this process's share of the batch."""
        plan, pieces = self.plan, self.pieces
        rate = pieces.learning_rate(self.step, plan.warmup_steps, plan.steps, plan.max_lr, plan.min_lr)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss = pieces.train_step(self.runner, self.optimizer, self.batches.next(), plan.clip, self.precision.dtype)
        self.history.losses.append(loss)
        self.history.rates.append(rate)
        self.step, self.pending = self.step + 1, self.pending + 1

    def share_losses(self) -> None:
        """The losses since the last time become those of all processes, in one message."""
        if self.pending:
            self.history.losses[-self.pending :] = processes.mean(self.history.losses[-self.pending :], self.world, self.device)
        self.pending = 0

    def validate(self) -> None:
        """Append the validation loss, and keep the weights where it is the best."""
        self.history.evals.append([self.step, self.validation.measure(self.model, self.step)])

    def content(self) -> dict[str, Any]:
        """All that a later process needs to go on as if there had been no pause; `random` has an entry for each process."""
        self.share_losses()
        content = {
            "plan": plain(self.plan),
            "step": self.step,
            "history": asdict(self.history),
            "best": self.validation.best,
            "data": self.batches.state,
        }
        content |= {"random": processes.all_of(random_state(self.device), self.rank, self.world)}
        content |= {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}
        return content | {"scaling": self.scaled.state if self.scaled else {}}

    def restore(self, content: dict[str, Any]) -> None:
        """Go on exactly where `content` was taken: weights, optimizer, history, batches and every random state."""
        self.model.load_state_dict(content["model"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.step, self.history, self.validation.best = content["step"], History(**content["history"]), content["best"]
        self.batches.restore(content["data"])
        set_random_state(self.device, content["random"][self.rank])
        if self.scaled and content["scaling"]:  # there is none from a device that needs none; then it begins anew
            self.scaled.state = {name: value.to(self.device) for name, value in content["scaling"].items()}

    def _draw(self, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        return self.pieces.get_batch(self.train_data, self.plan.batch_size, self.plan.block_size, generator)
