"""A fourth set of held-out answers to lesson 05: habits of public Transformers, wrong and right."""

import math

import numpy as np
import torch
from torch import nn

from autograde.authoring.strength.mutation import misconception, variant


def angles_of(n_positions, d_model, base):
    return torch.arange(n_positions)[:, None] * base ** (-torch.arange(0, d_model, 2) / d_model)


@misconception(
    "sinusoidal_encoding", "The speeds are spread so that the last one is 1/base; in the paper the exponent is 2i/d and never reaches 1."
)
def down_to_the_base(n_positions, d_model, base=10000.0):
    if d_model % 2:
        raise ValueError("d_model must be even")
    pairs = d_model // 2
    angles = torch.arange(n_positions)[:, None] * base ** (-torch.arange(pairs) / max(pairs - 1, 1))
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(-2)


@misconception("sinusoidal_encoding", "position 0 is padding, a row of zeros, as in fairseq")
def a_row_for_padding(n_positions, d_model, base=10000.0):
    if d_model % 2:
        raise ValueError("d_model must be even")
    angles = angles_of(n_positions, d_model, base)
    table = torch.stack([angles.sin(), angles.cos()], -1).flatten(-2)
    table[0] = 0
    return table


@misconception("sinusoidal_encoding", "a whole turn for each position: angles times 2 pi")
def whole_turns(n_positions, d_model, base=10000.0):
    if d_model % 2:
        raise ValueError("d_model must be even")
    angles = 2 * math.pi * angles_of(n_positions, d_model, base)
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(-2)


@misconception("sinusoidal_encoding", "positions as shares of the text")
def shares_of_the_text(n_positions, d_model, base=10000.0):
    if d_model % 2:
        raise ValueError("d_model must be even")
    angles = angles_of(n_positions, d_model, base) / n_positions
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(-2)


@misconception("shift_matrix", "for rows that are multiplied from the left: the result holds for PE @ M and a step back")
def a_step_back_from_the_right(offset, d_model, base=10000.0):
    if d_model % 2:
        raise ValueError("d_model must be even")
    angles = -offset * base ** (-torch.arange(0, d_model, 2) / d_model)
    blocks = torch.stack([angles.cos(), angles.sin(), angles.sin(), angles.cos()], -1).reshape(-1, 2, 2)
    return torch.block_diag(*blocks)


@misconception("shift_matrix", "a linear step: the identity and the first derivative")
def a_linear_step(offset, d_model, base=10000.0):
    if d_model % 2:
        raise ValueError("d_model must be even")
    angles = offset * base ** (-torch.arange(0, d_model, 2) / d_model)
    ones = torch.ones_like(angles)
    return torch.block_diag(*torch.stack([ones, angles, -angles, ones], -1).reshape(-1, 2, 2))


class Table(nn.Module):
    """What wrong tables have in common."""

    def __init__(self, max_positions, d_model):
        super().__init__()
        self.embedding = nn.Embedding(max_positions, d_model)

    def rows(self, x):
        if x.shape[-2] > self.embedding.num_embeddings:
            raise ValueError(f"{x.shape[-2]} positions are more than {self.embedding.num_embeddings}")
        return self.embedding(torch.arange(x.shape[-2], device=x.device))


@misconception("LearnedPositionalEmbedding", "row 0 is padding and gets no gradient")
class PaddingRow(Table):
    def __init__(self, max_positions, d_model):
        super().__init__(max_positions, d_model)
        self.embedding = nn.Embedding(max_positions, d_model, padding_idx=0)

    def forward(self, x):
        return x + self.rows(x)


@misconception("LearnedPositionalEmbedding", "The words are scaled by √d_model; here they are not.")
class ScalesTheWords(Table):
    def forward(self, x):
        return x * x.shape[-1] ** 0.5 + self.rows(x)


@misconception("LearnedPositionalEmbedding", "dropout on the sum while training")
class DropsSome(Table):
    def forward(self, x):
        return nn.functional.dropout(x + self.rows(x), 0.1, self.training)


