"""What the public checks of lesson 05 expect: positions as complex numbers that turn (Euler), and the papers' formulas entry by entry."""

import cmath
import math

import torch


def clock(n_positions, d_model, base=10000.0):
    """The table of Vaswani et al. (2017): the hand of column pair i at position t is e^{i t θ_i}; its imaginary part is the sine."""
    hands = [[cmath.exp(1j * t * base ** (-2 * i / d_model)) for i in range(d_model // 2)] for t in range(n_positions)]
    return torch.tensor([[part for hand in row for part in (hand.imag, hand.real)] for row in hands], dtype=torch.float64).reshape(
        n_positions, d_model
    )


def turn(x, positions, base=10000.0):
    """Su et al. (2021), equation 16: pairs of columns as complex numbers, times e^{i m θ_i}."""
    d = x.shape[-1]
    angles = positions.double()[:, None] * torch.tensor([base ** (-2 * i / d) for i in range(d // 2)], dtype=torch.float64)
    pairs = torch.complex(x[..., 0::2].double(), x[..., 1::2].double()) * torch.polar(torch.ones_like(angles), angles)
    return torch.view_as_real(pairs).flatten(-2).to(x.dtype)


def linear_biases(n_heads, n_positions):
    """Press et al. (2022), §3, entry by entry."""

    def entry(h, i, j):
        return -(2 ** (-8 * (h + 1) / n_heads)) * (i - j) if j <= i else -math.inf

    rows = range(n_positions)
    return torch.tensor([[[entry(h, i, j) for j in rows] for i in rows] for h in range(n_heads)])


def bucket(offset, n_buckets=32, max_distance=128):
    """T5's bucket of one offset. No distance in these checks lies where the logarithm is a whole number: there, rounding decides."""
    half, distance = n_buckets // 2, abs(offset)
    exact = half // 2
    if distance >= exact:
        distance = min(half - 1, exact + math.floor(math.log(distance / exact) / math.log(max_distance / exact) * (half - exact)))
    return distance + (half if offset > 0 else 0)


def rotations(angles):
    """A matrix with a rotation by each angle along its diagonal."""
    blocks = [torch.tensor([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]) for angle in angles]
    return torch.block_diag(*blocks)


def buckets(offsets, *table):
    rows = offsets.reshape(-1).tolist()
    return torch.tensor([bucket(offset, *table) for offset in rows]).reshape(offsets.shape)
