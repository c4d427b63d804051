"""The hidden checks of lesson 03: other sizes, edge cases and larger numbers than the public ones."""

import pytest
import torch
from torch.nn import functional as F

from autograde.checking import expect
from autograde.grader.run.symmetries import Longer, Reversed

SYMMETRIES = {
    "attention_scores": [Reversed({0: -2}, -2), Reversed({1: -2}, -1)],
    "causal_mask": [Longer(0, (-2, -1))],
    "padding_mask": [Longer(1, (-1,))],
    "scaled_dot_product_attention": [Reversed({0: -2, 3: -2}, {0: -2, 1: -2}), Reversed({1: -2, 2: -2, 3: -1}, {1: -1})],
}


def attention(q, k, v, mask=None):
    """Output and weights from PyTorch; values that are the identity come out as the weights."""
    eye = torch.eye(k.shape[-2], dtype=k.dtype).expand(*k.shape[:-2], -1, -1)
    return tuple(F.scaled_dot_product_attention(q, k, values, attn_mask=mask) for values in (v, eye))


def qkv(*batch, t_q, t_k, d_k, d_v, seed, dtype=torch.float32):
    shapes = (t_q, d_k), (t_k, d_k), (t_k, d_v)
    return [expect.randn(*batch, *shape, seed=seed + i, dtype=dtype) for i, shape in enumerate(shapes)]


def mask_with_a_key(*shape, seed):
    """A random mask with at least one allowed key in every row."""
    mask = expect.rand(*shape, seed=seed) < 0.4
    mask[..., seed % shape[-1]] = True
    return mask


# 1 · query_key_value


@pytest.mark.exercise("query_key_value", weight=1)
def test_one_word_and_wide_values(student):
    """A sequence of one word; values longer than keys."""
    x, w = expect.randn(1, 3, seed=1), [expect.randn(3, d, seed=2 + d) for d in (2, 2, 8)]
    expect.close(student.query_key_value(x, *w), tuple(F.linear(x, one.mT) for one in w), where="one word, d_v > d_k")


@pytest.mark.exercise("query_key_value", weight=1)
def test_square_matrices_are_not_turned(student):
    """Where all sizes agree, a transposed matrix or a swapped result would go unnoticed by its shape."""
    x, w = expect.randn(2, 4, 4, seed=5), [expect.randn(4, 4, seed=6 + i) for i in range(3)]
    want = tuple(torch.einsum("btd,de->bte", x, one) for one in w)
    expect.close(student.query_key_value(x, *w), want, where="all sizes equal")


@pytest.mark.exercise("query_key_value", weight=0.5)
def test_projections_are_differentiable(student):
    """Gradients in x and in every matrix."""
    inputs = [expect.randn(2, 5, 6, seed=10), *(expect.randn(6, d, seed=11 + d) for d in (3, 3, 4))]
    expect.gradients(student, student.query_key_value, inputs, lambda x, a, b, c: (x @ a, x @ b, x @ c), where="a batch of 2")


# 2 · attention_scores


@pytest.mark.exercise("attention_scores", weight=1)
@pytest.mark.parametrize("t_q, t_k, d_k", [(1, 1, 3), (1, 9, 2), (8, 8, 8), (25, 4, 49)])
def test_the_scale_follows_d_k_alone(student, t_q, t_k, d_k):
    """The scale is that of the vectors' length, whatever the numbers of queries and keys."""
    q, k, _ = qkv(3, t_q=t_q, t_k=t_k, d_k=d_k, d_v=1, seed=20, dtype=torch.float64)
    want = torch.einsum("bid,bjd->bij", q, k) * d_k**-0.5
    expect.close(student.attention_scores(q, k), want, where="other sizes, in float64", rtol=1e-6, atol=1e-8)


@pytest.mark.exercise("attention_scores", weight=1)
def test_large_scores_stay_scores(student):
    """Scores are unbounded numbers of either sign, before any softmax."""
    q, k, _ = qkv(2, 3, t_q=4, t_k=6, d_k=5, d_v=1, seed=25)
    want = torch.einsum("abid,abjd->abij", 100 * q, k) / 5**0.5
    expect.close(student.attention_scores(100 * q, k), want, where="large queries", atol=1e-2)


