"""Wrong answers to lesson 02, each with the sentence its author should read, and unusual right ones."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from autograde.authoring.strength.mutation import misconception, variant


def masked_softmax(scores, mask=None):
    """A right softmax for the specimens that are about something else (exercise 1 may not call PyTorch's)."""
    if mask is None:
        return torch.exp(scores - scores.logsumexp(-1, keepdim=True))
    low = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    return torch.exp(low - low.logsumexp(-1, keepdim=True)) * mask


def right_additive(s, h, w_a, v_a):
    both = torch.cat([s[..., None, :].expand(*h.shape[:-1], -1), h], dim=-1)
    return torch.tanh(both @ w_a.mT) @ v_a


# 1 · alignment_weights


def plain(scores, dim=-1):
    exponentials = torch.exp(scores - scores.amax(dim, keepdim=True))
    return exponentials / exponentials.sum(dim, keepdim=True)


@misconception("alignment_weights", "The softmax runs over the first dimension: it should run over the source, the last one (dim=-1).")
def over_the_batch(scores, mask=None):
    weights = plain(scores if mask is None else scores.masked_fill(~mask, -1e30), 0)
    return weights if mask is None else weights * mask


@misconception("alignment_weights", "The exponentials are not divided by their sum: the weights of a row should sum to 1.")
def without_the_sum(scores, mask=None):
    weights = torch.exp(scores - scores.amax(-1, keepdim=True))
    return weights if mask is None else weights * mask


@misconception("alignment_weights", "There is no exponential: the scores themselves are divided by their sum.")
def without_exponentials(scores, mask=None):
    scores = scores if mask is None else scores * mask
    return scores / scores.sum(-1, keepdim=True)


@misconception("alignment_weights", "The exponential overflows: subtract the row's largest score first.")
def unstable(scores, mask=None):
    exponentials = torch.exp(scores) if mask is None else torch.exp(scores) * mask
    total = exponentials.sum(-1, keepdim=True)
    return exponentials / total.masked_fill(total == 0, 1)


@misconception("alignment_weights", "The mask is ignored: positions where it is False should get weight 0.")
def ignores_the_mask(scores, mask=None):
    return plain(scores)


@misconception("alignment_weights", "The mask is read the wrong way round: True means that a position may be attended to.")
def inverted_mask(scores, mask=None):
    return masked_softmax(scores, None if mask is None else ~mask)


@misconception(
    "alignment_weights", "The weights are set to 0 after the softmax, so the rest of the row sums to less than 1: mask the scores first."
)
def masked_afterwards(scores, mask=None):
    return plain(scores) if mask is None else plain(scores) * mask


@misconception("alignment_weights", "Masked scores are set to 0, but e⁰ = 1: they should be set to −∞.")
def masked_with_zero(scores, mask=None):
    return plain(scores if mask is None else scores * mask)


@misconception("alignment_weights", "A row in which nothing is allowed gives NaN: its weights should all be 0.")
def nan_where_nothing_is_allowed(scores, mask=None):
    return plain(scores if mask is None else scores.masked_fill(~mask, -math.inf))


@misconception("alignment_weights", "A row in which nothing is allowed gets equal weights: they should all be 0.")
def even_where_nothing_is_allowed(scores, mask=None):
    return plain(scores if mask is None else scores.masked_fill(~mask, -1e9))


@misconception("alignment_weights", "The largest score is taken over the whole tensor: each row has its own.")
def one_maximum_for_all(scores, mask=None):
    exponentials = torch.exp(scores - scores.max())
    exponentials = exponentials if mask is None else exponentials * mask
    total = exponentials.sum(-1, keepdim=True)
    return exponentials / total.masked_fill(total == 0, 1)


@misconception("alignment_weights", "The largest score is looked for among masked positions too: a huge one there drowns all the others.")
def maximum_before_the_mask(scores, mask=None):
    exponentials = torch.exp(scores - scores.amax(-1, keepdim=True))
    exponentials = exponentials if mask is None else exponentials * mask
    total = exponentials.sum(-1, keepdim=True)
    return exponentials / total.masked_fill(total == 0, 1)


@misconception("alignment_weights", "Something is added to the sum of the exponentials, and the weights do not sum to 1.")
def with_an_epsilon(scores, mask=None):
    exponentials = torch.exp(scores - scores.amax(-1, keepdim=True))
    exponentials = exponentials if mask is None else exponentials * mask
    return exponentials / (exponentials.sum(-1, keepdim=True) + 1e-2)


@misconception(
    "alignment_weights", "The scores are changed in place: the mask is written into the caller's tensor (`masked_fill_`); build a new one."
)
def in_place(scores, mask=None):
    if mask is not None:
        scores.data.masked_fill_(~mask, -1e30)
    weights = plain(scores)
    return weights if mask is None else weights * mask


@misconception("alignment_weights", "The weights are detached from the scores: nothing could be learned through them.")
def detached_weights(scores, mask=None):
    return masked_softmax(scores.detach(), mask)


@misconception("alignment_weights", "PyTorch's softmax is the answer to this exercise: write it with exp and sum.")  # caught by `forbids`
def library_softmax(scores, mask=None):
    return torch.softmax(scores, -1) if mask is None else masked_softmax(scores, mask)


@variant("alignment_weights")
def painted_over(scores, mask=None):
    if mask is None:
        return plain(scores)
    return plain(scores.masked_fill(~mask, -math.inf)).nan_to_num(0.0)


@variant("alignment_weights")
def by_logsumexp(scores, mask=None):
    if mask is None:
        return torch.exp(scores - torch.logsumexp(scores, -1, keepdim=True))
    low = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    return torch.exp(low - torch.logsumexp(low, -1, keepdim=True)) * mask


@variant("alignment_weights")
def by_pairwise_differences(scores, mask=None):
    allowed = torch.ones_like(scores, dtype=torch.bool) if mask is None else mask.expand_as(scores)
    low = torch.where(allowed, scores, torch.tensor(-1e30, dtype=scores.dtype, device=scores.device))
    top = low.max(dim=-1, keepdim=True).values.detach()
    exponentials = torch.where(allowed, torch.exp(low - top), torch.zeros_like(scores))
    return exponentials / exponentials.sum(-1, keepdim=True).clamp(min=torch.finfo(scores.dtype).tiny)


# 2 · context_vector


@misconception("context_vector", "The states are averaged without their weights: each state is multiplied by its weight.")
def plain_mean(weights, h):
    return h.mean(-2) + 0 * weights.sum(-1, keepdim=True)


@misconception("context_vector", "The weighted states are averaged: they should be summed, the weights already share out the whole.")
def weighted_mean(weights, h):
    return (weights[..., None] * h).mean(-2)


@misconception("context_vector", "The weighted states are not summed: a context is one vector, not n.")
def not_summed(weights, h):
    return weights[..., None] * h


@misconception("context_vector", "The sum runs over the numbers of a state: it should run over the source positions.")
def summed_over_the_features(weights, h):
    return (weights[..., None] * h).sum(-1)


@misconception("context_vector", "The weights are normalised again: take them as they are.")
def normalised_again(weights, h):
    return masked_softmax(weights)[..., None, :].matmul(h)[..., 0, :]


@misconception("context_vector", "The weights are divided by their sum: take them as they are (local attention's do not sum to 1).")
def divided_by_their_sum(weights, h):
    weights = weights / weights.sum(-1, keepdim=True)
    return torch.einsum("...n,...nd->...d", weights, h)


@misconception("context_vector", "The context is the one state with the largest weight: attention is soft, every state takes part.")
def hard_choice(weights, h):
    best = weights.argmax(-1)[..., None, None].expand(*h.shape[:-2], 1, h.shape[-1])
    return h.gather(-2, best)[..., 0, :]


@misconception("context_vector", "`squeeze()` without a dimension also removes a batch of size 1.")
def squeezed(weights, h):
    return (weights[..., None, :] @ h).squeeze()


@variant("context_vector")
def by_matmul(weights, h):
    return (h.mT @ weights.unsqueeze(-1)).squeeze(-1)


@variant("context_vector")
def by_loop(weights, h):
    return sum(weights[..., i, None] * h[..., i, :] for i in range(h.shape[-2]))


# 3 · content_based_score


@misconception("content_based_score", "This is the dot product: the cosine divides it by the lengths of both vectors.")
def no_lengths(s, h):
    return torch.einsum("...d,...nd->...n", s, h)


@misconception("content_based_score", "Only one of the two lengths is divided by: the cosine needs both.")
def half_a_cosine(s, h):
    return torch.einsum("...d,...nd->...n", s, h) / h.norm(dim=-1).clamp(min=1e-30)


@misconception("content_based_score", "A zero vector gives NaN: its score should be 0.")
def nan_for_zero(s, h):
    return torch.einsum("...d,...nd->...n", s, h) / (s.norm(dim=-1)[..., None] * h.norm(dim=-1))


@misconception("content_based_score", "The squared lengths are divided by: a square root is missing.")
def squared_lengths(s, h):
    return torch.einsum("...d,...nd->...n", s, h) / (s.square().sum(-1)[..., None] * h.square().sum(-1)).clamp(min=1e-30)


@misconception("content_based_score", "The number added against division by zero is so large that it changes the cosine.")
def large_epsilon(s, h):
    return torch.einsum("...d,...nd->...n", s, h) / (s.norm(dim=-1)[..., None] * h.norm(dim=-1) + 0.1)


@misconception("content_based_score", "The length is taken over the whole source: each state has its own length.")
def one_length_for_all(s, h):
    lengths = s.norm(dim=-1)[..., None] * h.norm(dim=(-2, -1))[..., None]
    return torch.einsum("...d,...nd->...n", s, h) / lengths.clamp(min=1e-30)


@misconception("content_based_score", "The sign is lost: opposite vectors have the cosine −1.")
def absolute_cosine(s, h):
    return F.cosine_similarity(s[..., None, :], h, dim=-1).abs()


@misconception("content_based_score", "The scores are already turned into weights: the softmax comes later.")
def softmaxed_cosine(s, h):
    return masked_softmax(F.cosine_similarity(s[..., None, :], h, dim=-1))


@variant("content_based_score")
def by_the_library(s, h):
    return F.cosine_similarity(s.unsqueeze(-2), h, dim=-1)


@variant("content_based_score")
def by_unit_vectors(s, h):
    return (F.normalize(h, dim=-1) @ F.normalize(s, dim=-1)[..., None])[..., 0]


# 4 · additive_score


@misconception("additive_score", "The tanh is missing: without it the score is linear, and the part of s would shift all positions alike.")
def without_tanh(s, h, w_a, v_a):
    both = torch.cat([s[..., None, :].expand(*h.shape[:-1], -1), h], dim=-1)
    return (both @ w_a.mT) @ v_a


@misconception("additive_score", "The states are joined as [h; s]: the decoder's state comes first, [s; h].")
def source_first(s, h, w_a, v_a):
    both = torch.cat([h, s[..., None, :].expand(*h.shape[:-1], -1)], dim=-1)
    return torch.tanh(both @ w_a.mT) @ v_a


@misconception("additive_score", "v_a is not used: the hidden units are summed without their weights.")
def without_v(s, h, w_a, v_a):
    both = torch.cat([s[..., None, :].expand(*h.shape[:-1], -1), h], dim=-1)
    return torch.tanh(both @ w_a.mT).sum(-1) + 0 * v_a.sum()


@misconception("additive_score", "The tanh stands around the whole score: it belongs to the hidden units, before v_a.")
def tanh_outside(s, h, w_a, v_a):
    both = torch.cat([s[..., None, :].expand(*h.shape[:-1], -1), h], dim=-1)
    return torch.tanh((both @ w_a.mT) @ v_a)


@misconception("additive_score", "The decoder's state is left out: W_a's first columns meet s.")
def only_the_source(s, h, w_a, v_a):
    return torch.tanh(h @ w_a[:, s.shape[-1] :].mT) @ v_a


@misconception("additive_score", "Two tanh's are added: one tanh stands around the sum of both parts.")
def two_tanhs(s, h, w_a, v_a):
    d = s.shape[-1]
    return (torch.tanh(s @ w_a[:, :d].mT)[..., None, :] + torch.tanh(h @ w_a[:, d:].mT)) @ v_a


@misconception("additive_score", "A sigmoid stands in place of the tanh.")
def with_sigmoid(s, h, w_a, v_a):
    both = torch.cat([s[..., None, :].expand(*h.shape[:-1], -1), h], dim=-1)
    return torch.sigmoid(both @ w_a.mT) @ v_a


@misconception("additive_score", "The scores are already turned into weights: the softmax comes later.")
def softmaxed_additive(s, h, w_a, v_a):
    return masked_softmax(right_additive(s, h, w_a, v_a))


@misconception("additive_score", "A dimension of size 1 is left at the end: scores have the shape (..., n).")
def additive_with_an_extra_dimension(s, h, w_a, v_a):
    return right_additive(s, h, w_a, v_a)[..., None]


@misconception("additive_score", "Only two-dimensional inputs work: `...` stands for any number of batch dimensions, including none.")
def only_with_one_batch_dimension(s, h, w_a, v_a):
    both = torch.cat([s[:, None, :].expand(-1, h.shape[1], -1), h], dim=2)
    return torch.tanh(both @ w_a.mT) @ v_a


@variant("additive_score")
def by_concatenation(s, h, w_a, v_a):
    both = torch.cat([s.unsqueeze(-2).expand(*h.shape[:-1], s.shape[-1]), h], dim=-1)
    return torch.einsum("a,...na->...n", v_a, torch.tanh(torch.einsum("ab,...nb->...na", w_a, both)))


@variant("additive_score")
def position_by_position(s, h, w_a, v_a):
    scores = [(torch.tanh(F.linear(torch.cat([s, h[..., i, :]], -1), w_a)) * v_a).sum(-1) for i in range(h.shape[-2])]
    return torch.stack(scores, -1)


# 5 · location_score


@misconception("location_score", "W_a is transposed: it is (n, d_s), a row for every position.")
def transposed_location(s, w_a):
    return s @ w_a if w_a.shape[0] == w_a.shape[1] else s @ w_a.reshape(w_a.shape[1], w_a.shape[0])


@misconception("location_score", "The scores are already turned into weights: the softmax comes later.")
def softmaxed_location(s, w_a):
    return masked_softmax(s @ w_a.mT)


@misconception("location_score", "A tanh is applied: the location score is linear in s.")
def location_with_tanh(s, w_a):
    return torch.tanh(s @ w_a.mT)


@misconception("location_score", "The decoder's state is normalised first: W_a s uses it as it is.")
def location_of_a_direction(s, w_a):
    return F.normalize(s, dim=-1) @ w_a.mT


@misconception("location_score", "The result is detached from its inputs: nothing could be learned through it.")
def detached_location(s, w_a):
    return (s @ w_a.mT).detach()


@variant("location_score")
def location_by_linear(s, w_a):
    return F.linear(s, w_a)


@variant("location_score")
def location_by_sum(s, w_a):
    return (w_a * s[..., None, :]).sum(-1)


# 6 · general_score


@misconception("general_score", "W_a is transposed: it is (d_s, d_h), s from the left and h from the right.")
def transposed_general(s, h, w_a):
    w = w_a.mT if w_a.shape[0] == w_a.shape[1] else w_a.reshape(w_a.shape[1], w_a.shape[0]).mT
    return torch.einsum("...s,sd,...nd->...n", s, w, h)


@misconception("general_score", "W_a is not used, or only its diagonal: every pair of components has a weight of its own.")
def only_the_diagonal(s, h, w_a):
    d = min(w_a.shape)
    return torch.einsum("...d,d,...nd->...n", s[..., :d], w_a.diagonal(), h[..., :d])


@misconception("general_score", "The score is divided by the square root of a width: only the scaled dot product is.")
def scaled_general(s, h, w_a):
    return torch.einsum("...s,sd,...nd->...n", s, w_a, h) / math.sqrt(h.shape[-1])


@misconception("general_score", "A tanh is applied: sᵀ W_a h has none.")
def general_with_tanh(s, h, w_a):
    return torch.einsum("...d,...nd->...n", torch.tanh(s @ w_a), h)


@misconception("general_score", "The scores are already turned into weights: the softmax comes later.")
def softmaxed_general(s, h, w_a):
    return masked_softmax(torch.einsum("...s,sd,...nd->...n", s, w_a, h))


@misconception("general_score", "The scores of the batch are mixed: each element's state meets only its own source.")
def mixed_batch(s, h, w_a):
    return torch.einsum("...s,sd,...nd->...n", s.flip(0), w_a, h)


@variant("general_score")
def general_by_matmul(s, h, w_a):
    return (h @ (s @ w_a)[..., None])[..., 0]


@variant("general_score")
def source_moved_first(s, h, w_a):
    return ((h @ w_a.mT) * s[..., None, :]).sum(-1)


# 7 · dot_score


@misconception("dot_score", "The dot product is divided by the square root of the width: that is the next exercise.")
def scaled_dot(s, h):
    return torch.einsum("...d,...nd->...n", s, h) / math.sqrt(h.shape[-1])


@misconception("dot_score", "The dot product is divided by the vectors' lengths: that is the cosine.")
def normalised_dot(s, h):
    return F.cosine_similarity(s[..., None, :], h, dim=-1)


@misconception("dot_score", "The products are averaged: a dot product is their sum.")
def mean_product(s, h):
    return (s[..., None, :] * h).mean(-1)


@misconception("dot_score", "The scores are already turned into weights: the softmax comes later.")
def softmaxed_dot(s, h):
    return masked_softmax(torch.einsum("...d,...nd->...n", s, h))


@misconception("dot_score", "`squeeze()` without a dimension also removes a batch, or a source, of size 1.")
def squeezed_dot(s, h):
    return (h @ s[..., None]).squeeze()


@misconception("dot_score", "The products are summed over the source positions: sum over the numbers of a state, the last dimension.")
def dot_over_positions(s, h):
    return (s[..., None, :] * h).sum(-2)


@misconception("dot_score", "The products are not summed: a score is one number for each position.")
def dot_not_summed(s, h):
    return s[..., None, :] * h


@misconception("dot_score", "A dimension of size 1 is left at the end: the scores have the shape (..., n).")
def dot_with_an_end(s, h):
    return h @ s[..., None]


@misconception("dot_score", "A dimension of size 1 is left before the positions: the scores have the shape (..., n).")
def dot_with_a_beginning(s, h):
    return s[..., None, :] @ h.mT


@misconception(
    "dot_score",
    "Every state of the batch meets every source of the batch: s needs a dimension of its own for the positions, s[..., None, :].",
)
def dot_of_all_pairs(s, h):
    return s @ h.mT


@misconception("dot_score", "The score is the negative squared distance: it is the dot product.")
def dot_as_a_distance(s, h):
    return -((s[..., None, :] - h) ** 2).sum(-1)


@variant("dot_score")
def dot_by_matmul(s, h):
    return (h @ s.unsqueeze(-1)).squeeze(-1)


@variant("dot_score")
def dot_by_einsum(s, h):
    return torch.einsum("...d,...nd->...n", s, h)


# 8 · scaled_dot_score


@misconception("scaled_dot_score", "This is the plain dot product: it should be divided by the square root of the source states' width.")
def unscaled(s, h):
    return torch.einsum("...d,...nd->...n", s, h)


@misconception("scaled_dot_score", "The score is divided by the width: by its square root.")
def divided_by_the_width(s, h):
    return torch.einsum("...d,...nd->...n", s, h) / h.shape[-1]


@misconception(
    "scaled_dot_score", "The scale is the square root of the number of source positions: it should be that of the states' width."
)
def scaled_by_the_length(s, h):
    return torch.einsum("...d,...nd->...n", s, h) / math.sqrt(h.shape[-2])


@misconception(
    "scaled_dot_score", "The products are summed over the source positions: sum over the numbers of a state, the last dimension."
)
def scaled_over_positions(s, h):
    return (s[..., None, :] * h).sum(-2) / math.sqrt(h.shape[-1])


@misconception("scaled_dot_score", "The products are not summed: a score is one number for each position.")
def scaled_not_summed(s, h):
    return s[..., None, :] * h / math.sqrt(h.shape[-1])


@misconception("scaled_dot_score", "A dimension of size 1 is left at the end: the scores have the shape (..., n).")
def scaled_with_an_end(s, h):
    return h @ s[..., None] / math.sqrt(h.shape[-1])


@misconception("scaled_dot_score", "A dimension of size 1 is left before the positions: the scores have the shape (..., n).")
def scaled_with_a_beginning(s, h):
    return s[..., None, :] @ h.mT / math.sqrt(h.shape[-1])


@misconception(
    "scaled_dot_score",
    "Every state of the batch meets every source of the batch: s needs a dimension of its own for the positions, s[..., None, :].",
)
def scaled_of_all_pairs(s, h):
    return s @ h.mT / math.sqrt(h.shape[-1])


@misconception("scaled_dot_score", "The score is multiplied by the square root: it should be divided by it.")
def multiplied(s, h):
    return torch.einsum("...d,...nd->...n", s, h) * math.sqrt(h.shape[-1])


@misconception("scaled_dot_score", "The scale is 8: that is right only for states of 64 numbers.")
def always_eight(s, h):
    return torch.einsum("...d,...nd->...n", s, h) / 8


@variant("scaled_dot_score")
def scaled_by_matmul(s, h):
    return (h @ (s / h.size(-1) ** 0.5)[..., None])[..., 0]


@variant("scaled_dot_score")
def half_of_the_scale_each(s, h):
    root = h.shape[-1] ** 0.25
    return ((s / root)[..., None, :] * (h / root)).sum(-1)


# 9 · predict_position


@misconception("predict_position", "The sigmoid is not multiplied by the length: the result is a share of the source, not a position.")
def a_share(s, w_p, v_p, lengths):
    return torch.sigmoid(torch.tanh(s @ w_p.mT) @ v_p)


@misconception("predict_position", "The sigmoid is missing: the position must lie between 0 and the length.")
def without_sigmoid(s, w_p, v_p, lengths):
    return lengths * (torch.tanh(s @ w_p.mT) @ v_p)


@misconception("predict_position", "The tanh is missing.")
def predicted_without_tanh(s, w_p, v_p, lengths):
    return lengths * torch.sigmoid(s @ w_p.mT @ v_p)


@misconception("predict_position", "v_p is not used: the hidden units are summed without their weights.")
def predicted_without_v(s, w_p, v_p, lengths):
    return lengths * torch.sigmoid(torch.tanh(s @ w_p.mT).sum(-1) + 0 * v_p.sum())


@misconception("predict_position", "The length stands inside the sigmoid: it multiplies what comes out of it.")
def length_inside(s, w_p, v_p, lengths):
    return torch.sigmoid(lengths * (torch.tanh(s @ w_p.mT) @ v_p))


@misconception("predict_position", "The position is rounded: it is a real number, and rounding has no gradient.")
def rounded(s, w_p, v_p, lengths):
    return (lengths * torch.sigmoid(torch.tanh(s @ w_p.mT) @ v_p)).round()


@misconception("predict_position", "The sigmoid is multiplied by length − 1: in the paper it is the length.")
def one_short(s, w_p, v_p, lengths):
    return (lengths - 1) * torch.sigmoid(torch.tanh(s @ w_p.mT) @ v_p)


@misconception("predict_position", "One length is used for the whole batch: each source has its own.")
def the_longest_for_all(s, w_p, v_p, lengths):
    return lengths.max() * torch.sigmoid(torch.tanh(s @ w_p.mT) @ v_p)


@misconception("predict_position", "Sigmoid and tanh are swapped: the tanh is inside, the sigmoid outside.")
def swapped_squashing(s, w_p, v_p, lengths):
    return lengths * torch.tanh(torch.sigmoid(s @ w_p.mT) @ v_p)


@variant("predict_position")
def predicted_by_einsum(s, w_p, v_p, lengths):
    hidden = torch.tanh(torch.einsum("ps,...s->...p", w_p, s))
    return lengths.to(s.dtype) / (1 + torch.exp(-(hidden * v_p).sum(-1)))


@variant("predict_position")
def predicted_by_linear(s, w_p, v_p, lengths):
    return F.linear(torch.tanh(F.linear(s, w_p)), v_p[None]).squeeze(-1).sigmoid() * lengths


# 10 · local_attention_weights


def distance_of(scores, position):
    return torch.arange(scores.shape[-1], dtype=scores.dtype, device=scores.device) - position[..., None]


def inside(distance, half_width, mask):
    window = distance.abs() <= half_width
    return window if mask is None else window & mask


def gaussian(distance, sigma):
    return torch.exp(-(distance**2) / (2 * sigma**2))


@misconception("local_attention_weights", "The standard deviation is D: in the paper it is D/2.")
def sigma_is_d(scores, position, half_width, mask=None):
    d = distance_of(scores, position)
    return masked_softmax(scores, inside(d, half_width, mask)) * gaussian(d, half_width)


@misconception(
    "local_attention_weights", "The Gaussian is missing: inside the window, weights are multiplied by one that is centred at the position."
)
def without_gaussian(scores, position, half_width, mask=None):
    d = distance_of(scores, position)
    return masked_softmax(scores, inside(d, half_width, mask)) + 0 * d


@misconception(
    "local_attention_weights",
    "The weights sum to 1, the Gaussian included: in the paper they are not normalised after it, and it is no part of the scores.",
)
def renormalised(scores, position, half_width, mask=None):
    d = distance_of(scores, position)
    weights = masked_softmax(scores, inside(d, half_width, mask)) * gaussian(d, half_width / 2)
    return weights / weights.sum(-1, keepdim=True).clamp(min=1e-30)


@misconception(
    "local_attention_weights", "The softmax runs over the whole source and is cut off afterwards: it should run over the window alone."
)
def cut_afterwards(scores, position, half_width, mask=None):
    d = distance_of(scores, position)
    return masked_softmax(scores, mask) * inside(d, half_width, mask) * gaussian(d, half_width / 2)


@misconception("local_attention_weights", "There is no window: weights should be exactly 0 farther than D from the position.")
def without_window(scores, position, half_width, mask=None):
    return masked_softmax(scores, mask) * gaussian(distance_of(scores, position), half_width / 2)


@misconception("local_attention_weights", "The ends of the window are left out: positions exactly D away belong to it.")
def open_window(scores, position, half_width, mask=None):
    d = distance_of(scores, position)
    window = (d.abs() < half_width) if mask is None else (d.abs() < half_width) & mask
    return masked_softmax(scores, window) * gaussian(d, half_width / 2)


@misconception("local_attention_weights", "The right end of the window is left out, as in a Python range: p + D belongs to it.")
def half_open_window(scores, position, half_width, mask=None):
    d = distance_of(scores, position)
    window = (d >= -half_width) & (d < half_width)
    return masked_softmax(scores, window if mask is None else window & mask) * gaussian(d, half_width / 2)


@misconception("local_attention_weights", "The position is rounded before the window or the Gaussian is made: it is a real number.")
def rounded_position(scores, position, half_width, mask=None):
    d = distance_of(scores, position.round())
    return masked_softmax(scores, inside(d, half_width, mask)) * gaussian(d, half_width / 2)


@misconception("local_attention_weights", "Positions are counted from 1: they are counted from 0.")
def counted_from_one(scores, position, half_width, mask=None):
    d = distance_of(scores, position - 1)
    return masked_softmax(scores, inside(d, half_width, mask)) * gaussian(d, half_width / 2)


@misconception("local_attention_weights", "The window is D wide altogether: it reaches D to either side.")
def narrow_window(scores, position, half_width, mask=None):
    d = distance_of(scores, position)
    return masked_softmax(scores, inside(d, half_width / 2, mask)) * gaussian(d, half_width / 2)


@misconception("local_attention_weights", "The mask is ignored: what it forbids has no weight and no part in the softmax.")
def local_without_mask(scores, position, half_width, mask=None):
    d = distance_of(scores, position)
    return masked_softmax(scores, inside(d, half_width, None)) * gaussian(d, half_width / 2)


@misconception("local_attention_weights", "The mask is applied after the softmax: the allowed positions of the window share the whole.")
def local_masked_afterwards(scores, position, half_width, mask=None):
    d = distance_of(scores, position)
    weights = masked_softmax(scores, inside(d, half_width, None)) * gaussian(d, half_width / 2)
    return weights if mask is None else weights * mask


@misconception("local_attention_weights", "The exponent lacks its 2: a Gaussian is exp(−(i − p)² / (2σ²)).")
def wrong_exponent(scores, position, half_width, mask=None):
    d = distance_of(scores, position)
    return masked_softmax(scores, inside(d, half_width, mask)) * torch.exp(-(d**2) / (half_width / 2) ** 2)


@misconception("local_attention_weights", "The Gaussian is multiplied into the scores: it belongs to the weights, after the softmax.")
def gaussian_on_scores(scores, position, half_width, mask=None):
    d = distance_of(scores, position)
    return masked_softmax(scores * gaussian(d, half_width / 2), inside(d, half_width, mask))


@misconception("local_attention_weights", "The Gaussian is a normalised density: the paper's has height 1 at its centre.")
def a_density(scores, position, half_width, mask=None):
    d = distance_of(scores, position)
    sigma = half_width / 2
    return masked_softmax(scores, inside(d, half_width, mask)) * gaussian(d, sigma) / (sigma * math.sqrt(2 * math.pi))


@misconception("local_attention_weights", "No gradient reaches the position: it is detached, so nothing can learn where to look.")
def detached_position(scores, position, half_width, mask=None):
    d = distance_of(scores, position.detach())
    return masked_softmax(scores, inside(d, half_width, mask)) * gaussian(d, half_width / 2)


@misconception("local_attention_weights", "A window without an allowed position gives NaN: its weights should all be 0.")
def nan_in_an_empty_window(scores, position, half_width, mask=None):
    d = distance_of(scores, position)
    return F.softmax(scores.masked_fill(~inside(d, half_width, mask), -math.inf), -1) * gaussian(d, half_width / 2)


@misconception("local_attention_weights", "Scores outside the window are set to 0, but e⁰ = 1: they should be set to −∞.")
def zero_outside(scores, position, half_width, mask=None):
    d = distance_of(scores, position)
    window = inside(d, half_width, mask)
    return F.softmax(scores * window, -1) * window * gaussian(d, half_width / 2)


def assert_positive(half_width):
    if not half_width > 0:
        raise ValueError(f"a window of half_width {half_width} holds nothing")


@variant("local_attention_weights")
def local_by_loop(scores, position, half_width, mask=None):
    if half_width < 1:
        raise ValueError("half_width is too small")
    columns, d = [], distance_of(scores, position)
    window = inside(d, half_width, mask)
    low = torch.where(window, scores, torch.full_like(scores, -1e30))
    top = low.amax(-1)
    exponentials = [torch.exp(low[..., i] - top) * window[..., i] for i in range(scores.shape[-1])]
    total = sum(exponentials)
    for i, e in enumerate(exponentials):
        columns.append(torch.where(total > 0, e / total.clamp(min=1e-30), 0 * e) * torch.exp(-0.5 * (2 * d[..., i] / half_width) ** 2))
    return torch.stack(columns, -1)


@variant("local_attention_weights")
def gaussian_in_the_exponent(scores, position, half_width, mask=None):
    assert_positive(half_width)
    d = distance_of(scores, position)
    window = inside(d, half_width, mask)
    low = scores.masked_fill(~window, torch.finfo(scores.dtype).min)
    log_weights = low - torch.logsumexp(low, -1, keepdim=True) - 2 * (d / half_width) ** 2
    return torch.exp(log_weights) * window


# 11 · AdditiveAttention


class Base(nn.Module):
    """The right parameters; the specimens differ in what they do with them."""

    def __init__(self, d_s, d_h, d_a):
        super().__init__()
        self.w_a = nn.Parameter(torch.randn(d_a, d_s + d_h) * 0.3)
        self.v_a = nn.Parameter(torch.randn(d_a) * 0.3)

    def weigh(self, s, h, mask):
        return masked_softmax(right_additive(s, h, self.w_a, self.v_a), mask)

    def forward(self, s, h, mask=None):
        weights = self.weigh(s, h, mask)
        return torch.einsum("...n,...nd->...d", weights, h), weights


@misconception("AdditiveAttention", "The mask is not passed on: masked positions get weight.")
class AttentionWithoutMask(Base):
    def forward(self, s, h, mask=None):
        return super().forward(s, h)


@misconception("AdditiveAttention", "Weights and context come back in the wrong order: the context is first.")
class WeightsFirst(Base):
    def forward(self, s, h, mask=None):
        return super().forward(s, h, mask)[::-1]


@misconception("AdditiveAttention", "Only the context comes back: the result is the pair (context, weights).")
class ContextOnly(Base):
    def forward(self, s, h, mask=None):
        return super().forward(s, h, mask)[0]


@misconception("AdditiveAttention", "The scores come back in place of the weights.")
class ScoresBack(Base):
    def forward(self, s, h, mask=None):
        return super().forward(s, h, mask)[0], right_additive(s, h, self.w_a, self.v_a)


@misconception("AdditiveAttention", "All entries of w_a start equal: all hidden units would learn the same.")
class EqualStart(Base):
    def __init__(self, d_s, d_h, d_a):
        super().__init__(d_s, d_h, d_a)
        nn.init.ones_(self.w_a)


@misconception("AdditiveAttention", "All entries of w_a start at zero: all hidden units would learn the same.")
class ZeroStart(Base):
    def __init__(self, d_s, d_h, d_a):
        super().__init__(d_s, d_h, d_a)
        nn.init.zeros_(self.w_a)


@misconception("AdditiveAttention", "w_a and v_a are plain tensors: only an nn.Parameter is learned, saved and moved with the module.")
class PlainTensors(nn.Module):
    def __init__(self, d_s, d_h, d_a):
        super().__init__()
        self.w_a, self.v_a = torch.randn(d_a, d_s + d_h), torch.randn(d_a)

    forward, weigh = Base.__dict__["forward"], Base.__dict__["weigh"]


@misconception("AdditiveAttention", "w_a has the shape (d_s + d_h, d_a): it should be (d_a, d_s + d_h).")
class TransposedParameter(nn.Module):
    def __init__(self, d_s, d_h, d_a):
        super().__init__()
        self.w_a, self.v_a = nn.Parameter(torch.randn(d_s + d_h, d_a)), nn.Parameter(torch.randn(d_a))

    def forward(self, s, h, mask=None):
        weights = masked_softmax(right_additive(s, h, self.w_a.mT, self.v_a), mask)
        return torch.einsum("...n,...nd->...d", weights, h), weights


@misconception("AdditiveAttention", "There are parameters beyond `w_a` and `v_a`: the score has no bias.")
class WithBias(Base):
    def __init__(self, d_s, d_h, d_a):
        super().__init__(d_s, d_h, d_a)
        self.bias = nn.Parameter(torch.zeros(d_a))


@misconception("AdditiveAttention", "The context is made with the scores: it should be made with the weights.")
class ContextOfScores(Base):
    def forward(self, s, h, mask=None):
        scores = right_additive(s, h, self.w_a, self.v_a)
        return torch.einsum("...n,...nd->...d", scores, h), self.weigh(s, h, mask)


@misconception("AdditiveAttention", "The weights are detached before the context is made: nothing reaches w_a and v_a.")
class DetachedAttention(Base):
    def forward(self, s, h, mask=None):
        weights = self.weigh(s, h, mask)
        return torch.einsum("...n,...nd->...d", weights.detach(), h), weights


@misconception("AdditiveAttention", "The widths of decoder and source are swapped in w_a.")
class SwappedWidths(Base):
    def forward(self, s, h, mask=None):
        d_h = h.shape[-1]
        w = torch.cat([self.w_a[:, d_h:], self.w_a[:, :d_h]], dim=1)
        weights = masked_softmax(right_additive(s, h, w, self.v_a), mask)
        return torch.einsum("...n,...nd->...d", weights, h), weights


@variant("AdditiveAttention")
class VStartsAtZero(Base):
    """As in Bahdanau et al. (2015), appendix B.1."""

    def __init__(self, d_s, d_h, d_a):
        super().__init__(d_s, d_h, d_a)
        nn.init.normal_(self.w_a, std=0.001)
        nn.init.zeros_(self.v_a)


@variant("AdditiveAttention")
class TwoHalves(nn.Module):
    def __init__(self, d_s, d_h, d_a):
        super().__init__()
        self.d_s = d_s
        self.v_a = nn.Parameter(nn.init.uniform_(torch.empty(d_a), -0.1, 0.1))
        self.w_a = nn.Parameter(nn.init.kaiming_uniform_(torch.empty(d_a, d_s + d_h)))

    def forward(self, s, h, mask=None):
        hidden = F.linear(h, self.w_a[:, self.d_s :]) + F.linear(s, self.w_a[:, : self.d_s]).unsqueeze(-2)
        weights = masked_softmax((torch.tanh(hidden) * self.v_a).sum(-1), mask)
        return (weights.unsqueeze(-2) @ h).squeeze(-2), weights


# 12 · AttentionDecoderCell


class Cell(nn.Module):
    """The right parts; the specimens differ in how they are wired."""

    def __init__(self, d_embed, d_hidden, d_source, d_a):
        super().__init__()
        self.attention = Base(d_hidden, d_source, d_a)
        self.rnn = nn.GRUCell(d_embed + d_source, d_hidden)

    def forward(self, embedding, state, h, mask=None):
        context, weights = self.attention(state, h, mask)
        return self.rnn(torch.cat([embedding, context], -1), state), weights


@misconception("AttentionDecoderCell", "Context and embedding are joined in the wrong order: the embedding is first.")
class ContextFirst(Cell):
    def forward(self, embedding, state, h, mask=None):
        context, weights = self.attention(state, h, mask)
        return self.rnn(torch.cat([context, embedding], -1), state), weights


@misconception("AttentionDecoderCell", "The mask is not passed on to the attention.")
class CellWithoutMask(Cell):
    def forward(self, embedding, state, h, mask=None):
        return super().forward(embedding, state, h)


@misconception("AttentionDecoderCell", "The new state asks: the score uses the previous state, the decoder looks before it moves.")
class LooksAfterwards(Cell):
    def forward(self, embedding, state, h, mask=None):
        context, _ = self.attention(state, h, mask)
        new = self.rnn(torch.cat([embedding, context], -1), state)
        return new, self.attention(new, h, mask)[1]


@misconception("AttentionDecoderCell", "The GRU does not see the context: it reads [embedding; context].")
class WithoutContext(Cell):
    def forward(self, embedding, state, h, mask=None):
        context, weights = self.attention(state, h, mask)
        return self.rnn(torch.cat([embedding, 0 * context], -1), state), weights


@misconception("AttentionDecoderCell", "The GRU is not given the previous state: it starts from zero at every step.")
class Forgetful(Cell):
    def forward(self, embedding, state, h, mask=None):
        context, weights = self.attention(state, h, mask)
        return self.rnn(torch.cat([embedding, context], -1)), weights


@misconception("AttentionDecoderCell", "State and weights come back in the wrong order: the new state is first.")
class CellWeightsFirst(Cell):
    def forward(self, embedding, state, h, mask=None):
        return super().forward(embedding, state, h, mask)[::-1]


@misconception("AttentionDecoderCell", "The context comes back in place of the weights.")
class CellContextBack(Cell):
    def forward(self, embedding, state, h, mask=None):
        new, _ = super().forward(embedding, state, h, mask)
        return new, self.attention(state, h, mask)[0]


@misconception("AttentionDecoderCell", "The old state comes back: the result is the new one.")
class OldState(Cell):
    def forward(self, embedding, state, h, mask=None):
        return state, super().forward(embedding, state, h, mask)[1]


@misconception("AttentionDecoderCell", "The context is the plain mean of the source: it should be the attention's.")
class MeanContext(Cell):
    def forward(self, embedding, state, h, mask=None):
        _, weights = self.attention(state, h, mask)
        return self.rnn(torch.cat([embedding, h.mean(-2)], -1), state), weights


@misconception("AttentionDecoderCell", "`rnn` is an RNNCell or LSTM-like cell of another kind: it should be nn.GRUCell.")
class PlainRecurrence(Cell):
    def __init__(self, d_embed, d_hidden, d_source, d_a):
        super().__init__(d_embed, d_hidden, d_source, d_a)
        self.rnn = nn.RNNCell(d_embed + d_source, d_hidden)


@misconception("AttentionDecoderCell", "The context is detached: nothing reaches the attention, which would never learn.")
class DetachedContext(Cell):
    def forward(self, embedding, state, h, mask=None):
        context, weights = self.attention(state, h, mask)
        return self.rnn(torch.cat([embedding, context.detach()], -1), state), weights


@misconception("AttentionDecoderCell", "The GRU reads only the context: the embedding of the character written last is lost.")
class WithoutEmbedding(Cell):
    def forward(self, embedding, state, h, mask=None):
        context, weights = self.attention(state, h, mask)
        return self.rnn(torch.cat([0 * embedding, context], -1), state), weights


@variant("AttentionDecoderCell")
class StepByStep(Cell):
    def forward(self, embedding, state, h, mask=None):
        looked = self.attention(state, h, mask=mask)
        both = torch.hstack([embedding, looked[0]]) if embedding.ndim == 1 else torch.cat((embedding, looked[0]), dim=1)
        return self.rnn(both, state), looked[1]


@variant("AttentionDecoderCell", replace=("self.attention(state, h, mask)", "self.attention.forward(s=state, h=h, mask=mask)"))
def by_keyword():
    """The reference answer with keyword arguments."""


# Stretch · monotonic_local_weights


@misconception("monotonic_local_weights", "Every step looks around position 0: step t looks around position t.")
def around_the_start(scores, half_width):
    places = torch.arange(scores.shape[-1], device=scores.device).expand(scores.shape)
    return masked_softmax(scores, places <= half_width)


@misconception("monotonic_local_weights", "The window reaches only back: it holds t − D … t + D.")
def only_back(scores, half_width):
    d = torch.arange(scores.shape[-1]).to(scores.device) - torch.arange(scores.shape[-2]).to(scores.device)[:, None]
    return masked_softmax(scores, ((d <= 0) & (d >= -half_width)).expand(scores.shape))


@misconception("monotonic_local_weights", "A step whose window lies outside the source gives NaN: its weights should all be 0.")
def nan_outside(scores, half_width):
    d = torch.arange(scores.shape[-1]).to(scores.device) - torch.arange(scores.shape[-2]).to(scores.device)[:, None]
    return F.softmax(scores.masked_fill(d.abs() > half_width, -math.inf), -1)


@misconception("monotonic_local_weights", "The ends of the window are left out: t − D and t + D belong to it.")
def monotonic_open(scores, half_width):
    d = torch.arange(scores.shape[-1]).to(scores.device) - torch.arange(scores.shape[-2]).to(scores.device)[:, None]
    return masked_softmax(scores, (d.abs() < half_width).expand(scores.shape))


@misconception(
    "monotonic_local_weights",
    "The softmax runs over the whole source and is cut to the window afterwards: the weights in a window sum to 1.",
)
def cut_after_the_softmax(scores, half_width):
    d = torch.arange(scores.shape[-1]).to(scores.device) - torch.arange(scores.shape[-2]).to(scores.device)[:, None]
    return scores.softmax(-1) * (d.abs() <= half_width)


@misconception("monotonic_local_weights", "The window reaches only ahead: it holds t − D … t + D.")
def only_ahead(scores, half_width):
    d = torch.arange(scores.shape[-1]).to(scores.device) - torch.arange(scores.shape[-2]).to(scores.device)[:, None]
    return masked_softmax(scores, ((d >= 0) & (d <= half_width)).expand(scores.shape))


@misconception("monotonic_local_weights", "There is no window: every step attends to the whole source.")
def no_window(scores, half_width):
    return scores.softmax(-1)


@misconception("monotonic_local_weights", "There is a Gaussian as in local-p: local-m is the softmax alone.")
def with_a_gaussian(scores, half_width):
    d = torch.arange(scores.shape[-1]).to(scores.device) - torch.arange(scores.shape[-2]).to(scores.device)[:, None]
    width = max(half_width, 1) / 2
    return masked_softmax(scores, (d.abs() <= half_width).expand(scores.shape)) * torch.exp(-(d**2) / (2 * width**2))


@misconception("monotonic_local_weights", "A step whose window lies outside the source gets even weights: they should all be 0.")
def even_outside(scores, half_width):
    d = torch.arange(scores.shape[-1]).to(scores.device) - torch.arange(scores.shape[-2]).to(scores.device)[:, None]
    return scores.masked_fill(d.abs() > half_width, -1e9).softmax(-1)


@misconception("monotonic_local_weights", "The window is turned round: it is closed where it should be open.")
def closed_window(scores, half_width):
    d = torch.arange(scores.shape[-1]).to(scores.device) - torch.arange(scores.shape[-2]).to(scores.device)[:, None]
    return masked_softmax(scores, (d.abs() > half_width).expand(scores.shape))


@misconception("monotonic_local_weights", "The softmax runs down the steps: each step's weights over the source sum to 1.")
def over_the_steps(scores, half_width):
    d = torch.arange(scores.shape[-1]).to(scores.device) - torch.arange(scores.shape[-2]).to(scores.device)[:, None]
    return masked_softmax(scores.mT, (d.abs() <= half_width).mT.expand(scores.mT.shape)).mT


@variant("monotonic_local_weights")
def by_triangles(scores, half_width):
    near = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril(half_width).triu(-half_width)
    return masked_softmax(scores, near.expand(scores.shape))


# Kinds that hold for several exercises: precision, gradients, promised errors, memory

F32 = "float64 in, float64 out, but computed in float32 on the way: digits are lost."
misconception(
    "context_vector",
    F32,
    replace=("(weights[..., None] * h).sum(dim=-2)", "(weights[..., None].float() * h.float()).sum(dim=-2).to(h.dtype)"),
)
misconception("location_score", F32, replace=("s @ w_a.mT", "(s.float() @ w_a.float().mT).to(s.dtype)"))
misconception("general_score", F32, replace=("s, w_a, h)", "s.float(), w_a.float(), h.float()).to(s.dtype)"))


@misconception("alignment_weights", F32)
def softmax_in_float32(scores, mask=None):
    return masked_softmax(scores.float(), mask).to(scores.dtype)


@misconception("content_based_score", F32)
def cosine_in_float32(s, h):
    return F.cosine_similarity(s.float()[..., None, :], h.float(), dim=-1).to(s.dtype)


@misconception("content_based_score", "The denominator is held above 0.001: short vectors lose their direction.")
def cosine_of_long_vectors(s, h):
    return (s[..., None, :] * h).sum(-1) / (s.norm(dim=-1)[..., None] * h.norm(dim=-1)).clamp(min=1e-3)


@misconception("content_based_score", "The value at a zero vector is 0, but the gradient is NaN: the square root of 0 has no slope.")
def root_of_a_sum_of_squares(s, h):
    lengths = (s**2).sum(-1).sqrt()[..., None] * (h**2).sum(-1).sqrt()
    return (s[..., None, :] * h).sum(-1) / lengths.clamp(min=1e-12)


misconception(
    "local_attention_weights",
    "A `half_width` that is not positive must be a ValueError.",
    replace=("if half_width <= 0:", "if half_width != half_width:"),
)
misconception(
    "local_attention_weights", "A `half_width` of 0 must be a ValueError: σ would be 0.", replace=("half_width <= 0", "half_width < 0")
)
misconception(
    "AdditiveAttention",
    "`v_a` is never initialised: `torch.empty` holds whatever lay in memory.",
    replace=("        nn.init.normal_(self.v_a, std=d_a**-0.5)\n", ""),
)


# From public code and its issue trackers


@misconception(
    "alignment_weights", "A score of 0 is taken for a hidden position: hide by the mask alone, not by what is 0 after a product with it."
)
def zeros_are_hidden(scores, mask=None):
    if mask is not None:
        scores = (scores * mask).masked_fill(scores * mask == 0, -math.inf)
    largest = scores.amax(-1, keepdim=True)
    exponentials = (scores - largest.masked_fill(largest == -math.inf, 0.0)).exp()
    total = exponentials.sum(-1, keepdim=True)
    return exponentials / total.masked_fill(total == 0, 1.0)


@misconception("alignment_weights", "The mask is added to the scores as 0 and 1; hidden scores must become −∞.")
def mask_added(scores, mask=None):
    scores = scores if mask is None else scores + mask
    exponentials = (scores - scores.amax(-1, keepdim=True)).exp()
    return exponentials / exponentials.sum(-1, keepdim=True)


@misconception("alignment_weights", "These are the logarithms of the weights (log-softmax).")
def log_weights(scores, mask=None):
    scores = scores if mask is None else scores.masked_fill(~mask, -math.inf)
    return scores - scores.logsumexp(-1, keepdim=True)


@misconception("additive_score", "A ReLU stands where the paper has a tanh.")
def additive_with_relu(s, h, w_a, v_a):
    d_s = s.shape[-1]
    return torch.relu((s @ w_a[:, :d_s].mT)[..., None, :] + h @ w_a[:, d_s:].mT) @ v_a


@misconception("additive_score", "The source states play no part: every position gets the same score. Both s and hᵢ go through W_a.")
def additive_without_the_source(s, h, w_a, v_a):
    score = torch.tanh(s @ w_a[:, : s.shape[-1]].mT) @ v_a
    return score[..., None].expand(h.shape[:-1]).clone()
