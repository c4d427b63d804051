"""Further answers to lesson 02 that the known mistakes do not name, and unusual right ones."""

import dataclasses
import functools
import math

import numpy as np
import torch
from torch import nn

from autograde.authoring.strength.mutation import misconception, variant


@misconception("alignment_weights", "the largest score is taken over the whole batch of masked scores")
def w_batch_max(scores, mask=None):
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    top = scores.max()
    top = top if top > -math.inf else scores.new_zeros(())
    e = (scores - top).exp()
    total = e.sum(-1, keepdim=True)
    return e / total.masked_fill(total == 0, 1.0)


@misconception("alignment_weights", "scores are clamped from below")
def w_clamped_below(scores, mask=None):
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    largest = scores.amax(-1, keepdim=True)
    e = (scores - largest.masked_fill(largest == -math.inf, 0)).clamp(min=-20).exp()
    if mask is not None:
        e = e * mask
    total = e.sum(-1, keepdim=True)
    return e / total.masked_fill(total == 0, 1.0)


@misconception("alignment_weights", "minus infinity where no row has anything to attend to")
def w_rows_only(scores, mask=None):
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
        alive = mask.any(-1)
        out = torch.zeros_like(scores)
        rows = scores[alive]
        e = (rows - rows.amax(-1, keepdim=True)).exp()
        out[alive] = e / e.sum(-1, keepdim=True)
        return out if alive.any() else scores
    e = (scores - scores.amax(-1, keepdim=True)).exp()
    return e / e.sum(-1, keepdim=True)


@misconception("alignment_weights", "The largest score is looked for among masked positions too: a huge one there drowns all the others.")
def w_epsilon_again(scores, mask=None):
    e = (scores - scores.amax(-1, keepdim=True)).exp()
    if mask is not None:
        e = e * mask.float()
    return e / (e.sum(-1, keepdim=True) + 1e-9)


@misconception("alignment_weights", "an empty row attends to its first position")
def w_first_if_empty(scores, mask=None):
    if mask is not None:
        mask = mask.clone()
        mask[..., 0] |= ~mask.any(-1)
        scores = scores.masked_fill(~mask, -math.inf)
    e = (scores - scores.amax(-1, keepdim=True)).exp()
    return e / e.sum(-1, keepdim=True)


@misconception("alignment_weights", "the weights are those of numpy, without a gradient")
def w_numpy(scores, mask=None):
    a = scores.detach().numpy().copy()
    if mask is not None:
        a[~mask.numpy()] = -np.inf
    top = a.max(-1, keepdims=True)
    e = np.exp(a - np.where(np.isinf(top), 0, top))
    total = e.sum(-1, keepdims=True)
    return torch.from_numpy(e / np.where(total == 0, 1, total))


@misconception("alignment_weights", "rounded to four digits")
def w_rounded(scores, mask=None):
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    largest = scores.amax(-1, keepdim=True)
    e = (scores - largest.masked_fill(largest == -math.inf, 0)).exp()
    total = e.sum(-1, keepdim=True)
    return (e / total.masked_fill(total == 0, 1.0)).round(decimals=4)


@variant("alignment_weights")
def w_by_recursion(scores, mask=None):
    """One row at a time, by a recursion over the batch dimensions."""
    if scores.ndim > 1:
        masks = [None] * len(scores) if mask is None else mask.expand(scores.shape)
        parts = [w_by_recursion(row, allowed) for row, allowed in zip(scores, masks)]
        return torch.stack(parts) if parts else scores.clone()
    allowed = torch.ones_like(scores, dtype=torch.bool) if mask is None else mask
    if not bool(allowed.any()):
        return scores * 0 if bool(scores.isfinite().all()) else torch.zeros_like(scores)
    kept = scores[allowed]
    e = torch.exp(kept - kept.max())
    return torch.zeros_like(scores).masked_scatter(allowed, e / e.sum())


@variant("alignment_weights")
def w_by_tanh(scores, mask=None):
    """Each weight is 1 / Σ exp(s_j − s_i), written with a where."""
    allowed = torch.ones_like(scores, dtype=torch.bool) if mask is None else mask.expand(scores.shape)
    low = torch.finfo(scores.dtype).min
    top = torch.where(allowed, scores, low).amax(-1, keepdim=True)
    e = torch.where(allowed, torch.where(allowed, scores - top, 0.0).exp(), 0.0)
    total = e.sum(-1, keepdim=True)
    return torch.where(total > 0, e / torch.where(total > 0, total, 1.0), 0.0)


