"""Answers to lesson 05 after public code, forums and issue trackers, wrong and right: what people really write."""

import math

import torch

from autograde.authoring.strength.mutation import misconception, variant


def even(d):
    if d % 2:
        raise ValueError(f"d_model {d}")


def table(n, sin_speeds, cos_speeds):
    t = torch.arange(n)[:, None]
    return torch.stack([(t * sin_speeds).sin(), (t * cos_speeds).cos()], -1).flatten(-2).float()


# WaveGrad#12: the exponent and the base exchanged
@misconception("sinusoidal_encoding", "exponent and base exchanged")
def se_wave(n_positions, d_model, base=10000.0):
    even(d_model)
    i = torch.arange(0, d_model, 2) / d_model
    s = i ** (1 / base)
    return table(n_positions, s, s)


# maxjcohen/transformer#62: 1000 for 10000
@misconception("sinusoidal_encoding", "`base` is not used.")
def se_1000(n_positions, d_model, base=10000.0):
    even(d_model)
    i = torch.arange(0, d_model, 2)
    s = 10000.0 ** (-i / d_model)
    return table(n_positions, s, s)


@misconception("sinusoidal_encoding", "a base of 1000")
def se_1000b(n_positions, d_model, base=1000.0):
    even(d_model)
    i = torch.arange(0, d_model, 2)
    s = base ** (-i / d_model)
    return table(n_positions, s, s)


@misconception("sinusoidal_encoding", "Positions count from 0, not from 1.")
def se_one(n_positions, d_model, base=10000.0):
    even(d_model)
    s = base ** (-torch.arange(0, d_model, 2) / d_model)
    a = torch.arange(1, n_positions + 1)[:, None] * s
    return torch.stack([a.sin(), a.cos()], -1).flatten(-2)


