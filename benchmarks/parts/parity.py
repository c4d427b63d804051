"""Does the device compute what the CPU computes? The GPT, its training, the answers of all lessons, and transformers' GPT-2."""

from __future__ import annotations

from importlib.util import find_spec

import torch

from autograde import layout
from autograde.authoring import source
from autograde.checking import pretend_gpu
from autograde.checking.fingerprint import fingerprint, same
from autograde.checking.lesson import assemble_lesson
from autograde.checking.on_gpu import Border, StudentOnGpu
from autograde.checking.student import LocalStudent
from benchmarks.parts.bench import Bench, Rows, losses_of
from benchmarks.parts.lessons import answers, gpt_lesson


def measure(bench: Bench) -> Rows:
    """Largest differences to the CPU, in float32 without shortened products."""
    torch.set_float32_matmul_precision("highest")
    return [*_gpt(bench), *_lessons(bench), *_transformers(bench)]


def _gpt(bench: Bench) -> Rows:
    there, here = (bench.model(block_size=64, layers=2, device=device) for device in (bench.device, torch.device("cpu")))
    x, y = bench.batch(there, 8)
    with torch.no_grad():
        gap = (there.eval()(x)[0].cpu() - here.eval()(x.cpu())[0]).abs().max().item()
    losses = zip(losses_of(there, (x, y), 10), losses_of(here, (x.cpu(), y.cpu()), 10))
    return [
        ("parity: largest difference of a logit", f"{gap:.1e}"),
        ("parity: largest difference of a loss, over 10 steps", f"{max(abs(a - b) for a, b in losses):.1e}"),
    ]


def _lessons(bench: Bench) -> Rows:
    """The lessons' answers on the inputs by which known mistakes are recognised: on the CPU, and with every tensor on the device."""
    equal, other, own_draws = 0, [], 0
    for name in layout.lesson_names():
        read = source.read(layout.source_path(name))
        here, probes = LocalStudent(answers(name)), assemble_lesson(name, read.title, read.exercises, hidden=False).probes
        there = StudentOnGpu(Border(pretend_gpu.ON_CPU, bench.device), here)
        for exercise, probe in probes.items():
            want, got = fingerprint(probe, here), fingerprint(probe, there)
            if same(want, got):
                equal += 1
            elif got["form"] == "raises RuntimeError" and want["form"] != got["form"]:
                own_draws += 1  # it draws on the device, which a generator of the CPU may not
            else:
                other.append(f"{exercise} (lesson {name[:2]})")
    drawn = f", {own_draws} draw on the device and cannot be compared" if own_draws else ""
    return [("parity: answers of the lessons with the CPU's results", f"{equal}{drawn}{'; others: ' if other else ''}{', '.join(other)}")]


def _transformers(bench: Bench) -> Rows:
    """transformers' GPT-2 on the device, and lesson 07's holding its weights."""
    what = "parity: largest difference of a logit to transformers' GPT-2"
    if find_spec("transformers") is None:
        return [(what, "not installed")]
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    sizes = {"n_layer": 2, "n_head": 2, "n_embd": 16} if bench.tiny else {"n_layer": 4, "n_head": 4, "n_embd": 128}
    theirs = GPT2LMHeadModel(GPT2Config(vocab_size=211, n_positions=64, **sizes, initializer_range=0.3)).eval()
    ours = gpt_lesson()["GPT"](gpt_lesson()["GPTConfig"](211, 64, *sizes.values()))
    ours.load_state_dict(gpt_lesson()["from_hugging_face"](theirs.state_dict()))
    ids = torch.randint(211, (3, 64), generator=torch.Generator().manual_seed(1)).to(bench.device)
    with torch.no_grad():
        gap = (ours.to(bench.device).eval()(ids)[0] - theirs.to(bench.device)(ids).logits).abs().max().item()
    return [(what, f"{gap:.1e}")]
