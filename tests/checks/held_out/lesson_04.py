"""Held-out answers to lesson 04, wrong and right: none of them is among the known ones."""

import torch
from torch import nn

from autograde.authoring.strength.mutation import misconception, variant


def ref(n_heads, d):
    if n_heads < 1 or d % n_heads:
        raise ValueError(f"n_heads {n_heads} {d}")


@variant("split_heads")
def split_view(x, n_heads):
    ref(n_heads, x.shape[-1])
    return x.view(*x.shape[:-1], n_heads, -1).transpose(-3, -2)


@misconception("split_heads", "error type")
def split_error_type(x, n_heads):
    if x.shape[-1] % n_heads:
        raise RuntimeError(f"n_heads {n_heads}")
    return x.unflatten(-1, (n_heads, -1)).transpose(-3, -2)


@misconception("split_heads", "detach")
def split_detach(x, n_heads):
    ref(n_heads, x.shape[-1])
    return x.detach().unflatten(-1, (n_heads, -1)).transpose(-3, -2)


@misconception("split_heads", "batch1")
def split_batch1(x, n_heads):
    ref(n_heads, x.shape[-1])
    if x.ndim == 2:
        x = x[None]
    return x.unflatten(-1, (n_heads, -1)).transpose(-3, -2)


@misconception("merge_heads", "view")
def merge_view(x):
    return (
        x.transpose(-3, -2).contiguous().view(x.shape[0], x.shape[-2], -1) if x.ndim == 4 else x.transpose(-3, -2).reshape(x.shape[-2], -1)
    )


@misconception("merge_heads", "inplace")
def merge_inplace(x):
    o = x.transpose(-3, -2).flatten(-2).clone()
    x.requires_grad or x.zero_()
    return o


misconception(
    "MultiHeadAttention",
    "mask shared across batch only",
    replace=("hidden = ~mask.unsqueeze(-3)", "hidden = ~mask if mask.ndim > 3 else ~mask.unsqueeze(-3)"),
)

misconception("MultiHeadAttention", "mask in place", replace=("hidden = ~mask.unsqueeze(-3)", "hidden = mask.logical_not_().unsqueeze(-3)"))

misconception(
    "MultiHeadAttention",
    "min -1e4 fill",
    replace=("weights = scores.masked_fill(hidden, -torch.inf)", "weights = scores.masked_fill(hidden, -1e4)"),
)

misconception(
    "MultiHeadAttention",
    "The values come from x here; with a context, keys and values both come from the context.",
    replace=("self.v_proj(context)", "self.v_proj(context if context.shape != x.shape else x)"),
)

misconception(
    "MultiHeadAttention",
    "keeps context of the first call",
    replace=(
        "context = x if context is None else context",
        "context = x if context is None else context\n        self.seen = getattr(self, 'seen', context)\n        context = self.seen if self.seen.shape == context.shape else context",
    ),
)

misconception(
    "MultiHeadAttention",
    "dropout in training",
    replace=(
        "return self.out_proj(merge_heads(weights @ v)), weights",
        "return self.out_proj(merge_heads(nn.functional.dropout(weights, 0.1, self.training) @ v)), weights",
    ),
)

misconception(
    "MultiHeadAttention",
    "out_proj always with bias",
    replace=("self.out_proj = nn.Linear(d_model, d_model, bias=bias)", "self.out_proj = nn.Linear(d_model, d_model)"),
)

misconception(
    "MultiHeadAttention",
    "assert",
    replace=(
        'raise ValueError("n_heads must divide d_model, " f"got n_heads = {n_heads} and d_model = {d_model}")',
        "raise AssertionError",
    ),
)

misconception(
    "MultiHeadAttention",
    "The context is ignored here: keys and values must come from it where it is given.",
    replace=(
        "context = x if context is None else context",
        "context = x if context is None or context.shape[-2] == x.shape[-2] else context",
    ),
)

misconception(
    "MultiHeadAttention",
    "max 64 keys",
    replace=(
        "k = split_heads(self.k_proj(context), self.n_heads)",
        "context = context[..., :64, :]\n        k = split_heads(self.k_proj(context), self.n_heads)",
    ),
)

misconception("load_torch_weights", "shares memory", replace=("layer.weight.copy_(weight)", "layer.weight.data = weight.data"))

misconception(
    "load_torch_weights",
    "changes reference",
    replace=("layer.weight.copy_(weight)", "layer.weight.copy_(weight)\n            reference.in_proj_weight.zero_()"),
)


@misconception("head_entropy", "eps")
def entropy_eps(w):
    return -(w * (w + 1e-6).log()).sum(-1).mean(-1)


@misconception("head_entropy", "clamp")
def entropy_clamp(w):
    return -(w * w.clamp(min=1e-4).log()).sum(-1).mean(-1)


@misconception("head_entropy", "nan")
def entropy_nan(w):
    return -(w * w.log()).nan_to_num().sum(-1).mean(-1)