@pytest.mark.exercise("attention_scores", weight=0.5)
def test_scores_of_a_view(student):
    """Inputs that are views of other tensors (not contiguous in memory)."""
    q, k = expect.randn(2, 7, 3, seed=28).mT, expect.randn(7, 5, 2, seed=29).movedim(2, 0).mT
    expect.close(student.attention_scores(q, k), torch.einsum("bid,bjd->bij", q, k) / 7**0.5, where="inputs that are views")


# 3 · causal_mask


@pytest.mark.exercise("causal_mask", weight=1)
@pytest.mark.parametrize("n", [pytest.param(1, marks=pytest.mark.trivial), 2, 9])
def test_each_row_sees_one_word_more(student, n):
    """Other lengths, one word included."""
    i = torch.arange(n)
    expect.equal(student.causal_mask(n), i[:, None] >= i[None, :], where="another length")


@pytest.mark.exercise("causal_mask", weight=0.5)
def test_a_long_causal_mask(student):
    """A length that no table made beforehand is likely to have."""
    expect.equal(student.causal_mask(1100), torch.ones(1100, 1100).tril().bool(), where="1,100 words")


# 4 · padding_mask


@pytest.mark.exercise("padding_mask", weight=1)
def test_all_full_and_all_empty(student):
    """Sentences that fill the width, and sentences without a word."""
    expect.equal(student.padding_mask(torch.tensor([7, 7, 7]), 7), torch.ones(3, 1, 7).bool(), where="full sentences")
    expect.equal(student.padding_mask(torch.tensor([0, 0]), 4), torch.zeros(2, 1, 4).bool(), where="empty sentences")


@pytest.mark.exercise("padding_mask", weight=1)
@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
def test_the_width_is_n_and_not_the_longest(student, dtype):
    """The mask is n wide, also where every sentence is shorter; lengths of any integer type."""
    lengths = torch.tensor([[[2, 1], [3, 0], [1, 2]]], dtype=dtype)
    want = torch.stack([torch.arange(6) < length for length in lengths.flatten()]).reshape(1, 3, 2, 1, 6)
    expect.equal(student.padding_mask(lengths, 6), want, where="three batch dimensions")


@pytest.mark.exercise("padding_mask", weight=0.5)
def test_every_batch_has_its_own_lengths(student):
    """Two batches of one size, one after the other, of more words than a table made beforehand is likely to have."""
    for lengths in ([3, 1100, 0], [700, 2, 1050]):
        want = torch.stack([torch.arange(1100) < length for length in lengths])[:, None]
        expect.equal(student.padding_mask(torch.tensor(lengths), 1100), want, where="three sentences in 1,100 positions")


# 5 · scaled_dot_product_attention


@pytest.mark.exercise("scaled_dot_product_attention", weight=1)
@pytest.mark.parametrize("sizes", [pytest.param((1, 1, 3, 2), marks=pytest.mark.trivial), (1, 6, 2, 5), (7, 4, 9, 1)])
def test_other_sizes(student, sizes):
    """Other sizes, one query and one key included, in float64."""
    t_q, t_k, d_k, d_v = sizes
    q, k, v = qkv(2, t_q=t_q, t_k=t_k, d_k=d_k, d_v=d_v, seed=40, dtype=torch.float64)
    got = student.scaled_dot_product_attention(q, k, v)
    expect.close(got, attention(q, k, v), where="other sizes, in float64", rtol=1e-6, atol=1e-8)


@pytest.mark.exercise("scaled_dot_product_attention", weight=1)
def test_large_scores_do_not_overflow(student):
    """Scores in the hundreds give finite weights that sum to one."""
    q, k, v = qkv(3, t_q=5, t_k=7, d_k=4, d_v=6, seed=44)
    got = student.scaled_dot_product_attention(30 * q, 10 * k, v)
    expect.close(got, attention(30 * q, 10 * k, v), where="scores in the hundreds", rtol=1e-3, atol=1e-3)


