"""Held-out answers to lesson 05, wrong and right: none of them is among the known ones."""

import math

import torch
from torch import nn

from autograde.authoring.strength.mutation import misconception, variant

misconception("permutation_gap", "rounded", replace=(".abs().max().item()", ".abs().max().item() // 1e-6 * 1e-6"))

misconception(
    "permutation_gap",
    "allclose shortcut",
    replace=("return (shuffled", "if torch.allclose(shuffled_after, shuffled_before):\n        return 0.0\n    return (shuffled"),
)

PE = {}


@misconception("sinusoidal_encoding", "float16")
def encoding_float16(n_positions, d_model, base=10000.0):
    if d_model % 2:
        raise ValueError(f"d_model {d_model}")
    s = base ** (-torch.arange(0, d_model, 2) / d_model)
    a = (torch.arange(n_positions)[:, None] * s).half().float()
    return torch.stack([a.sin(), a.cos()], -1).flatten(-2)


@misconception("sinusoidal_encoding", "table")
def encoding_table(n_positions, d_model, base=10000.0):
    if d_model % 2:
        raise ValueError(f"d_model {d_model}")
    s = 10000.0 ** (-torch.arange(0, d_model, 2) / d_model) if base == 10000.0 else float(base) ** (-torch.arange(0, d_model, 2) / d_model)
    a = torch.arange(512)[:, None] * s
    return torch.stack([a.sin(), a.cos()], -1).flatten(-2)[:n_positions]


@misconception("sinusoidal_encoding", "cached no base")
def encoding_cached_no_base(n_positions, d_model, base=10000.0):
    if d_model % 2:
        raise ValueError(f"d_model {d_model}")
    if (n_positions, d_model) not in PE:
        s = base ** (-torch.arange(0, d_model, 2) / d_model)
        a = torch.arange(n_positions)[:, None] * s
        PE[n_positions, d_model] = torch.stack([a.sin(), a.cos()], -1).flatten(-2)
    return PE[n_positions, d_model]


@misconception("sinusoidal_encoding", "odd floor")
def encoding_odd_floor(n_positions, d_model, base=10000.0):
    if d_model % 2 and d_model > 1:
        raise ValueError(f"d_model {d_model}")
    d = max(2, d_model)
    s = base ** (-torch.arange(0, d, 2) / d)
    a = torch.arange(n_positions)[:, None] * s
    return torch.stack([a.sin(), a.cos()], -1).flatten(-2)


@misconception("shift_matrix", "abs")
def shift_abs(offset, d_model, base=10000.0):
    a = abs(offset) * base ** (-torch.arange(0, d_model, 2) / d_model)
    s, c = a.sin(), a.cos()
    if offset < -100:
        s = -s
    return (
        torch.block_diag(*torch.stack([c, s if offset >= 0 else -s, -s if offset >= 0 else s, c], -1).reshape(-1, 2, 2))
        if abs(offset) < 1000
        else torch.eye(d_model)
    )


@misconception("shift_matrix", "lstsq")
def shift_lstsq(offset, d_model, base=10000.0):
    n = 4 * d_model
    s = base ** (-torch.arange(0, d_model, 2) / d_model)
    a = torch.arange(n)[:, None] * s
    p = torch.stack([a.sin(), a.cos()], -1).flatten(-2)
    b = (torch.arange(n) + offset)[:, None] * s
    q = torch.stack([b.sin(), b.cos()], -1).flatten(-2)
    return torch.linalg.lstsq(p, q).solution.mT


@misconception("shift_matrix", "`base` is not used.")
def shift_default_base(offset, d_model, base=10000.0):
    a = offset * 10000.0 ** (-torch.arange(0, d_model, 2) / d_model)
    s, c = a.sin(), a.cos()
    return torch.block_diag(*torch.stack([c, s, -s, c], -1).reshape(-1, 2, 2))


misconception("LearnedPositionalEmbedding", ">= max", replace=("if n_positions > max_positions", "if n_positions >= max_positions"))

misconception(
    "LearnedPositionalEmbedding",
    "frozen",
    replace=(
        "self.embedding = nn.Embedding(max_positions, d_model)",
        "self.embedding = nn.Embedding(max_positions, d_model).requires_grad_(False)",
    ),
)

misconception(
    "LearnedPositionalEmbedding",
    "in place",
    replace=(
        "return x + self.embedding(torch.arange(n_positions, device=x.device))",
        "return x.add_(self.embedding(torch.arange(n_positions, device=x.device))) if not x.requires_grad else x + self.embedding(torch.arange(n_positions, device=x.device))",
    ),
)

misconception(
    "LearnedPositionalEmbedding",
    "padding row 0",
    replace=("nn.Embedding(max_positions, d_model)", "nn.Embedding(max_positions, d_model, padding_idx=0)"),
)

