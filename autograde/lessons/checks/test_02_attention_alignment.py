"""The public checks of lesson 02: students have this file too.

Expected values come from PyTorch (`F.softmax`, `F.cosine_similarity`, `F.bilinear`, `nn.GRUCell`, …) and from the papers' sums, written
out position by position; see `autograde.checking.expected`.
"""

import math

import pytest
import torch

from autograde.checking import expect
from autograde.checking.expected import oracles

SCORES = expect.randn(2, 3, 5, seed=200, scale=2.0)
MASK = torch.tensor([[[1, 1, 0, 1, 0], [0, 1, 1, 1, 1], [0, 0, 0, 0, 0]], [[1, 0, 0, 0, 1], [1, 1, 1, 1, 1], [0, 0, 1, 0, 0]]]).bool()
S, H = expect.randn(2, 4, seed=201), expect.randn(2, 6, 4, seed=202)  # one space: cosine, dot and scaled dot product
WIDE_H = expect.randn(2, 6, 3, seed=203)  # another width than the decoder's
W_ADD, V_ADD = expect.randn(5, 7, seed=204), expect.randn(5, seed=205, scale=1.5)
W_LOC, W_GEN = expect.randn(6, 4, seed=206), expect.randn(4, 3, seed=207)
W_P, V_P = expect.randn(5, 4, seed=208), expect.randn(5, seed=209)
LOCAL_SCORES = expect.randn(3, 9, seed=210, scale=1.5)
POSITION = torch.tensor([4.0, 1.3, 7.6])
LOCAL_MASK = torch.tensor([[1, 1, 1, 1, 0, 1, 1, 1, 1], [1, 0, 1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1, 1, 1, 0]]).bool()


softmax, mix, additive, cosine, general = oracles(__file__, "softmax", "mix", "additive", "cosine", "general")
dot, scaled_dot, location, place, local = oracles(__file__, "dot", "scaled_dot", "location", "place", "local")
attend, decode, monotonic = oracles(__file__, "attend", "decode", "monotonic")


def random_state(shapes, seed):
    return {name: expect.randn(*shape, seed=seed + i, scale=0.9) for i, (name, shape) in enumerate(shapes.items())}


def attention_shapes(d_s, d_h, d_a):
    return {"w_a": (d_a, d_s + d_h), "v_a": (d_a,)}


def cell_shapes(d_embed, d_hidden, d_source, d_a):
    inner = {f"attention.{name}": shape for name, shape in attention_shapes(d_hidden, d_source, d_a).items()}
    gates = 3 * d_hidden
    return inner | {
        "rnn.weight_ih": (gates, d_embed + d_source),
        "rnn.weight_hh": (gates, d_hidden),
        "rnn.bias_ih": (gates,),
        "rnn.bias_hh": (gates,),
    }


def loaded(make, sizes, shapes, seed):
    """A student's module holding known weights, and the weights."""
    weights = random_state(shapes(*sizes), seed)
    module = make(*sizes)
    module.load_state_dict(weights)
    return module, weights


def has_parameters(module, shapes, name):
    got = {key: tuple(value.shape) for key, value in module.state_dict().items()}
    for key, shape in shapes.items():
        expect.true(
            got.get(key) == shape, f"{name} needs `{key}` of shape {shape}", f"its parameters are {got}" if got else "it has no parameters"
        )
    extra = sorted(set(got) - set(shapes))
    expect.true(not extra, f"{name} has parameters that it should not have", ", ".join(extra))


def well_behaved(student, function, oracle, *args, where):
    """What every differentiable exercise keeps: its inputs, gradients, dtype, device."""
    args = tuple(x.clone() if isinstance(x, torch.Tensor) else x for x in args)  # an answer that writes into them spoils no other test
    expect.inputs_unchanged(student, function, *args)
    expect.gradients(student, function, args, oracle, where=where)
    expect.keeps_dtype(function, *args)
    expect.precise(function, oracle, *args, where=where)
    expect.follows_device(function, *args)


