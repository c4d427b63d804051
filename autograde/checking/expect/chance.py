"""Random inputs that are the same everywhere, and draws that follow probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch

from autograde.checking.errors import CheckFailed
from autograde.checking.expect.words import rounded

FEW = 12  # so many shares are shown
FALSE_ALARM = 1e-7
_moved: ContextVar[int] = ContextVar("_moved", default=0)


@contextmanager
def other_numbers(moved: int) -> Iterator[None]:
    """Inside, each seed stands for the one that is `moved` further: the same check draws other inputs."""
    token = _moved.set(moved)
    try:
        yield
    finally:
        _moved.reset(token)


def randn(*shape: int, seed: int, dtype: torch.dtype = torch.float32, scale: float = 1.0) -> torch.Tensor:
    """Standard normal numbers times `scale`, the same for the same seed on every machine."""
    return (torch.randn(shape, generator=_generator(seed), dtype=torch.float64) * scale).to(dtype)


def rand(*shape: int, seed: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Uniform numbers in [0, 1), the same for the same seed on every machine."""
    return torch.rand(shape, generator=_generator(seed), dtype=torch.float64).to(dtype)


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed + _moved.get())


def frequencies(draws: Sequence[Any] | torch.Tensor, probabilities: Sequence[float] | torch.Tensor, *, where: str) -> None:
    """The integers drawn follow `probabilities` (Pearson's chi-squared test, false alarms below 1e-7)."""
    probabilities = torch.as_tensor(probabilities, dtype=torch.float64)
    in_a_row = isinstance(draws, torch.Tensor) and draws.dim() == 1 and not (draws.is_floating_point() or draws.is_complex())
    drawn = torch.as_tensor(draws).long() if in_a_row else torch.as_tensor([int(d) for d in draws])
    if drawn.numel() == 0 or drawn.min() < 0 or drawn.max() >= len(probabilities):
        raise CheckFailed(f"For {where}: a draw lies outside 0 … {len(probabilities) - 1}")
    counts = torch.bincount(drawn, minlength=len(probabilities)).double()
    impossible = probabilities == 0
    shares = [round(c / len(drawn), 3) for c in counts.tolist()]
    if counts[impossible].sum() > 0:
        first = int(((counts > 0) & impossible).nonzero()[0])
        told = f"expected {rounded(probabilities)}, got {shares}" if len(shares) <= FEW else f"{int(counts[first])} of {len(drawn)} draws"
        raise CheckFailed(f"For {where}: {first} was drawn, and has probability 0", told)
    expected = probabilities[~impossible] * len(drawn)
    statistic = ((counts[~impossible] - expected) ** 2 / expected).sum()
    freedom = int((~impossible).sum()) - 1
    if freedom and torch.special.gammaincc(torch.tensor(freedom / 2).double(), statistic / 2) < FALSE_ALARM:
        never = [str(i) for i in ((counts == 0) & ~impossible).nonzero().flatten().tolist()]
        told = f"; never drawn: {', '.join(never)}" if 0 < len(never) < len(shares) else ""
        raise CheckFailed(f"For {where}: the frequencies are not those expected", f"expected {rounded(probabilities)}, got {shares}{told}")
