"""The speed run's model is a language model: it reads from left to right."""

import torch

from benchmarks import speedrun


def test_the_challenger_cannot_look_ahead():
    model, _, _ = speedrun.challenger(11, 0)
    torch.nn.init.normal_(model.lm_head.weight)
    for block in model.h:
        torch.nn.init.normal_(block.attn.c_proj.weight, std=0.1)
    ids = torch.randint(11, (1, 20), generator=torch.Generator().manual_seed(0))
    other = ids.clone()
    other[0, 12] = (ids[0, 12] + 1) % 11
    before, after = model(ids)[0], model(other)[0]
    assert torch.equal(before[0, :12], after[0, :12]) and not torch.equal(before[0, 12:], after[0, 12:])
