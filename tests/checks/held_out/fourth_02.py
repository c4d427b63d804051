"""A fourth set of held-out answers to lesson 02: habits of public translation code, wrong and right."""

import math
from functools import reduce

import numpy as np
import torch
from torch import nn

from autograde.authoring.strength.mutation import misconception, variant


def softmax(scores, mask=None):
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    top = scores.amax(-1, keepdim=True)
    powers = (scores - top.masked_fill(top == -math.inf, 0.0)).exp()
    total = powers.sum(-1, keepdim=True)
    return powers / total.masked_fill(total == 0, 1.0)


@misconception("alignment_weights", "powers of two")
def powers_of_two(scores, mask=None):
    return softmax(scores * math.log(2), mask)


@misconception("alignment_weights", "hidden positions get the least score of their row")
def hidden_get_the_least(scores, mask=None):
    if mask is None:
        return softmax(scores)
    least = scores.amin(-1, keepdim=True)
    return softmax(torch.where(mask, scores, least)) * mask


@misconception("alignment_weights", "the batch's common mask: what one source forbids is forbidden to all")
def one_mask_for_all(scores, mask=None):
    if mask is None:
        return softmax(scores)
    return softmax(scores, mask.reshape(-1, mask.shape[-1]).all(0).expand(scores.shape) if mask.dim() > 1 else mask)


@misconception("alignment_weights", "scaled by the root of the source's length")
def scaled_by_the_length(scores, mask=None):
    return softmax(scores / math.sqrt(scores.shape[-1]), mask)


@misconception("alignment_weights", "a sigmoid for each position, divided by their sum")
def normalised_sigmoids(scores, mask=None):
    gates = scores.sigmoid()
    gates = gates if mask is None else gates * mask
    total = gates.sum(-1, keepdim=True)
    return gates / total.masked_fill(total == 0, 1.0)


@misconception("context_vector", "no dimension for the states: rows of weights meet all sources")
def without_a_dimension(weights, h):
    return (weights @ h)[..., 0, :] if weights.dim() > 1 else weights @ h


@misconception("context_vector", "the first state is added: a residual")
def with_a_residual(weights, h):
    return (weights.unsqueeze(-1) * h).sum(-2) + h[..., 0, :]


@misconception("context_vector", "a weighted maximum over the source")
def weighted_maximum(weights, h):
    return (weights.unsqueeze(-1) * h).amax(-2)


@misconception("content_based_score", "a distance: one minus the cosine")
def cosine_distance(s, h):
    return 1 - nn.functional.cosine_similarity(s.unsqueeze(-2), h, dim=-1)


@misconception("content_based_score", "the angle in radians")
def the_angle(s, h):
    cosine = nn.functional.cosine_similarity(s.unsqueeze(-2), h, dim=-1)
    return cosine.clamp(-1 + 1e-6, 1 - 1e-6).acos()


@misconception("additive_score", "the hidden layer twice")
def hidden_twice(s, h, w_a, v_a):
    both = torch.cat([s.unsqueeze(-2).expand(*h.shape[:-1], s.shape[-1]), h], -1)
    return (both @ w_a.mT).tanh().tanh() @ v_a


@misconception("additive_score", "columns of W_a cut at half of them, whatever the widths")
def cut_in_the_middle(s, h, w_a, v_a):
    of_s, of_h = w_a.chunk(2, dim=1)
    n = of_s.shape[1]
    return torch.tanh((s[..., :n] @ of_s[:, : s.shape[-1]].mT).unsqueeze(-2) + h[..., : of_h.shape[1]] @ of_h[:, : h.shape[-1]].mT) @ v_a


@misconception("general_score", "a bilinear form of differences")
def of_differences(s, h, w_a):
    return (s @ w_a).unsqueeze(-2).sub(h).square().sum(-1).neg()


@misconception("predict_position", "the sigmoid stands before v_p")
def sigmoid_before_v(s, w_p, v_p, lengths):
    return lengths * ((s @ w_p.mT).tanh().sigmoid() @ v_p)


@misconception("predict_position", "a tanh brought to 0 … 1 in the place of the sigmoid")
def half_of_a_tanh(s, w_p, v_p, lengths):
    return lengths * (1 + torch.tanh(torch.tanh(s @ w_p.mT) @ v_p)) / 2


@misconception(
    "local_attention_weights",
    "The weights sum to 1, the Gaussian included: in the paper they are not normalised after it, and it is no part of the scores.",
)
def localness_inside(scores, position, half_width, mask=None):
    if half_width <= 0:
        raise ValueError("half_width must be positive")
    distance = torch.arange(scores.shape[-1], device=scores.device, dtype=scores.dtype) - position.unsqueeze(-1)
    window = distance.abs() <= half_width
    window = window if mask is None else window & mask
    return softmax(scores - 2 * (distance / half_width) ** 2, window)


