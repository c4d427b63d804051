"""The public checks of lesson 05: students have this file too.

Expected values come from closed forms: positions as complex numbers that turn (Euler), the papers' formulas entry by entry in Python's own
floating point, and layers whose permutation gap is known exactly; see `autograde.checking.expected`.
"""

import math

import pytest
import torch

from autograde.checking import expect
from autograde.checking.expected import oracles

clock, rotations, turn, linear_biases, buckets = oracles(__file__, "clock", "rotations", "turn", "linear_biases", "buckets")

POSITIONS = torch.tensor([3, 0, 7, 1, 12])
SHUFFLE = torch.tensor([3, 0, 4, 1, 2])  # not its own inverse
TABLE = expect.randn(9, 6, seed=31)


def words():
    """Two sequences of five words of six numbers; fresh, so that an answer that writes into them spoils no other test."""
    return expect.randn(2, 5, 6, seed=30)


def carry(matrix, table):
    """M @ PE[t] for every row t of the table."""
    d = table.shape[-1]
    right = isinstance(matrix, torch.Tensor) and matrix.shape == (d, d) and matrix.dtype == table.dtype
    expect.true(right, f"The matrix must be a float32 tensor of shape ({d}, {d})", expect.show(matrix))
    return table @ matrix.mT


def buckets_are(got, want, where):
    """Integers of any width with the expected values."""
    expect.true(isinstance(got, torch.Tensor), f"For {where}: expected a torch.Tensor", expect.show(got))
    integer = not (got.is_floating_point() or got.is_complex() or got.dtype == torch.bool)
    expect.true(integer, f"For {where}: buckets are whole numbers", f"expected an integer dtype such as torch.int64, got {got.dtype}")
    expect.equal(got.long(), want, where=where)


def add_table(x):
    """A layer whose gap is known: it adds a fixed row to each position."""
    return x + TABLE[: x.shape[-2], : x.shape[-1]].to(x)


def sum_all_before(x):
    """A layer that mixes the sentences of a batch, the words and the features, so that no wrong shuffle leaves its gap at 0."""
    return x.cumsum(0) + x.cumsum(-2) ** 2 + x.cumsum(-1)


def loaded(student, max_positions, d_model, seed):
    """A student's LearnedPositionalEmbedding holding a known table, and the table."""
    table = expect.randn(max_positions, d_model, seed=seed)
    module = student.LearnedPositionalEmbedding(max_positions, d_model)
    module.load_state_dict({"embedding.weight": table}, strict=False)
    return module, table


def probe_table(student):
    """The output with a known table; a table of another name stays random, and is no fingerprint."""
    module, _ = loaded(student, 9, 6, seed=40)
    return module(words()) if "embedding.weight" in module.state_dict() else None


PROBES = {
    "permutation_gap": lambda student: [student.permutation_gap(layer, words(), SHUFFLE) for layer in (add_table, sum_all_before)],
    "sinusoidal_encoding": lambda student: student.sinusoidal_encoding(5, 6, 50.0),
    "shift_matrix": lambda student: student.shift_matrix(3, 6, 50.0),
    "LearnedPositionalEmbedding": probe_table,
    "rotary_embedding": lambda student: [student.rotary_embedding(words(), *told) for told in ((POSITIONS, 50.0), (POSITIONS + 2, 20.0))],
    "alibi_bias": lambda student: student.alibi_bias(4, 5),
    "relative_position_bucket": lambda student: student.relative_position_bucket(torch.tensor([*range(-90, 91, 3), -5000, 5000]), 24, 70),
    "interpolated_rotary": lambda student: student.interpolated_rotary(words(), POSITIONS, 4, 16, 50.0),
}


# 1 · permutation_gap


@pytest.mark.exercise("permutation_gap", weight=2)
def test_the_gap_of_a_layer_that_adds_positions(student):
    """For x + P the gap is max |P[permutation] − P|."""
    want = (TABLE[:5][SHUFFLE] - TABLE[:5]).abs().max().item()
    got = student.permutation_gap(add_table, words()[0], SHUFFLE)
    expect.close(got, want, where="layer(x) = x + P, x (5, 6), permutation [3, 0, 4, 1, 2]", rtol=1e-4)


