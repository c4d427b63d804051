"""A fourth set of held-out answers to lesson 04: unusual right ones."""

import math
from collections import OrderedDict
from dataclasses import dataclass, field

import torch
from torch import nn

from autograde.authoring.strength.mutation import variant


@variant("split_heads")
def by_tensor_split(x, n_heads):
    if x.shape[-1] % n_heads:
        raise ValueError(f"n_heads = {n_heads} does not divide {x.shape[-1]}")
    return torch.stack(x.tensor_split(n_heads, dim=-1), dim=-3)


@variant("split_heads")
def with_a_size_that_is_worked_out(x, n_heads):
    if x.shape[-1] % n_heads:
        raise ValueError(f"n_heads = {n_heads} does not divide {x.shape[-1]}")
    return x.reshape(*x.shape[:-1], n_heads, -1).transpose(-3, -2)


@variant("merge_heads")
def with_a_view_whose_width_is_worked_out(x):
    words_first = x.transpose(-3, -2).contiguous()
    return words_first.view(*words_first.shape[:-2], -1)


@variant("merge_heads")
def by_concatenation(x):
    return torch.cat(x.unbind(-3), -1)


@variant("head_entropy")
def by_xlogy(weights):
    return -torch.special.xlogy(weights, torch.where(weights > 0, weights, 1.0)).sum(-1).mean(-1)


@variant("mask_heads")
def by_where(weights, keep):
    return torch.where(keep.view(-1, 1, 1), weights, torch.zeros((), dtype=weights.dtype, device=weights.device))


@variant("attention_cost")
def by_counting_parts(n_positions, d_model, n_heads):
    parts = {"projections": 4 * n_positions * d_model**2, "scores": n_positions**2 * d_model, "sums": n_positions**2 * d_model}
    return dict(parameters=4 * d_model**2, multiply_adds=sum(parts.values()), score_entries=n_heads * n_positions**2)


@variant("KeyValueCache")
@dataclass
class InADataclass:
    """All pieces are kept, and joined when they are asked for."""

    pieces: list = field(default_factory=list)

    def append(self, k, v):
        self.pieces.append((k, v))
        joined = tuple(torch.cat(part, dim=-2) for part in zip(*self.pieces))
        self.pieces = [joined]
        return joined

    @property
    def length(self):
        return sum(k.size(-2) for k, _ in self.pieces)


@variant("load_torch_weights")
def by_slices(module, reference):
    d = reference.embed_dim
    with torch.no_grad():
        for i, part in enumerate((module.q_proj, module.k_proj, module.v_proj)):
            part.weight[:] = reference.in_proj_weight[i * d : (i + 1) * d]
            if reference.in_proj_bias is not None:
                part.bias[:] = reference.in_proj_bias[i * d : (i + 1) * d]
        module.out_proj.load_state_dict(OrderedDict(reference.out_proj.state_dict()))


@variant("MultiHeadAttention")
class HeadByHead(nn.Module):
    def __init__(self, d_model, n_heads, bias=True):
        super().__init__()
        if d_model % n_heads:
            raise ValueError(f"n_heads = {n_heads} does not divide d_model = {d_model}")
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(d_model, d_model, bias=bias) for _ in range(4))
        self.n_heads = n_heads

    def forward(self, x, context=None, mask=None):
        source = x if context is None else context
        pieces = zip(*(projected.chunk(self.n_heads, -1) for projected in (self.q_proj(x), self.k_proj(source), self.v_proj(source))))
        heads = [attend(q, k, v, mask) for q, k, v in pieces]
        return self.out_proj(torch.cat([out for out, _ in heads], -1)), torch.stack([weights for _, weights in heads], -3)


def attend(q, k, v, mask):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is None:
        weights = scores.softmax(-1)
    else:
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
        weights = scores.softmax(-1) * mask
    return weights @ v, weights


@variant("grouped_query_attention")
def by_one_more_dimension(q, k, v, mask=None):
    n_heads, n_kv_heads = q.shape[-3], k.shape[-3]
    if n_heads % n_kv_heads:
        raise ValueError(f"n_kv_heads = {n_kv_heads} does not divide {n_heads}")
    groups = q.unflatten(-3, (n_kv_heads, n_heads // n_kv_heads))
    out, weights = attend(groups, k.unsqueeze(-3), v.unsqueeze(-3), None if mask is None else mask.unsqueeze(-3).unsqueeze(-3))
    return out.flatten(-4, -3), weights.flatten(-4, -3)