def probe_weights(student):
    """Plain, masked, large, far apart, and large where the mask is False."""
    large = torch.tensor([[900.0, 901.0, 899.0], [-900.0, -902.0, -901.0]])
    return (
        student.alignment_weights(SCORES[0].clone()),
        student.alignment_weights(SCORES[0].clone(), MASK[0]),
        student.alignment_weights(large.clone()),
        student.alignment_weights(torch.tensor([-200.0, 0.0, 1.0])),
        student.alignment_weights(torch.tensor([2.0, 500.0, 1.0]), torch.tensor([True, False, True])),
    )


PROBES = {
    "alignment_weights": probe_weights,
    "context_vector": lambda student: student.context_vector(SCORES[0, :2], expect.randn(2, 5, 4, seed=211)),
    "content_based_score": lambda student: student.content_based_score(S, H),
    "additive_score": lambda student: student.additive_score(S, WIDE_H, W_ADD, V_ADD),
    "location_score": lambda student: student.location_score(S, W_LOC),
    "general_score": lambda student: student.general_score(S, WIDE_H, W_GEN),
    "dot_score": lambda student: student.dot_score(S, H),
    "scaled_dot_score": lambda student: student.scaled_dot_score(S, H),
    "predict_position": lambda student: student.predict_position(S, W_P, V_P, torch.tensor([9, 5])),
    "local_attention_weights": lambda student: (
        student.local_attention_weights(LOCAL_SCORES, POSITION, 2),
        student.local_attention_weights(LOCAL_SCORES, POSITION, 2, LOCAL_MASK),
    ),
    "AdditiveAttention": lambda student: loaded(student.AdditiveAttention, (4, 3, 5), attention_shapes, 220)[0](
        S, WIDE_H, MASK[0, :2, [0, 1, 2, 3, 4, 0]]
    ),
    "AttentionDecoderCell": lambda student: loaded(student.AttentionDecoderCell, (2, 4, 3, 5), cell_shapes, 230)[0](
        expect.randn(2, 2, seed=240), S, WIDE_H, MASK[0, :2, [0, 1, 2, 3, 4, 0]]
    ),
    "monotonic_local_weights": lambda student: student.monotonic_local_weights(expect.randn(6, 5, seed=241, scale=1.5), 1),
}


# 1 · alignment_weights


@pytest.mark.exercise("alignment_weights", weight=2)
@pytest.mark.parametrize("batch", [(), (4,), (3, 2)])
def test_the_weights_are_a_softmax_over_the_source(student, batch):
    """exp(score) divided by the sum of exp(score) over the source."""
    scores = expect.randn(*batch, 5, seed=1, scale=2.0)
    expect.close(student.alignment_weights(scores), softmax(scores), where=f"scores {(*batch, 5)}")


@pytest.mark.exercise("alignment_weights", weight=2)
def test_masked_positions_get_no_weight(student):
    """Where the mask is False the weight is 0, and the others sum to one."""
    scores, mask = SCORES[:, :2].clone(), MASK[:, :2]
    expect.close(student.alignment_weights(scores, mask), softmax(scores, mask), where="scores (2, 2, 5) and a mask of that shape")
    scores, mask = torch.tensor([0.0, 1.0, 0.0, -1.0]), torch.tensor([True, True, False, True])
    want = torch.tensor([0.244728, 0.665241, 0.0, 0.090031])  # 1, e, nothing and 1/e, over their sum
    expect.close(student.alignment_weights(scores, mask), want, where="scores 0, 1, 0, −1, the third hidden (a score of 0 is a score)")


@pytest.mark.exercise("alignment_weights", weight=1)
def test_nothing_to_attend_to_gives_zeros(student):
    """A row whose mask is all False has zero weights, never NaN."""
    expect.close(student.alignment_weights(SCORES.clone(), MASK), softmax(SCORES, MASK), where="a mask whose row [0, 2] is all False")


