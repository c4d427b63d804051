"""A sixth set of held-out answers to lesson 04: what public Transformers and students' notebooks do, wrong and right."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from autograde.authoring.strength.mutation import misconception, variant


def checked(x, n_heads):
    if n_heads < 1 or x.shape[-1] % n_heads:
        raise ValueError(f"n_heads must divide d_model, got n_heads = {n_heads} and d_model = {x.shape[-1]}")


@misconception("split_heads", "the batch dimension is assumed to be the first")
def with_a_batch_of_one_dimension(x, n_heads):
    checked(x, n_heads)
    b, t, d = x.shape
    return x.view(b, t, n_heads, d // n_heads).permute(0, 2, 1, 3)


@misconception("merge_heads", "the heads are averaged instead of laid side by side")
def averaged_heads(x):
    return x.mean(-3).repeat_interleave(x.shape[-3], -1)


@misconception("merge_heads", "the heads are added and the sum is repeated")
def summed_heads(x):
    return x.sum(-3).repeat(*[1] * (x.ndim - 2), x.shape[-3])


@misconception("merge_heads", "only the last head is kept")
def last_head(x):
    return x[..., -1, :, :]


class Base(nn.Module):
    def __init__(self, d_model, n_heads, bias=True):
        super().__init__()
        if n_heads < 1 or d_model % n_heads:
            raise ValueError(f"n_heads must divide d_model, got n_heads = {n_heads} and d_model = {d_model}")
        self.n_heads = n_heads
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(d_model, d_model, bias=bias) for _ in range(4))

    def split(self, x):
        return x.unflatten(-1, (self.n_heads, -1)).transpose(-3, -2)

    def merge(self, x):
        return x.transpose(-3, -2).flatten(-2)

    def weigh(self, scores, mask):
        if mask is None:
            return scores.softmax(-1)
        hidden = ~mask.unsqueeze(-3)
        return scores.masked_fill(hidden, -torch.inf).softmax(-1).masked_fill(hidden, 0.0)

    def forward(self, x, context=None, mask=None):
        context = x if context is None else context
        q, k, v = self.split(self.q_proj(x)), self.split(self.k_proj(context)), self.split(self.v_proj(context))
        weights = self.weigh(q @ k.mT / math.sqrt(q.shape[-1]), mask)
        return self.out_proj(self.merge(weights @ v)), weights


@misconception("MultiHeadAttention", "dropout of 0.1 stays on")
class WithDropout(Base):
    def forward(self, x, context=None, mask=None):
        output, weights = super().forward(x, context, mask)
        return F.dropout(output, 0.1), weights


@variant("MultiHeadAttention")
class HeadByHead(Base):
    def forward(self, x, context=None, mask=None):
        context = x if context is None else context
        found, seen = [], []
        for q, k, v in zip(*(p.chunk(self.n_heads, -1) for p in (self.q_proj(x), self.k_proj(context), self.v_proj(context))), strict=True):
            scores = torch.einsum("...qd,...kd->...qk", q, k) / q.shape[-1] ** 0.5
            if mask is None:
                w = scores.softmax(-1)
            else:
                w = torch.where(mask, scores, -torch.inf).softmax(-1)
                w = torch.where(mask, w, 0.0)
            found.append(w @ v)
            seen.append(w)
        return self.out_proj(torch.cat(found, -1)), torch.stack(seen, -3)


@variant("MultiHeadAttention")
class WithAnEinsumForEach(Base):
    def forward(self, x, context=None, mask=None):
        context = x if context is None else context
        q, k, v = (p.unflatten(-1, (self.n_heads, -1)) for p in (self.q_proj(x), self.k_proj(context), self.v_proj(context)))
        scores = torch.einsum("...qhd,...khd->...hqk", q * q.shape[-1] ** -0.5, k)
        weights = self.weigh(scores, mask)
        return self.out_proj(torch.einsum("...hqk,...khd->...qhd", weights, v).flatten(-2)), weights


@variant("split_heads")
def by_fancy_columns(x, n_heads):
    checked(x, n_heads)
    columns = torch.arange(x.shape[-1], device=x.device).view(n_heads, 1, -1)
    rows = torch.arange(x.shape[-2], device=x.device).view(1, -1, 1)
    return x[..., rows, columns]


@variant("merge_heads")
def by_an_einsum(x):
    return torch.einsum("...htd->...thd", x).flatten(-2)


@variant("head_entropy")
def by_entr(weights):
    safe = weights.where(weights > 0, 1.0)
    return torch.special.entr(safe).where(weights > 0, 0.0).sum(-1).mean(-1)


@variant("mask_heads")
def by_where(weights, keep):
    return torch.where(keep.view(-1, 1, 1), weights, torch.zeros_like(weights))


@variant("KeyValueCache")
class ListsOfPieces:
    def __init__(self):
        self._k, self._v = [], []

    def append(self, k, v):
        self._k.append(k)
        self._v.append(v)
        return torch.cat(self._k, -2), torch.cat(self._v, -2)

    @property
    def length(self):
        return sum(k.shape[-2] for k in self._k)


@variant("attention_cost")
def counted_product_by_product(n_positions, d_model, n_heads):
    d_head = d_model // n_heads
    products = [(n_positions, d_model, d_model)] * 4 + [(n_positions, d_head, n_positions), (n_positions, n_positions, d_head)] * n_heads
    return {
        "parameters": sum(d_model * d_model for _ in range(4)),
        "multiply_adds": sum(a * b * c for a, b, c in products),
        "score_entries": sum(n_positions**2 for _ in range(n_heads)),
    }