@misconception("context_vector", "the weights multiply the first dimension of the states")
def c_first(weights, h):
    return (weights.reshape(*weights.shape, *[1] * (h.ndim - weights.ndim)) * h).sum(0)


@misconception("context_vector", "an outer product")
def c_outer(weights, h):
    return weights[..., None, :] * h.sum(-2)[..., :, None]


@misconception("context_vector", "the largest product of each feature")
def c_max(weights, h):
    return (weights[..., None] * h).amax(-2)


@misconception("context_vector", "a context of the first sentence for all")
def c_first_sentence(weights, h):
    while h.ndim > 2:
        h = h[0]
    return weights @ h


@variant("context_vector")
def c_by_einsum(weights, h):
    return torch.einsum("...n,...nd->...d", weights, h)


@variant("context_vector")
def c_by_vmap(weights, h):
    flat = torch.vmap(lambda w, states: w @ states)(weights.reshape(-1, weights.shape[-1]), h.reshape(-1, *h.shape[-2:]))
    return flat.reshape(*h.shape[:-2], h.shape[-1])


@variant("context_vector")
def c_by_reduce(weights, h):
    return functools.reduce(torch.add, [weights[..., i, None] * h[..., i, :] for i in range(h.shape[-2])])


@misconception("content_based_score", "the cosine of the sum")
def cos_sum(s, h):
    both = s[..., None, :] + h
    return torch.nn.functional.cosine_similarity(s[..., None, :].expand(both.shape), both, dim=-1)


@misconception("content_based_score", "centred first: a correlation")
def cos_centred(s, h):
    s = s - s.mean(-1, keepdim=True)
    h = h - h.mean(-1, keepdim=True)
    return torch.nn.functional.cosine_similarity(s[..., None, :], h, dim=-1)


@misconception("content_based_score", "a distance of unit vectors")
def cos_distance(s, h):
    return 1 - torch.nn.functional.cosine_similarity(s[..., None, :], h, dim=-1)


@misconception("content_based_score", "normalised over the source")
def cos_over_source(s, h):
    unit = torch.nn.functional.normalize
    return (unit(s, dim=-1)[..., None, :] * unit(h, dim=-2)).sum(-1)


@variant("content_based_score")
def cos_in_a_dataclass(s, h):
    @dataclasses.dataclass
    class Unit:
        x: torch.Tensor

        def direction(self):
            top = self.x.detach().abs().amax(-1, keepdim=True)
            y = self.x / torch.where(top == 0, 1.0, top)
            return y / y.norm(dim=-1, keepdim=True).clamp(min=1.0)

    return torch.einsum("...d,...nd->...n", Unit(s).direction(), Unit(h).direction())


@misconception("additive_score", "Two tanh's are added: one tanh stands around the sum of both parts.")
def add_two_tanh(s, h, w_a, v_a):
    d_s = s.shape[-1]
    return torch.tanh(h @ w_a[:, d_s:].mT) @ v_a + torch.tanh(s @ w_a[:, :d_s].mT)[..., None, :].mul(v_a).sum(-1)


@misconception("additive_score", "s is repeated over the batch instead of the source")
def add_repeated(s, h, w_a, v_a):
    both = torch.cat([s.unsqueeze(0).expand(h.shape[-2], *s.shape), h.movedim(-2, 0)], dim=-1)
    return torch.tanh(both @ w_a.mT) @ v_a


@misconception("additive_score", "erf in place of tanh")
def add_erf(s, h, w_a, v_a):
    d_s = s.shape[-1]
    return torch.erf((s @ w_a[:, :d_s].mT)[..., None, :] + h @ w_a[:, d_s:].mT) @ v_a


@misconception("additive_score", "the mean over d_a")
def add_mean(s, h, w_a, v_a):
    d_s = s.shape[-1]
    return (torch.tanh((s @ w_a[:, :d_s].mT)[..., None, :] + h @ w_a[:, d_s:].mT) * v_a).mean(-1)


