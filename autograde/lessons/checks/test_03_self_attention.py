"""The public checks of lesson 03: students have this file too.

Expected values come from PyTorch (`F.scaled_dot_product_attention`, also with the identity as values, which gives the weights; autograd),
from plain numbers, and from properties; see `autograde.checking.expected`.
"""

import pytest
import torch

from autograde.checking import expect
from autograde.checking.expected import oracles

attention, layer, intra, intra_of_a_batch = oracles(__file__, "attention", "layer", "intra", "intra_of_a_batch")
projected, scores, output, autograd = oracles(__file__, "projected", "scores", "output", "autograd")

# Inputs are made anew for every test, so that an answer which changes one in place spoils no other test.


def words_and_matrices():
    """x (2, 5, 7), w_q and w_k (7, 4), w_v (7, 3)."""
    return [expect.randn(2, 5, 7, seed=30), *(expect.randn(7, d, seed=31 + i, scale=0.7) for i, d in enumerate((4, 4, 3)))]


def queries_keys_values():
    """q (2, 3, 16), k (2, 5, 16), v (2, 5, 6)."""
    return [expect.randn(2, 3, 16, seed=34), expect.randn(2, 5, 16, seed=35), expect.randn(2, 5, 6, seed=36)]


def query_mask():
    return torch.tensor([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1], [1, 0, 0, 0, 1]]).bool()


def masked_row():
    """As `query_mask`, but the second query may attend to nothing."""
    return query_mask() & torch.tensor([True, False, True])[:, None]


def four_lengths():
    return torch.tensor([3, 0, 4, 1])


def cheng():
    """h, x_t, h_tilde, w_h, w_x, w_t, v of Cheng et al. (2016); every size differs."""
    shapes = [(2, 6, 5), (2, 3), (2, 4), (7, 5), (7, 3), (7, 4), (7,)]
    return [expect.randn(*shape, seed=40 + i) for i, shape in enumerate(shapes)]


def thinking_machines():
    """The query of 'Thinking' and both keys, built so that their dot products are the lecture's 112 and 96."""
    half = torch.ones(32)
    return torch.cat([half, half])[None], torch.stack([torch.cat([2.0 * half, 1.5 * half]), torch.cat([half, 2.0 * half])])


def slopes_agree(student, function, args, where):
    """The gradient in every argument is the slope of the function's own values, measured by small steps in float64."""
    args = [x.double() for x in args]
    cotangent = expect.randn(*function(*args).shape, seed=111, dtype=torch.float64)
    _, grads = student.pullback(function, tuple(args), cotangent)
    for i, (x, grad) in enumerate(zip(args, grads)):
        expect.true(
            grad is not None, f"For {where}: no gradient reaches {expect.argument(function, i)}; the result must stay differentiable in it"
        )
        step = 1e-5 * expect.randn(*x.shape, seed=120 + i, dtype=torch.float64)
        up, down = (function(*args[:i], x + sign * step, *args[i + 1 :]) for sign in (1, -1))
        slope = ((up - down) * cotangent).sum() / 2
        expect.close(
            (grad * step).sum() * 1e5, slope * 1e5, where=f"{where}, the slope in {expect.argument(function, i)}", rtol=1e-5, atol=1e-7
        )


def state(d_model, d_k, seed):
    return {f"{name}.weight": expect.randn(d_k, d_model, seed=seed + i, scale=0.8) for i, name in enumerate(("w_q", "w_k", "w_v"))}


def loaded(student, d_model, d_k, seed, **options):
    """A student's SelfAttention holding known weights, and the weights."""
    weights = state(d_model, d_k, seed)
    module = student.SelfAttention(d_model, d_k, **options)
    module.load_state_dict(weights, strict=False)
    return module, weights


