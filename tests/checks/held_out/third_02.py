"""A third set of held-out answers to lesson 02: unusual right ones."""

import torch

from autograde.authoring.strength.mutation import variant


@variant("alignment_weights")
def by_the_log_of_the_sum(scores, mask=None):
    allowed = torch.ones_like(scores, dtype=torch.bool) if mask is None else mask.expand(torch.broadcast_shapes(mask.shape, scores.shape))
    low = torch.where(allowed, scores, torch.finfo(scores.dtype).min)
    total = torch.logsumexp(low, -1, keepdim=True)
    return torch.where(allowed, (low - total).exp(), torch.zeros((), dtype=scores.dtype, device=scores.device))


@variant("context_vector")
def by_einsum(weights, h):
    return torch.einsum("...n,...nd->...d", weights, h)


@variant("additive_score")
def by_two_halves_in_a_loop(s, h, w_a, v_a):
    of_s, of_h = w_a.split([s.shape[-1], h.shape[-1]], dim=1)
    shared = torch.einsum("ad,...d->...a", of_s, s)
    return torch.stack([torch.tanh(shared + state @ of_h.mT) @ v_a for state in h.unbind(-2)], dim=-1)


@variant("scaled_dot_score")
def by_a_root_on_both(s, h):
    root = h.shape[-1] ** 0.25
    return ((s / root).unsqueeze(-2) @ (h / root).mT).squeeze(-2)
