"""Held-out answers to lesson 03, wrong and right: none of them is among the known ones."""

import functools
import math

import torch
from torch import nn
from torch.nn import functional as F

from autograde.authoring.strength.mutation import misconception, variant


def att(q, k, v, mask=None):
    s = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        s = s.masked_fill(~mask, -math.inf)
    w = s.softmax(-1)
    if mask is not None:
        w = w.masked_fill(~mask, 0.0)
    return w @ v, w


@misconception("query_key_value", "qkv normalised")
def qkv_normalised(x, w_q, w_k, w_v):
    return x @ w_q, x @ w_k, (x.float() @ w_v.float()).to(x.dtype)


@misconception("attention_scores", "half")
def scores_half(q, k):
    return (
        (q.half() @ k.half().mT).to(q.dtype) / math.sqrt(q.shape[-1])
        if q.dtype == torch.float16
        else (q.bfloat16().float() @ k.float().mT).to(q.dtype) / math.sqrt(q.shape[-1])
    )


@misconception("attention_scores", "clamp")
def scores_clamp(q, k):
    return (q @ k.mT / math.sqrt(q.shape[-1])).clamp(-30, 30)


TABLE = torch.ones(512, 512, dtype=torch.bool).tril()


@misconception("causal_mask", "buffer")
def causal_buffer(n, device=None):
    return TABLE[:n, :n].to(device)


@misconception("causal_mask", "device ignored")
def causal_device_ignored(n, device=None):
    return torch.ones(n, n, dtype=torch.bool).tril()


@misconception("padding_mask", "buffer")
def padding_buffer(lengths, n):
    return torch.arange(128)[:n].to(lengths.device) < lengths[..., None, None]


@misconception("padding_mask", "clamped")
def padding_clamped(lengths, n):
    return torch.arange(n, device=lengths.device) < lengths.clamp(min=1)[..., None, None]


@misconception("padding_mask", "float")
def padding_float(lengths, n):
    return (torch.arange(n, device=lengths.device) < lengths[..., None, None]).float()


@misconception("scaled_dot_product_attention", "1e9")
def attention_1e9(q, k, v, mask=None):
    s = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is None:
        w = s.softmax(-1)
    else:
        w = (s + (~mask) * -1e4).softmax(-1)
        w = w * mask.any(-1, keepdim=True)
    return w @ v, w


@misconception("scaled_dot_product_attention", "nan v")
def attention_nan_v(q, k, v, mask=None):
    s = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        s = s.masked_fill(~mask, torch.finfo(s.dtype).min)
    w = s.softmax(-1)
    if mask is not None:
        w = w * mask.any(-1, keepdim=True)
    return w @ v, w.detach()


@misconception("scaled_dot_product_attention", "mask 4d")
def attention_mask_4d(q, k, v, mask=None):
    if mask is not None and mask.ndim < q.ndim:
        mask = mask.expand(*q.shape[:-1], k.shape[-2])
    if mask is not None:
        mask &= True
    o, w = att(q, k, v, mask)
    if mask is not None and not mask.is_contiguous():
        w = w.contiguous()
    return o, torch.where(w < 1e-7, 0.0, w)


@misconception("scaled_dot_product_attention", "inplace q")
def attention_inplace_q(q, k, v, mask=None):
    q = q.div_(math.sqrt(q.shape[-1])) if not q.requires_grad else q / math.sqrt(q.shape[-1])
    s = q @ k.mT
    if mask is not None:
        s = s.masked_fill(~mask, -math.inf)
    w = s.softmax(-1)
    if mask is not None:
        w = w.masked_fill(~mask, 0.0)
    return w @ v, w


@variant("scaled_dot_product_attention")
def attention_nan_grad(q, k, v, mask=None):
    s = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        s = s.masked_fill(~mask, -math.inf)
    w = s.softmax(-1).nan_to_num()
    return w @ v, w


@misconception("scaled_dot_product_attention", "renorm")
def attention_renorm(q, k, v, mask=None):
    s = q @ k.mT / math.sqrt(q.shape[-1])
    w = s.softmax(-1)
    if mask is not None:
        w = w * mask
        w = w / (w.sum(-1, keepdim=True) + 1e-9)
    return w @ v, w


misconception(
    "SelfAttention",
    "mask kept from first call",
    replace=(
        "before = causal_mask(x.shape[-2], device=x.device)",
        "self.m = getattr(self, 'm', None) if getattr(self, 'm', None) is not None else causal_mask(512)\n            before = self.m[: x.shape[-2], : x.shape[-2]]",
    ),
)

