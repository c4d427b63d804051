"""A third set of held-out answers to lesson 05: unusual right ones."""

import math

import torch

from autograde.authoring.strength.mutation import variant


@variant("sinusoidal_encoding")
def by_complex_exponentials(n_positions, d_model, base=10000.0):
    if d_model % 2 == 1:
        raise ValueError("d_model is odd")
    speeds = torch.exp(-math.log(base) * torch.arange(d_model // 2, dtype=torch.float64) * 2 / d_model)
    turned = torch.polar(
        torch.ones(n_positions, d_model // 2, dtype=torch.float64), torch.outer(torch.arange(n_positions).double(), speeds)
    )
    return torch.view_as_real(turned)[..., [1, 0]].reshape(n_positions, d_model).float()


@variant("rotary_embedding")
def by_two_by_two_matrices(x, positions, base=10000.0):
    d = x.shape[-1]
    if d % 2:
        raise ValueError("the last dimension of x is odd")
    wide = torch.promote_types(x.dtype, torch.float32)
    angles = positions.to(wide)[:, None] * torch.pow(base, -torch.arange(0, d, 2, device=x.device).to(wide) / d)
    turn = torch.stack([torch.stack([angles.cos(), -angles.sin()], -1), torch.stack([angles.sin(), angles.cos()], -1)], -2)
    return torch.einsum("tpij,...tpj->...tpi", turn, x.unflatten(-1, (d // 2, 2)).to(wide)).flatten(-2).to(x.dtype)


@variant("alibi_bias")
def row_by_row_with_comprehensions(n_heads, n_positions):
    if n_heads not in {2**i for i in range(16)}:
        raise ValueError("n_heads must be a power of two")
    return torch.tensor(
        [
            [[-(2 ** (-8 * (h + 1) / n_heads)) * (i - j) if j <= i else -math.inf for j in range(n_positions)] for i in range(n_positions)]
            for h in range(n_heads)
        ]
    )
