"""A sixth set of held-out answers to lesson 05: what public Transformers and students' notebooks do, wrong and right."""

import itertools
import math

import torch

from autograde.authoring.strength.mutation import variant


def even(d, what="d_model"):
    if d % 2:
        raise ValueError(f"{what} must be even, got {d}")


def power_of_two(n_heads):
    if n_heads < 1 or n_heads & (n_heads - 1):
        raise ValueError(f"n_heads must be a power of two, got {n_heads}")


def right_bucket(r, n_buckets, max_distance):
    half = n_buckets // 2
    exact = half // 2
    a = r.abs()
    far = exact + (torch.log(a.clamp(min=exact) / exact) / math.log(max_distance / exact) * (half - exact)).long()
    return torch.where(a < exact, a, far.clamp(max=half - 1)) + half * (r > 0)


@variant("shift_matrix")
def by_a_matrix_exponential(offset, d_model, base=10000.0):
    even(d_model)
    generator = torch.zeros(d_model, d_model, dtype=torch.float64)
    for i in range(d_model // 2):
        theta = base ** (-2 * i / d_model)
        generator[2 * i, 2 * i + 1], generator[2 * i + 1, 2 * i] = theta, -theta
    return torch.matrix_exp(offset * generator).to(torch.get_default_dtype())


@variant("rotary_embedding")
def by_complex_numbers(x, positions, base=10000.0):
    d = x.shape[-1]
    even(d, "x")
    wide = torch.promote_types(x.dtype, torch.float32)
    speeds = base ** (-torch.arange(0, d, 2, device=x.device, dtype=wide) / d)
    angles = positions.to(wide)[:, None] * speeds
    turn = torch.polar(torch.ones_like(angles), angles)
    pairs = torch.view_as_complex(x.to(wide).unflatten(-1, (-1, 2)).contiguous())
    return torch.view_as_real(pairs * turn).flatten(-2).to(x.dtype)


@variant("rotary_embedding")
def by_small_matrices(x, positions, base=10000.0):
    d = x.shape[-1]
    even(d, "x")
    wide = torch.promote_types(x.dtype, torch.float32)
    speeds = base ** (-torch.arange(0, d, 2, device=x.device, dtype=wide) / d)
    a = positions.to(wide)[:, None] * speeds
    turn = torch.stack([torch.stack([a.cos(), -a.sin()], -1), torch.stack([a.sin(), a.cos()], -1)], -2)
    return torch.einsum("tpij,...tpj->...tpi", turn, x.to(wide).unflatten(-1, (-1, 2))).flatten(-2).to(x.dtype)


@variant("alibi_bias")
def head_by_head(n_heads, n_positions):
    power_of_two(n_heads)

    def entry(h, i, j):
        return -math.inf if j > i else -(2 ** (-8 * h / n_heads)) * (i - j)

    every = itertools.product(range(1, n_heads + 1), range(n_positions), range(n_positions))
    return torch.tensor([entry(*place) for place in every]).view(n_heads, n_positions, n_positions)


@variant("alibi_bias")
def through_a_triangle(n_heads, n_positions):
    power_of_two(n_heads)
    slope = 2 ** (-8 / n_heads)
    at = torch.arange(n_positions, dtype=torch.get_default_dtype())
    hidden = torch.full((n_positions, n_positions), -math.inf).triu(1)
    return torch.stack([slope ** (h + 1) * torch.minimum(at - at[:, None], torch.tensor(0.0)) + hidden for h in range(n_heads)])


@variant("relative_position_bucket")
def by_searching(relative_position, n_buckets=32, max_distance=128):
    half = n_buckets // 2
    exact = half // 2
    farthest = int(relative_position.abs().max()) if relative_position.numel() else 0
    ladder = right_bucket(-torch.arange(farthest + 1, device=relative_position.device), n_buckets, max_distance)
    assert exact >= 1
    return ladder[relative_position.abs()] + (relative_position > 0).long() * half


@variant("permutation_gap")
def by_index_select(layer, x, permutation):
    one = torch.index_select(layer(x), -2, permutation)
    two = layer(torch.index_select(x, -2, permutation))
    return float(torch.dist(one, two, math.inf))


@variant("sinusoidal_encoding")
def one_number_at_a_time(n_positions, d_model, base=10000.0):
    even(d_model)
    rows = [
        [(math.cos if column % 2 else math.sin)(t * base ** (-(column - column % 2) / d_model)) for column in range(d_model)]
        for t in range(n_positions)
    ]
    return torch.tensor(rows).reshape(n_positions, d_model)