misconception(
    "LearnedPositionalEmbedding",
    "scaled sqrt d",
    replace=("return x + ", "return x + (1.0 if self.embedding.weight.shape[1] < 8 else 1.01) * "),
)


@misconception("rotary_embedding", "table")
def rotary_table(x, positions, base=10000.0):
    d = x.shape[-1]
    s = base ** (-torch.arange(0, d, 2, dtype=torch.float32) / d)
    t = torch.arange(2048).float()[:, None] * s
    a = t[positions.long()].to(x.dtype)
    c, n = a.cos(), a.sin()
    e, o = x[..., 0::2], x[..., 1::2]
    return torch.stack([e * c - o * n, e * n + o * c], -1).flatten(-2)


@misconception("rotary_embedding", "long")
def rotary_long(x, positions, base=10000.0):
    d = x.shape[-1]
    s = base ** (-torch.arange(0, d, 2, dtype=x.dtype) / d)
    a = positions.long()[:, None] * s
    c, n = a.cos(), a.sin()
    e, o = x[..., 0::2], x[..., 1::2]
    return torch.stack([e * c - o * n, e * n + o * c], -1).flatten(-2)


@misconception("rotary_embedding", "angles x dtype")
def rotary_angles_x_dtype(x, positions, base=10000.0):
    d = x.shape[-1]
    s = (base ** (-torch.arange(0, d, 2, dtype=torch.float32) / d)).to(x.dtype)
    a = positions.to(x.dtype)[:, None] * s
    c, n = a.cos(), a.sin()
    e, o = x[..., 0::2], x[..., 1::2]
    return torch.stack([e * c - o * n, e * n + o * c], -1).flatten(-2)


@misconception("rotary_embedding", "The second half of each pair is computed from the first half's new value; both need the old ones.")
def rotary_in_place_halves(x, positions, base=10000.0):
    d = x.shape[-1]
    s = base ** (-torch.arange(0, d, 2, dtype=x.dtype) / d)
    a = positions.to(x.dtype)[:, None] * s
    c, n = a.cos(), a.sin()
    o = torch.empty_like(x)
    o[..., 0::2] = x[..., 0::2] * c - x[..., 1::2] * n
    o[..., 1::2] = o[..., 0::2] * n + x[..., 1::2] * c
    return o


@misconception("rotary_embedding", "mod")
def rotary_mod(x, positions, base=10000.0):
    positions = positions % 4096
    d = x.shape[-1]
    s = base ** (-torch.arange(0, d, 2, dtype=x.dtype) / d)
    a = positions.to(x.dtype)[:, None] * s
    c, n = a.cos(), a.sin()
    e, o = x[..., 0::2], x[..., 1::2]
    return torch.stack([e * c - o * n, e * n + o * c], -1).flatten(-2)


@misconception("rotary_embedding", "neg")
def rotary_neg(x, positions, base=10000.0):
    positions = positions.clamp(min=0)
    d = x.shape[-1]
    s = base ** (-torch.arange(0, d, 2, dtype=x.dtype) / d)
    a = positions.to(x.dtype)[:, None] * s
    c, n = a.cos(), a.sin()
    e, o = x[..., 0::2], x[..., 1::2]
    return torch.stack([e * c - o * n, e * n + o * c], -1).flatten(-2)


@misconception("alibi_bias", "Above the diagonal stands a large negative number; it must be −∞.")
def al_minus1e9(n_heads, n_positions):
    if n_heads < 1 or n_heads & (n_heads - 1):
        raise ValueError(f"n_heads {n_heads}")
    m = 2.0 ** (-8 * torch.arange(1, n_heads + 1) / n_heads)
    p = torch.arange(n_positions)
    d = p[:, None] - p
    return torch.where(d < 0, torch.tensor(-1e9), -m[:, None, None] * d)


@misconception("alibi_bias", "buffer")
def al_buffer(n_heads, n_positions):
    if n_heads < 1 or n_heads & (n_heads - 1):
        raise ValueError(f"n_heads {n_heads}")
    m = 2.0 ** (-8 * torch.arange(1, n_heads + 1) / n_heads)
    p = torch.arange(256)
    d = p[:, None] - p
    return (-m[:, None, None] * d).masked_fill(d < 0, -math.inf)[:, :n_positions, :n_positions]


@misconception("alibi_bias", "zero heads")
def al_zero_heads(n_heads, n_positions):
    if n_heads & (n_heads - 1):
        raise ValueError(f"n_heads {n_heads}")
    m = 2.0 ** (-8 * torch.arange(1, n_heads + 1) / max(n_heads, 1))
    p = torch.arange(n_positions)
    d = p[:, None] - p
    return (-m[:, None, None] * d).masked_fill(d < 0, -math.inf)


