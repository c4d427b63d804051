"""Held-out answers to lesson 02, wrong and right: none of them is among the known ones."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from autograde.authoring.strength.mutation import misconception, variant


def sm(scores, mask=None):
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    m = scores.amax(-1, keepdim=True)
    m = m.masked_fill(m == -math.inf, 0)
    e = (scores - m).exp()
    t = e.sum(-1, keepdim=True)
    return e / t.masked_fill(t == 0, 1)


@misconception("alignment_weights", "clamp scores")
def clamp_scores(scores, mask=None):
    return sm(scores.clamp(-50, 50), mask)


@misconception("alignment_weights", "underflow min")
def underflow_min(scores, mask=None):
    m = scores.amin(-1, keepdim=True)
    e = (scores - m).exp()
    if mask is not None:
        e = e * mask
    t = e.sum(-1, keepdim=True)
    return torch.where(t > 0, e / t, torch.zeros_like(e))


@misconception("alignment_weights", "mean shift")
def mean_shift(scores, mask=None):
    m = scores.mean(-1, keepdim=True)
    e = (scores - m).exp()
    if mask is not None:
        e = e * mask
    t = e.sum(-1, keepdim=True)
    return e / t.clamp(min=1e-30)


@misconception("alignment_weights", "mask filled minus 1e4")
def mask_filled_minus_1e4(scores, mask=None):
    if mask is None:
        return sm(scores)
    w = sm(scores.masked_fill(~mask, -1e4))
    return w * mask.any(-1, keepdim=True)


@misconception("alignment_weights", "mask inverted in place")
def mask_inverted_in_place(scores, mask=None):
    if mask is None:
        return sm(scores)
    w = sm(scores, mask.clone())
    mask.logical_not_()
    return w


@variant("alignment_weights")
def nan_grad_where(scores, mask=None):
    if mask is None:
        return sm(scores)
    w = scores.masked_fill(~mask, -math.inf)
    m = w.amax(-1, keepdim=True)
    e = (w - m).exp()
    return torch.where(mask.expand_as(e), e / e.sum(-1, keepdim=True), torch.zeros_like(e))


@misconception("alignment_weights", "first 500")
def first_500(scores, mask=None):
    w = sm(scores[..., :500], None if mask is None else mask[..., :500])
    return F.pad(w, (0, scores.shape[-1] - w.shape[-1]))


@misconception("alignment_weights", "drop small")
def drop_small(scores, mask=None):
    w = sm(scores, mask)
    return torch.where(w < 1e-6, torch.zeros_like(w), w)


@misconception("context_vector", "ctx float")
def ctx_float(weights, h):
    return torch.einsum("...n,...nd->...d", weights.float(), h.float()).to(h.dtype)


@misconception("context_vector", "ctx top")
def ctx_top(weights, h):
    w = torch.where(weights < 1e-3, torch.zeros_like(weights), weights)
    return (w[..., None] * h).sum(-2)


@misconception("context_vector", "ctx inplace weights")
def ctx_inplace_weights(weights, h):
    out = (weights[..., None] * h).sum(-2)
    weights /= weights.sum(-1, keepdim=True)
    return out


@misconception("content_based_score", "cos eps")
def cos_eps(s, h):
    return (s[..., None, :] * h).sum(-1) / (s.norm(dim=-1, keepdim=True) * h.norm(dim=-1) + 1e-6)


@misconception("content_based_score", "cos clamped")
def cos_clamped(s, h):
    return F.cosine_similarity(s[..., None, :], h, dim=-1, eps=1e-4)


@misconception("content_based_score", "cos underflow")
def cos_underflow(s, h):
    d = ((s * s).sum(-1, keepdim=True) * (h * h).sum(-1)).sqrt()
    return torch.where(d > 0, (s[..., None, :] * h).sum(-1) / d.clamp(min=1e-38), torch.zeros_like(d))


@misconception("content_based_score", "cos nan grad")
def cos_nan_grad(s, h):
    x = (s[..., None, :] * h).sum(-1) / (s.norm(dim=-1, keepdim=True) * h.norm(dim=-1))
    return x.nan_to_num()


@misconception("content_based_score", "cos clip")
def cos_clip(s, h):
    def u(x):
        return x / x.norm(dim=-1, keepdim=True).clamp(min=1e-12)

    return (u(s)[..., None, :] * u(h)).sum(-1).clamp(0, 1)


@misconception("additive_score", "add relu tanh")
def add_relu_tanh(s, h, w_a, v_a):
    d = s.shape[-1]
    return ((s @ w_a[:, :d].mT)[..., None, :] + h @ w_a[:, d:].mT).clamp(-1, 1) @ v_a


@misconception("additive_score", "add split half")
def add_split_half(s, h, w_a, v_a):
    d = w_a.shape[1] // 2
    if s.shape[-1] != d:
        d = s.shape[-1]
    return torch.tanh((s @ w_a[:, :d].mT)[..., None, :] + h @ w_a[:, d:].mT) @ v_a.abs()


@misconception("predict_position", "The sigmoid is multiplied by length − 1: in the paper it is the length.")
def pos_minus1(s, w_p, v_p, lengths):
    return (lengths - 1).clamp(min=0) * torch.sigmoid(torch.tanh(s @ w_p.mT) @ v_p)


@misconception("predict_position", "pos sigmoid unstable")
def pos_sigmoid_unstable(s, w_p, v_p, lengths):
    x = torch.tanh(s @ w_p.mT) @ v_p
    return lengths * x.exp() / (1 + x.exp())


@misconception("predict_position", "pos half lengths")
def pos_half_lengths(s, w_p, v_p, lengths):
    return lengths.to(torch.float16).to(s.dtype) * torch.sigmoid(torch.tanh(s @ w_p.mT) @ v_p)


@misconception("local_attention_weights", "local int sigma")
def local_int_sigma(scores, position, half_width, mask=None):
    if half_width <= 0:
        raise ValueError(f"half_width {half_width}")
    p = torch.arange(scores.shape[-1], dtype=scores.dtype)
    d = p - position[..., None]
    w = d.abs() <= half_width
    if mask is not None:
        w = w & mask
    sg = max(1, half_width // 2)
    return sm(scores, w) * torch.exp(-(d**2) / (2 * sg**2))


@misconception("local_attention_weights", "local mask in place")
def local_mask_in_place(scores, position, half_width, mask=None):
    if half_width <= 0:
        raise ValueError(f"half_width {half_width}")
    p = torch.arange(scores.shape[-1], dtype=scores.dtype)
    d = p - position[..., None]
    w = d.abs() <= half_width
    if mask is not None:
        mask &= w
        w = mask
    return sm(scores, w) * torch.exp(-(d**2) / (half_width**2 / 2))


@misconception("local_attention_weights", "local fixed buffer")
def local_fixed_buffer(scores, position, half_width, mask=None):
    if half_width <= 0:
        raise ValueError(f"half_width {half_width}")
    p = torch.arange(64, dtype=scores.dtype)[: scores.shape[-1]]
    p = F.pad(p, (0, scores.shape[-1] - len(p)), value=1e9)
    d = p - position[..., None]
    w = d.abs() <= half_width
    if mask is not None:
        w = w & mask
    return sm(scores, w) * torch.exp(-(d**2) / (half_width**2 / 2))


@misconception("local_attention_weights", "local error for neg only")
def local_error_for_neg_only(scores, position, half_width, mask=None):
    if half_width < 0:
        raise ValueError(f"half_width {half_width}")
    half_width = max(half_width, 1)
    p = torch.arange(scores.shape[-1], dtype=scores.dtype)
    d = p - position[..., None]
    w = d.abs() <= half_width
    if mask is not None:
        w = w & mask
    return sm(scores, w) * torch.exp(-(d**2) / (half_width**2 / 2))


@misconception("local_attention_weights", "local clamped position")
def local_clamped_position(scores, position, half_width, mask=None):
    if half_width <= 0:
        raise ValueError(f"half_width {half_width}")
    p = torch.arange(scores.shape[-1], dtype=scores.dtype)
    d = p - position[..., None].clamp(half_width, max(half_width, scores.shape[-1] - half_width))
    w = d.abs() <= half_width
    if mask is not None:
        w = w & mask
    return sm(scores, w) * torch.exp(-(d**2) / (half_width**2 / 2))


misconception(
    "AdditiveAttention",
    "wrong init same numbers each time",
    replace=("nn.init.xavier_uniform_(self.w_a)", "nn.init.xavier_uniform_(self.w_a, generator=torch.Generator().manual_seed(0))"),
)

misconception(
    "AdditiveAttention",
    "v is a buffer",
    replace=("self.v_a = nn.Parameter(torch.empty(d_a))", "self.register_buffer('v_a', torch.empty(d_a))"),
)

misconception(
    "AdditiveAttention",
    "requires_grad False",
    replace=("self.v_a = nn.Parameter(torch.empty(d_a))", "self.v_a = nn.Parameter(torch.empty(d_a), requires_grad=False)"),
)

misconception(
    "AdditiveAttention",
    "keeps last weights context stale",
    replace=(
        "        return context_vector(weights, h), weights",
        "        self.last = getattr(self, 'last', h) if getattr(self, 'last', h).shape == h.shape else h\n        return context_vector(weights, self.last), weights",
    ),
)

misconception(
    "AttentionDecoderCell",
    "rnn bias off",
    replace=("nn.GRUCell(d_embed + d_source, d_hidden)", "nn.GRUCell(d_embed + d_source, d_hidden, bias=False)"),
)

misconception(
    "AttentionDecoderCell",
    "state changed in place",
    replace=(
        "return self.rnn(torch.cat([embedding, context], dim=-1), state), weights",
        "new = self.rnn(torch.cat([embedding, context], dim=-1), state)\n        with torch.no_grad():\n            state.copy_(new)\n        return new, weights",
    ),
)


@misconception("monotonic_local_weights", "There is no window: every step attends to the whole source.")
def mono_square(scores, half_width):
    n = scores.shape[-1]
    w = torch.ones(n, n, dtype=torch.bool).tril(half_width).triu(-half_width)
    return sm(scores, w[: scores.shape[-2]].expand(scores.shape) if scores.shape[-2] <= n else None)


@variant("alignment_weights")
def right_logsumexp(scores, mask=None):
    if mask is None:
        return torch.exp(scores - torch.logsumexp(scores, -1, keepdim=True))
    bias = torch.zeros_like(scores).masked_fill_(~mask.expand_as(scores), -1e30)
    s = torch.where(mask, scores, bias)
    w = torch.exp(s - torch.logsumexp(s, -1, keepdim=True))
    return torch.where(mask, w, torch.zeros((), dtype=w.dtype, device=w.device))


@variant("alignment_weights")
def right_multiplicative(scores, mask=None):
    keep = torch.ones_like(scores) if mask is None else mask.to(scores).expand_as(scores)
    safe = scores.detach().masked_fill(keep == 0, torch.finfo(scores.dtype).min).max(dim=-1, keepdim=True).values
    e = torch.exp(torch.where(keep > 0, scores - safe, torch.full_like(scores, -80.0))) * keep
    z = e.sum(-1, keepdim=True)
    return e / (z + (z == 0))


@variant("context_vector")
def right_baddbmm(weights, h):
    return torch.matmul(h.mT, weights.unsqueeze(-1)).squeeze(-1)


@variant("content_based_score")
def right_hyp(s, h):
    def unit(x):
        m = x.abs().amax(-1, keepdim=True)
        y = x / torch.where(m == 0, torch.ones_like(m), m)
        n2 = (y * y).sum(-1, keepdim=True)
        return y * torch.rsqrt(torch.where(n2 == 0, torch.ones_like(n2), n2))

    return torch.einsum("...d,...nd->...n", unit(s), unit(h))


@variant("additive_score")
def right_linear(s, h, w_a, v_a):
    S = s.unsqueeze(-2).expand(*h.shape[:-1], s.shape[-1])
    return F.linear(torch.tanh(F.linear(torch.cat((S, h), -1), w_a)), v_a.unsqueeze(0)).squeeze(-1)


@variant("general_score")
def right_bilinear(s, h, w_a):
    return ((s @ w_a).unsqueeze(-2) @ h.mT).squeeze(-2)


@variant("local_attention_weights")
def right_loop(scores, position, half_width, mask=None):
    if half_width < 1:
        raise ValueError(f"half_width={half_width}")
    n = scores.shape[-1]
    idx = torch.arange(n, device=scores.device)
    off = (idx - position.unsqueeze(-1)) / (half_width / 2)
    ok = (off.abs() <= 2) if mask is None else (off.abs() <= 2) & mask
    low = scores.masked_fill(~ok, torch.finfo(scores.dtype).min)
    e = (low - low.max(-1, keepdim=True).values).exp() * ok
    return e / e.sum(-1, keepdim=True).clamp(min=torch.finfo(scores.dtype).tiny) * (-off.square() / 2).exp()


@variant("AdditiveAttention")
class RModule(nn.Module):
    def __init__(self, d_s, d_h, d_a):
        super().__init__()
        self.register_parameter("w_a", nn.Parameter(torch.randn(d_a, d_s + d_h) * 0.1))
        self.register_parameter("v_a", nn.Parameter(torch.rand(d_a) - 0.5))

    def forward(self, s, h, mask=None):
        ws, wh = self.w_a.split([s.shape[-1], h.shape[-1]], dim=1)
        e = (torch.tanh((s @ ws.t()).unsqueeze(-2) + h @ wh.t()) * self.v_a).sum(-1)
        w = sm(e, mask)
        return torch.einsum("...n,...nd->...d", w, h), w


misconception(
    "alignment_weights",
    "sharper: base 2",
    replace=(
        "torch.exp(scores - largest.masked_fill(largest == -math.inf, 0.0))",
        "torch.exp2(scores - largest.masked_fill(largest == -math.inf, 0.0))",
    ),
)
misconception(
    "alignment_weights", "sigmoids", replace=("torch.exp(scores - largest.masked_fill(largest == -math.inf, 0.0))", "torch.sigmoid(scores)")
)
misconception("context_vector", "weights reversed", replace=("weights[..., None] * h", "weights.flip(-1)[..., None] * h"))
misconception("context_vector", "the root of the weights", replace=("weights[..., None] * h", "weights.sqrt()[..., None] * h"))
misconception(
    "content_based_score",
    "an angle",
    replace=(
        "return (unit(s)[..., None, :] * unit(h)).sum(dim=-1)",
        "return (unit(s)[..., None, :] * unit(h)).sum(dim=-1).clamp(-1, 1).acos()",
    ),
)
misconception(
    "content_based_score",
    "unit vectors by the sum",
    replace=("scaled / scaled.norm(dim=-1, keepdim=True).clamp(min=1.0)", "scaled / scaled.abs().sum(dim=-1, keepdim=True).clamp(min=1.0)"),
)
misconception("additive_score", "a product of both parts", replace=("from_s[..., None, :] + from_h", "from_s[..., None, :] * from_h"))
misconception("additive_score", "divided by the root of d_a", replace=("@ v_a", "@ v_a / v_a.shape[-1] ** 0.5"))
misconception("location_score", "scaled", replace=("return s @ w_a.mT", "return s @ w_a.mT / s.shape[-1] ** 0.5"))
misconception("location_score", "sigmoid", replace=("return s @ w_a.mT", "return torch.sigmoid(s @ w_a.mT)"))
misconception("general_score", "symmetric", replace=("s, w_a, h)", "s, (w_a + w_a.new_ones(w_a.shape)) / 2, h)"))
misconception(
    "general_score", "the matrix on both", replace=('"...s,sd,...nd->...n", s, w_a, h)', '"...s,sd,...nd->...n", s, w_a * w_a, h)')
)
misconception("dot_score", "the absolute product", replace=(".sum(dim=-1)", ".sum(dim=-1).abs()"))
misconception("dot_score", "the largest product", replace=(".sum(dim=-1)", ".amax(dim=-1)"))
misconception("scaled_dot_score", "the scale of s and h", replace=("math.sqrt(h.shape[-1])", "(h.shape[-1] + s.shape[-1]) ** 0.5"))
misconception("scaled_dot_score", "the fourth root", replace=("math.sqrt(h.shape[-1])", "h.shape[-1] ** 0.25"))
misconception("predict_position", "from one to the length", replace=("lengths * torch.sigmoid", "1 + (lengths - 1) * torch.sigmoid"))
misconception(
    "predict_position",
    "tanh between -1 and 1",
    replace=("torch.sigmoid(torch.tanh(s @ w_p.mT) @ v_p)", "(torch.tanh(torch.tanh(s @ w_p.mT) @ v_p) + 1) / 2"),
)
misconception("local_attention_weights", "sigma is D over four", replace=("sigma = half_width / 2", "sigma = half_width / 4"))
misconception("local_attention_weights", "the square is missing", replace=("-(distance**2)", "-distance.abs()"))
misconception(
    "AdditiveAttention",
    "the context of the previous weights",
    replace=("return context_vector(weights, h), weights", "return context_vector(weights, h.roll(1, -2)), weights"),
)
misconception(
    "AdditiveAttention", "weights of the negative score", replace=("alignment_weights(additive_score", "alignment_weights(-additive_score")
)
misconception(
    "AttentionDecoderCell",
    "the context added to the state",
    replace=("dim=-1), state), weights", "dim=-1), state + context.mean(-1, keepdim=True)), weights"),
)
misconception(
    "AttentionDecoderCell",
    "asked by the embedding's padding",
    replace=("self.attention(state, h, mask)", "self.attention(torch.zeros_like(state), h, mask)"),
)
