"""The training on this machine's own GPU: what test_training_on_gpu.py shows of a pretended one, and what only a real one can show."""

import dataclasses
import warnings

import pytest
import torch

from autograde import layout
from autograde.authoring import source
from tests.utils.test_training import PLAN
from tests.utils.test_training_on_gpu import OWN, Model, run, step
from utils import device as devices
from utils.training import Pieces, Plan, choose_size, pick_device, train
from utils.training.scaling import ScaledLoss
from utils.training.sizes import SIZES

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")


@pytest.fixture(scope="module")
def lesson():
    return source.namespace(source.read(layout.source_path("07_gpt")))


def as_lesson_07(lesson, size, steps, compile, **options):
    """The lesson's model and pieces on random text: the model, and the history of so many steps."""
    config = lesson["GPTConfig"](65, size.block_size, size.n_layer, size.n_head, size.d_model, size.dropout)
    pieces = Pieces(*(lesson[name] for name in ("get_batch", "parameter_groups", "learning_rate", "train_step")))
    plan = Plan(steps, size.batch_size, size.block_size, size.max_lr, size.min_lr, eval_every=steps, eval_batches=1)
    ids = torch.randint(65, (20_000,), generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    model = lesson["build_gpt"](config)
    return model, train(model, ids, ids, plan, pieces, live=False, compile=compile, **options)


def as_on_the_cpu(monkeypatch, **options):
    with monkeypatch.context() as patch:
        patch.setattr("utils.training.loop.pick_device", lambda: torch.device("cpu"))
        return run(**options)


def test_it_trains_there_in_the_cards_precision_to_the_cpus_losses(monkeypatch):
    model, history = run(dropout=0.0)
    _, want = as_on_the_cpu(monkeypatch, dropout=0.0)
    dtype = devices.precision(pick_device()).dtype
    assert all(p.is_cuda and p.dtype == torch.float32 for p in model.parameters())
    assert set(model.seen) == {dtype or torch.float32}
    assert history.losses == pytest.approx(want.losses, abs=0.02)


@pytest.mark.parametrize("compile", [False, True])
def test_a_stopped_run_resumes_exactly(lesson, tmp_path, compile):
    """Compiled or not, with dropout: the same bits. Without a checkpoint a run repeats itself up to rounding only."""
    size = dataclasses.replace(SIZES[-1], n_layer=2, dropout=0.2)
    straight, whole = as_lesson_07(lesson, size, 20, compile, repeatable=True)
    as_lesson_07(lesson, size, 20, compile, checkpoint=tmp_path / "run.ckpt", stop_after=7)
    torch.rand(17), torch.rand(17, device="cuda")
    resumed, history = as_lesson_07(lesson, size, 20, compile, checkpoint=tmp_path / "run.ckpt")
    assert history.losses == whole.losses and history.evals == whole.evals
    assert all(torch.equal(a, b) for a, b in zip(straight.state_dict().values(), resumed.state_dict().values()))
    _, again = as_lesson_07(lesson, size, 20, compile)
    assert again.losses == pytest.approx(whole.losses, abs=0.01)


@pytest.mark.parametrize("first", ["cpu", "card"])
def test_a_run_goes_on_on_the_other_device(tmp_path, monkeypatch, first):
    options = {"dropout": 0.0, "checkpoint": tmp_path / "run.ckpt"}
    _, want = as_on_the_cpu(monkeypatch, dropout=0.0)
    for place, stop in (("cpu", 6), ("card", None)) if first == "cpu" else (("card", 6), ("cpu", None)):
        _, history = as_on_the_cpu(monkeypatch, stop_after=stop, **options) if place == "cpu" else run(stop_after=stop, **options)
    assert history.losses == pytest.approx(want.losses, abs=0.02)


def test_the_host_waits_once_a_step():
    counted = []

    def counting(*arguments):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            torch.cuda.set_sync_debug_mode("warn")
            try:
                loss = step(*arguments)
            finally:
                torch.cuda.set_sync_debug_mode("default")
        counted.append([str(w.message) for w in seen if "called a synchronizing" in str(w.message)])
        return loss

    run(dataclasses.replace(PLAN, accumulate=4, eval_every=100), pieces=dataclasses.replace(OWN, train_step=counting))
    assert [len(waits) for waits in counted] == [1] * PLAN.steps, counted[0]


def test_small_gradients_survive_float16():
    weight = torch.nn.Linear(4, 4, bias=False).cuda()
    x = torch.ones(4, 4, device="cuda")

    class Small(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = weight

        def forward(self, x, y):
            return None, self.inner(x).float().mean() * 1e-8

    for scaled in (False, True):
        model = Small()
        runner = ScaledLoss(model, torch.optim.AdamW(model.parameters(), fused=True)) if scaled else model
        weight.weight.grad = None
        with torch.autocast("cuda", dtype=torch.float16):
            loss = runner(x, None)[1]
        loss.backward()
        want = torch.full((4, 4), 1e-8 / 4 if scaled else 0.0)
        assert torch.allclose(weight.weight.grad.cpu(), want, rtol=1e-2, atol=0), "1e-8 is 0 in float16"


def test_a_step_whose_gradients_overflow_is_skipped():
    model = Model(0.0).cuda()
    optimizer = torch.optim.AdamW(model.parameters(), fused=True, lr=0.1)
    runner, x = ScaledLoss(model, optimizer, scale=2.0**10), torch.zeros(2, 3, dtype=torch.long, device="cuda")
    for factor, scale in ((1.0, 2.0**10), (float("inf"), 2.0**9)):
        before = model.out.weight.detach().clone()
        (runner(x, x)[1] * factor).backward()
        optimizer.step()
        optimizer.zero_grad()
        assert torch.equal(before, model.out.weight) == (factor != 1.0) and runner.state["scale"].item() == scale


def test_the_compiled_model_learns_what_the_plain_one_learns(lesson, capsys):
    size = dataclasses.replace(SIZES[-1], n_layer=2, dropout=0.0)
    plain, compiled = (as_lesson_07(lesson, size, 20, compile)[1].losses for compile in (False, True))
    assert "does not work here" not in capsys.readouterr().out
    assert compiled == pytest.approx(plain, abs=0.05)


@pytest.mark.parametrize("size", SIZES[1:], ids=lambda size: size.name)
def test_a_plan_takes_about_the_memory_that_it_is_chosen_by(lesson, size):
    """A plan that is chosen to fit has to fit; one that takes far less is held back from cards that could train it."""
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    as_lesson_07(lesson, size, 2, compile=False)
    peak = devices.peak_memory(pick_device()) - before
    assert 0.5 < size.bytes / peak < 2, f"{size.bytes / 2**30:.2f} GiB by the formula, {peak / 2**30:.2f} measured"


def test_a_plan_is_chosen_for_the_card():
    size, line = choose_size(pick_device())
    assert devices.card_name(pick_device()) in line and size in SIZES