@misconception("head_entropy", "renorm")
def entropy_renorm(w):
    w = w / w.sum(-1, keepdim=True).clamp(min=1e-12)
    return -(w * w.where(w > 0, 1.0).log()).sum(-1).mean(-1)


@misconception("head_entropy", "skip empty")
def entropy_skip_empty(w):
    e = -(w * w.where(w > 0, 1.0).log()).sum(-1)
    ok = w.sum(-1) > 0
    return (e * ok).sum(-1) / ok.sum(-1).clamp(min=1)


@misconception("head_entropy", "in place")
def entropy_in_place(w):
    with torch.no_grad():
        w.clamp_(min=1e-9)
    return -(w * w.log()).sum(-1).mean(-1)


@misconception("mask_heads", "detach")
def masked_heads_detach(w, keep):
    return torch.where(keep[:, None, None], w.detach(), 0.0)


@misconception("mask_heads", "keep in place")
def masked_heads_keep_in_place(w, keep):
    o = w * keep[:, None, None]
    keep.fill_(True)
    return o


misconception(
    "KeyValueCache",
    "fixed buffer 128",
    replace=(
        "        return self.k, self.v",
        "        self.k, self.v = self.k[..., -128:, :], self.v[..., -128:, :]\n        return self.k, self.v",
    ),
)

misconception("KeyValueCache", "detached", replace=("return self.k, self.v", "return self.k.detach(), self.v.detach()"))

misconception(
    "KeyValueCache",
    "float32",
    replace=(
        "self.k = k if self.k is None else torch.cat([self.k, k], dim=-2)",
        "self.k = k.float() if self.k is None else torch.cat([self.k, k.float()], dim=-2)",
    ),
)

misconception(
    "KeyValueCache",
    "appended once per length",
    replace=("return 0 if self.k is None else self.k.shape[-2]", "return 0 if self.k is None else self.v.shape[-1]"),
)

misconception(
    "KeyValueCache",
    "v length by k",
    replace=(
        "self.v = v if self.v is None else torch.cat([self.v, v], dim=-2)",
        "self.v = v if self.v is None else torch.cat([v, self.v], dim=-2) if v.shape[-2] > 3 else torch.cat([self.v, v], dim=-2)",
    ),
)


