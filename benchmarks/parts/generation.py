"""Writing on, with and without a key-value cache."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from benchmarks.parts.bench import Bench, Rows
from benchmarks.parts.lessons import gpt_lesson
from utils import device as devices


def measure(bench: Bench) -> Rows:
    """Characters a second from nanoGPT's character model, one text at a time, and whether both ways write the same."""
    model = bench.model()
    n_new = min(4 * bench.steps, model.config.block_size - 1)
    plain, without = _timed(gpt_lesson()["generate"], model, n_new)
    text, with_cache = _timed(gpt_lesson()["generate_cached"], model, n_new)
    same = (plain == text).float().mean().item()
    return [
        ("generating, without a cache: characters a second", f"{n_new / without:,.0f}"),
        ("generating, with a cache: characters a second", f"{n_new / with_cache:,.0f}"),
        ("generating: characters that are the same", f"{same:.0%}"),
    ]


def _timed(generate: Callable, model: torch.nn.Module, n_new: int) -> tuple[torch.Tensor, float]:
    device = next(model.parameters()).device
    prompt = torch.zeros(1, 1, dtype=torch.long, device=device)
    generate(model, prompt, 3, 1.0, None, None, torch.Generator(device).manual_seed(0))
    devices.synchronize(device)
    began = time.perf_counter()
    text = generate(model, prompt, n_new, 1.0, None, None, torch.Generator(device).manual_seed(0))
    devices.synchronize(device)
    return text.cpu(), time.perf_counter() - began
