"""Wrong answers to lesson 05, each with the sentence its author should read, and unusual right ones."""

import math

import torch
from torch import nn

from autograde.authoring.strength.mutation import misconception, variant

# 1 · permutation_gap

misconception(
    "permutation_gap",
    "The layer's output is not shuffled: outputs move along with their words, so compare layer(x)[permutation] with layer(x[permutation]).",
    replace=("layer(x)[..., permutation, :]", "layer(x)"),
)
misconception(
    "permutation_gap",
    "The first dimension is shuffled, which is the batch where there is one; the words are the second last dimension.",
    replace=(("layer(x)[..., permutation, :]", "layer(x)[permutation % len(x)]"), ("x[..., permutation, :]", "x[permutation % len(x)]")),
)
misconception(
    "permutation_gap",
    "The features are shuffled; the words are the second last dimension.",
    replace=(("layer(x)[..., permutation, :]", "layer(x)[..., permutation]"), ("x[..., permutation, :]", "x[..., permutation]")),
)
misconception(
    "permutation_gap",
    "One of the two is shuffled by the inverse permutation (argsort).",
    replace=("layer(x)[..., permutation, :]", "layer(x)[..., permutation.argsort(), :]"),
)
misconception("permutation_gap", "The absolute value is missing: a violation may be negative.", replace=(".abs().max()", ".max()"))
misconception("permutation_gap", "This is the mean violation; the gap is the largest one.", replace=(".abs().max()", ".abs().mean()"))
misconception("permutation_gap", "The differences are summed; the gap is the largest one.", replace=(".abs().max()", ".abs().sum()"))
misconception(
    "permutation_gap", "The differences are squared: the gap is the largest absolute one.", replace=(".abs().max()", ".square().max()")
)
misconception("permutation_gap", "The gap is a tensor; a Python float is wanted.", replace=(".max().item()", ".max()"))
misconception(
    "permutation_gap", "The input is compared with the layer's output.", replace=("layer(x)[..., permutation, :]", "x[..., permutation, :]")
)
misconception(
    "permutation_gap",
    "The gap comes out as true or false; it is the size of the largest violation.",
    replace=("(shuffled_after - shuffled_before).abs().max().item()", "not torch.allclose(shuffled_after, shuffled_before)"),
)


@misconception("permutation_gap", "x is shuffled in place, so the second call of the layer sees other words, and so does the caller.")
def shuffled_in_place(layer, x, permutation):
    after = layer(x)[..., permutation, :]
    x.copy_(x[..., permutation, :].clone())
    return (after - layer(x)).abs().max().item()


@variant("permutation_gap")
def by_index_select(layer, x, permutation):
    with torch.no_grad():
        return float(torch.dist(layer(x).index_select(-2, permutation), layer(x.index_select(-2, permutation)), p=float("inf")))


@variant("permutation_gap")
def by_permutation_matrix(layer, x, permutation):
    matrix = torch.eye(len(permutation), dtype=x.dtype, device=x.device)[permutation]
    difference = matrix @ layer(x) - layer(matrix @ x)
    return max(difference.max().item(), -difference.min().item())


@variant("permutation_gap")
def shuffled_back(layer, x, permutation):
    inverse = torch.argsort(permutation)
    return (layer(x) - layer(x[..., permutation, :])[..., inverse, :]).abs().amax().item()


# 2 · sinusoidal_encoding

misconception(
    "sinusoidal_encoding",
    "Sine and cosine are swapped: sines stand in the even columns (0, 2, …), cosines in the odd ones.",
    replace=("[angles.sin(), angles.cos()]", "[angles.cos(), angles.sin()]"),
)
misconception(
    "sinusoidal_encoding",
    "All sines come first and then all cosines; in the paper they alternate.",
    replace=("torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)", "torch.cat([angles.sin(), angles.cos()], dim=-1)"),
)
misconception(
    "sinusoidal_encoding",
    "The exponent is half of what it should be, i/d: the pair of columns 2i and 2i + 1 has the speed base^(−2i/d).",
    replace=("torch.arange(0, d_model, 2) / d_model", "torch.arange(d_model // 2) / d_model"),
)
misconception(
    "sinusoidal_encoding",
    "The exponent is twice what it should be: the column number 2i is doubled once more.",
    replace=("torch.arange(0, d_model, 2) / d_model", "2 * torch.arange(0, d_model, 2) / d_model"),
)
misconception(
    "sinusoidal_encoding",
    "The speeds are spread so that the last one is 1/base; in the paper the exponent is 2i/d and never reaches 1.",
    replace=("torch.arange(0, d_model, 2) / d_model", "torch.arange(d_model // 2) / max(1, d_model // 2 - 1)"),
)
misconception(
    "sinusoidal_encoding", "Positions count from 0, not from 1.", replace=("torch.arange(n_positions)", "torch.arange(1, n_positions + 1)")
)
misconception("sinusoidal_encoding", "`base` is not used.", replace=("base **", "10000.0 **"))
misconception(
    "sinusoidal_encoding",
    "The exponent's sign is wrong: later pairs turn more slowly, not faster.",
    replace=("-torch.arange(0", "torch.arange(0"),
)
misconception(
    "sinusoidal_encoding", "All pairs turn at the same speed.", replace=("-torch.arange(0, d_model, 2)", "-torch.zeros(d_model // 2)")
)
misconception(
    "sinusoidal_encoding", "An odd d_model goes through without a ValueError that names it.", replace=("if d_model % 2:", "if False:")
)
misconception(
    "sinusoidal_encoding",
    "The ValueError does not say which argument is wrong.",
    replace=('f"d_model must be even, got {d_model}"', '"must be even"'),
)
misconception("sinusoidal_encoding", "Sines everywhere: odd columns hold cosines.", replace=("angles.cos()]", "angles.sin()]"))
misconception("sinusoidal_encoding", "The table is turned: positions are the rows.", replace=(".flatten(-2)", ".flatten(-2).mT"))
misconception(
    "sinusoidal_encoding",
    "The angles are taken in degrees; sin and cos want radians, and the formula's angle is in radians already.",
    replace=("angles = ", "angles = torch.pi / 180 * "),
)
misconception(
    "sinusoidal_encoding",
    "The table is float64; without an input tensor the default dtype is wanted.",
    replace=(".flatten(-2)", ".flatten(-2).double()"),
)


