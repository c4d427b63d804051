"""Further answers to lesson 05 that the known mistakes do not name, and unusual right ones."""

import cmath
import functools
import math

import numpy as np
import torch
from torch import nn

from autograde.authoring.strength.mutation import misconception, variant


def gap(difference):
    return lambda layer, x, permutation: difference(layer(x)[..., permutation, :], layer(x[..., permutation, :]))


@misconception("permutation_gap", "the Frobenius norm")
def gap_norm(layer, x, permutation):
    return gap(lambda a, b: (a - b).norm().item())(layer, x, permutation)


@misconception("permutation_gap", "relative to the result's size")
def gap_relative(layer, x, permutation):
    return gap(lambda a, b: ((a - b).abs().max() / a.abs().max()).item())(layer, x, permutation)


@misconception("permutation_gap", "the difference of the means over the words: invariance, not equivariance")
def gap_invariant(layer, x, permutation):
    return gap(lambda a, b: (a.mean(-2) - b.mean(-2)).abs().max().item())(layer, x, permutation)


@misconception("permutation_gap", "sorted numbers are compared")
def gap_sorted(layer, x, permutation):
    return gap(lambda a, b: (a.sort(-2).values - b.sort(-2).values).abs().max().item())(layer, x, permutation)


@misconception("permutation_gap", "the reversed text in place of the permutation")
def gap_flip(layer, x, permutation):
    return (layer(x).flip(-2) - layer(x.flip(-2))).abs().max().item()


@variant("permutation_gap")
def gap_by_generator(layer, x, permutation):
    after, before = layer(x), layer(x.index_select(-2, permutation))
    return max((after[..., int(p), :] - before[..., i, :]).abs().max().item() for i, p in enumerate(permutation))


