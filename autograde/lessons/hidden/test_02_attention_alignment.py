"""The hidden checks of lesson 02: other sizes, edges and magnitudes than the public ones.

Oracles stand here again, so that this file needs nothing but pytest, PyTorch and `expect`.
"""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from autograde.checking import expect
from autograde.grader.run.symmetries import Reversed, Scaled

SYMMETRIES = {
    "alignment_weights": [Reversed({0: -1, 1: -1}, -1)],
    "additive_score": [Scaled((3,))],
}


def softmax(scores, mask=None):
    """PyTorch's softmax; a row without any allowed position is zero, and so is its gradient."""
    if mask is None:
        return F.softmax(scores, dim=-1)
    mask = mask.expand_as(scores)
    return F.softmax(scores.masked_fill(~mask & mask.any(-1, keepdim=True), -math.inf), dim=-1) * mask


def additive(s, h, w_a, v_a):
    rows = [F.linear(torch.tanh(F.linear(torch.cat([s, h_i], dim=-1), w_a)), v_a[None])[..., 0] for h_i in h.unbind(-2)]
    return torch.stack(rows, dim=-1)


def attend(s, h, w_a, v_a, mask=None):
    weights = softmax(additive(s, h, w_a, v_a), mask)
    return torch.einsum("...n,...nd->...d", weights, h), weights


def local(scores, position, half_width, mask=None):
    """Luong et al. (2015), position by position."""
    out = torch.zeros_like(scores)
    for index in range(position.numel()):
        row, p = scores.reshape(-1, scores.shape[-1])[index], float(position.reshape(-1)[index])
        allowed = mask.reshape(-1, scores.shape[-1])[index] if mask is not None else torch.ones_like(row).bool()
        near = [i for i in range(len(row)) if p - half_width <= i <= p + half_width and allowed[i]]
        if near:
            shares = F.softmax(row[near], dim=-1)
            for share, i in zip(shares, near):
                out.view(-1, len(row))[index, i] = share * math.exp(-((i - p) ** 2) / (2 * (half_width / 2) ** 2))
    return out


def well_formed(student, function, *args):
    expect.keeps_dtype(function, *args)
    expect.inputs_unchanged(student, function, *args)


# 1 · alignment_weights


@pytest.mark.exercise("alignment_weights", weight=1)
@pytest.mark.trivial
def test_one_position_takes_everything(student):
    """A source of length 1 gets the weight 1, whatever its score."""
    expect.close(student.alignment_weights(torch.tensor([[-7.0], [900.0]])), torch.ones(2, 1), where="a source of one position")


@pytest.mark.exercise("alignment_weights", weight=1)
def test_only_what_is_allowed_sets_the_scale(student):
    """A huge score at a masked position does not drown the allowed ones."""
    scores = torch.tensor([[2.0, 5000.0, 1.0, -1.0], [-3000.0, -3001.0, 0.0, 400.0]])
    for mask in (torch.tensor([[1, 0, 1, 1], [1, 1, 0, 0]]).bool(), torch.tensor([[1, 0, 0, 1], [0, 1, 1, 0]]).bool()):
        expect.close(
            student.alignment_weights(scores, mask), softmax(scores, mask), where="a masked score thousands above the allowed ones"
        )


@pytest.mark.exercise("alignment_weights", weight=1)
def test_each_row_has_its_own_scale(student):
    """Rows whose scores differ by thousands do not disturb each other."""
    scores = expect.randn(3, 2, 7, seed=500) + torch.tensor([-4000.0, 0.0, 2500.0])[:, None, None]
    expect.close(student.alignment_weights(scores), softmax(scores), where="three batches of scores around −4000, 0 and 2500", rtol=1e-3)