@pytest.mark.exercise("alignment_weights", weight=1)
def test_large_scores_do_not_overflow(student):
    """Scores in the thousands, of either sign, give finite and right weights."""
    scores = torch.tensor([[3000.0, 3001.0, 2990.0], [-5000.0, -5002.0, -4999.0]])
    expect.close(student.alignment_weights(scores), softmax(scores), where="scores near 3000 in one row and near −5000 in the other")
    scores, mask = torch.tensor([[2.0, 5000.0, 1.0], [-3000.0, -3001.0, 0.0]]), torch.tensor([[1, 0, 1], [1, 1, 0]]).bool()
    expect.close(student.alignment_weights(scores, mask), softmax(scores, mask), where="hidden scores thousands above the others")


@pytest.mark.exercise("alignment_weights", weight=1)
def test_alignment_weights_are_well_behaved(student):
    """Differentiable, float64 kept, on the inputs' device, inputs unchanged."""
    well_behaved(student, student.alignment_weights, softmax, SCORES[:, :2], MASK[:, :2], where="scores (2, 2, 5) with a mask")
    expect.follows_device(student.alignment_weights, SCORES)


# 2 · context_vector


@pytest.mark.exercise("context_vector", weight=2)
@pytest.mark.parametrize("batch", [(), (3,), (1,), (4, 2)])
def test_the_context_is_a_weighted_sum_of_states(student, batch):
    """c = Σᵢ αᵢ hᵢ, for each element of the batch."""
    weights, h = expect.rand(*batch, 5, seed=2), expect.randn(*batch, 5, 6, seed=3)
    expect.close(student.context_vector(weights, h), mix(weights, h), where=f"weights {(*batch, 5)} and h {(*batch, 5, 6)}")


@pytest.mark.exercise("context_vector", weight=1)
def test_the_context_is_well_behaved(student):
    """Differentiable, float64 kept, on the inputs' device, inputs unchanged."""
    args = expect.rand(2, 5, seed=4), expect.randn(2, 5, 3, seed=5)
    well_behaved(student, student.context_vector, mix, *args, where="weights (2, 5) and h (2, 5, 3)")


# 3 · content_based_score


@pytest.mark.exercise("content_based_score", weight=2)
@pytest.mark.parametrize("batch", [(), (3,), (2, 4)])
def test_the_score_is_the_cosine(student, batch):
    """s·hᵢ divided by the lengths of both."""
    s, h = expect.randn(*batch, 6, seed=6), expect.randn(*batch, 5, 6, seed=7)
    expect.close(student.content_based_score(s, h), cosine(s, h), where=f"s {(*batch, 6)} and h {(*batch, 5, 6)}")


@pytest.mark.exercise("content_based_score", weight=1)
def test_a_zero_vector_scores_zero(student):
    """A zero state, in the source or in the decoder, scores 0, not NaN."""
    h = H.clone()
    h[0, 2] = 0
    expect.close(student.content_based_score(S, h), cosine(S, h), where="an h whose state [0, 2] is zero")
    expect.close(student.content_based_score(torch.zeros(4), H[0]), torch.zeros(6), where="s = 0")


@pytest.mark.exercise("content_based_score", weight=0.5)
def test_short_vectors_have_a_direction(student):
    """Vectors a thousand times shorter have the same cosine."""
    expect.close(
        student.content_based_score(S / 1000, H / 1000), cosine(S, H), where="s (2, 4) and h (2, 6, 4), divided by 1,000", atol=1e-4
    )


@pytest.mark.exercise("content_based_score", weight=1)
def test_the_cosine_is_well_behaved(student):
    """Differentiable, float64 kept, on the inputs' device, inputs unchanged."""
    well_behaved(student, student.content_based_score, cosine, S, H, where="s (2, 4) and h (2, 6, 4)")


# 4 · additive_score


