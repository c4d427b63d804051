"""A fifth set of held-out answers to lesson 07: as many tokens as p says, to the last one."""

import torch

from autograde.authoring.strength.mutation import misconception


@misconception("mask_for_infilling", "a fixed number of tokens of the batch is selected")
def the_share_exactly(ids, mask_id, vocab_size, generator, p=0.15, special_ids=()):
    if not 0 <= p <= 1:
        raise ValueError(f"p must lie in [0, 1], got {p}")
    flat, labels = ids.flatten().clone(), torch.full_like(ids.flatten(), -100)
    ordinary = torch.tensor([i for i, token in enumerate(flat.tolist()) if token not in special_ids], dtype=torch.long)
    order = torch.randperm(len(ordinary), generator=generator)
    for i in ordinary[order[: round(p * len(ordinary))]].tolist():
        labels[i], fate = flat[i], float(torch.rand((), generator=generator))
        if fate < 0.8:
            flat[i] = mask_id
        elif fate < 0.9:
            flat[i] = int(torch.randint(vocab_size, (), generator=generator))
    return flat.view_as(ids), labels.view_as(ids)
