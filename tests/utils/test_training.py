"""The training loop: it resumes exactly, and two processes are one."""

import dataclasses
import json
import os
import socket
import textwrap
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F

from tests.preloaded import Program
from utils.baselines import BigramLM
from utils.training import History, Pieces, Plan, autocast_dtype, pick_device, save_model, train

ROOT = Path(__file__).resolve().parents[2]
TEXT = torch.randint(11, (400,), generator=torch.Generator().manual_seed(0))
PLAN = Plan(steps=12, batch_size=8, block_size=6, max_lr=0.05, min_lr=0.01, warmup_steps=3, eval_every=4, eval_batches=2)


def get_batch(ids, batch_size, block_size, generator):
    windows = ids.unfold(0, block_size + 1, 1)
    chosen = windows[torch.randint(len(windows), (batch_size,), generator=generator)]
    return chosen[:, :-1], chosen[:, 1:]


def groups(model, weight_decay):
    return [{"params": list(model.parameters()), "weight_decay": weight_decay}]


def rate(step, warmup_steps, total_steps, max_lr, min_lr):
    return max_lr if step < warmup_steps else min_lr


def step(model, optimizer, batches, clip, dtype):
    model.train()
    optimizer.zero_grad()
    total = 0.0
    for x, y in batches:
        loss = model(x, y)[1] / len(batches)
        loss.backward()
        total += loss.item()
    nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    return total


PIECES = Pieces(get_batch, groups, rate, step)


def model(dropout=0.0, seed=0):
    torch.manual_seed(seed)
    return BigramLM(11, 6, dropout)


def run(plan=PLAN, dropout=0.0, **options):
    trained = model(dropout)
    torch.manual_seed(5)
    return trained, train(trained, TEXT[:300], TEXT[300:], plan, PIECES, live=False, **options)


def test_a_run_leaves_a_history_and_a_better_model():
    trained, history = run()
    assert len(history.losses) == len(history.rates) == 12
    assert [at for at, _ in history.evals] == [4, 8, 12]
    assert history.evals[-1][1] < history.evals[0][1]
    assert history.rates[:4] == [0.05, 0.05, 0.05, 0.01]
    assert history.seconds > 0


@pytest.mark.parametrize("stop", [1, 4, 7, 11])
def test_a_stopped_run_resumes_exactly(tmp_path, stop):
    """Weights, losses and validation are the same bits, dropout included, although everything is rebuilt in between."""
    straight, whole = run(dropout=0.3)
    path = tmp_path / "run.ckpt"
    run(dropout=0.3, checkpoint=path, stop_after=stop)
    torch.rand(17)  # whatever else used random numbers meanwhile
    resumed, history = run(dropout=0.3, checkpoint=path)
    assert history.losses == whole.losses and history.evals == whole.evals and history.rates == whole.rates
    assert all(torch.equal(a, b) for a, b in zip(straight.state_dict().values(), resumed.state_dict().values()))


def test_a_finished_run_stays_finished(tmp_path):
    _, first = run(checkpoint=tmp_path / "run.ckpt")
    _, again = run(checkpoint=tmp_path / "run.ckpt")
    assert again.losses == first.losses


def test_a_checkpoint_of_another_plan_is_refused(tmp_path):
    run(checkpoint=tmp_path / "run.ckpt", stop_after=4)
    with pytest.raises(ValueError, match="checkpoint"):
        run(dataclasses.replace(PLAN, max_lr=0.1), checkpoint=tmp_path / "run.ckpt")


def test_a_checkpoint_is_data_only_and_complete(tmp_path):
    run(checkpoint=tmp_path / "run.ckpt", stop_after=4)
    content = torch.load(tmp_path / "run.ckpt", weights_only=True)
    assert content["step"] == 4 and {"model", "optimizer", "random", "plan", "history"} <= set(content)
    assert [p.name for p in tmp_path.iterdir()] == ["run.ckpt"], "no half-written file is left"


def test_a_cut_while_writing_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    """The new one is written beside it, reaches the disk, and only then takes its name."""
    path, events = tmp_path / "run.ckpt", []
    run(checkpoint=path, stop_after=4)
    before = path.read_bytes()

    def cut(content, file):
        file.write(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(torch, "save", cut)
        with pytest.raises(KeyboardInterrupt):
            run(checkpoint=path)
    assert path.read_bytes() == before
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda file: events.append("on disk") or fsync(file))
    monkeypatch.setattr(os, "replace", lambda a, b: events.append("renamed") or replace(a, b))
    _, resumed = run(checkpoint=path)
    assert events == ["on disk", "renamed"] * 2 and resumed.losses == run()[1].losses