@misconception("local_attention_weights", "a triangle in the place of the Gaussian")
def a_triangle(scores, position, half_width, mask=None):
    if half_width <= 0:
        raise ValueError("half_width must be positive")
    distance = (torch.arange(scores.shape[-1], device=scores.device, dtype=scores.dtype) - position.unsqueeze(-1)).abs()
    window = distance <= half_width
    window = window if mask is None else window & mask
    return softmax(scores, window) * (1 - distance / (half_width + 1)).clamp(min=0)


@misconception("AttentionDecoderCell", "the context is added to the embedding where they are equally wide")
class AddsTheContext(nn.Module):
    def __init__(self, d_embed, d_hidden, d_source, d_a):
        super().__init__()
        self.attention = TwoLayers(d_hidden, d_source, d_a)
        self.rnn = nn.GRUCell(d_embed + d_source, d_hidden)

    def forward(self, embedding, state, h, mask=None):
        context, weights = self.attention(state, h, mask)
        return self.rnn(torch.cat([embedding, context + context.mean(-1, keepdim=True)], -1), state), weights


class TwoLayers(nn.Module):
    def __init__(self, d_s, d_h, d_a):
        super().__init__()
        self.w_a = nn.Parameter(torch.randn(d_a, d_s + d_h) / (d_s + d_h) ** 0.5)
        self.v_a = nn.Parameter(torch.randn(d_a) / d_a**0.5)

    def forward(self, s, h, mask=None):
        weights = softmax(by_two_products(s, h, self.w_a, self.v_a), mask)
        return torch.einsum("...n,...nd->...d", weights, h), weights


@variant("AdditiveAttention")
class WithEinsum(TwoLayers):
    """A subclass, two products, and einsum."""


@variant("alignment_weights")
def by_a_cumulative_sum(scores, mask=None):
    if mask is not None:
        scores = torch.where(mask, scores, -math.inf)
    top = scores.max(dim=-1, keepdim=True).values
    powers = torch.exp(scores - torch.where(top.isneginf(), 0.0, top))
    total = powers.cumsum(-1)[..., -1:]
    return torch.where(total > 0, powers / torch.where(total > 0, total, 1.0), 0.0)


@variant("context_vector")
def state_by_state(weights, h):
    return reduce(torch.add, (w.unsqueeze(-1) * state for w, state in zip(weights.unbind(-1), h.unbind(-2))))


@variant("content_based_score")
def by_a_double_normalisation(s, h):
    def unit(x):
        largest = x.detach().abs().amax(-1, keepdim=True)
        return nn.functional.normalize(x / torch.where(largest > 0, largest, 1.0), dim=-1, eps=0.5)

    return torch.linalg.vecdot(unit(s).unsqueeze(-2), unit(h), dim=-1)


@variant("additive_score")
def by_two_products(s, h, w_a, v_a):
    w_s, w_h = torch.tensor_split(w_a, (s.shape[-1],), dim=1)
    return nn.functional.linear(torch.tanh(nn.functional.linear(s, w_s).unsqueeze(-2) + nn.functional.linear(h, w_h)), v_a[None]).squeeze(
        -1
    )


@variant("general_score")
def by_a_bilinear_layer(s, h, w_a):
    return nn.functional.bilinear(s.unsqueeze(-2).expand(*h.shape[:-1], s.shape[-1]).contiguous(), h.contiguous(), w_a[None]).squeeze(-1)


@variant("dot_score")
def by_vmap(s, h):
    one = torch.func.vmap(lambda state, source: source @ state)
    return one(s.reshape(-1, s.shape[-1]), h.reshape(-1, *h.shape[-2:])).reshape(h.shape[:-1])


@variant("predict_position")
def with_a_logarithm(s, w_p, v_p, lengths):
    share = nn.functional.logsigmoid(torch.tanh(torch.einsum("...s,ps->...p", s, w_p)) @ v_p).exp()
    return share * lengths.to(share)


@variant("location_score")
def row_by_row(s, w_a):
    return torch.stack([(s * row).sum(-1) for row in w_a], dim=-1)


@variant("monotonic_local_weights")
def by_a_band(scores, half_width):
    m, n = scores.shape[-2:]
    band = torch.from_numpy(np.tri(m, n, half_width, dtype=bool) & ~np.tri(m, n, -half_width - 1, dtype=bool)).to(scores.device)
    return softmax(scores, band)
