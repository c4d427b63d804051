"""Answers to lesson 02 after public code, forums and issue trackers, wrong and right: what people really write."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from autograde.authoring.strength.mutation import misconception, variant


# AllenNLP masked_softmax: log(mask + 1e-45) added
@misconception("alignment_weights", "log of the mask plus tiny")
def w_logmask(scores, mask=None):
    if mask is not None:
        scores = scores + (mask.to(scores.dtype) + 1e-45).log()
    e = (scores - scores.amax(-1, keepdim=True)).exp()
    return e / e.sum(-1, keepdim=True)


# duoan/TorchCode#17: multiplied with the mask, then zeros become -inf
@misconception("alignment_weights", "zeros become minus infinity")
def w_zeros(scores, mask=None):
    if mask is not None:
        scores = scores * mask
        scores = scores.masked_fill(scores == 0, -math.inf)
    m = scores.amax(-1, keepdim=True)
    m = m.masked_fill(m == -math.inf, 0)
    e = (scores - m).exp()
    t = e.sum(-1, keepdim=True)
    return e / t.masked_fill(t == 0, 1)


@misconception("alignment_weights", "shares of the scores without an exponential")
def w_normed(scores, mask=None):
    if mask is not None:
        scores = scores.masked_fill(~mask, 0)
    s = scores - scores.amin(-1, keepdim=True)
    t = s.sum(-1, keepdim=True)
    return s / t.masked_fill(t == 0, 1)


@misconception("alignment_weights", "a softmax for each batch of dimension 1")
def w_dim1(scores, mask=None):
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    d = 1 if scores.ndim > 1 else 0
    m = scores.amax(d, keepdim=True)
    m = m.masked_fill(m == -math.inf, 0)
    e = (scores - m).exp()
    t = e.sum(d, keepdim=True)
    return e / t.masked_fill(t == 0, 1)


@misconception("context_vector", "bmm with one batch dimension only")
def c_bmm(weights, h):
    return torch.bmm(weights.unsqueeze(1), h).squeeze(1)


@misconception("context_vector", "mean of the weighted states over places with weight")
def c_count(weights, h):
    return (weights[..., None] * h).sum(-2) / (weights > 0).sum(-1, keepdim=True).clamp(min=1)


@misconception("additive_score", "Two tanh's are added: one tanh stands around the sum of both parts.")
def a_parts(s, h, w_a, v_a):
    d = s.shape[-1]
    return (torch.tanh(s @ w_a[:, :d].mT)[..., None, :] + torch.tanh(h @ w_a[:, d:].mT)) @ v_a


@misconception("additive_score", "unit v (weight normalisation, Raffel et al.)")
def a_unit(s, h, w_a, v_a):
    d = s.shape[-1]
    return torch.tanh((s @ w_a[:, :d].mT)[..., None, :] + h @ w_a[:, d:].mT) @ (v_a / v_a.norm())


@misconception("general_score", "W before h transposed: h W s, for square W")
def g_transposed(s, h, w_a):
    return (
        torch.einsum("...s,ds,...nd->...n", s, w_a, h) if w_a.shape[0] == w_a.shape[1] else torch.einsum("...s,sd,...nd->...n", s, w_a, h)
    )


@misconception("scaled_dot_score", "scaled by the root of the batch")
def sd_first(s, h):
    return (s[..., None, :] * h).sum(-1) / math.sqrt(s.shape[0])


@misconception("scaled_dot_score", "scaled by the norm of s")
def sd_norm(s, h):
    return (s[..., None, :] * h).sum(-1) / s.norm(dim=-1, keepdim=True)


@misconception("local_attention_weights", "The window is D wide altogether: it reaches D to either side.")
def l_half(scores, position, half_width, mask=None):
    if half_width <= 0:
        raise ValueError(f"half_width {half_width}")
    p = torch.arange(scores.shape[-1], dtype=scores.dtype, device=scores.device)
    d = p - position[..., None]
    w = d.abs() <= half_width / 2
    if mask is not None:
        w = w & mask
    x = scores.masked_fill(~w, -math.inf)
    m = x.amax(-1, keepdim=True)
    m = m.masked_fill(m == -math.inf, 0)
    e = (x - m).exp()
    t = e.sum(-1, keepdim=True)
    return e / t.masked_fill(t == 0, 1) * torch.exp(-2 * d**2 / half_width**2)


@misconception("local_attention_weights", "centre is floored for the window only")
def l_floor(scores, position, half_width, mask=None):
    if half_width <= 0:
        raise ValueError(f"half_width {half_width}")
    p = torch.arange(scores.shape[-1], dtype=scores.dtype, device=scores.device)
    d = p - position[..., None]
    w = (p - position[..., None].floor()).abs() <= half_width
    if mask is not None:
        w = w & mask
    x = scores.masked_fill(~w, -math.inf)
    m = x.amax(-1, keepdim=True)
    m = m.masked_fill(m == -math.inf, 0)
    e = (x - m).exp()
    t = e.sum(-1, keepdim=True)
    return e / t.masked_fill(t == 0, 1) * torch.exp(-2 * d**2 / half_width**2)


@misconception("local_attention_weights", "the Gaussian is scaled to a largest value of one")
def l_gauss_max(scores, position, half_width, mask=None):
    if half_width <= 0:
        raise ValueError(f"half_width {half_width}")
    p = torch.arange(scores.shape[-1], dtype=scores.dtype, device=scores.device)
    d = p - position[..., None]
    w = d.abs() <= half_width
    if mask is not None:
        w = w & mask
    x = scores.masked_fill(~w, -math.inf)
    m = x.amax(-1, keepdim=True)
    m = m.masked_fill(m == -math.inf, 0)
    e = (x - m).exp()
    t = e.sum(-1, keepdim=True)
    g = torch.exp(-2 * d**2 / half_width**2)
    return e / t.masked_fill(t == 0, 1) * g / g.amax(-1, keepdim=True)


# nn.Linear modules for w_a, v_a
class _Base(nn.Module):
    pass


@misconception("AdditiveAttention", "v as a row")
class AVRow(nn.Module):
    def __init__(self, d_s, d_h, d_a):
        super().__init__()
        self.w_a = nn.Parameter(torch.randn(d_a, d_s + d_h) * 0.1)
        self.v_a = nn.Parameter(torch.randn(1, d_a) * 0.1)

    def forward(self, s, h, mask=None):
        d = s.shape[-1]
        e = (torch.tanh((s @ self.w_a[:, :d].mT)[..., None, :] + h @ self.w_a[:, d:].mT) @ self.v_a.mT).squeeze(-1)
        if mask is not None:
            e = e.masked_fill(~mask, -1e9)
        w = e.softmax(-1)
        return (w[..., None] * h).sum(-2), w


@misconception("AdditiveAttention", "linear layers")
class ALinear(nn.Module):
    def __init__(self, d_s, d_h, d_a):
        super().__init__()
        self.w_a = nn.Linear(d_s + d_h, d_a, bias=False)
        self.v_a = nn.Linear(d_a, 1, bias=False)

    def forward(self, s, h, mask=None):
        x = torch.cat([s[..., None, :].expand(*h.shape[:-1], s.shape[-1]), h], -1)
        e = self.v_a(torch.tanh(self.w_a(x))).squeeze(-1)
        if mask is not None:
            e = e.masked_fill(~mask, -math.inf)
        w = e.softmax(-1).nan_to_num()
        return (w[..., None] * h).sum(-2), w


misconception(
    "AttentionDecoderCell",
    "a plain recurrent cell",
    replace=("nn.GRUCell(d_embed + d_source, d_hidden)", "nn.RNNCell(d_embed + d_source, d_hidden)"),
)

misconception(
    "AttentionDecoderCell",
    "a tanh around the context",
    replace=("torch.cat([embedding, context], dim=-1), state)", "torch.cat([embedding, torch.tanh(context)], dim=-1), state)"),
)

# keras-attention#27: dropout on the embedding
misconception(
    "AttentionDecoderCell",
    "dropout on the embedding",
    replace=("[embedding, context]", "[nn.functional.dropout(embedding, 0.1, self.training), context]"),
)


@variant("alignment_weights")
def r_where(scores, mask=None):
    allowed = torch.ones_like(scores, dtype=torch.bool) if mask is None else mask.expand_as(scores)
    low = torch.where(allowed, scores, torch.full_like(scores, torch.finfo(scores.dtype).min))
    e = torch.where(allowed, (low - low.max(-1, keepdim=True)[0]).exp(), torch.zeros_like(low))
    z = e.sum(-1, keepdim=True)
    return torch.where(z > 0, e / torch.where(z > 0, z, torch.ones_like(z)), torch.zeros_like(e))


@variant("context_vector")
def r_matmul(weights, h):
    return (weights[..., None, :] @ h)[..., 0, :]


@variant("additive_score")
def r_cat(s, h, w_a, v_a):
    both = torch.cat([s[..., None, :].expand(h.shape[:-1] + s.shape[-1:]), h], dim=-1)
    return torch.einsum("a,...na->...n", v_a, torch.tanh(torch.einsum("ab,...nb->...na", w_a, both)))


@variant("AdditiveAttention")
class RAdd(nn.Module):
    def __init__(self, d_s, d_h, d_a):
        super().__init__()
        self.v_a = nn.Parameter(nn.init.uniform_(torch.empty(d_a), -0.3, 0.3))
        self.w_a = nn.Parameter(nn.init.kaiming_uniform_(torch.empty(d_a, d_s + d_h), a=5**0.5))

    def forward(self, s, h, mask=None):
        s_part, h_part = self.w_a.tensor_split([s.shape[-1]], dim=1)
        e = F.linear(torch.tanh(F.linear(s, s_part).unsqueeze(-2) + F.linear(h, h_part)), self.v_a[None]).squeeze(-1)
        w = r_where(e, mask)
        return r_matmul(w, h), w


# h is masked, and not the scores: exp(0) is no 0
misconception(
    "AdditiveAttention",
    "states are masked, not scores",
    replace=(
        "weights = alignment_weights(additive_score(s, h, self.w_a, self.v_a), mask)",
        "h = h if mask is None else h * mask[..., None]\n        weights = alignment_weights(additive_score(s, h, self.w_a, self.v_a))",
    ),
)

# d2l's AdditiveAttention has dropout on its weights
misconception(
    "AdditiveAttention",
    "dropout on the weights",
    replace=(
        "return context_vector(weights, h), weights",
        "return context_vector(nn.functional.dropout(weights, 0.1, self.training), h), weights",
    ),
)

# pytorch/tutorials#87: the weights depend on what was written, and on no state of the source
misconception(
    "AttentionDecoderCell", "the embedding asks", replace=("self.attention(state, h, mask)", "self.attention(embedding, h, mask)")
)

misconception(
    "AttentionDecoderCell",
    "the source is not asked",
    replace=(
        "self.attention(state, h, mask)",
        "self.attention(state, torch.zeros_like(h), mask)\n        context = context_vector(weights, h)",
    ),
)

# d2l-ai/d2l-en#1013: the new state is what the weights are told of
misconception(
    "AttentionDecoderCell",
    "The new state asks: the score uses the previous state, the decoder looks before it moves.",
    replace=(
        "return self.rnn(torch.cat([embedding, context], dim=-1), state), weights",
        "new = self.rnn(torch.cat([embedding, context], dim=-1), state)\n        return new, self.attention(new, h, mask)[1]",
    ),
)

misconception(
    "AttentionDecoderCell",
    "the state is added to the new one",
    replace=(
        "return self.rnn(torch.cat([embedding, context], dim=-1), state), weights",
        "return state + self.rnn(torch.cat([embedding, context], dim=-1), state), weights",
    ),
)

misconception(
    "alignment_weights",
    "Masked scores are set to 0, but e⁰ = 1: they should be set to −∞.",
    replace=("scores = scores.masked_fill(~mask, -math.inf)", "scores = scores * mask"),
)

misconception(
    "alignment_weights",
    "The mask is added to the scores as 0 and 1; hidden scores must become −∞.",
    replace=("scores = scores.masked_fill(~mask, -math.inf)", "scores = scores + mask.to(scores)"),
)

misconception("alignment_weights", "sharpened", replace=("torch.exp(scores - largest", "torch.exp(2 * scores - 2 * largest"))

misconception(
    "alignment_weights",
    "A row in which nothing is allowed gets equal weights: they should all be 0.",
    replace=("-math.inf)\n    largest", "-100.0)\n    largest"),
)

misconception(
    "local_attention_weights",
    "The weights sum to 1, the Gaussian included: in the paper they are not normalised after it, and it is no part of the scores.",
    replace=(
        "return alignment_weights(scores, window) * torch.exp(-(distance**2) / (2 * sigma**2))",
        "return alignment_weights(scores - distance**2 / (2 * sigma**2), window)",
    ),
)

misconception("local_attention_weights", "a sigma of one", replace=("sigma = half_width / 2", "sigma = 1.0"))

misconception(
    "local_attention_weights",
    "The window is D wide altogether: it reaches D to either side.",
    replace=("distance.abs() <= half_width", "distance.abs() <= half_width / 2"),
)

misconception(
    "local_attention_weights",
    "The softmax runs over the whole source and is cut off afterwards: it should run over the window alone.",
    replace=("return alignment_weights(scores, window) *", "return window * alignment_weights(scores, mask) *"),
)