@misconception("alibi_bias", "closest power")
def al_closest_power(n_heads, n_positions):
    if n_heads < 1 or n_heads & (n_heads - 1):
        raise ValueError(f"n_heads {n_heads}")
    m = torch.tensor(
        [
            2 ** (-8 * (h + 1) / n_heads) if n_heads <= 8 else 2 ** (-(h + 1) / 2) if n_heads == 16 else 2 ** (-(h + 1) / 4.0)
            for h in range(n_heads)
        ]
    )
    p = torch.arange(n_positions)
    d = p[:, None] - p
    return (-m[:, None, None] * d).masked_fill(d < 0, -math.inf)


@misconception("relative_position_bucket", "float16")
def bucket_float16(relative_position, n_buckets=32, max_distance=128):
    h = n_buckets // 2
    e = h // 2
    d = relative_position.abs()
    c = e + (torch.log(d.clamp(min=e).half().float() / e) / math.log(max_distance / e) * (h - e)).long()
    return torch.where(d < e, d, c.clamp(max=h - 1)) + h * (relative_position > 0)


@misconception("relative_position_bucket", "round")
def bucket_round(relative_position, n_buckets=32, max_distance=128):
    h = n_buckets // 2
    e = h // 2
    d = relative_position.abs()
    c = e + (torch.log(d.clamp(min=e) / e) / math.log(max_distance / e) * (h - e) + 0.02).long()
    return torch.where(d < e, d, c.clamp(max=h - 1)) + h * (relative_position > 0)


@misconception("relative_position_bucket", "int32 out")
def bucket_int32_out(relative_position, n_buckets=32, max_distance=128):
    h = n_buckets // 2
    e = h // 2
    d = relative_position.abs()
    c = e + (torch.log(d.clamp(min=e) / e) / math.log(max_distance / e) * (h - e)).long()
    return (torch.where(d < e, d, c.clamp(max=h - 1)) + h * (relative_position > 0)).float()


@misconception("relative_position_bucket", "inplace")
def bucket_inplace(relative_position, n_buckets=32, max_distance=128):
    pos = relative_position > 0
    d = relative_position.abs_()
    h = n_buckets // 2
    e = h // 2
    c = e + (torch.log(d.clamp(min=e) / e) / math.log(max_distance / e) * (h - e)).long()
    return torch.where(d < e, d, c.clamp(max=h - 1)) + h * pos


@misconception("relative_position_bucket", "128 default")
def bucket_128_default(relative_position, n_buckets=32, max_distance=128):
    h = n_buckets // 2
    e = 8 if n_buckets == 32 else h // 2
    d = relative_position.abs().clamp(max=128)
    c = e + (torch.log(d.clamp(min=e) / e) / math.log(max_distance / e) * (h - e)).long()
    return torch.where(d < e, d, c.clamp(max=h - 1)) + h * (relative_position > 0)


