"""Train a language model with pieces that a student wrote: one loop for a laptop, a GPU, and several GPUs or machines.

The loop knows how to run a training, not how to learn: batches, optimizer groups, schedule and training step come in as functions.
Nothing here has to be changed for another model: `model(ids, targets) -> (logits, loss)` is all it asks for.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, is_dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from tqdm.auto import tqdm


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
    """What happened: a loss and a learning rate for each step, and (step, validation loss) pairs."""

    losses: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    evals: list[list[float]] = field(default_factory=list)
    seconds: float = 0.0


def pick_device() -> torch.device:
    """This process's GPU where there is one, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
    return torch.device("cpu")


def autocast_dtype(device: torch.device) -> torch.dtype | None:
    """bfloat16 on GPUs that have it. On a CPU without matrix units it is slower than float32, so None."""
    return torch.bfloat16 if device.type == "cuda" and torch.cuda.is_bf16_supported() else None


@contextmanager
def process_group(device: torch.device) -> Iterator[tuple[int, int]]:
    """(rank, number of processes): joins the group that `torchrun` describes in the environment; without it (0, 1)."""
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        yield 0, 1
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    opened_here = not dist.is_initialized()
    if opened_here:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield dist.get_rank(), dist.get_world_size()
    finally:
        if opened_here:
            dist.destroy_process_group()


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
    live: bool = True,
) -> History:
    """Train `model` in place, from `checkpoint` where that file exists, and give the history.

    Batches are drawn on the CPU by one generator, so a run sees the same text on every device and however many processes share it.
    `compile` is None for "on a GPU": on a CPU compiling takes longer than it saves in a run this short. `stop_after` ends early, to resume later.

    Raises:
        ValueError: when the batch cannot be shared out evenly, or the checkpoint belongs to another plan.
    """
    device = pick_device()
    torch.set_float32_matmul_precision("high" if device.type == "cuda" else "highest")
    with process_group(device) as (rank, world):
        if plan.batch_size % (plan.accumulate * world):
            raise ValueError(f"batch_size {plan.batch_size} does not split into {plan.accumulate} micro-batches on {world} processes")
        run = _Run(model.to(device), train_data, val_data, plan, pieces, device, rank, world, compile)
        if checkpoint and Path(checkpoint).exists():
            run.restore(Path(checkpoint))
        curve = _LiveCurve(plan, enabled=live and rank == 0)
        began = time.perf_counter() - run.history.seconds
        for step in range(run.step, min(plan.steps, stop_after or plan.steps)):
            run.advance()
            run.history.seconds = time.perf_counter() - began
            last = step + 1 == plan.steps
            if last or (step + 1) % plan.eval_every == 0:
                run.history.evals.append([step + 1, run.validate()])
            curve.update(run.history, redraw=last or (step + 1) % plan.eval_every == 0)
            if checkpoint and rank == 0 and (last or (step + 1) % plan.eval_every == 0 or step + 1 == stop_after):
                run.save(Path(checkpoint))
        curve.close()
    return run.history


