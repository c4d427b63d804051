"""The public checks of lesson 04: students have this file too.

Expected values come from PyTorch: `nn.MultiheadAttention`, `F.scaled_dot_product_attention`, `torch.distributions.Categorical`,
and the counts of PyTorch's own operations; see `autograde.checking.expected`.
"""

from functools import partial

import pytest
import torch
from torch.nn import functional as F

from autograde.checking import expect
from autograde.checking.errors import CheckFailed
from autograde.checking.expected import oracles

piecewise, torch_layer, entropies, entropy_sums = oracles(__file__, "piecewise", "torch_layer", "entropies", "entropy_sums")
silenced, counted, grouped, three_heads = oracles(__file__, "silenced", "counted", "grouped", "three_heads")

NAMES = ("q_proj", "k_proj", "v_proj", "out_proj")
X = expect.randn(2, 5, 12, seed=1)
CONTEXT = expect.randn(2, 7, 12, seed=2)
MASK = torch.tensor([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1], [1, 0, 0, 0, 1], [1, 1, 1, 0, 0], [0, 0, 0, 1, 0]]).bool()
CROSS_MASK = expect.rand(5, 7, seed=3) < 0.6
CROSS_MASK[:, 2] = True  # every word may see something
WEIGHTS = expect.randn(2, 3, 4, 6, seed=4, scale=2.0).softmax(-1)
SHARP = torch.tensor([[[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], [[0.5, 0.5, 0.0], [0.5, 0.25, 0.25]]])  # (2 heads, 2, 3)


def state(d_model, seed, bias=True, scale=1.0):
    """Known weights, large enough for scores of unit scale and more, with biases that are not zero."""
    found = {
        f"{name}.weight": expect.randn(d_model, d_model, seed=seed + i, scale=scale * 1.3 * d_model**-0.5) for i, name in enumerate(NAMES)
    }
    if bias:
        found |= {f"{name}.bias": expect.randn(d_model, seed=seed + 4 + i, scale=0.7) for i, name in enumerate(NAMES)}
    return found


def packed(weights):
    """The same weights as nn.MultiheadAttention names and packs them."""
    found = {"in_proj_weight": torch.cat([weights[f"{name}.weight"] for name in NAMES[:3]]), "out_proj.weight": weights["out_proj.weight"]}
    if "q_proj.bias" in weights:
        found |= {"in_proj_bias": torch.cat([weights[f"{name}.bias"] for name in NAMES[:3]]), "out_proj.bias": weights["out_proj.bias"]}
    return found


def loaded(student, d_model, n_heads, seed, bias=True, scale=1.0):
    """A student's MultiHeadAttention holding known weights, and the weights."""
    module, weights = student.MultiHeadAttention(d_model, n_heads, bias), state(d_model, seed, bias, scale)
    if unknown := set(module.state_dict()) ^ set(weights):
        shown = ", ".join(sorted(unknown))
        raise CheckFailed(
            f"MultiHeadAttention needs the linear submodules {', '.join(NAMES)} and no other parameters", f"missing or extra: {shown}"
        )
    module.load_state_dict(weights)
    return module, weights


def probe_layer(student):
    """As many sentences as heads, so that a mask lined up with the wrong dimension gives numbers, not an error."""
    module, x, context = student.MultiHeadAttention(12, 3), expect.randn(3, 5, 12, seed=90), expect.randn(3, 5, 12, seed=91)
    module.load_state_dict(state(12, seed=92), strict=False)
    masks = expect.rand(3, 5, 5, seed=93) < 0.6
    masks[..., 1], masks[1, 2] = True, False
    found = module(x, context)  # first, so that what is kept from it shows in the other
    return module(x, mask=masks), found


def probe_cache(student):
    one, other = student.KeyValueCache(), student.KeyValueCache()
    parts = [expect.randn(2, 3, 2, 4, seed=95 + i) for i in range(6)]
    found = [one.append(*parts[:2]), other.append(*parts[2:4]), one.append(*parts[4:])]
    return found, one.length


def probe_load(student):
    reference, module = student.new("torch.nn.MultiheadAttention", 6, 3), student.MultiHeadAttention(6, 3)
    reference.load_state_dict(packed(state(6, seed=70)))
    start = state(6, seed=80)
    module.load_state_dict(start, strict=False)
    student.load_torch_weights(module, reference)
    return dict(module.state_dict())


def probe_groups(student):
    """As many sentences as query heads, for the same reason."""
    q, mask = expect.randn(4, 4, 3, 6, seed=97), expect.rand(4, 3, 5, seed=98) < 0.6
    mask[..., 1] = True
    k, v = (expect.randn(4, 2, 5, 6, seed=99 + i) for i in range(2))
    return student.grouped_query_attention(q, k, v, mask)


PROBES = {
    "split_heads": lambda student: student.split_heads(torch.arange(48.0).reshape(2, 4, 6), 3),
    "merge_heads": lambda student: student.merge_heads(torch.arange(48.0).reshape(2, 3, 4, 2)),
    "MultiHeadAttention": probe_layer,
    "load_torch_weights": probe_load,
    "head_entropy": lambda student: student.head_entropy(torch.stack([WEIGHTS[0, :2, :2, :3], SHARP])),
    "mask_heads": lambda student: student.mask_heads(expect.rand(2, 3, 3, 3, seed=5), torch.tensor([True, False, True])),
    "KeyValueCache": probe_cache,
    "attention_cost": lambda student: student.attention_cost(5, 12, 3),
    "grouped_query_attention": probe_groups,
}


# 1 · split_heads


@pytest.mark.exercise("split_heads", weight=2)
def test_the_worked_example_is_split(student):
    """Two words of six numbers, three heads: each head gets two neighbouring numbers of both words."""
    want = torch.tensor([[[0.0, 1.0], [6.0, 7.0]], [[2.0, 3.0], [8.0, 9.0]], [[4.0, 5.0], [10.0, 11.0]]])
    expect.equal(student.split_heads(torch.arange(12.0).reshape(2, 6), 3), want, where="the numbers 0 … 11 as x (2, 6), 3 heads")


@pytest.mark.exercise("split_heads", weight=2)
@pytest.mark.parametrize("batch", [(2,), (3, 2)])
def test_a_batch_is_split(student, batch):
    """Any number of leading batch dimensions."""
    for n_words in (5, 8):
        x = expect.randn(*batch, n_words, 12, seed=10)
        expect.equal(student.split_heads(x, 4), piecewise(x, 4), where=f"x {(*batch, n_words, 12)}, 4 heads")


@pytest.mark.exercise("split_heads", weight=1)
@pytest.mark.trivial
def test_heads_that_do_not_divide(student):
    """A ValueError names `n_heads` where it does not divide the width."""
    expect.raises(ValueError, student.split_heads, X, 5, naming="n_heads", where="x (2, 5, 12) and n_heads = 5")


@pytest.mark.exercise("split_heads", weight=0.5)
def test_splitting_is_well_behaved(student):
    """Differentiable, float64 kept, on the inputs' device, inputs unchanged."""
    expect.gradients(student, student.split_heads, (X, 3), piecewise, where="x (2, 5, 12), 3 heads")
    expect.keeps_dtype(student.split_heads, X, 3)
    expect.follows_device(student.split_heads, X, 3)
    expect.inputs_unchanged(student, student.split_heads, X, 3)


# 2 · merge_heads


@pytest.mark.exercise("merge_heads", weight=2)
def test_the_worked_example_is_merged(student):
    """The three heads of the worked example give back the two words."""
    heads = torch.tensor([[[0.0, 1.0], [6.0, 7.0]], [[2.0, 3.0], [8.0, 9.0]], [[4.0, 5.0], [10.0, 11.0]]])
    expect.equal(student.merge_heads(heads), torch.arange(12.0).reshape(2, 6), where="the three heads (3, 2, 2) of 0 … 11")


@pytest.mark.exercise("merge_heads", weight=2)
@pytest.mark.parametrize("batch", [(2,), (3, 2)])
def test_merging_undoes_splitting(student, batch):
    """Merging the pieces gives back x, with any number of leading batch dimensions."""
    x = expect.randn(*batch, 5, 12, seed=11)
    expect.equal(student.merge_heads(piecewise(x, 4)), x, where=f"the 4 heads {(*batch, 4, 5, 3)} of x {(*batch, 5, 12)}")


@pytest.mark.exercise("merge_heads", weight=0.5)
@pytest.mark.trivial
def test_merging_is_well_behaved(student):
    """float64 kept, on the inputs' device, inputs unchanged."""
    heads = piecewise(X, 3)
    expect.keeps_dtype(student.merge_heads, heads)
    expect.follows_device(student.merge_heads, heads)
    expect.inputs_unchanged(student, student.merge_heads, heads)


# 3 · MultiHeadAttention


@pytest.mark.exercise("MultiHeadAttention", weight=1)
@pytest.mark.parametrize("bias", [True, False])
def test_the_layer_has_four_linear_maps(student, bias):
    """`q_proj`, `k_proj`, `v_proj`, `out_proj`, each d_model × d_model, with bias or without as asked."""
    shapes = {name: tuple(value.shape) for name, value in student.MultiHeadAttention(12, 3, bias=bias).state_dict().items()}
    for name in NAMES:
        got = shapes.get(f"{name}.weight")
        expect.true(
            got == (12, 12),
            f"MultiHeadAttention(12, 3) needs a submodule `{name}`, nn.Linear(12, 12)",
            f"its weight has the shape {got}, expected is (12, 12)" if got else "there is none",
        )
        has = f"{name}.bias" in shapes
        expect.true(has == bias, f"`{name}` should have {'a' if bias else 'no'} bias with bias={bias}")


@pytest.mark.exercise("MultiHeadAttention", weight=3)
@pytest.mark.parametrize("batch", [(), (2,), (2, 4)])
def test_self_attention_is_pytorchs(student, batch):
    """With equal weights the output and every head's weights are nn.MultiheadAttention's."""
    module, weights = loaded(student, 12, 3, seed=20)
    x = expect.randn(*batch, 5, 12, seed=30)
    expect.close(module(x), torch_layer(weights, 3, x), where=f"MultiHeadAttention(12, 3) and x {(*batch, 5, 12)}")


@pytest.mark.exercise("MultiHeadAttention", weight=2)
def test_cross_attention_is_pytorchs(student):
    """With a context, queries come from x, keys and values from the context."""
    module, weights = loaded(student, 12, 3, seed=31)
    expect.close(
        module(X, CONTEXT), torch_layer(weights, 3, X, CONTEXT), where="MultiHeadAttention(12, 3), x (2, 5, 12) and a context (2, 7, 12)"
    )


@pytest.mark.exercise("MultiHeadAttention", weight=2)
def test_one_mask_for_all_sentences(student):
    """A mask (T_q, T_k) holds for every head of every sentence."""
    module, weights = loaded(student, 12, 3, seed=40)
    expect.close(module(X, mask=MASK), torch_layer(weights, 3, X, mask=MASK), where="x (2, 5, 12) and a mask (5, 5)")
    want = torch_layer(weights, 3, X, CONTEXT, CROSS_MASK)
    expect.close(module(X, CONTEXT, CROSS_MASK), want, where="x (2, 5, 12), a context (2, 7, 12) and a mask (5, 7)")


@pytest.mark.exercise("MultiHeadAttention", weight=2)
def test_a_mask_for_each_sentence(student):
    """A mask (batch, T_q, T_k) holds for all heads of its own sentence, also when there are as many sentences as heads."""
    module, weights = loaded(student, 12, 3, seed=50)
    x, mask = expect.randn(3, 5, 12, seed=51), torch.stack([MASK, MASK.roll(1, 0), MASK.roll(2, 0)])
    expect.close(module(x, mask=mask), torch_layer(weights, 3, x, mask=mask), where="3 heads, x (3, 5, 12) and a mask (3, 5, 5)")
    want = tuple(result.unsqueeze(0) for result in torch_layer(weights, 3, x, mask=mask))
    expect.close(module(x[None], mask=mask[None]), want, where="3 heads, x (1, 3, 5, 12) and a mask (1, 3, 5, 5)")


@pytest.mark.exercise("MultiHeadAttention", weight=1.5)
def test_a_word_that_may_see_nothing(student):
    """A row in which the mask is all False has zero weights and finds nothing; never NaN."""
    module, weights = loaded(student, 12, 3, seed=60, bias=False)
    mask, seeing = MASK.clone(), torch.tensor([1, 0, 1, 1, 1]).bool()[:, None]
    mask[1] = False
    output, found = torch_layer(weights, 3, X, mask=MASK)
    want = (output * seeing, found * seeing)
    expect.close(module(X, mask=mask), want, where="a layer without bias and a mask (5, 5) whose row 1 is all False")


@pytest.mark.exercise("MultiHeadAttention", weight=1)
def test_the_layer_can_be_trained(student):
    """Gradients reach the input, the context and every parameter, and they are PyTorch's."""
    module, weights = loaded(student, 12, 3, seed=61)
    oracle = partial(torch_layer, weights, 3)
    expect.gradients(student, module, (X, CONTEXT), oracle, where="x (2, 5, 12) and a context (2, 7, 12)")
    cotangent = expect.randn(2, 5, 12, seed=62), None
    expect.parameter_gradients(student, module, (X,), cotangent, three_heads, weights, where="x (2, 5, 12)", atol=1e-4)


@pytest.mark.exercise("MultiHeadAttention", weight=1)
def test_the_layer_is_well_behaved(student):
    """float64 kept, on the inputs' device, inputs unchanged; heads must divide the width."""
    module, _ = loaded(student, 12, 3, seed=63)
    expect.inputs_unchanged(student, module, X, CONTEXT, CROSS_MASK)
    expect.keeps_dtype(module.double(), X, CONTEXT, CROSS_MASK)
    expect.follows_device(module.to("meta"), X, CONTEXT, CROSS_MASK)
    expect.raises(ValueError, lambda: student.MultiHeadAttention(12, 5)(X), naming="n_heads", where="d_model = 12 and n_heads = 5")


# 4 · load_torch_weights


@pytest.mark.exercise("load_torch_weights", weight=2)
@pytest.mark.parametrize("bias", [True, False])
def test_every_weight_finds_its_place(student, bias):
    """Each part of the packed weights (and biases) lands in the submodule it belongs to, unchanged."""
    reference, module = student.new("torch.nn.MultiheadAttention", 12, 3, bias=bias), student.MultiHeadAttention(12, 3, bias)
    weights = state(12, seed=70, bias=bias)
    reference.load_state_dict(packed(weights))
    student.load_torch_weights(module, reference)
    got = module.state_dict()
    for name, want in weights.items():
        expect.true(name in got, f"The MultiHeadAttention has no `{name}`")
        expect.close(got[name], want, where=f"`{name}` of a layer with bias={bias}")


@pytest.mark.exercise("load_torch_weights", weight=0.5)
def test_loading_copies(student):
    """Training PyTorch's layer afterwards leaves ours as it is, and ours can be trained, too."""
    reference, module = student.new("torch.nn.MultiheadAttention", 12, 3), student.MultiHeadAttention(12, 3)
    weights = state(12, seed=72)
    reference.load_state_dict(packed(weights))
    student.load_torch_weights(module, reference)
    reference.load_state_dict(packed(state(12, seed=73)))  # in place, as a training step does it
    for name, want in weights.items():
        expect.close(module.state_dict()[name], want, where=f"our `{name}` after PyTorch's layer was given other weights")
    got = student.parameter_gradients(module, (X,), (expect.randn(2, 5, 12, seed=74), None))
    for name in weights:
        expect.true(got.get(name) is not None, f"After loading, `{name}` can no longer be trained")


@pytest.mark.exercise("load_torch_weights", weight=1)
def test_loading_gives_pytorchs_outputs(student):
    """After loading, the layer gives nn.MultiheadAttention's output."""
    reference, module = student.new("torch.nn.MultiheadAttention", 12, 4, batch_first=True), student.MultiHeadAttention(12, 4)
    weights = state(12, seed=75)
    reference.load_state_dict(packed(weights))
    student.load_torch_weights(module, reference)
    expect.close(module(X, CONTEXT), torch_layer(weights, 4, X, CONTEXT), where="4 heads, x (2, 5, 12) and a context (2, 7, 12)")


# 5 · head_entropy


@pytest.mark.exercise("head_entropy", weight=2)
def test_the_worked_entropies(student):
    """One word: 0. Eight words evenly: ln 8 = 2.08. The lecture's (0.88, 0.12): 0.367."""
    one, even = torch.zeros(1, 3, 8), torch.full((1, 3, 8), 0.125)
    one[..., 2] = 1.0
    expect.close(
        student.head_entropy(torch.cat([one, even])),
        torch.tensor([0.0, 2.0794415]),
        where="a head that sees one word and one that sees 8 evenly",
    )
    expect.close(student.head_entropy(torch.tensor([[[0.88, 0.12]]])), torch.tensor([0.3669247]), where="one head, one row (0.88, 0.12)")


@pytest.mark.exercise("head_entropy", weight=2)
@pytest.mark.parametrize("batch", [(), (2,), (3, 2)])
def test_one_mean_for_each_head(student, batch):
    """Entropy of each row in nats, averaged over the rows of a head, for each head of each sentence."""
    weights = expect.randn(*batch, 3, 4, 6, seed=80, scale=2.0).softmax(-1)
    expect.close(student.head_entropy(weights), entropies(weights), where=f"weights {(*batch, 3, 4, 6)}")


@pytest.mark.exercise("head_entropy", weight=1)
def test_zero_times_log_zero_is_zero(student):
    """Weights of exactly 0 add nothing; neither the result nor its gradient is ever NaN."""
    expect.close(
        student.head_entropy(SHARP), torch.tensor([0.0, 0.8664340]), where="weights (2, 2, 3) with zeros, such as (1, 0, 0) and (½, ½, 0)"
    )
    _, (grad,) = student.pullback(student.head_entropy, (SHARP,), torch.ones(2))
    expect.true(
        grad is None or grad.isfinite().all(),
        "The value is right, but its gradient is NaN or infinite where a weight is 0: keep that from arising, instead of replacing it",
    )


@pytest.mark.exercise("head_entropy", weight=0.5)
def test_entropy_is_well_behaved(student):
    """Differentiable, float64 kept, on the inputs' device, inputs unchanged."""
    expect.gradients(student, student.head_entropy, (WEIGHTS,), entropy_sums, where="weights (2, 3, 4, 6)")
    expect.keeps_dtype(student.head_entropy, WEIGHTS)
    expect.precise(student.head_entropy, entropy_sums, WEIGHTS, where="weights (2, 3, 4, 6)")
    expect.follows_device(student.head_entropy, WEIGHTS)
    expect.inputs_unchanged(student, student.head_entropy, WEIGHTS)


# 6 · mask_heads


@pytest.mark.exercise("mask_heads", weight=2)
@pytest.mark.parametrize("batch", [(), (2,), (3, 2)])
def test_a_head_is_silenced(student, batch):
    """Weights are zero in heads that are not kept and unchanged in the others."""
    weights, keep = expect.randn(*batch, 3, 4, 6, seed=81).softmax(-1), torch.tensor([True, False, True])
    expect.close(student.mask_heads(weights, keep), silenced(weights, keep), where=f"weights {(*batch, 3, 4, 6)}, keep [True, False, True]")


@pytest.mark.exercise("mask_heads", weight=1)
def test_heads_are_silenced_not_words(student):
    """With as many words as heads, it is still the heads that fall silent."""
    weights, keep = expect.randn(2, 4, 4, 4, seed=82).softmax(-1), torch.tensor([False, True, True, False])
    expect.close(student.mask_heads(weights, keep), silenced(weights, keep), where="weights (2, 4, 4, 4), keep [False, True, True, False]")


@pytest.mark.exercise("mask_heads", weight=0.5)
def test_silencing_is_well_behaved(student):
    """Differentiable, float64 kept, on the inputs' device, inputs unchanged."""
    keep = torch.tensor([True, False, True])
    expect.gradients(student, student.mask_heads, (WEIGHTS, keep), silenced, where="weights (2, 3, 4, 6)")
    expect.keeps_dtype(student.mask_heads, WEIGHTS, keep)
    wide = expect.randn(2, 3, 4, 6, seed=83, dtype=torch.float64)
    expect.equal(student.mask_heads(wide, keep), silenced(wide, keep), where="float64 weights, which are kept exactly")
    expect.follows_device(student.mask_heads, WEIGHTS, keep)
    expect.inputs_unchanged(student, student.mask_heads, WEIGHTS, keep)


# 7 · KeyValueCache


@pytest.mark.exercise("KeyValueCache", weight=2)
def test_the_cache_returns_everything_so_far(student):
    """Keys and values come back oldest first, along the time dimension, in this order: (keys, values)."""
    cache = student.KeyValueCache()
    k, v = expect.randn(2, 3, 7, 4, seed=83), expect.randn(2, 3, 7, 4, seed=84)
    for start, stop in ((0, 2), (2, 3), (3, 7)):
        got = cache.append(k[..., start:stop, :], v[..., start:stop, :])
        expect.equal(got[0], k[..., :stop, :], where=f"the keys after positions {start} … {stop - 1} were appended")
        expect.equal(got[1], v[..., :stop, :], where=f"the values after positions {start} … {stop - 1} were appended")


@pytest.mark.exercise("KeyValueCache", weight=1)
def test_the_cache_knows_its_length(student):
    """`length` is a property: 0 at first, then the number of positions (not of calls)."""
    cache = student.KeyValueCache()
    expect.equal(cache.length, 0, where="the length of an empty cache")
    for t, total in ((1, 1), (3, 4), (1, 5)):
        cache.append(expect.randn(2, 3, t, 4, seed=85), expect.randn(2, 3, t, 4, seed=86))
        expect.equal(cache.length, total, where=f"the length after {t} more position(s)")


@pytest.mark.exercise("KeyValueCache", weight=2)
@pytest.mark.parametrize("batch", [(), (2,)])
def test_decoding_step_by_step_is_the_full_causal_pass(student, batch):
    """One query at a time against the cache gives what causal attention over the whole text gives."""
    q, k, v = (expect.randn(*batch, 3, 6, 4, seed=87 + i) for i in range(3))
    cache, steps = student.KeyValueCache(), []
    for t in range(6):
        now = slice(t, t + 1)
        keys, values = cache.append(k[..., now, :], v[..., now, :])
        expect.close(
            (keys, values), (k[..., : t + 1, :], v[..., : t + 1, :]), where=f"what append returns at position {t} of {(*batch, 3, 6, 4)}"
        )
        steps.append(F.scaled_dot_product_attention(q[..., now, :], keys, values))
    want = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    expect.close(torch.cat(steps, dim=-2), want, where=f"q, k, v {(*batch, 3, 6, 4)}, one position at a time")


@pytest.mark.exercise("KeyValueCache", weight=1)
def test_two_caches_share_nothing(student):
    """A new cache is empty whatever other caches hold."""
    first, second = student.KeyValueCache(), student.KeyValueCache()
    first.append(expect.randn(3, 5, 4, seed=90), expect.randn(3, 5, 4, seed=91))
    expect.equal(second.length, 0, where="the length of a second, empty cache after the first was filled")
    k, v = expect.randn(3, 2, 4, seed=92), expect.randn(3, 2, 4, seed=93)
    expect.close(second.append(k, v), (k, v), where="the first append to a second cache")


@pytest.mark.exercise("KeyValueCache", weight=0.5)
@pytest.mark.trivial
def test_the_cache_is_well_behaved(student):
    """float64 kept, on the inputs' device, inputs unchanged."""
    k, v = expect.randn(3, 2, 4, seed=94), expect.randn(3, 2, 4, seed=95)

    def twice(k, v):
        cache = student.KeyValueCache()
        return cache.append(k, v), cache.append(k, v)

    expect.keeps_dtype(twice, k, v)
    expect.follows_device(twice, k, v)
    expect.inputs_unchanged(student, student.KeyValueCache().append, k, v)


# 8 · attention_cost


@pytest.mark.exercise("attention_cost", weight=1)
def test_the_cost_of_thinking_machines(student):
    """Two words, d_model = 512, 8 heads: 1,048,576 parameters, 2,101,248 multiply-adds, 32 score entries."""
    want = {"parameters": 1_048_576, "multiply_adds": 2_101_248, "score_entries": 32}
    expect.close(student.attention_cost(2, 512, 8), want, where="attention_cost(2, 512, 8)", rtol=1e-9)


@pytest.mark.exercise("attention_cost", weight=1)
@pytest.mark.parametrize("key", ["parameters", "multiply_adds", "score_entries"])
def test_each_count_is_pytorchs(student, key):
    """Each entry is what nn.MultiheadAttention has or does."""
    got, want = student.attention_cost(70, 24, 6), counted(70, 24, 6)
    expect.true(isinstance(got, dict) and key in got, f"attention_cost returns a dict with the entry {key!r}", expect.show(got))
    expect.close(got[key], want[key], where=f"{key} of attention_cost(70, 24, 6)", rtol=1e-9)


# Stretch · grouped_query_attention


@pytest.mark.exercise("grouped_query_attention", weight=2)
@pytest.mark.parametrize("n_kv_heads", [1, 2, 3, 6])
def test_groups_share_keys_and_values(student, n_kv_heads):
    """Neighbouring query heads share a head of keys and values: one for all, groups, and one for each."""
    q = expect.randn(2, 6, 3, 8, seed=100)
    k, v = (expect.randn(2, n_kv_heads, 5, 8, seed=101 + i) for i in range(2))
    expect.close(
        student.grouped_query_attention(q, k, v), grouped(q, k, v), where=f"6 query heads and {n_kv_heads} heads of keys and values"
    )


@pytest.mark.exercise("grouped_query_attention", weight=1)
def test_groups_obey_a_mask(student):
    """A mask (batch, T_q, T_k) is shared by all heads; heads that do not divide are a ValueError that names n_kv_heads."""
    q, mask = expect.randn(2, 6, 3, 8, seed=103), expect.rand(2, 3, 5, seed=104) < 0.6
    mask[..., 1] = True
    k, v = (expect.randn(2, 2, 5, 8, seed=105 + i) for i in range(2))
    expect.close(
        student.grouped_query_attention(q, k, v, mask),
        grouped(q, k, v, mask),
        where="6 query heads, 2 heads of keys and values, a mask (2, 3, 5)",
    )
    odd = expect.randn(2, 4, 5, 8, seed=107)
    expect.raises(ValueError, student.grouped_query_attention, q, odd, odd, naming="n_kv_heads", where="6 query heads and n_kv_heads = 4")
