"""A third set of held-out answers to lesson 03: habits of other courses' code, wrong and right."""

import functools
import math

import torch
from torch import nn
from torch.nn import functional as F

from autograde.authoring.strength.mutation import misconception, variant


def attend(scores, v, mask=None):
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    weights = scores.softmax(-1)
    if mask is not None:
        weights = weights.masked_fill(~mask, 0.0)
    return weights @ v, weights


@misconception("query_key_value", "the projections share one bias of ones")
def with_bias(x, w_q, w_k, w_v):
    return x @ w_q + 1e-3, x @ w_k + 1e-3, x @ w_v + 1e-3


@misconception("query_key_value", "a layer norm before the projections")
def layer_norm_first(x, w_q, w_k, w_v):
    x = F.layer_norm(x, x.shape[-1:])
    return x @ w_q, x @ w_k, x @ w_v


@misconception("attention_scores", "clipped with a tanh, as in pointer networks and Gemma 2")
def soft_capped(q, k):
    return 30 * torch.tanh(q @ k.mT / math.sqrt(q.shape[-1]) / 30)


@misconception("attention_scores", "the root of the batch's size")
def root_of_the_first_dimension(q, k):
    return q @ k.mT / math.sqrt(q.shape[0])


@misconception("attention_scores", "rounded to half precision")
def in_half(q, k):
    return (q @ k.mT / math.sqrt(q.shape[-1])).half().to(q.dtype)


@misconception("causal_mask", "the first word sees all")
def prefix_row(n, device=None):
    mask = torch.ones(n, n, dtype=torch.bool, device=device).tril()
    mask[:1] = True
    return mask


@misconception("causal_mask", "made for 512 words at most")
def at_most_512(n, device=None):
    return torch.ones(512, 512, dtype=torch.bool, device=device).tril()[:n, :n]


@misconception("padding_mask", "a sentence has at least one word")
def at_least_one(lengths, n):
    return torch.arange(n, device=lengths.device) < lengths.clamp(min=1)[..., None, None]


@misconception("padding_mask", "expanded to n × n")
def expanded(lengths, n):
    mask = torch.arange(n, device=lengths.device) < lengths[..., None, None]
    return mask.expand(*mask.shape[:-2], n, n)


@misconception(
    "scaled_dot_product_attention",
    "A row that may see nothing attends to everything alike (a large negative number instead of −∞ does that). Its weights are all zero.",
)
def empty_rows_uniform(q, k, v, mask=None):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    weights = scores.softmax(-1)
    return weights @ v, weights


@misconception("scaled_dot_product_attention", "the softmax has one more place, as in 'attention is off by one'")
def softmax_plus_one(q, k, v, mask=None):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    top = scores.amax(-1, keepdim=True).clamp(min=0)
    terms = (scores - top).exp()
    weights = terms / (terms.sum(-1, keepdim=True) + (-top).exp())
    return weights @ v, weights


@misconception("scaled_dot_product_attention", "only the four best keys")
def top_keys(q, k, v, mask=None):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    least = scores.topk(min(4, scores.shape[-1])).values[..., -1:]
    return attend(scores.masked_fill(scores < least, -torch.inf), v, mask)


@misconception("scaled_dot_product_attention", "a word always sees itself, whatever the mask says")
def diagonal_always_seen(q, k, v, mask=None):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None and scores.shape[-1] == scores.shape[-2]:
        mask = mask | torch.eye(scores.shape[-1], dtype=torch.bool, device=q.device)
    return attend(scores, v, mask)


@misconception("SelfAttention", "the causal mask is cut from a buffer of 8 words")
class SmallBuffer(nn.Module):
    def __init__(self, d_model, d_k, causal=False):
        super().__init__()
        self.w_q, self.w_k, self.w_v = (nn.Linear(d_model, d_k, bias=False) for _ in range(3))
        self.causal = causal
        self.register_buffer("seen", torch.ones(8, 8, dtype=torch.bool).tril(), persistent=False)

    def forward(self, x, mask=None):
        q, k, v = self.w_q(x), self.w_k(x), self.w_v(x)
        n = x.shape[-2]
        if self.causal:
            mask = self.seen[:n, :n] if mask is None else self.seen[:n, :n] & mask
        return attend(q @ k.mT / math.sqrt(q.shape[-1]), v, mask)


@misconception("SelfAttention", "The masks are joined by `|`: a word may be seen where both masks allow it, not where one does.")
class EitherMask(SmallBuffer):
    def forward(self, x, mask=None):
        q, k, v = self.w_q(x), self.w_k(x), self.w_v(x)
        n = x.shape[-2]
        if self.causal:
            seen = torch.ones(n, n, dtype=torch.bool, device=x.device).tril()
            mask = seen if mask is None else seen | mask
        return attend(q @ k.mT / math.sqrt(q.shape[-1]), v, mask)


