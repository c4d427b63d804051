"""Batches: every process draws the same ones from the same generator and works on its share; on a GPU the next is fetched during the step."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

from utils.device import make_current

Pairs = list[tuple[Tensor, Tensor]]


class Batches:
    """`draw(generator)` gives a whole batch `(x, y)` on the CPU; `next()` gives this process's micro-batches of it, on the device.

    On a GPU the following batch is drawn, pinned and sent while the step computes. `state` is the generator's state before the batch that
    `next()` will give, so that a checkpoint never skips the one that was fetched ahead.
    """

    def __init__(self, draw: Callable, seed: int, device: torch.device, micro_batches: int, rank: int = 0, world: int = 1) -> None:
        self.draw, self.device, self.rank, self.world, self.micro_batches = draw, device, rank, world, micro_batches
        self.generator = torch.Generator().manual_seed(seed)
        self.state = self.generator.get_state()
        self._ahead: Future | None = None
        # a new thread begins on the first GPU; memory that it pins there would be taken by every process of a machine
        self._thread = ThreadPoolExecutor(1, initializer=make_current, initargs=(device,)) if device.type != "cpu" else None

    def next(self) -> Pairs:
        """The micro-batches of this step."""
        pairs, self.state = self._fetch() if self._ahead is None else self._ahead.result()
        if self._thread is not None:
            self._ahead = self._thread.submit(self._fetch)
        return pairs

    def restore(self, state: Tensor) -> None:
        """Go on with the batch that comes after `state`."""
        if self._ahead is not None:
            self._ahead.result()
        self._ahead, self.state = None, state
        self.generator.set_state(state)

    def close(self) -> None:
        if self._thread is not None:
            self._thread.shutdown()

    def _fetch(self) -> tuple[Pairs, Tensor]:
        x, y = self.draw(self.generator)
        parts = zip(x.chunk(self.micro_batches * self.world), y.chunk(self.micro_batches * self.world))
        mine = [(to_device(a, self.device), to_device(b, self.device)) for i, (a, b) in enumerate(parts) if i % self.world == self.rank]
        return mine, self.generator.get_state()


def to_device(ids: Tensor, device: torch.device) -> Tensor:
    """Token ids on the device. From pinned memory the copy need not wait for what the device is doing."""
    ids = ids.long()  # a file of tokens may hold them in fewer bytes
    if device.type in ("cpu", "mps"):
        return ids.to(device)
    return ids.pin_memory().to(device, non_blocking=True)
