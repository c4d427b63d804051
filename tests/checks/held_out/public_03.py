"""Answers to lesson 03 after public code, forums and issue trackers, wrong and right: what people really write."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from autograde.authoring.strength.mutation import misconception, variant


# duoan/TorchCode#17
@misconception("scaled_dot_product_attention", "scores times mask, zeros become minus infinity")
def sdpa_zeros(q, k, v, mask=None):
    s = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        s = s * mask
        s = s.masked_fill(s == 0, -math.inf)
    w = s.softmax(-1).nan_to_num()
    return w @ v, w


@misconception(
    "scaled_dot_product_attention",
    "The softmax runs over the queries: each query's weights over the keys (the last dimension) must sum to one.",
)
def sdpa_dim1(q, k, v, mask=None):
    s = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        s = s.masked_fill(~mask, -math.inf)
    w = s.softmax(1).nan_to_num()
    return w @ v, w


# F.softmax without dim: dim 0 for 3 dimensions
@misconception("scaled_dot_product_attention", "softmax without a dimension")
def sdpa_implicit(q, k, v, mask=None):
    s = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        s = s.masked_fill(~mask, -math.inf)
    w = s.softmax(0 if s.ndim in (0, 1, 3) else 1).nan_to_num()
    return w @ v, w


@misconception("scaled_dot_product_attention", "the values are masked, not the scores")
def sdpa_mask_values(q, k, v, mask=None):
    w = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1)
    if mask is not None:
        return (w * mask) @ v, w
    return w @ v, w


@misconception("scaled_dot_product_attention", "dropout on the weights")
def sdpa_dropout(q, k, v, mask=None):
    s = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        s = s.masked_fill(~mask, -math.inf)
    w = F.dropout(s.softmax(-1).nan_to_num(), 0.1)
    return w @ v, w


@misconception("scaled_dot_product_attention", "log-softmax")
def sdpa_log(q, k, v, mask=None):
    s = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        s = s.masked_fill(~mask, -1e9)
    w = s.log_softmax(-1)
    return w @ v, w


@misconception("scaled_dot_product_attention", "sigmoid instead of softmax")
def sdpa_sigmoid(q, k, v, mask=None):
    w = (q @ k.mT / math.sqrt(q.shape[-1])).sigmoid()
    if mask is not None:
        w = w * mask
    return w @ v, w


@misconception("scaled_dot_product_attention", "values' residual: queries added")
def sdpa_residual(q, k, v, mask=None):
    s = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        s = s.masked_fill(~mask, -math.inf)
    w = s.softmax(-1).nan_to_num()
    o = w @ v
    return (o + q if o.shape == q.shape else o), w


@misconception("scaled_dot_product_attention", "mask gets a dimension for heads")
def sdpa_heads(q, k, v, mask=None):
    s = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        s = s.masked_fill(~mask.unsqueeze(1), -math.inf) if mask.ndim > 2 else s.masked_fill(~mask, -math.inf)
    w = s.softmax(-1).nan_to_num()
    return w @ v, w


@misconception(
    "attention_scores", "The scores are divided by the root of the number of queries; d_k is the length of a query, its last dimension."
)
def sc_left(q, k):
    return q @ k.mT / math.sqrt(q.shape[1])


@misconception("attention_scores", "transpose(0, 1)")
def sc_t01(q, k):
    return q @ k.transpose(0, 1) / math.sqrt(q.shape[-1])


@misconception("attention_scores", "transpose(1, 2)")
def sc_t12(q, k):
    return q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])


@misconception("attention_scores", "root of the product in whole numbers")
def sc_isqrt(q, k):
    return q @ k.mT / math.isqrt(q.shape[-1])


@misconception("attention_scores", "through NumPy")
def sc_np(q, k):
    return torch.from_numpy(np.matmul(q.detach().numpy(), k.detach().mT.numpy()) / np.sqrt(q.shape[-1]))


@misconception("causal_mask", "The mask is inverted: True means that a word may be attended to.")
def cm_triu(n, device=None):
    return torch.triu(torch.ones(n, n, device=device), 1)


@misconception("causal_mask", "The mask is inverted: True means that a word may be attended to.")
def cm_t1(n, device=None):
    return torch.ones(n, n, dtype=torch.bool, device=device).triu(1)


@misconception("causal_mask", "uint8")
def cm_u8(n, device=None):
    return torch.ones(n, n, dtype=torch.uint8, device=device).tril()


@misconception("causal_mask", "This is a mask to be added to scores (0 and −∞); the course's masks are boolean.")
def cm_torch(n, device=None):
    return nn.Transformer.generate_square_subsequent_mask(n, device=device)


@misconception("causal_mask", "a window of half the length")
def cm_window(n, device=None):
    return torch.ones(n, n, dtype=torch.bool, device=device).tril().triu(-n // 2)


@misconception("padding_mask", "query and key")
def pm_outer(lengths, n):
    a = torch.arange(n, device=lengths.device) < lengths[..., None]
    return a[..., None, :] & a[..., :, None]


@misconception("padding_mask", "The mask is inverted: True means that a word may be attended to.")
def pm_kpm(lengths, n):
    return (torch.arange(n, device=lengths.device) >= lengths[..., None])[..., None, :]


@misconception("padding_mask", "heads dimension too")
def pm_heads(lengths, n):
    return (torch.arange(n, device=lengths.device) < lengths[..., None])[..., None, None, :]


@misconception("padding_mask", "counted from one")
def pm_one(lengths, n):
    return (torch.arange(1, n + 1, device=lengths.device) < lengths[..., None])[..., None, :]


# ng-video-lecture: scaled by the model's width
@misconception("SelfAttention", "scaled by d_model")
class SAScale(nn.Module):
    def __init__(self, d_model, d_k, causal=False):
        super().__init__()
        self.w_q, self.w_k, self.w_v = (nn.Linear(d_model, d_k, bias=False) for _ in range(3))
        self.causal = causal

    def forward(self, x, mask=None):
        q, k, v = self.w_q(x), self.w_k(x), self.w_v(x)
        s = q @ k.mT * x.shape[-1] ** -0.5
        T = x.shape[-2]
        m = torch.ones(T, T, dtype=torch.bool, device=x.device)
        if self.causal:
            m = m.tril()
        if mask is not None:
            m = m & mask
        w = s.masked_fill(~m, -math.inf).softmax(-1)
        w = torch.where(m, w, torch.zeros_like(w))
        return w @ v, w


misconception(
    "SelfAttention",
    "residual",
    replace=(
        "return scaled_dot_product_attention(self.w_q(x), self.w_k(x), self.w_v(x), mask)",
        "o, w = scaled_dot_product_attention(self.w_q(x), self.w_k(x), self.w_v(x), mask)\n        return w, o",
    ),
)

misconception(
    "SelfAttention",
    "the causal mask only for the first batch dim",
    replace=(
        "before = causal_mask(x.shape[-2], device=x.device)",
        "before = causal_mask(x.shape[1] if x.ndim > 2 else x.shape[0], device=x.device)",
    ),
)

misconception(
    "SelfAttention",
    "residual",
    replace=(
        "return scaled_dot_product_attention(self.w_q(x), self.w_k(x), self.w_v(x), mask)",
        "o, w = scaled_dot_product_attention(self.w_q(x), self.w_k(x), self.w_v(x), mask)\n        return (o + x if o.shape == x.shape else o), w",
    ),
)


@misconception("intra_attention_weights", "a product inside the tanh")
def in_prod(h, x_t, h_tilde, w_h, w_x, w_t, v):
    return (torch.tanh((h @ w_h.mT) * (x_t @ w_x.mT + h_tilde @ w_t.mT)[..., None, :]) @ v).softmax(-1)


@misconception("intra_attention_weights", "dim 1")
def in_dim1(h, x_t, h_tilde, w_h, w_x, w_t, v):
    return (torch.tanh(h @ w_h.mT + (x_t @ w_x.mT + h_tilde @ w_t.mT)[..., None, :]) @ v).softmax(1 if h.ndim > 2 else 0)


@misconception("intra_attention_weights", "v as a unit vector")
def in_norm(h, x_t, h_tilde, w_h, w_x, w_t, v):
    return (torch.tanh(h @ w_h.mT + (x_t @ w_x.mT + h_tilde @ w_t.mT)[..., None, :]) @ (v / v.norm())).softmax(-1)


@misconception("attention_backward", "row sum of dP without weights' product")
def ab_rowsum(q, k, v, g):
    c = q.shape[-1] ** -0.5
    w = (q @ k.mT * c).softmax(-1)
    dw = g @ v.mT
    ds = w * (dw - dw.sum(-1, keepdim=True))
    return c * ds @ k, c * ds.mT @ q, w.mT @ g


@misconception("attention_backward", "dv from the scores' gradient")
def ab_dv(q, k, v, g):
    c = q.shape[-1] ** -0.5
    w = (q @ k.mT * c).softmax(-1)
    dw = g @ v.mT
    ds = w * (dw - (w * dw).sum(-1, keepdim=True))
    return c * ds @ k, c * ds.mT @ q, ds.mT @ g


@misconception("attention_backward", "The weights are treated as sigmoids, a · (1 − a): a softmax row has the other entries too.")
def ab_diag(q, k, v, g):
    c = q.shape[-1] ** -0.5
    w = (q @ k.mT * c).softmax(-1)
    dw = g @ v.mT
    ds = w * dw - w * w * dw
    return c * ds @ k, c * ds.mT @ q, w.mT @ g


@misconception("attention_backward", "The scale is applied twice on the way back.")
def ab_dk(q, k, v, g):
    c = q.shape[-1] ** -0.5
    w = (q @ k.mT * c).softmax(-1)
    dw = g @ v.mT
    ds = w * (dw - (w * dw).sum(-1, keepdim=True)) / q.shape[-1]
    return ds @ k, ds.mT @ q, w.mT @ g


@variant("scaled_dot_product_attention")
def r_neg(q, k, v, mask=None):
    s = torch.matmul(q, k.transpose(-1, -2)).div(q.size(-1) ** 0.5)
    if mask is not None:
        bias = torch.zeros_like(mask, dtype=s.dtype).masked_fill(mask.logical_not(), float("-inf"))
        s = s + bias
        dead = ~mask.any(-1, keepdim=True)
        s = torch.where(dead, torch.zeros_like(s), s)
        w = torch.softmax(s, -1) * (~dead)
    else:
        w = torch.softmax(s, -1)
    return torch.matmul(w, v), w


@variant("attention_scores")
def r_sum(q, k):
    return (q[..., :, None, :] * k[..., None, :, :]).sum(-1) * q.size(-1) ** -0.5


@variant("attention_scores")
def r_both(q, k):
    r = q.shape[-1] ** 0.25
    return (q / r) @ (k / r).transpose(-1, -2)


@variant("causal_mask")
def r_ge(n, device=None):
    i = torch.arange(n, device=device)
    return i.unsqueeze(1).ge(i)


@variant("causal_mask")
def r_not(n, device=None):
    return torch.logical_not(torch.triu(torch.ones((n, n), device=device), diagonal=1).bool())


@variant("padding_mask")
def r_le(lengths, n):
    return (torch.arange(1, n + 1, device=lengths.device) <= lengths.unsqueeze(-1)).unsqueeze(-2)


@variant("padding_mask")
def r_loop(lengths, n):
    rows = [[j < l for j in range(n)] for l in lengths.flatten().tolist()]
    return torch.tensor(rows, dtype=torch.bool, device=lengths.device).reshape(*lengths.shape, 1, n)


@variant("attention_backward")
def r_jac(q, k, v, g):
    c = q.shape[-1] ** -0.5
    w = (q @ k.mT * c).softmax(-1)
    J = torch.diag_embed(w) - w[..., :, None] * w[..., None, :]
    ds = torch.einsum("...ij,...ijk->...ik", g @ v.mT, J) * c
    return ds @ k, torch.einsum("...ij,...id->...jd", ds, q), torch.einsum("...ij,...id->...jd", w, g)


@variant("SelfAttention")
class RBuf(nn.Module):
    def __init__(self, d_model, d_k, causal=False):
        super().__init__()
        self.w_q = nn.Linear(d_model, d_k, False)
        self.w_k = nn.Linear(d_model, d_k, False)
        self.w_v = nn.Linear(d_model, d_k, False)
        self.causal = causal
        self.register_buffer("tri", torch.ones(64, 64).tril().bool(), persistent=False)

    def forward(self, x, mask=None):
        q, k, v = self.w_q(x), self.w_k(x), self.w_v(x)
        T = x.shape[-2]
        if T > self.tri.shape[0]:
            self.tri = torch.ones(T, T, device=x.device).tril().bool()
        m = self.tri[:T, :T] if self.causal else None
        if mask is not None:
            m = mask if m is None else torch.logical_and(m, mask)
        return r_neg(q, k, v, m)


@variant("intra_attention_weights")
def r_intra(h, x_t, h_tilde, w_h, w_x, w_t, v):
    h.shape[-2]
    z = torch.cat([h, x_t[..., None, :].expand(*h.shape[:-1], -1), h_tilde[..., None, :].expand(*h.shape[:-1], -1)], -1)
    return torch.softmax(torch.tanh(z @ torch.cat([w_h, w_x, w_t], 1).T) @ v, -1)


misconception(
    "scaled_dot_product_attention", "weights turned round", replace=("return weights @ v, weights", "return weights.mT @ v, weights")
)

# Mikyx-1/TinyLLM#17: no mask where one is needed only for what is generated
misconception("SelfAttention", "causal in training only", replace=("if self.causal:", "if self.causal and self.training:"))

# autosome-ru/vigg_ribonanza#1: what must not be seen must not look, either
misconception(
    "scaled_dot_product_attention",
    "the mask in both directions",
    replace=(
        "scores = attention_scores(q, k)",
        "scores = attention_scores(q, k)\n    mask = mask & mask.mT if mask is not None and mask.shape[-1] == mask.shape[-2] else mask",
    ),
)

misconception(
    "scaled_dot_product_attention",
    "masked with -100",
    replace=("masked_fill(~mask, -math.inf).softmax(dim=-1)", "masked_fill(~mask, -100.0).softmax(dim=-1)"),
)

# jadore801120/attention-is-all-you-need-pytorch: dropout on the weights
misconception(
    "SelfAttention",
    "dropout on the weights",
    replace=(
        "return scaled_dot_product_attention(self.w_q(x), self.w_k(x), self.w_v(x), mask)",
        "out, w = scaled_dot_product_attention(self.w_q(x), self.w_k(x), self.w_v(x), mask)\n        return out, nn.functional.dropout(w, 0.1, self.training)",
    ),
)

misconception("SelfAttention", "a word is told its own value only", replace=("self.w_v(x), mask)", "self.w_v(x.roll(1, -2)), mask)"))

misconception(
    "attention_backward",
    "the keys for the queries",
    replace=("return d_scores @ k, d_scores.mT @ q, d_v", "return d_scores @ k, d_scores.mT @ k, d_v"),
)

misconception(
    "attention_backward",
    "scores where weights belong",
    replace=("d_scores = weights * (d_weights - average)", "d_scores = attention_scores(q, k) * (d_weights - average)"),
)

misconception(
    "attention_backward",
    "no average, weights twice",
    replace=("d_scores = weights * (d_weights - average)", "d_scores = weights * (d_weights - weights)"),
)

misconception(
    "attention_backward",
    "averaged over the queries",
    replace=("keepdim=True)\n    d_scores", "keepdim=True).mean(-2, keepdim=True)\n    d_scores"),
)

misconception(
    "attention_scores",
    "The scores are divided by the root of the number of keys; d_k is the length of a key, its last dimension.",
    replace=("math.sqrt(q.shape[-1])", "math.sqrt(k.shape[-2])"),
)