@pytest.mark.exercise("additive_score", weight=1)
def test_bahdanaus_score_of_one_state(student):
    """A score worked by hand: W_a picks s₀ and h₁, v_a weighs their tanh."""
    w_a, v_a = torch.tensor([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]), torch.tensor([2.0, -3.0])
    s, h = torch.tensor([0.5, 9.0]), torch.tensor([[9.0, 1.0], [9.0, -1.0], [0.0, 0.25]])
    want = torch.tensor([2 * math.tanh(0.5) - 3 * math.tanh(x) for x in (1.0, -1.0, 0.25)])
    expect.close(student.additive_score(s, h, w_a, v_a), want, where="s (2,), h (3, 2), W_a (2, 4)")


@pytest.mark.exercise("additive_score", weight=2)
@pytest.mark.parametrize("batch", [(), (3,), (1,), (2, 4)])
def test_the_additive_score(student, batch):
    """v_aᵀ tanh(W_a [s; hᵢ]), s before hᵢ."""
    s, h = expect.randn(*batch, 4, seed=8), expect.randn(*batch, 6, 3, seed=9)
    want = additive(s, h, W_ADD, V_ADD)
    expect.close(student.additive_score(s, h, W_ADD, V_ADD), want, where=f"s {(*batch, 4)}, h {(*batch, 6, 3)}, W_a (5, 7)")
    s, h = expect.randn(*batch, 2, seed=25), expect.randn(*batch, 6, 5, seed=26)
    want = additive(s, h, W_ADD, V_ADD)
    expect.close(student.additive_score(s, h, W_ADD, V_ADD), want, where=f"s {(*batch, 2)}, h {(*batch, 6, 5)}, W_a (5, 7)")


@pytest.mark.exercise("additive_score", weight=1)
def test_the_additive_score_is_well_behaved(student):
    """Differentiable in all four arguments, float64 kept, on the inputs' device, inputs unchanged."""
    well_behaved(student, student.additive_score, additive, S, WIDE_H, W_ADD, V_ADD, where="s (2, 4), h (2, 6, 3)")


# 5 · location_score


@pytest.mark.exercise("location_score", weight=2)
@pytest.mark.parametrize("batch", [(), (3,), (2, 5)])
def test_the_location_score_reads_only_the_decoder(student, batch):
    """W_a s: one score for each of the n positions."""
    s = expect.randn(*batch, 4, seed=10)
    expect.close(student.location_score(s, W_LOC), location(s, W_LOC), where=f"s {(*batch, 4)} and W_a (6, 4)")


@pytest.mark.exercise("location_score", weight=1)
def test_the_location_score_is_well_behaved(student):
    """Differentiable, float64 kept, on the inputs' device, inputs unchanged."""
    well_behaved(student, student.location_score, location, S, W_LOC, where="s (2, 4) and W_a (6, 4)")


# 6 · general_score


@pytest.mark.exercise("general_score", weight=2)
@pytest.mark.parametrize("batch", [(), (3,), (2, 5)])
def test_the_general_score(student, batch):
    """sᵀ W_a hᵢ, for states of different widths."""
    s, h = expect.randn(*batch, 4, seed=11), expect.randn(*batch, 6, 3, seed=12)
    expect.close(student.general_score(s, h, W_GEN), general(s, h, W_GEN), where=f"s {(*batch, 4)}, h {(*batch, 6, 3)}, W_a (4, 3)")
    h, w_a = expect.randn(*batch, 6, 4, seed=27), expect.randn(4, 4, seed=28)
    expect.close(student.general_score(s, h, w_a), general(s, h, w_a), where=f"s {(*batch, 4)}, h {(*batch, 6, 4)} and a square W_a")


@pytest.mark.exercise("general_score", weight=1)
def test_the_general_score_is_well_behaved(student):
    """Differentiable in all three arguments, float64 kept, on the inputs' device, inputs unchanged."""
    well_behaved(student, student.general_score, general, S, WIDE_H, W_GEN, where="s (2, 4), h (2, 6, 3), W_a (4, 3)")