@pytest.mark.exercise("permutation_gap", weight=1)
@pytest.mark.trivial
def test_attention_without_positions_has_no_gap(student):
    """softmax(x xᵀ) x gives the same rows in another order."""
    got = student.permutation_gap(lambda x: (x @ x.mT).softmax(dim=-1) @ x, words()[0], SHUFFLE)
    expect.close(got, 0.0, where="attention without positions", atol=1e-4)


@pytest.mark.exercise("permutation_gap", weight=1)
def test_the_words_are_the_second_last_dimension(student):
    """Batches: x (2, 5, 6) and a layer that multiplies row t by t."""
    rows = torch.arange(5.0)[:, None]
    want = ((rows[SHUFFLE] - rows) * words()[:, SHUFFLE]).abs().max().item()
    got = student.permutation_gap(lambda x: x * rows, words(), SHUFFLE)
    expect.close(got, want, where="layer(x)[t] = t · x[t], x (2, 5, 6)", rtol=1e-4)


@pytest.mark.exercise("permutation_gap", weight=0.5)
@pytest.mark.trivial
def test_the_gap_is_a_python_float(student):
    """A float, of inputs that stay as they are."""
    got = student.permutation_gap(add_table, words()[0], SHUFFLE)
    expect.true(isinstance(got, float), "The gap must be a Python float (`.item()` or `float(…)`)", expect.show(got))
    expect.inputs_unchanged(student, student.permutation_gap, add_table, words(), SHUFFLE)


# 2 · sinusoidal_encoding


@pytest.mark.exercise("sinusoidal_encoding", weight=2)
def test_the_worked_number(student):
    """d = 4: rows (0, 1, 0, 1), (0.84, 0.54, 0.01, 1.00), (0.91, −0.42, 0.02, 1.00)."""
    want = torch.tensor([[0.0, 1.0, 0.0, 1.0], [0.841471, 0.540302, 0.0099998, 0.99995], [0.909297, -0.416147, 0.0199987, 0.9998]])
    expect.close(student.sinusoidal_encoding(3, 4), want, where="3 positions and d_model = 4")
    got = student.sinusoidal_encoding(1200, 4)
    expect.close(got, clock(1200, 4).float(), where="1,200 positions and d_model = 4", atol=1e-3)


@pytest.mark.exercise("sinusoidal_encoding", weight=2)
@pytest.mark.parametrize("n_positions, d_model", [(7, 10), (10, 6)])
def test_sine_and_cosine_alternate(student, n_positions, d_model):
    """sin(t θ_i) in column 2i and cos(t θ_i) in column 2i + 1, with θ_i = 10000^(−2i/d)."""
    want = clock(n_positions, d_model).float()
    expect.close(student.sinusoidal_encoding(n_positions, d_model), want, where=f"{n_positions} positions and d_model = {d_model}")


@pytest.mark.exercise("sinusoidal_encoding", weight=1)
def test_the_base_sets_the_speeds(student):
    """Another `base`, by position and by name."""
    want = clock(6, 8, 20.0).float()
    expect.close(student.sinusoidal_encoding(6, 8, 20.0), want, where="6 positions, d_model = 8, base = 20")
    expect.close(student.sinusoidal_encoding(n_positions=6, d_model=8, base=20.0), want, where="the same with named arguments")


@pytest.mark.exercise("sinusoidal_encoding", weight=0.5)
@pytest.mark.trivial
def test_an_odd_width_is_refused(student):
    """An odd d_model is a ValueError that names it."""
    expect.raises(ValueError, student.sinusoidal_encoding, 4, 7, naming="d_model", where="d_model = 7")


# 3 · shift_matrix


@pytest.mark.exercise("shift_matrix", weight=2)
@pytest.mark.parametrize("offset", [1, 3, 12])
def test_the_matrix_carries_every_position_ahead(student, offset):
    """PE[t + offset] = M @ PE[t] for every t."""
    for d_model in (6, 12):
        table = clock(40, d_model).float()
        got = carry(student.shift_matrix(offset, d_model), table[: 40 - offset])
        expect.close(got, table[offset:], where=f"offset {offset} and d_model = {d_model}: M @ PE[t], for t = 0, 1, …", atol=2e-4)