@misconception("LearnedPositionalEmbedding", "a longer text begins again at row 0 after its error is left out")
class GoesRound(Table):
    def forward(self, x):
        return x + self.embedding(torch.arange(x.shape[-2], device=x.device) % self.embedding.num_embeddings)


def turned(x, cos, sin):
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)


@misconception(
    "rotary_embedding",
    "The angles are laid out by halves (θ₀, θ₁, …, θ₀, θ₁, …), but neighbours are turned: give each angle to its own pair.",
)
def mixed_conventions(x, positions, base=10000.0):
    d = x.shape[-1]
    if d % 2:
        raise ValueError("the last dimension of x is odd")
    angles = positions.to(x.dtype)[:, None] * base ** (-torch.arange(0, d, 2, device=x.device, dtype=x.dtype) / d)
    angles = torch.cat([angles, angles], -1)
    beside = torch.stack([-x[..., 1::2], x[..., 0::2]], -1).flatten(-2)
    return x * angles.cos() + beside * angles.sin()


@misconception("rotary_embedding", "a scale that grows with the position (xPos)")
def with_a_scale(x, positions, base=10000.0):
    d = x.shape[-1]
    if d % 2:
        raise ValueError("the last dimension of x is odd")
    wide = torch.promote_types(x.dtype, torch.float32)
    place = positions.to(wide)[:, None]
    speeds = torch.arange(0, d, 2, device=x.device, dtype=wide) / d
    angles, scale = place * base**-speeds, ((speeds + 0.4) / 1.4) ** (place / 512)
    return turned(x, angles.cos() * scale, angles.sin() * scale).to(x.dtype)