# 7 · dot_score and 8 · scaled_dot_score


@pytest.mark.exercise("dot_score", weight=2)
@pytest.mark.parametrize("batch", [(), (3,), (1, 4)])
def test_the_dot_score(student, batch):
    """s · hᵢ."""
    s, h = expect.randn(*batch, 7, seed=13), expect.randn(*batch, 5, 7, seed=14)
    expect.close(student.dot_score(s, h), dot(s, h), where=f"s {(*batch, 7)} and h {(*batch, 5, 7)}")


@pytest.mark.exercise("dot_score", weight=1)
def test_the_dot_score_is_well_behaved(student):
    """Differentiable, float64 kept, on the inputs' device, inputs unchanged."""
    well_behaved(student, student.dot_score, dot, S, H, where="s (2, 4) and h (2, 6, 4)")


@pytest.mark.exercise("scaled_dot_score", weight=2)
@pytest.mark.parametrize("batch", [(), (3,), (2, 4)])
def test_the_scaled_dot_score(student, batch):
    """s · hᵢ divided by the square root of the source states' width."""
    s, h = expect.randn(*batch, 7, seed=15), expect.randn(*batch, 5, 7, seed=16)
    expect.close(student.scaled_dot_score(s, h), scaled_dot(s, h), where=f"s {(*batch, 7)} and h {(*batch, 5, 7)}")


@pytest.mark.exercise("scaled_dot_score", weight=1)
def test_the_scaled_dot_score_is_well_behaved(student):
    """Differentiable, float64 kept, on the inputs' device, inputs unchanged."""
    well_behaved(student, student.scaled_dot_score, scaled_dot, S, H, where="s (2, 4) and h (2, 6, 4)")


# 9 · predict_position


@pytest.mark.exercise("predict_position", weight=1)
def test_an_undecided_predictor_points_at_the_middle(student):
    """With v_p = 0 the sigmoid is one half, so the position is half the length."""
    got = student.predict_position(S, W_P, torch.zeros(5), torch.tensor([9, 5]))
    expect.close(got, torch.tensor([4.5, 2.5]), where="v_p = 0 and lengths 9 and 5")


@pytest.mark.exercise("predict_position", weight=2)
@pytest.mark.parametrize("batch", [(), (3,), (2, 4)])
def test_the_predicted_position(student, batch):
    """length · sigmoid(v_pᵀ tanh(W_p s)), each with its own length."""
    s = expect.randn(*batch, 4, seed=17)
    lengths = torch.arange(math.prod(batch)).reshape(batch) * 3 + 5
    want = place(s, W_P, V_P, lengths)
    expect.close(student.predict_position(s, W_P, V_P, lengths), want, where=f"s {(*batch, 4)}, W_p (5, 4), lengths {lengths.tolist()}")


@pytest.mark.exercise("predict_position", weight=1)
def test_the_predicted_position_is_well_behaved(student):
    """Differentiable in s, w_p and v_p, float64 kept, on the inputs' device, inputs unchanged."""
    well_behaved(student, student.predict_position, place, S, W_P, V_P, torch.tensor([9, 5]), where="s (2, 4), lengths 9 and 5")


# 10 · local_attention_weights


@pytest.mark.exercise("local_attention_weights", weight=1)
def test_equal_scores_show_the_window_and_the_gaussian(student):
    """With equal scores, D = 2 and p = 3: a fifth each for positions 1 to 5, times the Gaussian with σ = 1."""
    gaussian = [math.exp(-0.5 * d * d) / 5 if abs(d) <= 2 else 0.0 for d in range(-3, 5)]
    got = student.local_attention_weights(torch.full((8,), 0.7), torch.tensor(3.0), 2)
    expect.close(got, torch.tensor(gaussian), where="8 equal scores, position 3, half_width 2")