@pytest.mark.exercise("alignment_weights", weight=1)
def test_no_gradient_is_nan(student):
    """A row without any allowed position has a zero gradient, and the other rows have theirs."""
    mask = torch.tensor([[0, 0, 0, 0, 0], [1, 0, 1, 1, 0], [0, 1, 0, 0, 0]]).bool()
    expect.gradients(
        student, student.alignment_weights, (expect.randn(3, 5, seed=501), mask), softmax, where="a mask with an all-False row"
    )


@pytest.mark.exercise("alignment_weights", weight=0.5)
def test_one_mask_for_the_whole_batch(student):
    """A mask (n,) broadcasts over a batch of scores, as in PyTorch's attention."""
    scores, mask = expect.randn(4, 3, 6, seed=502, scale=2.0), torch.tensor([1, 0, 1, 1, 0, 1]).bool()
    expect.close(student.alignment_weights(scores, mask), softmax(scores, mask), where="scores of a batch and one mask for all of it")


@pytest.mark.exercise("alignment_weights", weight=0.5)
@pytest.mark.trivial
@pytest.mark.parametrize("batch", [(), (3,), (2, 1)])
def test_nothing_is_allowed_anywhere(student, batch):
    """Where the mask allows nothing in any row all weights are 0, whether there is one row or a batch."""
    scores, mask = expect.randn(*batch, 5, seed=505), torch.zeros(*batch, 5).bool()
    expect.close(student.alignment_weights(scores, mask), torch.zeros(*batch, 5), where="a mask that allows nothing at all")


@pytest.mark.exercise("alignment_weights", weight=0.5)
def test_weights_in_double_precision(student):
    """float64 scores give weights exact to float64, also under a mask."""
    scores, mask = expect.randn(2, 9, seed=503, dtype=torch.float64, scale=30.0), torch.arange(9) % 4 != 1
    expect.close(
        student.alignment_weights(scores, mask.expand(2, 9)), softmax(scores, mask), where="float64 scores of scale 30 with a mask"
    )


@pytest.mark.exercise("alignment_weights", weight=0.5)
def test_a_long_source_and_a_huge_masked_score(student):
    """1,100 positions; a masked score 100,000 above the allowed ones."""
    scores = expect.randn(2, 1100, seed=504)
    expect.close(student.alignment_weights(scores), softmax(scores), where="a source of 1,100 positions")
    scores, mask = torch.tensor([[-90000.0, 12000.0, -90001.0]], dtype=torch.float64), torch.tensor([[True, False, True]])
    expect.close(student.alignment_weights(scores, mask), softmax(scores, mask), where="a masked score 100,000 above the allowed ones")


# 2 · context_vector


@pytest.mark.exercise("context_vector", weight=1)
def test_weights_are_taken_as_they_are(student):
    """Weights that do not sum to one (local attention's) are not normalised; zero weights give a zero context."""
    weights, h = torch.tensor([[0.2, 0.0, 0.3], [0.0, 0.0, 0.0]]), expect.randn(2, 3, 8, seed=504, scale=5.0)
    expect.close(student.context_vector(weights, h), torch.einsum("bn,bnd->bd", weights, h), where="weights that sum to 0.5 and to 0")


@pytest.mark.exercise("context_vector", weight=1)
def test_the_context_of_one_state(student):
    """A source of one state, and a square case in which the two last dimensions of h could be mixed up."""
    h = expect.randn(2, 1, 5, seed=505)
    expect.close(student.context_vector(torch.ones(2, 1), h), h[:, 0], where="a source of one state")
    weights, h = expect.rand(3, 4, seed=506), expect.randn(3, 4, 4, seed=507)
    expect.close(student.context_vector(weights, h), torch.einsum("bn,bnd->bd", weights, h), where="as many states as each has numbers")


@pytest.mark.exercise("context_vector", weight=0.5)
def test_many_small_weights(student):
    """1,100 even weights: none is too small to count."""
    h = expect.randn(1100, 3, seed=505)
    expect.close(student.context_vector(torch.full((1100,), 1 / 1100), h), h.mean(0), where="1,100 even weights", atol=1e-5)


