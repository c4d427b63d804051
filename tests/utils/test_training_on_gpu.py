"""The training on a GPU, as far as a pretend one can show: precision, resuming, waiting, scaling, compiling."""

import contextlib
import dataclasses
import itertools
import os
import resource
import threading

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from autograde.checking import pretend_gpu
from tests.utils.test_training import PIECES, PLAN, TEXT, get_batch, groups, rate
from utils import device as devices
from utils.training import Pieces, Plan, choose_size, compiling, curve, memory_mapped, pick_device, precision, train, write_tokens
from utils.training.batches import Batches
from utils.training.meter import Meter, peak_operations
from utils.training.scaling import ScaledLoss
from utils.training.sizes import CPU, SIZES

OLD = pretend_gpu.Card("Tesla P4", (6, 1), 8 * 2**30, 20)
SMALL = dataclasses.replace(pretend_gpu.T4, memory=2 * 2**30)


class Model(nn.Module):
    """A table, a matrix product (which autocast casts), dropout, and what the loop wants."""

    def __init__(self, dropout=0.3):
        super().__init__()
        self.table, self.out, self.dropout = nn.Embedding(11, 16), nn.Linear(16, 11), nn.Dropout(dropout)
        self.config, self.seen = PLAN, []

    def forward(self, ids, targets=None):
        logits = self.out(self.dropout(self.table(ids)))
        self.seen.append(logits.dtype)
        return logits, None if targets is None else F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def step(model, optimizer, batches, clip, dtype):
    """A training step that reads its loss once, at the end."""
    model.train()
    total = 0.0
    for x, y in batches:
        with torch.autocast(x.device.type, dtype=dtype, enabled=dtype is not None):
            loss = model(x, y)[1] / len(batches)
        loss.backward()
        total = total + loss.detach()
    nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    optimizer.zero_grad()
    return total.item()


OWN = Pieces(get_batch, groups, rate, step)


def run(plan=PLAN, dropout=0.3, pieces=OWN, live=False, **options):
    torch.manual_seed(0)
    model = Model(dropout)
    torch.manual_seed(5)
    return model, train(model, TEXT[:300], TEXT[300:], plan, pieces, live=live, compile=False, **options)


@pytest.mark.parametrize(
    "card, dtype, scaled", [(pretend_gpu.A100, torch.bfloat16, False), (pretend_gpu.T4, torch.float16, True), (OLD, None, False)]
)
def test_the_precision_is_chosen_by_capability(card, dtype, scaled):
    """A T4 says that it supports bfloat16, by emulation: it gets float16 with a scaled loss."""
    with pretend_gpu.machine(card) as gpu:
        assert pick_device().type == "gpu"
        assert precision(gpu) == devices.Precision(dtype, scaled)
        model, history = run(dropout=0.0)
        assert set(model.seen) == {dtype or torch.float32}
        assert all(p.device == gpu and p.dtype == torch.float32 for p in model.parameters())
    _, want = run(dropout=0.0)
    assert history.losses == pytest.approx(want.losses, abs=0.0 if dtype is None else 0.02)
    assert (history.losses == want.losses) == (dtype is None), "the chosen precision is really used"


@pytest.mark.parametrize("card", [pretend_gpu.A100, pretend_gpu.T4])
@pytest.mark.parametrize("stop", [1, 7])
def test_a_stopped_run_resumes_exactly_on_the_device(tmp_path, card, stop):
    """The device's own generator, the scale, and the batch that was fetched ahead are all in the checkpoint."""
    with pretend_gpu.machine(card):
        straight, whole = run()
        run(checkpoint=tmp_path / "run.ckpt", stop_after=stop)
        torch.rand(17), torch.rand(17, device="gpu")
        torch.load(tmp_path / "run.ckpt", weights_only=True, map_location="cpu")
        resumed, history = run(checkpoint=tmp_path / "run.ckpt")
        assert history.losses == whole.losses and history.evals == whole.evals
        assert all(torch.equal(a, b) for a, b in zip(straight.state_dict().values(), resumed.state_dict().values()))


CARDS = {"CPU": None, "T4": pretend_gpu.T4, "A100": pretend_gpu.A100}


