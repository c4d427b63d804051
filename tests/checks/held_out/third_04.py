"""A third set of held-out answers to lesson 04: habits of other courses' code, wrong and right."""

import math

import torch
from torch import nn

from autograde.authoring.strength.mutation import misconception, variant


def refuse(n_heads, d_model):
    if n_heads < 1 or d_model % n_heads:
        raise ValueError(f"n_heads = {n_heads} does not divide d_model = {d_model}")


@misconception("split_heads", "the first head gets what is left over")
def uneven(x, n_heads):
    refuse(n_heads, x.shape[-1])
    return torch.stack(x.roll(1, -1).chunk(n_heads, -1), -3)


@misconception("split_heads", "heads in reverse")
def reversed_heads(x, n_heads):
    refuse(n_heads, x.shape[-1])
    return x.unflatten(-1, (n_heads, -1)).transpose(-3, -2).flip(-3)


@misconception("merge_heads", "only the first and the last head")
def first_and_last(x):
    h = x.shape[-3]
    parts = [x[..., 0 if i < h // 2 else h - 1, :, :] for i in range(h)]
    return torch.cat(parts, -1)


class Base(nn.Module):
    def __init__(self, d_model, n_heads, bias=True):
        super().__init__()
        refuse(n_heads, d_model)
        self.n_heads = n_heads
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(d_model, d_model, bias=bias) for _ in range(4))

    def cut(self, x):
        return x.unflatten(-1, (self.n_heads, -1)).transpose(-3, -2)

    def weigh(self, scores, mask):
        if mask is None:
            return scores.softmax(-1)
        hidden = ~mask.unsqueeze(-3)
        return scores.masked_fill(hidden, -torch.inf).softmax(-1).masked_fill(hidden, 0.0)

    def forward(self, x, context=None, mask=None):
        context = x if context is None else context
        q, k, v = self.cut(self.q_proj(x)), self.cut(self.k_proj(context)), self.cut(self.v_proj(context))
        weights = self.weigh(q @ k.mT / math.sqrt(q.shape[-1]), mask)
        return self.out_proj((weights @ v).transpose(-3, -2).flatten(-2)), weights


@misconception("MultiHeadAttention", "the heads talk before the softmax")
class TalkingHeads(Base):
    def forward(self, x, context=None, mask=None):
        context = x if context is None else context
        q, k, v = self.cut(self.q_proj(x)), self.cut(self.k_proj(context)), self.cut(self.v_proj(context))
        scores = q @ k.mT / math.sqrt(q.shape[-1])
        weights = self.weigh(scores + scores.mean(-3, keepdim=True), mask)
        return self.out_proj((weights @ v).transpose(-3, -2).flatten(-2)), weights


@misconception("MultiHeadAttention", "queries and keys are normalised in each head")
class NormalisedHeads(Base):
    def forward(self, x, context=None, mask=None):
        context = x if context is None else context
        q, k, v = self.cut(self.q_proj(x)), self.cut(self.k_proj(context)), self.cut(self.v_proj(context))
        q, k = (nn.functional.normalize(part, dim=-1) for part in (q, k))
        weights = self.weigh(q @ k.mT * math.sqrt(q.shape[-1]), mask)
        return self.out_proj((weights @ v).transpose(-3, -2).flatten(-2)), weights


@misconception("MultiHeadAttention", "the output projection is taken head by head with a residual")
class WithResidual(Base):
    def forward(self, x, context=None, mask=None):
        output, weights = super().forward(x, context, mask)
        return (x + output if context is None else output), weights


@misconception("MultiHeadAttention", "the mask is flattened over batch and heads as PyTorch's 3D mask, but repeated head by head")
class RepeatedMask(Base):
    def weigh(self, scores, mask):
        if mask is not None and mask.ndim > 2 and mask.shape[0] > 1:
            mask = mask.roll(1, 0)
        return super().weigh(scores, mask)


@misconception("MultiHeadAttention", "a row that sees nothing sees the first word")
class FirstWordInstead(Base):
    def weigh(self, scores, mask):
        if mask is None:
            return scores.softmax(-1)
        hidden = (~mask).expand(*mask.shape[:-2], *scores.shape[-2:]).clone()
        hidden[..., 0] &= ~hidden.all(-1)
        return scores.masked_fill(hidden.unsqueeze(-3), -torch.inf).softmax(-1)


@misconception("head_entropy", "in bits for many words, in nats for few")
def bits_for_many(weights):
    logs = weights.where(weights > 0, 1.0).log()
    found = -(weights * logs).sum(-1).mean(-1)
    return found / math.log(2) if weights.shape[-1] > 16 else found


@misconception("head_entropy", "small weights are left out")
def small_left_out(weights):
    logs = weights.where(weights > 1e-3, 1.0).log()
    return -(weights * logs).sum(-1).mean(-1)


@misconception("mask_heads", "only the first batch's heads are cut")
def first_of_the_batch(weights, keep):
    if weights.ndim == 3:
        return weights * keep[:, None, None]
    return torch.cat([weights[:1] * keep[:, None, None], weights[1:]])


@misconception("KeyValueCache", "one new position at a time")
class OneAtATime:
    def __init__(self):
        self.k, self.v, self.n = None, None, 0

    def append(self, k, v):
        self.k = k if self.k is None else torch.cat([self.k, k[..., -1:, :]], -2)
        self.v = v if self.v is None else torch.cat([self.v, v[..., -1:, :]], -2)
        return self.k, self.v

    @property
    def length(self):
        return 0 if self.k is None else self.k.shape[-2]


@misconception("KeyValueCache", "a window of the newest 32 positions")
class SlidingCache(OneAtATime):
    def append(self, k, v):
        self.k = (k if self.k is None else torch.cat([self.k, k], -2))[..., -32:, :]
        self.v = (v if self.v is None else torch.cat([self.v, v], -2))[..., -32:, :]
        return self.k, self.v


@misconception("KeyValueCache", "length counts the calls of append; it should count the positions.")
class CountsCalls(OneAtATime):
    def append(self, k, v):
        self.n += 1
        self.k = k if self.k is None else torch.cat([self.k, k], -2)
        self.v = v if self.v is None else torch.cat([self.v, v], -2)
        return self.k, self.v

    @property
    def length(self):
        return self.n


@misconception("attention_cost", "with a feed-forward layer of four times the width")
def with_feed_forward(n_positions, d_model, n_heads):
    parameters = 12 * d_model**2
    return {
        "parameters": parameters,
        "multiply_adds": n_positions * parameters + 2 * n_positions**2 * d_model,
        "score_entries": n_heads * n_positions**2,
    }


@misconception("attention_cost", "The weighted sum of the values is missing: it costs as much as the scores.")
def without_sums(n_positions, d_model, n_heads):
    return {
        "parameters": 4 * d_model**2,
        "multiply_adds": 4 * n_positions * d_model**2 + n_positions**2 * d_model,
        "score_entries": n_heads * n_positions**2,
    }


# right


@variant("split_heads")
def by_unfold(x, n_heads):
    refuse(n_heads, x.shape[-1])
    width = x.shape[-1] // n_heads
    return x.unfold(-1, width, width).movedim(-2, -3)


@variant("merge_heads")
def by_einsum_and_reshape(x):
    return torch.einsum("...htd->...thd", x).reshape(*x.shape[:-3], x.shape[-2], x.shape[-3] * x.shape[-1])


@variant("MultiHeadAttention")
class HeadByHead(Base):
    def forward(self, x, context=None, mask=None):
        context = x if context is None else context
        width = self.q_proj.in_features // self.n_heads
        outputs, all_weights = [], []
        for q, k, v in zip(*(p.split(width, -1) for p in (self.q_proj(x), self.k_proj(context), self.v_proj(context)))):
            scores = torch.einsum("...qd,...kd->...qk", q, k) * width**-0.5
            weights = scores.softmax(-1) if mask is None else scores.masked_fill(~mask, -torch.inf).softmax(-1).masked_fill(~mask, 0.0)
            outputs.append(weights @ v)
            all_weights.append(weights)
        return self.out_proj(torch.cat(outputs, -1)), torch.stack(all_weights, -3)


@variant("load_torch_weights")
def by_state_dicts(module, reference):
    theirs, d = reference.state_dict(), reference.embed_dim
    ours = {"out_proj.weight": theirs["out_proj.weight"]}
    for i, name in enumerate(("q_proj", "k_proj", "v_proj")):
        ours[f"{name}.weight"] = theirs["in_proj_weight"][i * d : (i + 1) * d]
        if "in_proj_bias" in theirs:
            ours[f"{name}.bias"] = theirs["in_proj_bias"][i * d : (i + 1) * d]
    if "out_proj.bias" in theirs:
        ours["out_proj.bias"] = theirs["out_proj.bias"]
    module.load_state_dict(ours)


@variant("head_entropy")
def by_vmap(weights):
    def one(row):
        return -torch.special.xlogy(row, row.where(row > 0, 1.0)).sum()

    flat = weights.reshape(-1, weights.shape[-1])
    return torch.vmap(one)(flat).reshape(weights.shape[:-1]).mean(-1)


@variant("mask_heads")
def by_where(weights, keep):
    return torch.where(keep.reshape(-1, 1, 1), weights, weights.new_zeros(()))


@variant("KeyValueCache")
class ListCache:
    def __init__(self):
        self.pieces = ([], [])

    def append(self, k, v):
        for pieces, new in zip(self.pieces, (k, v)):
            pieces.append(new)
        return tuple(torch.cat(pieces, dim=-2) for pieces in self.pieces)

    @property
    def length(self):
        return sum(k.size(-2) for k in self.pieces[0])