@pytest.mark.exercise("shift_matrix", weight=2)
def test_pairs_turn_alone(student):
    """A 2 × 2 rotation for each pair along the diagonal, zeros elsewhere."""
    expect.close(student.shift_matrix(2, 4), rotations([2.0, 0.02]), where="offset 2 and d_model = 4", atol=1e-4)


@pytest.mark.exercise("shift_matrix", weight=1)
def test_the_shift_uses_the_base(student):
    """With another base the speeds differ, in the table and in the matrix."""
    table = clock(30, 8, 30.0).float()
    got = carry(student.shift_matrix(5, 8, 30.0), table[:25])
    expect.close(got, table[5:], where="offset 5, d_model = 8, base = 30", atol=2e-4)


@pytest.mark.exercise("shift_matrix", weight=1)
def test_a_step_back_and_no_step(student):
    """A negative offset goes back; offset 0 is the identity."""
    table = clock(30, 6).float()
    expect.close(carry(student.shift_matrix(-4, 6), table[4:]), table[:26], where="offset −4 and d_model = 6", atol=2e-4)
    expect.close(student.shift_matrix(0, 6), torch.eye(6), where="offset 0 and d_model = 6", atol=1e-4)


# 4 · LearnedPositionalEmbedding


@pytest.mark.exercise("LearnedPositionalEmbedding", weight=1)
def test_the_table_is_a_submodule(student):
    """`embedding` is an nn.Embedding with max_positions rows of d_model numbers."""
    shapes = {name: tuple(value.shape) for name, value in student.LearnedPositionalEmbedding(9, 6).state_dict().items()}
    got = shapes.get("embedding.weight")
    expect.true(
        got == (9, 6),
        "LearnedPositionalEmbedding(9, 6) needs a submodule `embedding`, nn.Embedding(9, 6)",
        f"its weight has the shape {got}" if got else f"its parameters are {', '.join(shapes) or 'none'}",
    )


@pytest.mark.exercise("LearnedPositionalEmbedding", weight=2)
@pytest.mark.parametrize("batch", [(), (2,), (3, 2)])
def test_row_t_is_added_to_word_t(student, batch):
    """The first T rows of the table are added to the T words of every sequence."""
    module, table = loaded(student, 9, 6, seed=41)
    x = expect.randn(*batch, 5, 6, seed=42)
    expect.close(module(x), x + table[:5], where=f"max_positions = 9 and x {(*batch, 5, 6)}")


@pytest.mark.exercise("LearnedPositionalEmbedding", weight=1)
def test_the_table_ends(student):
    """T = max_positions is allowed, one more is a ValueError that gives both numbers."""
    module, table = loaded(student, 9, 6, seed=43)
    x = expect.randn(9, 6, seed=44)
    expect.close(module(x), x + table, where="max_positions = 9 and T = 9")
    for number in ("9", "10"):
        expect.raises(ValueError, module, expect.randn(2, 10, 6, seed=45), naming=number, where="max_positions = 9 and T = 10")


@pytest.mark.exercise("LearnedPositionalEmbedding", weight=1)
def test_the_table_is_learned(student):
    """A gradient reaches the rows that were used, summed over the batch, and only them; it also passes on to x."""
    module, _ = loaded(student, 9, 6, seed=46)
    cotangent = expect.randn(2, 5, 6, seed=47)
    got = student.parameter_gradients(module, (words(),), cotangent).get("embedding.weight")
    expect.true(got is not None, "No gradient reaches `embedding`: its rows are to be learned, neither frozen nor detached")
    want = torch.cat([cotangent.sum(0), torch.zeros(4, 6)])
    expect.close(got, want, where="the gradient in the table, x (2, 5, 6)")
    _, (in_x,) = student.pullback(module, (words(),), cotangent)
    expect.true(in_x is not None, "No gradient reaches x")
    expect.close(in_x, cotangent, where="the gradient in x")