class _Run:
    """Everything that changes while training, so that it can be saved and restored as one."""

    def __init__(self, model, train_data, val_data, plan, pieces, device, rank, world, compile) -> None:
        self.model, self.plan, self.pieces, self.device, self.rank, self.world = model, plan, pieces, device, rank, world
        self.train_data, self.val_data = train_data, val_data
        groups = pieces.parameter_groups(model, plan.weight_decay)
        # the generic loop of AdamW touches every parameter many times; fused does it in one pass
        self.optimizer = torch.optim.AdamW(groups, lr=plan.max_lr, betas=plan.betas, fused=True)
        self.generator = torch.Generator().manual_seed(plan.seed)
        self.step, self.history = 0, History()
        runner = torch.compile(model) if (device.type == "cuda" if compile is None else compile) else model
        self.runner = DistributedDataParallel(runner) if world > 1 else runner

    def advance(self) -> None:
        """One optimizer step, on this process's share of the batch."""
        plan, pieces = self.plan, self.pieces
        rate = pieces.learning_rate(self.step, plan.warmup_steps, plan.steps, plan.max_lr, plan.min_lr)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        x, y = pieces.get_batch(self.train_data, plan.batch_size, plan.block_size, self.generator)
        parts = zip(x.chunk(plan.accumulate * self.world), y.chunk(plan.accumulate * self.world))
        mine = [(self._moved(a), self._moved(b)) for i, (a, b) in enumerate(parts) if i % self.world == self.rank]
        loss = pieces.train_step(self.runner, self.optimizer, mine, plan.clip, autocast_dtype(self.device))
        self.history.losses.append(self._mean(loss))
        self.history.rates.append(rate)
        self.step += 1

    @torch.no_grad()
    def validate(self) -> float:
        """The mean loss on the same `eval_batches` batches every time."""
        generator, was_training, total = torch.Generator().manual_seed(0), self.model.training, 0.0
        self.model.eval()
        for _ in range(self.plan.eval_batches):
            x, y = self.pieces.get_batch(self.val_data, self.plan.batch_size, self.plan.block_size, generator)
            with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=autocast_dtype(self.device) is not None):
                total += self.model(self._moved(x), self._moved(y))[1].item()
        self.model.train(was_training)
        return total / self.plan.eval_batches

    def save(self, path: Path) -> None:
        """Write beside the old checkpoint, then replace it, so that a cut never leaves half a file."""
        random = {"cpu": torch.get_rng_state(), "data": self.generator.get_state()}
        if self.device.type == "cuda":
            random["cuda"] = torch.cuda.get_rng_state(self.device)
        content = {"plan": _plain(self.plan), "step": self.step, "history": asdict(self.history), "random": random}
        content |= {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}
        torch.save(content, path.with_suffix(".part"))
        os.replace(path.with_suffix(".part"), path)

    def restore(self, path: Path) -> None:
        """Go on exactly where `save` stopped: weights, optimizer, history and every random state."""
        content = torch.load(path, map_location="cpu", weights_only=True)
        if content["plan"] != _plain(self.plan):
            raise ValueError(f"checkpoint {path} belongs to another plan; delete it to begin anew")
        self.model.load_state_dict(content["model"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.step, self.history = content["step"], History(**content["history"])
        self.generator.set_state(content["random"]["data"])
        torch.set_rng_state(content["random"]["cpu"])
        if self.device.type == "cuda" and "cuda" in content["random"]:
            torch.cuda.set_rng_state(content["random"]["cuda"], self.device)

    def _moved(self, x: Tensor) -> Tensor:
        if self.device.type != "cuda":
            return x.to(self.device)
        return x.pin_memory().to(self.device, non_blocking=True)  # pinned memory lets the copy overlap with computing

    def _mean(self, loss: float) -> float:
        """The mean over the processes, each of which saw an equal share."""
        if self.world == 1:
            return loss
        total = torch.tensor(loss, dtype=torch.float64, device=self.device)
        dist.all_reduce(total)
        return total.item() / self.world


class _LiveCurve:
    """A progress bar, and in a notebook a loss curve that redraws itself."""

    def __init__(self, plan: Plan, enabled: bool) -> None:
        self.plan, self.enabled, self.handle = plan, enabled, None
        self.bar = tqdm(total=plan.steps, disable=not enabled, unit="step", leave=False)  # the curve says it all afterwards

    def update(self, history: History, redraw: bool) -> None:
        if not self.enabled:
            return
        self.bar.update(len(history.losses) - self.bar.n)
        if redraw and history.evals:
            self.bar.set_postfix(validation=f"{history.evals[-1][1]:.3f}")
            if _in_notebook():
                self._draw(history)

    def _draw(self, history: History) -> None:
        from IPython.display import Image, display

        from utils import plots

        alt = f"Training loss and validation loss over {len(history.losses)} steps; the last validation loss is {history.evals[-1][1]:.2f}"
        picture = Image(plots.render(lambda figure: draw_history(figure, history, self.plan.steps)), format="png", width=640, alt=alt)
        if self.handle is None:
            self.handle = display(picture, display_id=True)
        else:
            self.handle.update(picture)

    def close(self) -> None:
        self.bar.close()


def draw_history(figure: Any, history: History, steps: int | None = None) -> Any:
    """Training loss (smoothed over 20 steps, above a pale trace of every step) and validation loss; gives the axes."""
    from utils import plots

    ax = figure.subplots()
    losses = torch.tensor(history.losses)
    ax.plot(range(1, len(losses) + 1), losses, color=plots.BLUE, alpha=0.25, linewidth=0.8)
    if len(losses) >= 20:
        ax.plot(range(20, len(losses) + 1), losses.unfold(0, 20, 1).mean(1), color=plots.BLUE, label="training (mean of 20 steps)")
    ax.plot(*zip(*history.evals), "o-", color=plots.ORANGE, label="validation")
    ax.set(xlabel="step", ylabel="loss (nats a token)", xlim=(0, steps or len(losses)))
    ax.legend()
    return ax


def save_model(model: nn.Module, stem: str | Path, **facts: Any) -> None:
    """Write `stem.safetensors` (numbers only, nothing that could run) and `stem_config.json` with the model's config and `facts`."""
    seen: dict[int, str] = {}
    tensors = {}
    for name, value in model.state_dict().items():
        if seen.setdefault(value.data_ptr(), name) == name:  # a tied weight is stored once, under its first name
            tensors[name] = value.detach().to("cpu").contiguous().clone()
    save_file(tensors, f"{stem}.safetensors")
    described = {"config": _plain(model.config), **facts}
    Path(f"{stem}_config.json").write_text(json.dumps(described, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _plain(config: Any) -> dict[str, Any]:
    """A dataclass as JSON would hold it."""
    content = asdict(config) if is_dataclass(config) else dict(vars(config))
    return {key: list(value) if isinstance(value, tuple) else value for key, value in content.items()}


def _in_notebook() -> bool:
    from IPython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None
