"""Which model to train on a device: the largest that fits into its memory, and that its speed finishes in a few minutes.

The times are estimates from data sheets, good to a factor of two. They keep a plan for an A100 off a T4; they are no measurement.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from utils.device import card_name, memory, precision
from utils.training.meter import PEAK

SHARE = 0.1  # of the data sheet's operations that a small model uses
UNKNOWN_CARD = 20e12  # operations a second, for a card that is not in the table
FLOAT32 = 0.125  # of the half-precision operations are left in float32
BYTES_PER_WEIGHT = 16  # weight, gradient and two averages of AdamW, in float32


@dataclass(frozen=True)
class Size:
    """A character model and its plan, without what is the same for all."""

    name: str
    n_layer: int
    n_head: int
    d_model: int
    block_size: int
    batch_size: int
    steps: int
    max_lr: float
    min_lr: float
    dropout: float

    @property
    def weights(self) -> int:
        """Of the blocks' matrices; those of the vocabulary are few where it is characters."""
        return 12 * self.n_layer * self.d_model**2

    @property
    def tokens(self) -> int:
        return self.steps * self.batch_size * self.block_size

    @property
    def operations(self) -> float:
        """Of all steps: 6 a weight and token, and attention's products (Kaplan et al. 2020, table 1)."""
        return self.tokens * (6 * self.weights + 12 * self.n_layer * self.d_model * self.block_size)

    @property
    def bytes(self) -> float:
        """Of weights and of what the backward pass needs: about 34 numbers of 2 bytes a position, channel and block, and the scores."""
        positions = self.batch_size * self.block_size
        kept = 34 * self.d_model + 5 * self.n_head * self.block_size
        return BYTES_PER_WEIGHT * self.weights + positions * self.n_layer * kept


CPU = Size("small", 2, 4, 128, 64, 16, 1000, 4e-3, 8e-5, 0.0)
SIZES = (  # falling; the first is nanoGPT's for characters (Karpathy 2022)
    Size("nanoGPT's", 6, 6, 384, 256, 64, 5000, 1e-3, 1e-4, 0.2),
    Size("nanoGPT's, half as long", 6, 6, 384, 256, 64, 2500, 1e-3, 1e-4, 0.1),
    Size("middle", 4, 4, 256, 256, 64, 2500, 2e-3, 1e-4, 0.1),
    Size("middle, short", 4, 4, 256, 128, 64, 2000, 2e-3, 1e-4, 0.0),
)


def minutes(size: Size, device: torch.device) -> float:
    """How long the training may take on the device, by its data sheet."""
    name = card_name(device).replace("-", " ").split()
    peak = next((value * 1e12 for card, value in PEAK.items() if card in name), UNKNOWN_CARD)
    if precision(device).dtype is None:
        peak *= FLOAT32
    return size.operations / (peak * SHARE) / 60


def choose_size(device: torch.device, within: float = 10.0) -> tuple[Size, str]:
    """The size for the device, and a line that says why: the first that fits into half its free memory and into `within` minutes."""
    if device.type == "cpu":
        return CPU, "small, for a CPU: about a minute"
    free = memory(device)
    for size in SIZES:
        if minutes(size, device) <= within and (free is None or size.bytes <= free / 2):
            about = max(1, round(minutes(size, device)))
            time = "a minute" if about == 1 else f"{about} minutes"
            return size, f"{size.name}, about {time} on {card_name(device)} (estimated from its data sheet)"
    return CPU, f"small: nothing larger fits {card_name(device)} within {within:g} minutes"