def probe_layer(student):
    """The causal layer and the plain one, over a padded batch and without a mask."""
    mask = torch.tensor([[1, 1, 0, 1, 1], [1, 1, 1, 0, 1]]).bool()[:, None, :]
    cases = (({"causal": True}, mask), ({"causal": True}, None), ({}, mask), ({}, None))
    return tuple(loaded(student, 7, 4, seed=50, **o)[0](words_and_matrices()[0], m) for o, m in cases)


def far_from_zero(sign):
    """q (2, 3, 16), k (2, 5, 16), v (2, 5, 6), whose scores are all in the hundreds, and all of one sign."""
    q, k, v = queries_keys_values()
    return q.abs() * 20, sign * k.abs() * 10, v


def long_texts():
    """q and k (128, 4), v (128, 5)."""
    return [expect.randn(128, width, seed=37 + i) for i, width in enumerate((4, 4, 5))]


ALLOWED = 4 * 128 * 4  # numbers in a tensor, where 128 queries meet 128 keys in blocks of 4


def probe_streaming(student):
    """Whether a block_size of 0 is refused, outputs for small and for large scores, and the size of a tensor that is too large."""
    outputs = [student.streaming_attention(*one, 2) for one in (queries_keys_values(), far_from_zero(1), far_from_zero(-1))]
    try:
        student.streaming_attention(*queries_keys_values(), 0)
        refused = 0
    except ValueError as error:
        refused = 2 if "block_size" in str(error) else 1
    except Exception:
        refused = 0
    made = student.largest_tensor(student.streaming_attention, *long_texts(), 4)
    return [refused, *outputs, made if made > ALLOWED else 0]


PROBES = {
    "query_key_value": lambda student: student.query_key_value(*words_and_matrices()),
    "attention_scores": lambda student: student.attention_scores(*queries_keys_values()[:2]),
    "causal_mask": lambda student: student.causal_mask(5),
    "padding_mask": lambda student: student.padding_mask(four_lengths(), 5),
    "scaled_dot_product_attention": lambda student: student.scaled_dot_product_attention(*queries_keys_values(), masked_row()),
    "SelfAttention": probe_layer,
    "intra_attention_weights": lambda student: student.intra_attention_weights(*cheng()),
    "attention_backward": lambda student: student.attention_backward(*queries_keys_values(), expect.randn(2, 3, 6, seed=37)),
    "streaming_attention": probe_streaming,
}

DEVICE_PROBES = {
    "streaming_attention": lambda student: student.streaming_attention(*queries_keys_values(), 2),
}


# 1 · query_key_value


@pytest.mark.exercise("query_key_value", weight=2)
def test_each_projection_uses_its_own_matrix(student):
    """q, k and v are x times w_q, w_k and w_v, in this order."""
    x, (_, *w) = expect.randn(5, 7, seed=1), words_and_matrices()
    want = projected(x, *w)
    expect.close(student.query_key_value(x, *w), want, where="x (5, 7), w_q and w_k (7, 4), w_v (7, 3)")


@pytest.mark.exercise("query_key_value", weight=1)
def test_batches_are_projected_alike(student):
    """Any number of leading batch dimensions."""
    for batch in [(2,), (3, 2)]:
        x, (_, *w) = expect.randn(*batch, 6, 7, seed=2), words_and_matrices()
        expect.close(student.query_key_value(x, *w), projected(x, *w), where=f"x {(*batch, 6, 7)}")


@pytest.mark.exercise("query_key_value", weight=0.5)
@pytest.mark.trivial
def test_projections_are_well_behaved(student):
    """float64 stays float64, the device is kept, no input is changed."""
    args = words_and_matrices()
    expect.inputs_unchanged(student, student.query_key_value, *args)
    expect.keeps_dtype(student.query_key_value, *args)
    expect.precise(student.query_key_value, projected, *args, where="the words and matrices above")
    expect.follows_device(student.query_key_value, *args)


# 2 · attention_scores