@pytest.mark.exercise("scaled_dot_product_attention", weight=1)
def test_masks_of_every_shape(student):
    """Masks for one sequence, for a batch, and for two batch dimensions that broadcast; as many keys as queries, too."""
    q, k, v = qkv(2, 3, t_q=4, t_k=6, d_k=5, d_v=7, seed=48)
    for i, shape in enumerate([(4, 6), (3, 4, 6), (2, 1, 4, 6), (2, 3, 1, 6), (1, 6)]):
        mask = mask_with_a_key(*shape, seed=50 + i)
        expect.close(
            student.scaled_dot_product_attention(q, k, v, mask), attention(q, k, v, mask), where=f"a mask with {len(shape)} dimensions"
        )
    for i, shape in enumerate([(6, 6), (3, 6, 6)]):  # who may see whom: not the same in both directions
        mask, q = mask_with_a_key(*shape, seed=90 + i), expect.randn(2, 3, 6, 5, seed=92)
        expect.close(
            student.scaled_dot_product_attention(q, k, v, mask), attention(q, k, v, mask), where=f"a mask {shape}, as high as wide"
        )


@pytest.mark.exercise("scaled_dot_product_attention", weight=1)
def test_a_forbidden_word_has_no_influence(student):
    """What stands at a position that nobody may attend to changes nothing."""
    q, k, v = qkv(t_q=3, t_k=5, d_k=8, d_v=4, seed=56)
    mask = torch.tensor([True, False, True, True, False]).expand(3, 5)
    other_k, other_v = k.clone(), v.clone()
    other_k[~mask[0]] *= -4
    other_v[~mask[0]] += 9
    want = attention(q, k, v, mask)
    expect.close(student.scaled_dot_product_attention(q, other_k, other_v, mask), want, where="other words behind the mask")


@pytest.mark.exercise("scaled_dot_product_attention", weight=0.5)
def test_a_mask_that_allows_everything(student):
    """A mask that is all True is no mask."""
    q, k, v = qkv(2, t_q=3, t_k=4, d_k=6, d_v=5, seed=60)
    got = student.scaled_dot_product_attention(q, k, v, torch.ones(3, 4).bool())
    expect.close(got, attention(q, k, v), where="a mask that is all True")


@pytest.mark.exercise("scaled_dot_product_attention", weight=1)
def test_everything_forbidden(student):
    """Sentences without any word, next to others: zeros in both results, in float64 too."""
    q, k, v = qkv(3, t_q=2, t_k=4, d_k=5, d_v=6, seed=64, dtype=torch.float64)
    mask = torch.tensor([[1, 1, 0, 0], [0, 0, 0, 0], [0, 1, 1, 1]]).bool()[:, None, :]
    got = student.scaled_dot_product_attention(q, k, v, mask)
    allowed = mask.any(-1, keepdim=True)
    want = tuple(torch.where(allowed, result.nan_to_num(), 0.0) for result in attention(q, k, v, mask))
    expect.close(got, want, where="a batch with an empty sentence", rtol=1e-6, atol=1e-8)


@pytest.mark.exercise("scaled_dot_product_attention", weight=0.5)
def test_the_gradient_of_an_empty_row(student):
    """The gradient, too, is zero and never NaN where nothing may be attended to."""
    q, k, v = qkv(t_q=3, t_k=4, d_k=5, d_v=6, seed=68)
    mask = torch.tensor([[1, 1, 0, 1], [0, 0, 0, 0], [0, 1, 1, 1]]).bool()
    output, grads = student.pullback(student.scaled_dot_product_attention, (q, k, v, mask), (expect.randn(3, 6, seed=71), None))
    leaves = [x.clone().requires_grad_() for x in (q, k, v)]
    seen = F.scaled_dot_product_attention(leaves[0][[0, 2]], leaves[1], leaves[2], attn_mask=mask[[0, 2]])
    seen.backward(expect.randn(3, 6, seed=71)[[0, 2]])
    for i, leaf in enumerate(leaves):
        expect.true(grads[i] is not None, f"No gradient reaches `{'qkv'[i]}`")
        expect.close(grads[i], leaf.grad, where=f"the gradient in `{'qkv'[i]}` with an empty row")


