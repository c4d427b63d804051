"""The speed run's model is a language model: it reads from left to right, and no more than its window. Its optimizer is Muon."""

import pytest
import torch

from benchmarks import speedrun


def test_the_challenger_cannot_look_ahead():
    model = speedrun.challenger(11, 0).model
    torch.nn.init.normal_(model.lm_head.weight)
    for block in model.h:
        torch.nn.init.normal_(block.attn.c_proj.weight, std=0.1)
        torch.nn.init.normal_(block.c_proj.weight, std=0.1)
    ids = torch.randint(11, (1, 20), generator=torch.Generator().manual_seed(0))
    other = ids.clone()
    other[0, 12] = (ids[0, 12] + 1) % 11
    before, after = model(ids)[0], model(other)[0]
    assert torch.equal(before[0, :12], after[0, :12]) and not torch.equal(before[0, 12:], after[0, 12:])


def test_a_position_begins_with_its_last_characters_each_in_a_table_of_its_own():
    rows = speedrun.challenger(10, 0).model.rows(torch.tensor([[5, 6, 7, 8, 9]]))[0]
    assert rows[4].tolist() == [9, 11 + 8, 22 + 7, 33 + 6]
    assert rows[1].tolist() == [6, 11 + 5, 22 + 10, 33 + 10], "before the window stands the character that no text has"


@pytest.mark.parametrize("shape", [(96, 32), (32, 96)])
def test_a_step_of_muon_is_as_long_in_every_direction(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    singular = torch.linalg.svdvals(speedrun.orthogonal(matrix))
    assert singular.shape == (min(shape),) and 0.3 < singular.min() and singular.max() < 1.3


@pytest.mark.parametrize("shape", [(96, 32), (32, 96)])
def test_muon_steps_as_pytorchs_in_bfloat16(shape):
    start, gradients = torch.randn(shape, generator=torch.Generator().manual_seed(0)), torch.Generator().manual_seed(1)
    ours, theirs = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.clone())
    optimizers = speedrun.Muon([ours], lr=0.1, momentum=0.9), torch.optim.Muon([theirs], lr=0.1, momentum=0.9, weight_decay=0.0)
    for _ in range(3):
        ours.grad = torch.randn(shape, generator=gradients)
        theirs.grad = ours.grad.clone()
        for optimizer in optimizers:
            optimizer.step()
    assert torch.linalg.norm(ours - theirs) < 0.05 * torch.linalg.norm(ours.detach() - start)
