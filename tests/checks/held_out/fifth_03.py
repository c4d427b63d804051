"""A fifth set of held-out answers to lesson 03: running sums as people begin them."""

import math

import torch

from autograde.authoring.strength.mutation import misconception, variant


def one_block_after_the_other(q, k, v, block_size, largest):
    if block_size < 1:
        raise ValueError("block_size must be at least 1")
    total, output = torch.zeros_like(largest), q.new_zeros(*q.shape[:-1], v.shape[-1])
    for begin in range(0, k.shape[-2], block_size):
        keys, values = (x[..., begin : begin + block_size, :] for x in (k, v))
        scores = q @ keys.transpose(-2, -1) / math.sqrt(q.shape[-1])
        now = torch.maximum(largest, scores.max(-1, keepdim=True).values)
        terms, kept = torch.exp(scores - now), torch.exp(largest - now)
        total, output, largest = total * kept + terms.sum(-1, keepdim=True), output * kept + terms @ values, now
    return output / total


@misconception(
    "streaming_attention",
    "Where all scores are far below 0 the result is NaN: the largest score so far begins at −∞, and keys that are not there take no part.",
)
def begun_at_zero(q, k, v, block_size):
    return one_block_after_the_other(q, k, v, block_size, q.new_zeros(*q.shape[:-1], 1))


@misconception(
    "streaming_attention",
    "Where all scores are far below 0 the result is NaN: the largest score so far begins at −∞, and keys that are not there take no part.",
)
def begun_at_minus_one_hundred(q, k, v, block_size):
    return one_block_after_the_other(q, k, v, block_size, q.new_full((*q.shape[:-1], 1), -100.0))


@variant("streaming_attention")
def begun_at_the_least_number(q, k, v, block_size):
    return one_block_after_the_other(q, k, v, block_size, q.new_full((*q.shape[:-1], 1), torch.finfo(q.dtype).min))