@variant("sinusoidal_encoding")
def right_complex(n_positions, d_model, base=10000.0):
    if d_model % 2:
        raise ValueError(f"d_model={d_model} is odd")
    i = torch.arange(d_model // 2, dtype=torch.float64)
    z = torch.polar(
        torch.ones(n_positions, d_model // 2, dtype=torch.float64),
        torch.arange(n_positions, dtype=torch.float64)[:, None] * base ** (-2 * i / d_model),
    )
    return torch.view_as_real(z).flip(-1).flatten(1).float()


@variant("shift_matrix")
def right_fill(offset, d_model, base=10000.0):
    m = torch.zeros(d_model, d_model)
    for i in range(0, d_model, 2):
        a = offset / base ** (i / d_model)
        m[i : i + 2, i : i + 2] = torch.tensor([[math.cos(a), math.sin(a)], [-math.sin(a), math.cos(a)]])
    return m


@variant("rotary_embedding")
def right_mat(x, positions, base=10000.0):
    d = x.shape[-1]
    th = base ** (-torch.arange(0, d, 2, device=x.device, dtype=torch.float64) / d)
    a = torch.outer(positions.double(), th)
    c, s = a.cos().to(x.dtype), a.sin().to(x.dtype)
    R = torch.stack([torch.stack([c, -s], -1), torch.stack([s, c], -1)], -2)
    return (R @ x.unflatten(-1, (d // 2, 2)).unsqueeze(-1)).squeeze(-1).flatten(-2)


@variant("alibi_bias")
def right_cum(n_heads, n_positions):
    if n_heads < 1 or math.log2(n_heads) % 1:
        raise ValueError(f"n_heads = {n_heads}")
    r = 2 ** (-8 / n_heads)
    out = torch.full((n_heads, n_positions, n_positions), float("-inf"))
    for h in range(n_heads):
        for i in range(n_positions):
            out[h, i, : i + 1] = -(r ** (h + 1)) * torch.arange(i, -1, -1)
    return out


@variant("relative_position_bucket")
def right_bucketize(relative_position, n_buckets=32, max_distance=128):
    h = n_buckets // 2
    e = h // 2
    table = []
    for d in range(int(relative_position.abs().max()) + 1 if relative_position.numel() else 1):
        table.append(d if d < e else min(h - 1, e + int(math.log(d / e) / math.log(max_distance / e) * (h - e) + 1e-9)))
    t = torch.tensor(table, device=relative_position.device)
    return t[relative_position.abs()] + (relative_position > 0).long() * h


@variant("LearnedPositionalEmbedding")
class RLearned(nn.Module):
    def __init__(self, max_positions, d_model):
        super().__init__()
        self.embedding = nn.Embedding(max_positions, d_model)

    def forward(self, x):
        if x.size(-2) > self.embedding.num_embeddings:
            raise ValueError(f"{x.size(-2)} positions, but max_positions is {self.embedding.num_embeddings}")
        return self.embedding.weight.narrow(0, 0, x.size(-2)) + x


misconception("permutation_gap", "the smallest violation", replace=(".abs().max().item()", ".abs().amax(-1).min().item()"))
misconception(
    "permutation_gap",
    "the gap of the first word",
    replace=("(shuffled_after - shuffled_before)", "(shuffled_after - shuffled_before)[..., :1, :]"),
)
misconception(
    "sinusoidal_encoding",
    "frequencies of 2 pi",
    replace=("torch.arange(n_positions)[:, None] * speeds", "2 * math.pi * torch.arange(n_positions)[:, None] * speeds"),
)
misconception(
    "sinusoidal_encoding",
    "positions between 0 and 1",
    replace=("torch.arange(n_positions)[:, None]", "torch.arange(n_positions)[:, None] / n_positions"),
)
misconception(
    "shift_matrix",
    "only the first pair turns",
    replace=("angles = offset * base", "angles = offset * (torch.arange(d_model // 2) == 0) * base"),
)
misconception(
    "shift_matrix",
    "the offset in base",
    replace=("base ** (-torch.arange(0, d_model, 2) / d_model)", "base ** (-torch.arange(0, d_model, 2) * 1.0 / (d_model + 2))"),
)
misconception(
    "LearnedPositionalEmbedding",
    "dropout on the sum",
    replace=(
        "return x + self.embedding(torch.arange(n_positions, device=x.device))",
        "return nn.functional.dropout(x + self.embedding(torch.arange(n_positions, device=x.device)), 0.1, self.training)",
    ),
)
misconception(
    "LearnedPositionalEmbedding",
    "a random place in the table",
    replace=(
        "torch.arange(n_positions, device=x.device)",
        "torch.arange(n_positions, device=x.device) + int(torch.randint(max_positions - n_positions + 1, ()))",
    ),
)
misconception(
    "rotary_embedding",
    "turned twice as fast",
    replace=("angles = positions.to(wide)[:, None] * speeds", "angles = 2 * positions.to(wide)[:, None] * speeds"),
)
misconception(
    "rotary_embedding",
    "only the first half turns",
    replace=(
        "speeds = base ** (-torch.arange(0, d, 2, device=x.device, dtype=wide) / d)",
        "speeds = base ** (-torch.arange(0, d, 2, device=x.device, dtype=wide) / d)\n    speeds = speeds * (torch.arange(len(speeds), device=x.device) < len(speeds) // 2 + 1)",
    ),
)
misconception("alibi_bias", "natural exponent", replace=("2.0 ** (-8 * torch", "math.e ** (-8 * torch"))
misconception(
    "alibi_bias",
    "distance plus one",
    replace=(
        "distance = positions[:, None] - positions",
        "distance = positions[:, None] - positions\n    slopes = slopes * 1.0\n    distance = distance + (distance >= 0)",
    ),
)
misconception(
    "relative_position_bucket", "both sides grow", replace=("half * (relative_position > 0)", "(n_buckets - 1) * (relative_position > 0)")
)
misconception(
    "relative_position_bucket",
    "logarithm of the distance plus one",
    replace=("torch.log(distance.clamp(min=exact) / exact)", "torch.log((distance.clamp(min=exact) + 1) / exact)"),
)
misconception(
    "interpolated_rotary", "squeezed by the number of words", replace=("trained_length / extended_length", "trained_length / x.shape[-2]")
)
misconception(
    "interpolated_rotary",
    "shifted instead of squeezed",
    replace=("positions.to(wide) * squeeze", "positions.to(wide) - (extended_length - trained_length)"),
)
