"""The hidden checks of lesson 04: other sizes, edges and large values. Expected values come from PyTorch again."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from autograde.checking import expect
from autograde.checking.errors import CheckFailed
from autograde.grader.run.symmetries import Reversed

PARTS = ("q_proj", "k_proj", "v_proj")

SYMMETRIES = {
    "split_heads": [Reversed({0: -2}, -2)],
    "merge_heads": [Reversed({0: -2}, -2)],
    "head_entropy": [Reversed({0: -3}, -1)],
}


def known(d, seed, bias=True, scale=1.0, dtype=torch.float32):
    """Random weights by our names; scores have unit scale or more, biases are not zero."""
    shapes = {f"{name}.weight": (d, d) for name in (*PARTS, "out_proj")} | (
        {f"{name}.bias": (d,) for name in (*PARTS, "out_proj")} if bias else {}
    )
    return {
        name: expect.randn(*shape, seed=seed + i, scale=scale * (1.3 * d**-0.5 if len(shape) == 2 else 0.7), dtype=dtype)
        for i, (name, shape) in enumerate(shapes.items())
    }


def layer_of(student, d, n_heads, weights):
    module = student.MultiHeadAttention(d, n_heads, bias="q_proj.bias" in weights)
    if set(module.state_dict()) != set(weights):
        raise CheckFailed("MultiHeadAttention has other parameters than its four linear submodules should have")
    module.load_state_dict(weights)
    return module


def by_hand(weights, n_heads, x, context=None, mask=None):
    """Head by head with F.scaled_dot_product_attention: zero where nothing may be seen; values that are the identity give the weights."""
    context = x if context is None else context
    size = x.shape[-1] // n_heads
    outputs, found = [], []
    for h in range(n_heads):
        rows = slice(h * size, (h + 1) * size)
        q, k, v = (
            F.linear(source, weights[f"{name}.weight"][rows], weights[f"{name}.bias"][rows] if f"{name}.bias" in weights else None)
            for name, source in zip(PARTS, (x, context, context))
        )
        eye = torch.eye(k.shape[-2], dtype=k.dtype).expand(*k.shape[:-2], -1, -1)
        outputs.append(F.scaled_dot_product_attention(q, k, v, attn_mask=mask))
        found.append(F.scaled_dot_product_attention(q, k, eye, attn_mask=mask))
    merged = torch.cat(outputs, dim=-1)
    return F.linear(merged, weights["out_proj.weight"], weights.get("out_proj.bias")), torch.stack(found, dim=-3)


def torch_reference(student, d, n_heads, weights, **options):
    """An nn.MultiheadAttention in the student's process that holds these weights."""
    reference = student.new("torch.nn.MultiheadAttention", d, n_heads, bias="q_proj.bias" in weights, **options)
    reference.load_state_dict(torch_names(weights))
    return reference


def torch_names(weights):
    names = {"in_proj_weight": torch.cat([weights[f"{p}.weight"] for p in PARTS]), "out_proj.weight": weights["out_proj.weight"]}
    if "q_proj.bias" in weights:
        names |= {"in_proj_bias": torch.cat([weights[f"{p}.bias"] for p in PARTS]), "out_proj.bias": weights["out_proj.bias"]}
    return names


# 1 · split_heads


def places(*shape):
    """Every entry tells where it stands: 100 · position + column, plus 10,000 for each sentence."""
    t, d = shape[-2:]
    batch = torch.arange(math.prod(shape[:-2])).reshape(*shape[:-2], 1, 1) * 10_000
    return (batch + torch.arange(t)[:, None] * 100 + torch.arange(d)).double()


@pytest.mark.exercise("split_heads", weight=2)
@pytest.mark.parametrize("n_heads", [1, 2, 5, 10])
def test_each_number_has_its_head(student, n_heads):
    """From one head of full width to as many heads as columns."""
    x, size = places(2, 3, 10), 10 // n_heads
    got = student.split_heads(x, n_heads)
    for h in range(n_heads):
        expect.true(tuple(got.shape) == (2, n_heads, 3, size), f"For {n_heads} heads of 10 columns: wrong shape", f"{tuple(got.shape)}")
        expect.equal(got[:, h], x[..., h * size : (h + 1) * size], where=f"head {h + 1} of {n_heads} over 10 columns")