@pytest.mark.exercise("scaled_dot_product_attention", weight=0.5)
def test_a_huge_forbidden_score(student):
    """A forbidden score a hundred thousand above the allowed ones, and allowed ones far below zero."""
    q, k, v = (
        torch.ones(1, 4),
        torch.tensor([[0.1, 0.2, 0.3, 0.4], [1e5, 1e5, 1e5, 1e5], [0.5, 0.1, 0.0, 0.9]]),
        expect.randn(3, 2, seed=72),
    )
    mask = torch.tensor([[True, False, True]])
    got = student.scaled_dot_product_attention(q, k, v, mask)
    expect.close(got, attention(q, k, v, mask), where="a forbidden score of 200,000")
    k = torch.tensor([[-800.0], [0.0], [-801.0]]).expand(3, 4) / 2  # scores of −800, 0 and −801
    want = torch.tensor([[0.731059, 0.0, 0.268941]])
    got = student.scaled_dot_product_attention(q, k, v, mask)[1]
    expect.close(got, want, where="allowed scores of -800 and -801 beside a forbidden one of 0", atol=1e-3)


# 6 · SelfAttention


def state(d_model, d_k, seed, dtype=torch.float32):
    return {f"{name}.weight": expect.randn(d_k, d_model, seed=seed + i, dtype=dtype) for i, name in enumerate(("w_q", "w_k", "w_v"))}


def layer(weights, x, mask=None):
    return attention(*(F.linear(x, weights[f"{name}.weight"]) for name in ("w_q", "w_k", "w_v")), mask)


def loaded(student, d_model, d_k, weights, **options):
    module = student.SelfAttention(d_model, d_k, **options)
    module.load_state_dict(weights, strict=False)
    return module


@pytest.mark.exercise("SelfAttention", weight=1)
@pytest.mark.parametrize("batch", [(), (2, 3)])
def test_the_layer_takes_any_batch(student, batch):
    """No batch dimension, and two; d_k above d_model."""
    weights, x = state(3, 8, seed=80), expect.randn(*batch, 5, 3, seed=83)
    expect.close(loaded(student, 3, 8, weights)(x), layer(weights, x), where="another batch")


@pytest.mark.exercise("SelfAttention", weight=1)
def test_one_layer_takes_any_length(student):
    """The same causal layer on sequences of several lengths, one word included."""
    weights = state(6, 5, seed=85)
    module = loaded(student, 6, 5, weights, causal=True)
    for t in (1, 9, 4):
        x = expect.randn(2, t, 6, seed=88 + t)
        expect.close(module(x), layer(weights, x, torch.ones(t, t).tril().bool()), where="another length")
        module.eval()  # nothing in the layer is for training only


@pytest.mark.exercise("SelfAttention", weight=1)
def test_the_future_does_not_change_the_past(student):
    """A causal layer's earlier outputs do not depend on later words; a plain layer's do."""
    weights, x = state(5, 4, seed=100), expect.randn(2, 6, 5, seed=103)
    later = torch.cat([x[:, :3], expect.randn(2, 3, 5, seed=104)], dim=1)
    causal, plain = (loaded(student, 5, 4, weights, causal=causal) for causal in (True, False))
    expect.close(causal(later)[0][:, :3], causal(x)[0][:, :3].detach(), where="earlier outputs of a causal layer")
    expect.close(plain(later), layer(weights, later), where="a plain layer")


@pytest.mark.exercise("SelfAttention", weight=1)
def test_padding_in_front_of_a_sentence(student):
    """Causal, with the padding in front: the first rows may see nothing and are zero, not NaN."""
    weights, x = state(5, 4, seed=110), expect.randn(2, 6, 5, seed=113)
    padding = torch.tensor([[0, 0, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1]]).bool()[:, None, :]
    module = loaded(student, 5, 4, weights, causal=True)
    for mask in (padding, padding.flip(0)):
        both = mask & torch.ones(6, 6).tril().bool()
        want = tuple(torch.where(both.any(-1, keepdim=True), result.nan_to_num(), 0.0) for result in layer(weights, x, both))
        expect.close(module(x, mask), want, where="padding in front")


@pytest.mark.exercise("SelfAttention", weight=0.5)
def test_the_layer_in_float64(student):
    """A layer turned to float64 works in float64 and changes no input."""
    weights, x = state(5, 4, seed=115), expect.randn(3, 5, seed=118, dtype=torch.float64)
    module = loaded(student, 5, 4, weights, causal=True).double()
    want = layer({name: w.double() for name, w in weights.items()}, x, torch.ones(3, 3).tril().bool())
    expect.close(module(x), want, where="float64", rtol=1e-6, atol=1e-8)
    expect.inputs_unchanged(student, module, x, torch.ones(3, 3).bool())


