"""Training on the device: three precisions, compiled or not; lesson 07's plan; and the speed run."""

from __future__ import annotations

import dataclasses
import time

import torch

from benchmarks import speedrun
from benchmarks.parts.bench import Bench, Rows, seconds_a_step
from benchmarks.parts.lessons import gpt_lesson
from utils import device as devices
from utils.corpora import Corpus, load_text
from utils.training import Pieces, Plan, choose_size, precision, train

TRIAL = 30  # steps after which the time of the whole plan is known


def precisions(bench: Bench) -> Rows:
    """Tokens a second of training nanoGPT's character model. With `--short` only the device's own precision is compiled."""
    torch.set_float32_matmul_precision("high")
    rows = []
    for dtype in (None, torch.float16, torch.bfloat16):
        for compiled in (False, True):
            name = f"training in {_name(dtype)}{', compiled' if compiled else ''}: tokens a second"
            if not (compiled and bench.short and dtype != precision(bench.device).dtype):
                rows.append((name, _tokens_a_second(bench, dtype, compiled)))
    with devices.repeatable(bench.device, True):
        rows.append(("the same bits in each run, compiled: tokens a second", _tokens_a_second(bench, precision(bench.device).dtype, True)))
    return rows


def _tokens_a_second(bench: Bench, dtype: torch.dtype | None, compiled: bool) -> str:
    model = bench.model()
    batch = bench.batch(model, 4 if bench.tiny else 64)
    try:
        runner = torch.compile(model) if compiled else model
        return f"{batch[0].numel() / seconds_a_step(runner, batch, bench.steps, bench.seconds, dtype):,.0f}"
    except Exception as error:  # of the compiler, or of a card that lacks the precision
        return f"does not work here ({type(error).__name__})"
    finally:
        torch.compiler.reset()


def lesson_plan(bench: Bench) -> Rows:
    """Lesson 07's run with the plan that it chooses here, or with as many of its steps as fit into the benchmark's time."""
    text = load_text(quiet=True)
    ids, vocab_size = _numbers(text)
    size, why = choose_size(bench.device)
    if bench.tiny:
        size = dataclasses.replace(size, n_layer=1, n_head=2, d_model=16, block_size=16, batch_size=4, steps=bench.steps)
    config = gpt_lesson()["GPTConfig"](vocab_size, size.block_size, size.n_layer, size.n_head, size.d_model, size.dropout)
    pieces = Pieces(*(gpt_lesson()[name] for name in ("get_batch", "parameter_groups", "learning_rate", "train_step")))

    def run(steps: int):
        plan = Plan(steps, size.batch_size, size.block_size, size.max_lr, size.min_lr, eval_every=max(1, steps // 10), eval_batches=16)
        return train(gpt_lesson()["build_gpt"](config), *ids, plan, pieces, live=False)

    steps = size.steps if bench.tiny else min(size.steps, int((60 if bench.short else 270) * _steps_a_second(run, size)))
    history = run(steps)
    return [
        ("lesson 07's run: plan", why),
        ("lesson 07's run: text", text.name),
        ("lesson 07's run: steps", f"{steps:,} of {size.steps:,}"),
        ("lesson 07's run: held-back loss", f"{min(loss for _, loss in history.evals):.3f}"),
        ("lesson 07's run: minutes", f"{history.seconds / 60:.1f}"),
        ("lesson 07's run: tokens a second", f"{history.tokens_per_second:,.0f}"),
        ("lesson 07's run: precision", _name(precision(bench.device).dtype)),
        ("lesson 07's run: most memory, GiB", f"{devices.peak_memory(bench.device) / 2**30:.2f}"),
    ]


def _steps_a_second(run, size) -> float:
    """Of a short run, by its last steps: the first ones compile."""
    return run(TRIAL).tokens_per_second / (size.batch_size * size.block_size)


def speed_run(bench: Bench) -> Rows:
    """nanoGPT's CPU recipe and the modern model that is after its loss, both on the device."""
    ids, vocab_size = _numbers(load_text(quiet=True))
    began = time.perf_counter()
    recipes = [speedrun.baseline(vocab_size), speedrun.challenger(vocab_size, 0)]
    if bench.tiny:
        recipes = [dataclasses.replace(recipe, steps=bench.steps) for recipe in recipes]
    before = speedrun.race(recipes[0], ids, 1337, device=bench.device)
    after = speedrun.race(recipes[1], ids, 0, before.loss, device=bench.device)
    reached = f"{after.steps} steps" if after.loss <= before.loss else f"not reached in {after.steps} steps ({after.loss:.3f})"
    return [
        ("speed run: loss of nanoGPT's CPU recipe", f"{before.loss:.3f}"),
        ("speed run: seconds of the recipe", f"{before.seconds:.1f}"),
        ("speed run: the modern GPT reaches it in", reached),
        ("speed run: seconds of the modern GPT", f"{after.seconds:.1f}"),
        ("speed run: seconds of both, with validation", f"{time.perf_counter() - began:.0f}"),
    ]


def _numbers(text: Corpus) -> tuple[tuple[torch.Tensor, torch.Tensor], int]:
    """The text as two tensors of character numbers, and the size of its alphabet."""
    index = {c: i for i, c in enumerate(sorted(set(text.text)))}
    train_ids, val_ids = (torch.tensor([index[c] for c in part]) for part in text.split(0.1))
    return (train_ids, val_ids), len(index)


def _name(dtype: torch.dtype | None) -> str:
    return str(dtype or torch.float32).removeprefix("torch.")