@pytest.mark.exercise("split_heads", weight=1)
@pytest.mark.parametrize("shape", [(1, 6), (3, 6), (4, 1, 6), (2, 1, 3, 6, 6)])
def test_unusual_lengths(student, shape):
    """One position, as many positions as heads, many batch dimensions."""
    got = student.split_heads(places(*shape), 3)
    want = torch.stack([places(*shape)[..., 2 * h : 2 * h + 2] for h in range(3)], dim=-3)
    expect.equal(got, want, where="an unusual number of positions or batch dimensions")


@pytest.mark.exercise("split_heads", weight=0.5)
@pytest.mark.trivial
def test_more_heads_than_columns(student):
    """More heads than the width are a ValueError that names n_heads."""
    expect.raises(ValueError, student.split_heads, places(3, 6), 12, naming="n_heads", where="twice as many heads as columns")


# 2 · merge_heads


@pytest.mark.exercise("merge_heads", weight=2)
@pytest.mark.parametrize("shape", [(5, 3, 2), (1, 4, 6), (2, 3, 1, 5), (2, 2, 2, 2, 2)])
def test_heads_stand_side_by_side(student, shape):
    """Each position's vectors, head after head, for unusual sizes."""
    x = places(*shape)
    expect.equal(student.merge_heads(x), torch.cat(x.unbind(-3), dim=-1), where="unusual numbers of heads, positions and columns")


@pytest.mark.exercise("merge_heads", weight=1)
def test_any_layout_in_memory(student):
    """Tensors that do not lie in memory in the order of their shape are merged alike; gradients pass."""
    x = expect.randn(2, 5, 4, 3, seed=200).transpose(1, 3)  # (2, 3, 4, 5)
    expect.equal(student.merge_heads(x), torch.cat(x.unbind(-3), dim=-1), where="a transposed tensor")
    expect.gradients(student, student.merge_heads, (x.contiguous(),), lambda y: torch.cat(y.unbind(-3), dim=-1), where="four dimensions")


# 3 · MultiHeadAttention


@pytest.mark.exercise("MultiHeadAttention", weight=2)
@pytest.mark.parametrize("d, n_heads, bias", [(10, 1, True), (10, 5, False), (6, 6, True)])
def test_other_numbers_of_heads(student, d, n_heads, bias):
    """One head, several, and as many heads as columns; with and without bias."""
    weights = known(d, seed=210, bias=bias)
    x = expect.randn(3, 4, d, seed=220)
    expect.close(
        layer_of(student, d, n_heads, weights)(x), by_hand(weights, n_heads, x), where=f"{n_heads} heads over {d} columns, bias={bias}"
    )


@pytest.mark.exercise("MultiHeadAttention", weight=2)
@pytest.mark.parametrize("mask_shape", [(1, 7), (4, 7), (3, 1, 7), (3, 4, 7), (2, 1, 4, 7), (2, 3, 4, 7)])
def test_masks_of_many_shapes(student, mask_shape):
    """A mask is shared by all heads, whatever batch dimensions it has or lacks."""
    weights, mask = known(8, seed=230), expect.rand(*mask_shape, seed=240) < 0.5
    mask[..., 3] = True
    x, context = expect.randn(2, 3, 4, 8, seed=241), expect.randn(2, 3, 7, 8, seed=242)
    want = by_hand(weights, 2, x, context, mask)
    expect.close(
        layer_of(student, 8, 2, weights)(x, context, mask),
        want,
        where="two batch dimensions, a context, and a mask with fewer or equal dimensions",
    )


@pytest.mark.exercise("MultiHeadAttention", weight=1)
def test_a_mask_without_a_batch(student):
    """One sentence without batch dimensions, and a causal mask: the past is untouched by the future."""
    weights, causal = known(12, seed=250), torch.ones(6, 6).tril().bool()
    module, x = layer_of(student, 12, 4, weights), expect.randn(6, 12, seed=251)
    expect.close(module(x, None, causal), by_hand(weights, 4, x, mask=causal), where="x without batch dimensions and a causal mask")
    module.eval()  # nothing in the layer is for training only
    expect.close(module(x, None, causal), by_hand(weights, 4, x, mask=causal), where="x and a causal mask, in eval mode")
    expect.close(module(x, None, causal.mT), by_hand(weights, 4, x, mask=causal.mT), where="x and another mask of the same size")
    changed = torch.cat([x[:4], expect.randn(2, 12, seed=252)])
    expect.close(module(changed, None, causal)[0][:4], module(x, None, causal)[0][:4], where="the past after the future was changed")