@misconception("sinusoidal_encoding", "Every column has a speed of its own, base^(−column/d): the sine and the cosine of a pair share one.")
def a_speed_for_each_column(n_positions, d_model, base=10000.0):
    if d_model % 2:
        raise ValueError(f"d_model = {d_model}")
    angles = torch.arange(n_positions)[:, None] * base ** (-torch.arange(d_model) / d_model)
    table = angles.sin()
    table[:, 1::2] = angles[:, 1::2].cos()
    return table


@variant("sinusoidal_encoding")
def by_assignment(n_positions, d_model, base=10000.0):
    if d_model % 2 == 1:
        raise ValueError("`d_model` has to be even but is " + str(d_model))
    table = torch.zeros(n_positions, d_model)
    t = torch.arange(0, n_positions, dtype=torch.float).unsqueeze(1)
    speeds = torch.exp(torch.arange(0, d_model, 2).float() * (-math.log(base) / d_model))
    table[:, 0::2] = torch.sin(t * speeds)
    table[:, 1::2] = torch.cos(t * speeds)
    return table


@variant("sinusoidal_encoding")
def by_loops(n_positions, d_model, base=10000.0):
    if d_model % 2:
        raise ValueError(f"d_model={d_model}")
    function = (math.sin, math.cos)
    return torch.tensor([[function[j % 2](t / base ** (2 * (j // 2) / d_model)) for j in range(d_model)] for t in range(n_positions)])


@variant("sinusoidal_encoding")
def by_phase(n_positions, d_model, base=10000.0):
    """A cosine is a sine a quarter turn ahead."""
    if d_model % 2:
        raise ValueError(f"odd d_model {d_model}")
    speeds = torch.pow(torch.tensor(base), -torch.arange(0, d_model, 2) / d_model).repeat_interleave(2)
    phase = torch.tensor([0.0, math.pi / 2]).repeat(d_model // 2)
    return torch.sin(torch.outer(torch.arange(n_positions).float(), speeds) + phase)


# 3 · shift_matrix

misconception(
    "shift_matrix",
    "The matrix steps back instead of ahead (the sines have the wrong signs, or the matrix is transposed).",
    replace=("[cos, sin, -sin, cos]", "[cos, -sin, sin, cos]"),
)
misconception("shift_matrix", "The minus sign is missing: a rotation has one.", replace=("[cos, sin, -sin, cos]", "[cos, sin, sin, cos]"))
misconception(
    "shift_matrix", "Sine and cosine have changed places in the blocks.", replace=("[cos, sin, -sin, cos]", "[sin, cos, cos, -sin]")
)
misconception("shift_matrix", "`base` is not used.", replace=("base **", "10000.0 **"))
misconception(
    "shift_matrix",
    "All pairs turn by the same angle; each pair has its own speed θ_i.",
    replace=("offset * base ** (-torch.arange(0, d_model, 2) / d_model)", "offset * torch.ones(d_model // 2)"),
)
misconception(
    "shift_matrix",
    "The exponent is i/d; the pair of columns 2i and 2i + 1 has the speed base^(−2i/d).",
    replace=("torch.arange(0, d_model, 2)", "torch.arange(d_model // 2)"),
)
misconception("shift_matrix", "The offset is not used: this is a step of 1 whatever the offset.", replace=("offset * base", "base"))
misconception("shift_matrix", "The step is one too long.", replace=("offset * base", "(offset + 1) * base"))
misconception("shift_matrix", "A negative offset steps ahead: its sign is lost.", replace=("offset * base", "abs(offset) * base"))
misconception(
    "shift_matrix", "The angles are not multiplied but divided by the offset.", replace=("offset * base", "1 / (offset or 1) * base")
)


@misconception("shift_matrix", "The blocks are laid out for all sines first and all cosines after them; here they alternate.")
def for_halves(offset, d_model, base=10000.0):
    angles = offset * base ** (-torch.arange(0, d_model, 2) / d_model)
    sin, cos = angles.sin().diag(), angles.cos().diag()
    return torch.cat([torch.cat([cos, sin], dim=1), torch.cat([-sin, cos], dim=1)])


@misconception("shift_matrix", "This matrix moves columns around; the positions are in the angles, not in the columns.")
def rolls_columns(offset, d_model, base=10000.0):
    return torch.eye(d_model).roll(offset, dims=0)


@misconception("shift_matrix", "This is right for one position only: the outer product of two encodings. The matrix must hold for every t.")
def outer_product(offset, d_model, base=10000.0):
    angles = base ** (-torch.arange(0, d_model, 2) / d_model)
    start, end = (torch.stack([(t * angles).sin(), (t * angles).cos()], dim=-1).flatten() for t in (1, 1 + offset))
    return torch.outer(end, start) / (start @ start)


@variant("shift_matrix")
def by_index(offset, d_model, base=10000.0):
    matrix = torch.zeros(d_model, d_model)
    for i in range(0, d_model, 2):
        angle = offset / base ** (i / d_model)
        matrix[i, i] = matrix[i + 1, i + 1] = math.cos(angle)
        matrix[i, i + 1], matrix[i + 1, i] = math.sin(angle), -math.sin(angle)
    return matrix


@variant("shift_matrix")
def by_matrix_exponential(offset, d_model, base=10000.0):
    generator = torch.zeros(d_model, d_model, dtype=torch.float64)
    even = torch.arange(0, d_model, 2)
    speeds = base ** (-even.double() / d_model)
    generator[even, even + 1], generator[even + 1, even] = speeds, -speeds
    return torch.matrix_exp(offset * generator).float()


# 4 · LearnedPositionalEmbedding

misconception(
    "LearnedPositionalEmbedding",
    "A text longer than the table is no ValueError: say how long it is and how many positions there are.",
    replace=("if n_positions > max_positions:", "if False:"),
)
misconception(
    "LearnedPositionalEmbedding",
    "A text that exactly fills the table is refused.",
    replace=("n_positions > max_positions", "n_positions >= max_positions"),
)
misconception(
    "LearnedPositionalEmbedding",
    "Positions begin at 1; they count from 0.",
    replace=("torch.arange(n_positions, device=x.device)", "torch.arange(1, n_positions + 1, device=x.device) % max_positions"),
)
misconception(
    "LearnedPositionalEmbedding",
    "The length is taken from the first dimension, which is the batch where there is one.",
    replace=("x.shape[-2]", "x.shape[0]"),
)
misconception(
    "LearnedPositionalEmbedding",
    "The length is taken from dimension 1, which is the words only for one batch dimension.",
    replace=("x.shape[-2]", "x.shape[min(1, x.ndim - 2)]"),
)
misconception(
    "LearnedPositionalEmbedding", "The positions replace the words; they are added.", replace=("return x + self", "return 0 * x + self")
)
misconception(
    "LearnedPositionalEmbedding", "The positions multiply the words; they are added.", replace=("return x + self", "return x * self")
)
misconception(
    "LearnedPositionalEmbedding",
    "The words are scaled by √d_model; here they are not.",
    replace=("return x + self", "return x * x.shape[-1] ** 0.5 + self"),
)
misconception(
    "LearnedPositionalEmbedding",
    "Every word gets the vector of position 0.",
    replace=("torch.arange(n_positions, device=x.device)", "torch.zeros(n_positions, dtype=torch.long, device=x.device)"),
)
misconception(
    "LearnedPositionalEmbedding", "The vectors are detached, so they are never learned.", replace=("x.device))", "x.device)).detach()")
)
misconception(
    "LearnedPositionalEmbedding",
    "There is no `embedding.weight`: the table is an nn.Embedding, in a submodule called `embedding`.",
    replace=("self.embedding", "self.positions"),
)
misconception(
    "LearnedPositionalEmbedding",
    "The words are changed in place.",
    replace=(
        "return x + self.embedding(torch.arange(n_positions, device=x.device))",
        "return x.add_(self.embedding.weight[:n_positions].detach())",
    ),
)
misconception(
    "LearnedPositionalEmbedding",
    "A longer text is silently cut off at the end of the table; it is a ValueError.",
    replace=(
        (
            'raise ValueError(f"x has {n_positions} positions, " f"more than max_positions = {max_positions}")',
            "x, n_positions = x[..., :max_positions, :], max_positions",
        ),
    ),
)
misconception(
    "LearnedPositionalEmbedding",
    "Positions beyond the table begin again at its first row; they are a ValueError.",
    replace=(("if n_positions > max_positions:", "if False:"), ("x.device))", "x.device) % max_positions)")),
)


@misconception("LearnedPositionalEmbedding", "The table holds fixed sines: here it is learned, an nn.Embedding.")
class FixedSines(nn.Module):
    def __init__(self, max_positions, d_model):
        super().__init__()
        angles = torch.arange(max_positions)[:, None] / 10000.0 ** (torch.arange(d_model) / d_model)
        self.embedding = nn.Embedding.from_pretrained(angles.sin(), freeze=True)

    def forward(self, x):
        if x.shape[-2] > self.embedding.num_embeddings:
            raise ValueError("too long for max_positions")
        return x + self.embedding.weight[: x.shape[-2]]


@variant("LearnedPositionalEmbedding")
class BySlice(nn.Module):
    def __init__(self, max_positions, d_model):
        super().__init__()
        self.max_positions = max_positions
        self.embedding = nn.Embedding(num_embeddings=max_positions, embedding_dim=d_model)
        nn.init.normal_(self.embedding.weight, std=0.02)

    def forward(self, x):
        *_, length, _ = x.shape
        if length > self.max_positions:
            raise ValueError(f"sequence of {length} is longer than {self.max_positions}")
        return self.embedding.weight[:length] + x


@variant("LearnedPositionalEmbedding")
class WithBuffer(nn.Module):
    def __init__(self, max_positions, d_model):
        super().__init__()
        self.embedding = nn.Embedding(max_positions, d_model)
        self.register_buffer("ids", torch.arange(max_positions))

    def forward(self, x):
        if x.size(-2) > len(self.ids):
            raise ValueError(f"max_positions is {len(self.ids)}, x has {x.size(-2)}")
        return x + self.embedding(self.ids[: x.size(-2)].expand(*x.shape[:-2], -1))


# 5 · rotary_embedding

misconception(
    "rotary_embedding",
    "Column i is paired with column i + d/2; here neighbours are paired: (0, 1), (2, 3), …",
    replace=(
        ("x[..., 0::2], x[..., 1::2]", "x[..., : d // 2], x[..., d // 2 :]"),
        (
            "torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)",
            "torch.cat([even * cos - odd * sin, even * sin + odd * cos], dim=-1)",
        ),
    ),
)
misconception(
    "rotary_embedding",
    "The turned halves are put side by side; they must alternate again, as they were taken apart.",
    replace=(
        "torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)",
        "torch.cat([even * cos - odd * sin, even * sin + odd * cos], dim=-1)",
    ),
)
misconception(
    "rotary_embedding",
    "The pairs turn the wrong way round (the signs of the sines are swapped).",
    replace=("even * cos - odd * sin, even * sin + odd * cos", "even * cos + odd * sin, odd * cos - even * sin"),
)
misconception(
    "rotary_embedding",
    "A minus sign is missing, so this is no rotation: lengths change.",
    replace=("even * cos - odd * sin", "even * cos + odd * sin"),
)
misconception(
    "rotary_embedding",
    "`positions` is not used: the rows are taken to stand at 0, 1, 2, …",
    replace=("positions.to(wide)", "torch.arange(x.shape[-2], device=x.device).to(wide)"),
)
misconception(
    "rotary_embedding",
    "Positions are counted from 1: the row at position 0 must stay as it is.",
    replace=("positions.to(wide)[:, None]", "(positions.to(wide)[:, None] + 1)"),
)
misconception(
    "rotary_embedding",
    "Positions are rounded to whole numbers; they may be floats.",
    replace=("positions.to(wide)", "positions.long().to(wide)"),
)
misconception("rotary_embedding", "`base` is not used.", replace=("base **", "10000.0 **"))
misconception(
    "rotary_embedding",
    "The exponent is i/d; the pair of columns 2i and 2i + 1 has the speed base^(−2i/d).",
    replace=("torch.arange(0, d, 2, device", "torch.arange(d // 2, device"),
)
misconception(
    "rotary_embedding",
    "All pairs turn at the same speed.",
    replace=("-torch.arange(0, d, 2, device=x.device, dtype=wide)", "-torch.zeros(d // 2, device=x.device, dtype=wide)"),
)
misconception(
    "rotary_embedding",
    "The exponent's sign is wrong: later pairs turn more slowly, not faster.",
    replace=("(-torch.arange", "(torch.arange"),
)
misconception("rotary_embedding", "The result is float32 whatever x was.", replace=(".to(x.dtype)", ".float()"))
misconception("rotary_embedding", "The speeds are made on the CPU, wherever x lives.", replace=("device=x.device", "device='cpu'"))
misconception(
    "rotary_embedding",
    "The result is detached from x, so nothing can be learned through it.",
    replace=(".to(x.dtype)", ".to(x.dtype).detach()"),
)
misconception(
    "rotary_embedding",
    "Sines and cosines are added to x; a rotary embedding multiplies.",
    replace=("even * cos - odd * sin, even * sin + odd * cos", "even + sin, odd + cos"),
)
misconception(
    "rotary_embedding",
    "The second half of each pair is computed from the first half's new value; both need the old ones.",
    replace=("even * sin + odd * cos", "(even * cos - odd * sin) * sin + odd * cos"),
)
misconception(
    "rotary_embedding",
    "Every row is turned by the first position.",
    replace=("positions.to(wide)[:, None]", "positions.to(wide)[:1, None]"),
)


@misconception("rotary_embedding", "x is turned in place: the caller's queries change.")
def turned_in_place(x, positions, base=10000.0):
    angles = positions.to(x.dtype)[:, None] * base ** (-torch.arange(0, x.shape[-1], 2, device=x.device) / x.shape[-1])
    even, odd = x[..., 0::2].clone(), x[..., 1::2].clone()
    with torch.no_grad():
        x[..., 0::2], x[..., 1::2] = even * angles.cos() - odd * angles.sin(), even * angles.sin() + odd * angles.cos()
    return x


@misconception(
    "rotary_embedding", "Positions are read from a table that begins at 0 and ends at the longest row: they may be larger than T."
)
def from_a_short_table(x, positions, base=10000.0):
    d = x.shape[-1]
    table = torch.arange(x.shape[-2], device=x.device)[:, None] * base ** (-torch.arange(0, d, 2, device=x.device) / d)
    angles = table[positions.long().clamp(max=x.shape[-2] - 1)].to(x.dtype)
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * angles.cos() - odd * angles.sin(), even * angles.sin() + odd * angles.cos()], dim=-1).flatten(-2)


misconception(
    "rotary_embedding",
    "The angles are computed in float32 whatever x is: in float64 the result is wrong from the fifth digit on at far positions.",
    replace=("wide = torch.promote_types(x.dtype, torch.float32)", "wide = torch.float32"),
)
misconception(
    "rotary_embedding",
    "Sines and cosines are kept from the first call of this shape; later calls have other positions and another base.",
    replace=(
        "cos, sin = angles.cos(), angles.sin()",
        "cos, sin = rotary_embedding.__dict__.setdefault(str(angles.shape), (angles.cos(), angles.sin()))",
    ),
)


@variant("rotary_embedding")
def by_complex_numbers(x, positions, base=10000.0):
    d = x.shape[-1]
    speeds = base ** (-torch.arange(0, d, 2, dtype=x.dtype, device=x.device) / d)
    angles = torch.outer(positions.to(x.dtype), speeds)
    pairs = torch.view_as_complex(x.reshape(*x.shape[:-1], d // 2, 2).contiguous())
    return torch.view_as_real(pairs * torch.complex(angles.cos(), angles.sin())).reshape(x.shape)


@variant("rotary_embedding")
def by_partner(x, positions, base=10000.0):
    """x · cos + partner · sin, every column with the angle of its pair."""
    d = x.shape[-1]
    speeds = (1.0 / base ** (torch.arange(0, d, 2, device=x.device).to(x) / d)).repeat_interleave(2)
    angles = positions[:, None] * speeds
    partner = torch.stack((-x[..., 1::2], x[..., ::2]), dim=-1).reshape(x.shape)
    return (x * angles.cos() + partner * angles.sin()).type_as(x)


@variant("rotary_embedding")
def by_blocks(x, positions, base=10000.0):
    d = x.shape[-1]
    angles = torch.einsum("t,i->ti", positions.to(x), base ** (torch.arange(d // 2, device=x.device).to(x) * -2 / d))
    first, second = torch.stack([angles.cos(), -angles.sin()], -1), torch.stack([angles.sin(), angles.cos()], -1)
    rotations = torch.stack([first, second], dim=-2)  # (T, d/2, 2, 2)
    return torch.einsum("tipq,...tiq->...tip", rotations, x.unflatten(-1, (-1, 2))).flatten(-2)


# 6 · alibi_bias

misconception(
    "alibi_bias",
    "The first slope is 1: slopes begin at 2^(−8/n_heads), with h = 1.",
    replace=("torch.arange(1, n_heads + 1)", "torch.arange(n_heads)"),
)
misconception(
    "alibi_bias",
    "The slopes are 2^(−h) whatever the number of heads: the exponent is −8h/n_heads.",
    replace=("-8 * torch.arange(1, n_heads + 1) / n_heads", "-1.0 * torch.arange(1, n_heads + 1)"),
)
misconception(
    "alibi_bias", "The sign is wrong: far words lose, near words win.", replace=("-slopes[:, None, None]", "slopes[:, None, None]")
)
misconception(
    "alibi_bias", "The future is not masked: entries above the diagonal are −∞.", replace=(".masked_fill(distance < 0, -math.inf)", "")
)
misconception(
    "alibi_bias",
    "The bias is symmetric; the causal one is −∞ above the diagonal.",
    replace=(("* distance)", "* distance.abs())"), (".masked_fill(distance < 0, -math.inf)", "")),
)
misconception("alibi_bias", "Above the diagonal stand zeros, which allow looking ahead; it must be −∞.", replace=("-math.inf", "0.0"))
misconception("alibi_bias", "Above the diagonal stands a large negative number; it must be −∞.", replace=("-math.inf", "-1e9"))
misconception("alibi_bias", "A word may not see itself: the diagonal is 0, not −∞.", replace=("distance < 0", "distance <= 0"))
misconception(
    "alibi_bias",
    "Rows and columns are swapped: rows are queries, columns are keys.",
    replace=("positions[:, None] - positions", "positions - positions[:, None]"),
)
misconception(
    "alibi_bias",
    "The slopes come in reverse: head 1 is the steepest.",
    replace=("torch.arange(1, n_heads + 1)", "torch.arange(n_heads, 0, -1)"),
)
misconception("alibi_bias", "All heads have the same slope.", replace=("torch.arange(1, n_heads + 1)", "torch.ones(n_heads)"))
misconception("alibi_bias", "The distance is squared; the bias is linear.", replace=("* distance)", "* distance**2 * distance.sign())"))
misconception(
    "alibi_bias",
    "The heads come last; the shape is (n_heads, T, T).",
    replace=("distance < 0, -math.inf)", "distance < 0, -math.inf).movedim(0, -1)"),
)
misconception(
    "alibi_bias",
    "A number of heads that is no power of two goes through without a ValueError that names it.",
    replace=("if n_heads < 1 or n_heads & (n_heads - 1):", "if False:"),
)


@misconception("alibi_bias", "0 · ∞ is NaN: write −∞ with masked_fill or torch.where, not by multiplying.")
def multiplied_infinity(n_heads, n_positions):
    if n_heads & (n_heads - 1):
        raise ValueError("n_heads")
    slopes = 2.0 ** (-8 * torch.arange(1, n_heads + 1) / n_heads)
    t = torch.arange(n_positions)
    return -slopes[:, None, None] * (t[:, None] - t) + torch.ones(n_positions, n_positions).triu(1) * -math.inf


@misconception("alibi_bias", "The bias grows with the key's position, j · slope, rather than falling with the distance, −slope · (i − j).")
def by_key_position(n_heads, n_positions):
    if n_heads & (n_heads - 1):
        raise ValueError("n_heads")
    slopes = 2.0 ** (-8 * torch.arange(1, n_heads + 1) / n_heads)
    t = torch.arange(n_positions)
    return (slopes[:, None, None] * t).expand(-1, n_positions, -1).masked_fill(t > t[:, None], -math.inf)


@variant("alibi_bias")
def by_geometric_series(n_heads, n_positions):
    if math.log2(n_heads) % 1:
        raise ValueError(f"n_heads should be a power of 2, not {n_heads}")
    start = 2 ** (-(2 ** -(math.log2(n_heads) - 3)))
    slopes = torch.tensor([start * start**h for h in range(n_heads)])
    j, i = torch.arange(n_positions).float()[None, None, :], torch.arange(n_positions).float()[None, :, None]
    return torch.where(j <= i, slopes.view(-1, 1, 1) * (j - i), torch.tensor(float("-inf")))


@variant("alibi_bias")
def alibi_by_loops(n_heads, n_positions):
    if bin(n_heads).count("1") != 1:
        raise ValueError(f"n_heads={n_heads}")
    bias = torch.full((n_heads, n_positions, n_positions), -math.inf)
    for h in range(n_heads):
        for i in range(n_positions):
            bias[h, i, : i + 1] = -(2 ** (-8 * (h + 1) / n_heads)) * torch.arange(i, -1, -1)
    return bias


@variant("alibi_bias")
def alibi_plus_mask(n_heads, n_positions):
    if n_heads not in {2**k for k in range(20)}:
        raise ValueError(f"n_heads {n_heads}")
    mask = torch.full((n_positions, n_positions), -math.inf).triu(1)
    distance = torch.arange(n_positions).unsqueeze(0) - torch.arange(n_positions).unsqueeze(1)
    return torch.pow(2.0, -8.0 / n_heads * torch.arange(1, 1 + n_heads)).reshape(n_heads, 1, 1) * distance.clamp(max=0) + mask


# 7 · relative_position_bucket

misconception(
    "relative_position_bucket",
    "The sides are swapped: keys after the query (positive offsets) have the upper half of the buckets.",
    replace=("relative_position > 0", "relative_position < 0"),
)
misconception(
    "relative_position_bucket",
    "Offset 0 falls among the keys after the query; it is bucket 0.",
    replace=("relative_position > 0", "relative_position >= 0"),
)
misconception(
    "relative_position_bucket",
    "The two sides share their buckets: keys after the query have buckets of their own.",
    replace=(" + half * (relative_position > 0)", ""),
)
misconception(
    "relative_position_bucket",
    "All buckets are used for one side: this is the one-sided version of decoders.",
    replace=(("half = n_buckets // 2", "half = n_buckets"), (" + half * (relative_position > 0)", "")),
)
misconception(
    "relative_position_bucket",
    "Every distance has a bucket of its own up to the last: far distances are to be shared logarithmically.",
    replace=("torch.where(distance < exact, distance, coarse)", "distance.clamp(max=half - 1)"),
)
misconception(
    "relative_position_bucket",
    "Far distances are not clipped: all beyond max_distance belong to the last bucket of their half.",
    replace=(".clamp(max=half - 1)", ""),
)
misconception(
    "relative_position_bucket",
    "The clip lets one bucket too many through: the last of a half is n_buckets/2 − 1.",
    replace=(".clamp(max=half - 1)", ".clamp(max=half)"),
)
misconception(
    "relative_position_bucket",
    "The logarithm is rounded up; it is rounded down.",
    replace=("(share * (half - exact)).long()", "(share * (half - exact)).ceil().long()"),
)
misconception(
    "relative_position_bucket",
    "The logarithm is rounded to the nearest; it is rounded down.",
    replace=("(share * (half - exact)).long()", "(share * (half - exact)).round().long()"),
)
misconception(
    "relative_position_bucket",
    "The far buckets are spread linearly over the distance, not logarithmically.",
    replace=(
        "torch.log(distance.clamp(min=exact) / exact) / math.log(max_distance / exact)",
        "(distance.clamp(min=exact) - exact) / (max_distance - exact)",
    ),
)
misconception("relative_position_bucket", "`max_distance` is not used.", replace=("max_distance / exact", "128 / exact"))
misconception("relative_position_bucket", "`n_buckets` is not used.", replace=("n_buckets // 2", "32 // 2"))
misconception(
    "relative_position_bucket",
    "The logarithm is not divided by e: ln(a/e), so that the coarse buckets begin where the exact ones end.",
    replace=("torch.log(distance.clamp(min=exact) / exact)", "torch.log(distance.clamp(min=exact))"),
)
misconception(
    "relative_position_bucket",
    "The logarithm's range ends at max_distance, not at max_distance · e: divide D by e.",
    replace=("math.log(max_distance / exact)", "math.log(max_distance)"),
)
misconception(
    "relative_position_bucket",
    "The far distances begin at bucket 0 again; they follow the exact ones.",
    replace=("(exact + (share", "(0 * exact + (share"),
)
misconception(
    "relative_position_bucket",
    "Every distance has a bucket of its own up to the last: far distances are to be shared logarithmically.",
    replace=("exact = half // 2", "exact = half - 1"),
)
misconception(
    "relative_position_bucket",
    "The buckets are floats; they index a table, so they must be integers.",
    replace=("half * (relative_position > 0)", "half * (relative_position > 0).float()"),
)
misconception(
    "relative_position_bucket",
    "A far distance is told by its sign: take the absolute value first.",
    replace=("relative_position.abs()", "(-relative_position).clamp(min=0)"),
)
misconception(
    "relative_position_bucket",
    "Something is made on the CPU, wherever the offsets live.",
    replace=("torch.log(distance", "torch.ones(relative_position.shape) * torch.log(distance"),
)


@misconception("relative_position_bucket", "The offsets are changed in place.")
def absolute_in_place(relative_position, n_buckets=32, max_distance=128):
    half = n_buckets // 2
    exact = half // 2
    after = half * (relative_position > 0)
    distance = relative_position.abs_()
    coarse = exact + (torch.log(distance.clamp(min=exact) / exact) / math.log(max_distance / exact) * (half - exact)).long()
    return torch.where(distance < exact, distance, coarse.clamp(max=half - 1)) + after


@variant("relative_position_bucket")
def by_comparison(relative_position, n_buckets=32, max_distance=128):
    """Count the lower edges of the coarse buckets that the distance has reached."""
    half = n_buckets // 2
    exact = half // 2
    edges = exact * (max_distance / exact) ** (
        torch.arange(1, half - exact, device=relative_position.device, dtype=torch.float64) / (half - exact)
    )
    distance = relative_position.abs()
    coarse = exact + (distance[..., None] >= edges).sum(-1)
    return torch.where(distance < exact, distance, coarse) + torch.where(relative_position > 0, half, 0)


@variant("relative_position_bucket")
def one_at_a_time(relative_position, n_buckets=32, max_distance=128):
    def bucket(r):
        half, a = n_buckets // 2, abs(r)
        exact = half // 2
        if a >= exact:
            a = min(
                half - 1, exact + int((math.log2(a) - math.log2(exact)) / (math.log2(max_distance) - math.log2(exact)) * (half - exact))
            )
        return a + half * (r > 0)

    found = [bucket(r) for r in relative_position.flatten().tolist()]
    return torch.tensor(found, dtype=torch.long, device=relative_position.device).reshape(relative_position.shape)


@variant("relative_position_bucket")
def in_int32(relative_position, n_buckets=32, max_distance=128):
    n_buckets //= 2
    result = (relative_position > 0).to(torch.int32) * n_buckets
    n = torch.abs(relative_position).to(torch.int32)
    max_exact = n_buckets // 2
    large = torch.log(n.clamp(min=1).float() / max_exact) / math.log(max_distance / max_exact)
    large = torch.clamp(max_exact + (large * (n_buckets - max_exact)).floor().to(torch.int32), max=n_buckets - 1)
    return result + torch.where(n < max_exact, n, large)


# Stretch · interpolated_rotary

misconception(
    "interpolated_rotary",
    "Short texts are stretched; squeeze only where the text is longer than the trained length.",
    replace=("min(1.0, trained_length / extended_length)", "trained_length / extended_length"),
)
misconception(
    "interpolated_rotary",
    "The positions are stretched instead of squeezed.",
    replace=("min(1.0, trained_length / extended_length)", "max(1.0, extended_length / trained_length)"),
)
misconception("interpolated_rotary", "The positions are not squeezed.", replace=("positions.to(wide) * squeeze", "positions"))
misconception(
    "interpolated_rotary",
    "The squeezed positions are rounded; they need not be whole.",
    replace=("positions.to(wide) * squeeze", "(positions * squeeze).long()"),
)
misconception(
    "interpolated_rotary",
    "Positions beyond the trained length are cut off; they are squeezed.",
    replace=("positions.to(wide) * squeeze", "positions.clamp(max=trained_length - 1)"),
)
misconception(
    "interpolated_rotary",
    "The base is squeezed; here the positions are.",
    replace=("positions.to(wide) * squeeze, base", "positions, base / squeeze"),
)
misconception("interpolated_rotary", "`base` is not handed on.", replace=("squeeze, base", "squeeze"))
misconception(
    "interpolated_rotary",
    "Whole positions become float32 when they are squeezed: with x in float64 the result is only as exact as float32.",
    replace=("positions.to(wide) * squeeze", "positions * squeeze"),
)


@variant("interpolated_rotary")
def with_slower_clocks(x, positions, trained_length, extended_length, base=10000.0):
    d = x.shape[-1]
    factor = trained_length / extended_length if extended_length > trained_length else 1
    angles = positions[:, None] * (factor * base ** (-torch.arange(0, d, 2, device=x.device, dtype=x.dtype) / d))
    pairs = torch.view_as_complex(x.unflatten(-1, (-1, 2)).contiguous())
    return torch.view_as_real(pairs * torch.polar(torch.ones_like(angles), angles)).flatten(-2)


@variant("interpolated_rotary")
def with_divided_positions(x, positions, trained_length, extended_length, base=10000.0):
    return by_partner(x, positions.to(x.dtype) / max(1, extended_length / trained_length), base)


# From public code and its issue trackers


@misconception(
    "sinusoidal_encoding",
    "Both exponents are too large, and sine and cosine have speeds of their own: with i = 0, 2, 4, … the columns i and i + 1 share base^(−i/d).",
)
def encoding_with_doubled_columns(n_positions, d_model, base=10000.0):
    if d_model % 2:
        raise ValueError(f"d_model must be even, got {d_model}")
    columns, positions = torch.arange(0, d_model, 2), torch.arange(n_positions)[:, None]
    sines = (positions * base ** (-2 * columns / d_model)).sin()
    cosines = (positions * base ** (-2 * (columns + 1) / d_model)).cos()
    return torch.stack([sines, cosines], dim=-1).flatten(-2)


@misconception(
    "sinusoidal_encoding", "Sines stand in the rows of even positions, cosines in those of odd ones; it is the columns that alternate."
)
def encoding_by_rows(n_positions, d_model, base=10000.0):
    if d_model % 2:
        raise ValueError(f"d_model must be even, got {d_model}")
    positions = torch.arange(n_positions)[:, None]
    angles = positions * base ** (-(torch.arange(d_model) // 2 * 2) / d_model)
    return torch.where(positions % 2 == 0, angles.sin(), angles.cos())


@misconception("sinusoidal_encoding", "The exponent is rounded to a whole number: `//` binds as tightly as `*` and `/`.")
def encoding_with_floor_division(n_positions, d_model, base=10000.0):
    if d_model % 2:
        raise ValueError(f"d_model must be even, got {d_model}")
    speeds = torch.exp(torch.arange(0, d_model, 2).float() * (-math.log(base) / d_model // 2))
    angles = torch.arange(n_positions)[:, None] * speeds
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)


def _angles(x, positions, base):
    return positions.to(x.dtype)[:, None] * base ** (-torch.arange(0, x.shape[-1], 2, dtype=x.dtype, device=x.device) / x.shape[-1])


@misconception(
    "rotary_embedding", "The angles are laid out for neighbours (θ₀, θ₀, θ₁, θ₁, …), but x is turned by halves: both belong to neighbours."
)
def rotary_angles_of_neighbours(x, positions, base=10000.0):
    angles = _angles(x, positions, base).repeat_interleave(2, -1)
    first, second = x.chunk(2, -1)
    return x * angles.cos() + torch.cat([-second, first], -1) * angles.sin()


@misconception(
    "rotary_embedding",
    "Even and odd columns are taken apart and then put side by side as two halves: each number has to go back to its own column.",
)
def rotary_put_together_as_halves(x, positions, base=10000.0):
    angles = torch.cat([_angles(x, positions, base)] * 2, -1)
    return x * angles.cos() + torch.cat([-x[..., 1::2], x[..., ::2]], -1) * angles.sin()


@misconception(
    "rotary_embedding",
    "The angles are laid out by halves (θ₀, θ₁, …, θ₀, θ₁, …), but neighbours are turned: give each angle to its own pair.",
)
def rotary_angles_of_halves(x, positions, base=10000.0):
    angles = torch.cat([_angles(x, positions, base)] * 2, -1)
    turned = torch.stack([-x[..., 1::2], x[..., 0::2]], -1).flatten(-2)
    return x * angles.cos() + turned * angles.sin()


@misconception(
    "rotary_embedding", "The exponent is twice what it should be: it is 2i/d, with d the whole width, and pairs are counted from 0."
)
def rotary_of_half_the_width(x, positions, base=10000.0):
    angles = _angles(x, positions, base**2)
    cos, sin, even, odd = angles.cos(), angles.sin(), x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)


@misconception(
    "relative_position_bucket",
    "Keys after the query all fall into bucket 0 and the others have all buckets: that is T5's decoder, not its encoder.",
)
def buckets_of_the_decoder(relative_position, n_buckets=32, max_distance=128):
    distance, exact = (-relative_position).clamp(min=0), n_buckets // 2
    share = torch.log(distance.clamp(min=exact) / exact) / math.log(max_distance / exact)
    coarse = (exact + (share * (n_buckets - exact)).long()).clamp(max=n_buckets - 1)
    return torch.where(distance < exact, distance, coarse)