@pytest.mark.exercise("attention_scores", weight=2)
def test_the_lectures_scores(student):
    """'Thinking Machines': 112 and 96, divided by √64, are 14 and 12."""
    want = torch.tensor([[14.0, 12.0]])
    expect.close(student.attention_scores(*thinking_machines()), want, where="the lecture's q₁ (1, 64) and k (2, 64)")


@pytest.mark.exercise("attention_scores", weight=2)
def test_one_score_for_every_query_and_key(student):
    """score[i, j] is qᵢ · kⱼ / √d_k."""
    q, k = expect.randn(3, 10, seed=3), expect.randn(5, 10, seed=4)
    expect.close(student.attention_scores(q, k), scores(q, k), where="q (3, 10) and k (5, 10)")


@pytest.mark.exercise("attention_scores", weight=1)
@pytest.mark.trivial
def test_scores_of_a_batch(student):
    """Any number of leading batch dimensions; each sequence meets only its own keys."""
    for batch in [(4,), (2, 3)]:
        q, k = expect.randn(*batch, 5, 9, seed=5), expect.randn(*batch, 6, 9, seed=6)
        alone = [student.attention_scores(*pair) for pair in zip(q.flatten(0, -3), k.flatten(0, -3))]
        want = torch.stack(alone).reshape(*batch, *alone[0].shape)
        where = f"q {(*batch, 5, 9)} and k {(*batch, 6, 9)}, compared with your own scores of each sequence alone"
        expect.close(student.attention_scores(q, k), want, where=where)


@pytest.mark.exercise("attention_scores", weight=1)
def test_scores_are_well_behaved(student):
    """Inputs unchanged, float64 kept, on the inputs' device, differentiable."""
    q, k, _ = queries_keys_values()
    expect.inputs_unchanged(student, student.attention_scores, q, k)
    expect.keeps_dtype(student.attention_scores, q, k)
    expect.follows_device(student.attention_scores, q, k)
    slopes_agree(student, student.attention_scores, (q, k), where="q (2, 3, 16) and k (2, 5, 16)")


# 3 · causal_mask


@pytest.mark.exercise("causal_mask", weight=2)
def test_a_word_sees_itself_and_what_came_before(student):
    """Row i is True at columns 0 … i."""
    want = torch.tensor([[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]]).bool()
    expect.equal(student.causal_mask(4), want, where="n = 4")


@pytest.mark.exercise("causal_mask", weight=0.5)
@pytest.mark.trivial
def test_the_causal_mask_lives_on_the_device_asked_for(student):
    """`device` is used."""
    expect.follows_device(student.causal_mask, 6, device="meta")


# 4 · padding_mask


@pytest.mark.exercise("padding_mask", weight=2)
def test_real_words_are_true_and_padding_is_false(student):
    """The first `length` of n positions are True, for each sentence of the batch."""
    want = torch.tensor([[1, 1, 1, 0, 0], [0, 0, 0, 0, 0], [1, 1, 1, 1, 0], [1, 0, 0, 0, 0]]).bool()[:, None, :]
    expect.equal(student.padding_mask(four_lengths(), 5), want, where="lengths [3, 0, 4, 1] and n = 5")


@pytest.mark.exercise("padding_mask", weight=1)
def test_lengths_may_have_any_shape(student):
    """lengths (...) give a mask (..., 1, n): one length, and two batch dimensions."""
    expect.equal(student.padding_mask(torch.tensor(2), 3), torch.tensor([[True, True, False]]), where="one length, 2, and n = 3")
    want = torch.tensor([[[[1, 1, 1]], [[1, 0, 0]]], [[[0, 0, 0]], [[1, 1, 0]]]]).bool()
    expect.equal(student.padding_mask(torch.tensor([[3, 1], [0, 2]]), 3), want, where="lengths [[3, 1], [0, 2]] and n = 3")


@pytest.mark.exercise("padding_mask", weight=0.5)
@pytest.mark.trivial
def test_the_padding_mask_follows_its_lengths(student):
    """The mask lives on the device of `lengths`, which stay as they are."""
    expect.follows_device(student.padding_mask, four_lengths(), 5)
    expect.inputs_unchanged(student, student.padding_mask, four_lengths(), 5)


