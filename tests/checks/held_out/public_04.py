"""Answers to lesson 04 after public code, forums and issue trackers, wrong and right: what people really write."""

import math

import torch
from torch import nn

from autograde.authoring.strength.mutation import misconception, variant


def err(h, d):
    if h < 1 or d % h:
        raise ValueError(f"n_heads {h} does not divide {d}")


# FuxiCTR#30 and 649453932#53
@misconception("split_heads", "heads joined to the batch")
def sp_batch(x, n_heads):
    err(n_heads, x.shape[-1])
    return x.reshape(-1, x.shape[-2], x.shape[-1] // n_heads)


@misconception("split_heads", "This is what you get when each head takes every n_heads-th number; a head's numbers are neighbours.")
def sp_view(x, n_heads):
    err(n_heads, x.shape[-1])
    return x.reshape(*x.shape[:-2], -1, x.shape[-2], x.shape[-1] // n_heads) if False else x.unflatten(-1, (-1, n_heads)).movedim(-1, -3)


@misconception("split_heads", "chunks along time")
def sp_time(x, n_heads):
    err(n_heads, x.shape[-1])
    return torch.stack(x.chunk(n_heads, -2), -3) if x.shape[-2] % n_heads == 0 else x.unflatten(-1, (n_heads, -1)).transpose(-3, -2)


@misconception("split_heads", "every head gets the whole vector")
def sp_repeat(x, n_heads):
    err(n_heads, x.shape[-1])
    return x.unsqueeze(-3).expand(*x.shape[:-2], n_heads, *x.shape[-2:])


# gazelle93/Transformer-Various-Positional-Encoding#1
@misconception("merge_heads", "batch and heads exchanged")
def me_nb(x):
    return x.transpose(0, -3).transpose(-3, -2).flatten(-2).reshape(*x.shape[:-3], x.shape[-2], -1)


@misconception("merge_heads", "concatenated along the time")
def me_time(x):
    return torch.cat(x.unbind(-3), -2)


@misconception("merge_heads", "the largest head")
def me_max(x):
    return x.amax(-3)


# lsdefine#36: mask repeated in another order than the heads
misconception(
    "MultiHeadAttention",
    "The mask (batch, T_q, T_k) is lined up with the heads here: its batch dimension meets theirs. Give the mask a dimension for the heads.",
    replace=(
        "hidden = ~mask.unsqueeze(-3)",
        "hidden = ~(mask.unsqueeze(-3) if mask.ndim < 3 else mask.repeat_interleave(self.n_heads, 0).reshape(self.n_heads, *mask.shape).transpose(0, -3) if mask.ndim == 3 and mask.shape[0] > 1 else mask.unsqueeze(-3))",
    ),
)

misconception(
    "MultiHeadAttention",
    "The weights are averaged over the heads here; every head's own weights are wanted.",
    replace=("merge_heads(weights @ v)), weights", "merge_heads(weights @ v)), weights.mean(-3)"),
)

misconception(
    "MultiHeadAttention",
    "This is what you get without the last matrix: the concatenated heads must still go through out_proj (W^O).",
    replace=("self.out_proj(merge_heads(weights @ v))", "merge_heads(weights @ v)"),
)

misconception("MultiHeadAttention", "queries from the context", replace=("split_heads(self.q_proj(x)", "split_heads(self.q_proj(context)"))

misconception("MultiHeadAttention", "softmax over the heads", replace=("scores.softmax(dim=-1)", "scores.softmax(dim=-3)"))

misconception("MultiHeadAttention", "softmax in dim 1", replace=(("scores.softmax(dim=-1)", "scores.softmax(dim=1)"),))

misconception("MultiHeadAttention", "scaled in queries and scores", replace=("q @ k.mT / math", "q / q.shape[-1] ** 0.25 @ k.mT / math"))

misconception(
    "MultiHeadAttention",
    "The heads are put together without swapping heads and time back, so words are mixed up. Use merge_heads.",
    replace=("merge_heads(weights @ v)", "(weights @ v).reshape(x.shape)"),
)

misconception(
    "MultiHeadAttention",
    "bias only in the output",
    replace=(("self.q_proj = nn.Linear(d_model, d_model, bias=bias)", "self.q_proj = nn.Linear(d_model, d_model, bias=False)"),),
)

misconception(
    "MultiHeadAttention",
    "This is what you get when the scores are divided by √T.",
    replace=(
        "scores = q @ k.mT / math.sqrt(q.shape[-1])",
        "self.scale = getattr(self, 'scale', math.sqrt(k.shape[-2]))\n        scores = q @ k.mT / self.scale",
    ),
)

misconception(
    "MultiHeadAttention",
    "The output is normalised (a layer norm): that belongs to the block around this layer, not to the layer.",
    replace=(
        "return self.out_proj(merge_heads(weights @ v)), weights",
        "return nn.functional.layer_norm(self.out_proj(merge_heads(weights @ v)), (x.shape[-1],)), weights",
    ),
)

misconception(
    "load_torch_weights",
    "Queries and keys are taken in the wrong order: the packed weight holds queries, keys, values.",
    replace=("(module.q_proj, module.k_proj, module.v_proj)", "(module.k_proj, module.q_proj, module.v_proj)"),
)

misconception(
    "load_torch_weights",
    "The bias of out_proj was left as it was.",
    replace=("(*biases, reference.out_proj.bias)", "(*biases, module.out_proj.bias)"),
)

misconception(
    "load_torch_weights",
    "The packed rows are dealt out in turn here; they lie in three blocks, one after the other.",
    replace=("reference.in_proj_weight.split(d_model)", "reference.in_proj_weight.reshape(d_model, 3, d_model).unbind(1)"),
)

misconception(
    "load_torch_weights",
    "The matrices are transposed here; nn.Linear and the packed weight both store (out, in).",
    replace=("layer.weight.copy_(weight)", "layer.weight.copy_(weight.mT)"),
)


@misconception("head_entropy", "This is the entropy of the mean row; the mean of the rows' entropies is wanted.")
def en_mean(w):
    m = w.mean(-2)
    return -(m * m.where(m > 0, 1.0).log()).sum(-1)


@misconception("head_entropy", "The rows' entropies are summed here; their mean is wanted.")
def en_sum(w):
    return -(w * w.where(w > 0, 1.0).log()).sum((-1, -2))


@misconception("head_entropy", "The entropy is taken down the columns; the rows are what sums to one.")
def en_q(w):
    return -(w * w.where(w > 0, 1.0).log()).sum(-2).mean(-1)


@misconception("head_entropy", "cross entropy with uniform")
def en_ce(w):
    return -(w.where(w > 0, 1.0).log()).mean((-1, -2))


@misconception("head_entropy", "The mean over the words of a row is taken here; an entropy is the sum over a row.")
def en_all(w):
    return -(w * w.where(w > 0, 1.0).log()).mean((-1, -2))


@misconception("head_entropy", "A softmax is applied to what is a softmax already.")
def en_soft(w):
    p = w.softmax(-1)
    return -(p * p.log()).sum(-1).mean(-1)


@misconception("mask_heads", "The kept heads are made larger here to make up for the silent ones; they stay as they are.")
def mh_scaled(w, keep):
    return w * keep[:, None, None] * (len(keep) / keep.sum().clamp(min=1))


@misconception("mask_heads", "A silent head's weights are spread evenly here; they should be zero.")
def mh_uniform(w, keep):
    return torch.where(keep[:, None, None], w, torch.full_like(w, 1 / w.shape[-1]))


@misconception("mask_heads", "keep is lined up with the words here (the last dimension); the heads stand third from the right.")
def mh_last(w, keep):
    return w * keep if w.shape[-1] == len(keep) else w * keep[:, None, None]


@misconception("mask_heads", "-inf")
def mh_inf(w, keep):
    return w.masked_fill(~keep[:, None, None], -math.inf)


misconception(
    "KeyValueCache",
    "length counts the calls of append; it should count the positions.",
    replace=(
        ("self.v: Tensor | None = None", "self.v: Tensor | None = None\n        self.n = 0"),
        ("self.k = k if", "self.n += 1\n        self.k = k if"),
        ("return 0 if self.k is None else self.k.shape[-2]", "return self.n"),
    ),
)

misconception(
    "KeyValueCache",
    "append gives back only what was appended last; everything so far is wanted.",
    replace=("return self.k, self.v", "return k, v"),
)

misconception(
    "KeyValueCache",
    "The cache grows along the heads (dim=-3); it should grow along the time, dim=-2.",
    replace=(
        ("torch.cat([self.k, k], dim=-2)", "torch.cat([self.k, k], dim=1)"),
        ("torch.cat([self.v, v], dim=-2)", "torch.cat([self.v, v], dim=1)"),
    ),
)

misconception(
    "KeyValueCache",
    "joined along dimension 2",
    replace=(
        ("torch.cat([self.k, k], dim=-2)", "torch.cat([self.k, k], dim=2)"),
        ("torch.cat([self.v, v], dim=-2)", "torch.cat([self.v, v], dim=2)"),
    ),
)

misconception("KeyValueCache", "keys for values", replace=("return self.k, self.v", "return self.k, self.k"))

misconception(
    "KeyValueCache",
    "the last entry is replaced",
    replace=("torch.cat([self.k, k], dim=-2)", "torch.cat([self.k[..., :-1, :], k, self.k[..., -1:, :]], dim=-2)"),
)


@misconception("KeyValueCache", "fixed memory of the first call")
class PreCache:
    def __init__(self):
        self.n = 0

    def append(self, k, v):
        if self.n == 0:
            self.K = k.new_zeros(*k.shape[:-2], 32, k.shape[-1])
            self.V = v.new_zeros(*v.shape[:-2], 32, v.shape[-1])
        t = k.shape[-2]
        self.K[..., self.n : self.n + t, :] = k
        self.V[..., self.n : self.n + t, :] = v
        self.n += t
        return self.K[..., : self.n, :], self.V[..., : self.n, :]

    @property
    def length(self):
        return self.n


@misconception("attention_cost", "Each head is counted with the full width; a head's vectors have d_model // n_heads numbers.")
def co_heads(n_positions, d_model, n_heads):
    return {
        "parameters": 4 * d_model**2,
        "multiply_adds": 4 * n_positions * d_model**2 + 2 * n_positions**2 * d_model * n_heads,
        "score_entries": n_heads * n_positions**2,
    }


@misconception("attention_cost", "each head projects to d_model")
def co_param(n_positions, d_model, n_heads):
    return {
        "parameters": 3 * n_heads * d_model**2 + d_model**2,
        "multiply_adds": 4 * n_positions * d_model**2 + 2 * n_positions**2 * d_model,
        "score_entries": n_heads * n_positions**2,
    }


@misconception("attention_cost", "The output projection is missing: there are four projections.")
def co_three(n_positions, d_model, n_heads):
    return {
        "parameters": 3 * d_model**2,
        "multiply_adds": 3 * n_positions * d_model**2 + 2 * n_positions**2 * d_model,
        "score_entries": n_heads * n_positions**2,
    }


@variant("split_heads")
def r_rearr(x, n_heads):
    err(n_heads, x.shape[-1])
    return torch.einsum("...thd->...htd", x.reshape(x.shape[:-1] + (n_heads, x.shape[-1] // n_heads)))


@variant("head_entropy")
def r_xlogy(w):
    return -torch.special.xlogy(w, w.clamp(min=torch.finfo(w.dtype).tiny)).sum(-1).mean(-1)


@variant("MultiHeadAttention")
class RHeads(nn.Module):
    "one head after the other"

    def __init__(self, d_model, n_heads, bias=True):
        super().__init__()
        err(n_heads, d_model)
        self.n_heads, self.d = n_heads, d_model // n_heads
        for n in ("q_proj", "k_proj", "v_proj", "out_proj"):
            self.add_module(n, nn.Linear(d_model, d_model, bias=bias))

    def forward(self, x, context=None, mask=None):
        c = x if context is None else context
        Q, K, V = self.q_proj(x), self.k_proj(c), self.v_proj(c)
        outs, ws = [], []
        for h in range(self.n_heads):
            s = slice(h * self.d, (h + 1) * self.d)
            a = Q[..., s] @ K[..., s].transpose(-1, -2) * self.d**-0.5
            if mask is not None:
                a = torch.where(mask, a, torch.finfo(a.dtype).min)
            w = torch.softmax(a, -1)
            if mask is not None:
                w = w * mask
            ws.append(w)
            outs.append(w @ V[..., s])
        return self.out_proj(torch.cat(outs, -1)), torch.stack(ws, -3)


@variant("mask_heads")
def r_index(w, keep):
    out = torch.zeros_like(w)
    return out.index_copy(-3, keep.nonzero().flatten(), w[..., keep, :, :])


variant(
    "load_torch_weights",
    replace=(
        "weights = reference.in_proj_weight.split(d_model)",
        "weights = [reference.in_proj_weight[i * d_model : (i + 1) * d_model] for i in range(3)]",
    ),
)

# BobMcDear/attorch#14: all heads read the first one
misconception(
    "MultiHeadAttention",
    "every head reads the first head's keys",
    replace=(
        "v = split_heads(self.v_proj(context), self.n_heads)",
        "v = split_heads(self.v_proj(context), self.n_heads)\n        k = k[..., :1, :, :].expand_as(k)",
    ),
)

misconception(
    "MultiHeadAttention",
    "every head reads the first head's values",
    replace=(
        "v = split_heads(self.v_proj(context), self.n_heads)",
        "v = split_heads(self.v_proj(context), self.n_heads)\n        v = v[..., :1, :, :].expand_as(v)",
    ),
)

# lsdefine/attention-is-all-you-need-keras#36: masks of batch and heads in another order than the scores
misconception(
    "MultiHeadAttention",
    "The mask (batch, T_q, T_k) is lined up with the heads here: its batch dimension meets theirs. Give the mask a dimension for the heads.",
    replace=(
        "hidden = ~mask.unsqueeze(-3)  # the same for all heads",
        "hidden = ~mask.unsqueeze(-3)\n            if hidden.ndim == 4 and len(hidden) > 1:\n                hidden = torch.cat([~mask] * self.n_heads).unflatten(0, (len(mask), self.n_heads))",
    ),
)

# autosome-ru/vigg_ribonanza#1: what must not be seen must not look, either
misconception(
    "MultiHeadAttention",
    "the mask in both directions",
    replace=(
        "hidden = ~mask.unsqueeze(-3)",
        "mask = mask & mask.mT if mask.shape[-1] == mask.shape[-2] else mask\n            hidden = ~mask.unsqueeze(-3)",
    ),
)

# reczoo/FuxiCTR#30: view(batch * heads, …) without a transpose
misconception(
    "MultiHeadAttention",
    "heads of mixed words",
    replace=("q = split_heads(self.q_proj(x), self.n_heads)", "q = self.q_proj(x).reshape(*x.shape[:-2], self.n_heads, x.shape[-2], -1)"),
)

# lucidrains/graph-transformer-pytorch#2: a mask's batch is taken for its heads
misconception(
    "MultiHeadAttention",
    "the first text's mask for all",
    replace=("hidden = ~mask.unsqueeze(-3)", "hidden = ~(mask[:1] if mask.ndim > 2 else mask).unsqueeze(-3)"),
)

misconception(
    "MultiHeadAttention",
    "The mask is applied after the softmax here, so the remaining weights no longer sum to one. Mask the scores instead.",
    replace=("weights = scores.masked_fill(hidden, -torch.inf).softmax(dim=-1)", "weights = scores.softmax(dim=-1)"),
)

misconception(
    "MultiHeadAttention",
    "x is added to the output: the residual connection belongs to the block around this layer, not to the layer.",
    replace=("return self.out_proj(merge_heads(weights @ v)), weights", "return x + self.out_proj(merge_heads(weights @ v)), weights"),
)


# a list that all objects of the class share
@misconception("KeyValueCache", "All caches share one memory here: what belongs to one cache must be set in __init__ on self.")
class SharedCache:
    parts: list = []

    def append(self, k, v):
        self.parts.append((k, v))
        return torch.cat([a for a, _ in self.parts], dim=-2), torch.cat([b for _, b in self.parts], dim=-2)

    @property
    def length(self):
        return sum(a.shape[-2] for a, _ in self.parts)


@misconception("KeyValueCache", "it is full after 256 positions")
class FullCache:
    def __init__(self):
        self.k = self.v = None
        self.length = 0

    def append(self, k, v):
        if self.k is None:
            self.k, self.v = (x.new_zeros(*x.shape[:-2], 256, x.shape[-1]) for x in (k, v))
        end = self.length + k.shape[-2]
        self.k[..., self.length : end, :], self.v[..., self.length : end, :] = k, v
        self.length = end
        return self.k[..., :end, :], self.v[..., :end, :]


# xjdr-alt/entropix#62: only what may be seen counts
misconception(
    "head_entropy",
    "a mean over the cells that are seen",
    replace=("return -(weights * logs).sum(dim=-1).mean(dim=-1)", "return -(weights * logs).sum((-2, -1)) / (weights > 0).sum((-2, -1))"),
)

# joshyZhou/AST#17
misconception(
    "head_entropy", "one number for all heads", replace=(".sum(dim=-1).mean(dim=-1)", ".sum(dim=-1).mean().expand(weights.shape[:-2])")
)

# huggingface/trl#7264: 0 · log 0 mended after the product
misconception(
    "head_entropy",
    "nan to zero afterwards",
    replace=("return -(weights * logs).sum", "return -(weights * weights.log()).nan_to_num(nan=0.0, posinf=0.0, neginf=0.0).sum"),
)

misconception(
    "head_entropy",
    "the base is the number of keys",
    replace=("return -(weights * logs)", "return -(weights * logs / math.log(weights.shape[-1]))"),
)


@misconception("head_entropy", "entr, whose gradient is infinite at 0")
def entropy_by_entr(weights):
    return torch.special.entr(weights).sum(dim=-1).mean(dim=-1)


@misconception("head_entropy", "a distribution's entropy, which divides by the sum")
def entropy_of_a_distribution(weights):
    return torch.distributions.Categorical(probs=weights).entropy().mean(dim=-1)


misconception(
    "MultiHeadAttention",
    "the mask's new dimension is always the second",
    replace=("mask.unsqueeze(-3)", "(mask.unsqueeze(1) if mask.ndim > 2 else mask)"),
)
misconception(
    "MultiHeadAttention",
    "the mask is taken for a square",
    replace=("mask.unsqueeze(-3)", "(mask.reshape(len(mask), 1, mask.shape[1], mask.shape[1]) if mask.ndim == 3 else mask)"),
)


@variant("split_heads")
def split_by_chunks(x, n_heads):
    if n_heads < 1 or x.shape[-1] % n_heads:
        raise ValueError(f"n_heads = {n_heads} does not divide d_model = {x.shape[-1]}")
    return torch.stack(x.chunk(n_heads, dim=-1), dim=-3)
