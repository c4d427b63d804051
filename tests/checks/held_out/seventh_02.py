"""A seventh set of held-out answers to lesson 02: alignment and scores as public sequence models have them, wrong and right."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from autograde.authoring.strength.mutation import misconception, variant


@misconception("alignment_weights", "A row in which nothing is allowed gets equal weights: they should all be 0.")
def minus_a_billion(scores, mask=None):
    if mask is not None:
        scores = scores.masked_fill(~mask, -1e9)
    e = (scores - scores.amax(-1, keepdim=True)).exp()
    return e / e.sum(-1, keepdim=True)


@misconception(
    "alignment_weights", "The weights are set to 0 after the softmax, so the rest of the row sums to less than 1: mask the scores first."
)
def masked_afterwards(scores, mask=None):
    e = (scores - scores.amax(-1, keepdim=True)).exp()
    weights = e / e.sum(-1, keepdim=True)
    return weights if mask is None else weights * mask


@misconception("alignment_weights", "the largest score of the whole batch is subtracted")
def largest_of_the_batch(scores, mask=None):
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    e = (scores - scores[scores > -math.inf].max() if (scores > -math.inf).any() else scores).exp()
    total = e.sum(-1, keepdim=True)
    return e / total.masked_fill(total == 0, 1.0)


@variant("alignment_weights")
def through_logsumexp(scores, mask=None):
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    log_total = scores.logsumexp(-1, keepdim=True)
    return (scores - log_total.masked_fill(log_total == -math.inf, 0.0)).exp()


@variant("context_vector")
def by_bmm(weights, h):
    return (weights.unsqueeze(-2) @ h).squeeze(-2)


@misconception("context_vector", "The weighted states are averaged: they should be summed, the weights already share out the whole.")
def mean_of_weighted(weights, h):
    return (weights.unsqueeze(-1) * h).mean(-2)


@variant("content_based_score")
def normalised_first(s, h):
    def unit(x):
        m = x.detach().abs().amax(-1, keepdim=True)
        x = x / torch.where(m > 0, m, torch.ones_like(m))
        return x / x.norm(dim=-1, keepdim=True).clamp(min=1.0)

    return torch.einsum("...d,...nd->...n", unit(s), unit(h))


@misconception("content_based_score", "1e-8 is added to the product of the lengths")
def with_an_epsilon(s, h):
    return (s[..., None, :] * h).sum(-1) / (s.norm(dim=-1)[..., None] * h.norm(dim=-1) + 1e-8)


@misconception("content_based_score", "PyTorch's cosine, over the wrong dimension")
def cosine_over_words(s, h):
    return F.cosine_similarity(s[..., None, :].expand_as(h), h, dim=-2)[..., : h.shape[-2]]


@variant("additive_score")
def repeated_states(s, h, w_a, v_a):
    both = torch.cat([s.unsqueeze(-2).repeat(*[1] * (s.dim() - 1), h.shape[-2], 1), h], dim=-1)
    return torch.tanh(F.linear(both, w_a)) @ v_a


@misconception("additive_score", "The states are joined as [h; s]: the decoder's state comes first, [s; h].")
def states_exchanged(s, h, w_a, v_a):
    both = torch.cat([h, s.unsqueeze(-2).expand(*h.shape[:-1], s.shape[-1])], dim=-1)
    return torch.tanh(both @ w_a.mT) @ v_a


@misconception("additive_score", "A ReLU stands where the paper has a tanh.")
def relu(s, h, w_a, v_a):
    both = torch.cat([s.unsqueeze(-2).expand(*h.shape[:-1], s.shape[-1]), h], dim=-1)
    return torch.relu(both @ w_a.mT) @ v_a


@misconception("general_score", "the matrix on the side of the decoder, transposed")
def transposed_matrix(s, h, w_a):
    return (h @ w_a * s[..., None, :]).sum(-1) if w_a.shape[0] == w_a.shape[1] else ((h @ w_a.mT) * s[..., None, :]).sum(-1)


@variant("general_score")
def projected_keys(s, h, w_a):
    return (h @ w_a.mT @ s[..., None]).squeeze(-1)


@misconception("predict_position", "Sigmoid and tanh are swapped: the tanh is inside, the sigmoid outside.")
def sigmoid_inside(s, w_p, v_p, lengths):
    return lengths * torch.tanh(torch.sigmoid(s @ w_p.mT) @ v_p)


@misconception("predict_position", "The position is rounded: it is a real number, and rounding has no gradient.")
def rounded(s, w_p, v_p, lengths):
    return (lengths * torch.sigmoid(torch.tanh(s @ w_p.mT) @ v_p)).round()


@misconception("predict_position", "The sigmoid is multiplied by length − 1: in the paper it is the length.")
def up_to_the_last(s, w_p, v_p, lengths):
    return (lengths - 1) * torch.sigmoid(torch.tanh(s @ w_p.mT) @ v_p)


def window(scores, position, half_width, mask):
    if half_width <= 0:
        raise ValueError(f"half_width is {half_width}")
    places = torch.arange(scores.shape[-1], device=scores.device, dtype=scores.dtype)
    distance = places - position[..., None]
    near = distance.abs() <= half_width
    return distance, near if mask is None else near & mask


@misconception("local_attention_weights", "The standard deviation is D: in the paper it is D/2.")
def wide_gaussian(scores, position, half_width, mask=None):
    distance, near = window(scores, position, half_width, mask)
    return through_logsumexp(scores, near) * torch.exp(-(distance**2) / (2 * half_width**2))


@misconception(
    "local_attention_weights", "The softmax runs over the whole source and is cut off afterwards: it should run over the window alone."
)
def softmax_over_all(scores, position, half_width, mask=None):
    distance, near = window(scores, position, half_width, mask)
    return through_logsumexp(scores, mask) * near * torch.exp(-(distance**2) / (2 * (half_width / 2) ** 2))


@misconception(
    "local_attention_weights",
    "The weights sum to 1, the Gaussian included: in the paper they are not normalised after it, and it is no part of the scores.",
)
def renormalised(scores, position, half_width, mask=None):
    distance, near = window(scores, position, half_width, mask)
    weights = through_logsumexp(scores, near) * torch.exp(-(distance**2) / (2 * (half_width / 2) ** 2))
    return weights / weights.sum(-1, keepdim=True).clamp(min=1e-12)


@variant("local_attention_weights")
def gaussian_in_the_exponent(scores, position, half_width, mask=None):
    distance, near = window(scores, position, half_width, mask)
    log_total = scores.masked_fill(~near, -math.inf).logsumexp(-1, keepdim=True)
    exponent = scores - log_total.masked_fill(log_total == -math.inf, 0.0) - 2 * (distance / half_width) ** 2
    return exponent.masked_fill(~near, -math.inf).exp()


@misconception("AdditiveAttention", "two matrices in the place of one")
class TwoMatrices(nn.Module):
    def __init__(self, d_s, d_h, d_a):
        super().__init__()
        self.W, self.U = nn.Linear(d_s, d_a, bias=False), nn.Linear(d_h, d_a, bias=False)
        self.v = nn.Linear(d_a, 1, bias=False)

    def forward(self, s, h, mask=None):
        weights = through_logsumexp(self.v(torch.tanh(self.W(s)[..., None, :] + self.U(h))).squeeze(-1), mask)
        return by_bmm(weights, h), weights