# 5 · scaled_dot_product_attention


@pytest.mark.exercise("scaled_dot_product_attention", weight=1)
def test_the_lectures_weights(student):
    """'Thinking Machines': 14 and 12 become the weights 0.88 and 0.12, and z₁ = 0.88 v₁ + 0.12 v₂."""
    result = student.scaled_dot_product_attention(*thinking_machines(), torch.tensor([[1.0, 0.0, 5.0], [0.0, 1.0, -3.0]]))
    expect.true(
        isinstance(result, (tuple, list)) and len(result) == 2,
        "The function returns two tensors, the output and the weights",
        expect.show(result),
    )
    output, weights = result
    expect.close(weights, torch.tensor([[0.880797, 0.119203]]), where="the lecture's scores 14 and 12 (the weights)")
    expect.close(output, torch.tensor([[0.880797, 0.119203, 4.046376]]), where="the lecture's weights and v₁ (1, 0, 5), v₂ (0, 1, −3)")


@pytest.mark.exercise("scaled_dot_product_attention", weight=3)
def test_output_and_weights_without_a_mask(student):
    """Softmax over the keys, then the weighted sum of the values."""
    for batch in [(), (2,), (4, 2)]:
        q, k, v = (expect.randn(*batch, *shape, seed=7 + i) for i, shape in enumerate([(3, 6), (5, 6), (5, 7)]))
        where = f"q {(*batch, 3, 6)}, k {(*batch, 5, 6)}, v {(*batch, 5, 7)}"
        expect.close(student.scaled_dot_product_attention(q, k, v), attention(q, k, v), where=where)
    q, k, v = (expect.randn(4, 4, seed=19 + i) for i in range(3))
    expect.close(student.scaled_dot_product_attention(q, k, v), attention(q, k, v), where="q, k and v all of shape (4, 4)")


@pytest.mark.exercise("scaled_dot_product_attention", weight=2)
def test_a_mask_leaves_only_what_may_be_attended_to(student):
    """Weights are zero where the mask is False and sum to one over the rest."""
    q, k, v, mask = *queries_keys_values(), query_mask()
    want = attention(q, k, v, mask)
    expect.close(student.scaled_dot_product_attention(q, k, v, mask), want, where="q (2, 3, 16), k (2, 5, 16) and a mask (3, 5)")
    q, k = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 3.0], [2.0**0.5, 1.0], [1.0, 1.0]])  # scores 0, 2 and √2
    got = student.scaled_dot_product_attention(q, k, torch.eye(3), torch.tensor([[True, True, False]]))[1]
    expect.close(got, torch.tensor([[0.119203, 0.880797, 0.0]]), where="scores 0, 2 and 1.41, the third hidden (a score of 0 is a score)")


@pytest.mark.exercise("scaled_dot_product_attention", weight=1)
def test_a_mask_may_be_a_batch_of_rows(student):
    """A padding mask (batch, 1, T_k) holds for every query of its sequence."""
    mask = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 0]]).bool()[:, None, :]
    q, k, v = queries_keys_values()
    want = attention(q, k, v, mask)
    expect.close(student.scaled_dot_product_attention(q, k, v, mask), want, where="q (2, 3, 16), k (2, 5, 16) and a mask (2, 1, 5)")


@pytest.mark.exercise("scaled_dot_product_attention", weight=1)
def test_a_row_that_may_see_nothing(student):
    """A row in which the mask is all False has zero weights and a zero output, never NaN."""
    q, k, v, mask = *queries_keys_values(), masked_row()
    want = tuple(result * mask.any(-1, keepdim=True) for result in attention(q, k, v, query_mask()))
    expect.close(student.scaled_dot_product_attention(q, k, v, mask), want, where="a mask (3, 5) whose row 1 is all False")