misconception(
    "SelfAttention",
    "The masks are joined by `|`: a word may be seen where both masks allow it, not where one does.",
    replace=("before & mask", "before | mask"),
)

misconception("SelfAttention", "w_v is w_k", replace=("self.w_v = nn.Linear(d_model, d_k, bias=False)", "self.w_v = self.w_k"))

misconception(
    "SelfAttention",
    "mask in place",
    replace=(
        "mask = before if mask is None else before & mask",
        "mask = before if mask is None else mask.logical_and_(before) if mask.shape[-2] == before.shape[-2] else before & mask",
    ),
)

misconception(
    "SelfAttention",
    "fresh weights on each forward in train",
    replace=(
        "return scaled_dot_product_attention(",
        "x = nn.functional.dropout(x, 0.1, self.training)\n        return scaled_dot_product_attention(",
    ),
)


@misconception("intra_attention_weights", "unstable")
def intra_unstable(h, x_t, h_tilde, w_h, w_x, w_t, v):
    s = (torch.tanh(h @ w_h.mT + (x_t @ w_x.mT + h_tilde @ w_t.mT)[..., None, :]) @ v).exp()
    return s / s.sum(-1, keepdim=True)


@misconception("intra_attention_weights", "double tanh")
def intra_double_tanh(h, x_t, h_tilde, w_h, w_x, w_t, v):
    return (torch.tanh(h @ w_h.mT + torch.tanh(x_t @ w_x.mT + h_tilde @ w_t.mT)[..., None, :]) @ v).softmax(-1)


@misconception("attention_backward", "loop first batch")
def backward_loop_first_batch(q, k, v, g):
    w = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1)
    dw = g @ v.mT
    ds = w * (dw - (w * dw).sum(-1, keepdim=True)) / math.sqrt(q.shape[-1])
    return ds @ k, ds.mT @ q, (w.mT @ g).float().to(v.dtype)


@misconception("attention_backward", "numeric")
def backward_numeric(q, k, v, g):
    eps = 1e-3

    def loss(q, k, v):
        return float(((q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1) @ v * g).sum())

    out = []
    args = [q.double().clone(), k.double().clone(), v.double().clone()]
    g = g.double()
    for i in range(3):
        d = torch.zeros_like(args[i])
        f = args[i].view(-1)
        df = d.view(-1)
        for j in range(f.numel()):
            o = float(f[j])
            f[j] = o + eps
            a = loss(*args)
            f[j] = o - eps
            b = loss(*args)
            f[j] = o
            df[j] = (a - b) / (2 * eps)
        out.append(d.to(q.dtype))
    return tuple(out)


@misconception("attention_backward", "inplace g")
def backward_inplace_g(q, k, v, g):
    w = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1)
    dv = w.mT @ g
    dw = g @ v.mT
    ds = w * (dw - (w * dw).sum(-1, keepdim=True)) / math.sqrt(q.shape[-1])
    g.zero_()
    return ds @ k, ds.mT @ q, dv


@misconception(
    "streaming_attention",
    "No largest score is subtracted before `exp`: scores in the hundreds overflow, and far below 0 all terms become 0.",
)
def streaming_no_rescale(q, k, v, block_size):
    if block_size < 1:
        raise ValueError("block_size")
    t = 0
    o = 0
    for kb, vb in zip(k.split(block_size, -2), v.split(block_size, -2)):
        e = (q @ kb.mT / math.sqrt(q.shape[-1]) - 20).exp()
        t = t + e.sum(-1, keepdim=True)
        o = o + e @ vb
    return o / t