# 3 · content_based_score


@pytest.mark.exercise("content_based_score", weight=1)
def test_the_cosine_does_not_see_lengths(student):
    """Vectors a thousand times longer, or ten times shorter, have the same cosine."""
    s, h = expect.randn(3, 5, seed=508), expect.randn(3, 8, 5, seed=509)
    want = F.cosine_similarity(s[:, None], h, dim=-1)
    expect.close(student.content_based_score(s * 1000, h / 10), want, where="s a thousand times longer, h ten times shorter")


@pytest.mark.exercise("content_based_score", weight=1)
def test_parallel_opposite_and_zero(student):
    """1 for the same direction, −1 for the opposite one, 0 for a right angle and for a zero vector; n = 1 too."""
    s = torch.tensor([3.0, 4.0])
    h = torch.tensor([[6.0, 8.0], [-0.3, -0.4], [4.0, -3.0], [0.0, 0.0]])
    expect.close(student.content_based_score(s, h), torch.tensor([1.0, -1.0, 0.0, 0.0]), where="known directions")
    expect.close(student.content_based_score(s, h[:1]), torch.ones(1), where="a source of one state")
    expect.close(student.content_based_score(torch.zeros(2, 3), torch.zeros(2, 4, 3)), torch.zeros(2, 4), where="all vectors zero")


@pytest.mark.exercise("content_based_score", weight=1)
def test_short_vectors_have_directions_too(student):
    """Vectors of length 0.001 have the same cosine as long ones."""
    s, h = expect.randn(3, 5, seed=508), expect.randn(3, 8, 5, seed=509)
    want = F.cosine_similarity(s[:, None], h, dim=-1)
    expect.close(student.content_based_score(s / 1000, h / 1000), want, where="vectors a thousand times shorter", rtol=1e-3, atol=1e-4)


@pytest.mark.exercise("content_based_score", weight=0.5)
@pytest.mark.trivial
def test_the_gradient_at_a_zero_vector(student):
    """Next to a zero vector, gradients are finite: one empty state must not stop training."""
    s, h = torch.tensor([[3.0, 4.0], [0.0, 0.0]]), torch.tensor([[[0.0, 0.0], [1.0, 2.0]], [[1.0, 2.0], [0.0, 0.0]]])
    _, grads = student.pullback(student.content_based_score, (s, h), torch.ones(2, 2))
    finite = all(g is None or bool(g.isfinite().all()) for g in grads)
    expect.true(finite, "The gradient is NaN or infinite where a vector is zero: a square root of 0 has no slope")


@pytest.mark.exercise("content_based_score", weight=0.5)
def test_tiny_vectors_have_directions_too(student):
    """Vectors a million times shorter, in float64."""
    s, h = expect.randn(3, 5, seed=510, dtype=torch.float64), expect.randn(3, 8, 5, seed=511, dtype=torch.float64)
    want = F.cosine_similarity(s[:, None], h, dim=-1)
    expect.close(student.content_based_score(s / 1e6, h / 1e6), want, where="vectors a million times shorter", rtol=1e-4, atol=1e-6)


# 4 · additive_score


@pytest.mark.exercise("additive_score", weight=2)
@pytest.mark.parametrize("sizes", [(5, 2, 9), (3, 3, 4), (2, 7, 1)])
def test_the_additive_score_of_other_sizes(student, sizes):
    """Wider and narrower decoders, equal widths, one hidden unit; the scores are far from tanh's linear part."""
    d_s, d_h, d_a = sizes
    s, h = expect.randn(4, d_s, seed=510, scale=2.0), expect.randn(4, 8, d_h, seed=511, scale=2.0)
    w_a, v_a = expect.randn(d_a, d_s + d_h, seed=512), expect.randn(d_a, seed=513)
    expect.close(student.additive_score(s, h, w_a, v_a), additive(s, h, w_a, v_a), where=f"d_s, d_h, d_a = {sizes}")