@pytest.mark.parametrize("first, second", itertools.permutations(CARDS, 2))
def test_a_run_goes_on_on_another_device(tmp_path, first, second):
    """Colab's GPU is switched on, or off, in the middle: up to rounding the same curve, with a scale where there was none."""
    _, want = run(dropout=0.0)
    for name, stop in ((first, 6), (second, None)):
        with pretend_gpu.machine(CARDS[name]) if CARDS[name] else contextlib.nullcontext():
            _, history = run(dropout=0.0, checkpoint=tmp_path / "run.ckpt", stop_after=stop)
    assert history.losses == pytest.approx(want.losses, abs=0.02)


def test_the_host_waits_once_a_step():
    """Not for a micro-batch, not for the scale, not for a batch: only the loss is read."""
    counted = []

    def counting(*arguments):
        before = len(torch.gpu.waits)
        loss = step(*arguments)
        counted.append(torch.gpu.waits[before:])
        return loss

    for card in (pretend_gpu.A100, pretend_gpu.T4):
        with pretend_gpu.machine(card):
            plan = dataclasses.replace(PLAN, accumulate=4, eval_every=100)
            run(plan, pieces=dataclasses.replace(OWN, train_step=counting))
            assert len(torch.gpu.waits) < plan.steps + 60, "outside of the steps too, hardly anything waits"
    # foreach kernels of the optimizer and the clipping are the device's own
    assert all(waits == ["_local_scalar_dense"] for waits in counted), counted[0]


def test_batches_are_fetched_ahead_and_none_is_skipped():
    drawn = []

    def draw(generator):
        drawn.append(torch.randint(100, (4, 3), generator=generator))
        return drawn[-1], drawn[-1] + 1

    with pretend_gpu.machine() as gpu:
        ahead, plain = Batches(draw, 0, gpu, 2), Batches(draw, 0, torch.device("cpu"), 2)
        for _ in range(3):
            got, want = ahead.next(), plain.next()
            assert all(torch.equal(a.cpu(), b) for pair, other in zip(got, want) for a, b in zip(pair, other))
            assert torch.equal(ahead.state, plain.state)
        state, following = ahead.state, [x.cpu() for x, _ in ahead.next()]
        ahead.restore(state)
        assert all(torch.equal(x.cpu(), y) for (x, _), y in zip(ahead.next(), following))
        ahead.close()


def test_the_next_batch_is_drawn_during_the_step():
    """Nobody asks for the second batch: it is there all the same, and the third is not drawn yet."""
    second, drawn = threading.Event(), []

    def draw(generator):
        drawn.append(threading.get_ident())
        second.set() if len(drawn) == 2 else None
        return get_batch(TEXT, 4, 6, generator)

    with pretend_gpu.machine() as gpu:
        ahead = Batches(draw, 0, gpu, 1)
        ahead.next()
        assert second.wait(timeout=20) and drawn[1] != threading.get_ident()
        ahead.close()
        assert len(drawn) == 2


# Scaling


def test_small_gradients_survive_float16():
    """Without the scale a gradient of 1e-8 is 0 in float16; with it, it arrives."""

    class Small(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(4, 4))

        def forward(self, x, y):
            return None, (x @ self.weight).float().mean() * 1e-8

    with pretend_gpu.machine(pretend_gpu.T4) as gpu:
        x = torch.ones(4, 4, device=gpu)
        for scaled in (False, True):
            model = Small().to(gpu)
            optimizer = torch.optim.AdamW(model.parameters(), fused=True)
            runner = ScaledLoss(model, optimizer) if scaled else model
            with torch.autocast("gpu", dtype=torch.float16):
                loss = runner(x, None)[1]
            loss.backward()
            expected = torch.full((4, 4), 1e-8 / 4)
            assert torch.allclose(model.weight.grad.cpu(), expected if scaled else torch.zeros(4, 4), rtol=1e-2, atol=0)
            assert loss.item() == pytest.approx(4e-8, rel=1e-3, abs=0), "the loss itself is not scaled"


