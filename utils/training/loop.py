"""The training loop, from top to bottom."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from torch import nn

from utils import device as devices
from utils.device import pick_device
from utils.training import checkpoints
from utils.training.curve import LiveCurve
from utils.training.meter import Meter
from utils.training.plan import History, Pieces, Plan
from utils.training.processes import from_first, own_random_numbers, process_group
from utils.training.run import Run


def train(
    model: nn.Module,
    train_data: Any,
    val_data: Any,
    plan: Plan,
    pieces: Pieces,
    *,
    checkpoint: str | Path | None = None,
    stop_after: int | None = None,
    compile: bool | None = None,
    repeatable: bool | None = None,
    live: bool = True,
) -> History:
    """Train `model` in place, from `checkpoint` where that file exists, and give the history. At the end it has the best weights by validation.

    Batches are drawn on the CPU by one generator, so a run sees the same text on every device and however many processes share it.
    `compile` is None for "on a GPU": on a CPU compiling takes longer than it saves in a run this short. `stop_after` ends early, to resume later.
    `repeatable` is None for "with a checkpoint": a run on a GPU then resumes, and repeats itself, bit for bit, more slowly; else up to rounding.

    Raises:
        ValueError: when the batch cannot be shared out evenly, or the checkpoint belongs to another plan.
    """
    device, path = pick_device(), Path(checkpoint) if checkpoint else None
    with process_group(device) as (rank, world), devices.repeatable(device, path is not None if repeatable is None else repeatable):
        if plan.batch_size % (plan.accumulate * world):
            raise ValueError(f"batch_size {plan.batch_size} does not split into {plan.accumulate} micro-batches on {world} processes")
        own_random_numbers(plan.seed, rank, world)
        run = Run(model.to(device), (train_data, val_data), plan, pieces, device, rank, world)
        curve, meter = LiveCurve(plan, enabled=live and rank == 0), Meter(model, plan.batch_size * plan.block_size, device, world)
        curve.say(run.prepare(device.type != "cpu" if compile is None else compile))
        saved = from_first(checkpoints.read(path) if path and rank == 0 else None, world)
        if path is not None and saved is not None:
            checkpoints.belongs_to(plan, world, saved, path)
            run.restore(saved)

        last = min(plan.steps, stop_after or plan.steps)
        began = time.perf_counter() - run.history.seconds
        while run.step < last:
            run.advance()
            meter.step()
            run.history.seconds, run.history.tokens_per_second = time.perf_counter() - began, meter.tokens_per_second
            due = run.step % plan.eval_every == 0 or run.step == plan.steps
            if due:
                run.share_losses()
                run.validate()
            if path and (due or run.step == last):
                content = run.content()  # every process has its part in it
                if rank == 0:
                    checkpoints.write(path, content)
            curve.update(run.history, meter.shown(), redraw=due)
        run.share_losses()
        curve.close()
        run.batches.close()
        if run.step == plan.steps and run.validation.best:
            model.load_state_dict(run.validation.best["weights"])
    return run.history
