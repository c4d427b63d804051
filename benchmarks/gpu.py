"""What a GPU makes of the course: parity with the CPU, lesson 07's plan, precisions, compiling, generation.

    python benchmarks/gpu.py             # everything, and docs/measured/gpu.json
    python benchmarks/gpu.py --short     # fewer steps
    python benchmarks/gpu.py --pretend --out /tmp/gpu.json   # the same program on the pretend GPU: whether it runs, no numbers to keep

There is nothing to configure. Each part is written when it is done (beside the result, `.parts.json`), so a run that was cut off goes on.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from autograde import layout  # noqa: E402
from autograde.authoring import benchmark_tables, source  # noqa: E402
from autograde.checking import pretend_gpu  # noqa: E402
from utils import device as devices  # noqa: E402
from utils.corpora import load_text  # noqa: E402
from utils.training import Pieces, Plan, choose_size, pick_device, precision, train  # noqa: E402

COLUMNS = ("what", "result")
Rows = list[tuple[str, str]]


@dataclasses.dataclass(frozen=True)
class Bench:
    """What every part needs: the lesson's answers, the device, and how many steps to take."""

    lesson: dict
    device: torch.device
    steps: int
    width: int

    def model(self, vocab_size: int = 65, block_size: int = 256, layers: int = 6) -> torch.nn.Module:
        """nanoGPT's character model, or a narrow one on the pretend GPU."""
        config = self.lesson["GPTConfig"](vocab_size, block_size, layers, 6, self.width)
        return self.lesson["build_gpt"](config).to(self.device)

    def batch(self, size: int, block_size: int, vocab_size: int = 65) -> tuple[torch.Tensor, torch.Tensor]:
        ids = torch.randint(vocab_size, (size, block_size + 1), generator=torch.Generator().manual_seed(0)).to(self.device)
        return ids[:, :-1].contiguous(), ids[:, 1:].contiguous()


def parity(bench: Bench) -> Rows:
    """The largest difference to the CPU in float32: logits, and the losses of ten steps."""
    there = bench.model(block_size=64, layers=2)
    x, y = bench.batch(8, 64)
    here = bench.lesson["build_gpt"](there.config)
    torch.set_float32_matmul_precision("highest")
    with torch.no_grad():
        logits = (there.eval()(x)[0].cpu() - here.eval()(x.cpu())[0]).abs().max().item()
    losses = [steps_of(bench, model, (a, b), 10)[1] for model, a, b in ((there, x, y), (here, x.cpu(), y.cpu()))]
    gap = max(abs(a - b) for a, b in zip(*losses))
    return [("parity with the CPU, float32: largest difference of a logit", f"{logits:.1e}"), ("… of a loss, over 10 steps", f"{gap:.1e}")]


def steps_of(bench: Bench, model: torch.nn.Module, batch: tuple, steps: int, dtype: torch.dtype | None = None) -> tuple[float, list[float]]:
    """(seconds a step without the first three, losses)."""
    optimizer = torch.optim.AdamW(bench.lesson["parameter_groups"](model, 0.1), lr=1e-3, fused=True)
    losses, began = [], 0.0
    for step in range(steps):
        if step == min(3, steps - 1):
            devices.synchronize(batch[0].device)
            began = time.perf_counter()
        losses.append(bench.lesson["train_step"](model, optimizer, [batch], 1.0, dtype))
    return (time.perf_counter() - began) / max(1, steps - 3), losses


def precisions(bench: Bench) -> Rows:
    """Tokens a second of training nanoGPT's character model, in three precisions, compiled or not."""
    torch.set_float32_matmul_precision("high")
    rows, batch = [], bench.batch(64 if bench.width > 100 else 4, 256)
    for dtype in (None, torch.float16, torch.bfloat16):
        for compiled in (False, True):
            name = f"training, {str(dtype or torch.float32).removeprefix('torch.')}{', compiled' if compiled else ''}: tokens a second"
            model = bench.model()
            try:
                seconds, _ = steps_of(bench, torch.compile(model) if compiled else model, batch, bench.steps, dtype)
                rows.append((name, f"{batch[0].numel() / seconds:,.0f}"))
            except Exception as error:
                rows.append((name, f"does not work here ({type(error).__name__})"))
    return rows


