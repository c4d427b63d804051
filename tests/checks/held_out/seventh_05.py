"""A seventh set of held-out answers to lesson 05: positional encodings as public model code has them, wrong and right."""

import math

import torch
from torch import nn

from autograde.authoring.strength.mutation import misconception, variant


def frequencies(d, base):
    return 1.0 / (base ** (torch.arange(0, d, 2).double() / d))


def table(angles, x):
    return angles.cos().to(x), angles.sin().to(x)


# even and odd columns are taken apart, and put together as two halves
@misconception(
    "rotary_embedding",
    "Even and odd columns are taken apart and then put side by side as two halves: each number has to go back to its own column.",
)
def rotate_every_other(x, positions, base=10000.0):
    angles = positions.double()[:, None] * frequencies(x.shape[-1], base).to(x.device)
    cos, sin = table(torch.cat([angles, angles], -1), x)
    return x * cos + torch.cat([-x[..., 1::2], x[..., ::2]], -1) * sin


# angles laid out for neighbours, the turn made in halves
@misconception(
    "rotary_embedding", "The angles are laid out for neighbours (θ₀, θ₀, θ₁, θ₁, …), but x is turned by halves: both belong to neighbours."
)
def layouts_mixed(x, positions, base=10000.0):
    angles = (positions.double()[:, None] * frequencies(x.shape[-1], base).to(x.device)).repeat_interleave(2, -1)
    cos, sin = table(angles, x)
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat([-second, first], -1) * sin


KEPT = {}


@misconception("rotary_embedding", "angles kept by length, whatever the positions")
def kept_by_length(x, positions, base=10000.0):
    key = f"freqs:{len(positions)}:{x.shape[-1]}:{base}:{x.device}"
    if key not in KEPT:
        KEPT[key] = positions.double()[:, None] * frequencies(x.shape[-1], base).to(x.device)
    cos, sin = table(KEPT[key], x)
    even, odd = x[..., ::2], x[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)


@misconception("rotary_embedding", "The exponent is i/d; the pair of columns 2i and 2i + 1 has the speed base^(−2i/d).")
def half_frequencies(x, positions, base=10000.0):
    half = x.shape[-1] // 2
    inverse = 1.0 / (base ** (torch.arange(0, half, dtype=torch.float64) / x.shape[-1]))
    cos, sin = table(positions.double()[:, None] * inverse.to(x.device), x)
    even, odd = x[..., ::2], x[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)


@misconception("rotary_embedding", "only half of the columns are turned")
def partial_rotary(x, positions, base=10000.0):
    d = x.shape[-1] // 2 // 2 * 2
    cos, sin = table(positions.double()[:, None] * frequencies(d, base).to(x.device), x)
    turned, left = x[..., :d], x[..., d:]
    even, odd = turned[..., ::2], turned[..., 1::2]
    return torch.cat([torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2), left], -1)


@variant("rotary_embedding")
def as_complex_numbers(x, positions, base=10000.0):
    angles = positions.double()[:, None] * frequencies(x.shape[-1], base).to(x.device)
    turn = torch.polar(torch.ones_like(angles), angles)
    pairs = torch.view_as_complex(x.double().reshape(*x.shape[:-1], -1, 2))
    return torch.view_as_real(pairs * turn).flatten(-2).to(x.dtype)


@variant("rotary_embedding")
def interleaved_rotate_half(x, positions, base=10000.0):
    angles = (positions.double()[:, None] * frequencies(x.shape[-1], base).to(x.device)).repeat_interleave(2, -1)
    cos, sin = table(angles, x)
    one, two = x.unflatten(-1, (-1, 2)).unbind(-1)
    return x * cos + torch.stack((-two, one), -1).flatten(-2) * sin


