"""Wrong answers to lesson 03, each with the sentence its author should read, and unusual right ones."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from autograde.authoring.strength.mutation import misconception, variant

# 1 · query_key_value


@misconception("query_key_value", "Queries and keys are swapped: the results are q, k, v in this order, made by w_q, w_k, w_v.")
def swapped_projections(x, w_q, w_k, w_v):
    return x @ w_k, x @ w_q, x @ w_v


@misconception("query_key_value", "Queries and keys come from the same matrix: keys have a matrix of their own, w_k.")
def shared_projection(x, w_q, w_k, w_v):
    return x @ w_q, x @ w_q, x @ w_v


@misconception(
    "query_key_value", "The matrices are transposed: nn.Linear stores them as (out, in), but here they are given as (d_model, d_k)."
)
def transposed_matrices(x, w_q, w_k, w_v):
    return x @ w_q.T, x @ w_k.T, x @ w_v.T


@misconception("query_key_value", "The values come back first: the order is queries, keys, values.")
def values_first(x, w_q, w_k, w_v):
    return x @ w_v, x @ w_q, x @ w_k


@misconception("query_key_value", "The queries are already divided by √d_k: that is the business of the scores, later.")
def scaled_queries(x, w_q, w_k, w_v):
    return x @ w_q / math.sqrt(w_q.shape[-1]), x @ w_k, x @ w_v


@misconception("query_key_value", "The values are the words themselves, x: values have a matrix of their own, w_v.")
def words_as_values(x, w_q, w_k, w_v):
    return x @ w_q, x @ w_k, x


@misconception("query_key_value", "The gradient is cut off: a result is detached from the inputs.")
def detached_projections(x, w_q, w_k, w_v):
    return tuple((x @ w).detach() for w in (w_q, w_k, w_v))


@misconception("query_key_value", "The results are float32 whatever the inputs were.")
def projections_in_float32(x, w_q, w_k, w_v):
    return tuple(x.float() @ w.float() for w in (w_q, w_k, w_v))


@misconception("query_key_value", "A nonlinearity follows the projection: a projection is a plain matrix product.")
def projections_with_relu(x, w_q, w_k, w_v):
    return tuple(F.relu(x @ w) for w in (w_q, w_k, w_v))


@variant("query_key_value")
def projections_by_einsum(x, w_q, w_k, w_v):
    return tuple(torch.einsum("...td,de->...te", x, w) for w in (w_q, w_k, w_v))


@variant("query_key_value")
def projections_at_once(x, w_q, w_k, w_v):
    together = torch.matmul(x, torch.cat([w_q, w_k, w_v], dim=1))
    return list(together.split([w_q.shape[1], w_k.shape[1], w_v.shape[1]], dim=-1))


# 2 · attention_scores


@misconception("attention_scores", "This is what you get when the scores are not divided by √d_k.")
def unscaled_scores(q, k):
    return q @ k.mT


@misconception(
    "attention_scores",
    "The scores are divided by d_k (at once, or by √d_k in both q and k); the typical size of a dot product is its square root.",
)
def scaled_by_d_k(q, k):
    return q @ k.mT / q.shape[-1]


@misconception(
    "attention_scores", "The scores are divided by the root of the number of keys; d_k is the length of a key, its last dimension."
)
def scaled_by_number_of_keys(q, k):
    return q @ k.mT / k.shape[-2] ** 0.5


@misconception(
    "attention_scores", "The scores are divided by the root of the number of queries; d_k is the length of a query, its last dimension."
)
def scaled_by_number_of_queries(q, k):
    return q @ k.mT / q.shape[-2] ** 0.5


@misconception("attention_scores", "The scores are divided by 8: that is √d_k only for the lecture's d_k = 64.")
def scaled_by_eight(q, k):
    return q @ k.mT / 8


@misconception("attention_scores", "Rows and columns are swapped: a row for every query, a column for every key.")
def keys_as_rows(q, k):
    return k @ q.mT / math.sqrt(q.shape[-1])


@misconception("attention_scores", "These are weights already: scores come before the softmax.")
def softmaxed_scores(q, k):
    return (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1)


@misconception("attention_scores", "The scores are multiplied by √d_k instead of divided.")
def multiplied_scores(q, k):
    return q @ k.mT * math.sqrt(q.shape[-1])


@misconception(
    "attention_scores",
    "The scores are divided by d_k (at once, or by √d_k in both q and k); the typical size of a dot product is its square root.",
)
def scaled_twice(q, k):
    root = math.sqrt(q.shape[-1])
    return (q / root) @ (k / root).mT


@misconception(
    "attention_scores", "Queries and keys are made unit vectors: that is the cosine of lesson 02, which forgets how long they are."
)
def cosine_scores(q, k):
    return F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).mT


@misconception("attention_scores", "`.T` turns all dimensions around, the batch too; only the last two change places.")
def turned_all_around(q, k):
    return q @ k.permute(*reversed(range(k.ndim))) / math.sqrt(q.shape[-1])


@misconception("attention_scores", "q is divided in place, so the caller's queries change.")
def scaled_in_place(q, k):
    q /= math.sqrt(q.shape[-1])
    return q @ k.mT


@misconception("attention_scores", "The gradient is cut off: keep the result connected to q and k.")
def detached_scores(q, k):
    return (q @ k.mT / math.sqrt(q.shape[-1])).detach()


@misconception("attention_scores", "The result is float32 whatever the inputs were.")
def scores_in_float32(q, k):
    return q.float() @ k.float().mT / math.sqrt(q.shape[-1])


@variant("attention_scores")
def scores_by_einsum(q, k):
    return torch.einsum("...id,...jd->...ij", q, k) / math.sqrt(k.shape[-1])


@variant("attention_scores")
def scores_by_a_sum(q, k):
    return (q.unsqueeze(-2) * k.unsqueeze(-3)).sum(dim=-1) * k.size(-1) ** -0.5


@variant("attention_scores")
def scores_scaled_first(q, k):
    root = torch.tensor(float(q.shape[-1]), dtype=q.dtype, device=q.device).sqrt()
    return torch.matmul(q / root, k.transpose(-1, -2))


@variant("attention_scores")
def scores_by_fourth_roots(q, k):
    root = q.shape[-1] ** 0.25
    return (q / root) @ (k / root).mT


# 3 · causal_mask


@misconception("causal_mask", "A word cannot see itself: the diagonal is True.")
def strictly_before(n, device=None):
    return torch.ones(n, n, dtype=torch.bool, device=device).tril(-1)


@misconception("causal_mask", "The mask is inverted: True means that a word may be attended to.")
def inverted_causal(n, device=None):
    return torch.ones(n, n, dtype=torch.bool, device=device).triu(1)


@misconception("causal_mask", "The mask is transposed: rows are queries, and row i sees columns 0 … i.")
def transposed_causal(n, device=None):
    return torch.ones(n, n, dtype=torch.bool, device=device).triu()


@misconception("causal_mask", "Each word sees one word of the future.")
def one_ahead(n, device=None):
    return torch.ones(n, n, dtype=torch.bool, device=device).tril(1)


@misconception("causal_mask", "The mask holds floats; it is boolean.")
def float_causal(n, device=None):
    return torch.ones(n, n, device=device).tril()


@misconception("causal_mask", "This is a mask to be added to scores (0 and −∞); the course's masks are boolean.")
def additive_causal(n, device=None):
    return torch.full((n, n), -math.inf, device=device).triu(1)


@misconception("causal_mask", "`device` is ignored.")
def causal_on_the_cpu(n, device=None):
    return torch.ones(n, n, dtype=torch.bool).tril()


@misconception("causal_mask", "Nothing is masked.")
def all_allowed(n, device=None):
    return torch.ones(n, n, dtype=torch.bool, device=device)


@variant("causal_mask")
def causal_by_comparison(n, device=None):
    i = torch.arange(n, device=device)
    return i.unsqueeze(1) >= i


@variant("causal_mask")
def causal_by_loop(n, device=None):
    mask = torch.zeros(n, n, dtype=torch.bool, device=device)
    for i in range(n):
        mask[i, : i + 1] = True
    return mask


@variant("causal_mask")
def causal_by_negation(n, device=None):
    return ~torch.triu(torch.full((n, n), True, device=device), diagonal=1)


# 4 · padding_mask


@misconception("padding_mask", "One position too many is allowed: a sentence of length 3 has the positions 0, 1 and 2.")
def one_too_many(lengths, n):
    return torch.arange(n, device=lengths.device) <= lengths[..., None, None]


@misconception("padding_mask", "The mask is inverted: True means that a word may be attended to.")
def inverted_padding(lengths, n):
    return torch.arange(n, device=lengths.device) >= lengths[..., None, None]


@misconception("padding_mask", "The dimension of the queries is missing: the shape is (..., 1, n).")
def without_query_dimension(lengths, n):
    return torch.arange(n, device=lengths.device) < lengths[..., None]


@misconception("padding_mask", "The mask hides queries instead of keys: its shape is (..., 1, n), not (..., n, 1).")
def padded_queries(lengths, n):
    return (torch.arange(n, device=lengths.device) < lengths[..., None])[..., None]


@misconception("padding_mask", "The padding stands in front; sentences begin at position 0 and the padding follows them.")
def padding_in_front(lengths, n):
    return torch.arange(n, device=lengths.device) >= n - lengths[..., None, None]


@misconception("padding_mask", "The mask is as wide as the longest sentence; it is n wide.")
def as_wide_as_the_longest(lengths, n):
    width = int(lengths.max())
    return torch.arange(width, device=lengths.device) < lengths[..., None, None]


@misconception("padding_mask", "The mask holds numbers; it is boolean.")
def float_padding(lengths, n):
    return (torch.arange(n, device=lengths.device) < lengths[..., None, None]).float()


@misconception("padding_mask", "The positions are made on the CPU, wherever `lengths` lives.")
def padding_on_the_cpu(lengths, n):
    return torch.arange(n) < lengths[..., None, None]


@misconception("padding_mask", "Only a one-dimensional batch works: `lengths` may have any number of dimensions, also none.")
def one_batch_dimension_only(lengths, n):
    return (torch.arange(n, device=lengths.device)[None] < lengths.reshape(-1, 1))[:, None]


@variant("padding_mask")
def padding_by_loop(lengths, n):
    rows = [[j < length for j in range(n)] for length in lengths.flatten().tolist()]
    return torch.tensor(rows, dtype=torch.bool, device=lengths.device).reshape(*lengths.shape, 1, n)


@variant("padding_mask")
def padding_by_filling(lengths, n):
    mask = torch.zeros(*lengths.shape, 1, n, dtype=torch.bool, device=lengths.device)
    flat = mask.view(-1, n)
    for i, length in enumerate(lengths.reshape(-1)):
        flat[i, : int(length)] = True
    return mask


@variant("padding_mask")
def padding_by_counting(lengths, n):
    positions = torch.ones(n, device=lengths.device).cumsum(0)
    return (lengths.unsqueeze(-1).unsqueeze(-1) - positions) >= 0


# 5 · scaled_dot_product_attention


def scores_of(q, k):
    return q @ k.mT / math.sqrt(q.shape[-1])


def finish(scores, v, mask):
    """The right steps after the scores, for mistakes made before them."""
    if mask is None:
        weights = scores.softmax(-1)
    else:
        weights = scores.masked_fill(~mask, -math.inf).softmax(-1).masked_fill(~mask, 0.0)
    return weights @ v, weights


@misconception("scaled_dot_product_attention", "This is what you get when the scores are not divided by √d_k.")
def attention_unscaled(q, k, v, mask=None):
    return finish(q @ k.mT, v, mask)


@misconception(
    "scaled_dot_product_attention",
    "The scores are divided by d_k instead of its square root: at once, or by √d_k twice (`attention_scores` has divided them already).",
)
def attention_over_d_k(q, k, v, mask=None):
    return finish(q @ k.mT / q.shape[-1], v, mask)


@misconception("scaled_dot_product_attention", "The root is that of the values' length; the scores are scaled by the length of the keys.")
def attention_over_d_v(q, k, v, mask=None):
    return finish(q @ k.mT / math.sqrt(v.shape[-1]), v, mask)


@misconception(
    "scaled_dot_product_attention",
    "The softmax runs over the queries: each query's weights over the keys (the last dimension) must sum to one.",
)
def softmax_over_queries(q, k, v, mask=None):
    scores = scores_of(q, k)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = scores.softmax(-2).nan_to_num()
    return weights @ v, weights


@misconception("scaled_dot_product_attention", "The mask is inverted: True means that a word may be attended to.")
def inverted_mask(q, k, v, mask=None):
    return finish(scores_of(q, k), v, None if mask is None else ~mask)


@misconception("scaled_dot_product_attention", "The mask is not used.")
def mask_ignored(q, k, v, mask=None):
    return finish(scores_of(q, k), v, None)


@misconception(
    "scaled_dot_product_attention",
    "The weights are set to zero after the softmax, so those that remain no longer sum to one: set forbidden scores to −∞ before it.",
)
def mask_after_softmax(q, k, v, mask=None):
    weights = scores_of(q, k).softmax(-1)
    if mask is not None:
        weights = weights * mask
    return weights @ v, weights


@misconception("scaled_dot_product_attention", "Forbidden scores are set to 0, and e⁰ = 1 is not nothing: set them to −∞.")
def masked_with_zero(q, k, v, mask=None):
    scores = scores_of(q, k)
    if mask is not None:
        scores = scores.masked_fill(~mask, 0.0)
    weights = scores.softmax(-1)
    return weights @ v, weights


@misconception(
    "scaled_dot_product_attention", "Forbidden scores are set to a tiny positive number, which is nearly 0, and e⁰ = 1: set them to −∞."
)
def masked_with_tiny(q, k, v, mask=None):
    scores = scores_of(q, k)
    weights = (scores if mask is None else scores.masked_fill(~mask, 1e-9)).softmax(-1)
    if mask is not None:
        weights = weights * mask.any(-1, keepdim=True)
    return weights @ v, weights


@misconception(
    "scaled_dot_product_attention", "A row that may see nothing gives NaN: the softmax of nothing but −∞ is 0/0. Its weights are all zero."
)
def nan_in_empty_rows(q, k, v, mask=None):
    scores = scores_of(q, k)
    weights = (scores if mask is None else scores.masked_fill(~mask, -math.inf)).softmax(-1)
    return weights @ v, weights


@misconception(
    "scaled_dot_product_attention",
    "A row that may see nothing attends to everything alike (a large negative number instead of −∞ does that). Its weights are all zero.",
)
def uniform_in_empty_rows(q, k, v, mask=None):
    scores = scores_of(q, k)
    weights = (scores if mask is None else scores.masked_fill(~mask, -1e9)).softmax(-1)
    return weights @ v, weights


@misconception("scaled_dot_product_attention", "Forbidden scores are only lowered by 10; they are still seen a little. Set them to −∞.")
def masked_a_little(q, k, v, mask=None):
    scores = scores_of(q, k)
    weights = (scores if mask is None else scores - 10.0 * ~mask).softmax(-1)
    if mask is not None:
        weights = weights * mask.any(-1, keepdim=True)
    return weights @ v, weights


@misconception(
    "scaled_dot_product_attention",
    "The gradient is NaN in a row that may see nothing: −∞ is added to the scores there, and its NaN flows back to q.",
)
def nan_gradient_in_empty_rows(q, k, v, mask=None):
    scores = scores_of(q, k)
    if mask is not None:
        scores = scores + torch.zeros_like(scores).masked_fill(~mask, -math.inf)
    weights = scores.softmax(-1).nan_to_num(0.0)
    return weights @ v, weights


@misconception("scaled_dot_product_attention", "The results come in the wrong order: first the output, then the weights.")
def results_swapped(q, k, v, mask=None):
    return finish(scores_of(q, k), v, mask)[::-1]


@misconception("scaled_dot_product_attention", "Only the output is returned; the weights are wanted too.")
def output_only(q, k, v, mask=None):
    return finish(scores_of(q, k), v, mask)[0]


@misconception("scaled_dot_product_attention", "The second result are the scores; the weights are their softmax.")
def scores_for_weights(q, k, v, mask=None):
    return finish(scores_of(q, k), v, mask)[0], scores_of(q, k)


@misconception("scaled_dot_product_attention", "The weights are multiplied with the keys; the output is the weighted sum of the values.")
def keys_for_values(q, k, v, mask=None):
    return finish(scores_of(q, k), k, mask)


@misconception(
    "scaled_dot_product_attention",
    "Large scores overflow: exp of a score above 88 is infinite in float32. torch.softmax takes the largest score off first.",
)
def unstable_softmax(q, k, v, mask=None):
    powers = scores_of(q, k).exp()
    if mask is not None:
        powers = powers * mask
    weights = powers / powers.sum(-1, keepdim=True).clamp_min(1e-30)
    return weights @ v, weights


@misconception("scaled_dot_product_attention", "The weights are detached, so no gradient reaches q and k.")
def detached_weights(q, k, v, mask=None):
    weights = finish(scores_of(q, k), v, mask)[1].detach()
    return weights @ v, weights


@misconception("scaled_dot_product_attention", "The mask is changed in place (`~` or `logical_not_` on the caller's tensor).")
def mask_in_place(q, k, v, mask=None):
    if mask is None:
        return finish(scores_of(q, k), v, None)
    weights = scores_of(q, k).masked_fill(mask.logical_not_(), -math.inf).softmax(-1).masked_fill(mask, 0.0)
    return weights @ v, weights


@misconception("scaled_dot_product_attention", "A mask made on the CPU is used: build new tensors on the device of q.")
def bias_on_the_cpu(q, k, v, mask=None):
    scores = scores_of(q, k)
    if mask is None:
        return finish(scores, v, None)
    floor = torch.full(tuple(scores.shape), -math.inf, dtype=q.dtype)
    weights = torch.where(mask, scores, floor).softmax(-1).masked_fill(~mask, 0.0)
    return weights @ v, weights


@misconception("scaled_dot_product_attention", "PyTorch's own function is called: it is the answer, so write its steps yourself.")
def library_call(q, k, v, mask=None):
    eye = torch.eye(k.shape[-2], dtype=k.dtype, device=k.device).expand(*k.shape[:-2], -1, -1)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask), F.scaled_dot_product_attention(q, k, eye, attn_mask=mask)


@variant("scaled_dot_product_attention")
def attention_by_where(q, k, v, mask=None):
    scores = torch.einsum("...id,...jd->...ij", q, k) * q.shape[-1] ** -0.5
    if mask is None:
        mask = torch.ones_like(scores, dtype=torch.bool)
    scores = torch.where(mask, scores, torch.finfo(scores.dtype).min)
    weights = torch.where(mask, F.softmax(scores, dim=-1), 0.0)
    return torch.einsum("...ij,...jd->...id", weights, v), weights


@variant("scaled_dot_product_attention")
def attention_by_hand(q, k, v, mask=None):
    scores = scores_of(q, k)
    if mask is not None:
        scores = scores.masked_fill(torch.logical_not(mask), float("-inf"))
    top = scores.amax(dim=-1, keepdim=True)
    powers = torch.exp(scores - top.clamp_min(torch.finfo(scores.dtype).min))
    weights = powers / powers.sum(-1, keepdim=True).clamp_min(1e-30)
    return weights @ v, weights


@variant("scaled_dot_product_attention")
def attention_with_nan_to_num(q, k, v, mask=None):
    scores = scores_of(q, k)
    weights = (scores if mask is None else scores.masked_fill(mask == 0, -math.inf)).softmax(-1).nan_to_num()
    return [weights @ v, weights]


@misconception(
    "scaled_dot_product_attention",
    "The mask comes after the softmax: where a forbidden word has by far the largest score, nothing is left for the allowed ones to share. "
    "Mask the scores.",
)
def attention_renormalised(q, k, v, mask=None):
    weights = scores_of(q, k).softmax(-1)
    if mask is not None:
        weights = weights * mask
        total = weights.sum(-1, keepdim=True)
        weights = weights / torch.where(total > 0, total, 1.0)
    return weights @ v, weights


# 6 · SelfAttention: edits of the reference answer

misconception(
    "SelfAttention",
    "The projections have a bias; the lesson's have none (bias=False).",
    replace=("nn.Linear(d_model, d_k, bias=False)", "nn.Linear(d_model, d_k)"),
)
misconception(
    "SelfAttention",
    "Keys are made by w_q: each of the three has a matrix of its own.",
    replace=("self.w_k(x), self", "self.w_q(x), self"),
)
misconception(
    "SelfAttention",
    "Queries and keys are swapped.",
    replace=("self.w_q(x), self.w_k(x)", "self.w_k(x), self.w_q(x)"),
)
misconception(
    "SelfAttention",
    "The values are the keys: values have a matrix of their own, w_v.",
    replace=("self.w_v(x), mask", "self.w_k(x), mask"),
)
misconception(
    "SelfAttention",
    "`causal` is not used: later words are seen.",
    replace=("if self.causal:", "if False:"),
)
misconception(
    "SelfAttention",
    "The layer is always causal; `causal` is False unless asked for.",
    replace=("if self.causal:", "if True:"),
)
misconception(
    "SelfAttention",
    "A causal layer forgets the mask it is given: both must hold.",
    replace=("before if mask is None else before & mask", "before"),
)
misconception(
    "SelfAttention",
    "A causal layer that is given a mask forgets to be causal: both must hold.",
    replace=("before if mask is None else before & mask", "before if mask is None else mask"),
)
misconception(
    "SelfAttention",
    "The masks are joined by `|`: a word may be seen where both masks allow it, not where one does.",
    replace=("before & mask", "before | mask"),
)
misconception(
    "SelfAttention",
    "The mask that is given is never used.",
    replace=(
        ("return scaled_dot_product_attention", "return scaled_dot_product_attention"),
        (", mask)\n", ", before if self.causal else None)\n"),
    ),
)
misconception(
    "SelfAttention",
    "Only the output is returned; the weights are wanted too.",
    replace=("self.w_v(x), mask)", "self.w_v(x), mask)[0]"),
)
misconception(
    "SelfAttention",
    "The three projections share one matrix.",
    replace=("self.w_k = nn.Linear(d_model, d_k, bias=False)", "self.w_k = self.w_q"),
)
misconception(
    "SelfAttention",
    "The matrices are plain attributes of another name; they are called w_q, w_k and w_v.",
    replace=(("self.w_q", "self.query"), ("self.w_k", "self.key"), ("self.w_v", "self.value")),
)
misconception(
    "SelfAttention",
    "The causal mask is made on the CPU, wherever x lives.",
    replace=("device=x.device", "device='cpu'"),
)
misconception(
    "SelfAttention",
    "No gradient reaches the projections: they are computed under no_grad or detached.",
    replace=("self.w_q(x), self.w_k(x)", "self.w_q(x).detach(), self.w_k(x).detach()"),
)
misconception(
    "SelfAttention",
    "The projections go to d_model instead of d_k.",
    replace=("nn.Linear(d_model, d_k, bias=False)", "nn.Linear(d_model, d_model, bias=False)"),
)


@variant("SelfAttention")
class FusedMask(nn.Module):
    def __init__(self, d_model, d_k, causal=False):
        super().__init__()
        for name in ("w_q", "w_k", "w_v"):
            setattr(self, name, nn.Linear(d_model, d_k, False))
        self.scale, self.is_causal = d_k**-0.5, causal

    def forward(self, x, mask=None):
        allowed = x.new_ones(x.shape[-2], x.shape[-2], dtype=torch.bool)
        if self.is_causal:
            allowed = allowed.tril()
        if mask is not None:
            allowed = torch.logical_and(allowed, mask)
        scores = torch.einsum("...id,...jd->...ij", self.w_q(x), self.w_k(x)) * self.scale
        weights = torch.where(allowed, scores, -math.inf).softmax(dim=-1)
        weights = torch.where(allowed, weights, 0.0)
        return weights @ self.w_v(x), weights


@variant("SelfAttention")
class WithBuffer(nn.Module):
    """Keeps a mask in a buffer, cuts the part that it needs, and makes a larger one where it is too small."""

    def __init__(self, d_model, d_k, causal=False):
        super().__init__()
        self.d_k, self.causal = d_k, causal
        self.w_v, self.w_k, self.w_q = (nn.Linear(d_model, d_k, bias=False) for _ in range(3))
        self.register_buffer("allowed", self.square(512), persistent=False)

    def square(self, n):
        square = torch.ones(n, n, dtype=torch.bool, device=self.w_q.weight.device)
        return square.tril() if self.causal else square

    def forward(self, x, mask=None):
        n = x.size(-2)
        if n > len(self.allowed):
            self.allowed = self.square(n)
        allowed = self.allowed[:n, :n] if mask is None else self.allowed[:n, :n] & mask
        scores = self.w_q(x) @ self.w_k(x).transpose(-2, -1) / math.sqrt(self.d_k)
        weights = scores.masked_fill(~allowed, -math.inf).softmax(-1).masked_fill(~allowed, 0)
        return weights.matmul(self.w_v(x)), weights


# 7 · intra_attention_weights

misconception(
    "intra_attention_weights",
    "The tanh is missing: without it the word being read adds the same to every score, and the softmax forgets it.",
    replace=("torch.tanh(h @ w_h.mT + shared[..., None, :])", "h @ w_h.mT + shared[..., None, :]"),
)
misconception(
    "intra_attention_weights",
    "A sigmoid stands where the paper has a tanh.",
    replace=("torch.tanh(", "torch.sigmoid("),
)
misconception(
    "intra_attention_weights",
    "The summary of the last step, h_tilde, is not used.",
    replace=(" + h_tilde @ w_t.mT", ""),
)
misconception(
    "intra_attention_weights",
    "The word being read, x_t, is not used.",
    replace=("x_t @ w_x.mT + ", ""),
)
misconception(
    "intra_attention_weights",
    "These are scores: the weights are their softmax.",
    replace=(".softmax(dim=-1)", ""),
)
misconception(
    "intra_attention_weights",
    "The softmax runs over another dimension than the earlier words (over the batch, where there is one).",
    replace=(".softmax(dim=-1)", ".softmax(dim=0)"),
)
misconception(
    "intra_attention_weights",
    "The scores are divided by √d_a: additive attention is not scaled.",
    replace=("(hidden @ v)", "(hidden @ v / v.shape[0] ** 0.5)"),
)
misconception(
    "intra_attention_weights",
    "The tanh comes after vᵀ instead of before it.",
    replace=(
        ("torch.tanh(h @ w_h.mT + shared[..., None, :])", "h @ w_h.mT + shared[..., None, :]"),
        ("(hidden @ v)", "torch.tanh(hidden @ v)"),
    ),
)
misconception(
    "intra_attention_weights",
    "Only W_h hᵢ goes through the tanh; all three terms belong inside.",
    replace=("torch.tanh(h @ w_h.mT + shared[..., None, :])", "torch.tanh(h @ w_h.mT) + shared[..., None, :]"),
)
misconception(
    "intra_attention_weights",
    "The hidden units are summed without v.",
    replace=("(hidden @ v)", "hidden.sum(dim=-1)"),
)
misconception(
    "intra_attention_weights",
    "The matrices are transposed: they are (d_a, ·), and rows of h meet them as h @ w_h.mT.",
    replace=("h @ w_h.mT", "h @ w_h"),
)
misconception(
    "intra_attention_weights",
    "Works for one sequence only: the shared terms must line up with the batch, (..., 1, d_a).",
    replace=("shared[..., None, :]", "shared"),
)
misconception(
    "intra_attention_weights",
    "The weights are detached from the inputs, so nothing can be learned.",
    replace=(".softmax(dim=-1)", ".softmax(dim=-1).detach()"),
)
misconception(
    "intra_attention_weights",
    "Large scores overflow in exp: subtract the largest first, as torch.softmax does.",
    replace=("(hidden @ v).softmax(dim=-1)", "(hidden @ v).exp() / (hidden @ v).exp().sum(dim=-1, keepdim=True)"),
)


@variant("intra_attention_weights")
def one_wide_matrix(h, x_t, h_tilde, w_h, w_x, w_t, v):
    t = h.shape[-2]
    others = [x.unsqueeze(-2).expand(*x.shape[:-1], t, x.shape[-1]) for x in (x_t, h_tilde)]
    hidden = F.linear(torch.cat([h, *others], dim=-1), torch.cat([w_h, w_x, w_t], dim=1)).tanh()
    return F.softmax(torch.einsum("...ta,a->...t", hidden, v), -1)


@variant("intra_attention_weights")
def word_by_word(h, x_t, h_tilde, w_h, w_x, w_t, v):
    scores = []
    for i in range(h.shape[-2]):
        total = F.linear(h[..., i, :], w_h) + F.linear(x_t, w_x) + F.linear(h_tilde, w_t)
        scores.append((torch.tanh(total) * v).sum(-1))
    return torch.stack(scores, dim=-1).softmax(-1)


# 8 · attention_backward

misconception(
    "attention_backward",
    "The division by √d_k is missing on the way back: dq and dk pass it too.",
    replace=(" / math.sqrt(q.shape[-1])", ""),
)
misconception(
    "attention_backward",
    "dk is not divided by √d_k; both gradients pass the scale.",
    replace=("d_scores.mT @ q, d_v", "d_scores.mT @ q * math.sqrt(q.shape[-1]), d_v"),
)
misconception(
    "attention_backward",
    "The scale is applied twice on the way back.",
    replace=(" / math.sqrt(q.shape[-1])", " / q.shape[-1]"),
)
misconception(
    "attention_backward",
    "The softmax is skipped: its gradient mixes all weights of a row.",
    replace=("weights * (d_weights - average)", "d_weights"),
)
misconception(
    "attention_backward",
    "Raising one score lowers the other weights: the average of the row under the weights has to be taken off.",
    replace=("(d_weights - average)", "d_weights"),
)
misconception(
    "attention_backward",
    "The average is taken over the queries; a softmax row runs over the keys (the last dimension).",
    replace=("sum(dim=-1, keepdim=True)", "sum(dim=-2, keepdim=True)"),
)
misconception(
    "attention_backward",
    "The average is unweighted; it is the average under the attention weights.",
    replace=("(weights * d_weights).sum(dim=-1", "d_weights.mean(dim=-1"),
)
misconception(
    "attention_backward",
    "The weights are treated as sigmoids, a · (1 − a): a softmax row has the other entries too.",
    replace=("weights * (d_weights - average)", "weights * (1 - weights) * d_weights"),
)
misconception(
    "attention_backward",
    "dq and dk are swapped.",
    replace=("return d_scores @ k, d_scores.mT @ q, d_v", "return d_scores.mT @ q, d_scores @ k, d_v"),
)
misconception(
    "attention_backward",
    "The sign is wrong: these are the gradients times −1 in dq and dk.",
    replace=("(d_weights - average)", "(average - d_weights)"),
)
misconception(
    "attention_backward",
    "dv needs the weights transposed: a value is used by many queries, its gradient sums over them.",
    replace=("weights.mT @ grad_output", "weights @ grad_output"),
)
misconception(
    "attention_backward",
    "The weights are computed without the division by √d_k.",
    replace=("attention_scores(q, k).softmax", "(q @ k.mT).softmax"),
)
misconception(
    "attention_backward",
    "The softmax of the forward pass runs over the queries.",
    replace=("softmax(dim=-1)", "softmax(dim=-2)"),
)
misconception(
    "attention_backward",
    "dv is the gradient of the output as if every weight were one.",
    replace=("weights.mT @ grad_output", "grad_output.sum(dim=-2, keepdim=True).expand(v.shape)"),
)


@misconception("attention_backward", "Autograd does the work: the point is to write its steps.")
def by_autograd(q, k, v, grad_output):
    with torch.enable_grad():
        leaves = [x.detach().clone().requires_grad_() for x in (q, k, v)]
        output = scores_of(*leaves[:2]).softmax(-1) @ leaves[2]
        return torch.autograd.grad(output, leaves, grad_output)


@misconception("attention_backward", "Autograd does the work: the point is to write its steps.")
def by_vjp(q, k, v, grad_output):
    return torch.func.vjp(lambda q, k, v: scores_of(q, k).softmax(-1) @ v, q, k, v)[1](grad_output)


@misconception("attention_backward", "Autograd does the work: the point is to write its steps.")
def by_backward(q, k, v, grad_output):
    with torch.enable_grad():
        leaves = [x.detach().clone().requires_grad_() for x in (q, k, v)]
        (scores_of(*leaves[:2]).softmax(-1) @ leaves[2] * grad_output).sum().backward()
    return tuple(leaf.grad for leaf in leaves)


@variant("attention_backward")
def with_the_jacobian(q, k, v, grad_output):
    a = torch.softmax(torch.einsum("...id,...jd->...ij", q, k) / q.shape[-1] ** 0.5, dim=-1)
    jacobian = torch.diag_embed(a) - a.unsqueeze(-1) * a.unsqueeze(-2)
    d_a = torch.einsum("...id,...jd->...ij", grad_output, v)
    d_s = torch.einsum("...ijm,...ij->...im", jacobian, d_a) / q.shape[-1] ** 0.5
    return (
        torch.einsum("...ij,...jd->...id", d_s, k),
        torch.einsum("...ij,...id->...jd", d_s, q),
        torch.einsum("...ij,...id->...jd", a, grad_output),
    )


@variant("attention_backward")
def with_the_output(q, k, v, grad_output):
    """FlashAttention's form (Dao et al. 2022): the row's average is grad_output · output."""
    scale = q.shape[-1] ** -0.5
    weights = torch.softmax(scale * q @ k.transpose(-1, -2), -1)
    average = (grad_output * (weights @ v)).sum(-1, keepdim=True)
    d_scores = weights * (grad_output @ v.transpose(-1, -2) - average)
    return [scale * d_scores @ k, scale * d_scores.transpose(-1, -2) @ q, weights.transpose(-1, -2) @ grad_output]


# Stretch · streaming_attention

misconception(
    "streaming_attention",
    "What was summed before is not shrunk when a larger score appears.",
    replace=("(previous - largest).exp()", "torch.ones_like(largest)"),
)
misconception(
    "streaming_attention",
    "The output so far is not shrunk along with the total.",
    replace=("weighted * shrink", "weighted"),
)
misconception(
    "streaming_attention",
    "The largest score is that of the last block only.",
    replace=("torch.maximum(largest, scores.amax(dim=-1, keepdim=True))", "scores.amax(dim=-1, keepdim=True)"),
)
misconception(
    "streaming_attention",
    "Each block has a softmax of its own: the blocks' outputs cannot just be averaged.",
    replace=(
        "return weighted / total",
        "pairs = list(zip(k.split(block_size, -2), v.split(block_size, -2)))\n"
        "    return sum(attention_scores(q, a).softmax(-1) @ b for a, b in pairs) / len(pairs)",
    ),
)
misconception(
    "streaming_attention",
    "A block_size below 1 goes through without a ValueError that names it.",
    replace=("if block_size < 1:", "if False:"),
)
misconception(
    "streaming_attention",
    "Where all scores are far below 0 the result is NaN: the largest score so far begins at −∞, and keys that are not there take no part.",
    replace=("q.new_full((*q.shape[:-1], 1), -math.inf)", "q.new_zeros((*q.shape[:-1], 1))"),
)
misconception(
    "streaming_attention",
    "No largest score is subtracted before `exp`: scores in the hundreds overflow, and far below 0 all terms become 0.",
    replace=("torch.maximum(largest, scores.amax(dim=-1, keepdim=True))", "torch.zeros_like(largest)"),
)
misconception(
    "streaming_attention",
    "The scores are not divided by √d_k.",
    replace=("attention_scores(q, k_block)", "q @ k_block.mT"),
)
misconception(
    "streaming_attention",
    "The last block is left out where it is smaller than the others.",
    replace=("k.split(block_size, dim=-2), v", "k.split(block_size, dim=-2)[: k.shape[-2] // block_size], v"),
)
misconception(
    "streaming_attention",
    "Old and new largest score are exchanged: what was summed before has to shrink, not to grow.",
    replace=("(previous - largest).exp()", "(largest - previous).exp().nan_to_num(posinf=0.0)"),
)
misconception(
    "streaming_attention",
    "The result is not divided by the sum of the exponentials.",
    replace=("return weighted / total", "return weighted"),
)


ALL_SCORES = "All scores are computed at once, a matrix as large as before: cut the keys into blocks first, and hold the scores of one."


@misconception("streaming_attention", ALL_SCORES)
def all_scores_at_once(q, k, v, block_size):
    if block_size < 1:
        raise ValueError("block_size must be at least 1")
    return scores_of(q, k).softmax(-1) @ v


@misconception("streaming_attention", ALL_SCORES)
def scores_cut_into_blocks(q, k, v, block_size):
    if block_size < 1:
        raise ValueError("block_size must be at least 1")
    scores = scores_of(q, k)
    largest = scores.amax(-1, keepdim=True)
    parts = [(s - largest).exp() for s in scores.split(block_size, -1)]
    weighted = sum(part @ block for part, block in zip(parts, v.split(block_size, -2)))
    return weighted / sum(part.sum(-1, keepdim=True) for part in parts)


@variant("streaming_attention")
def by_log_sum_exp(q, k, v, block_size):
    if block_size < 1:
        raise ValueError(f"block_size = {block_size} is too small")
    output, log_total = None, None
    for start in range(0, k.shape[-2], block_size):
        scores = scores_of(q, k[..., start : start + block_size, :])
        here, part = scores.logsumexp(-1, keepdim=True), scores.softmax(-1) @ v[..., start : start + block_size, :]
        if output is None:
            output, log_total = part, here
        else:
            both = torch.logaddexp(log_total, here)
            output, log_total = output * (log_total - both).exp() + part * (here - both).exp(), both
    return output


@variant("streaming_attention")
def query_blocks_too(q, k, v, block_size):
    """Blocks of queries, each against all keys: T × block_size scores at a time."""
    if block_size < 1:
        raise ValueError("block_size must be positive")
    return torch.cat([scores_of(part, k).softmax(-1) @ v for part in q.split(block_size, dim=-2)], dim=-2)


# Precision

F32 = "float64 in, float64 out, but computed in float32 on the way: digits are lost."
misconception(
    "query_key_value",
    F32,
    replace=("return x @ w_q, x @ w_k, x @ w_v", "return tuple((x.float() @ w.float()).to(x.dtype) for w in (w_q, w_k, w_v))"),
)
misconception(
    "scaled_dot_product_attention",
    F32,
    replace=(
        ("weights = scores.softmax(dim=-1)", "weights = scores.float().softmax(dim=-1).to(q.dtype)"),
        ("-math.inf).softmax(dim=-1)", "-math.inf).float().softmax(dim=-1).to(q.dtype)"),
    ),
)
misconception(
    "scaled_dot_product_attention",
    "The scores are divided by d_k instead of its square root: at once, or by √d_k twice (`attention_scores` has divided them already).",
    replace=("scores = attention_scores(q, k)", "scores = attention_scores(q, k) / math.sqrt(q.shape[-1])"),
)


# From public code and its issue trackers


@misconception("scaled_dot_product_attention", "The division by √d_k comes after the softmax; it belongs to the scores.")
def divided_afterwards(q, k, v, mask=None):
    scores = q @ k.mT if mask is None else (q @ k.mT).masked_fill(~mask, -math.inf)
    weights = scores.softmax(-1).nan_to_num() / math.sqrt(q.shape[-1])
    return weights @ v, weights


@misconception("scaled_dot_product_attention", "The mask is added to the scores as 0 and 1; forbidden scores must become −∞.")
def mask_added(q, k, v, mask=None):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    weights = (scores if mask is None else scores + mask).softmax(-1)
    return weights @ v, weights


@misconception(
    "scaled_dot_product_attention", "A score of 0 is taken for a forbidden one: use the mask alone, not what is 0 after a product with it."
)
def zeros_forbidden(q, k, v, mask=None):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = (scores * mask).masked_fill(scores * mask == 0, -math.inf)
    weights = scores.softmax(-1).nan_to_num()
    return weights @ v, weights


@misconception("scaled_dot_product_attention", "The softmax is taken twice: mask the scores, then one softmax.")
def two_softmaxes(q, k, v, mask=None):
    weights = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1)
    weights = weights.softmax(-1) if mask is None else weights.masked_fill(~mask, -math.inf).softmax(-1).nan_to_num()
    return weights @ v, weights


@misconception("scaled_dot_product_attention", "The queries are added to the output: a residual connection is not part of attention.")
def queries_added(q, k, v, mask=None):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    weights = (scores if mask is None else scores.masked_fill(~mask, -math.inf)).softmax(-1).nan_to_num()
    output = weights @ v
    return output + q if output.shape == q.shape else output, weights


misconception(
    "SelfAttention",
    "The length is taken from dimension 1, which is the words only for one batch dimension.",
    replace=("causal_mask(x.shape[-2], device=x.device)", "causal_mask(x.shape[1] if x.ndim > 2 else x.shape[0], device=x.device)"),
)
misconception(
    "SelfAttention",
    "The scores are divided by √d_k once more: scaled_dot_product_attention has divided them.",
    replace=("self.w_q(x), self.w_k(x)", "self.w_q(x) / self.w_q.weight.shape[0] ** 0.5, self.w_k(x)"),
)


@misconception("attention_scores", "The largest score is taken off already: that is the softmax's own business.")
def largest_taken_off(q, k):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    return scores - scores.amax(-1, keepdim=True)