def test_a_step_whose_gradients_overflow_is_skipped_and_the_scale_falls():
    with pretend_gpu.machine(pretend_gpu.T4) as gpu:
        model = Model(0.0).to(gpu)
        optimizer = torch.optim.AdamW(model.parameters(), fused=True, lr=0.1)
        runner = ScaledLoss(model, optimizer, scale=2.0**10)
        x = torch.zeros(2, 3, dtype=torch.long, device=gpu)
        for factor, scale in ((1.0, 2.0**10), (float("inf"), 2.0**9), (1.0, 2.0**9)):
            before = model.out.weight.detach().clone()
            (runner(x, x)[1] * factor).backward()
            optimizer.step()
            optimizer.zero_grad()
            assert torch.equal(before, model.out.weight) == (factor != 1.0)
            assert runner.state["scale"].item() == scale
        assert model.out.weight.isfinite().all()


def test_the_scale_grows_after_enough_steps(monkeypatch):
    monkeypatch.setattr("utils.training.scaling.GROWTH_STEPS", 3)
    model = Model(0.0)
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    runner, x = ScaledLoss(model, optimizer, scale=4.0), torch.zeros(1, 2, dtype=torch.long)
    scales = []
    for _ in range(6):
        runner(x, x)[1].backward()
        optimizer.step()
        scales.append(runner.state["scale"].item())
    assert scales == [4, 4, 8, 8, 8, 16]


# Compiling


def test_training_goes_on_where_compiling_fails(monkeypatch, capsys):
    """One line, no trace in the random numbers, and the same run."""

    class Broken(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, *batch):
            logits, loss = self.inner(*batch)
            return logits, _fails(loss)

    def _fails(loss):
        loss.register_hook(lambda g: (_ for _ in ()).throw(RuntimeError("Failed to find C compiler\nand much more")))
        return loss

    _, want = run()
    monkeypatch.setattr(torch, "compile", Broken)
    torch.manual_seed(0)
    model = Model()
    torch.manual_seed(5)
    history = train(model, TEXT[:300], TEXT[300:], PLAN, OWN, compile=True)
    assert history.losses == want.losses
    said = capsys.readouterr().out
    assert "Failed to find C compiler" in said and "without" in said and "much more" not in said and said.count("\n") == 1


def test_the_compiled_model_is_the_one_that_trains(monkeypatch):
    calls = []

    class Compiled(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, *batch):
            calls.append(1)
            return self.inner(*batch)

    monkeypatch.setattr(torch, "compile", Compiled)
    x = torch.zeros(1, 2, dtype=torch.long)
    model = Model()
    runner, line = compiling.compiled(model, (x, x), devices.Precision())
    assert isinstance(runner, Compiled) and line == "" and calls == [1]
    assert all(p.grad is None for p in model.parameters())


# Plans, speed, data


def test_the_plan_fits_the_card():
    with pretend_gpu.machine(pretend_gpu.A100) as gpu:
        size, line = choose_size(gpu)
        assert size is SIZES[0] and "A100" in line and "minutes" in line
    with pretend_gpu.machine(pretend_gpu.T4) as gpu:
        size, line = choose_size(gpu)
        assert size.tokens < SIZES[0].tokens and "T4" in line
        assert choose_size(gpu, within=0.01)[0] is CPU
    with pretend_gpu.machine(SMALL) as gpu:
        assert choose_size(gpu)[0].bytes < 2**30
    assert choose_size(torch.device("cpu"))[0] is CPU


def test_utilisation_needs_a_known_card():
    model = Model()
    with pretend_gpu.machine(pretend_gpu.T4) as gpu:
        assert peak_operations(gpu) == 65e12
        shown = Meter(model, 100, gpu)
        shown.step()
        assert {"tokens/s", "utilisation"} <= set(shown.shown())
        # a billion tokens in a second, by one card or shared by two
        one, two = (Meter(model, 10**9, gpu, world) for world in (1, 2))
        for meter in (one, two):
            meter.times.clear()
            meter.times.extend((0.0, 1.0))
        percent = [float(meter.shown()["utilisation"].rstrip("%")) for meter in (one, two)]
        assert percent[0] == pytest.approx(100 * 6e9 * sum(p.numel() for p in model.parameters()) / 65e12, abs=0.51)
        assert percent[1] == pytest.approx(percent[0] / 2, abs=0.76)
    with pretend_gpu.machine(OLD) as gpu:
        assert peak_operations(gpu) is None and "utilisation" not in Meter(model, 100, gpu).shown()