@pytest.mark.exercise("additive_score", weight=1)
def test_the_additive_score_of_one_state(student):
    """A source of one state, no batch."""
    s, h, w_a, v_a = expect.randn(3, seed=514), expect.randn(1, 2, seed=515), expect.randn(6, 5, seed=516), expect.randn(6, seed=517)
    expect.close(student.additive_score(s, h, w_a, v_a), additive(s, h, w_a, v_a), where="a source of one state")
    well_formed(student, student.additive_score, s, h, w_a, v_a)


# 5 · location_score, 6 · general_score, 7 · dot_score, 8 · scaled_dot_score


@pytest.mark.exercise("location_score", weight=1)
def test_a_square_location_matrix(student):
    """As many positions as the state has numbers: W_a must not be transposed; and one position."""
    s, w_a = expect.randn(2, 3, 5, seed=518), expect.randn(5, 5, seed=519)
    expect.close(student.location_score(s, w_a), torch.einsum("...s,ns->...n", s, w_a), where="a square W_a")
    expect.close(student.location_score(s, w_a[:1]), torch.einsum("...s,ns->...n", s, w_a[:1]), where="one position")


@pytest.mark.exercise("general_score", weight=1)
def test_a_square_general_matrix(student):
    """States of one width: W_a must not be transposed; and a source of one state."""
    s, h, w_a = expect.randn(3, 5, seed=520), expect.randn(3, 7, 5, seed=521), expect.randn(5, 5, seed=522)
    want = torch.einsum("bs,sd,bnd->bn", s, w_a, h)
    expect.close(student.general_score(s, h, w_a), want, where="a square W_a")
    expect.close(student.general_score(s, h[:, :1], w_a), want[:, :1], where="a source of one state")


@pytest.mark.exercise("dot_score", weight=1)
def test_the_dot_score_of_square_sources(student):
    """As many states as numbers in each; a source of one state; batch sizes of 1."""
    s, h = expect.randn(1, 4, seed=523, scale=3.0), expect.randn(1, 4, 4, seed=524, scale=3.0)
    want = torch.einsum("bd,bnd->bn", s, h)
    expect.close(student.dot_score(s, h), want, where="a batch of 1, n = d")
    expect.close(student.dot_score(s[0], h[0, :1]), want[0, :1], where="a source of one state")


@pytest.mark.exercise("scaled_dot_score", weight=1)
def test_the_scale_is_the_width_alone(student):
    """Neither the number of states nor the batch enters the scale."""
    s, h = expect.randn(5, 3, 16, seed=525, scale=4.0), expect.randn(5, 3, 9, 16, seed=526, scale=4.0)
    expect.close(student.scaled_dot_score(s, h), torch.einsum("...d,...nd->...n", s, h) / 4, where="states of width 16, n = 9")
    one = expect.randn(1, 16, seed=527)
    expect.close(student.scaled_dot_score(s[0, 0], one), (one @ s[0, 0]) / 4, where="a source of one state")


# 9 · predict_position


@pytest.mark.exercise("predict_position", weight=1)
def test_positions_stay_within_the_source(student):
    """Saturated predictors point at the ends: 0 and the length."""
    s, w_p = torch.tensor([[20.0], [-20.0]]), torch.tensor([[30.0]])
    got = student.predict_position(s, w_p, torch.tensor([40.0]), torch.tensor([7, 11]))
    expect.close(got, torch.tensor([7.0, 0.0]), where="saturated predictors")