@pytest.mark.exercise("LearnedPositionalEmbedding", weight=0.5)
@pytest.mark.trivial
def test_words_are_not_changed_in_place(student):
    """x stays as it was."""
    expect.inputs_unchanged(student, loaded(student, 9, 6, seed=48)[0], words())


# 5 · rotary_embedding


@pytest.mark.exercise("rotary_embedding", weight=1)
def test_the_worked_rotation(student):
    """d = 4 at position 2: (1, 0, 1, 0) becomes (cos 2, sin 2, cos 0.02, sin 0.02)."""
    want = torch.tensor([[math.cos(2), math.sin(2), math.cos(0.02), math.sin(0.02)]])
    got = student.rotary_embedding(torch.tensor([[1.0, 0.0, 1.0, 0.0]]), torch.tensor([2]))
    expect.close(got, want, where="x = (1, 0, 1, 0) at position 2")


@pytest.mark.exercise("rotary_embedding", weight=2)
@pytest.mark.parametrize("batch", [(), (3,), (2, 4)])
def test_pairs_of_neighbours_are_turned(student, batch):
    """Columns (0, 1), (2, 3), … turn by position times θ_i, for any number of batch dimensions."""
    x = expect.randn(*batch, 5, 6, seed=50)
    expect.close(student.rotary_embedding(x, POSITIONS), turn(x, POSITIONS), where=f"x {(*batch, 5, 6)} at positions [3, 0, 7, 1, 12]")


@pytest.mark.exercise("rotary_embedding", weight=1)
def test_another_base_and_positions_that_are_not_whole(student):
    """`base` sets the speeds; positions may be floats."""
    positions = torch.tensor([0.5, 2.25, -1.0, 3.0, 6.75])
    expect.close(
        student.rotary_embedding(words(), positions, 50.0),
        turn(words(), positions, 50.0),
        where="positions [0.5, 2.25, −1, 3, 6.75] and base = 50",
    )


@pytest.mark.exercise("rotary_embedding", weight=1)
def test_scores_depend_on_the_offset_only(student):
    """q at m and k at n give the same q · k as q at m + 9 and k at n + 9, and another one when only k moves."""
    q, k = expect.randn(4, 8, seed=51), expect.randn(4, 8, seed=52)
    scores = [
        (student.rotary_embedding(q, torch.arange(4) + a) * student.rotary_embedding(k, torch.tensor([2, 5, 0, 1]) + b)).sum(-1)
        for a, b in ((0, 0), (9, 9), (0, 9))
    ]
    expect.close(scores[1], scores[0], where="all positions moved by 9", atol=1e-4)
    expect.true(
        (scores[2] - scores[0]).abs().max() > 0.1, "The score does not change when only the key moves: do the positions have an effect?"
    )


@pytest.mark.exercise("rotary_embedding", weight=1)
def test_rotation_is_well_behaved(student):
    """Differentiable, float64 kept, on the inputs' device, inputs unchanged."""
    expect.gradients(student, student.rotary_embedding, (words(), POSITIONS), turn, where="x (2, 5, 6)")
    wide, far = words().double(), POSITIONS * 700
    expect.close(student.rotary_embedding(wide, POSITIONS), turn(wide, POSITIONS), where="x in float64", rtol=1e-5, atol=1e-5)
    got, want = student.rotary_embedding(wide, far), turn(wide, far)
    expect.close(got, want, where="x in float64 at positions up to 8,400", rtol=0, atol=1e-2)  # what is wrong, before what is not exact
    expect.true(
        torch.allclose(got, want, rtol=0, atol=1e-9),
        "With x in float64 the result is only as exact as float32: compute positions, speeds and angles in the dtype of x",
        f"at positions up to 8,400 it is off by {(got - want).abs().max():.1e}",
    )
    expect.follows_device(student.rotary_embedding, words(), POSITIONS)
    expect.inputs_unchanged(student, student.rotary_embedding, words(), POSITIONS)


# 6 · alibi_bias


@pytest.mark.exercise("alibi_bias", weight=2)
def test_the_papers_slopes(student):
    """Eight heads: slopes 1/2, 1/4, …, 1/256, each times minus the distance; −∞ above the diagonal."""
    got = student.alibi_bias(8, 3)
    expect.close(got, linear_biases(8, 3), where="8 heads and 3 positions")


