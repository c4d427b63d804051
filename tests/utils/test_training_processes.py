"""Several gloo processes train as one: no disk is shared, gradients meet once a step, masks differ, and nobody waits for the dead."""

import json
import os
import socket
import textwrap
from pathlib import Path

import pytest
import torch

from tests.preloaded import Program
from tests.utils.test_training import PIECES, PLAN, TEXT, model
from utils.training import train

ROOT = Path(__file__).resolve().parents[2]
IMPORTED = ("torch._dynamo", "torch.distributed.algorithms.ddp_comm_hooks.default_hooks", "tests.utils.test_training")
WORKER = """
    import dataclasses, json, os, sys, torch
    torch.set_num_threads(1)
    import torch.distributed as dist
    from tests.utils.test_training import PIECES, PLAN, TEXT, model
    from utils.training import process_group, pick_device, save_model, train
    from utils.training import processes

    options = json.loads(sys.argv[1])
    rank, counted = int(os.environ["RANK"]), []

    class Counting(processes.DistributedDataParallel):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import allreduce_hook
            self.register_comm_hook(None, lambda state, bucket: counted.append(1) or allreduce_hook(None, bucket))

    processes.DistributedDataParallel = Counting
    masks = []

    def dying(*arguments):
        if rank == options.get("victim", 1) and options.get("dies") and len(masks) >= options["dies"]:
            os._exit(9)
        masks.append(torch.rand(1).item())
        return PIECES.train_step(*arguments)

    plan = dataclasses.replace(PLAN, **options.get("plan", {}))
    with process_group(pick_device()) as (rank, world):
        trained = model(options.get("dropout", 0.0), seed=rank)
        history = train(trained, TEXT[:300], TEXT[300:], plan, dataclasses.replace(PIECES, train_step=dying), live=False,
                        checkpoint=options.get("checkpoint") and options["checkpoint"][rank], stop_after=options.get("stop_after"))
        trained.config = plan
        save_model(trained, options["checkpoint"][rank] + "_model") if options.get("save") else None
        weights = {name: value.tolist() for name, value in trained.state_dict().items()}
        print(json.dumps({"losses": history.losses, "evals": history.evals, "weights": weights, "reductions": len(counted), "masks": masks}))
"""


def start(tmp_path, world=2, **options):
    """The processes, as `torchrun` would start them."""
    script = tmp_path / "worker.py"
    script.write_text(textwrap.dedent(WORKER))
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = str(s.getsockname()[1])
    common = {"WORLD_SIZE": str(world), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "PYTHONPATH": str(ROOT), "LOCAL_RANK": "0"}
    environment = {**os.environ, **common, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    return [Program(str(script), [json.dumps(options)], ROOT, {**environment, "RANK": str(rank)}, IMPORTED) for rank in range(world)]


def results(workers):
    ended = [worker.wait() for worker in workers]
    assert [code for code, _ in ended] == [0] * len(workers), ended
    return [json.loads(next(line for line in reversed(said.splitlines()) if line.startswith("{"))) for _, said in ended]


def disks(tmp_path):
    """A folder for each process, as two machines have."""
    for rank in (0, 1):
        (tmp_path / f"disk{rank}").mkdir(exist_ok=True)
    return [str(tmp_path / f"disk{rank}" / "run.ckpt") for rank in (0, 1)]


def one(dropout=0.0):
    torch.manual_seed(0)
    trained = model(dropout)
    return train(trained, TEXT[:300], TEXT[300:], PLAN, PIECES, live=False)


def test_gradients_meet_once_a_step_and_the_curve_is_that_of_one_process(tmp_path):
    """Two micro-batches a process: the gradients are averaged in the last one's backward pass only. The second process began with other weights."""
    first, second = results(start(tmp_path, plan={"accumulate": 2}))
    assert first["reductions"] == PLAN.steps
    assert first["losses"] == pytest.approx(one().losses, abs=1e-5) and second["losses"] == first["losses"]
    assert first["weights"] == second["weights"]
    assert [loss for _, loss in first["evals"]] == pytest.approx([loss for _, loss in one().evals], abs=1e-5)


def test_each_process_has_dropout_masks_of_its_own(tmp_path):
    first, second = results(start(tmp_path, dropout=0.3))
    assert all(a != b for a, b in zip(first["masks"], second["masks"]))
    assert first["losses"][-1] == pytest.approx(one(0.3).losses[-1], abs=0.4), "the same distribution, if not the same masks"


def test_a_run_resumes_though_only_the_first_machine_has_the_checkpoint(tmp_path):
    paths = disks(tmp_path)
    whole = results(start(tmp_path, dropout=0.3))
    results(start(tmp_path, dropout=0.3, checkpoint=paths, stop_after=7))
    assert Path(paths[0]).exists() and not Path(paths[1]).exists(), "the first process alone writes"
    resumed = results(start(tmp_path, dropout=0.3, checkpoint=paths, save=True))
    assert [r["losses"] for r in resumed] == [w["losses"] for w in whole], "every process's masks go on where they were"
    assert resumed[0]["weights"] == whole[0]["weights"]
    assert Path(paths[0] + "_model.safetensors").exists() and not Path(paths[1] + "_model.safetensors").exists()


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_process_ends_the_others_and_the_next_start_goes_on(tmp_path, victim):
    """Process 0 is also the one that the others meet at, and the one that writes."""
    paths = disks(tmp_path)
    ended = [worker.wait() for worker in start(tmp_path, checkpoint=paths, dies=6, victim=victim)]
    other, said = ended[1 - victim]
    assert ended[victim][0] == 9 and other != 0, f"it does not wait for the dead one {said}"
    assert torch.load(paths[0], weights_only=True)["step"] == 4, "the checkpoint of the last validation is whole"
    first, _ = results(start(tmp_path, checkpoint=paths))
    assert first["losses"] == pytest.approx(one().losses, abs=1e-5)