@pytest.mark.exercise("predict_position", weight=1)
def test_positions_of_other_sizes(student):
    """Square W_p, one hidden unit, float64, lengths of two batch dimensions."""
    for d_p, d_s in ((3, 3), (1, 6), (8, 2)):
        s, w_p = expect.randn(2, 5, d_s, seed=528, dtype=torch.float64), expect.randn(d_p, d_s, seed=529, dtype=torch.float64)
        v_p, lengths = expect.randn(d_p, seed=530, dtype=torch.float64), torch.tensor([[1, 30, 7, 8, 9], [12, 2, 5, 40, 100]])
        shares = 1 / (1 + torch.exp(-torch.einsum("p,...p->...", v_p, torch.tanh(torch.einsum("ps,...s->...p", w_p, s)))))
        for n in (lengths, lengths + 3):
            expect.close(student.predict_position(s, w_p, v_p, n), n * shares, where=f"d_p, d_s = {d_p}, {d_s}")


@pytest.mark.exercise("predict_position", weight=0.5)
def test_sure_positions_of_long_sources(student):
    """A large v_p gives the ends of the source, not NaN; lengths of thousands are exact."""
    s, w_p = torch.tensor([[3.0, 0.0], [-3.0, 0.0]], dtype=torch.float64), torch.eye(2, dtype=torch.float64)
    got = student.predict_position(s, w_p, torch.tensor([2000.0, 0.0], dtype=torch.float64), torch.tensor([3001, 5003]))
    expect.close(got, torch.tensor([3001.0, 0.0], dtype=torch.float64), where="a very sure prediction")


# 10 · local_attention_weights


@pytest.mark.exercise("local_attention_weights", weight=1)
@pytest.mark.parametrize("half_width", [1, 4])
def test_the_ends_of_the_window_belong_to_it(student, half_width):
    """With a whole position the window has 2D + 1 places, both ends included."""
    scores = expect.randn(2, 11, seed=531, scale=2.0)
    position = torch.tensor([5.0, 6.0])
    want = local(scores, position, half_width)
    expect.close(student.local_attention_weights(scores, position, half_width), want, where=f"whole positions, half_width {half_width}")


@pytest.mark.exercise("local_attention_weights", weight=1)
def test_windows_that_hang_over_the_ends(student):
    """Positions at 0, near the end and at the end: what is left of the window shares the softmax."""
    scores, position = expect.randn(4, 6, seed=532, scale=2.0), torch.tensor([0.0, 0.4, 5.7, 6.0])
    for mask in (None, torch.arange(6).expand(4, 6) % 3 != 1, torch.arange(6).expand(4, 6) % 3 != 2):
        want, where = local(scores, position, 3, mask), "positions at and near the ends, half_width 3"
        expect.close(student.local_attention_weights(scores, position, 3, mask), want, where=where)


@pytest.mark.exercise("local_attention_weights", weight=1)
def test_a_window_without_any_allowed_position(student):
    """All zeros, never NaN, when the mask forbids the whole window; and no NaN in the gradient."""
    scores, position = expect.randn(2, 8, seed=533), torch.tensor([2.2, 5.0])
    mask = torch.tensor([[0, 0, 0, 0, 1, 1, 1, 1], [1, 1, 1, 1, 1, 0, 1, 1]]).bool()
    expect.close(
        student.local_attention_weights(scores, position, 1, mask),
        local(scores, position, 1, mask),
        where="a mask that forbids a whole window",
    )
    _, grads = student.pullback(student.local_attention_weights, (scores, position, 1, mask), torch.ones(2, 8))
    finite = all(g is not None and bool(g.isfinite().all()) for g in grads[:2])
    expect.true(finite, "The gradients in scores and position must be finite when a window holds nothing")


@pytest.mark.exercise("local_attention_weights", weight=1)
def test_scores_outside_the_window_do_not_matter(student):
    """However large a score outside the window or the mask is, the weights inside stay the same."""
    scores, position = expect.randn(2, 3, 10, seed=534), torch.tensor([[4.5, 2.0, 6.9], [3.1, 7.5, 5.0]])
    want = local(scores, position, 2)
    far = (torch.arange(10.0) - position[..., None]).abs() > 2
    loud = torch.where(far, scores + 3000, scores)
    expect.close(student.local_attention_weights(loud, position, 2), want, where="scores near 3000 outside the window")