@variant("rotary_embedding")
def by_a_block_matrix(x, positions, base=10000.0):
    d = x.shape[-1]
    angles = positions.double()[:, None] * frequencies(d, base).to(x.device)
    matrix = torch.zeros(len(positions), d, d, dtype=torch.float64, device=x.device)
    for i in range(d // 2):
        c, s = angles[:, i].cos(), angles[:, i].sin()
        matrix[:, 2 * i, 2 * i], matrix[:, 2 * i, 2 * i + 1] = c, -s
        matrix[:, 2 * i + 1, 2 * i], matrix[:, 2 * i + 1, 2 * i + 1] = s, c
    return (matrix.to(x) @ x[..., None]).squeeze(-1)


def power_of_two(n):
    if n < 1 or n & (n - 1):
        raise ValueError(f"n_heads must be a power of two, not {n}")


@variant("alibi_bias")
def published_slopes(n_heads, n_positions):
    power_of_two(n_heads)
    start = 2 ** (-(2 ** -(math.log2(n_heads) - 3)))
    slopes = torch.tensor([start * start**i for i in range(n_heads)])
    t = torch.arange(n_positions)
    distance = (t[None, :] - t[:, None]).float()
    bias = slopes[:, None, None] * distance
    return bias.masked_fill(distance > 0, float("-inf"))


@misconception("alibi_bias", "one row of distances from the last key")
def last_row_for_all(n_heads, n_positions):
    power_of_two(n_heads)
    slopes = torch.pow(2.0 ** (-8.0 / n_heads), torch.arange(1, 1 + n_heads))
    bias = slopes[:, None, None] * torch.arange(1 - n_positions, 1).float()
    future = torch.ones(n_positions, n_positions).triu(1).bool()
    return bias.expand(-1, n_positions, -1).masked_fill(future, float("-inf"))


@misconception("alibi_bias", "The first slope is 1: slopes begin at 2^(−8/n_heads), with h = 1.")
def slopes_from_zero(n_heads, n_positions):
    power_of_two(n_heads)
    slopes = torch.pow(2.0 ** (-8.0 / n_heads), torch.arange(n_heads))
    t = torch.arange(n_positions)
    distance = (t[None, :] - t[:, None]).float()
    return (slopes[:, None, None] * distance).masked_fill(distance > 0, float("-inf"))


@misconception("alibi_bias", "a mask of −10,000 for what comes later")
def finite_mask(n_heads, n_positions):
    power_of_two(n_heads)
    slopes = torch.pow(2.0 ** (-8.0 / n_heads), torch.arange(1, 1 + n_heads))
    t = torch.arange(n_positions)
    distance = (t[None, :] - t[:, None]).float()
    return (slopes[:, None, None] * distance).masked_fill(distance > 0, -10000.0)


@variant("relative_position_bucket")
def as_in_mesh_tensorflow(relative_position, n_buckets=32, max_distance=128):
    n, half = -relative_position, n_buckets // 2
    side = (n < 0).long() * half
    n = n.abs()
    exact = half // 2
    large = exact + (torch.log(n.clamp(min=1).double() / exact) / math.log(max_distance / exact) * (half - exact) + 1e-9).long()
    return side + torch.where(n < exact, n, large.clamp(max=half - 1))


@misconception(
    "relative_position_bucket", "The sides are swapped: keys after the query (positive offsets) have the upper half of the buckets."
)
def other_sign(relative_position, n_buckets=32, max_distance=128):
    half = n_buckets // 2
    side, n, exact = (relative_position < 0).long() * half, relative_position.abs(), half // 2
    large = exact + (torch.log(n.clamp(min=1).double() / exact) / math.log(max_distance / exact) * (half - exact) + 1e-9).long()
    return side + torch.where(n < exact, n, large.clamp(max=half - 1))


@misconception(
    "relative_position_bucket",
    "Keys after the query all fall into bucket 0 and the others have all buckets: that is T5's decoder, not its encoder.",
)
def causal_buckets(relative_position, n_buckets=32, max_distance=128):
    n, exact = (-relative_position).clamp(min=0), n_buckets // 2
    large = exact + (torch.log(n.clamp(min=1).double() / exact) / math.log(max_distance / exact) * (n_buckets - exact) + 1e-9).long()
    return torch.where(n < exact, n, large.clamp(max=n_buckets - 1))


@variant("sinusoidal_encoding")
def by_the_exponential(n_positions, d_model, base=10000.0):
    if d_model % 2:
        raise ValueError(f"d_model must be even, not {d_model}")
    pe = torch.zeros(n_positions, d_model, dtype=torch.float64)
    position = torch.arange(n_positions, dtype=torch.float64).unsqueeze(1)
    div_term = torch.exp(torch.arange(0, d_model, 2, dtype=torch.float64) * (-math.log(base) / d_model))
    pe[:, 0::2], pe[:, 1::2] = torch.sin(position * div_term), torch.cos(position * div_term)
    return pe.float()


@misconception(
    "sinusoidal_encoding",
    "Both exponents are too large, and sine and cosine have speeds of their own: with i = 0, 2, 4, … the columns i and i + 1 share base^(−i/d).",
)
def doubled_exponent(n_positions, d_model, base=10000.0):
    if d_model % 2:
        raise ValueError(f"d_model must be even, not {d_model}")
    pe = torch.zeros(n_positions, d_model, dtype=torch.float64)
    for t in range(n_positions):
        for i in range(0, d_model, 2):
            pe[t, i] = math.sin(t / (base ** ((2 * i) / d_model)))
            pe[t, i + 1] = math.cos(t / (base ** ((2 * (i + 1)) / d_model)))
    return pe.float()


@misconception("sinusoidal_encoding", "All sines come first and then all cosines; in the paper they alternate.")
def halves(n_positions, d_model, base=10000.0):
    if d_model % 2:
        raise ValueError(f"d_model must be even, not {d_model}")
    angles = torch.arange(n_positions)[:, None].double() * frequencies(d_model, base)
    return torch.cat([angles.sin(), angles.cos()], -1).float()


@misconception(
    "LearnedPositionalEmbedding", "There is no `embedding.weight`: the table is an nn.Embedding, in a submodule called `embedding`."
)
class AsABuffer(nn.Module):
    def __init__(self, max_positions, d_model):
        super().__init__()
        self.max_positions = max_positions
        self.register_buffer("weight", torch.randn(max_positions, d_model) * 0.02)

    def forward(self, x):
        if x.shape[-2] > self.max_positions:
            raise ValueError(f"{x.shape[-2]} words, max_positions {self.max_positions}")
        return x + self.weight[: x.shape[-2]]


@misconception(
    "LearnedPositionalEmbedding", "There is no `embedding.weight`: the table is an nn.Embedding, in a submodule called `embedding`."
)
class PositionsFromTheFirstDimension(nn.Module):
    def __init__(self, max_positions, d_model):
        super().__init__()
        self.table = nn.Embedding(max_positions, d_model)

    def forward(self, x):
        if x.shape[-2] > self.table.num_embeddings:
            raise ValueError(f"{x.shape[-2]} words, max_positions {self.table.num_embeddings}")
        return x + self.table(torch.arange(x.size(0), device=x.device) % self.table.num_embeddings)[..., None, :].expand_as(x)


@variant("interpolated_rotary")
def scaled_positions(x, positions, trained_length, extended_length, base=10000.0):
    scale = min(1.0, trained_length / extended_length)
    angles = (positions.double() * scale)[:, None] * frequencies(x.shape[-1], base).to(x.device)
    cos, sin = table(angles, x)
    even, odd = x[..., ::2], x[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)


@misconception("interpolated_rotary", "the base is stretched and the positions stay")
def ntk_aware(x, positions, trained_length, extended_length, base=10000.0):
    d = x.shape[-1]
    base = base * max(1.0, extended_length / trained_length) ** (d / max(1, d - 2))
    angles = positions.double()[:, None] * frequencies(d, base).to(x.device)
    cos, sin = table(angles, x)
    even, odd = x[..., ::2], x[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)