@misconception("sinusoidal_encoding", "All pairs turn at the same speed.")
def se_floor(n_positions, d_model, base=10000.0):
    even(d_model)
    s = base ** (-(torch.arange(0, d_model, 2) // d_model).float())
    return table(n_positions, s, s)


@misconception("sinusoidal_encoding", "a batch dimension in front")
def se_batch(n_positions, d_model, base=10000.0):
    even(d_model)
    s = base ** (-torch.arange(0, d_model, 2) / d_model)
    return table(n_positions, s, s)[None]


@misconception("sinusoidal_encoding", "sum of sine and cosine")
def se_sum(n_positions, d_model, base=10000.0):
    even(d_model)
    s = base ** (-torch.arange(0, d_model, 2) / d_model).repeat_interleave(2)
    a = torch.arange(n_positions)[:, None] * s
    return a.sin() + a.cos()


@misconception("sinusoidal_encoding", "assert for an odd width")
def se_assert(n_positions, d_model, base=10000.0):
    assert d_model % 2 == 0, f"d_model {d_model}"
    s = base ** (-torch.arange(0, d_model, 2) / d_model)
    return table(n_positions, s, s)


@misconception("rotary_embedding", "`positions` is not used: the rows are taken to stand at 0, 1, 2, …")
def ro_arange(x, positions, base=10000.0):
    d = x.shape[-1]
    s = base ** (-torch.arange(0, d, 2, dtype=x.dtype, device=x.device) / d)
    a = torch.arange(x.shape[-2], device=x.device)[:, None] * s
    c, n = a.cos(), a.sin()
    e, o = x[..., 0::2], x[..., 1::2]
    return torch.stack([e * c - o * n, e * n + o * c], -1).flatten(-2)


# positions along the heads' dimension
@misconception("rotary_embedding", "positions along the third last dimension")
def ro_heads(x, positions, base=10000.0):
    d = x.shape[-1]
    s = base ** (-torch.arange(0, d, 2, dtype=x.dtype, device=x.device) / d)
    a = positions.to(x.dtype)[:, None] * s
    c, n = a.cos(), a.sin()
    if x.ndim > 2 and x.shape[-3] == x.shape[-2]:
        c, n = c[:, None], n[:, None]
    e, o = x[..., 0::2], x[..., 1::2]
    return torch.stack([e * c - o * n, e * n + o * c], -1).flatten(-2)


@misconception("rotary_embedding", "The turned halves are put side by side; they must alternate again, as they were taken apart.")
def ro_imag(x, positions, base=10000.0):
    d = x.shape[-1]
    s = base ** (-torch.arange(0, d, 2, dtype=x.dtype, device=x.device) / d)
    z = torch.view_as_complex(x.unflatten(-1, (-1, 2)).contiguous()) * torch.polar(torch.ones_like(s), positions.to(x.dtype)[:, None] * s)
    return torch.cat([z.real, z.imag], -1)


@misconception("rotary_embedding", "only one batch dimension and heads: BTHD")
def ro_4d(x, positions, base=10000.0):
    B, H, T, d = x.shape
    s = base ** (-torch.arange(0, d, 2, dtype=x.dtype, device=x.device) / d)
    a = positions.to(x.dtype)[:, None] * s
    c, n = a.cos(), a.sin()
    e, o = x[..., 0::2], x[..., 1::2]
    return torch.stack([e * c - o * n, e * n + o * c], -1).flatten(-2)


@misconception("rotary_embedding", "cosine on both")
def ro_cc(x, positions, base=10000.0):
    d = x.shape[-1]
    s = base ** (-torch.arange(0, d, 2, dtype=x.dtype, device=x.device) / d)
    a = positions.to(x.dtype)[:, None] * s
    c, n = a.cos(), a.sin()
    e, o = x[..., 0::2], x[..., 1::2]
    return torch.stack([e * c - o * n, o * c - e * n], -1).flatten(-2)


# paiml/aprender#2143 is known (first slope 1); others
@misconception("alibi_bias", "The sign is wrong: far words lose, near words win.")
def al_positive(n_heads, n_positions):
    if n_heads < 1 or n_heads & (n_heads - 1):
        raise ValueError(f"n_heads {n_heads}")
    m = 2.0 ** (-8 * torch.arange(1, n_heads + 1) / n_heads)
    p = torch.arange(n_positions)
    d = p[:, None] - p
    return (m[:, None, None] * d).masked_fill(d < 0, -math.inf)


@misconception("alibi_bias", "slopes 1/h")
def al_1h(n_heads, n_positions):
    if n_heads < 1 or n_heads & (n_heads - 1):
        raise ValueError(f"n_heads {n_heads}")
    m = 1.0 / torch.arange(1, n_heads + 1)
    p = torch.arange(n_positions)
    d = p[:, None] - p
    return (-m[:, None, None] * d).masked_fill(d < 0, -math.inf)


@misconception("alibi_bias", "logarithm of the distance (Kerple)")
def al_log(n_heads, n_positions):
    if n_heads < 1 or n_heads & (n_heads - 1):
        raise ValueError(f"n_heads {n_heads}")
    m = 2.0 ** (-8 * torch.arange(1, n_heads + 1) / n_heads)
    p = torch.arange(n_positions)
    d = p[:, None] - p
    return (-m[:, None, None] * (1 + d.clamp(min=0)).log()).masked_fill(d < 0, -math.inf)


@misconception("alibi_bias", "distance to the last position")
def al_last(n_heads, n_positions):
    if n_heads < 1 or n_heads & (n_heads - 1):
        raise ValueError(f"n_heads {n_heads}")
    m = 2.0 ** (-8 * torch.arange(1, n_heads + 1) / n_heads)
    p = torch.arange(n_positions)
    d = p[:, None] - p
    b = (p - (n_positions - 1)).expand(n_positions, n_positions)
    return (m[:, None, None] * b).masked_fill(d < 0, -math.inf)


@misconception("alibi_bias", "slopes 2^(-8/(n h))")
def al_inv(n_heads, n_positions):
    if n_heads < 1 or n_heads & (n_heads - 1):
        raise ValueError(f"n_heads {n_heads}")
    m = 2.0 ** (-8 / (n_heads * torch.arange(1, n_heads + 1)))
    p = torch.arange(n_positions)
    d = p[:, None] - p
    return (-m[:, None, None] * d).masked_fill(d < 0, -math.inf)


# x-transformers#10: n = relative, not its negative
@misconception("relative_position_bucket", "log base 2 without the range")
def bu_log2(relative_position, n_buckets=32, max_distance=128):
    h = n_buckets // 2
    e = h // 2
    d = relative_position.abs()
    c = (e + torch.log2(d.clamp(min=e) / e).long()).clamp(max=h - 1)
    return torch.where(d < e, d, c) + h * (relative_position > 0)


@misconception("relative_position_bucket", "exact buckets up to and with e")
def bu_le(relative_position, n_buckets=32, max_distance=128):
    h = n_buckets // 2
    e = h // 2
    d = relative_position.abs()
    c = (e + (torch.log(d.clamp(min=e) / e) / math.log(max_distance / e) * (h - e)).long()).clamp(max=h - 1)
    return torch.where(d <= e + 1, d, c) + h * (relative_position > 0)


@misconception("relative_position_bucket", "h - e - 1 coarse buckets")
def bu_less(relative_position, n_buckets=32, max_distance=128):
    h = n_buckets // 2
    e = h // 2
    d = relative_position.abs()
    c = (e + (torch.log(d.clamp(min=e) / e) / math.log(max_distance / e) * (h - e - 1)).long()).clamp(max=h - 1)
    return torch.where(d < e, d, c) + h * (relative_position > 0)


@misconception("relative_position_bucket", "signed offset past the middle")
def bu_signed(relative_position, n_buckets=32, max_distance=128):
    h = n_buckets // 2
    return (relative_position + h).clamp(0, n_buckets - 1)


misconception(
    "LearnedPositionalEmbedding",
    "the whole table is added",
    replace=("self.embedding(torch.arange(n_positions, device=x.device))", "self.embedding.weight"),
)

misconception(
    "LearnedPositionalEmbedding",
    "positions count down from the end",
    replace=("torch.arange(n_positions, device=x.device)", "torch.arange(max_positions - n_positions, max_positions, device=x.device)"),
)

misconception(
    "LearnedPositionalEmbedding",
    "concatenated",
    replace=(
        "return x + self.embedding(torch.arange(n_positions, device=x.device))",
        "return torch.cat([x, self.embedding(torch.arange(n_positions, device=x.device)).expand_as(x)], -1)",
    ),
)

misconception(
    "permutation_gap",
    "compared with the layer of x",
    replace=("layer(x)[..., permutation, :]", "layer(x[..., permutation, :])[..., permutation, :]"),
)

misconception(
    "permutation_gap",
    "relative gap",
    replace=(
        "(shuffled_after - shuffled_before).abs().max()",
        "((shuffled_after - shuffled_before) / shuffled_after.abs().max()).abs().max()",
    ),
)

misconception(
    "permutation_gap", "The differences are squared: the gap is the largest absolute one.", replace=(".abs().max()", ".square().max()")
)

misconception("shift_matrix", "halved angles", replace=("offset * base", "offset / 2 * base"))

misconception(
    "shift_matrix",
    "rows and columns moved by one",
    replace=("torch.block_diag(*blocks)", "torch.block_diag(*blocks).roll(1, 0).roll(1, 1)"),
)

misconception(
    "shift_matrix",
    "rounded to three digits",
    replace=("return torch.block_diag(*blocks)", "return torch.block_diag(*blocks).round(decimals=3)"),
)


@variant("sinusoidal_encoding")
def r_math(n_positions, d_model, base=10000.0):
    even(d_model)
    return torch.tensor(
        [[(math.sin if c % 2 == 0 else math.cos)(t / base ** ((c - c % 2) / d_model)) for c in range(d_model)] for t in range(n_positions)]
    ).reshape(n_positions, d_model)


@variant("sinusoidal_encoding")
def r_exp(n_positions, d_model, base=10000.0):
    even(d_model)
    pe = torch.zeros(n_positions, d_model)
    pos = torch.arange(0, n_positions, dtype=torch.float).unsqueeze(1)
    div = torch.exp(torch.arange(0, d_model, 2).float() * (-math.log(base) / d_model))
    pe[:, 0::2] = torch.sin(pos * div)
    pe[:, 1::2] = torch.cos(pos * div)
    return pe


@variant("rotary_embedding")
def r_hf(x, positions, base=10000.0):
    d = x.shape[-1]
    if d % 2:
        raise ValueError(f"x has the odd last dimension {d}")
    wide = torch.promote_types(x.dtype, torch.float32)
    inv = 1.0 / (base ** (torch.arange(0, d, 2, device=x.device).to(wide) / d))
    f = torch.repeat_interleave(torch.einsum("i,j->ij", positions.to(wide), inv), 2, dim=-1)
    rot = torch.stack([-x[..., 1::2], x[..., ::2]], dim=-1).reshape(x.shape)
    return (x * f.cos() + rot * f.sin()).to(x.dtype)


@variant("alibi_bias")
def r_paper(n_heads, n_positions):
    if n_heads <= 0 or not math.log2(n_heads).is_integer():
        raise ValueError(f"n_heads must be a power of 2, not {n_heads}")
    start = 2 ** (-(2 ** -(math.log2(n_heads) - 3)))
    m = torch.tensor([start * start**i for i in range(n_heads)])
    rel = torch.arange(n_positions)[None, :] - torch.arange(n_positions)[:, None]
    b = m.view(-1, 1, 1) * rel
    return b + torch.triu(torch.full((n_positions, n_positions), float("-inf")), 1)


@variant("relative_position_bucket")
def r_hfb(relative_position, n_buckets=32, max_distance=128):
    n = n_buckets // 2
    ret = (relative_position > 0).to(torch.long) * n
    rel = torch.abs(relative_position)
    e = n // 2
    large = e + (torch.log(rel.clamp(min=1).double() / e) / math.log(max_distance / e) * (n - e)).to(torch.long)
    large = torch.min(large, torch.full_like(large, n - 1))
    return ret + torch.where(rel < e, rel, large)


@variant("permutation_gap")
def r_gap(layer, x, permutation):
    with torch.no_grad():
        return float(torch.amax(torch.abs(torch.index_select(layer(x), -2, permutation) - layer(torch.index_select(x, -2, permutation)))))


def angles(x, positions, base):
    """The angle of each pair of neighbouring columns, (T, d / 2)."""
    return positions.to(x.dtype)[:, None] * base ** (-torch.arange(0, x.shape[-1], 2, dtype=x.dtype, device=x.device) / x.shape[-1])


def turn(x, a):
    e, o = x[..., 0::2], x[..., 1::2]
    return torch.stack([e * a.cos() - o * a.sin(), e * a.sin() + o * a.cos()], -1).flatten(-2)


# annotated-transformer, of the speeds: log10 for ln
misconception("sinusoidal_encoding", "the base's logarithm to ten", replace=("base **", "(base ** (1 / math.log(10))) **"))
misconception(
    "sinusoidal_encoding", "positions as shares of the length", replace=("torch.arange(n_positions)", "torch.linspace(0, 1, n_positions)")
)


@misconception("sinusoidal_encoding", "a loop that leaves the last pair out")
def se_last(n_positions, d_model, base=10000.0):
    even(d_model)
    pe = torch.zeros(n_positions, d_model)
    for i in range(0, d_model - 2, 2):
        a = torch.arange(n_positions) / base ** (i / d_model)
        pe[:, i], pe[:, i + 1] = a.sin(), a.cos()
    return pe


# naver/croco#3
@misconception("rotary_embedding", "odd and even columns side by side in rotate_half")
def ro_croco(x, positions, base=10000.0):
    a = angles(x, positions, base).repeat_interleave(2, -1)
    return x * a.cos() + torch.cat([-x[..., 1::2], x[..., 0::2]], -1) * a.sin()


# GPT-NeoX: rotary_pct
@misconception("rotary_embedding", "only the first columns are turned")
def ro_partial(x, positions, base=10000.0):
    h = x.shape[-1] // 4 * 2
    return torch.cat([turn(x[..., :h], angles(x[..., :h], positions, base)), x[..., h:]], -1)


@misconception("rotary_embedding", "cosines alone")
def ro_cosines(x, positions, base=10000.0):
    return x * angles(x, positions, base).repeat_interleave(2, -1).cos()


# labmlai/annotated_deep_learning_paper_implementations#215
@misconception("rotary_embedding", "as many positions as the first dimension has entries")
def ro_first_dimension(x, positions, base=10000.0):
    return turn(x, angles(x, torch.arange(x.shape[0], device=x.device), base))


@misconception("rotary_embedding", "a table of 2048 whole positions")
def ro_table(x, positions, base=10000.0):
    return turn(x, angles(x, torch.arange(2048, device=x.device), base)[positions])


def slopes(n_heads):
    if n_heads < 1 or n_heads & (n_heads - 1):
        raise ValueError(f"n_heads {n_heads}")
    return (2.0 ** (-8 * torch.arange(1, n_heads + 1) / n_heads))[:, None, None]


def distances(n_positions):
    return torch.arange(n_positions)[:, None] - torch.arange(n_positions)


# vllm#945
@misconception("alibi_bias", "each distance one too large")
def al_one_more(n_heads, n_positions):
    return (-slopes(n_heads) * (distances(n_positions) + 1)).masked_fill(distances(n_positions) < 0, -math.inf)


# NVIDIA-NeMo/Speech#7105
@misconception("alibi_bias", "the row of the last query alone")
def al_row(n_heads, n_positions):
    return slopes(n_heads) * torch.arange(1 - n_positions, 1)


@misconception("alibi_bias", "a batch dimension in front")
def al_batch(n_heads, n_positions):
    return (-slopes(n_heads) * distances(n_positions)).masked_fill(distances(n_positions) < 0, -math.inf)[None]


@misconception("alibi_bias", "the slope is added and does not multiply")
def al_added(n_heads, n_positions):
    return (-distances(n_positions) - slopes(n_heads)).masked_fill(distances(n_positions) < 0, -math.inf)


misconception("relative_position_bucket", "the logarithm of 0", replace=("torch.where(distance < exact, distance, coarse)", "coarse"))
misconception("relative_position_bucket", "numbers with a point", replace=("return torch.where", "return 1.0 * torch.where"))
misconception("shift_matrix", "the blocks, one behind the other", replace=("torch.block_diag(*blocks)", "blocks"))
misconception("shift_matrix", "cosines alone", replace=("[cos, sin, -sin, cos]", "[cos, 0 * sin, 0 * sin, cos]"))
misconception("shift_matrix", "degrees", replace=("angles = offset", "angles = math.pi / 180 * offset"))
misconception("shift_matrix", "later pairs turn faster", replace=("-torch.arange(0", "torch.arange(0"))


@misconception("shift_matrix", "the encoding of the offset on the diagonal")
def sm_diagonal(offset, d_model, base=10000.0):
    even(d_model)
    a = offset * base ** (-torch.arange(0, d_model, 2) / d_model)
    return torch.stack([a.sin(), a.cos()], -1).flatten().diag()


# minGPT
@misconception(
    "LearnedPositionalEmbedding", "There is no `embedding.weight`: the table is an nn.Embedding, in a submodule called `embedding`."
)
class Parameter(torch.nn.Module):
    def __init__(self, max_positions, d_model):
        super().__init__()
        self.embedding = torch.nn.Parameter(torch.randn(max_positions, d_model))

    def forward(self, x):
        if x.shape[-2] > len(self.embedding):
            raise ValueError(f"x has more positions than max_positions {len(self.embedding)}")
        return x + self.embedding[: x.shape[-2]]


misconception("LearnedPositionalEmbedding", "an assertion", replace=("raise ValueError(", "raise AssertionError("))
misconception("LearnedPositionalEmbedding", "the positions alone", replace=("return x + self", "return self"))
misconception(
    "LearnedPositionalEmbedding",
    "rows and columns",
    replace=("nn.Embedding(max_positions, d_model)", "nn.Embedding(d_model, max_positions)"),
)
misconception(
    "LearnedPositionalEmbedding",
    "B, T, C = x.shape",
    replace=("n_positions, max_positions =", "_, _, _ = x.shape\n        n_positions, max_positions ="),
)
misconception(
    "LearnedPositionalEmbedding",
    "dropout (BERT)",
    replace=(
        "return x + self.embedding(torch.arange(n_positions, device=x.device))",
        "return nn.functional.dropout(x + self.embedding(torch.arange(n_positions, device=x.device)))",
    ),
)
misconception("permutation_gap", "the largest length of a row", replace=(".abs().max()", ".norm(dim=-1).max()"))
misconception(
    "permutation_gap",
    "x[:, permutation]",
    replace=(("layer(x)[..., permutation, :]", "layer(x)[:, permutation]"), ("x[..., permutation, :]", "x[:, permutation]")),
)
misconception("permutation_gap", "a gap for each row", replace=(".abs().max().item()", ".abs().amax(-1).tolist()"))


@misconception("permutation_gap", "the first sequence of a batch alone")
def pg_first(layer, x, permutation):
    x = x.reshape(-1, *x.shape[-2:])[0]
    return (layer(x)[permutation] - layer(x[permutation])).abs().max().item()


@misconception("permutation_gap", "a permutation of its own")
def pg_own(layer, x, permutation):
    other = permutation.flip(0)
    return (layer(x)[..., other, :] - layer(x[..., other, :])).abs().max().item()


@misconception("permutation_gap", "shuffled twice")
def pg_twice(layer, x, permutation):
    return (layer(x)[..., permutation, :] - layer(x[..., permutation, :][..., permutation, :])).abs().max().item()
