"""A sixth set of held-out answers to lesson 02: what public decoders and students' notebooks do, wrong and right."""

import functools
import math

import torch
from torch import nn

from autograde.authoring.strength.mutation import misconception, variant


def right_weights(scores, mask=None):
    x = scores if mask is None else scores.masked_fill(~mask, -torch.inf)
    top = x.amax(-1, keepdim=True)
    e = (x - top.where(top.isfinite(), 0.0)).exp()
    total = e.sum(-1, keepdim=True)
    return e / total.where(total > 0, 1.0)


@misconception("alignment_weights", "the smallest score is taken off in place of the largest")
def smallest_taken_off(scores, mask=None):
    x = scores if mask is None else scores.masked_fill(~mask, -torch.inf)
    e = (x - x.amin(-1, keepdim=True)).exp()
    return e / e.sum(-1, keepdim=True)


@misconception("alignment_weights", "sigmoids in place of a softmax")
def sigmoids(scores, mask=None):
    w = scores.sigmoid()
    w = w if mask is None else w * mask
    return w / w.sum(-1, keepdim=True).clamp(min=1e-30)


@misconception("context_vector", "the outer product is summed over the positions of the whole batch")
def whole_batch(weights, h):
    return torch.einsum("...n,...nd->d", weights, h).expand(*weights.shape[:-1], -1)


@misconception("additive_score", "the sum stands inside the tanh twice: s is added to each state")
def added_states(s, h, w_a, v_a):
    d = s.shape[-1]
    return torch.tanh(s @ w_a[:, :d].mT).unsqueeze(-2).mul(torch.tanh(h @ w_a[:, d:].mT)) @ v_a


@misconception("general_score", "the matrix is applied to both states")
def on_both_sides(s, h, w_a):
    return torch.einsum("...i,...nj,ij,ij->...n", s, h, w_a, w_a)


@misconception("local_attention_weights", "sigma is the square root of D")
def root_of_d(scores, position, half_width, mask=None):
    if half_width <= 0:
        raise ValueError("half_width must be positive")
    away = torch.arange(scores.shape[-1], device=scores.device) - position[..., None]
    inside = away.abs() <= half_width
    inside = inside if mask is None else inside & mask
    return right_weights(scores, inside) * (-(away**2) / (2 * half_width)).exp()


@misconception("AttentionDecoderCell", "the state is replaced by the context before the GRU")
class ContextAsState(nn.Module):
    def __init__(self, d_embed, d_hidden, d_source, d_a):
        super().__init__()
        self.attention = Additive(d_hidden, d_source, d_a)
        self.rnn = nn.GRUCell(d_embed + d_source, d_hidden)

    def forward(self, embedding, state, h, mask=None):
        context, weights = self.attention(state, h, mask)
        return self.rnn(torch.cat([embedding, context], -1), torch.zeros_like(state) + context.mean(-1, keepdim=True)), weights


class Additive(nn.Module):
    def __init__(self, d_s, d_h, d_a):
        super().__init__()
        self.w_a = nn.Parameter(0.1 * torch.randn(d_a, d_s + d_h))
        self.v_a = nn.Parameter(0.1 * torch.randn(d_a))

    def forward(self, s, h, mask=None):
        joined = torch.cat([s.unsqueeze(-2).expand(*h.shape[:-1], -1), h], -1)
        weights = right_weights(torch.tanh(joined @ self.w_a.mT) @ self.v_a, mask)
        return (weights.unsqueeze(-2) @ h).squeeze(-2), weights


@variant("alignment_weights")
def by_logaddexp(scores, mask=None):
    x = scores if mask is None else scores.masked_fill(~mask, -torch.inf)
    top = x.detach().amax(-1, keepdim=True).clamp(min=torch.finfo(x.dtype).min)
    e = torch.exp(x - top)
    total = functools.reduce(torch.add, e.unbind(-1)).unsqueeze(-1)
    return torch.where(total > 0, e / total.where(total > 0, 1.0), 0.0)


@variant("context_vector")
def by_a_generator(weights, h):
    return sum(w.unsqueeze(-1) * x for w, x in zip(weights.unbind(-1), h.unbind(-2), strict=True))


@variant("context_vector")
def by_tensordot_per_row(weights, h):
    flat_w, flat_h = weights.reshape(-1, weights.shape[-1]), h.reshape(-1, *h.shape[-2:])
    return torch.bmm(flat_w.unsqueeze(1), flat_h).reshape(*weights.shape[:-1], h.shape[-1])


@variant("dot_score")
def by_recursion(s, h):
    if s.shape[-1] == 1:
        return s[..., 0].unsqueeze(-1) * h[..., 0]
    half = s.shape[-1] // 2
    return by_recursion(s[..., :half], h[..., :half]) + by_recursion(s[..., half:], h[..., half:])


@variant("general_score")
def right_to_left(s, h, w_a):
    return torch.einsum("...nj,ij,...i->...n", h, w_a, s)


@variant("scaled_dot_score")
def by_math_and_vecdot(s, h):
    return torch.linalg.vecdot(h, s.unsqueeze(-2)) * math.pow(h.shape[-1], -0.5)


@variant("predict_position")
def as_a_logistic_of_a_bilinear_sum(s, w_p, v_p, lengths):
    inner = (torch.tanh((w_p * s.unsqueeze(-2)).sum(-1)) * v_p).sum(-1)
    return lengths / (1 + torch.exp(-inner))


@variant("AdditiveAttention")
class AsAModuleOfFunctions(Additive):
    pass


@variant("location_score")
def one_position_at_a_time(s, w_a):
    return torch.stack([(row * s).sum(-1) for row in w_a], -1)