@variant("additive_score")
def add_by_vmap(s, h, w_a, v_a):
    def one(state, source):
        return torch.tanh(w_a @ torch.cat([state, source])) @ v_a

    rows = torch.vmap(torch.vmap(one, in_dims=(None, 0)))
    return rows(s.reshape(-1, s.shape[-1]), h.reshape(-1, *h.shape[-2:])).reshape(h.shape[:-1])


@variant("additive_score")
def add_by_sigmoid(s, h, w_a, v_a):
    """tanh x = 2 σ(2x) − 1."""
    both = torch.cat([s.unsqueeze(-2).expand(*h.shape[:-1], s.shape[-1]), h], dim=-1)
    return (2 * torch.sigmoid(2 * torch.einsum("...x,ax->...a", both, w_a)) - 1) @ v_a


@misconception("location_score", "the positions are scored by their number")
def loc_number(s, w_a):
    return s @ w_a.mT + torch.arange(w_a.shape[0], dtype=s.dtype)


@misconception("location_score", "a unit matrix of rows")
def loc_unit(s, w_a):
    return s @ torch.nn.functional.normalize(w_a, dim=-1).mT


@variant("location_score")
def loc_einsum(s, w_a):
    return torch.einsum("...d,nd->...n", s, w_a)


@misconception("general_score", "a bias of ones")
def gen_bias(s, h, w_a):
    return torch.einsum("...s,sd,...nd->...n", s, w_a, h) + 1


@misconception("general_score", "only where s and h are equally long: the matrix is cut")
def gen_cut(s, h, w_a):
    d = min(w_a.shape)
    return torch.einsum("...s,sd,...nd->...n", s[..., :d], w_a[:d, :d], h[..., :d])


@variant("general_score")
def gen_loop(s, h, w_a):
    question = sum(s[..., i, None] * w_a[i] for i in range(w_a.shape[0]))
    return torch.stack([(question * h[..., j, :]).sum(-1) for j in range(h.shape[-2])], dim=-1)


@misconception("dot_score", "a dot product over the source")
def dot_over_source(s, h):
    return torch.einsum("...d,...nd->...n", s, h.cumsum(-2))


@misconception("dot_score", "The score is the negative squared distance: it is the dot product.")
def dot_distance(s, h):
    return -((s[..., None, :] - h) ** 2).sum(-1)


@variant("dot_score")
def dot_by_polarisation(s, h):
    s = s[..., None, :]
    return (((s + h) ** 2).sum(-1) - ((s - h) ** 2).sum(-1)) / 4


@misconception(
    "scaled_dot_score", "The scale is the square root of the number of source positions: it should be that of the states' width."
)
def scaled_n(s, h):
    return (s[..., None, :] * h).sum(-1) / math.sqrt(h.shape[-2])


@misconception("scaled_dot_score", "divided by a rounded root")
def scaled_isqrt(s, h):
    return (s[..., None, :] * h).sum(-1) / math.isqrt(h.shape[-1])


@variant("scaled_dot_score")
def scaled_by_power(s, h):
    return (s.unsqueeze(-2) @ h.mT).squeeze(-2) * h.size(-1) ** -0.5


@misconception("predict_position", "the sigmoid of a mean")
def pos_mean(s, w_p, v_p, lengths):
    return lengths * torch.sigmoid((torch.tanh(s @ w_p.mT) * v_p).mean(-1))


@misconception("predict_position", "a position between minus and plus length")
def pos_signed(s, w_p, v_p, lengths):
    return lengths * (2 * torch.sigmoid(torch.tanh(s @ w_p.mT) @ v_p) - 1)


@misconception("predict_position", "the lengths are averaged")
def pos_mean_length(s, w_p, v_p, lengths):
    return lengths.to(s.dtype).mean() * torch.sigmoid(torch.tanh(s @ w_p.mT) @ v_p)


@misconception("predict_position", "clamped to length - 1")
def pos_clamped(s, w_p, v_p, lengths):
    p = lengths * torch.sigmoid(torch.tanh(s @ w_p.mT) @ v_p)
    return torch.minimum(p, (lengths - 1).to(p.dtype))