@misconception("rotary_embedding", "speeds from d, not from pairs: base^(-i / (d / 2 - 1))")
def speeds_to_the_base(x, positions, base=10000.0):
    d = x.shape[-1]
    if d % 2:
        raise ValueError("the last dimension of x is odd")
    wide = torch.promote_types(x.dtype, torch.float32)
    speeds = base ** (-torch.arange(d // 2, device=x.device, dtype=wide) / max(d // 2 - 1, 1))
    angles = positions.to(wide)[:, None] * speeds
    return turned(x, angles.cos(), angles.sin()).to(x.dtype)


@misconception("alibi_bias", "The first slope is 1: slopes begin at 2^(−8/n_heads), with h = 1.")
def slopes_from_one(n_heads, n_positions):
    if n_heads < 1 or n_heads & (n_heads - 1):
        raise ValueError("n_heads must be a power of two")
    slopes = 2.0 ** (-8 * torch.arange(n_heads) / n_heads)
    distance = torch.arange(n_positions)[:, None] - torch.arange(n_positions)
    return (-slopes[:, None, None] * distance).masked_fill(distance < 0, -math.inf)


@misconception("alibi_bias", "The slopes come in reverse: head 1 is the steepest.")
def steepest_last(n_heads, n_positions):
    if n_heads < 1 or n_heads & (n_heads - 1):
        raise ValueError("n_heads must be a power of two")
    slopes = 2.0 ** (-8 * torch.arange(n_heads, 0, -1) / n_heads)
    distance = torch.arange(n_positions)[:, None] - torch.arange(n_positions)
    return (-slopes[:, None, None] * distance).masked_fill(distance < 0, -math.inf)


@misconception(
    "relative_position_bucket",
    "Keys after the query all fall into bucket 0 and the others have all buckets: that is T5's decoder, not its encoder.",
)
def one_sided(relative_position, n_buckets=32, max_distance=128):
    exact = n_buckets // 2
    distance = (-relative_position).clamp(min=0)
    share = (distance.clamp(min=exact) / exact).log() / math.log(max_distance / exact)
    coarse = (exact + (share * (n_buckets - exact)).long()).clamp(max=n_buckets - 1)
    return torch.where(distance < exact, distance, coarse)


@misconception(
    "relative_position_bucket", "Every distance has a bucket of its own up to the last: far distances are to be shared logarithmically."
)
def clipped_offsets(relative_position, n_buckets=32, max_distance=128):
    half = n_buckets // 2
    return relative_position.abs().clamp(max=half - 1) + half * (relative_position > 0)


@variant("permutation_gap")
def by_numpy_maximum(layer, x, permutation):
    before, after = layer(x.index_select(-2, permutation)), layer(x).index_select(-2, permutation)
    return float(np.abs((after - before).detach().cpu().numpy()).max())


@variant("permutation_gap")
def by_the_larger_of_two(layer, x, permutation):
    difference = torch.sub(torch.take_along_dim(y := layer(x), permutation[:, None].expand(y.shape), -2), layer(x[..., permutation, :]))
    return max(difference.max().item(), -difference.min().item())


@variant("sinusoidal_encoding")
def by_a_phase(n_positions, d_model, base=10000.0):
    if d_model & 1:
        raise ValueError(f"d_model is odd: {d_model}")
    column = torch.arange(d_model)
    angles = torch.arange(n_positions, dtype=torch.float64)[:, None] / base ** (column.sub(column % 2).double() / d_model)
    return torch.sin(angles + (column % 2) * math.pi / 2).float()


@variant("shift_matrix")
def by_the_matrix_exponential(offset, d_model, base=10000.0):
    if d_model % 2:
        raise ValueError(f"d_model is odd: {d_model}")
    speeds = torch.zeros(d_model - 1, dtype=torch.float64)
    speeds[::2] = base ** (-torch.arange(0, d_model, 2, dtype=torch.float64) / d_model)
    return torch.linalg.matrix_exp(offset * (torch.diag(speeds, 1) - torch.diag(speeds, -1))).float()


@variant("rotary_embedding")
def by_complex_numbers(x, positions, base=10000.0):
    if x.shape[-1] % 2:
        raise ValueError("the last dimension of x is odd")
    wide = torch.promote_types(x.dtype, torch.float32)
    angles = positions.to(wide)[:, None] * torch.pow(base, -torch.arange(0, x.shape[-1], 2, dtype=wide, device=x.device) / x.shape[-1])
    pairs = torch.view_as_complex(x.to(wide).reshape(*x.shape[:-1], -1, 2))
    return torch.view_as_real(pairs * torch.polar(torch.ones_like(angles), angles)).flatten(-2).to(x.dtype)


@variant("LearnedPositionalEmbedding")
class ByTheWeight(Table):
    def forward(self, x):
        match x.shape[-2]:
            case n if n > len(self.embedding.weight):
                raise ValueError(f"{n} positions are more than {len(self.embedding.weight)}")
            case n:
                return x + self.embedding.weight.narrow(0, 0, n)


@variant("alibi_bias")
def by_a_running_sum(n_heads, n_positions):
    if bin(n_heads).count("1") != 1:
        raise ValueError("n_heads must be a power of two")
    ratio = 2 ** (-8 / n_heads)
    steps = torch.ones(n_positions, n_positions).tril(-1).flip(-1).cumsum(-1).flip(-1)
    hidden = torch.full((n_positions, n_positions), -math.inf).triu(1)
    return torch.stack([-(ratio**h) * steps + hidden for h in range(1, n_heads + 1)])


@variant("relative_position_bucket")
def by_a_table_of_borders(relative_position, n_buckets=32, max_distance=128):
    half = n_buckets // 2
    exact = half // 2
    borders, scale = [*range(1, exact + 1)], (half - exact) / math.log(max_distance / exact)
    for step in range(1, half - exact):
        borders.append(next(a for a in range(exact, max_distance + 2) if math.log(a / exact) * scale >= step - 1e-9))
    side = torch.bucketize(relative_position.abs(), torch.tensor(borders, device=relative_position.device), right=True)
    return side.clamp(max=half - 1) + (relative_position > 0) * half
