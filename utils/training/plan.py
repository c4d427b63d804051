"""What a training run is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, is_dataclass
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class Plan:
    """The numbers of one training run. `batch_size` counts the sequences of a whole step, over all micro-batches and processes."""

    steps: int
    batch_size: int
    block_size: int
    max_lr: float
    min_lr: float = 0.0
    warmup_steps: int = 100
    weight_decay: float = 0.1
    betas: tuple[float, float] = (0.9, 0.99)
    clip: float | None = 1.0
    accumulate: int = 1
    eval_every: int = 100
    eval_batches: int = 8
    seed: int = 1337


@dataclass(frozen=True)
class Pieces:
    """The student's functions, called as in lesson 07. `get_batch` gets whatever was given as data, so it may be any object."""

    get_batch: Callable[..., tuple[Tensor, Tensor]]
    parameter_groups: Callable[..., list[dict]]
    learning_rate: Callable[..., float]
    train_step: Callable[..., float]


@dataclass
class History:
    """What happened: a loss and a learning rate for each step, (step, validation loss) pairs, seconds, and tokens per second at the end."""

    losses: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    evals: list[list[float]] = field(default_factory=list)
    seconds: float = 0.0
    tokens_per_second: float = 0.0


def plain(config: Any) -> dict[str, Any]:
    """A dataclass as JSON would hold it."""
    content = asdict(config) if is_dataclass(config) and not isinstance(config, type) else dict(vars(config))
    return {key: list(value) if isinstance(value, tuple) else value for key, value in content.items()}