@pytest.mark.exercise("local_attention_weights", weight=0.5)
def test_a_source_of_one_position(student):
    """n = 1, under the Gaussian."""
    got = student.local_attention_weights(torch.tensor([[3.0], [3.0]]), torch.tensor([0.0, 0.5]), 1)
    expect.close(got, torch.tensor([[1.0], [math.exp(-0.5)]]), where="a source of one position")


@pytest.mark.exercise("local_attention_weights", weight=0.5)
@pytest.mark.trivial
@pytest.mark.parametrize("half_width", [0, -2])
def test_a_window_needs_a_width(student, half_width):
    """A `half_width` that is not positive is a ValueError."""
    scores, position = expect.randn(5, seed=560), torch.tensor(2.0)
    expect.raises(ValueError, student.local_attention_weights, scores, position, half_width, where=f"half_width = {half_width}")


# 11 · AdditiveAttention


@pytest.mark.exercise("AdditiveAttention", weight=1)
@pytest.mark.parametrize("sizes", [(2, 5, 7), (6, 6, 3)])
def test_the_attention_of_other_sizes(student, sizes):
    """Other widths, a mask with an all-False row, float64."""
    d_s, d_h, d_a = sizes
    weights = {"w_a": expect.randn(d_a, d_s + d_h, seed=535, dtype=torch.float64), "v_a": expect.randn(d_a, seed=536, dtype=torch.float64)}
    module = student.AdditiveAttention(d_s, d_h, d_a)
    module.double()
    module.load_state_dict(weights)
    s, h = expect.randn(3, d_s, seed=537, dtype=torch.float64), expect.randn(3, 4, d_h, seed=538, dtype=torch.float64)
    empty_row = torch.tensor([[1, 1, 0, 1], [0, 0, 0, 0], [0, 1, 0, 0]]).bool()
    for mask in (empty_row, empty_row.flip(0)):
        expect.close(
            module(s, h, mask),
            attend(s, h, weights["w_a"], weights["v_a"], mask),
            where=f"d_s, d_h, d_a = {sizes} and a mask with an empty row",
        )
    module.eval()
    expect.close(module(s, h), attend(s, h, weights["w_a"], weights["v_a"]), where=f"d_s, d_h, d_a = {sizes} in eval mode")


@pytest.mark.exercise("AdditiveAttention", weight=0.5)
def test_two_attentions_do_not_start_alike(student):
    """The parameters are drawn for each new attention and are ready for training."""
    first, second = (student.AdditiveAttention(5, 4, 8).state_dict()["w_a"] for _ in range(2))
    expect.true(not torch.equal(first, second), "Two new AdditiveAttention start with the same `w_a`; draw it at random")
    expect.true(first.abs().max() < 100 and first.std(dim=0).min() > 1e-8, "`w_a` should start with random numbers of moderate size")


@pytest.mark.exercise("AdditiveAttention", weight=0.5)
@pytest.mark.trivial
def test_every_parameter_is_initialised(student):
    """No parameter starts with what happened to lie in memory."""
    # it fills uninitialised memory with NaN; `torch.use_deterministic_algorithms` also imports a compiler, for a second
    deterministic = "torch._C._set_deterministic_algorithms"
    student.new(deterministic, True)
    try:
        state = student.AdditiveAttention(5, 4, 8).state_dict()
    finally:
        student.new(deterministic, False)
    for name, value in state.items():
        expect.true(value.isfinite().all(), f"`{name}` is never initialised: `torch.empty` holds whatever lay in memory")


# 12 · AttentionDecoderCell