@pytest.mark.exercise("MultiHeadAttention", weight=1)
def test_large_scores_stay_exact(student):
    """Scores in the thousands: nothing overflows, and what is masked stays at exactly zero."""
    weights, causal = known(12, seed=260, scale=8.0), torch.ones(5, 5).tril().bool()
    x = expect.randn(2, 5, 12, seed=261, scale=6.0, dtype=torch.float64)
    module = layer_of(student, 12, 3, weights).double()
    double = {name: value.double() for name, value in weights.items()}
    output, found = module(x, mask=causal)
    expect.close((output, found), by_hand(double, 3, x, mask=causal), where="scores in the thousands, float64, causal")
    expect.true((found[..., ~causal] == 0).all(), "Weights must be exactly zero where the mask is False, however large the scores")


@pytest.mark.exercise("MultiHeadAttention", weight=1.5)
def test_one_position_and_nothing_to_see(student):
    """T = 1, and rows or whole sentences that may see nothing: zero weights, no NaN, the others untouched."""
    weights = known(12, seed=270, bias=False)
    module, x = layer_of(student, 12, 3, weights), expect.randn(2, 5, 12, seed=271)
    one = expect.randn(2, 1, 12, seed=272)
    expect.close(module(one), by_hand(weights, 3, one), where="a single position")
    mask = torch.stack([torch.zeros(5, 5), torch.ones(5, 5).tril(-1)]).bool()
    expect.close(
        module(x, mask=mask), by_hand(weights, 3, x, mask=mask), where="a sentence that sees nothing, and a first word that sees nothing"
    )
    biased = layer_of(student, 12, 3, known(12, seed=273))(x, mask=mask)
    expect.true(biased[0].isfinite().all(), "The output must be finite in rows that may see nothing, also with biases")
    expect.true((biased[1][0] == 0).all(), "The weights must be zero in rows that may see nothing, also with biases")


@pytest.mark.exercise("MultiHeadAttention", weight=1)
def test_pytorchs_layer_in_float64(student):
    """In float64 the layer equals nn.MultiheadAttention to the last digits, with gradients through the weights too."""
    weights = known(12, seed=280, dtype=torch.float64)
    module = student.MultiHeadAttention(12, 4).double()
    module.load_state_dict(weights)
    x, context = (expect.randn(2, n, 12, seed=288 + n, dtype=torch.float64) for n in (4, 6))
    reference = nn.MultiheadAttention(12, 4, batch_first=True, dtype=torch.float64)
    reference.load_state_dict(torch_names(weights))
    reference.requires_grad_(False)
    where = "4 heads, a context, float64"

    def oracle(x, context):
        return reference(x, context, context, average_attn_weights=False)

    expect.close(module(x, context), oracle(x, context), where=where)
    expect.gradients(student, module, (x, context), oracle, where=where)


@pytest.mark.exercise("MultiHeadAttention", weight=0.5)
@pytest.mark.trivial
def test_heads_that_do_not_divide_when_made(student):
    """Making a layer whose heads do not divide its width is a ValueError, before anything goes through it."""
    expect.raises(ValueError, student.MultiHeadAttention, 10, 4, where="MultiHeadAttention(10, 4)")


@pytest.mark.exercise("MultiHeadAttention", weight=1)
def test_a_context_of_the_same_length(student):
    """Another text of the same length is still another text; one of 1,100 words is seen whole."""
    weights, x = known(8, seed=250), expect.randn(2, 5, 8, seed=251)
    module = layer_of(student, 8, 2, weights)
    for n in (5, 1100):
        context = expect.randn(2, n, 8, seed=252)
        expect.close(module(x, context)[0], by_hand(weights, 2, x, context)[0], where=f"a context of {n} words")


@pytest.mark.exercise("MultiHeadAttention", weight=0.5)
def test_a_huge_forbidden_score(student):
    """A forbidden score, and allowed ones, of tens of thousands and of either sign."""
    weights, x = known(6, seed=253), expect.randn(4, 6, seed=262)
    x[2] *= 40_000  # as a query all its allowed scores in the second head are below −10,000
    mask = torch.tensor([True, True, False, True]).expand(4, 4)
    want = by_hand(weights, 2, x, x, mask)
    expect.close(layer_of(student, 6, 2, weights)(x, None, mask)[1], want[1], where="a huge vector behind the mask", atol=1e-3)