@pytest.mark.exercise("local_attention_weights", weight=2)
@pytest.mark.parametrize("half_width", [1, 2, 3])
def test_local_weights(student, half_width):
    """A softmax inside the window [p − D, p + D], times the Gaussian with σ = D/2."""
    want = local(LOCAL_SCORES, POSITION, half_width)
    expect.close(
        student.local_attention_weights(LOCAL_SCORES, POSITION, half_width),
        want,
        where=f"positions 4, 1.3 and 7.6 of 9, half_width {half_width}",
    )


@pytest.mark.exercise("local_attention_weights", weight=1)
def test_local_weights_of_one_and_of_many(student):
    """No batch dimension, and two."""
    for batch in ((), (2, 3)):
        scores, position = expect.randn(*batch, 7, seed=18), expect.rand(*batch, seed=19) * 7
        expect.close(student.local_attention_weights(scores, position, 2), local(scores, position, 2), where=f"scores {(*batch, 7)}")


@pytest.mark.exercise("local_attention_weights", weight=2)
def test_local_weights_obey_a_mask(student):
    """A position must be inside the window and allowed by the mask; the softmax runs over those."""
    want = local(LOCAL_SCORES, POSITION, 2, LOCAL_MASK)
    expect.close(
        student.local_attention_weights(LOCAL_SCORES, POSITION, 2, LOCAL_MASK), want, where="scores (3, 9), half_width 2 and a mask"
    )
    mask = LOCAL_MASK & (torch.arange(9) > 4)  # leaves one position of the first window, none of the second
    want = local(LOCAL_SCORES, POSITION, 1, mask)
    got = student.local_attention_weights(LOCAL_SCORES, POSITION, 1, mask)
    expect.close(got, want, where="scores (3, 9), half_width 1 and a mask that leaves nothing of the window around 1.3")


@pytest.mark.exercise("local_attention_weights", weight=1)
def test_local_weights_are_well_behaved(student):
    """Differentiable in the scores and in the position, float64 kept, on the inputs' device, inputs unchanged."""
    args = (LOCAL_SCORES, torch.tensor([4.2, 1.3, 7.6]), 2)
    well_behaved(student, student.local_attention_weights, local, *args, where="positions 4.2, 1.3 and 7.6 of 9, half_width 2")


# 11 · AdditiveAttention


@pytest.mark.exercise("AdditiveAttention", weight=1)
def test_the_attention_has_its_two_parameters(student):
    """`w_a` (d_a, d_s + d_h) and `v_a` (d_a,), with numbers that differ."""
    module = student.AdditiveAttention(4, 3, 5)
    has_parameters(module, attention_shapes(4, 3, 5), "AdditiveAttention(4, 3, 5)")
    w_a = module.state_dict()["w_a"]
    expect.true(w_a.isfinite().all(), "`w_a` starts with numbers that are not finite; initialise it")
    expect.true(w_a.std() > 1e-8, "`w_a` starts with all entries equal, so all its rows would learn the same; initialise it at random")


@pytest.mark.exercise("AdditiveAttention", weight=2)
@pytest.mark.parametrize("batch", [(), (3,), (2, 4)])
def test_the_attention_attends(student, batch):
    """With given parameters: the context, and the weights."""
    module, weights = loaded(student.AdditiveAttention, (4, 3, 5), attention_shapes, 250)
    s, h = expect.randn(*batch, 4, seed=20), expect.randn(*batch, 6, 3, seed=21)
    expect.close(module(s, h), attend(weights, s, h), where=f"AdditiveAttention(4, 3, 5), s {(*batch, 4)} and h {(*batch, 6, 3)}")


@pytest.mark.exercise("AdditiveAttention", weight=1)
def test_the_attention_obeys_its_mask(student):
    """Masked positions have no weight and are not in the context."""
    module, weights = loaded(student.AdditiveAttention, (4, 3, 5), attention_shapes, 260)
    mask = torch.tensor([[1, 1, 1, 1, 0, 0], [1, 0, 1, 1, 1, 0]]).bool()
    expect.close(module(S, WIDE_H, mask), attend(weights, S, WIDE_H, mask), where="AdditiveAttention(4, 3, 5) and a mask (2, 6)")