@misconception("streaming_attention", "The last block is left out where it is smaller than the others.")
def streaming_drops_rest(q, k, v, block_size):
    if block_size < 1:
        raise ValueError("block_size")
    n = max(block_size, k.shape[-2] // block_size * block_size)
    return F.scaled_dot_product_attention(q, k[..., :n, :], v[..., :n, :]) if False else att(q, k[..., :n, :], v[..., :n, :])[0]


@variant("query_key_value")
def right_tensordot(x, w_q, w_k, w_v):
    return tuple(torch.tensordot(x, w, dims=1) for w in (w_q, w_k, w_v))


@variant("attention_scores")
def right_bmm_scale_k(q, k):
    return torch.einsum("...id,...jd->...ij", q, k) * q.shape[-1] ** -0.5


@variant("causal_mask")
def right_cumsum(n, device=None):
    return torch.eye(n, device=device).cumsum(1).mT.bool() if n else torch.ones(0, 0, dtype=torch.bool, device=device)


@variant("padding_mask")
def right_expand(lengths, n):
    return torch.arange(n, device=lengths.device).expand(*lengths.shape, 1, n).lt(lengths.unsqueeze(-1).unsqueeze(-1))


@variant("scaled_dot_product_attention")
def right_manual(q, k, v, mask=None):
    s = torch.einsum("...id,...jd->...ij", q / math.sqrt(q.size(-1)), k)
    if mask is None:
        w = torch.exp(s - torch.logsumexp(s, -1, keepdim=True))
    else:
        s = torch.where(mask, s, torch.finfo(s.dtype).min)
        e = torch.exp(s - s.amax(-1, keepdim=True).detach()) * mask
        d = e.sum(-1, keepdim=True)
        w = e / torch.where(d == 0, torch.ones_like(d), d)
    return torch.einsum("...ij,...jd->...id", w, v), w


@variant("SelfAttention")
class RSA(nn.Module):
    def __init__(self, d_model, d_k, causal=False):
        super().__init__()
        for n in ("w_q", "w_k", "w_v"):
            setattr(self, n, nn.Linear(d_model, d_k, bias=False))
        self.causal = causal

    def forward(self, x, mask=None):
        q, k, v = (getattr(self, n)(x) for n in ("w_q", "w_k", "w_v"))
        allow = torch.ones(x.shape[-2], x.shape[-2], dtype=torch.bool, device=x.device)
        if self.causal:
            allow = allow.tril()
        if mask is not None:
            allow = allow * mask
        return att(q, k, v, allow)


@variant("attention_backward")
def right_diag(q, k, v, g):
    c = q.size(-1) ** -0.5
    p = torch.softmax(c * (q @ k.transpose(-1, -2)), -1)
    o = p @ v
    dp = g @ v.transpose(-1, -2)
    ds = p * (dp - (g * o).sum(-1, keepdim=True))
    return c * (ds @ k), c * (ds.transpose(-1, -2) @ q), p.transpose(-1, -2) @ g


@variant("streaming_attention")
def right_lse(q, k, v, block_size):
    if block_size <= 0:
        raise ValueError(f"block_size {block_size} must be positive")
    lse = None
    out = None
    for i in range(0, k.shape[-2], block_size):
        s = q @ k[..., i : i + block_size, :].mT * q.shape[-1] ** -0.5
        l = s.logsumexp(-1, keepdim=True)
        o = (s - l).exp() @ v[..., i : i + block_size, :]
        if lse is None:
            lse, out = l, o
        else:
            n = torch.logaddexp(lse, l)
            out = out * (lse - n).exp() + o * (l - n).exp()
            lse = n
    return out


@misconception("streaming_attention", "keeps the output of every block")
def streaming_stacks(q, k, v, block_size):
    if block_size < 1:
        raise ValueError("block_size")
    scores = [q @ kb.mT / math.sqrt(q.shape[-1]) for kb in k.split(block_size, -2)]
    logs = torch.stack([s.logsumexp(-1) for s in scores])
    parts = torch.stack([s.softmax(-1) @ vb for s, vb in zip(scores, v.split(block_size, -2))])
    return (logs.softmax(0)[..., None] * parts).sum(0)


@misconception("streaming_attention", "a copy of the keys for every query")
def streaming_expands(q, k, v, block_size):
    if block_size < 1:
        raise ValueError("block_size")
    total, weighted = 0.0, 0.0
    largest = (q[..., :, None, :] * k[..., None, :, :]).sum(-1).amax(-1, keepdim=True) / math.sqrt(q.shape[-1])
    for kb, vb in zip(k.split(block_size, -2), v.split(block_size, -2)):
        e = (q @ kb.mT / math.sqrt(q.shape[-1]) - largest).exp()
        total, weighted = total + e.sum(-1, keepdim=True), weighted + e @ vb
    return weighted / total


@misconception(
    "streaming_attention",
    "Where all scores are far below 0 the result is NaN: the largest score so far begins at −∞, and keys that are not there take no part.",
)
def streaming_pads(q, k, v, block_size):
    """Keys filled up to whole blocks: for those exp(0 − largest) can be infinite, and ∞ · 0 is NaN."""
    if block_size < 1:
        raise ValueError("block_size")
    n, left = k.shape[-2], -k.shape[-2] % block_size
    keys, values = (F.pad(x, (0, 0, 0, left)).unflatten(-2, (-1, block_size)) for x in (k, v))
    largest = functools.reduce(torch.maximum, ((q @ b.mT).amax(-1, keepdim=True) for b in k.split(block_size, -2)))
    total, weighted = torch.zeros_like(largest), q.new_zeros(*q.shape[:-1], v.shape[-1])
    for i in range(keys.shape[-3]):
        real = torch.arange(block_size, device=q.device) + i * block_size < n
        e = ((q @ keys[..., i, :, :].mT - largest) / math.sqrt(q.shape[-1])).exp() * real
        total, weighted = total + e.sum(-1, keepdim=True), weighted + e @ values[..., i, :, :]
    return weighted / total


@misconception("query_key_value", "scaled by the width of the model")
def qkv_embedding_scale(x, w_q, w_k, w_v):
    x = x * math.sqrt(x.shape[-1])
    return x @ w_q, x @ w_k, x @ w_v


@misconception("query_key_value", "all heads of a packed product in one")
def qkv_packed_wrong(x, w_q, w_k, w_v):
    return tuple((x @ torch.cat([w_q, w_k, w_v], -1)).split([w_v.shape[-1], w_k.shape[-1], w_q.shape[-1]], -1))


@misconception("attention_scores", "negative distance instead of a product")
def scores_distance(q, k):
    return -torch.cdist(q, k) / math.sqrt(q.shape[-1])


@misconception("attention_scores", "scaled by the fourth root")
def scores_fourth_root(q, k):
    return (q / q.shape[-1] ** 0.25) @ k.mT


@misconception("causal_mask", "an anti-diagonal triangle")
def causal_flipped(n, device=None):
    return torch.ones(n, n, dtype=torch.bool, device=device).tril().flip(1)


@misconception("causal_mask", "a batch dimension in front")
def causal_with_batch(n, device=None):
    return torch.ones(n, n, dtype=torch.bool, device=device).tril()[None]


@misconception("padding_mask", "both queries and keys are hidden")
def padding_square(lengths, n):
    real = torch.arange(n, device=lengths.device) < lengths[..., None]
    return real[..., :, None] & real[..., None, :]


@misconception("padding_mask", "bytes instead of booleans")
def padding_bytes(lengths, n):
    return (torch.arange(n, device=lengths.device) < lengths[..., None, None]).byte()


@misconception("scaled_dot_product_attention", "The division by √d_k comes after the softmax; it belongs to the scores.")
def attention_scaled_after(q, k, v, mask=None):
    o, w = att(q * math.sqrt(q.shape[-1]), k, v, mask)
    return o / math.sqrt(q.shape[-1]), w / math.sqrt(q.shape[-1])


@misconception("scaled_dot_product_attention", "The mask is added to the scores as 0 and 1; forbidden scores must become −∞.")
def attention_mask_added(q, k, v, mask=None):
    s = q @ k.mT / math.sqrt(q.shape[-1])
    w = (s if mask is None else s + mask.to(s.dtype)).softmax(-1)
    return w @ v, w


misconception(
    "SelfAttention",
    "an output projection more",
    replace=("self.causal = causal", "self.causal, self.w_o = causal, nn.Linear(d_k, d_k, bias=False)"),
)
misconception(
    "SelfAttention",
    "the residual inside",
    replace=(
        "return scaled_dot_product_attention(self.w_q(x), self.w_k(x), self.w_v(x), mask)",
        "out, w = scaled_dot_product_attention(self.w_q(x), self.w_k(x), self.w_v(x), mask)\n        return out + self.w_v(x), w",
    ),
)


@misconception("intra_attention_weights", "the summary in place of the new word")
def intra_only_summary(h, x_t, h_tilde, w_h, w_x, w_t, v):
    return (torch.tanh(h @ w_h.mT + 2 * (h_tilde @ w_t.mT)[..., None, :]) @ v).softmax(-1)


@misconception("attention_backward", "the scale in the forward pass alone")
def backward_scale_on_v(q, k, v, g):
    w = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1)
    dw = g @ v.mT
    ds = w * (dw - (w * dw).sum(-1, keepdim=True))
    return ds @ k, ds.mT @ q, w.mT @ g / math.sqrt(q.shape[-1])


@misconception("attention_backward", "the softmax's gradient twice")
def backward_twice(q, k, v, g):
    w = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1)
    ds = g @ v.mT
    for _ in range(2):
        ds = w * (ds - (w * ds).sum(-1, keepdim=True))
    ds = ds / math.sqrt(q.shape[-1])
    return ds @ k, ds.mT @ q, w.mT @ g