def test_a_checkpoint_of_more_processes_is_refused(tmp_path):
    """Each process has random numbers of its own to go on with."""
    run(checkpoint=tmp_path / "run.ckpt", stop_after=4)
    content = torch.load(tmp_path / "run.ckpt", weights_only=True)
    torch.save(content | {"random": content["random"] * 2}, tmp_path / "run.ckpt")
    with pytest.raises(ValueError, match="2 processes.*1"):
        run(checkpoint=tmp_path / "run.ckpt")


def test_micro_batches_are_one_batch():
    """Accumulating four micro-batches gives the loss curve of one batch."""
    _, one = run()
    _, four = run(dataclasses.replace(PLAN, accumulate=4))
    assert four.losses == pytest.approx(one.losses, abs=1e-5)


def test_a_batch_that_cannot_be_shared_out_is_refused():
    with pytest.raises(ValueError, match="batch_size 8"):
        run(dataclasses.replace(PLAN, accumulate=3))


def test_validation_draws_nothing_from_the_training_text():
    """More validation changes no training batch."""
    _, often = run(dataclasses.replace(PLAN, eval_every=1))
    _, seldom = run()
    assert often.losses == seldom.losses


def test_the_cpu_runs_in_full_precision():
    assert autocast_dtype(torch.device("cpu")) is None
    assert pick_device().type == ("cuda" if torch.cuda.is_available() else "cpu")


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.config = PLAN
        self.wte, self.head = nn.Embedding(5, 3), nn.Linear(3, 5, bias=False)
        self.head.weight = self.wte.weight


def test_a_saved_model_holds_a_tied_weight_once(tmp_path):
    tied = Tied()
    save_model(tied, tmp_path / "m", corpus="some text", vocabulary="abc")
    stored = load_file(tmp_path / "m.safetensors")
    assert set(stored) == {"wte.weight"} and torch.equal(stored["wte.weight"], tied.wte.weight)
    facts = json.loads((tmp_path / "m_config.json").read_text())
    assert facts["corpus"] == "some text" and facts["config"]["block_size"] == 6


def test_the_bigram_baseline_is_the_exact_maximum():
    fitted = BigramLM(11, 300).fit(TEXT, smoothing=1e-9)
    loss = fitted(TEXT[None, :300], TEXT[None, 1:301])[1]
    shares = F.one_hot(TEXT[1:], 11).float()
    table = torch.stack([shares[TEXT[:-1] == a].mean(0) for a in range(11)])
    assert loss.item() == pytest.approx(-table[TEXT[:300], TEXT[1:301]].log().mean().item(), abs=1e-4)


WORKER = """
    import json, sys, torch
    torch.set_num_threads(1)
    from tests.utils.test_training import PIECES, PLAN, TEXT, model
    from utils.training import process_group, pick_device, train
    import dataclasses, os
    with process_group(pick_device()) as (rank, world):
        trained = model()
        history = train(trained, TEXT[:300], TEXT[300:], PLAN, PIECES, live=False)
        if rank == 0:
            weights = {name: value.tolist() for name, value in trained.state_dict().items()}
            print(json.dumps({"world": world, "losses": history.losses, "evals": history.evals, "weights": weights}))
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def test_two_processes_follow_one(tmp_path):
    """Two gloo processes, each with half of every batch: the loss curve and the weights of one process."""
    script = tmp_path / "worker.py"
    script.write_text(textwrap.dedent(WORKER))
    port, workers = str(free_port()), []
    for rank in ("0", "1"):
        torchrun = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        environment = {**os.environ, **torchrun, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
        workers.append(Program(str(script), [], ROOT, environment, imported=("torch._dynamo", "torch.distributed", "utils.training")))
    (code, said), (other, words) = (worker.wait() for worker in workers)
    assert (code, other) == (0, 0), said + words
    two = json.loads(next(line for line in reversed(said.splitlines()) if line.startswith("{")))
    trained, one = run()
    assert two["world"] == 2
    assert two["losses"] == pytest.approx(one.losses, abs=1e-5)
    assert [loss for _, loss in two["evals"]] == pytest.approx([loss for _, loss in one.evals], abs=1e-5)
    for name, value in trained.state_dict().items():
        assert torch.allclose(torch.tensor(two["weights"][name]), value, atol=1e-5), name


def test_a_history_is_plain_data():
    assert json.loads(json.dumps(dataclasses.asdict(History([1.0], [0.1], [[1, 2.0]], 3.0))))["evals"] == [[1, 2.0]]