def decode(cell_weights, embedding, state, h, mask=None):
    context, weights = attend(state, h, cell_weights["attention.w_a"], cell_weights["attention.v_a"], mask)
    gru = nn.GRUCell(embedding.shape[-1] + h.shape[-1], state.shape[-1]).to(state.dtype)
    parameters = {name[4:]: w for name, w in cell_weights.items() if name.startswith("rnn.")}
    return torch.func.functional_call(gru, parameters, (torch.cat([embedding, context], dim=-1), state)), weights


@pytest.mark.exercise("AttentionDecoderCell", weight=2)
@pytest.mark.parametrize("sizes", [(6, 3, 8, 2), (4, 4, 4, 4)])
def test_a_whole_decoding(student, sizes):
    """Three steps, each from the state of the one before, with a mask; sizes all different and all equal."""
    d_embed, d_hidden, d_source, d_a = sizes
    cell = student.AttentionDecoderCell(d_embed, d_hidden, d_source, d_a)
    cell.double()
    shapes = {name: tuple(value.shape) for name, value in cell.state_dict().items()}
    expect.true(shapes["attention.v_a"] == (d_a,), "The attention of the cell has d_a numbers in its `v_a`", f"d_a is {d_a}")
    weights = {n: expect.randn(*shape, seed=540 + i, dtype=torch.float64) for i, (n, shape) in enumerate(sorted(shapes.items()))}
    cell.load_state_dict(weights)
    h = expect.randn(3, 5, d_source, seed=560, dtype=torch.float64)
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 0, 1, 0, 1]]).bool()
    state = wanted = expect.randn(3, d_hidden, seed=561, dtype=torch.float64)
    for t in range(3):
        embedding = expect.randn(3, d_embed, seed=562 + t, dtype=torch.float64)
        state, looked = cell(embedding, state, h, mask)
        wanted, should = decode(weights, embedding, wanted, h, mask)
        expect.close((state, looked), (wanted, should), where=f"step {t + 1} with sizes {sizes}")
        mask = mask.roll(1, 0)
        cell.eval()  # nothing in the cell is for training only


@pytest.mark.exercise("AttentionDecoderCell", weight=1)
def test_the_source_and_the_embedding_both_matter(student):
    """The gradients in the embedding, the state and the source states are PyTorch's."""
    cell = student.AttentionDecoderCell(3, 5, 4, 6)
    weights = {n: expect.randn(*v.shape, seed=570 + i) for i, (n, v) in enumerate(sorted(cell.state_dict().items()))}
    cell.load_state_dict(weights)
    args = expect.randn(2, 3, seed=580), expect.randn(2, 5, seed=581), expect.randn(2, 7, 4, seed=582)
    expect.gradients(student, cell, args, lambda *x: decode(weights, *x), where="a batch of 2, a source of 7")


# Stretch · monotonic_local_weights


@pytest.mark.exercise("monotonic_local_weights", weight=1)
def test_monotonic_weights_are_stable(student):
    """Large scores outside the window do not matter; one step over one position."""
    scores = expect.randn(3, 4, 6, seed=590)
    near = (torch.arange(6) - torch.arange(4)[:, None]).abs() <= 1
    want = softmax(scores, near)
    expect.close(student.monotonic_local_weights(torch.where(near, scores, 4000.0), 1), want, where="scores of 4000 outside the window")
    expect.close(student.monotonic_local_weights(torch.tensor([[2.0]]), 1), torch.ones(1, 1), where="one step, one position")


@pytest.mark.exercise("monotonic_local_weights", weight=0.5)
def test_monotonic_weights_of_two_batch_dimensions(student):
    """Every table of a batch with two dimensions has the same windows."""
    scores = expect.randn(2, 3, 4, 6, seed=300)
    window = (torch.arange(6) - torch.arange(4)[:, None]).abs() <= 1
    want = scores.masked_fill(~window, -torch.inf).softmax(-1)
    expect.close(student.monotonic_local_weights(scores, 1), want, where="scores (2, 3, 4, 6), D = 1")
