"""A seventh set of held-out answers to lesson 04: heads, masks and caches as public code has them, wrong and right."""

import math

import torch
from torch import nn

from autograde.authoring.strength.mutation import misconception, variant


def refuse(d_model, n_heads):
    if d_model % n_heads:
        raise ValueError(f"n_heads = {n_heads} does not divide d_model = {d_model}")


@variant("split_heads")
def viewed_and_transposed(x, n_heads):
    refuse(x.shape[-1], n_heads)
    return x.reshape(*x.shape[:-1], n_heads, x.shape[-1] // n_heads).transpose(-2, -3)


@misconception(
    "split_heads",
    "This is what you get when x is given the new shape in one step: the shape is right, but a head then holds pieces of different words. Cut the last dimension first, then swap two dimensions.",
)
def one_view(x, n_heads):
    refuse(x.shape[-1], n_heads)
    return x.reshape(*x.shape[:-2], n_heads, x.shape[-2], x.shape[-1] // n_heads)


@misconception(
    "merge_heads",
    "This is what you get when the heads are merged without swapping heads and time back: a word's vector then holds pieces of different words.",
)
def no_permute(x):
    return x.reshape(*x.shape[:-3], x.shape[-2], x.shape[-3] * x.shape[-1])


@variant("merge_heads")
def permuted(x):
    return torch.cat(x.unbind(-3), dim=-1)


class Attention(nn.Module):
    """Named as the lesson asks; `heads`, `back` and `scale` are what differs."""

    def __init__(self, d_model, n_heads, bias=True):
        super().__init__()
        refuse(d_model, n_heads)
        self.n_heads = n_heads
        self.q_proj, self.k_proj = nn.Linear(d_model, d_model, bias=bias), nn.Linear(d_model, d_model, bias=bias)
        self.v_proj, self.out_proj = nn.Linear(d_model, d_model, bias=bias), nn.Linear(d_model, d_model, bias=bias)

    def heads(self, x):
        return x.unflatten(-1, (self.n_heads, -1)).transpose(-2, -3)

    def back(self, x):
        return x.transpose(-2, -3).flatten(-2)

    def scale(self, q, k):
        return math.sqrt(q.shape[-1])

    def weigh(self, scores, mask):
        if mask is None:
            return scores.softmax(-1)
        mask = mask[..., None, :, :] if mask.dim() > 2 else mask
        return scores.masked_fill(~mask, -math.inf).softmax(-1).masked_fill(~mask, 0.0)

    def forward(self, x, context=None, mask=None):
        source = x if context is None else context
        q, k, v = self.heads(self.q_proj(x)), self.heads(self.k_proj(source)), self.heads(self.v_proj(source))
        weights = self.weigh(q @ k.mT / self.scale(q, k), mask)
        return self.out_proj(self.back(weights @ v)), weights


@misconception(
    "MultiHeadAttention",
    "This is what you get when the scores are divided by √d_model. The dot product runs over one head's d_head numbers, so √d_head is the scale.",
)
class ScaledByModel(Attention):
    def scale(self, q, k):
        return math.sqrt(q.shape[-1] * self.n_heads)


@misconception(
    "MultiHeadAttention",
    "The projections are cut into heads by a reshape alone, so a head holds pieces of different words. Use split_heads.",
)
class ViewedOverWords(Attention):
    def heads(self, x):
        return x.reshape(*x.shape[:-2], self.n_heads, -1, x.shape[-1] // self.n_heads)

    def back(self, x):
        return x.reshape(*x.shape[:-3], x.shape[-2], -1)


@misconception(
    "MultiHeadAttention", "The softmax runs over the words that look (T_q); each row over the words that are seen must sum to one."
)
class OverQueries(Attention):
    def weigh(self, scores, mask):
        if mask is None:
            return scores.softmax(-2)
        mask = mask[..., None, :, :] if mask.dim() > 2 else mask
        return scores.masked_fill(~mask, -math.inf).softmax(-2).nan_to_num(0.0)


@misconception("MultiHeadAttention", "The masked scores are set to 0 before the softmax, but e⁰ = 1 is still a share. Use minus infinity.")
class SmallPositive(Attention):
    def weigh(self, scores, mask):
        if mask is None:
            return scores.softmax(-1)
        mask = mask[..., None, :, :] if mask.dim() > 2 else mask
        return scores.masked_fill(~mask, 1e-9).softmax(-1)


@misconception("MultiHeadAttention", "The values come from x here; with a context, keys and values both come from the context.")
class ValuesOfTheWords(Attention):
    def forward(self, x, context=None, mask=None):
        source = x if context is None else context
        q, k = self.heads(self.q_proj(x)), self.heads(self.k_proj(source))
        v = self.heads(self.v_proj(x if x.shape == source.shape else source))
        weights = self.weigh(q @ k.mT / self.scale(q, k), mask)
        return self.out_proj(self.back(weights @ v)), weights


@variant("head_entropy")
def by_xlogy(weights):
    return -torch.special.xlogy(weights, weights.where(weights > 0, 1.0)).sum(-1).mean(-1)


@misconception("head_entropy", "This is the entropy in bits (log₂); nats use the natural logarithm.")
def in_bits(weights):
    return -(weights * weights.where(weights > 0, 1.0).log2()).sum(-1).mean(-1)


@misconception("head_entropy", "The rows' entropies are summed here; their mean is wanted.")
def summed(weights):
    return -(weights * weights.where(weights > 0, 1.0).log()).sum((-1, -2))


@variant("grouped_query_attention")
def repeated_keys(q, k, v, mask=None):
    groups = q.shape[-3] // k.shape[-3]
    if k.shape[-3] * groups != q.shape[-3]:
        raise ValueError(f"n_heads = {q.shape[-3]} is no multiple of n_kv_heads = {k.shape[-3]}")
    k, v = k.repeat_interleave(groups, -3), v.repeat_interleave(groups, -3)
    mask = mask[..., None, :, :] if mask is not None and mask.dim() > 2 else mask
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is None:
        weights = scores.softmax(-1)
    else:
        weights = scores.masked_fill(~mask, -math.inf).softmax(-1).masked_fill(~mask, 0.0)
    return weights @ v, weights


@misconception("grouped_query_attention", "The query heads take turns here; neighbouring heads share keys and values.")
def in_turn(q, k, v, mask=None):
    groups = q.shape[-3] // k.shape[-3]
    if k.shape[-3] * groups != q.shape[-3]:
        raise ValueError(f"n_heads = {q.shape[-3]} is no multiple of n_kv_heads = {k.shape[-3]}")
    k, v = torch.cat([k] * groups, -3), torch.cat([v] * groups, -3)
    mask = mask[..., None, :, :] if mask is not None and mask.dim() > 2 else mask
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is None:
        weights = scores.softmax(-1)
    else:
        weights = scores.masked_fill(~mask, -math.inf).softmax(-1).masked_fill(~mask, 0.0)
    return weights @ v, weights
