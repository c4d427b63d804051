"""The hidden checks of lesson 05: other sizes, edge cases and larger numbers than the public ones."""

import functools
import math

import pytest
import torch
from torch.nn import functional as F

from autograde.checking import expect
from autograde.grader.run.symmetries import Longer, Reversed, Scaled, Wider

SYMMETRIES = {
    "sinusoidal_encoding": [Longer(0, (-2,))],
    "shift_matrix": [Wider(1, (-2, -1))],
    "rotary_embedding": [Scaled((0,))],
    "alibi_bias": [Longer(1, (-2, -1))],
    "relative_position_bucket": [Reversed({0: -1}, -1)],
}


def sines(positions, d_model, base=10000.0):
    """Sines and cosines in float64, column by column."""
    columns = []
    for column in range(d_model):
        angles = positions.double() / base ** ((column - column % 2) / d_model)
        columns.append(angles.cos() if column % 2 else angles.sin())
    return torch.stack(columns, dim=-1)


def turn(x, positions, base=10000.0):
    """Each row of x times its own rotation matrix, block by block."""
    d = x.shape[-1]
    rows = []
    for t, m in enumerate(positions):
        blocks = []
        for i in range(d // 2):
            angle = m.double() * base ** (-2 * i / d)
            blocks.append(torch.stack([torch.stack([angle.cos(), -angle.sin()]), torch.stack([angle.sin(), angle.cos()])]))
        rows.append(x[..., t, :] @ torch.block_diag(*blocks).to(x.dtype).mT)
    return torch.stack(rows, dim=-2)


# 1 · permutation_gap


@pytest.mark.exercise("permutation_gap", weight=1)
def test_layers_that_know_their_place(student):
    """A running sum and a causal average, against their own difference, in float64 and with two batch dimensions."""
    permutation = torch.tensor([2, 5, 0, 6, 1, 4, 3])
    x = expect.randn(3, 2, 7, 4, seed=1, dtype=torch.float64)
    for layer in (lambda x: x.cumsum(-2), lambda x: torch.cat([x[..., :1, :], x[..., 1:, :] - 3 * x[..., :-1, :]], -2)):
        for words, order in ((x, permutation), (x, permutation.flip(0)), (3 * x + 1, permutation)):
            want = (layer(words).index_select(-2, order) - layer(words.index_select(-2, order))).abs().max().item()
            expect.close(student.permutation_gap(layer, words, order), want, where="two batch dimensions")


@pytest.mark.exercise("permutation_gap", weight=1)
def test_the_largest_violation_may_be_negative(student):
    """One word out of place by a negative amount; and the output may be of another width than the input."""
    permutation = torch.tensor([1, 2, 0, 3])
    step = torch.tensor([0.0, 0.0, -8.0, 0.0])[:, None]
    got = student.permutation_gap(lambda x: F.pad(x, (0, 3)) * 0 + step, expect.randn(4, 2, seed=2), permutation)
    expect.close(got, 8.0, where="a wider output")
    shift = torch.tensor([5.0, 6.0, 7.0])[:, None]
    got = student.permutation_gap(lambda x: x + shift - 5, torch.full((3, 1), 5.0), torch.tensor([1, 2, 0]))
    expect.close(got, 2.0, where="the lesson's worked number")


@pytest.mark.exercise("permutation_gap", weight=0.5)
@pytest.mark.trivial
def test_one_word_and_the_identity(student):
    """One word cannot be shuffled, and the identity changes nothing."""

    def recurrent(x):
        return x.cumsum(-2) + 1

    expect.close(student.permutation_gap(recurrent, expect.randn(1, 3, seed=3), torch.tensor([0])), 0.0, where="one word")
    expect.close(student.permutation_gap(recurrent, expect.randn(4, 3, seed=4), torch.arange(4)), 0.0, where="the identity")


@pytest.mark.exercise("permutation_gap", weight=0.5)
def test_a_tiny_violation(student):
    """A violation far below float32's precision, and another one in the next call."""
    x, permutation = torch.ones(5, 2, dtype=torch.float64), torch.tensor([4, 3, 2, 1, 0])
    places = torch.arange(5, dtype=torch.float64)[:, None]
    for size in (1e-10, 3e-10):
        got = student.permutation_gap(lambda x, size=size: x + size * places.to(x.dtype), x, permutation)
        expect.close(got, 4 * size, where="a layer that adds a very small multiple of the position", rtol=1e-4, atol=0.0)


# 2 · sinusoidal_encoding


@pytest.mark.exercise("sinusoidal_encoding", weight=1)
@pytest.mark.parametrize("n_positions, d_model, base", [(1, 8, 10000.0), (3, 2, 10000.0), (11, 24, 10000.0), (12, 14, 7.0)])
def test_other_lengths_widths_and_bases(student, n_positions, d_model, base):
    """One position, two columns, many columns, a small base."""
    want = sines(torch.arange(n_positions), d_model, base).float()
    expect.close(student.sinusoidal_encoding(n_positions, d_model, base), want, where="another table")


@pytest.mark.exercise("sinusoidal_encoding", weight=1)
def test_far_positions(student):
    """A long table: every hand keeps its speed."""
    want = sines(torch.arange(1200), 16).float()
    expect.close(student.sinusoidal_encoding(1200, 16), want, where="a long table", rtol=0, atol=3e-3)


@pytest.mark.exercise("sinusoidal_encoding", weight=1)
def test_hands_have_length_one_and_compare_by_offset(student):
    """sin² + cos² = 1 for every pair, and PE[s] · PE[t] depends on t − s only."""
    table = student.sinusoidal_encoding(40, 12)
    expect.close(table, sines(torch.arange(40), 12).float(), where="40 positions", atol=1e-4)
    pairs = table.unflatten(-1, (6, 2))
    expect.close(pairs.square().sum(-1), torch.ones(40, 6), where="the length of every pair")
    products = table @ table.mT
    expect.close(products.diagonal(7), products[0, 7].expand(33), where="dot products at one offset", atol=1e-3)


@pytest.mark.exercise("sinusoidal_encoding", weight=0.5)
@pytest.mark.trivial
@pytest.mark.parametrize("d_model", [1, 5])
def test_odd_widths_are_refused(student, d_model):
    """Every odd width is refused."""
    expect.raises(ValueError, student.sinusoidal_encoding, 3, d_model, naming="d_model", where="an odd width")


@pytest.mark.exercise("sinusoidal_encoding", weight=0.5)
def test_every_base_has_its_own_table(student):
    """Tables that differ in base, width or length alone, of more positions than a table made beforehand is likely to have."""
    for n, d_model, base in ((1100, 4, 10000.0), (1100, 4, 300.0), (1100, 6, 300.0), (1103, 6, 300.0)):
        want = sines(torch.arange(n), d_model, base).float()
        where = f"{n:,} positions, {d_model} columns, base {base:g}"
        expect.close(student.sinusoidal_encoding(n, d_model, base), want, where=where, atol=2e-4)


# 3 · shift_matrix


@pytest.mark.exercise("shift_matrix", weight=1)
@pytest.mark.parametrize("offset, d_model, base", [(1, 2, 10000.0), (25, 10, 10000.0), (-9, 14, 60.0), (60, 4, 3.0)])
def test_other_offsets_and_widths(student, offset, d_model, base):
    """Carried encodings of near and far positions, for other offsets, widths and bases."""
    t = torch.tensor([0, 1, 5, 17, 80])
    matrix = student.shift_matrix(offset, d_model, base)
    expect.true(
        isinstance(matrix, torch.Tensor) and matrix.shape == (d_model, d_model), "The matrix must be a tensor of shape (d_model, d_model)"
    )
    got = sines(t, d_model, base).float() @ matrix.mT.float()
    expect.close(got, sines(t + offset, d_model, base).float(), where="another offset", rtol=0, atol=5e-4)


@pytest.mark.exercise("shift_matrix", weight=1)
def test_the_whole_matrix(student):
    """Its entries, one by one."""
    for d in (6, 8):
        want = torch.zeros(d, d, dtype=torch.float64)
        for i in range(d // 2):
            angle = 4 * 100.0 ** (-2 * i / d)
            want[2 * i, 2 * i] = want[2 * i + 1, 2 * i + 1] = math.cos(angle)
            want[2 * i, 2 * i + 1], want[2 * i + 1, 2 * i] = math.sin(angle), -math.sin(angle)
        expect.close(student.shift_matrix(4, d, 100.0), want.float(), where=f"every entry, {d} columns", atol=1e-4)


@pytest.mark.exercise("shift_matrix", weight=1)
@pytest.mark.trivial
def test_steps_add_up(student):
    """Five steps and then eight are thirteen; five ahead and five back are none."""
    five, eight, thirteen, back = (student.shift_matrix(offset, 8) for offset in (5, 8, 13, -5))
    expect.close(eight @ five, thirteen, where="offsets that add up", atol=5e-4)
    expect.close(back @ five, torch.eye(8), where="there and back", atol=5e-4)


@pytest.mark.exercise("shift_matrix", weight=0.5)
def test_far_steps(student):
    """Two thousand positions ahead and back, in tables of one size and two bases."""
    t = torch.tensor([0, 3, 40])
    for offset, base in ((2000, 10000.0), (-1500, 10000.0), (2000, 500.0)):
        got = sines(t, 6, base).float() @ student.shift_matrix(offset, 6, base).mT.float()
        expect.close(got, sines(t + offset, 6, base).float(), where=f"a step of {offset}", rtol=0, atol=2e-3)


# 4 · LearnedPositionalEmbedding


@pytest.mark.exercise("LearnedPositionalEmbedding", weight=1)
@pytest.mark.parametrize("max_positions, shape", [(12, (1, 4)), (7, (5, 7, 3)), (5, (8, 3, 5)), (3, (2, 1, 4, 3, 2))])
def test_other_shapes(student, max_positions, shape):
    """One word, full sequences, a batch longer than the table, three batch dimensions."""
    table = expect.randn(max_positions, shape[-1], seed=50)
    module = student.LearnedPositionalEmbedding(max_positions, shape[-1])
    module.load_state_dict({"embedding.weight": table}, strict=False)
    x = expect.randn(*shape, seed=51, scale=3.0)
    expect.close(module(x), x + table[: shape[-2]], where="other shapes")


@pytest.mark.exercise("LearnedPositionalEmbedding", weight=1)
@pytest.mark.parametrize("shape", [(6, 4), (1, 6, 4), (2, 3, 40, 4)])
def test_too_long_in_any_batch(student, shape):
    """One word too many is refused, in any batch; a batch that is larger than the table is not."""
    module, x = student.LearnedPositionalEmbedding(5, 4), expect.randn(*shape, seed=52)
    fits = x[..., :5, :]
    expect.true(module(fits).shape == fits.shape, "A text as long as the table is taken, in any batch")
    expect.raises(ValueError, module, x, where="a text longer than the table")


@pytest.mark.exercise("LearnedPositionalEmbedding", weight=0.5)
@pytest.mark.trivial
def test_wide_words_and_other_devices(student):
    """float64 words give a float64 result, and the layer works on the device it was moved to."""
    module = student.LearnedPositionalEmbedding(5, 4)
    expect.keeps_dtype(module, expect.randn(2, 3, 4, seed=53))
    expect.follows_device(student.LearnedPositionalEmbedding(5, 4).to("meta"), expect.randn(2, 3, 4, seed=54))


@pytest.mark.exercise("LearnedPositionalEmbedding", weight=0.5)
def test_positions_are_added_to_every_input(student):
    """One layer, two inputs of the same shape."""
    table = expect.randn(6, 10, seed=500)
    module = student.LearnedPositionalEmbedding(6, 10)
    module.load_state_dict({"embedding.weight": table}, strict=False)
    for seed in (501, 502):
        x = expect.randn(2, 5, 10, seed=seed)
        expect.close(module(x), x + table[:5], where="one of two inputs of the same shape")
        module.eval()  # nothing in the layer is for training only


# 5 · rotary_embedding


@pytest.mark.exercise("rotary_embedding", weight=1)
@pytest.mark.parametrize("shape", [(1, 2), (7, 8), (4, 1, 10), (3, 2, 2, 4)])
def test_other_vectors(student, shape):
    """One pair, one word, more batch dimensions."""
    x, positions = expect.randn(*shape, seed=60, scale=2.0), torch.arange(shape[-2]) * 5 + 2
    expect.close(student.rotary_embedding(x, positions), turn(x, positions), where="other vectors", atol=2e-4)


@pytest.mark.exercise("rotary_embedding", weight=1)
def test_positions_far_out_and_out_of_order(student):
    """Positions that do not begin at 0, repeat and come in any order."""
    x, positions = expect.randn(2, 6, 4, seed=61), torch.tensor([900, 41, 41, 0, 3, 517])
    expect.close(student.rotary_embedding(x, positions), turn(x, positions), where="far positions", rtol=0, atol=3e-3)
    small = positions.int()
    expect.close(student.rotary_embedding(x, small), turn(x, positions), where="far positions in int32", rtol=0, atol=3e-3)


@pytest.mark.exercise("rotary_embedding", weight=1)
def test_one_word_with_a_cache(student):
    """A word rotated alone at its position is the word rotated within its text, for each base."""
    x = expect.randn(3, 9, 6, seed=62)
    for base in (300.0, 20.0):
        want = turn(x, torch.arange(9), base)[:, 7:8]
        where = f"one word at position 7, base {base:g}"
        expect.close(student.rotary_embedding(x[:, 7:8], torch.tensor([7]), base), want, where=where, atol=1e-4)


@pytest.mark.exercise("rotary_embedding", weight=1)
def test_lengths_are_kept_and_turns_add_up(student):
    """A rotation keeps every pair's length; turning by a and then by b is turning by a + b; by −a goes back."""
    x, a, b = expect.randn(5, 8, seed=63, dtype=torch.float64), torch.tensor([1, 4, 0, 9, 2]), torch.tensor([3, 3, 8, 1, 6])
    once = student.rotary_embedding(x, a)
    expect.close(once, turn(x, a), where="float64", rtol=1e-5, atol=1e-5)
    expect.close(
        once.unflatten(-1, (4, 2)).norm(dim=-1), x.unflatten(-1, (4, 2)).norm(dim=-1), where="lengths of pairs", rtol=1e-5, atol=1e-5
    )
    expect.close(student.rotary_embedding(once, b), turn(x, a + b), where="two turns", rtol=1e-4, atol=1e-4)
    expect.close(student.rotary_embedding(once, -a), x, where="there and back", rtol=1e-4, atol=1e-4)


@pytest.mark.exercise("rotary_embedding", weight=1)
def test_gradients_in_float_positions(student):
    """Differentiable in x and in positions that are floats; inputs that are views."""
    x, positions = expect.randn(4, 2, 6, seed=64).transpose(0, 1), torch.tensor([0.5, 3.5, 1.0, 2.0])
    expect.gradients(student, student.rotary_embedding, (x, positions, 20.0), turn, where="float positions", atol=1e-4)


# 6 · alibi_bias


@pytest.mark.exercise("alibi_bias", weight=1)
@pytest.mark.parametrize("n_heads, n_positions", [(1, 4), (16, 6), pytest.param(8, 1, marks=pytest.mark.trivial), (32, 9), (64, 3)])
def test_one_head_many_heads_one_word(student, n_heads, n_positions):
    """Every power of two, one word included."""
    steps = torch.arange(n_positions).double()
    slopes = torch.tensor([2 ** (-8 * h / n_heads) for h in range(1, n_heads + 1)]).double()
    want = -(slopes[:, None, None] * (steps[:, None] - steps))
    want[:, steps > steps[:, None]] = -math.inf
    expect.close(student.alibi_bias(n_heads, n_positions), want.float(), where="another number of heads")


@pytest.mark.exercise("alibi_bias", weight=1)
def test_far_words_are_punished_in_proportion(student):
    """A long text: the bias grows by the slope at every step, without end, and no entry is NaN. One less long, and one with fewer heads."""
    for n_heads, n in ((4, 300), (4, 298), (2, 300)):
        bias = student.alibi_bias(n_heads, n)
        expect.true(not bias.isnan().any(), "The bias holds NaN")
        for h in range(n_heads):
            slope = 2 ** (-8 * (h + 1) / n_heads)
            expect.close(bias[h, n - 1], -slope * torch.arange(n - 1, -1, -1.0), where="the last row of a long text", atol=1e-3)
            expect.close(bias[h, 0, 1:], torch.full((n - 1,), -math.inf), where="the first row of a long text")


@pytest.mark.exercise("alibi_bias", weight=0.5)
@pytest.mark.trivial
@pytest.mark.parametrize("n_heads", [3, 12])
def test_no_power_of_two(student, n_heads):
    """Refused, by name."""
    expect.raises(ValueError, student.alibi_bias, n_heads, 5, naming="n_heads", where="no power of two")


@pytest.mark.exercise("alibi_bias", weight=0.5)
@pytest.mark.trivial
def test_no_heads_at_all(student):
    """Zero is no power of two."""
    expect.raises(ValueError, student.alibi_bias, 0, 5, where="no power of two")


# 7 · relative_position_bucket

# Every distance at which the bucket changes, worked out with exact integers: a ≥ e · (D/e)^(k/(h − e))  ⇔  a^(h−e) · e^k ≥ e^(h−e) · D^k


def bucket(offset, n_buckets, max_distance):
    half, distance = n_buckets // 2, abs(offset)
    exact = half // 2
    coarse = half - exact
    if distance < exact:
        found = distance
    else:
        k = 0
        while k + 1 < coarse and (distance**coarse) * exact ** (k + 1) >= exact**coarse * max_distance ** (k + 1):
            k += 1
        found = exact + k
    return found + (half if offset > 0 else 0)


def on_an_edge(distance, n_buckets, max_distance):
    """Where the logarithm is a whole number exactly, rounding decides, and either bucket is let through."""
    half = n_buckets // 2
    exact = half // 2
    coarse = half - exact
    return distance > exact and any(distance**coarse * exact**k == exact**coarse * max_distance**k for k in range(1, coarse))


def whole(got):
    expect.true(isinstance(got, torch.Tensor) and not got.is_floating_point(), "Buckets are whole numbers (a tensor of an integer dtype)")
    return got.long()


@pytest.mark.exercise("relative_position_bucket", weight=2)
@pytest.mark.parametrize("n_buckets, max_distance", [(32, 128), (64, 256), (16, 40), (8, 20), (40, 1000)])
def test_the_edges_of_the_buckets(student, n_buckets, max_distance):
    """All offsets up to beyond max_distance, for other tables."""
    offsets = [r for r in range(-max_distance - 60, max_distance + 61) if not on_an_edge(abs(r), n_buckets, max_distance)]
    want = torch.tensor([bucket(r, n_buckets, max_distance) for r in offsets])
    expect.equal(whole(student.relative_position_bucket(torch.tensor(offsets), n_buckets, max_distance)), want, where="another table")


@pytest.mark.exercise("relative_position_bucket", weight=1)
def test_one_offset_and_very_far_ones(student):
    """A tensor without dimensions; offsets of a hundred thousand; three dimensions."""
    expect.equal(whole(student.relative_position_bucket(torch.tensor(0))), torch.tensor(0), where="one offset")
    far = torch.tensor([[[-100_000, 100_000]], [[-129, 129]]])
    expect.equal(whole(student.relative_position_bucket(far)), torch.tensor([[[15, 31]], [[15, 31]]]), where="far offsets")
    for n_buckets, max_distance in ((32, 5000), (16, 5000)):
        want = torch.tensor([bucket(r, n_buckets, max_distance) for r in far.flatten().tolist()]).view(far.shape)
        expect.equal(whole(student.relative_position_bucket(far, n_buckets, max_distance)), want, where="the same offsets, another table")


@pytest.mark.exercise("relative_position_bucket", weight=1)
def test_before_and_after_are_apart(student):
    """Keys after the query have buckets n/2 higher than keys as far before it, and no bucket lies outside the table."""
    ahead = torch.tensor([r for r in range(1, 400) if not on_an_edge(r, 48, 90)])
    after, before = (whole(student.relative_position_bucket(side, 48, 90)) for side in (ahead, -ahead))
    expect.equal(after - before, torch.full((len(ahead),), 24), where="both sides of the query")
    expect.true(before.min() >= 0 and after.max() == 47 and before.max() == 23, "A bucket lies outside its half of the table")


# Stretch · interpolated_rotary


@pytest.mark.exercise("interpolated_rotary", weight=1)
def test_squeezed_far_positions(student):
    """Four times the trained length, and eight times, all positions of the shorter one."""
    x, positions = expect.randn(3, 32, 4, seed=70), torch.arange(32)
    for extended in (32, 64):
        want, where = turn(x, positions * 8 / extended, 100.0), f"{extended // 8} times the length"
        expect.close(student.interpolated_rotary(x, positions, 8, extended, 100.0), want, where=where, atol=1e-4)


@pytest.mark.exercise("interpolated_rotary", weight=1)
@pytest.mark.parametrize("batch", [(), (2, 3)])
def test_interpolated_gradients_of_any_batch(student, batch):
    """No batch dimension and two, in float64, with gradients."""
    x, positions = expect.randn(*batch, 5, 6, seed=510, dtype=torch.float64), torch.arange(5).double()

    def oracle(x, positions, trained, extended):
        return turn(x, positions * trained / extended)

    expect.gradients(student, student.interpolated_rotary, (x, positions, 8, 20), oracle, where=f"{len(batch)} batch dimensions")
    for given in (positions, torch.arange(5) + 4000):  # of whole numbers, too
        squeezed = functools.partial(student.interpolated_rotary, positions=given, trained_length=8, extended_length=20)
        expect.precise(squeezed, functools.partial(oracle, positions=given.double(), trained=8, extended=20), x, where="float64")