@pytest.mark.exercise("AdditiveAttention", weight=1)
def test_the_attention_can_be_trained(student):
    """The gradients in `w_a` and `v_a` are PyTorch's."""
    module, weights = loaded(student.AdditiveAttention, (4, 3, 5), attention_shapes, 270)
    cotangent = expect.randn(2, 3, seed=22), None
    expect.parameter_gradients(student, module, (S, WIDE_H), cotangent, attend, weights, where="s (2, 4) and h (2, 6, 3)")


# 12 · AttentionDecoderCell


@pytest.mark.exercise("AttentionDecoderCell", weight=1)
def test_the_cell_has_its_two_parts(student):
    """`attention` (AdditiveAttention) and `rnn` (nn.GRUCell whose input is as wide as embedding and context together)."""
    has_parameters(student.AttentionDecoderCell(2, 4, 3, 5), cell_shapes(2, 4, 3, 5), "AttentionDecoderCell(2, 4, 3, 5)")


@pytest.mark.exercise("AttentionDecoderCell", weight=3)
@pytest.mark.parametrize("batch", [(3,), ()])
def test_the_cell_takes_one_step(student, batch):
    """The previous state looks at the source; the GRU reads [embedding; context]."""
    cell, weights = loaded(student.AttentionDecoderCell, (2, 4, 3, 5), cell_shapes, 280)
    args = expect.randn(*batch, 2, seed=23), expect.randn(*batch, 4, seed=24), expect.randn(*batch, 6, 3, seed=25)
    expect.close(cell(*args), decode(weights, *args), where=f"embedding {(*batch, 2)}, state {(*batch, 4)}, h {(*batch, 6, 3)}")


@pytest.mark.exercise("AttentionDecoderCell", weight=1)
def test_the_cell_obeys_its_mask(student):
    """The mask reaches the attention."""
    cell, weights = loaded(student.AttentionDecoderCell, (2, 4, 3, 5), cell_shapes, 290)
    args = expect.randn(2, 2, seed=26), S, WIDE_H, torch.tensor([[1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 0]]).bool()
    expect.close(cell(*args), decode(weights, *args), where="a batch of 2 with a mask (2, 6)")


@pytest.mark.exercise("AttentionDecoderCell", weight=1)
def test_the_cell_can_be_trained(student):
    """Gradients reach the GRU and, through the context, the attention."""
    cell, weights = loaded(student.AttentionDecoderCell, (2, 4, 3, 5), cell_shapes, 300)
    args, cotangent = (expect.randn(2, 2, seed=27), S, WIDE_H), (expect.randn(2, 4, seed=28), None)
    expect.parameter_gradients(student, cell, args, cotangent, decode, weights, where="a batch of 2")


# Stretch · monotonic_local_weights


@pytest.mark.exercise("monotonic_local_weights", weight=2)
@pytest.mark.parametrize("half_width", [0, 1, 2])
def test_step_t_looks_around_position_t(student, half_width):
    """A softmax over the positions t − D … t + D, without a Gaussian."""
    scores = expect.randn(2, 6, 5, seed=29, scale=1.5)
    want = monotonic(scores, half_width)
    expect.close(student.monotonic_local_weights(scores, half_width), want, where=f"scores (2, 6, 5), half_width {half_width}")


@pytest.mark.exercise("monotonic_local_weights", weight=1)
def test_monotonic_weights_are_well_behaved(student):
    """Differentiable, float64 kept, on the inputs' device, inputs unchanged; steps past the window's reach are zero."""
    scores = expect.randn(7, 4, seed=30)
    well_behaved(student, student.monotonic_local_weights, monotonic, scores, 1, where="7 steps over a source of 4, half_width 1")
