"""Several processes, on one machine or on several, that train as one: `torchrun` starts them and says so in the environment.

No disk need be shared: process 0 reads and writes, and tells the others.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from utils.device import bind

# Groups that were left stay in memory until the process's end begins. PyTorch 2.13 waits for ever when the last reference to a gloo group goes
# while gloo's thread still holds a gradient: the main thread waits for that thread with Python's lock in its hand, and the thread for the lock.
_left: list[dist.ProcessGroup | None] = []
atexit.register(_left.clear)


@contextmanager
def process_group(device: torch.device) -> Iterator[tuple[int, int]]:
    """(rank, number of processes): joins the group that `torchrun` describes in the environment; without it (0, 1)."""
    bind(device)
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        yield 0, 1
        return
    opened_here = not dist.is_initialized()
    if opened_here:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield dist.get_rank(), dist.get_world_size()
    finally:
        if opened_here:
            _left.append(dist.group.WORLD)
            dist.destroy_process_group()


def own_random_numbers(seed: int, rank: int, world: int) -> None:
    """Dropout must fall elsewhere in each process: with one seed for all, several processes would share every mask."""
    if world > 1:
        torch.manual_seed(seed + 1_000_003 * rank)


class Synchronized(nn.Module):
    """A model whose gradients are averaged over the processes once a step: in the backward pass of its last micro-batch.

    It does what `DistributedDataParallel.no_sync()` does, around a training step that knows nothing of it.
    """

    def __init__(self, model: nn.Module, micro_batches: int, device: torch.device) -> None:
        super().__init__()
        self.inner = DistributedDataParallel(model, device_ids=[device] if device.type == "cuda" else None)
        self.micro_batches, self.calls = micro_batches, 0

    def forward(self, *batch: Tensor) -> tuple[Tensor, Tensor]:
        self.calls += 1
        self.inner.require_backward_grad_sync = self.calls % self.micro_batches == 0
        return self.inner(*batch)


def from_first(value: Any, world: int) -> Any:
    """Process 0's value, in every process."""
    if world == 1:
        return value
    box = [value]
    dist.broadcast_object_list(box, src=0)
    return box[0]


def all_of(value: Any, rank: int, world: int) -> list[Any] | None:
    """Every process's value, in process 0; None in the others."""
    if world == 1:
        return [value]
    values = [None] * world if rank == 0 else None
    dist.gather_object(value, values, dst=0)
    return values


def mean(values: list[float], world: int, device: torch.device) -> list[float]:
    """The means over the processes, of as many numbers as there are, in one message."""
    if world == 1 or not values:
        return values
    total = torch.tensor(values, dtype=torch.float64 if device.type != "mps" else torch.float32, device=device)
    dist.all_reduce(total)
    return (total / world).tolist()
