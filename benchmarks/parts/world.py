"""Lesson 08's world model, trained on the device and on the CPU."""

from __future__ import annotations

import time

import torch
from torch import Tensor, nn

from benchmarks.parts.bench import WARM_UP, Bench, Rows
from benchmarks.parts.lessons import answers
from utils import device as devices


def measure(bench: Bench) -> Rows:
    """Milliseconds a step on each, and the largest difference of a loss. The model is small: a GPU need not be faster."""
    torch.set_float32_matmul_precision("highest")
    steps = WARM_UP + bench.steps
    here, there = (_train(device, steps) for device in (torch.device("cpu"), bench.device))
    gap = max(abs(a - b) for a, b in zip(here[0][:10], there[0][:10]))
    return [
        ("lesson 08's world model: milliseconds a step on the device", f"{1000 * there[1]:.1f}"),
        ("lesson 08's world model: milliseconds a step on this CPU", f"{1000 * here[1]:.1f}"),
        ("lesson 08's world model: largest difference of a loss, over 10 steps", f"{gap:.1e}"),
    ]


def _train(device: torch.device, steps: int) -> tuple[list[float], float]:
    """(losses, seconds a step)."""
    torch.manual_seed(0)
    model = answers("08_language_mdp")["WorldModel"](len(answers("08_language_mdp")["words"])).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.98), weight_decay=0.01)
    order, (ids, labels) = torch.Generator().manual_seed(0), _lines()
    losses, began = [], 0.0
    for step in range(steps):
        if step == WARM_UP:
            devices.synchronize(device)
            began = time.perf_counter()
        chosen = torch.randint(len(ids), (16,), generator=order)
        _, loss = model(ids[chosen].to(device), labels[chosen].to(device))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    return losses, (time.perf_counter() - began) / (steps - WARM_UP)


def _lines() -> tuple[Tensor, Tensor]:
    """Token ids and labels of the lines that 200 steps of random play in the lesson's house give."""
    lesson = answers("08_language_mdp")
    words = lesson["words"]
    ids = words.batch(lesson["lines_of"]([lesson["played"](200)]))
    labels = lesson["outcome_labels"](ids, words.number["<out>"])
    return ids, labels.masked_fill(labels == words.number[words.PAD], -100)