def test_memory_and_the_time_left_are_shown(monkeypatch):
    monkeypatch.setattr("utils.training.meter.peak_memory", lambda device: 3 * 2**29)
    assert Meter(Model(), 100, torch.device("cpu")).shown()["memory"] == "1.5 GiB"
    bars, made = [], curve.tqdm
    monkeypatch.setattr(curve, "tqdm", lambda *args, **options: bars.append(made(*args, **options)) or bars[-1])
    run(stop_after=4, live=True)
    (bar,) = bars
    assert bar.n == 4 and bar.total == PLAN.steps, "of so many steps, so the bar can say how long it will take"
    assert bar.format_dict["elapsed"] > 0 and {"tokens/s", "memory"} <= {entry.split("=")[0] for entry in bar.postfix.split(", ")}


def test_a_text_on_disk_trains_like_one_in_memory(tmp_path):
    count = write_tokens(tmp_path / "text.bin", (TEXT[i : i + 70].tolist() for i in range(0, 300, 70)))
    mapped = memory_mapped(tmp_path / "text.bin")
    assert count > 300 - 1 and mapped.dtype == torch.int32
    torch.manual_seed(0)
    model = Model(0.0)
    plan = Plan(steps=4, batch_size=4, block_size=6, max_lr=0.05, eval_every=2, eval_batches=1)
    got = train(model, mapped[:300], TEXT[300:], plan, PIECES, live=False)
    torch.manual_seed(0)
    want = train(Model(0.0), TEXT[:300], TEXT[300:], plan, PIECES, live=False)
    assert got.losses == want.losses


def test_a_text_larger_than_memory_is_read_from_disk(tmp_path):
    """A sparse file of twice the memory: mapping it takes none of it, and a batch reads only its own windows."""
    path, memory = tmp_path / "text.bin", os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with path.open("wb") as file:
        file.truncate(2 * memory)
    mapped = memory_mapped(path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    x, _ = get_batch(mapped, 4, 6, torch.Generator().manual_seed(0))
    assert len(mapped) == memory // 2 and x.eq(0).all()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024  # KiB


def test_the_thread_that_fetches_ahead_works_on_this_process_own_gpu(monkeypatch):
    """Else every process of a machine pins memory in the name of the first GPU."""
    threads = set()
    with pretend_gpu.machine() as gpu:
        monkeypatch.setattr(pretend_gpu.BACKEND, "set_device", lambda device: threads.add((threading.get_ident(), str(device))))
        ahead = Batches(get_batch_of_text, 0, gpu, 1)
        ahead.next(), ahead.next()
        ahead.close()
    ((thread, device),) = threads
    assert thread != threading.get_ident() and device == "gpu:0"


def get_batch_of_text(generator):
    return get_batch(TEXT, 4, 6, generator)


@pytest.mark.parametrize("stop", [None, 8, 10])
def test_the_best_weights_are_kept(tmp_path, stop):
    """A rate that ruins the model at the end: what is given back is the model of the best validation, be it from before a pause."""
    ruin = dataclasses.replace(OWN, learning_rate=lambda step, *_: 0.05 if step < 8 else 50.0)
    options = {"plan": dataclasses.replace(PLAN, eval_batches=4), "dropout": 0.0, "pieces": ruin, "checkpoint": tmp_path / "run.ckpt"}
    if stop:
        run(stop_after=stop, **options)
    model, history = run(**options)
    best = min(loss for _, loss in history.evals)
    assert history.evals[-1][1] > best + 1
    x, y = get_batch(TEXT[300:], 64, 6, torch.Generator().manual_seed(9))
    assert abs(model.eval()(x, y)[1].item() - best) < 0.5


@pytest.mark.parametrize("options, wanted", [({}, False), ({"checkpoint": "run.ckpt"}, True), ({"repeatable": True}, True)])
def test_who_wants_to_resume_gets_kernels_that_repeat_themselves(tmp_path, monkeypatch, options, wanted):
    """Only inside of the training, and on a GPU only; what it means there, test_training_on_card.py says."""
    monkeypatch.chdir(tmp_path)
    seen = set()

    def asking(*arguments):
        seen.add(torch.are_deterministic_algorithms_enabled())
        return step(*arguments)

    with pretend_gpu.machine():
        run(pieces=dataclasses.replace(OWN, train_step=asking), **options)
    assert seen == {wanted} and not torch.are_deterministic_algorithms_enabled()
    run(pieces=dataclasses.replace(OWN, train_step=asking), repeatable=True)
    assert seen == {wanted, False}
