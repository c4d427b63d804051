"""What every part of the GPU benchmark needs: the device, how long it may take, and lesson 07's model of a given size."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from benchmarks.parts.lessons import gpt_lesson
from utils import device as devices

Rows = list[tuple[str, str]]
WARM_UP = 3  # steps that are not timed


@dataclass(frozen=True)
class Bench:
    """`tiny` is for the pretend GPU: the same program with a model that a CPU trains in moments."""

    device: torch.device
    short: bool = False
    tiny: bool = False

    @property
    def steps(self) -> int:
        """At most so many steps (or, of generating, a fourth of the tokens) are timed."""
        return 4 if self.tiny else 20 if self.short else 60

    @property
    def seconds(self) -> float:
        """And for so long at most."""
        return 4.0 if self.short else 8.0

    def model(self, vocab_size: int = 65, block_size: int = 256, layers: int = 6, device: torch.device | None = None) -> nn.Module:
        """nanoGPT's character model (Karpathy 2022), or a narrow one; its weights are the same on every device."""
        lesson = gpt_lesson()
        sizes = (vocab_size, 32, min(layers, 2), 2, 16) if self.tiny else (vocab_size, block_size, layers, 6, 384)
        return lesson["build_gpt"](lesson["GPTConfig"](*sizes)).to(device or self.device)

    def batch(self, model: nn.Module, size: int) -> tuple[Tensor, Tensor]:
        """Random token ids that fill the model's window, and those that follow them."""
        config, draw = model.config, torch.Generator().manual_seed(0)
        ids = torch.randint(config.vocab_size, (size, config.block_size + 1), generator=draw).to(self.device)
        return ids[:, :-1].contiguous(), ids[:, 1:].contiguous()


def losses_of(model: nn.Module, batch: tuple[Tensor, Tensor], steps: int) -> list[float]:
    """The losses of so many steps of AdamW, in float32."""
    optimizer = _optimizer(model)
    return [gpt_lesson()["train_step"](model, optimizer, [batch], 1.0) for _ in range(steps)]


def seconds_a_step(model: nn.Module, batch: tuple[Tensor, Tensor], steps: int, at_most: float, dtype: torch.dtype | None = None) -> float:
    """The mean over `steps`, or over as many as fit into `at_most` seconds; the first ones, which prepare things, do not count."""
    optimizer, step = _optimizer(model), gpt_lesson()["train_step"]
    for _ in range(WARM_UP):
        step(model, optimizer, [batch], 1.0, dtype)
    devices.synchronize(batch[0].device)
    began, done = time.perf_counter(), 0
    while done < steps and (done == 0 or time.perf_counter() - began < at_most):
        step(model, optimizer, [batch], 1.0, dtype)  # it reads the loss at its end, so the device has finished
        done += 1
    return (time.perf_counter() - began) / done


def _optimizer(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.AdamW(gpt_lesson()["parameter_groups"](model, 0.1), lr=1e-3, fused=True)