@pytest.mark.exercise("SelfAttention", weight=0.5)
@pytest.mark.trivial
def test_the_layer_moves_to_a_device(student):
    """A layer moved to another device makes its mask there."""
    expect.follows_device(student.SelfAttention(5, 4, causal=True).to("meta"), expect.randn(2, 3, 5, seed=119))


# 7 · intra_attention_weights


def intra(h, x_t, h_tilde, w_h, w_x, w_t, v):
    summands = [F.linear(h[..., i, :], w_h) + F.linear(x_t, w_x) + F.linear(h_tilde, w_t) for i in range(h.shape[-2])]
    return F.softmax(torch.stack([F.linear(torch.tanh(a), v[None])[..., 0] for a in summands], dim=-1), dim=-1)


def cheng(*batch, t, d, d_x, d_t, d_a, seed, dtype=torch.float32):
    shapes = [(*batch, t, d), (*batch, d_x), (*batch, d_t), (d_a, d), (d_a, d_x), (d_a, d_t), (d_a,)]
    return [expect.randn(*shape, seed=seed + i, dtype=dtype) for i, shape in enumerate(shapes)]


@pytest.mark.exercise("intra_attention_weights", weight=1)
@pytest.mark.trivial
def test_one_earlier_word(student):
    """With one earlier word its weight is one."""
    args = cheng(3, t=1, d=4, d_x=2, d_t=5, d_a=6, seed=130)
    expect.close(student.intra_attention_weights(*args), torch.ones(3, 1), where="one earlier word")


@pytest.mark.exercise("intra_attention_weights", weight=1)
@pytest.mark.parametrize("batch", [(), (4,)])
def test_all_sizes_equal(student, batch):
    """Where all sizes agree, a transposed matrix would go unnoticed by its shape; in float64."""
    args = cheng(*batch, t=4, d=4, d_x=4, d_t=4, d_a=4, seed=140, dtype=torch.float64)
    expect.close(student.intra_attention_weights(*args), intra(*args), where="all sizes equal, in float64", rtol=1e-6, atol=1e-8)


@pytest.mark.exercise("intra_attention_weights", weight=1)
def test_large_scores_of_earlier_words(student):
    """Large scores give finite weights that sum to one."""
    args = cheng(2, t=9, d=3, d_x=5, d_t=2, d_a=8, seed=150)
    args[-1] = args[-1] * 100
    expect.close(student.intra_attention_weights(*args), intra(*args), where="large v", rtol=1e-3, atol=1e-3)


# 8 · attention_backward


def autograd(q, k, v, grad_output):
    leaves = [x.detach().clone().requires_grad_() for x in (q, k, v)]
    return torch.autograd.grad(F.scaled_dot_product_attention(*leaves), leaves, grad_output)


@pytest.mark.exercise("attention_backward", weight=1)
@pytest.mark.parametrize("which", ["dq", "dk", "dv"])
def test_gradients_of_long_vectors(student, which):
    """Two queries and three keys of 40,000 numbers: a gradient takes few steps, one step for each number would take too long."""
    # differences, or a step along the imaginary axis, need a pass for each of 200,000 inputs; a formula, in loops too, takes no time
    q, k, v = qkv(t_q=2, t_k=3, d_k=40_000, d_v=3, seed=240)
    grad_output = 200 * expect.randn(2, 3, seed=243)  # √d_k, which the gradients of q and k are divided by
    i = ("dq", "dk", "dv").index(which)
    got = student.attention_backward(q, k, v, grad_output)
    expect.close(got[i], autograd(q, k, v, grad_output)[i], where=f"{which} for vectors of 40,000 numbers", rtol=1e-3, atol=1e-3)


@pytest.mark.exercise("attention_backward", weight=1)
@pytest.mark.parametrize("which", ["dq", "dk", "dv"])
@pytest.mark.parametrize("sizes", [(6, 6, 6, 6), (5, 3, 2, 8)])
def test_gradients_of_other_sizes(student, which, sizes):
    """dq, dk and dv for other sizes, all equal included, in float64."""
    t_q, t_k, d_k, d_v = sizes
    args = qkv(2, t_q=t_q, t_k=t_k, d_k=d_k, d_v=d_v, seed=160, dtype=torch.float64)
    args.append(expect.randn(2, t_q, d_v, seed=163, dtype=torch.float64))
    i = ("dq", "dk", "dv").index(which)
    got = student.attention_backward(*args)
    expect.true(isinstance(got, (tuple, list)) and len(got) == 3, "attention_backward returns three tensors")
    expect.close(got[i], autograd(*args)[i], where=which, rtol=1e-6, atol=1e-8)


