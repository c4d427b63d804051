"""A seventh set of held-out answers to lesson 03: attention and its gradient as public code has them, wrong and right."""

import math

import torch
from torch import nn

from autograde.authoring.strength.mutation import misconception, variant


@variant("attention_scores")
def by_einsum(q, k):
    return torch.einsum("...qd,...kd->...qk", q, k) * q.shape[-1] ** -0.5


@misconception(
    "attention_scores", "The scores are divided by the root of the number of keys; d_k is the length of a key, its last dimension."
)
def root_of_the_length(q, k):
    return q @ k.mT / math.sqrt(k.shape[-2])


@misconception("causal_mask", "The mask is inverted: True means that a word may be attended to.")
def forbidden_is_true(n, device=None):
    return torch.triu(torch.ones(n, n, device=device), diagonal=1).bool()


@misconception("causal_mask", "a mask of floats")
def floats(n, device=None):
    return torch.tril(torch.ones(n, n, device=device))


@variant("causal_mask")
def by_comparison(n, device=None):
    i = torch.arange(n, device=device)
    return i[None, :] <= i[:, None]


@misconception("padding_mask", "The mask is inverted: True means that a word may be attended to.")
def padding_is_true(lengths, n):
    return torch.arange(n, device=lengths.device) >= lengths[..., None, None]


@misconception("padding_mask", "The dimension of the queries is missing: the shape is (..., 1, n).")
def without_the_query_dimension(lengths, n):
    return torch.arange(n, device=lengths.device) < lengths[..., None]


@misconception("scaled_dot_product_attention", "The mask is inverted: True means that a word may be attended to.")
def true_is_forbidden(q, k, v, mask=None):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(mask, -math.inf)
    weights = scores.softmax(-1).nan_to_num(0.0)
    return weights @ v, weights


@misconception(
    "scaled_dot_product_attention",
    "A row that may see nothing attends to everything alike (a large negative number instead of −∞ does that). Its weights are all zero.",
)
def large_negative(q, k, v, mask=None):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(mask == 0, -1e9)
    weights = scores.softmax(-1)
    return weights @ v, weights


@misconception("scaled_dot_product_attention", "masked before the division, with a finite number")
def masked_then_divided(q, k, v, mask=None):
    scores = q @ k.mT
    if mask is not None:
        scores = scores + (~mask) * -1e4
    weights = (scores / q.shape[-1] ** 0.5).softmax(-1)
    return weights @ v, weights


@variant("scaled_dot_product_attention")
def added_bias(q, k, v, mask=None):
    scores = torch.matmul(q, k.transpose(-2, -1)) / math.sqrt(q.size(-1))
    if mask is None:
        weights = torch.softmax(scores, dim=-1)
    else:
        bias = torch.zeros_like(scores).masked_fill(mask.logical_not(), float("-inf"))
        alive = mask.any(-1, keepdim=True)
        weights = torch.softmax((scores + bias).masked_fill(~alive, 0.0), dim=-1) * mask.to(scores.dtype)
    return torch.matmul(weights, v), weights


@misconception("SelfAttention", "the mask of the longest text, kept as a buffer of 5")
class FixedBuffer(nn.Module):
    def __init__(self, d_model, d_k, causal=False):
        super().__init__()
        self.w_q, self.w_k, self.w_v = (nn.Linear(d_model, d_k, bias=False) for _ in range(3))
        self.causal = causal
        self.register_buffer("tril", torch.ones(5, 5).tril().bool(), persistent=False)

    def forward(self, x, mask=None):
        q, k, v = self.w_q(x), self.w_k(x), self.w_v(x)
        if self.causal:
            before = self.tril[: x.shape[-2], : x.shape[-2]]
            mask = before if mask is None else before & mask
        return added_bias(q, k, v, mask)


@misconception("SelfAttention", "scaled by the model's width")
class ScaledByModel(nn.Module):
    def __init__(self, d_model, d_k, causal=False):
        super().__init__()
        self.w_q, self.w_k, self.w_v = (nn.Linear(d_model, d_k, bias=False) for _ in range(3))
        self.causal = causal

    def forward(self, x, mask=None):
        q, k, v = self.w_q(x), self.w_k(x), self.w_v(x)
        if self.causal:
            before = by_comparison(x.shape[-2], x.device)
            mask = before if mask is None else before & mask
        return added_bias(q * math.sqrt(q.shape[-1] / x.shape[-1]), k, v, mask)


@misconception("attention_backward", "The weights are treated as sigmoids, a · (1 − a): a softmax row has the other entries too.")
def diagonal_only(q, k, v, grad_output):
    a = by_einsum(q, k).softmax(-1)
    d_a = grad_output @ v.mT
    d_s = a * (1 - a) * d_a / math.sqrt(q.shape[-1])
    return d_s @ k, d_s.mT @ q, a.mT @ grad_output


@misconception("attention_backward", "The division by √d_k is missing on the way back: dq and dk pass it too.")
def division_forgotten(q, k, v, grad_output):
    a = by_einsum(q, k).softmax(-1)
    d_a = grad_output @ v.mT
    d_s = a * (d_a - (a * d_a).sum(-1, keepdim=True))
    return d_s @ k, d_s.mT @ q, a.mT @ grad_output


@variant("attention_backward")
def through_the_output(q, k, v, grad_output):
    a = by_einsum(q, k).softmax(-1)
    delta = (grad_output * (a @ v)).sum(-1, keepdim=True)
    d_s = a * (grad_output @ v.mT - delta) * q.shape[-1] ** -0.5
    return torch.einsum("...qk,...kd->...qd", d_s, k), torch.einsum("...qk,...qd->...kd", d_s, q), a.mT @ grad_output


@misconception("intra_attention_weights", "The summary of the last step, h_tilde, is not used.")
def without_the_summary(h, x_t, h_tilde, w_h, w_x, w_t, v):
    return (torch.tanh(h @ w_h.mT + (x_t @ w_x.mT)[..., None, :]) @ v).softmax(-1)


@variant("streaming_attention")
def flash_forward(q, k, v, block_size):
    if block_size <= 0:
        raise ValueError(f"block_size = {block_size}")
    scale, out = q.shape[-1] ** -0.5, None
    for start in range(0, k.shape[-2], block_size):
        S = (q * scale) @ k[..., start : start + block_size, :].mT
        m = S.amax(-1, keepdim=True)
        P = (S - m).exp()
        if out is None:
            out, row_max, row_sum = P @ v[..., start : start + block_size, :], m, P.sum(-1, keepdim=True)
            continue
        new = torch.maximum(row_max, m)
        old, here = (row_max - new).exp(), (m - new).exp()
        out, row_sum = out * old + here * (P @ v[..., start : start + block_size, :]), row_sum * old + here * P.sum(-1, keepdim=True)
        row_max = new
    return out / row_sum