@misconception("intra_attention_weights", "the states are compared with themselves: h in the place of x")
def states_twice(h, x_t, h_tilde, w_h, w_x, w_t, v):
    hidden = torch.tanh(2 * (h @ w_h.mT) + (h_tilde @ w_t.mT)[..., None, :])
    return (hidden @ v).softmax(-1)


@misconception("attention_backward", "The average is unweighted; it is the average under the attention weights.")
def plain_average(q, k, v, g):
    scale = 1 / math.sqrt(q.shape[-1])
    weights = (q @ k.mT * scale).softmax(-1)
    d_weights = g @ v.mT
    d_scores = weights * (d_weights - d_weights.mean(-1, keepdim=True)) * scale
    return d_scores @ k, d_scores.mT @ q, weights.mT @ g


@misconception("attention_backward", "dk is dq's product with q in the place of k")
def dk_from_dq(q, k, v, g):
    scale = 1 / math.sqrt(q.shape[-1])
    weights = (q @ k.mT * scale).softmax(-1)
    d_weights = g @ v.mT
    d_scores = weights * (d_weights - (weights * d_weights).sum(-1, keepdim=True)) * scale
    return d_scores @ k, (d_scores @ d_scores.mT) @ q if d_scores.shape[-1] == d_scores.shape[-2] else d_scores.mT @ q * 2, weights.mT @ g


# right


@variant("attention_scores")
def by_columns(q, k):
    return torch.stack([torch.einsum("...id,...d->...i", q, key) for key in k.unbind(-2)], dim=-1) * q.shape[-1] ** -0.5


@variant("scaled_dot_product_attention")
def with_logsumexp(q, k, v, mask=None):
    scores = torch.einsum("...qd,...kd->...qk", q, k).div(math.sqrt(q.shape[-1]))
    if mask is None:
        weights = (scores - scores.logsumexp(-1, keepdim=True)).exp()
    else:
        low = torch.finfo(scores.dtype).min
        scores = torch.where(mask, scores, low)
        weights = (scores - scores.logsumexp(-1, keepdim=True)).exp() * mask
    return torch.einsum("...qk,...kd->...qd", weights, v), weights


@variant("scaled_dot_product_attention")
def stepwise_in_own_buffers(q, k, v, mask=None):
    scores = q.matmul(k.transpose(-1, -2))
    scores = scores.mul(scores.new_tensor(k.shape[-1]).rsqrt())
    if mask is not None:
        hidden = mask.logical_not().expand(scores.shape)
        scores = scores.clone().masked_fill_(hidden, float("-inf"))
    weights = torch.softmax(scores, -1)
    if mask is not None:
        weights = torch.where(hidden, torch.zeros_like(weights), weights)
    return (weights.matmul(v), weights)


@variant("SelfAttention")
class AddedModules(nn.Module):
    def __init__(self, d_model, d_k, causal=False):
        super().__init__()
        for name in ("w_q", "w_k", "w_v"):
            self.add_module(name, nn.Linear(d_model, d_k, False))
        self.causal, self.scale = causal, d_k**-0.5

    def forward(self, x, mask=None):
        q, k, v = (layer(x) for layer in (self.w_q, self.w_k, self.w_v))
        place = torch.arange(x.size(-2), device=x.device)
        allowed = torch.full_like(place[:, None] - place, not self.causal, dtype=torch.bool) | (place <= place[:, None])
        allowed = allowed if mask is None else torch.logical_and(allowed, mask)
        scores = torch.where(allowed, q @ k.mT * self.scale, torch.tensor(-torch.inf, dtype=q.dtype, device=q.device))
        weights = scores.softmax(-1).masked_fill(~allowed, 0)
        return weights @ v, weights


@variant("attention_backward")
def by_einsum_alone(q, k, v, g):
    scale = q.shape[-1] ** -0.5
    weights = torch.einsum("...id,...jd->...ij", q * scale, k).softmax(-1)
    d_a = torch.einsum("...id,...jd->...ij", g, v)
    output = torch.einsum("...ij,...jd->...id", weights, v)
    d_s = weights * (d_a - torch.einsum("...id,...id->...i", g, output)[..., None])
    return scale * d_s @ k, scale * d_s.transpose(-1, -2) @ q, weights.transpose(-1, -2) @ g


@variant("streaming_attention")
def two_passes(q, k, v, block_size):
    if block_size <= 0:
        raise ValueError("block_size must be positive")
    starts = range(0, k.shape[-2], block_size)
    scale = q.shape[-1] ** -0.5

    def scores(at):
        return q @ k[..., at : at + block_size, :].mT * scale

    top = functools.reduce(torch.maximum, (scores(at).amax(-1, keepdim=True) for at in starts))
    total = sum((scores(at) - top).exp().sum(-1, keepdim=True) for at in starts)
    return sum(((scores(at) - top).exp() / total) @ v[..., at : at + block_size, :] for at in starts)


@variant("padding_mask")
def by_cumulated_ones(lengths, n):
    ones = torch.ones((*lengths.shape, 1, n), dtype=torch.int64, device=lengths.device)
    return ones.cumsum(-1).le(lengths[..., None, None])