@variant("predict_position")
def pos_by_tanh(s, w_p, v_p, lengths):
    x = torch.einsum("...s,ps,p->...p", s, w_p, torch.ones_like(v_p)).tanh().mul(v_p).sum(-1)
    return lengths.to(x.dtype) * (0.5 + 0.5 * torch.tanh(x / 2))


def local(scores, position, half_width, mask=None, *, sigma=None, window=None, power=2, after=lambda w: w):
    if half_width <= 0:
        raise ValueError(f"half_width must be positive, not {half_width}")
    places = torch.arange(scores.shape[-1], dtype=scores.dtype, device=scores.device)
    away = places - position[..., None]
    seen = (away.abs() <= half_width) if window is None else window(away, half_width)
    if mask is not None:
        seen = seen & mask
    x = scores.masked_fill(~seen, -math.inf)
    top = x.amax(-1, keepdim=True)
    e = (x - top.masked_fill(top == -math.inf, 0)).exp()
    total = e.sum(-1, keepdim=True)
    sigma = half_width / 2 if sigma is None else sigma(half_width)
    return after(e / total.masked_fill(total == 0, 1)) * torch.exp(-(away.abs() ** power) / (2 * sigma**2))


@misconception("local_attention_weights", "sigma is the root of D")
def local_root(scores, position, half_width, mask=None):
    return local(scores, position, half_width, mask, sigma=math.sqrt)


@misconception("local_attention_weights", "the window looks back only")
def local_back(scores, position, half_width, mask=None):
    return local(scores, position, half_width, mask, window=lambda away, d: (away <= 0) & (away >= -d))


@misconception("local_attention_weights", "the fourth power in the exponent")
def local_fourth(scores, position, half_width, mask=None):
    return local(scores, position, half_width, mask, power=4)


@misconception("local_attention_weights", "an error for every width that is not above one")
def local_one(scores, position, half_width, mask=None):
    if half_width <= 1:
        raise ValueError("half_width")
    return local(scores, position, half_width, mask)


@misconception("local_attention_weights", "an assertion instead of a ValueError")
def local_assert(scores, position, half_width, mask=None):
    assert half_width > 0, "half_width"
    return local(scores, position, half_width, mask)


@misconception("local_attention_weights", "the position is kept inside the source")
def local_inside(scores, position, half_width, mask=None):
    return local(scores, position.clamp(0, scores.shape[-1] - 1), half_width, mask)


@variant("local_attention_weights")
def local_by_a_table(scores, position, half_width, mask=None):
    if not half_width > 0:
        raise ValueError("half_width has to be positive")
    n = scores.shape[-1]
    i = torch.linspace(0, n - 1, n, dtype=scores.dtype, device=scores.device) if n > 1 else scores.new_zeros(n)
    z = (i - position.unsqueeze(-1)) / (half_width / 2)
    seen = z.abs() <= 2 if mask is None else (z.abs() <= 2) & mask
    x = torch.where(seen, scores, torch.finfo(scores.dtype).min)
    e = torch.where(seen, (x - x.amax(-1, keepdim=True)).exp(), 0.0)
    return e / e.sum(-1, keepdim=True).clamp(min=torch.finfo(scores.dtype).tiny) * torch.exp(-0.5 * z.square())


class Base(nn.Module):
    def __init__(self, d_s, d_h, d_a):
        super().__init__()
        self.w_a = nn.Parameter(torch.randn(d_a, d_s + d_h) * (d_s + d_h) ** -0.5)
        self.v_a = nn.Parameter(torch.rand(d_a) - 0.5)

    def weigh(self, s, h, mask=None):
        d_s = s.shape[-1]
        x = torch.tanh((s @ self.w_a[:, :d_s].mT)[..., None, :] + h @ self.w_a[:, d_s:].mT) @ self.v_a
        if mask is not None:
            x = x.masked_fill(~mask, -math.inf)
        top = x.amax(-1, keepdim=True)
        e = (x - top.masked_fill(top == -math.inf, 0)).exp()
        total = e.sum(-1, keepdim=True)
        return e / total.masked_fill(total == 0, 1)


@misconception("AdditiveAttention", "the context has a dimension of one left")
class Unsqueezed(Base):
    def forward(self, s, h, mask=None):
        w = self.weigh(s, h, mask)
        return w.unsqueeze(-2) @ h, w