# 4 · load_torch_weights


@pytest.mark.exercise("load_torch_weights", weight=2)
@pytest.mark.parametrize("bias", [True, False])
def test_a_wider_layer_is_copied(student, bias):
    """Another width, float64, PyTorch's time-first layout: every parameter finds its place."""
    weights = known(20, seed=300, bias=bias, dtype=torch.float64)
    reference = torch_reference(student, 20, 5, weights, dtype=torch.float64)
    module = student.MultiHeadAttention(20, 5, bias).double()
    student.load_torch_weights(module, reference)
    got = module.state_dict()
    for name, want in weights.items():
        expect.true(name in got, f"The MultiHeadAttention has no `{name}`")
        expect.close(got[name], want, where=f"`{name}` with bias={bias}, float64")


@pytest.mark.exercise("load_torch_weights", weight=1)
def test_the_copy_is_a_copy(student):
    """Changing PyTorch's layer afterwards leaves ours alone, and the other way round; ours can still be trained."""
    weights, other = known(6, seed=310), known(6, seed=320)
    reference, module = torch_reference(student, 6, 2, weights), student.MultiHeadAttention(6, 2)
    student.load_torch_weights(module, reference)
    reference.load_state_dict(torch_names(other))
    for name, want in weights.items():
        expect.close(module.state_dict()[name], want, where=f"our `{name}` after PyTorch's layer was given new weights")
    module.load_state_dict(weights)
    for name, want in torch_names(other).items():
        expect.close(reference.state_dict()[name], want, where=f"PyTorch's `{name}` after ours was given new weights")
    got = student.parameter_gradients(module, (expect.randn(3, 6, seed=330),), (expect.randn(3, 6, seed=331), None))
    for name in weights:
        expect.true(got.get(name) is not None, f"After loading, `{name}` can no longer be trained")


# 5 · head_entropy


def entropy_of(weights):
    return torch.special.entr(weights).sum(-1).mean(-1)


@pytest.mark.exercise("head_entropy", weight=2)
@pytest.mark.parametrize("shape", [(1, 1, 4), (5, 2, 9), (2, 4, 1, 5, 3), (3, 6, 7, 7)])
def test_entropies_of_other_sizes(student, shape):
    """One head, one row, many batch dimensions, square weights."""
    weights = expect.randn(*shape, seed=340, scale=3.0).softmax(-1)
    expect.close(student.head_entropy(weights), entropy_of(weights), where="other numbers of heads, rows and words")


@pytest.mark.exercise("head_entropy", weight=1)
def test_entropy_of_causal_and_empty_rows(student):
    """Causal weights hold exact zeros; a row that sees nothing has entropy 0 and counts as a row."""
    weights = expect.randn(2, 3, 6, 6, seed=341).masked_fill(~torch.ones(6, 6).tril().bool(), -torch.inf).softmax(-1)
    expect.close(student.head_entropy(weights), entropy_of(weights), where="causal weights")
    weights[0, 1, 4] = 0.0
    expect.close(student.head_entropy(weights), entropy_of(weights), where="causal weights with a row of zeros")


@pytest.mark.exercise("head_entropy", weight=1)
@pytest.mark.trivial
def test_the_entropys_gradient_at_zero_weights(student):
    """Where a weight is exactly 0, the gradient, too, is neither NaN nor infinite."""
    weights = torch.tensor([[[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]]])
    _, (grad,) = student.pullback(student.head_entropy, (weights,), torch.ones(1))
    expect.true(
        grad is None or grad.isfinite().all(),
        "The gradient is NaN or infinite where a weight is 0: keep that from arising, instead of replacing it afterwards",
    )


@pytest.mark.exercise("head_entropy", weight=0.5)
@pytest.mark.trivial
def test_entropy_has_bounds(student):
    """Never below 0, and ln T_k at most, reached by even weights."""
    weights = expect.randn(4, 3, 50, 200, seed=342, scale=0.1).softmax(-1)
    got = student.head_entropy(weights)
    expect.true(
        (got <= math.log(200) + 1e-4).all() and (got > math.log(200) - 0.1).all(),
        "Nearly even weights over 200 words have an entropy near ln 200",
    )
    even = torch.full((2, 3, 200), 1 / 200, dtype=torch.float64)
    expect.close(
        student.head_entropy(even),
        torch.full((2,), math.log(200), dtype=torch.float64),
        where="even weights over 200 words, float64",
        rtol=1e-6,
    )