@pytest.mark.exercise("attention_backward", weight=1)
def test_one_key_teaches_nothing_about_scores(student):
    """With a single key its weight is always one: dq and dk are zero, dv is the sum of the outputs' gradients."""
    q, k, v = qkv(3, t_q=4, t_k=1, d_k=5, d_v=2, seed=170)
    grad_output = expect.randn(3, 4, 2, seed=173)
    want = (torch.zeros(3, 4, 5), torch.zeros(3, 1, 5), grad_output.sum(-2, keepdim=True))
    expect.close(student.attention_backward(q, k, v, grad_output), want, where="a single key")


@pytest.mark.exercise("attention_backward", weight=1)
def test_gradients_at_large_scores(student):
    """Scores in the hundreds: finite gradients."""
    q, k, v = qkv(2, 2, t_q=3, t_k=5, d_k=4, d_v=6, seed=175)
    args = (30 * q, 10 * k, v, expect.randn(2, 2, 3, 6, seed=178))
    expect.close(student.attention_backward(*args), tuple(autograd(*args)), where="scores in the hundreds", rtol=1e-3, atol=1e-2)


@pytest.mark.exercise("attention_backward", weight=0.5)
def test_every_call_has_its_own_gradients(student):
    """Two calls with inputs of the same shapes."""
    for seed in (200, 210):
        args = [*qkv(2, t_q=3, t_k=5, d_k=4, d_v=6, seed=seed), expect.randn(2, 3, 6, seed=seed + 3)]
        expect.close(student.attention_backward(*args), tuple(autograd(*args)), where="one of two calls with the same shapes")


@pytest.mark.exercise("attention_backward", weight=0.5)
def test_gradients_in_double_precision(student):
    """float64 all the way, in each of the three gradients; the inputs are left alone."""
    args = [*qkv(2, t_q=3, t_k=5, d_k=4, d_v=6, seed=230), expect.randn(2, 3, 6, seed=233)]
    for i, name in enumerate(("dq", "dk", "dv")):
        expect.precise(lambda *a, i=i: student.attention_backward(*a)[i], lambda *a, i=i: autograd(*a)[i], *args, where=name)
    expect.inputs_unchanged(student, student.attention_backward, *args)


# Stretch · streaming_attention


@pytest.mark.exercise("streaming_attention", weight=1)
def test_streaming_over_a_long_batch(student):
    """Batches, one query, and many blocks, in float64."""
    for t_q in (1, 6):
        q, k, v = qkv(2, 3, t_q=t_q, t_k=50, d_k=4, d_v=5, seed=180, dtype=torch.float64)
        got = student.streaming_attention(4 * q, k, v, 7)
        expect.close(got, F.scaled_dot_product_attention(4 * q, k, v), where="50 keys in blocks of 7, in float64", rtol=1e-6, atol=1e-8)


@pytest.mark.exercise("streaming_attention", weight=1)
def test_streaming_is_differentiable(student):
    """Gradients in q, k and v."""
    q, k, v = qkv(2, t_q=3, t_k=8, d_k=4, d_v=5, seed=190)
    expect.gradients(
        student,
        student.streaming_attention,
        (q, k, v, 3),
        lambda q, k, v, _: F.scaled_dot_product_attention(q, k, v),
        where="8 keys in blocks of 3",
    )


@pytest.mark.exercise("streaming_attention", weight=0.5)
def test_streaming_over_one_sequence(student):
    """No batch dimension; a block longer than the sequence, and blocks of one."""
    q, k, v = qkv(t_q=4, t_k=7, d_k=3, d_v=5, seed=220)
    for block_size in (1, 7, 50):
        want = F.scaled_dot_product_attention(q, k, v)
        expect.close(student.streaming_attention(q, k, v, block_size), want, where=f"7 keys, block_size {block_size}")