@pytest.mark.exercise("alibi_bias", weight=1)
@pytest.mark.parametrize("n_heads, n_positions", [(4, 7), (2, 5)])
def test_the_slopes_follow_the_number_of_heads(student, n_heads, n_positions):
    """Slopes 2^(−8h/H) for h = 1 … H."""
    expect.close(
        student.alibi_bias(n_heads, n_positions), linear_biases(n_heads, n_positions), where=f"{n_heads} heads and {n_positions} positions"
    )


@pytest.mark.exercise("alibi_bias", weight=0.5)
@pytest.mark.trivial
def test_other_numbers_of_heads_are_refused(student):
    """A number of heads that is no power of two is a ValueError that names n_heads."""
    expect.raises(ValueError, student.alibi_bias, 6, 4, naming="n_heads", where="n_heads = 6")


# 7 · relative_position_bucket


@pytest.mark.exercise("relative_position_bucket", weight=2)
def test_the_worked_buckets(student):
    """5 words back: 5. 20 back: 10. 20 ahead: 26. 200 back: 15; the word itself: 0."""
    offsets = torch.tensor([-5, -20, 20, -200, 0, 1, -1])
    buckets_are(student.relative_position_bucket(offsets), torch.tensor([5, 10, 26, 15, 0, 17, 1]), "offsets [−5, −20, 20, −200, 0, 1, −1]")


@pytest.mark.exercise("relative_position_bucket", weight=2)
def test_buckets_of_many_offsets(student):
    """Exact near by, logarithmic far away, all beyond max_distance in the last bucket, on both sides."""
    offsets = torch.tensor([r for r in range(-300, 301) if abs(r) not in (16, 32, 64)])
    buckets_are(student.relative_position_bucket(offsets), buckets(offsets), "offsets −300 … 300")


@pytest.mark.exercise("relative_position_bucket", weight=1)
def test_other_tables(student):
    """Other numbers of buckets and another max_distance; offsets of any shape."""
    offsets = torch.arange(11)[None, :] * 7 - torch.arange(6)[:, None] * 11
    want = buckets(offsets, 20, 50)
    buckets_are(student.relative_position_bucket(offsets, 20, 50), want, "offsets (6, 11), n_buckets = 20, max_distance = 50")
    named = student.relative_position_bucket(relative_position=offsets, n_buckets=20, max_distance=50)
    buckets_are(named, want, "the same with named arguments")
    offsets = torch.arange(-1100, 1101, 13)
    buckets_are(
        student.relative_position_bucket(offsets, 40, 1000),
        buckets(offsets, 40, 1000),
        "offsets −1100 … 1100, n_buckets = 40, max_distance = 1000",
    )


@pytest.mark.exercise("relative_position_bucket", weight=0.5)
@pytest.mark.trivial
def test_buckets_are_well_behaved(student):
    """On the device of the offsets, which stay as they are."""
    offsets = torch.arange(-20, 21)
    expect.follows_device(student.relative_position_bucket, offsets)
    expect.inputs_unchanged(student, student.relative_position_bucket, offsets)


# Stretch · interpolated_rotary


@pytest.mark.exercise("interpolated_rotary", weight=1)
def test_positions_are_squeezed(student):
    """Trained on 5 positions and extended to 20: position m turns like m / 4."""
    want = turn(words(), POSITIONS / 4)
    expect.close(student.interpolated_rotary(words(), POSITIONS, 5, 20), want, where="trained_length 5, extended_length 20")
    expect.close(
        student.interpolated_rotary(words(), POSITIONS, 5, 20, 50.0), turn(words(), POSITIONS / 4, 50.0), where="the same with base = 50"
    )


@pytest.mark.exercise("interpolated_rotary", weight=1)
def test_short_texts_are_left_alone(student):
    """Positions are never stretched: an extended_length up to the trained one changes nothing."""
    for extended in (13, 20):
        want = turn(words(), POSITIONS)
        expect.close(
            student.interpolated_rotary(words(), POSITIONS, 20, extended), want, where=f"trained_length 20, extended_length {extended}"
        )