@pytest.mark.exercise("scaled_dot_product_attention", weight=1)
def test_attention_is_well_behaved(student):
    """Inputs unchanged, float64 kept, on the inputs' device, differentiable through output and weights."""
    function, (q, k, v), mask = student.scaled_dot_product_attention, queries_keys_values(), query_mask()
    expect.inputs_unchanged(student, function, q, k, v, mask)
    expect.keeps_dtype(function, q, k, v, mask)
    expect.precise(function, attention, q, k, v, mask, where="q (2, 3, 16), k (2, 5, 16), v (2, 5, 6) and a mask (3, 5)")
    expect.follows_device(function, q, k, v, mask)
    expect.gradients(student, function, (q, k, v, mask), attention, where="q (2, 3, 16), k (2, 5, 16), v (2, 5, 6) and a mask (3, 5)")


# 6 · SelfAttention


@pytest.mark.exercise("SelfAttention", weight=1)
def test_the_layer_has_three_matrices(student):
    """`w_q`, `w_k`, `w_v` are linear layers from d_model to d_k without bias."""
    shapes = {name: tuple(value.shape) for name, value in student.SelfAttention(7, 4).state_dict().items()}
    for name in ("w_q", "w_k", "w_v"):
        got = shapes.get(f"{name}.weight")
        expect.true(
            got == (4, 7),
            f"SelfAttention(7, 4) needs a submodule `{name}`, nn.Linear(7, 4)",
            f"its weight has the shape {got}, expected is (4, 7)" if got else "there is none",
        )
        expect.true(f"{name}.bias" not in shapes, f"`{name}` has a bias; the lesson's projections have none (bias=False)")
    extra = sorted({name.rpartition(".")[0] for name in shapes if name.endswith(".weight")} - {"w_q", "w_k", "w_v"})
    expect.true(not extra, "SelfAttention has w_q, w_k and w_v and nothing else", f"it also has {', '.join(extra)}")


@pytest.mark.exercise("SelfAttention", weight=2)
def test_the_layer_attends(student):
    """With given weights the layer gives PyTorch's output and weights."""
    module, weights, x = *loaded(student, 7, 4, seed=60), words_and_matrices()[0]
    expect.close(module(x), layer(weights, x), where="SelfAttention(7, 4) and x (2, 5, 7)")
    module, weights, x = *loaded(student, 6, 6, seed=61), expect.randn(3, 6, seed=62)
    expect.close(module(x), layer(weights, x), where="SelfAttention(6, 6) and x (3, 6)")


@pytest.mark.exercise("SelfAttention", weight=2)
def test_the_causal_layer_sees_no_future(student):
    """With causal=True word i attends to words 0 … i."""
    module, weights, x = *loaded(student, 7, 4, seed=63, causal=True), words_and_matrices()[0]
    want = layer(weights, x, torch.ones(5, 5).tril().bool())
    expect.close(module(x), want, where="SelfAttention(7, 4, causal=True) and x (2, 5, 7)")
    x = expect.randn(3, 2, 8, 7, seed=63)
    want = layer(weights, x, torch.ones(8, 8).tril().bool())
    expect.close(module(x), want, where="SelfAttention(7, 4, causal=True), the same layer, and longer sequences: x (3, 2, 8, 7)")


@pytest.mark.exercise("SelfAttention", weight=2)
def test_the_layer_obeys_a_mask(student):
    """A mask holds, and with causal=True both the mask and the order of the words hold."""
    for causal in [False, True]:
        mask = torch.tensor([[1, 1, 1, 0, 0], [1, 0, 1, 1, 1]]).bool()[:, None, :]
        module, weights, x = *loaded(student, 7, 4, seed=66, causal=causal), words_and_matrices()[0]
        both = mask & torch.ones(5, 5).tril().bool() if causal else mask.expand(2, 5, 5)
        expect.close(module(x, mask), layer(weights, x, both), where=f"SelfAttention(7, 4, causal={causal}) with a mask (2, 1, 5)")