def table(n_positions, d_model, base, speed, put):
    if d_model % 2:
        raise ValueError("d_model must be even")
    out = torch.zeros(n_positions, d_model)
    for t in range(n_positions):
        for i in range(d_model // 2):
            put(out, t, i, t * speed(i, d_model, base))
    return out


def usual(out, t, i, angle):
    out[t, 2 * i], out[t, 2 * i + 1] = math.sin(angle), math.cos(angle)


@misconception("sinusoidal_encoding", "multiplied by the root of d")
def pe_root(n_positions, d_model, base=10000.0):
    return math.sqrt(d_model) * table(n_positions, d_model, base, lambda i, d, b: b ** (-2 * i / d), usual)


@misconception("sinusoidal_encoding", "with a batch dimension, as the tutorials' buffer has it")
def pe_batch(n_positions, d_model, base=10000.0):
    return table(n_positions, d_model, base, lambda i, d, b: b ** (-2 * i / d), usual)[None]


@misconception("sinusoidal_encoding", "a NumPy array")
def pe_numpy(n_positions, d_model, base=10000.0):
    if d_model % 2:
        raise ValueError("d_model")
    t, i = np.arange(n_positions)[:, None], np.arange(d_model // 2)
    angles = t / base ** (2 * i / d_model)
    return np.stack([np.sin(angles), np.cos(angles)], -1).reshape(n_positions, d_model).astype("float32")


@misconception("sinusoidal_encoding", "an odd width is an assertion")
def pe_assert(n_positions, d_model, base=10000.0):
    assert d_model % 2 == 0, "d_model must be even"
    return table(n_positions, d_model, base, lambda i, d, b: b ** (-2 * i / d), usual)


@variant("sinusoidal_encoding")
def pe_by_math(n_positions, d_model, base=10000.0):
    return table(n_positions, d_model, base, lambda i, d, b: b ** (-2 * i / d), usual)


def blocks(d_model, base, block):
    if d_model % 2:
        raise ValueError("d_model must be even")
    return torch.block_diag(*[torch.tensor(block(base ** (-2 * i / d_model))) for i in range(d_model // 2)])


@misconception("shift_matrix", "modulo 2 pi of a rounded angle")
def shift_rounded(offset, d_model, base=10000.0):
    return blocks(
        d_model,
        base,
        lambda s: [
            [math.cos(round(offset * s, 2)), math.sin(round(offset * s, 2))],
            [-math.sin(round(offset * s, 2)), math.cos(round(offset * s, 2))],
        ],
    )


@misconception("shift_matrix", "as many steps of the first matrix, without a negative offset")
def shift_steps(offset, d_model, base=10000.0):
    one = blocks(d_model, base, lambda s: [[math.cos(s), math.sin(s)], [-math.sin(s), math.cos(s)]])
    out = torch.eye(d_model)
    for _ in range(offset):
        out = out @ one
    return out


@misconception("shift_matrix", "a hyperbolic rotation")
def shift_hyperbolic(offset, d_model, base=10000.0):
    return blocks(
        d_model,
        base,
        lambda s: [[math.cosh(offset * s / 10), math.sinh(offset * s / 10)], [math.sinh(offset * s / 10), math.cosh(offset * s / 10)]],
    )


@variant("shift_matrix")
def shift_by_power(offset, d_model, base=10000.0):
    one = blocks(d_model, base, lambda s: [[math.cos(s), math.sin(s)], [-math.sin(s), math.cos(s)]]).double()
    return torch.linalg.matrix_power(one, offset).float()


@variant("shift_matrix")
def shift_by_complex(offset, d_model, base=10000.0):
    if d_model % 2:
        raise ValueError("d_model must be even")
    out = torch.zeros(d_model, d_model)
    for i in range(0, d_model, 2):
        z = cmath.exp(1j * offset * base ** (-i / d_model))
        out[i : i + 2, i : i + 2] = torch.tensor([[z.real, z.imag], [-z.imag, z.real]])
    return out


class Learned(nn.Module):
    def __init__(self, max_positions, d_model):
        super().__init__()
        self.embedding = nn.Embedding(max_positions, d_model)

    def allow(self, x):
        n = x.shape[-2]
        if n > self.embedding.num_embeddings:
            raise ValueError(f"{n} positions, more than max_positions = {self.embedding.num_embeddings}")
        return n


@misconception("LearnedPositionalEmbedding", "an IndexError is turned into a ValueError without the numbers")
class NoNumbers(Learned):
    def forward(self, x):
        try:
            return x + self.embedding(torch.arange(x.shape[-2], device=x.device))
        except IndexError as error:
            raise ValueError("too long") from error


@misconception("LearnedPositionalEmbedding", "the table is normalised first")
class Normalised(Learned):
    def forward(self, x):
        n = self.allow(x)
        return x + nn.functional.normalize(self.embedding.weight[:n], dim=-1)


@misconception("LearnedPositionalEmbedding", "positions are counted from the end")
class FromTheEnd(Learned):
    def forward(self, x):
        n = self.allow(x)
        return x + self.embedding(torch.arange(n - 1, -1, -1, device=x.device))


@misconception("LearnedPositionalEmbedding", "the positions go on in the next call")
class GoesOn(Learned):
    def forward(self, x):
        n = self.allow(x)
        begin = getattr(self, "begin", 0)
        self.begin = begin + 1
        return x + self.embedding((torch.arange(n, device=x.device) + begin) % self.embedding.num_embeddings)


@misconception("LearnedPositionalEmbedding", "positions in training mode only")
class TrainingOnly(Learned):
    def forward(self, x):
        n = self.allow(x)
        return x + self.embedding.weight[:n] if self.training else x


@misconception("LearnedPositionalEmbedding", "the result comes in the table's dtype")
class TablesDtype(Learned):
    def forward(self, x):
        n = self.allow(x)
        return x.to(self.embedding.weight.dtype) + self.embedding.weight[:n].half().to(self.embedding.weight.dtype)


@variant("LearnedPositionalEmbedding")
class OneHot(Learned):
    def forward(self, x):
        n = self.allow(x)
        eye = torch.eye(n, self.embedding.num_embeddings, device=x.device, dtype=self.embedding.weight.dtype)
        return torch.add(x, eye @ self.embedding.weight)


def turn(x, positions, base=10000.0, *, speed=None, rotate=None):
    d = x.shape[-1]
    if d % 2:
        raise ValueError("the last dimension must be even")
    wide = torch.promote_types(x.dtype, torch.float32)
    i = torch.arange(d // 2, device=x.device, dtype=wide)
    angles = positions.to(wide)[:, None] * (base ** (-2 * i / d) if speed is None else speed(i, d, base))
    cos, sin = angles.cos(), angles.sin()
    a, b = x[..., 0::2], x[..., 1::2]
    first, second = (a * cos - b * sin, a * sin + b * cos) if rotate is None else rotate(a, b, cos, sin)
    return torch.stack([first, second], -1).flatten(-2).to(x.dtype)


@misconception("rotary_embedding", "angles per degree")
def rot_degrees(x, positions, base=10000.0):
    return turn(x, positions, base, speed=lambda i, d, b: b ** (-2 * i / d) * math.pi / 180)


@misconception("rotary_embedding", "a reflection")
def rot_reflect(x, positions, base=10000.0):
    return turn(x, positions, base, rotate=lambda a, b, c, s: (a * c + b * s, a * s - b * c))


@misconception("rotary_embedding", "only the first of each pair")
def rot_first(x, positions, base=10000.0):
    return turn(x, positions, base, rotate=lambda a, b, c, s: (a * c - b * s, b))


@misconception("rotary_embedding", "the first position is taken for 0: offsets inside the text")
def rot_from_first(x, positions, base=10000.0):
    return turn(x, positions - positions[0], base)


@misconception("rotary_embedding", "positions are sorted")
def rot_sorted(x, positions, base=10000.0):
    return turn(x, positions.sort().values, base)


@misconception("rotary_embedding", "the second of a pair is a ten-thousandth too long")
def rot_scaled(x, positions, base=10000.0):
    return turn(x, positions, base, rotate=lambda a, b, c, s: (a * c - b * s, (a * s + b * c) * 1.0001))


@misconception("rotary_embedding", "turned for the heads' dimension instead of the words'")
def rot_heads(x, positions, base=10000.0):
    if x.ndim < 3:
        return turn(x, positions, base)
    return turn(
        x.transpose(-3, -2), positions[: x.shape[-3]] if len(positions) >= x.shape[-3] else torch.arange(x.shape[-3]), base
    ).transpose(-3, -2)


@misconception("rotary_embedding", "the fastest pair stands last")
def rot_reversed(x, positions, base=10000.0):
    return turn(x, positions, base, speed=lambda i, d, b: b ** (-2 * i.flip(0) / d))


@variant("rotary_embedding")
def rot_by_matrix(x, positions, base=10000.0):
    d = x.shape[-1]
    if d % 2:
        raise ValueError("odd")
    wide = torch.promote_types(x.dtype, torch.float32)
    rows = []
    for t in range(x.shape[-2]):
        angle = positions[t].to(wide) * base ** (-torch.arange(0, d, 2, dtype=wide, device=x.device) / d)
        blocks = torch.stack([angle.cos(), angle.sin(), -angle.sin(), angle.cos()], -1).reshape(-1, 2, 2)
        rows.append((x[..., t, :].to(wide).unflatten(-1, (-1, 1, 2)) @ blocks).flatten(-3))
    return torch.stack(rows, -2).to(x.dtype)


@variant("rotary_embedding")
def rot_by_double(x, positions, base=10000.0):
    d = x.shape[-1]
    if d % 2:
        raise ValueError("odd")
    i = torch.arange(d, device=x.device)
    angles = positions.double()[:, None] * base ** (-(2.0 * (i // 2)).double() / d)
    partner = x[..., i ^ 1].double() * torch.where(i % 2 == 0, -1.0, 1.0).double()
    return (x.double() * angles.cos() + partner * angles.sin()).to(x.dtype)


def bias(n_heads, n_positions, slope, away=None):
    if n_heads < 1 or n_heads & (n_heads - 1):
        raise ValueError("n_heads must be a power of two")
    i = torch.arange(n_positions, dtype=torch.float32)
    distance = i[:, None] - i if away is None else away(i)
    m = torch.tensor([slope(h, n_heads) for h in range(1, n_heads + 1)])
    return (-m[:, None, None] * distance).masked_fill(i > i[:, None], -math.inf)


@misconception("alibi_bias", "the slopes of one head more")
def al_more(n_heads, n_positions):
    return bias(n_heads, n_positions, lambda h, n: 2.0 ** (-8 * h / (n + 1)))


@misconception("alibi_bias", "the logarithm of the distance")
def al_log(n_heads, n_positions):
    return bias(n_heads, n_positions, lambda h, n: 2.0 ** (-8 * h / n), lambda i: torch.log1p((i[:, None] - i).clamp(min=0)))


@misconception("alibi_bias", "the distance is cut at 16")
def al_cut(n_heads, n_positions):
    return bias(n_heads, n_positions, lambda h, n: 2.0 ** (-8 * h / n), lambda i: (i[:, None] - i).clamp(max=16))


@misconception("alibi_bias", "divided by the root of the number of heads")
def al_root(n_heads, n_positions):
    return bias(n_heads, n_positions, lambda h, n: 2.0 ** (-8 * h / n) / math.sqrt(n))


@misconception("alibi_bias", "the error says nothing of n_heads")
def al_mute(n_heads, n_positions):
    if n_heads & (n_heads - 1):
        raise ValueError("not allowed")
    return bias(n_heads, n_positions, lambda h, n: 2.0 ** (-8 * h / n))


@misconception("alibi_bias", "a batch dimension in front")
def al_batch(n_heads, n_positions):
    return bias(n_heads, n_positions, lambda h, n: 2.0 ** (-8 * h / n))[None]


@variant("alibi_bias")
def al_recursive(n_heads, n_positions):
    if n_heads < 1 or math.log2(n_heads) % 1:
        raise ValueError(f"n_heads = {n_heads} is no power of two")
    first = 2 ** (-8 / n_heads)
    slopes = functools.reduce(lambda found, _: [*found, found[-1] * first], range(n_heads - 1), [first])
    out = torch.full((n_heads, n_positions, n_positions), -math.inf)
    for h, slope in enumerate(slopes):
        for i in range(n_positions):
            out[h, i, : i + 1] = -slope * torch.arange(i, -1, -1)
    return out


def bucketed(relative_position, n_buckets=32, max_distance=128, *, share=None, ahead=None, near=None):
    half = n_buckets // 2
    exact = half // 2 if near is None else near(half)
    a = relative_position.abs()
    part = torch.log(a.clamp(min=exact) / exact) / math.log(max_distance / exact) if share is None else share(a, exact, max_distance)
    far = (exact + (part * (half - exact)).long()).clamp(max=half - 1)
    side = (relative_position > 0) if ahead is None else ahead(relative_position)
    return torch.where(a < exact, a, far) + half * side


@misconception("relative_position_bucket", "base-2 logarithm over the natural one")
def bucket_log2(relative_position, n_buckets=32, max_distance=128):
    return bucketed(relative_position, n_buckets, max_distance, share=lambda a, e, d: torch.log2(a.clamp(min=e) / e) / math.log(d / e))


@misconception("relative_position_bucket", "square roots instead of logarithms")
def bucket_root(relative_position, n_buckets=32, max_distance=128):
    return bucketed(relative_position, n_buckets, max_distance, share=lambda a, e, d: ((a.clamp(min=e) - e) / (d - e)) ** 0.5)


@misconception("relative_position_bucket", "the halves are interleaved: even before, odd after")
def bucket_interleaved(relative_position, n_buckets=32, max_distance=128):
    b = bucketed(relative_position, n_buckets, max_distance, ahead=lambda r: torch.zeros_like(r))
    return 2 * b + (relative_position > 0)


@misconception("relative_position_bucket", "a quarter of a half is exact")
def bucket_exact_quarter(relative_position, n_buckets=32, max_distance=128):
    return bucketed(relative_position, n_buckets, max_distance, near=lambda half: max(1, half // 4))


@misconception("relative_position_bucket", "far distances fall out of the table")
def bucket_modulo(relative_position, n_buckets=32, max_distance=128):
    half, exact = n_buckets // 2, n_buckets // 4
    a = relative_position.abs()
    part = torch.log(a.clamp(min=exact) / exact) / math.log(max_distance / exact)
    far = (exact + (part * (half - exact)).long()) % half
    return torch.where(a < exact, a, far) + half * (relative_position > 0)


@variant("relative_position_bucket")
def bucket_by_edges(relative_position, n_buckets=32, max_distance=128):
    half = n_buckets // 2
    exact = half // 2
    a, far = relative_position.abs(), torch.full_like(relative_position, exact)
    for k in range(1, half - exact):
        far = far + (a >= exact * (max_distance / exact) ** (k / (half - exact)) - 1e-9)
    return torch.where(a < exact, a, far) + torch.where(relative_position > 0, half, 0)


@misconception("interpolated_rotary", "squeezed by the root")
def squeezed_root(x, positions, trained_length, extended_length, base=10000.0):
    return turn(x, positions.double() * min(1.0, math.sqrt(trained_length / extended_length)), base)


@misconception("interpolated_rotary", "squeezed by the text's own length")
def squeezed_own(x, positions, trained_length, extended_length, base=10000.0):
    return turn(x, positions.double() * min(1.0, trained_length / x.shape[-2]), base)


@misconception("interpolated_rotary", "a step later: (m + 1) L / L' − 1")
def squeezed_shifted(x, positions, trained_length, extended_length, base=10000.0):
    return turn(x, (positions.double() + 1) * min(1.0, trained_length / extended_length) - 1, base)


@variant("interpolated_rotary")
def squeezed_speeds(x, positions, trained_length, extended_length, base=10000.0):
    slow = max(1.0, extended_length / trained_length)
    return turn(x, positions, base, speed=lambda i, d, b: b ** (-2 * i / d) / slow)