@misconception("AdditiveAttention", "the weights are detached in what is returned and used")
class HalfDetached(Base):
    def forward(self, s, h, mask=None):
        w = self.weigh(s, h, mask)
        return (w.detach()[..., None] * h).sum(-2), w


@misconception("AdditiveAttention", "a mask is required")
class MaskRequired(Base):
    def forward(self, s, h, mask):
        w = self.weigh(s, h, mask)
        return (w[..., None] * h).sum(-2), w


@misconception("AdditiveAttention", "the context of the projected states")
class Projected(Base):
    def forward(self, s, h, mask=None):
        w = self.weigh(s, h, mask)
        return (w[..., None] * torch.tanh(h)).sum(-2), w


@misconception("AdditiveAttention", "all numbers of w_a are equal at first")
class Seeded(Base):
    def __init__(self, d_s, d_h, d_a):
        super().__init__(d_s, d_h, d_a)
        with torch.no_grad():
            self.w_a.fill_(0.1)

    def forward(self, s, h, mask=None):
        w = self.weigh(s, h, mask)
        return (w[..., None] * h).sum(-2), w


@variant("AdditiveAttention")
class AsATuple(Base):
    def forward(self, s, h, mask=None):
        w = self.weigh(s, h, mask)
        return tuple([torch.einsum("...n,...nd->...d", w, h), w])


class CellBase(nn.Module):
    def __init__(self, d_embed, d_hidden, d_source, d_a):
        super().__init__()
        self.attention = AsATuple(d_hidden, d_source, d_a)
        self.rnn = nn.GRUCell(d_embed + d_source, d_hidden)


@misconception("AttentionDecoderCell", "half of the old state stays")
class ContextAsState(CellBase):
    def forward(self, embedding, state, h, mask=None):
        context, weights = self.attention(state, h, mask)
        new = self.rnn(torch.cat([embedding, context], -1), state)
        return new * 0.5 + state * 0.5, weights


@misconception("AttentionDecoderCell", "the weights come back detached and the state, too")
class StateDetached(CellBase):
    def forward(self, embedding, state, h, mask=None):
        context, weights = self.attention(state.detach(), h, mask)
        return self.rnn(torch.cat([embedding, context], -1), state), weights


@misconception("AttentionDecoderCell", "the cell remembers its state from call to call")
class Remembering(CellBase):
    def forward(self, embedding, state, h, mask=None):
        self.state = state if getattr(self, "state", None) is None or self.state.shape != state.shape else self.state
        context, weights = self.attention(self.state, h, mask)
        self.state = self.rnn(torch.cat([embedding, context], -1), self.state).detach()
        return self.rnn(torch.cat([embedding, context], -1), state), weights


@misconception("AttentionDecoderCell", "attention twice, before and after")
class Twice(CellBase):
    def forward(self, embedding, state, h, mask=None):
        context, _ = self.attention(state, h, mask)
        new = self.rnn(torch.cat([embedding, context], -1), state)
        context, weights = self.attention(new, h, mask)
        return self.rnn(torch.cat([embedding, context], -1), state), weights


@variant("AttentionDecoderCell")
class ByHand(CellBase):
    """The GRU's three gates written out."""

    def forward(self, embedding, state, h, mask=None):
        context, weights = self.attention(state, h, mask)
        x = torch.cat((embedding, context), dim=-1)
        r, z, n = (x @ self.rnn.weight_ih.mT + self.rnn.bias_ih).chunk(3, -1)
        hr, hz, hn = (state @ self.rnn.weight_hh.mT + self.rnn.bias_hh).chunk(3, -1)
        z = torch.sigmoid(z + hz)
        return (1 - z) * torch.tanh(n + torch.sigmoid(r + hr) * hn) + z * state, weights


@misconception("monotonic_local_weights", "the window follows the diagonal of the matrix")
def mono_scaled(scores, half_width):
    m, n = scores.shape[-2:]
    steps = torch.arange(m)[:, None] * (n / m)
    seen = (torch.arange(n) - steps).abs() <= half_width
    x = scores.masked_fill(~seen, -math.inf)
    top = x.amax(-1, keepdim=True)
    e = (x - top.masked_fill(top == -math.inf, 0)).exp()
    total = e.sum(-1, keepdim=True)
    return e / total.masked_fill(total == 0, 1)