@pytest.mark.exercise("head_entropy", weight=0.5)
def test_the_entropys_gradient_at_small_weights(student):
    """The gradient at weights of 10⁻⁶; weights of 0 are left alone."""
    weights = torch.tensor([[[1e-6, 0.4, 0.6 - 1e-6]]], dtype=torch.float64)
    expect.gradients(student, student.head_entropy, (weights,), entropy_of, where="a weight of 10⁻⁶")
    expect.inputs_unchanged(student, student.head_entropy, torch.tensor([[[1.0, 0.0], [0.25, 0.75]]]))


# 6 · mask_heads


@pytest.mark.exercise("mask_heads", weight=2)
@pytest.mark.parametrize("shape", [(3, 3, 3), (3, 1, 1), (3, 5, 3), (3, 3, 2, 6), (2, 4, 3, 3, 5)])
@pytest.mark.parametrize(
    "pattern",
    [
        (False, True, False),
        pytest.param((True, True, True), marks=pytest.mark.trivial),
        pytest.param((False, False, False), marks=pytest.mark.trivial),
    ],
)
def test_sizes_that_coincide(student, shape, pattern):
    """Heads fall silent also where words, queries or sentences are as many as heads; all kept, none kept."""
    weights, keep = expect.rand(*shape, seed=350) + 0.5, torch.tensor(pattern)
    want = torch.stack([head if kept else torch.zeros_like(head) for head, kept in zip(weights.unbind(-3), pattern)], dim=-3)
    expect.equal(student.mask_heads(weights, keep), want, where="other sizes and other heads kept")


# 7 · KeyValueCache


@pytest.mark.exercise("KeyValueCache", weight=0.5)
def test_a_long_text_is_held_whole(student):
    """600 positions, one hundred at a time: nothing is dropped."""
    cache, k, v = student.KeyValueCache(), expect.randn(2, 600, 3, seed=360), expect.randn(2, 600, 3, seed=361)
    for start in range(0, 600, 100):
        got = cache.append(k[:, start : start + 100], v[:, start : start + 100])
    expect.close(got, (k, v), where="600 positions in six parts")
    expect.equal(cache.length, 600, where="the length after 600 positions")


@pytest.mark.exercise("KeyValueCache", weight=2)
@pytest.mark.parametrize("shape", [(1, 4), (5, 3), (2, 3, 4), (3, 2, 2, 5)])
def test_other_shapes_are_cached(student, shape):
    """Any number of batch dimensions and heads, appended in pieces of unequal length, float64 kept."""
    *batch, size = shape
    k, v = (expect.randn(*batch, 11, size, seed=360 + i, dtype=torch.float64) for i in range(2))
    cache, start = student.KeyValueCache(), 0
    for t in (4, 1, 1, 5):
        got = cache.append(k[..., start : start + t, :], v[..., start : start + t, :])
        start += t
        expect.close(got, (k[..., :start, :], v[..., :start, :]), where="pieces of unequal length", rtol=0, atol=0)
        expect.equal(cache.length, start, where="the length after pieces of unequal length")


@pytest.mark.exercise("KeyValueCache", weight=2)
def test_a_prompt_and_then_word_by_word(student):
    """A prompt at once, then one position at a time, equals the full causal pass; two caches used in turn do not mix."""
    texts = [[expect.randn(2, 3, 8, 4, seed=370 + 3 * n + i) for i in range(3)] for n in range(2)]
    caches, found = [student.KeyValueCache() for _ in texts], [[], []]
    for start, stop in ((0, 5), (5, 6), (6, 7), (7, 8)):
        for (q, k, v), cache, steps in zip(texts, caches, found):
            keys, values = cache.append(k[..., start:stop, :], v[..., start:stop, :])
            expect.close(
                (keys, values), (k[..., :stop, :], v[..., :stop, :]), where="what append returns after a prompt and single positions"
            )
            mask = torch.ones(stop, stop).tril().bool()[start:]
            steps.append(F.scaled_dot_product_attention(q[..., start:stop, :], keys, values, attn_mask=mask))
    for (q, k, v), steps in zip(texts, found):
        want = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        expect.close(torch.cat(steps, dim=-2), want, where="a prompt of five positions, then one at a time, in two caches")