def generation(bench: Bench) -> Rows:
    """Characters a second from lesson 07's `generate`, which keeps no keys and values."""
    model, prompt, n_new = bench.model(), torch.zeros(1, 1, dtype=torch.long, device=bench.device), 4 * bench.steps
    draw = torch.Generator(bench.device).manual_seed(0)
    bench.lesson["generate"](model, prompt, 3, 1.0, None, None, draw)
    devices.synchronize(bench.device)
    began = time.perf_counter()
    bench.lesson["generate"](model, prompt, n_new, 1.0, None, None, draw)
    devices.synchronize(bench.device)
    return [("generating without a cache: characters a second", f"{n_new / (time.perf_counter() - began):,.0f}")]


def lesson_plan(bench: Bench, short: bool) -> Rows:
    """Lesson 07's run, with the plan that it chooses on this card."""
    corpus = load_text(quiet=True)
    vocabulary = sorted(set(corpus.text))
    index = {c: i for i, c in enumerate(vocabulary)}
    parts = [torch.tensor([index[c] for c in part]) for part in corpus.split(0.1)]
    size, why = choose_size(bench.device)
    if bench.width < 100:
        size = dataclasses.replace(size, n_layer=1, n_head=2, d_model=16, block_size=16, batch_size=4, steps=bench.steps)
    steps = size.steps // 10 if short and bench.width > 100 else size.steps
    plan = Plan(steps, size.batch_size, size.block_size, size.max_lr, size.min_lr, eval_every=max(1, steps // 10), eval_batches=16)
    config = bench.lesson["GPTConfig"](len(vocabulary), size.block_size, size.n_layer, size.n_head, size.d_model, size.dropout)
    pieces = Pieces(*(bench.lesson[name] for name in ("get_batch", "parameter_groups", "learning_rate", "train_step")))
    history = train(bench.lesson["build_gpt"](config), *parts, plan, pieces, live=False)
    return [
        ("lesson 07's plan", why),
        (f"{steps:,} steps on {corpus.name}: best held-back loss", f"{min(loss for _, loss in history.evals):.3f}"),
        ("… minutes", f"{history.seconds / 60:.1f}"),
        ("… tokens a second", f"{history.tokens_per_second:,.0f}"),
        ("… precision", str(precision(bench.device).dtype or torch.float32).removeprefix("torch.")),
        ("… most memory, GiB", f"{devices.peak_memory(bench.device) / 2**30:.2f}"),
    ]


def resumed(parts: dict[str, Callable[[], Rows]], path: Path, card: str) -> Rows:
    """The rows of all parts; what an earlier run on this card has measured is not measured again."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    done = known.get("parts", {}) if known.get("card") == card else {}
    for name, measure in parts.items():
        if name not in done:
            print(f"{name} …", flush=True)
            done[name] = measure()
            path.write_text(json.dumps({"card": card, "parts": done}, indent=1) + "\n", encoding="utf-8")
    return [tuple(row) for name in parts for row in done[name]]


@contextlib.contextmanager
def machine(pretend: bool) -> Iterator[None]:
    with pretend_gpu.machine(pretend_gpu.T4) if pretend else contextlib.nullcontext():
        yield


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="fewer steps")
    parser.add_argument("--pretend", action="store_true", help="on the pretend GPU, with a tiny model; needs --out")
    parser.add_argument("--out", type=Path, help="where the result goes, instead of docs/measured/gpu.json")
    chosen = parser.parse_args()
    out = chosen.out or benchmark_tables.FOLDER / "gpu.json"
    if chosen.pretend and chosen.out is None:
        parser.error("--pretend measures nothing that may be kept: name a file with --out")
    with machine(chosen.pretend):
        device = pick_device()
        if device.type == "cpu":
            parser.error("there is no GPU here")
        lesson = source.namespace(source.read(layout.source_path("07_gpt")))
        bench = Bench(lesson, device, *((4, 24) if chosen.pretend else (20 if chosen.short else 60, 384)))
        parts = {
            "parity": lambda: parity(bench),
            "precisions": lambda: precisions(bench),
            "generation": lambda: generation(bench),
            "lesson 07's plan": lambda: lesson_plan(bench, chosen.short),
        }
        card, progress = devices.card_name(device), out.with_suffix(".parts.json")
        rows = resumed(parts, progress, card)
    for what, result in rows:
        print(f"{what:<80} {result}")
    table = benchmark_tables.Measured(f"On {card}", "python benchmarks/gpu.py", list(COLUMNS), [list(row) for row in rows])
    out.write_text(json.dumps(dataclasses.asdict(table), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    progress.unlink()
    print(f"kept in {out}")


if __name__ == "__main__":
    main()
