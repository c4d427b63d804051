"""A fourth set of held-out answers to lesson 03: unusual right ones, and gradients that are measured instead of written."""

import math

import torch
from torch import nn

from autograde.authoring.strength.mutation import misconception, variant


@variant("query_key_value")
def by_one_packed_product(x, w_q, w_k, w_v):
    return (x @ torch.hstack([w_q, w_k, w_v])).split([w_q.shape[1], w_k.shape[1], w_v.shape[1]], dim=-1)


@variant("attention_scores")
def by_cosine_free_distances(q, k):
    """−|q − k|²/2 + |q|²/2 + |k|²/2 is the dot product; in float64, since it takes apart large numbers."""
    wide_q, wide_k = q.double(), k.double()
    squares = (wide_q[..., :, None, :] - wide_k[..., None, :, :]).square().sum(-1)
    dots = (wide_q.square().sum(-1)[..., :, None] + wide_k.square().sum(-1)[..., None, :] - squares) / 2
    return dots.to(q.dtype) / math.sqrt(k.shape[-1])


@variant("attention_scores")
def query_by_query(q, k):
    return torch.stack([torch.linalg.vecdot(one.unsqueeze(-2), k) for one in q.unbind(-2)], dim=-2).mul(k.shape[-1] ** -0.5)


@variant("causal_mask")
def by_a_running_count(n, device=None):
    return torch.eye(n, dtype=torch.int, device=device).cumsum(0).bool()


@variant("padding_mask")
def by_a_table_of_rows(lengths, n):
    rows = torch.ones(n + 1, n, dtype=torch.bool, device=lengths.device).tril(-1)
    return rows[lengths.clamp(0, n)].unsqueeze(-2)


@variant("scaled_dot_product_attention")
def by_two_einsums(q, k, v, mask=None):
    scores = torch.einsum("...qd,...kd->...qk", q / q.shape[-1] ** 0.25, k / k.shape[-1] ** 0.25)
    if mask is None:
        weights = scores.softmax(-1)
    else:
        alive = mask.any(-1, keepdim=True)
        weights = torch.where(alive, scores, 0.0).masked_fill(alive & ~mask, -torch.inf).softmax(-1) * alive
    return torch.einsum("...qk,...kd->...qd", weights, v), weights


@variant("SelfAttention")
class ByAModuleList(nn.Module):
    def __init__(self, d_model, d_k, causal=False):
        super().__init__()
        for name in ("w_q", "w_k", "w_v"):
            self.add_module(name, nn.Linear(d_model, d_k, bias=False))
        self.causal = causal

    def forward(self, x, mask=None):
        q, k, v = (self.get_submodule(name)(x) for name in ("w_q", "w_k", "w_v"))
        masks = [torch.ones(x.shape[-2], x.shape[-2], dtype=torch.bool, device=x.device).tril()] if self.causal else []
        masks += [mask] if mask is not None else []
        match masks:
            case []:
                return by_two_einsums(q, k, v)
            case [one]:
                return by_two_einsums(q, k, v, one)
            case [one, other]:
                return by_two_einsums(q, k, v, torch.logical_and(one, other))


@variant("intra_attention_weights")
def state_by_state(h, x_t, h_tilde, w_h, w_x, w_t, v):
    shared = nn.functional.linear(x_t, w_x) + nn.functional.linear(h_tilde, w_t)
    return torch.stack([(shared + state @ w_h.T).tanh() @ v for state in h.unbind(-2)], -1).softmax(-1)


@variant("attention_backward")
def by_the_output(q, k, v, grad_output):
    """As FlashAttention does: the mean of dA under the weights is dZ · Z, so the T × T product need not be summed."""
    scale = k.shape[-1] ** -0.5
    weights = (q @ k.mT * scale).softmax(-1)
    output = weights @ v
    mean = (grad_output * output).sum(-1, keepdim=True)
    scores = weights * (grad_output @ v.mT - mean)
    return scores @ k * scale, scores.mT @ q * scale, weights.mT @ grad_output


@variant("attention_backward")
def by_loops_over_words(q, k, v, grad_output):
    """The sum of hint 1 as it stands, with a loop for each of its letters."""
    if q.dim() > 2:
        parts = [by_loops_over_words(*one) for one in zip(q, k, v, grad_output)]
        return tuple(torch.stack(part) for part in zip(*parts))
    d_q, d_k, d_v = (torch.zeros_like(x) for x in (q, k, v))
    for i, query in enumerate(q):
        a = torch.stack([query @ key for key in k]).div(math.sqrt(q.shape[-1])).softmax(0)
        d_a = [grad_output[i] @ value for value in v]
        for m in range(len(k)):
            d_s = sum(d_a[j] * a[j] * (float(j == m) - a[m]) for j in range(len(k))) / math.sqrt(q.shape[-1])
            d_q[i] += d_s * k[m]
            d_k[m] += d_s * query
            d_v[m] += a[m] * grad_output[i]
    return d_q, d_k, d_v


def measured(q, k, v, grad_output, dtype, slope):
    """The gradients of the loss: `slope` tells each from what changing one number does to it."""
    inputs = [x.to(dtype).contiguous().clone() for x in (q, k, v)]

    def loss():
        scores = inputs[0] @ inputs[1].mT / math.sqrt(q.shape[-1])
        weights = (scores - scores.real.amax(-1, keepdim=True)).exp()
        return (weights / weights.sum(-1, keepdim=True) @ inputs[2] * grad_output).sum()

    found = []
    for x, given in zip(inputs, (q, k, v)):
        flat, slopes = x.view(-1), torch.zeros(x.numel(), dtype=torch.float64, device=x.device)
        for i, kept in enumerate(flat.clone()):
            slopes[i] = slope(flat, i, kept, loss)
            flat[i] = kept
        found.append(slopes.view(x.shape).to(given.dtype))
    return tuple(found)


def to_both_sides(numbers, i, kept, loss):
    numbers[i] = kept + 1e-5
    above = loss()
    numbers[i] = kept - 1e-5
    return (above - loss()) / 2e-5


def along_the_imaginary_axis(numbers, i, kept, loss):
    numbers[i] = kept + 1e-30j
    return loss().imag / 1e-30


@misconception("attention_backward", "central differences in double precision")
def by_differences(q, k, v, grad_output):
    return measured(q, k, v, grad_output, torch.float64, to_both_sides)


@misconception("attention_backward", "a complex step")
def by_a_complex_step(q, k, v, grad_output):
    return measured(q, k, v, grad_output, torch.complex128, along_the_imaginary_axis)