@pytest.mark.exercise("SelfAttention", weight=1)
def test_the_layer_can_be_trained(student):
    """A gradient reaches each of the three matrices, and it is PyTorch's."""
    module, weights, x = *loaded(student, 7, 4, seed=69), words_and_matrices()[0]
    cotangent = expect.randn(2, 5, 4, seed=72), None
    expect.parameter_gradients(student, module, (x,), cotangent, layer, weights, where="x (2, 5, 7)")


# 7 · intra_attention_weights


@pytest.mark.exercise("intra_attention_weights", weight=2)
def test_cheng_weights_of_one_step(student):
    """softmax over i of vᵀ tanh(W_h hᵢ + W_x x_t + W_t h̃)."""
    h, x_t, h_tilde, *matrices = cheng()
    args = [h[0], x_t[0], h_tilde[0], *matrices]
    expect.close(student.intra_attention_weights(*args), intra(*args), where="6 earlier states h (6, 5), x_t (3,), h̃ (4,), d_a = 7")


@pytest.mark.exercise("intra_attention_weights", weight=1)
def test_cheng_weights_of_a_batch(student):
    """Any number of leading batch dimensions; the softmax runs over the earlier states."""
    for batch in [(3,), (2, 4)]:
        given = [expect.randn(*batch, *shape, seed=80 + i) for i, shape in enumerate([(6, 5), (3,), (4,)])]
        args = [*given, *cheng()[3:]]
        expect.close(
            student.intra_attention_weights(*args), intra_of_a_batch(*args), where=f"h {(*batch, 6, 5)}, x_t {(*batch, 3)}, h̃ {(*batch, 4)}"
        )


@pytest.mark.exercise("intra_attention_weights", weight=0.5)
def test_large_scores_of_one_step(student):
    """Scores in the hundreds, of either sign, overflow nowhere."""
    h, x_t, h_tilde, *matrices, v = cheng()
    for times in (100, -100):
        args = [h[0], x_t[0], h_tilde[0], *matrices, times * v]
        expect.close(student.intra_attention_weights(*args), intra(*args), where=f"scores in the hundreds, v times {times}", atol=1e-3)


@pytest.mark.exercise("intra_attention_weights", weight=1)
def test_cheng_weights_are_well_behaved(student):
    """Inputs unchanged, float64 kept, on the inputs' device, differentiable in every argument."""
    function, args = student.intra_attention_weights, cheng()
    expect.inputs_unchanged(student, function, *args)
    expect.keeps_dtype(function, *args)
    expect.follows_device(function, *args)
    slopes_agree(student, function, args, where="a batch of 2")


# 8 · attention_backward


def compare_one_gradient(student, which):
    args = [expect.randn(*shape, seed=90 + i) for i, shape in enumerate([(3, 6), (5, 6), (5, 4), (3, 4)])]
    got, i = student.attention_backward(*args), ("dq", "dk", "dv").index(which)
    expect.true(isinstance(got, (tuple, list)) and len(got) == 3, "attention_backward returns three tensors: dq, dk, dv", expect.show(got))
    expect.close(got[i], autograd(*args)[i], where=f"{which} of q (3, 6), k (5, 6), v (5, 4)")


@pytest.mark.exercise("attention_backward", weight=1)
def test_dv(student):
    """dv is what autograd gives."""
    compare_one_gradient(student, "dv")


@pytest.mark.exercise("attention_backward", weight=1)
def test_dq(student):
    """dq is what autograd gives."""
    compare_one_gradient(student, "dq")


@pytest.mark.exercise("attention_backward", weight=1)
def test_dk(student):
    """dk is what autograd gives."""
    compare_one_gradient(student, "dk")


