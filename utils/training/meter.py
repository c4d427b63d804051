"""How fast a training is: tokens per second, and what share of the device's arithmetic they use."""

from __future__ import annotations

import time
from collections import deque

import torch
from torch import nn

from utils.device import card_name, peak_memory

# dense products in float16 or bfloat16, 10¹² operations a second, by NVIDIA's data sheets
PEAK = {"T4": 65, "V100": 125, "A10G": 70, "L4": 121, "A100": 312, "H100": 989, "H200": 989}
WINDOW = 20  # steps


def peak_operations(device: torch.device) -> float | None:
    """Operations a second by the card's data sheet; None for a card that is not in the table."""
    name = card_name(device)
    return next((value * 1e12 for card, value in PEAK.items() if card in name.replace("-", " ").split()), None)


class Meter:
    """Counts tokens over the last steps. A step ends when its loss is read, so its time includes what the device did."""

    def __init__(self, model: nn.Module, tokens_per_step: int, device: torch.device, world: int = 1) -> None:
        self.tokens, self.device, self.world = tokens_per_step, device, world
        # forward and backward take about 6 operations a parameter and token (Kaplan et al. 2020)
        self.operations = 6 * sum(p.numel() for p in model.parameters())
        self.peak = peak_operations(device)
        self.times: deque[float] = deque([time.perf_counter()], maxlen=WINDOW + 1)

    def step(self) -> None:
        self.times.append(time.perf_counter())

    @property
    def tokens_per_second(self) -> float:
        elapsed = self.times[-1] - self.times[0]
        return self.tokens * (len(self.times) - 1) / elapsed if elapsed else 0.0

    def shown(self) -> dict[str, str]:
        """What the progress bar says; it adds the time left itself."""
        shown = {"tokens/s": f"{self.tokens_per_second:,.0f}"}
        if self.peak:
            shown["utilisation"] = f"{self.tokens_per_second * self.operations / (self.peak * self.world):.0%}"
        if used := peak_memory(self.device):
            shown["memory"] = f"{used / 2**30:.1f} GiB"
        return shown