@pytest.mark.exercise("KeyValueCache", weight=0.5)
def test_the_cache_passes_gradients(student):
    """What was appended stays differentiable, and what was returned before stays as it was."""
    cache = student.KeyValueCache()
    old = [expect.randn(3, 2, 4, seed=380 + i) for i in range(2)]
    first = [x.clone() for x in cache.append(*old)]
    new = tuple(expect.randn(3, 3, 4, seed=382 + i) for i in range(2))
    cotangents = tuple(expect.randn(3, 5, 4, seed=384 + i) for i in range(2))
    _, got = student.pullback(cache.append, new, cotangents)
    for gradient, cotangent in zip(got, cotangents):
        expect.true(gradient is not None, "No gradient reaches what was appended")
        expect.close(gradient, cotangent[..., 2:, :], where="the gradient in the keys and values appended last")
    expect.close(tuple(first), tuple(old), where="what the first append returned")


# 8 · attention_cost


@pytest.mark.exercise("attention_cost", weight=2)
@pytest.mark.parametrize("n, d, heads", [(1, 8, 2), (1024, 768, 12), (2048, 12288, 96), (7, 30, 1)])
def test_costs_of_known_layers(student, n, d, heads):
    """One position, GPT-2's layer, GPT-3's layer, a single head, and what is like them but for one number: counted product by product."""
    for length, width, parts in ((n, d, heads), (n + 1, d, heads), (n, 2 * d, heads), (n, d, 2 * heads)):
        size = width // parts
        # (rows, inner length, columns) of every matrix product
        products = [(length, width, width)] * 4 + [(length, size, length), (length, length, size)] * parts
        want = {
            "parameters": 4 * width**2,
            "multiply_adds": sum(a * b * c for a, b, c in products),
            "score_entries": sum(length * length for _ in range(parts)),
        }
        expect.close(student.attention_cost(length, width, parts), want, where="a layer of another size", rtol=1e-9)


# Stretch · grouped_query_attention


@pytest.mark.exercise("grouped_query_attention", weight=1)
def test_grouped_gradients_and_dtype(student):
    """Differentiable, float64 kept, on the inputs' device, inputs unchanged, zeros where nothing may be seen."""
    q, k, v = expect.randn(4, 3, 6, seed=390), expect.randn(2, 5, 6, seed=391), expect.randn(2, 5, 6, seed=392)
    function = student.grouped_query_attention
    eye = torch.eye(5).expand(2, -1, -1)
    expect.gradients(
        student,
        function,
        (q, k, v),
        lambda q, k, v: tuple(F.scaled_dot_product_attention(q, k, x, enable_gqa=True) for x in (v, eye)),
        where="4 query heads and 2 heads of keys and values",
    )
    expect.keeps_dtype(function, q, k, v)
    expect.follows_device(function, q, k, v)
    expect.inputs_unchanged(student, function, q, k, v)
    output, weights = function(q, k, v, torch.zeros(3, 5).bool())
    expect.true((output == 0).all() and (weights == 0).all(), "Where nothing may be seen, output and weights are zero")


@pytest.mark.exercise("grouped_query_attention", weight=0.5)
def test_grouped_attention_of_two_batch_dimensions(student):
    """Two batch dimensions, with a mask for each sequence."""
    q, k, v = expect.randn(2, 3, 6, 4, 5, seed=400), expect.randn(2, 3, 3, 7, 5, seed=401), expect.randn(2, 3, 3, 7, 5, seed=402)
    mask = expect.rand(2, 3, 4, 7, seed=403) < 0.6
    mask[..., 2] = True
    for seen in (mask, mask.flip(-2)):
        want = F.scaled_dot_product_attention(q, *(x.repeat_interleave(2, -3) for x in (k, v)), attn_mask=seen.unsqueeze(-3))
        expect.close(student.grouped_query_attention(q, k, v, seen)[0], want, where="6 query heads and 3 heads of keys and values")
    expect.inputs_unchanged(student, student.grouped_query_attention, q, k, v, mask)