@pytest.mark.exercise("attention_backward", weight=2)
def test_gradients_of_a_batch(student):
    """Any number of leading batch dimensions."""
    for batch in [(2,), (3, 2)]:
        args = [expect.randn(*batch, *shape, seed=94 + i) for i, shape in enumerate([(4, 9), (6, 9), (6, 5), (4, 5)])]
        expect.close(
            student.attention_backward(*args), autograd(*args), where=f"q {(*batch, 4, 9)}, k {(*batch, 6, 9)}, v {(*batch, 6, 5)}"
        )


@pytest.mark.exercise("attention_backward", weight=1)
def test_long_vectors_take_few_steps(student):
    """Vectors of 40,000 numbers take a moment: nothing is computed once for each number."""
    args = [expect.randn(*shape, seed=104 + i) for i, shape in enumerate([(2, 4), (3, 4), (3, 3), (2, 3)])]
    q, k = (x.repeat(1, 10_000) / 10 for x in args[:2])  # their scores are those of the short ones
    d_q, d_k, d_v = student.attention_backward(q, k, *args[2:])
    got = 1000 * d_q[..., :4], 1000 * d_k[..., -4:], d_v
    expect.close(got, autograd(*args), where="q (2, 40000), k (3, 40000), of each the gradient in four columns, times 1,000")


@pytest.mark.exercise("attention_backward", weight=0.5)
@pytest.mark.trivial
def test_gradients_are_well_behaved(student):
    """float64 kept, on the inputs' device, inputs unchanged."""
    args = (*queries_keys_values(), expect.randn(2, 3, 6, seed=37))
    expect.keeps_dtype(student.attention_backward, *args)
    expect.follows_device(student.attention_backward, *args)
    expect.inputs_unchanged(student, student.attention_backward, *args)


# Stretch · streaming_attention


@pytest.mark.exercise("streaming_attention", weight=2)
def test_streaming_gives_the_same_output(student):
    """Any block size gives the output of plain attention, also when it does not divide T or exceeds it."""
    for block_size in [1, 2, 5, 8]:
        q, k, v = queries_keys_values()
        expect.close(student.streaming_attention(q, k, v, block_size), output(q, k, v), where=f"5 keys in blocks of {block_size}")


@pytest.mark.exercise("streaming_attention", weight=1)
def test_streaming_is_stable(student):
    """Scores in the hundreds, growing and falling from block to block, overflow nowhere."""
    q, k, v = queries_keys_values()
    q, k = q * 20, k * torch.tensor([1.0, -6.0, 9.0, 0.0, 20.0])[:, None]
    want = output(q, k, v)
    for order in ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0]):
        expect.close(student.streaming_attention(q, k[:, order], v[:, order], 2), want, where="scores in the hundreds, blocks of 2")
    for sign, side in ((1, "above"), (-1, "below")):
        q, k, v = far_from_zero(sign)
        expect.close(student.streaming_attention(q, k, v, 2), output(q, k, v), where=f"scores in the hundreds, all {side} 0, blocks of 2")


@pytest.mark.exercise("streaming_attention", weight=1)
def test_streaming_makes_no_large_tensor(student):
    """No tensor is much larger than T · block_size, whatever T is."""
    q, k, v = long_texts()
    expect.close(student.streaming_attention(q, k, v, 4), output(q, k, v), where="128 queries and keys in blocks of 4")
    made = student.largest_tensor(student.streaming_attention, q, k, v, 4)
    expect.true(
        made <= ALLOWED,
        "For 128 queries and keys in blocks of 4: a tensor is too large; the scores of one block are 128 · 4 numbers",
        f"the largest holds {made:,} numbers, at most 4 · 128 · 4 = {ALLOWED:,} are allowed",
    )


@pytest.mark.exercise("streaming_attention", weight=1)
@pytest.mark.trivial
def test_streaming_needs_a_positive_block(student):
    """A block_size below 1 is a ValueError that names it; float64 is kept."""
    q, k, v = queries_keys_values()
    expect.raises(ValueError, student.streaming_attention, q, k, v, 0, naming="block_size", where="block_size = 0")
    expect.keeps_dtype(student.streaming_attention, q, k, v, 2)