@variant("split_heads")
def right_permute(x, n_heads):
    ref(n_heads, x.shape[-1])
    return torch.stack(x.split(x.shape[-1] // n_heads, dim=-1), dim=-3)


@variant("merge_heads")
def right_cat(x):
    return torch.cat(x.unbind(-3), dim=-1)


@variant("head_entropy")
def right_special(w):
    return (
        torch.special.entr(w.clamp(min=0)).sum(-1).mean(-1)
        if not w.requires_grad
        else -(w * torch.where(w == 0, torch.ones_like(w), w).log()).flatten(-1).sum(-1).mean(-1)
    )


@variant("mask_heads")
def right_fill(w, keep):
    return w.masked_fill(~keep.view(-1, 1, 1), 0)


@variant("mask_heads")
def right_diag(w, keep):
    return torch.einsum("...hij,hg->...gij", w, torch.diag(keep.to(w)))


@variant("KeyValueCache")
class RCache:
    def __init__(self):
        self.pieces = []

    def append(self, k, v):
        self.pieces.append((k, v))
        return tuple(torch.cat(p, -2) for p in zip(*self.pieces))

    @property
    def length(self):
        return sum(k.size(-2) for k, _ in self.pieces)


@variant("attention_cost")
def right_cost(n_positions, d_model, n_heads):
    dh, r = divmod(d_model, n_heads)
    per_head = 2 * n_positions * n_positions * dh
    return dict(
        score_entries=n_heads * n_positions**2,
        parameters=4 * d_model**2,
        multiply_adds=4 * n_positions * d_model**2 + (n_heads * per_head if not r else 2 * n_positions**2 * d_model),
    )


@variant("MultiHeadAttention")
class RMHA(nn.Module):
    def __init__(self, d_model, n_heads, bias=True):
        super().__init__()
        ref(n_heads, d_model)
        self.h = n_heads
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(d_model, d_model, bias=bias) for _ in range(4))

    def forward(self, x, context=None, mask=None):
        c = context if context is not None else x

        def f(t):
            return t.reshape(*t.shape[:-1], self.h, -1).movedim(-2, -3)

        q, k, v = f(self.q_proj(x)), f(self.k_proj(c)), f(self.v_proj(c))
        s = torch.einsum("...qd,...kd->...qk", q, k) / q.shape[-1] ** 0.5
        if mask is not None:
            m = mask[..., None, :, :]
            s = s + torch.zeros_like(m, dtype=s.dtype).masked_fill(~m, torch.finfo(s.dtype).min / 2)
            w = s.softmax(-1) * m
        else:
            w = s.softmax(-1)
        o = torch.einsum("...qk,...kd->...qd", w, v).movedim(-3, -2)
        return self.out_proj(o.reshape(*o.shape[:-2], -1)), w


# What people did in public code: heads of the batch mixed, one softmax for all heads, the input cut before it is projected


@misconception("split_heads", "heads stand before the batch")
def split_heads_first(x, n_heads):
    if n_heads < 1 or x.shape[-1] % n_heads:
        raise ValueError(f"n_heads {n_heads} does not divide {x.shape[-1]}")
    return torch.stack(x.chunk(n_heads, -1))


@misconception("split_heads", "n_heads and d_head are taken for each other: here there are d_head heads of n_heads numbers.")
def split_width_for_heads(x, n_heads):
    if n_heads < 1 or x.shape[-1] % n_heads:
        raise ValueError(f"n_heads {n_heads} does not divide {x.shape[-1]}")
    return x.unflatten(-1, (x.shape[-1] // n_heads, n_heads)).transpose(-3, -2)


@misconception("merge_heads", "the last head comes first")
def merge_reversed(x):
    return x.flip(-3).transpose(-3, -2).flatten(-2)


@misconception("merge_heads", "This is what you get when the heads' numbers are interleaved; head after head is wanted.")
def merge_width_first(x):
    return x.movedim(-3, -1).flatten(-2)


misconception(
    "MultiHeadAttention",
    "one softmax for all heads of a query",
    replace=("scores.softmax(dim=-1)", "scores.movedim(-3, -2).flatten(-2).softmax(-1).unflatten(-1, (self.n_heads, -1)).movedim(-2, -3)"),
)
misconception("MultiHeadAttention", "dropout on the output", replace=("return self.out_proj(", "return nn.Dropout(0.1)(self.out_proj)("))
misconception(
    "MultiHeadAttention",
    "This is what you get when the scores are divided by d_head instead of its root.",
    replace=("q @ k.mT / math.sqrt(q.shape[-1])", "(q / q.shape[-1] ** 0.5) @ (k / k.shape[-1] ** 0.5).mT"),
)
misconception(
    "MultiHeadAttention",
    "x is added to the output: the residual connection belongs to the block around this layer, not to the layer.",
    replace=("return self.out_proj(merge_heads(weights @ v))", "return x + self.out_proj(merge_heads(weights @ v))"),
)
misconception(
    "load_torch_weights",
    "packed rows reversed",
    replace=("reference.in_proj_weight.split(d_model)", "reference.in_proj_weight.flip(0).split(d_model)"),
)
misconception(
    "load_torch_weights",
    "out_proj transposed",
    replace=("layer.weight.copy_(weight)", "layer.weight.copy_(weight.mT if layer is module.out_proj else weight)"),
)


@misconception("mask_heads", "The wrong heads fall silent: keep is True where a head stays.")
def silence_inverted(weights, keep):
    return weights * (~keep)[:, None, None]


@misconception("mask_heads", "The heads are taken out here; they should stay in place, with zeros.")
def heads_cut_out(weights, keep):
    return weights[..., keep, :, :]


@misconception("attention_cost", "A multiply-add is one operation here; these counts are twice as large.")
def cost_in_flops(n_positions, d_model, n_heads):
    p, pairs = 4 * d_model**2, n_positions**2
    return {"parameters": p, "multiply_adds": 2 * (n_positions * p + 2 * pairs * d_model), "score_entries": n_heads * pairs}


@misconception("attention_cost", "causal half of the pairs")
def cost_causal(n_positions, d_model, n_heads):
    p, pairs = 4 * d_model**2, n_positions * (n_positions + 1) // 2
    return {"parameters": p, "multiply_adds": n_positions * p + 2 * pairs * d_model, "score_entries": n_heads * pairs}


misconception("KeyValueCache", "newest first", replace=("torch.cat([self.k, k], dim=-2)", "torch.cat([k, self.k], dim=-2)"))
misconception(
    "KeyValueCache",
    "values kept only once",
    replace=("self.v = v if self.v is None else torch.cat([self.v, v], dim=-2)", "self.v = v if self.v is None else self.v"),
)
misconception(
    "KeyValueCache",
    "length is the size of another dimension, not of the time.",
    replace=("return 0 if self.k is None else self.k.shape[-2]", "return 0 if self.k is None else self.k.shape[-3]"),
)


@misconception("head_entropy", "perplexity")
def entropy_perplexity(w):
    logs = w.where(w > 0, 1.0).log()
    return (-(w * logs).sum(-1)).exp().mean(-1)


@misconception("head_entropy", "normalised by the largest entropy")
def entropy_normalised(w):
    logs = w.where(w > 0, 1.0).log()
    return -(w * logs).sum(-1).mean(-1) / torch.log(torch.tensor(float(w.shape[-1]), dtype=w.dtype, device=w.device))
