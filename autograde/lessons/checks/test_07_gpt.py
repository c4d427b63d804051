"""The public checks of lesson 07: students have this file too.

Expected values come from PyTorch's own layers (`nn.MultiheadAttention`, `F.gelu`, `F.cross_entropy`), from closed forms and from statistics; see `autograde.checking.expected`.
"""

import functools
import hashlib
import json
import math
import secrets
import weakref
from collections.abc import Iterable

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F

from autograde.checking import expect
from autograde.checking.calls import each
from autograde.checking.errors import CheckFailed
from autograde.checking.expected import oracles
from autograde.checking.model_files import MAX_BYTES, MAX_HEADER, header_bytes, unwrapped
from utils.corpora import load_text

feed_forward, attention, block, fast_attention = oracles(__file__, "feed_forward", "attention", "block", "fast_attention")
gpt, gpt_gradients, greedy_text, greedy_bigrams = oracles(__file__, "gpt", "gpt_gradients", "greedy_text", "greedy_bigrams")
cross_entropy, cosine, chances, one_step = oracles(__file__, "cross_entropy", "cosine", "chances", "one_step")


def generator(seed):
    return torch.Generator().manual_seed(seed)


# The model, once more: known weights by their names


def sizes(vocab_size=11, block_size=9, n_layer=2, n_head=3, d_model=12, dropout=0.0, bias=True):
    return dict(vocab_size=vocab_size, block_size=block_size, n_layer=n_layer, n_head=n_head, d_model=d_model, dropout=dropout, bias=bias)


def feed_forward_weights(d, seed, prefix=""):
    shapes = {"c_fc.weight": (4 * d, d), "c_fc.bias": (4 * d,), "c_proj.weight": (d, 4 * d), "c_proj.bias": (d,)}
    return {prefix + name: expect.randn(*shape, seed=seed + i, scale=0.5) for i, (name, shape) in enumerate(shapes.items())}


def attention_weights(d, seed, prefix=""):
    shapes = {"c_attn.weight": (3 * d, d), "c_attn.bias": (3 * d,), "c_proj.weight": (d, d), "c_proj.bias": (d,)}
    return {prefix + name: expect.randn(*shape, seed=seed + i, scale=0.5) for i, (name, shape) in enumerate(shapes.items())}


def norm_weights(d, seed, prefix):
    return {f"{prefix}.weight": 1 + expect.randn(d, seed=seed, scale=0.3), f"{prefix}.bias": expect.randn(d, seed=seed + 1, scale=0.5)}


def block_weights(d, seed, prefix=""):
    parts = norm_weights(d, seed, f"{prefix}ln_1") | attention_weights(d, seed + 2, f"{prefix}attn.")
    return parts | norm_weights(d, seed + 6, f"{prefix}ln_2") | feed_forward_weights(d, seed + 8, f"{prefix}mlp.")


def gpt_weights(config, seed, scale=0.7):
    d = config["d_model"]
    weights = {"wte.weight": expect.randn(config["vocab_size"], d, seed=seed, scale=scale)}
    weights["wpe.weight"] = expect.randn(config["block_size"], d, seed=seed + 1, scale=scale)
    for i in range(config["n_layer"]):
        weights |= block_weights(d, seed + 20 * (i + 1), f"h.{i}.")
    return weights | norm_weights(d, seed + 5, "ln_f") | {"lm_head.weight": weights["wte.weight"]}


def load(module, weights, what):
    """Load weights by name, after saying which name or shape is not as agreed. Other entries (a mask in a buffer) stay as they are."""
    shapes = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    for name, value in weights.items():
        expect.true(name in shapes, f"{what} has no `{name}`; the lesson's names make a published checkpoint fit")
        expect.true(
            shapes[name] == tuple(value.shape),
            f"{what}: `{name}` has the wrong shape",
            f"expected {tuple(value.shape)}, got {shapes[name]}",
        )
    module.load_state_dict(weights, strict=False)
    return module


def loaded(student, name, weights, config):
    return load(getattr(student, name)(student.GPTConfig(**config)), weights, name)


def ids_of(*shape, seed, high):
    return torch.randint(high, shape, generator=generator(seed))


# 1 · get_batch

TEXT = torch.arange(100, 110)


@pytest.mark.exercise("get_batch", weight=2)
def test_y_is_x_one_token_later(student):
    """x is a window of the text and y the same window one token later."""
    text = 7 * torch.arange(50)
    x, y = student.get_batch(text, 5, 8, generator(0))
    for name, got in (("x", x), ("y", y)):
        expect.true(
            isinstance(got, torch.Tensor) and got.shape == (5, 8), f"{name} must have the shape (batch_size, block_size)", expect.show(got)
        )
    starts = (x[:, 0] // 7)[:, None] + torch.arange(8)
    expect.equal(x, text[starts], where="x in a text of 50 tokens, 5 windows of 8")
    expect.equal(y, text[starts + 1], where="y, the targets of these windows")


@pytest.mark.exercise("get_batch", weight=1)
def test_every_start_is_equally_likely(student):
    """All N − block_size starts occur, the last one included, equally often, each drawn whatever the others are."""
    x, _ = student.get_batch(TEXT, 6000, 4, generator(1))
    starts = x[:, 0] - 100
    expect.frequencies(starts, torch.full((6,), 1 / 6), where="the starts 0 … 5 in a text of 10 tokens with block_size 4")
    same = (starts[0::2] == starts[1::2]).int()
    expect.frequencies(same, [5 / 6, 1 / 6], where="two neighbours in the batch, with the same start among 6 (1) or not (0)")


@pytest.mark.exercise("get_batch", weight=1)
@pytest.mark.trivial
def test_batches_depend_on_the_generator_alone(student):
    """The same seed gives the same batch, the next call another one."""
    text, source = torch.arange(1000), generator(2)
    first, second = student.get_batch(text, 6, 5, source), student.get_batch(text, 6, 5, source)
    again = student.get_batch(text, 6, 5, generator(2))
    same = all(torch.equal(one, other) for one, other in zip(again, first))
    expect.true(same, "Two calls with equally seeded generators give different batches: draw the starts from `generator` and nothing else")
    expect.true(
        not torch.equal(first[0], second[0]), "A second call with the same generator gives the same batch again: the generator is not used"
    )


@pytest.mark.exercise("get_batch", weight=1)
def test_a_text_that_is_too_short(student):
    """N = block_size + 1 gives the one window there is; fewer tokens are a ValueError."""
    x, y = student.get_batch(TEXT[:5], 3, 4, generator(3))
    expect.close((x, y), (TEXT[:4].expand(3, 4), TEXT[1:5].expand(3, 4)), where="5 tokens, block_size 4 and batch_size 3")
    expect.raises(ValueError, student.get_batch, TEXT[:4], 3, 4, generator(3), where="4 tokens and block_size 4")


# 2 · mask_for_infilling


@pytest.mark.exercise("mask_for_infilling", weight=2)
def test_labels_hold_what_was_selected(student):
    """Labels are the original tokens where one was selected, −100 elsewhere; what was not selected is unchanged."""
    ids = ids_of(3, 400, seed=404, high=50)
    inputs, labels = student.mask_for_infilling(ids, 50, 50, generator(4), p=0.4)
    selected = labels != -100
    expect.true(
        labels.shape == ids.shape == inputs.shape,
        "inputs and labels have the shape of ids",
        f"{tuple(inputs.shape)} and {tuple(labels.shape)}",
    )
    expect.true(
        selected.any() and not selected.all(), "With p = 0.4 some positions must be selected and some not: the others' labels are −100"
    )
    expect.equal(labels[selected], ids[selected], where="the labels of selected tokens")
    expect.equal(inputs[~selected], ids[~selected], where="inputs that were not selected")


@pytest.mark.exercise("mask_for_infilling", weight=2)
@pytest.mark.parametrize("p", [None, 0.4])
def test_the_share_of_selected_tokens(student, p):
    """Each token is selected with probability p, 0.15 when none is given."""
    ids = ids_of(50, 200, seed=405, high=30)
    _, labels = student.mask_for_infilling(ids, 30, 31, generator(5), **({} if p is None else {"p": p}))
    share = 0.15 if p is None else p
    chosen = (labels != -100).flatten().int()
    expect.true((chosen.sum() - share * 10000).abs() < 5.5 * math.sqrt(10000 * share * (1 - share)),
                f"About {share:.0%} of the tokens should be selected", f"{int(chosen.sum())} of 10000 were")  # fmt: skip


@pytest.mark.exercise("mask_for_infilling", weight=2)
def test_eighty_ten_ten(student):
    """Of the selected tokens 80 % become the mask, 10 % a random token, 10 % stay."""
    vocab_size, mask_id = 5000, 5000
    ids = ids_of(200, 200, seed=406, high=vocab_size)
    inputs, labels = student.mask_for_infilling(ids, mask_id, vocab_size, generator(6), p=0.25)
    selected = labels != -100
    fate = torch.where(inputs == mask_id, 0, torch.where(inputs == ids, 2, 1))[selected]
    expect.frequencies(fate, [0.8, 0.1, 0.1], where="selected tokens (masked, random, unchanged)")
    random = inputs[selected][fate == 1]
    expect.true(random.min() >= 0 and random.max() < vocab_size, "Random tokens lie in 0 … vocab_size − 1")
    expect.frequencies(random * 8 // vocab_size, torch.full((8,), 1 / 8), where="random tokens, counted in eight parts of the vocabulary")
    inputs, _ = student.mask_for_infilling(torch.full((40, 500), 3), 4, 4, generator(6), p=1.0)
    shares = [0.025, 0.025, 0.025, 0.125, 0.8]  # a random token can be the one that stood there
    expect.frequencies(inputs.flatten(), shares, where="a text of nothing but token 3, p = 1, vocab_size = 4: tokens 0 … 3 and the mask, 4")


@pytest.mark.exercise("mask_for_infilling", weight=1)
def test_special_tokens_are_never_selected(student):
    """Tokens in `special_ids` are left alone, even with p = 1."""
    ids = torch.tensor([[1, 5, 6, 2, 0, 0], [1, 7, 8, 9, 2, 0]])
    inputs, labels = student.mask_for_infilling(ids, 3, 20, generator(7), p=1.0, special_ids=(0, 1, 2))
    special = ids < 3
    expect.true((labels[special] == -100).all(), "A special token was selected: its label is not −100")
    expect.equal(inputs[special], ids[special], where="the special tokens of the input")
    expect.equal(labels[~special], ids[~special], where="the labels with p = 1")


@pytest.mark.exercise("mask_for_infilling", weight=1)
@pytest.mark.trivial
def test_infilling_is_well_behaved(student):
    """`ids` stay as they are, the generator alone decides, a p outside [0, 1] is a ValueError."""
    ids = ids_of(4, 60, seed=408, high=20)
    first = student.mask_for_infilling(ids, 20, 20, generator(8), p=0.5)
    again = student.mask_for_infilling(ids, 20, 20, generator(8), p=0.5)
    same = all(torch.equal(one, other) for one, other in zip(again, first))
    expect.true(same, "Two calls with equally seeded generators mask differently: draw from `generator` and nothing else")
    expect.inputs_unchanged(student, student.mask_for_infilling, ids, 20, 20, generator(8), 0.9)
    expect.raises(ValueError, student.mask_for_infilling, ids, 20, 20, generator(8), 1.5, naming="p", where="p = 1.5")


# 3 · language_model_loss

LOGITS, TARGETS = expect.randn(2, 5, 7, seed=9, scale=2.0), torch.tensor([[3, 0, 6, -100, 2], [-100, 5, 1, 4, 4]])


@pytest.mark.exercise("language_model_loss", weight=1)
def test_the_worked_loss(student):
    """Logits (2, 0, −1): 0.170 if token 0 is right, 3.170 if token 2 is, 1.670 for both."""
    logits = torch.tensor([[2.0, 0.0, -1.0]])
    expect.close(student.language_model_loss(logits, torch.tensor([0])), torch.tensor(0.169846), where="logits (2, 0, −1) and target 0")
    expect.close(
        student.language_model_loss(logits.expand(2, 3), torch.tensor([0, 2])),
        torch.tensor(1.669846),
        where="the same logits twice, targets 0 and 2",
    )


@pytest.mark.exercise("language_model_loss", weight=2)
def test_targets_that_do_not_count(student):
    """The mean runs over the targets that are not `ignore_index`."""
    expect.close(
        student.language_model_loss(LOGITS, TARGETS), cross_entropy(LOGITS, TARGETS), where="logits (2, 5, 7), two of ten targets −100"
    )
    targets = TARGETS.abs() % 7
    expect.close(student.language_model_loss(LOGITS, targets, 4), cross_entropy(LOGITS, targets, 4), where="ignore_index = 4")


@pytest.mark.exercise("language_model_loss", weight=1)
@pytest.mark.parametrize("batch", [(), (6,), (3, 2, 4)])
def test_the_loss_of_any_batch(student, batch):
    """Any number of leading dimensions, none included."""
    logits, targets = expect.randn(*batch, 9, seed=10, scale=3.0), ids_of(*batch, seed=10, high=9)
    expect.close(student.language_model_loss(logits, targets), cross_entropy(logits, targets), where=f"logits {(*batch, 9)}")


@pytest.mark.exercise("language_model_loss", weight=1)
def test_the_loss_is_stable(student):
    """Logits in the thousands neither overflow nor become NaN."""
    logits = torch.tensor([[1000.0, 998.0, -1000.0], [-2000.0, -2001.0, -2003.0]])
    targets = torch.tensor([1, 2])
    expect.close(student.language_model_loss(logits, targets), cross_entropy(logits, targets), where="logits up to ±2000")
    got = student.language_model_loss(torch.tensor([[0.0, 150.0, -50.0]]), torch.tensor([2]))
    expect.close(got, torch.tensor(200.0), where="logits (0, 150, −50) and target 2, which nearly cannot come")


@pytest.mark.exercise("language_model_loss", weight=1)
def test_the_loss_is_well_behaved(student):
    """Differentiable, float64 kept, on the inputs' device, inputs unchanged."""
    function = student.language_model_loss
    expect.gradients(student, function, (LOGITS, TARGETS), cross_entropy, where="logits (2, 5, 7)")
    expect.keeps_dtype(function, LOGITS, TARGETS)
    expect.inputs_unchanged(student, function, LOGITS, TARGETS)


# 4 · attention_pattern


@pytest.mark.exercise("attention_pattern", weight=1)
@pytest.mark.parametrize("kind, rows", [
    pytest.param("encoder", ["1111", "1111", "1111", "1111"], marks=pytest.mark.trivial),
    ("decoder", ["1000", "1100", "1110", "1111"]),
    ("prefix", ["1100", "1100", "1110", "1111"]),
])  # fmt: skip
def test_who_sees_whom(student, kind, rows):
    """Row i is True at the columns that position i may look at."""
    want = torch.tensor([[c == "1" for c in row] for row in rows])
    args = (2,) if kind == "prefix" else ()
    expect.equal(student.attention_pattern(kind, 4, *args), want, where=f"{kind!r}, n = 4" + ", prefix = 2" * bool(args))


@pytest.mark.exercise("attention_pattern", weight=1)
def test_prefixes_of_any_length(student):
    """A prefix may be longer than the text, a text one position long; only 'prefix' sees a prefix."""
    expect.equal(student.attention_pattern("prefix", 3, 5), torch.ones(3, 3).bool(), where="'prefix', n = 3, prefix = 5")
    expect.equal(student.attention_pattern("prefix", 1, 0), torch.ones(1, 1).bool(), where="'prefix', n = 1, prefix = 0")
    expect.equal(student.attention_pattern("decoder", 3, 2), torch.ones(3, 3).tril().bool(), where="'decoder', n = 3, prefix = 2")


@pytest.mark.exercise("attention_pattern", weight=1)
def test_an_unknown_pattern(student):
    """Another kind is a ValueError that names it; a prefix of 0 is a decoder."""
    expect.raises(ValueError, student.attention_pattern, "diagonal", 4, naming="kind", where="kind = 'diagonal'")
    expect.equal(student.attention_pattern("prefix", 3), torch.ones(3, 3).tril().bool(), where="'prefix', n = 3, no prefix given")


# 5 · FeedForward, CausalSelfAttention

X = expect.randn(2, 5, 12, seed=11)


def well_behaved_module(student, module, x, weights, oracle, where):
    """Gradients in the input and in every parameter, float64 kept, on any device, the input unchanged."""
    expect.gradients(student, module, (x,), functools.partial(oracle, weights), where=where)
    expect.parameter_gradients(student, module, (x,), expect.randn(*x.shape, seed=99), oracle, weights, where=where, atol=1e-4)
    expect.inputs_unchanged(student, module, x)
    module.double()
    expect.keeps_dtype(module, x)
    module.to("meta")
    expect.follows_device(module, x.double())


@pytest.mark.exercise("FeedForward", weight=2)
def test_the_feed_forward_network(student):
    """c_proj(GELU(c_fc(x))) with the tanh approximation."""
    weights = feed_forward_weights(12, seed=20)
    module = loaded(student, "FeedForward", weights, sizes())
    expect.close(module(X), feed_forward(weights, X), where="x (2, 5, 12) and d_model = 12", rtol=1e-5, atol=2e-5)


@pytest.mark.exercise("FeedForward", weight=1)
def test_the_feed_forward_networks_dropout(student):
    """Dropout works in training and is off in eval mode; without bias there is none."""
    weights = feed_forward_weights(12, seed=21)
    module = loaded(student, "FeedForward", weights, sizes(dropout=0.5))
    module.eval()
    expect.close(module(X), feed_forward(weights, X), where="dropout = 0.5 in eval mode")
    module.train()
    output = module(X)
    kept = output != 0
    expect.true(
        20 < kept.sum() < 100,
        "With dropout = 0.5 about half of the outputs should be 0 in training mode",
        f"{int((~kept).sum())} of 120 are 0",
    )
    some = kept.any(-1) & ~kept.all(-1)
    expect.true(some.any(), "Every position is dropped as a whole or kept as a whole: each number is to be dropped by itself")
    want = 2 * feed_forward(weights, X)
    expect.close(output[kept], want[kept], where="the outputs that a dropout of 0.5 at the end keeps, twice those of eval mode", atol=2e-5)
    names = set(student.FeedForward(student.GPTConfig(**sizes(bias=False))).state_dict())
    expect.true(not any("bias" in name for name in names), "With config.bias = False the linear layers have no bias")


@pytest.mark.exercise("FeedForward", weight=1)
def test_the_feed_forward_network_is_well_behaved(student):
    """Gradients reach the input and every weight; float64 and the device are kept."""
    weights = feed_forward_weights(12, seed=22)
    module = loaded(student, "FeedForward", weights, sizes())
    well_behaved_module(student, module, X, weights, feed_forward, "FeedForward, x (2, 5, 12)")


@pytest.mark.exercise("CausalSelfAttention", weight=3)
@pytest.mark.parametrize("shape", [(2, 5, 12), (1, 7, 12)])
def test_the_attention_is_multi_head_and_causal(student, shape):
    """With given weights it is PyTorch's multi-head attention under a causal mask."""
    weights, x = attention_weights(12, seed=24), expect.randn(*shape, seed=25)
    module = loaded(student, "CausalSelfAttention", weights, sizes())
    expect.close(module(x), attention(weights, x, 3), where=f"x {shape}, d_model = 12 and n_head = 3")


@pytest.mark.exercise("CausalSelfAttention", weight=1)
def test_the_future_changes_nothing(student):
    """Changing later positions leaves the outputs of earlier ones as they are, and changes their own."""
    module = loaded(student, "CausalSelfAttention", attention_weights(12, seed=26), sizes())
    changed = X.clone()
    changed[:, 3:] += expect.randn(2, 2, 12, seed=23, scale=5.0)
    before, after = module(X), module(changed)
    expect.close(after[:, :3], before[:, :3], where="outputs 0 … 2 after a change at positions 3 and 4")
    expect.differ(after[:, 3:], before[:, 3:], "A change at positions 3 and 4 does not change their outputs")


@pytest.mark.exercise("CausalSelfAttention", weight=1)
def test_attentions_dropout(student):
    """Dropout works in training and is off in eval mode."""
    weights = attention_weights(12, seed=27)
    module = loaded(student, "CausalSelfAttention", weights, sizes(dropout=0.5))
    module.eval()
    expect.close(module(X), attention(weights, X, 3), where="dropout = 0.5 in eval mode")
    module.train()
    missing = "With dropout = 0.5 the output in training mode is that of eval mode: both dropouts are missing"
    expect.differ(module(X), attention(weights, X, 3), missing)


@pytest.mark.exercise("CausalSelfAttention", weight=1)
def test_the_attention_is_well_behaved(student):
    """Gradients reach the input and every weight; float64 and the device are kept; heads must divide d_model."""
    weights = attention_weights(12, seed=28)
    module = loaded(student, "CausalSelfAttention", weights, sizes())
    well_behaved_module(student, module, X, weights, functools.partial(attention, n_head=3), "CausalSelfAttention, x (2, 5, 12)")
    config = student.GPTConfig(**sizes(d_model=10))
    expect.raises(ValueError, student.CausalSelfAttention, config, where="d_model = 10 and n_head = 3")


# 6 · Block


@pytest.mark.exercise("Block", weight=3)
@pytest.mark.parametrize("shape", [(2, 5, 12), (1, 3, 12)])
def test_the_block_is_pre_norm_and_residual(student, shape):
    """x + attention(ln_1(x)), then plus the feed-forward network of ln_2 of that."""
    weights, x = block_weights(12, seed=30), expect.randn(*shape, seed=31)
    module = loaded(student, "Block", weights, sizes())
    expect.close(module(x), block(weights, x, 3), where=f"x {shape}")


@pytest.mark.exercise("Block", weight=1)
def test_the_norms_epsilon(student):
    """LayerNorm's ε is 10⁻⁵: it shows where the input hardly varies."""
    weights, x = block_weights(12, seed=33), 1 + 0.003 * expect.randn(4, 12, seed=34)[None]
    expect.close(loaded(student, "Block", weights, sizes())(x), block(weights, x, 3), where="an input that varies by 0.003 only")


@pytest.mark.exercise("Block", weight=1)
def test_the_block_is_well_behaved(student):
    """Gradients reach the input and every weight; float64 and the device are kept."""
    weights = block_weights(12, seed=36)
    module = loaded(student, "Block", weights, sizes())
    well_behaved_module(student, module, X, weights, functools.partial(block, n_head=3), "Block, x (2, 5, 12)")


# 7 · GPT


@pytest.mark.exercise("GPT", weight=3)
def test_the_logits_are_gpt2s(student):
    """With given weights the logits are those of GPT-2's formula, for every position."""
    config = sizes()
    weights, ids = gpt_weights(config, seed=40), ids_of(2, 7, seed=41, high=11)
    logits, loss = loaded(student, "GPT", weights, config)(ids)
    expect.close(logits, gpt(weights, ids, config), where="ids (2, 7), 2 layers, 3 heads, d_model 12, 11 tokens", atol=1e-4)
    expect.true(loss is None, "Without targets the loss is None")


@pytest.mark.exercise("GPT", weight=1)
def test_the_models_loss(student):
    """With targets the model also gives their mean loss; −100 does not count; the logits stay the same."""
    config = sizes()
    weights, ids, targets = gpt_weights(config, seed=42), ids_of(2, 6, seed=43, high=11), ids_of(2, 6, seed=44, high=11)
    targets[0, 2:4] = -100
    module, want = loaded(student, "GPT", weights, config), gpt(weights, ids, config)
    logits, loss = module(ids, targets)
    expect.close(logits, want, where="ids (2, 6), with targets", atol=1e-4)
    expect.close(loss, cross_entropy(want, targets), where="two of twelve targets −100")
    expect.close(module.eval()(ids, targets)[1], cross_entropy(want, targets), where="the same targets in eval mode")


@pytest.mark.exercise("GPT", weight=1)
def test_the_head_is_tied_to_the_embedding(student):
    """`lm_head.weight` and `wte.weight` are one matrix: loading one changes both, and it is one parameter."""
    config = sizes()
    module, weights = student.GPT(student.GPTConfig(**config)), gpt_weights(config, seed=46)
    load(module, weights, "GPT")
    module.load_state_dict({"wte.weight": weights["wte.weight"] + 1}, strict=False)
    state = module.state_dict()
    expect.true(
        torch.equal(state["lm_head.weight"], state["wte.weight"]),
        "After loading `wte.weight` alone, `lm_head.weight` differs: the two are not tied",
    )
    found = student.parameter_gradients(module, (ids_of(2, 4, seed=47, high=11),), (expect.randn(2, 4, 11, seed=48), None))
    expect.true(
        not {"wte.weight", "lm_head.weight"} <= set(found), "`wte.weight` and `lm_head.weight` are two parameters; tie them into one"
    )
    expect.true("lm_head.bias" not in found, "`lm_head` has no bias")


@pytest.mark.exercise("GPT", weight=1)
def test_the_block_size_is_a_limit(student):
    """A text of block_size tokens fits, one more is a ValueError; `config` is kept."""
    config = sizes()
    module = loaded(student, "GPT", gpt_weights(config, seed=50), config)
    logits, _ = module(ids_of(1, 9, seed=51, high=11))
    expect.true(tuple(logits.shape) == (1, 9, 11), "9 tokens must fit into block_size 9")
    expect.vary(logits, where="9 tokens and block_size 9")
    expect.raises(ValueError, module, ids_of(1, 10, seed=52, high=11), where="10 tokens and block_size 9")
    expect.true(module.config.block_size == 9, "The model's attribute `config` is the GPTConfig it was made with")


@pytest.mark.exercise("GPT", weight=1)
def test_the_model_can_be_trained(student):
    """A gradient reaches every parameter, and it is PyTorch's."""
    config = sizes()
    weights, ids = gpt_weights(config, seed=54, scale=0.4), ids_of(2, 6, seed=55, high=11)
    cotangent = expect.randn(2, 6, 11, seed=56)
    got = student.parameter_gradients(loaded(student, "GPT", weights, config), (ids,), (cotangent, None))
    for name, want in gpt_gradients(weights, ids, config, cotangent).items():
        gradient = got.get(name) if name in got or name != "wte.weight" else got.get("lm_head.weight")
        expect.true(gradient is not None, f"No gradient reaches `{name}`")
        expect.close(gradient, want, where=f"the gradient in {name}", rtol=1e-3, atol=1e-3)


@pytest.mark.exercise("GPT", weight=0.5)
def test_the_model_goes_to_any_device(student):
    """Positions are made on the device of `ids`; a model in float64 gives float64."""
    config = sizes()
    module, ids = loaded(student, "GPT", gpt_weights(config, seed=58), config), ids_of(2, 5, seed=59, high=11)
    logits = module.double()(ids)[0].detach()  # nothing else holds the weights when they move
    expect.true(logits.dtype == torch.float64, "A model in float64 must give logits in float64")
    expect.vary(logits, where="a model in float64")
    module.to("meta")
    expect.follows_device(module, ids)


# 8 · initialize


def all_ones(student, config):
    """A student's GPT whose every number is 1.5, so that nothing is right by accident."""
    module = student.GPT(student.GPTConfig(**config))
    module.load_state_dict({name: torch.full_like(value, 1.5) for name, value in gpt_weights(config, seed=60).items()}, strict=False)
    return module


def spread(state, pattern):
    """All numbers of the parameters whose names end like this."""
    found = [value.flatten() for name, value in state.items() if name.endswith(pattern)]
    expect.true(found, f"The model has no parameter named `…{pattern}`: finish `GPT` and its parts first")
    return torch.cat(found)


BIG = sizes(vocab_size=90, block_size=70, n_layer=3, n_head=4, d_model=64)


@pytest.mark.exercise("initialize", weight=1)
@pytest.mark.parametrize("names", [("wte.weight",), ("wpe.weight",), ("c_attn.weight", "c_fc.weight")])
def test_matrices_are_normal(student, names):
    """Embeddings and matrices come from N(0, 0.02²)."""
    module = all_ones(student, BIG)
    student.initialize(module, generator(60))
    numbers = spread(module.state_dict(), names)
    where = " and ".join(names)
    expect.true(abs(numbers.std() / 0.02 - 1) < 0.08, f"{where} should have the standard deviation 0.02", f"it is {numbers.std():.4g}")
    expect.true(numbers.mean().abs() < 0.002, f"{where} should have the mean 0", f"it is {numbers.mean():.4g}")
    beyond = (numbers.abs() > 0.04).float().mean()
    expect.true(
        0.028 < beyond < 0.066, f"{where} should be normal: 4.6 % of the numbers beyond two standard deviations", f"{beyond:.1%} are"
    )


@pytest.mark.exercise("initialize", weight=2)
def test_residual_projections_are_smaller(student):
    """c_proj of attention and feed-forward network: 0.02 / √(2 · n_layer)."""
    module = all_ones(student, BIG)
    student.initialize(module, generator(61))
    for part in ("attn.c_proj.weight", "mlp.c_proj.weight"):
        std = spread(module.state_dict(), part).std()
        expect.true(
            abs(std * math.sqrt(6) / 0.02 - 1) < 0.08,
            f"With 3 layers {part} should have the standard deviation 0.02 / √6 = 0.00816",
            f"it is {std:.4g}",
        )


@pytest.mark.exercise("initialize", weight=1)
def test_biases_and_norms(student):
    """Biases are 0, the norms' gains 1."""
    module = all_ones(student, BIG)
    student.initialize(module, generator(62))
    state = module.state_dict()
    expect.true("ln_f.bias" in state, "The model has no `ln_f.bias`, so nothing can be said about its biases: finish `GPT` first")
    for name, value in state.items():
        if name.endswith("bias") and value.ndim == 1:
            expect.true((value == 0).all(), f"`{name}` should be 0")
        if ".ln_" in f".{name}" and name.endswith("weight"):
            expect.true((value == 1).all(), f"`{name}` should be 1")


@pytest.mark.exercise("initialize", weight=1)
def test_the_generator_decides_the_weights(student):
    """The same seed gives the same model, another seed another; the head stays tied."""
    states = []
    for seed in (63, 63, 64):
        module = all_ones(student, sizes())
        student.initialize(module, generator(seed))
        states.append(module.state_dict())
    expect.true(all(torch.equal(states[0][n], states[1][n]) for n in states[0]), "Two models from equally seeded generators differ")
    expect.true(
        not torch.equal(states[0]["wte.weight"], states[2]["wte.weight"]), "Another seed gives the same model: the generator is not used"
    )
    expect.true(torch.equal(states[0]["wte.weight"], states[0]["lm_head.weight"]), "`lm_head` is no longer tied to `wte`")
    for source in [generator(65)] * 2:  # one generator, twice
        module = all_ones(student, sizes())
        student.initialize(module, source)
        states.append(module.state_dict())
    told = "One generator gives the same numbers twice: draw all of them from `generator` itself, not from a copy of it"
    expect.true(not torch.equal(states[-2]["wte.weight"], states[-1]["wte.weight"]), told)


# 9 · parameter_groups


GROUP = "A group is a dict with the keys 'params' and 'weight_decay'"


def groups_of(student, module, weight_decay):
    """[(group, its parameters)]; their form is looked at before an optimizer tells in its own words what it does not take."""
    groups = student.parameter_groups(module, weight_decay)
    form, kind = "The answer should be a list of groups, each a dict with the keys 'params' and 'weight_decay'", expect.kind_of(groups)
    expect.true(not hasattr(torch.optim, kind.split()[-1]), form, f"yours is {kind}, an optimizer, which is made of such groups")
    expect.true(isinstance(groups, Iterable) and not isinstance(groups, (dict, str, torch.Tensor)), form, f"yours is {kind}")
    return [(group, held_by(group)) for group in groups]


def held_by(group):
    """The parameters of one group."""
    expect.true(not isinstance(group, (list, tuple, str, torch.Tensor)), GROUP, f"yours is {expect.kind_of(group)}")
    expect.true("params" in group, GROUP, expect.show(list(group)))
    held = group["params"]
    expect.true(not isinstance(held, torch.Tensor), "The 'params' of a group are a list of parameters", "yours are one tensor")
    held = list(held)
    other = [expect.kind_of(item) for item in held if not isinstance(item, torch.Tensor)]
    expect.true(not other, "The 'params' of a group are parameters of the model", f"yours hold {', '.join(other[:1])}")
    return held


def grouped(student, weight_decay, config):
    """{name: weight decay} for a model with known weights, by looking the groups' tensors up among them."""
    weights = gpt_weights(config, seed=66)
    module = loaded(student, "GPT", weights, config)
    found = {}
    for group, parameters in groups_of(student, module, weight_decay):
        expect.true("weight_decay" in group, GROUP, expect.show(list(group)))
        for parameter in parameters:
            names = [n for n, w in weights.items() if n != "lm_head.weight" and w.shape == parameter.shape and torch.equal(w, parameter)]
            expect.true(
                len(names) == 1, "A group holds something that is not a parameter of the model", f"of shape {tuple(parameter.shape)}"
            )
            expect.true(
                names[0] not in found,
                f"`{names[0]}` is in the groups twice",
                "the tied matrix has two names but is one parameter" * (names[0] == "wte.weight"),
            )
            found[names[0]] = float(group["weight_decay"])
    return found, {n: w for n, w in weights.items() if n != "lm_head.weight"}


@pytest.mark.exercise("parameter_groups", weight=2)
@pytest.mark.trivial
def test_matrices_decay_and_vectors_do_not(student):
    """Two or more dimensions: weight_decay. Biases and norms: 0."""
    found, weights = grouped(student, 0.25, sizes())
    for name, decay in found.items():
        want = 0.25 if weights[name].ndim >= 2 else 0.0
        expect.true(decay == want, f"`{name}` should have the weight decay {want}", f"it has {decay}")


@pytest.mark.exercise("parameter_groups", weight=1)
def test_every_parameter_is_there_once(student):
    """No parameter is left out, and none comes twice."""
    found, weights = grouped(student, 0.1, sizes(n_layer=1))
    left_out = sorted(set(weights) - set(found))
    expect.true(not left_out, "Some parameters are in no group, so they would never be trained", ", ".join(left_out[:4]))


@pytest.mark.exercise("parameter_groups", weight=1)
def test_the_groups_hold_the_parameters_themselves(student):
    """A step of an optimizer with these groups changes the model: they hold its parameters, not copies."""
    module = student.new("torch.nn.Linear", 3, 2)
    weights = {"weight": expect.randn(2, 3, seed=67), "bias": expect.randn(2, seed=68)}
    module.load_state_dict(weights)
    groups_of(student, module, 0.25)
    student.new("utils.first_step.first_step", student.parameter_groups, module, 0.25, 0.5)
    state = module.state_dict()
    for name, decay in (("weight", 0.25), ("bias", 0.0)):
        expect.true(
            not torch.equal(state[name], weights[name]),
            f"A step of SGD with your groups leaves `{name}` as it was: the groups must hold the model's parameters, not copies of them",
        )
        expect.close(
            state[name], weights[name] * (1 - 0.5 * decay) - 0.5, where=f"`{name}` after a step of 0.5, gradients of 1, decay {decay}"
        )
    single = student.new("torch.nn.ParameterDict", {"scale": torch.tensor(2.0), "matrix": torch.ones(2, 3)})
    found = sorted((tuple(p.shape), float(g["weight_decay"])) for g in student.parameter_groups(single, 0.5) for p in g["params"])
    want = [((), 0.0), ((2, 3), 0.5)]
    expect.true(found == want, "A single number, without dimensions, is a parameter that does not decay", f"expected {want}, got {found}")
    gradients = student.parameter_gradients(module, (expect.randn(4, 3, seed=69),), expect.randn(4, 2, seed=70))
    expect.true(
        all(gradient is not None for gradient in gradients.values()),
        "Afterwards no gradient reaches the model's parameters: leave them as they are",
    )


# 10 · learning_rate


@pytest.mark.exercise("learning_rate", weight=1)
@pytest.mark.parametrize(
    "step, want", [pytest.param(0, 0.0, marks=pytest.mark.trivial), (50, 2e-3), (100, 4e-3), (600, 2.2e-3), (1100, 4e-4), (5000, 4e-4)]
)
def test_the_worked_schedule(student, step, want):
    """100 steps of warm-up, 1,100 in all, between 4·10⁻³ and 4·10⁻⁴."""
    expect.close(student.learning_rate(step, 100, 1100, 4e-3, 4e-4), want, where=f"step {step}", atol=1e-9)


@pytest.mark.exercise("learning_rate", weight=2)
def test_every_step_of_a_schedule(student):
    """The whole curve, with other numbers."""
    got = each(student.learning_rate, [(t, 7, 45, 0.3, 0.02) for t in range(60)])
    expect.close(got, [cosine(t, 7, 45, 0.3, 0.02) for t in range(60)], where="7 steps of warm-up, 45 in all, 0.3 down to 0.02", atol=1e-9)


# 11 · sample_next

PROBABILITIES = torch.tensor([0.05, 0.5, 0.15, 0.3])


def draw(student, probabilities, n=8000, seed=70, temperature=1.0, top_k=None, top_p=None):
    logits = probabilities.log().expand(n, -1) + 3.0
    drawn = student.sample_next(logits, temperature, top_k, top_p, generator(seed))
    one_each = isinstance(drawn, torch.Tensor) and tuple(drawn.shape) == (n,)  # a few draws would follow any distribution
    expect.true(one_each, f"logits {tuple(logits.shape)} give one token for each of the {n} rows", expect.show(drawn))
    return drawn


@pytest.mark.exercise("sample_next", weight=1)
@pytest.mark.parametrize("batch", [pytest.param((), marks=pytest.mark.trivial), (3,), (4, 2)])
def test_temperature_zero_is_argmax(student, batch):
    """τ = 0 gives the most likely token of each row, and any batch is one."""
    logits = expect.randn(*batch, 9, seed=71)
    expect.equal(
        student.sample_next(logits, 0.0, None, None, generator(0)), logits.argmax(-1), where=f"logits {(*batch, 9)} at temperature 0"
    )


@pytest.mark.exercise("sample_next", weight=2)
@pytest.mark.parametrize("temperature", [1.0, 0.5, 2.0])
def test_draws_follow_the_tempered_softmax(student, temperature):
    """Tokens are drawn with softmax(logits / τ)."""
    want = PROBABILITIES.double() ** (1 / temperature)
    expect.frequencies(
        draw(student, PROBABILITIES, temperature=temperature), want / want.sum(), where=f"(0.05, 0.5, 0.15, 0.3) at τ = {temperature}"
    )


@pytest.mark.exercise("sample_next", weight=1)
@pytest.mark.parametrize(
    "top_k, want", [pytest.param(1, (0, 1, 0, 0), marks=pytest.mark.trivial), (2, (0, 0.625, 0, 0.375)), (9, (0.05, 0.5, 0.15, 0.3))]
)
def test_top_k_keeps_the_k_most_likely(student, top_k, want):
    """The rest has probability 0; a k beyond the vocabulary keeps all."""
    expect.frequencies(draw(student, PROBABILITIES, top_k=top_k), want, where=f"top_k = {top_k} of (0.05, 0.5, 0.15, 0.3)")


@pytest.mark.exercise("sample_next", weight=2)
@pytest.mark.parametrize("top_p, want", [
    (0.75, (0, 0.625, 0, 0.375)), pytest.param(0.4, (0, 1, 0, 0), marks=pytest.mark.trivial), (0.9, (0, 10 / 19, 3 / 19, 6 / 19)), (1.0, (0.05, 0.5, 0.15, 0.3)),
])  # fmt: skip
def test_top_p_keeps_the_fewest_that_reach_p(student, top_p, want):
    """The fewest most likely tokens whose mass reaches p, renormalised; at least one."""
    expect.frequencies(draw(student, PROBABILITIES, top_p=top_p), want, where=f"top_p = {top_p} of (0.05, 0.5, 0.15, 0.3)")


@pytest.mark.exercise("sample_next", weight=1)
def test_the_order_of_the_knobs(student):
    """Temperature comes before top-p, and top-p sees what top-k left, renormalised."""
    flat = PROBABILITIES.double().sqrt()
    flat = torch.where(flat > 0.3, flat, 0.0)
    expect.frequencies(draw(student, PROBABILITIES, temperature=2.0, top_p=0.75), flat / flat.sum(), where="τ = 2 and top_p = 0.75")
    # of the two that top-k leaves the first has 0.625: enough for 0.6, though it had only 0.5 of the whole
    expect.frequencies(draw(student, PROBABILITIES, top_k=2, top_p=0.6), (0, 1, 0, 0), where="top_k = 2 and top_p = 0.6")


@pytest.mark.exercise("sample_next", weight=1)
def test_sampling_is_well_behaved(student):
    """The generator alone decides, rows are drawn independently, logits stay as they are, bad knobs are ValueErrors."""
    logits = torch.zeros(3, 40, 5)
    first = student.sample_next(logits, 1.0, None, 0.9, generator(73))
    expect.true(tuple(first.shape) == (3, 40), "logits (3, 40, 5) give tokens (3, 40)", expect.show(first))
    expect.equal(student.sample_next(logits, 1.0, None, 0.9, generator(73)), first, where="two calls with equally seeded generators")
    expect.true(len(first.unique()) > 1, "Every row gives the same token: rows must be drawn independently")
    expect.inputs_unchanged(student, student.sample_next, expect.randn(4, 6, seed=74), 0.7, 3, 0.8, generator(74))
    for name, knobs in (
        ("temperature", (-1.0, None, None)),
        ("top_k", (1.0, 0, None)),
        ("top_p", (1.0, None, 0.0)),
        ("top_p", (1.0, None, 1.2)),
    ):
        expect.raises(
            ValueError, student.sample_next, logits, *knobs, generator(0), naming=name, where=f"temperature, top_k, top_p = {knobs}"
        )


# 12 · generate


def bigram(student, seed, vocab_size=7, block_size=5, dropout=0.0, scale=2.0):
    """utils.baselines.BigramLM with known numbers: a model that does not depend on the student's GPT."""
    table, bias = expect.randn(vocab_size, vocab_size, seed=seed, scale=scale), expect.randn(vocab_size, seed=seed + 1)
    module = student.new("utils.baselines.BigramLM", vocab_size, block_size, dropout)
    module.load_state_dict({"table.weight": table, "bias": bias})
    return module, table, bias


@pytest.mark.exercise("generate", weight=2)
def test_greedy_writing(student):
    """ids first, then the most likely token after the last one, again and again, past the block size."""
    module, table, bias = bigram(student, seed=80)
    start = torch.tensor([[3, 1, 4], [6, 0, 2]])
    want = greedy_bigrams(table, bias, start, 6)
    got = student.generate(module, start, 6, 0.0, None, None, generator(0))
    expect.equal(got, want, where="a bigram model with block_size 5, 3 tokens given and 6 new ones")
    module.load_state_dict({"table.weight": torch.eye(7).roll(1, 1), "bias": torch.zeros(7)})  # t + 1 follows t, and 0 follows 6
    got = student.generate(module, torch.tensor([[5], [5]]), 6, 0.0, None, None, generator(0))
    expect.equal(got, torch.tensor([[5, 6, 0, 1, 2, 3, 4]] * 2), where="a model that counts: token 0 is a token like the others")


@pytest.mark.exercise("generate", weight=1)
def test_the_whole_context_is_used(student):
    """The model sees its last block_size tokens, all of them, in their order."""
    config = sizes(block_size=6, vocab_size=13)
    weights = gpt_weights(config, seed=82)
    module, ids = loaded(student, "GPT", weights, config), ids_of(2, 4, seed=83, high=13)
    want = greedy_text(weights, ids, 7, config)
    got = student.generate(module, ids, 7, 0.0, None, None, generator(0))
    expect.equal(got, want, where="your GPT with block_size 6, 4 tokens given and 7 new ones, at temperature 0")


@pytest.mark.exercise("generate", weight=2)
@pytest.mark.parametrize("training", [True, False])
def test_writing_is_not_training(student, training):
    """Eval mode and no gradients while writing; afterwards the model is in the mode it was in."""
    module, table, bias = bigram(student, seed=85, dropout=0.9)
    module.train(training)
    for n_new in (3, 1):
        student.generate(module, torch.tensor([[1, 2]]), n_new, 0.0, None, None, generator(0))
        expect.true(module.last_call["training"] is False, "The model was in training mode while writing: its dropout was on")
        expect.true(
            module.last_call["gradients"] is False,
            "The model ran with gradients while writing: memory grows with every token (torch.no_grad)",
        )
    expect.true(
        module.training is training,
        "After writing the model must be in the mode it was in before",
        f"training was {training}, now it is {module.training}",
    )
    module(torch.tensor([[1]]))
    expect.true(
        module.last_call["gradients"] is True, "Gradients stay off after writing, so nothing can be trained: use `with torch.no_grad():`"
    )
    found = student.parameter_gradients(module, (torch.tensor([[1, 2]]),), (torch.ones(1, 2, 7), None))
    expect.true(
        all(gradient is not None for gradient in found.values()),
        "After writing no gradient reaches the model's parameters: leave them as they are",
    )


@pytest.mark.exercise("generate", weight=1)
def test_the_knobs_are_passed_on(student):
    """Temperature, top-k and top-p reach the draw, and the generator decides it."""
    module, table, bias = bigram(student, seed=87, scale=1.0)
    start = torch.full((4000, 1), 2)
    drawn = student.generate(module, start, 1, 0.7, 3, 0.8, generator(1))
    want = chances((table + bias)[2], 0.7, 3, 0.8)
    expect.frequencies(drawn[:, 1], want, where="one new token at τ = 0.7, top_k = 3, top_p = 0.8")
    module.load_state_dict({"table.weight": torch.zeros(7, 7), "bias": bias})  # now the next token does not depend on the text
    drawn, source = student.generate(module, start, 6, 1.3, 4, 0.9, generator(4)), generator(5)
    expect.frequencies(drawn[:, 6], chances(bias, 1.3, 4, 0.9), where="the sixth new token at τ = 1.3, top_k = 4, top_p = 0.9")
    one, other = (student.generate(module, start[:50], 4, 1.0, None, None, source)[:, -2:] for _ in range(2))
    expect.true(
        not torch.equal(one, other), "The last tokens of two texts from one generator are the same: draw every token from `generator`"
    )
    again = [student.generate(module, start[:50], 5, 1.0, None, None, generator(seed)) for seed in (2, 2, 3)]
    expect.equal(again[1], again[0], where="two calls with equally seeded generators")
    expect.true(not torch.equal(again[0], again[2]), "Another seed gives the same text: the generator is not used")
    expect.inputs_unchanged(student, lambda ids: student.generate(module, ids, 3, 0.0, None, None, generator(0)), start[:2])


@pytest.mark.exercise("generate", weight=1)
@pytest.mark.trivial
def test_the_mode_after_an_error(student):
    """Where a draw raises an error, the model is in the mode it was in, too."""
    module, _, _ = bigram(student, seed=88)
    module.train(True)
    start = torch.tensor([[1, 2]])
    expect.raises(ValueError, student.generate, module, start, 3, 1.0, 0, None, generator(0), where="top_k = 0, which sample_next refuses")
    expect.true(module.training is True, "After an error the model must be in the mode it was in before: it was left in eval mode")


# 13 · train_step


def pairs(n, seed, vocab_size=7, shape=(3, 4)):
    return [(ids_of(*shape, seed=seed + 2 * i, high=vocab_size), ids_of(*shape, seed=seed + 2 * i + 1, high=vocab_size)) for i in range(n)]


def stepped(student, batches, seed=90, steps=1, lr=1.0, **options):
    module, table, bias = bigram(student, seed)
    optimizer = student.new("torch.optim.SGD", module.parameters(), lr=lr)
    for _ in range(steps):
        loss = student.train_step(module, optimizer, batches, **options)
    state = module.state_dict()
    return (state["table.weight"], state["bias"], loss), (table, bias), module


@pytest.mark.exercise("train_step", weight=2)
@pytest.mark.parametrize("n", [1, 3])
def test_one_step_down_the_mean_gradient(student, n):
    """The step uses the mean gradient over the pairs, and the mean loss comes back as a number."""
    batches = pairs(n, seed=91)
    got, start, _ = stepped(student, batches)
    expect.close(got, one_step(*start, batches), where=f"one step of SGD on {n} pair{'s' * (n > 1)} (new weights, loss)")


@pytest.mark.exercise("train_step", weight=2)
@pytest.mark.parametrize("clip", [0.05, 100.0, 0.0])
def test_gradients_are_clipped_together(student, clip):
    """The norm of all gradients together is cut down to `clip`, also to 0; one below it stays as it is."""
    batches = pairs(2, seed=95)
    got, start, _ = stepped(student, batches, clip=clip)
    expect.close(got, one_step(*start, batches, clip=clip), where=f"one step of SGD with clip = {clip} (new weights, loss)", atol=1e-5)


@pytest.mark.exercise("train_step", weight=1)
def test_gradients_are_forgotten(student):
    """Gradients are cleared, so a second step does not see those of the first."""
    batches = pairs(2, seed=99)
    got, (table, bias), module = stepped(student, batches, steps=2)
    for _ in range(2):
        table, bias, loss = one_step(table, bias, batches)
    expect.close(got, (table, bias, loss), where="two steps of SGD on the same batches")
    gradient = module.bias.grad
    expect.true(gradient is None or (gradient == 0).all(), "After the step the gradients must be cleared (optimizer.zero_grad)")


@pytest.mark.exercise("train_step", weight=1)
def test_the_step_trains(student):
    """The model is in training mode during and after the step; no batches at all are a ValueError."""
    module, _, _ = bigram(student, seed=103)
    module.eval()
    optimizer = student.new("torch.optim.SGD", module.parameters(), lr=0.1)
    loss = student.train_step(module, optimizer, pairs(1, seed=104))
    expect.true(isinstance(loss, float), "The loss that comes back is a plain number: `.item()` makes one of a tensor", expect.show(loss))
    expect.true(module.last_call["training"] is True, "The model was in eval mode while training: its dropout was off")
    expect.true(module.training is True, "After the step the model must be in training mode")
    expect.true(module.last_call["autocast"] is False, "Without `autocast_dtype` there must be no autocast")
    expect.raises(ValueError, student.train_step, module, optimizer, [], naming="batches", where="batches = []")


@pytest.mark.exercise("train_step", weight=1)
def test_autocast_is_used_when_asked_for(student):
    """With autocast_dtype = torch.bfloat16 the model runs under autocast."""
    _, _, module = stepped(student, pairs(1, seed=106), autocast_dtype=torch.bfloat16)
    expect.true(
        module.last_call["autocast"] is True, "With `autocast_dtype` the forward pass must run under torch.autocast for the batch's device"
    )
    module(torch.tensor([[1]]))
    expect.true(
        module.last_call["autocast"] is False, "Autocast stays on after the step: open it with `with`, around the forward pass alone"
    )
    kept = {str(value.dtype) for value in module.state_dict().values()}
    expect.true(
        kept == {"torch.float32"}, "Autocast changes no weights: the model's parameters stay float32", f"they are {', '.join(kept)}"
    )


# The graded outcome: gpt.safetensors and gpt_config.json

MAX_PARAMETERS, TOKENS = 64_000_000, 4096
LIMITS = {"easy": 2.4, "middle": 2.2, "goal": 2.0}
FIELDS = {"vocab_size": 65536, "block_size": 4096, "n_layer": 64, "n_head": 64, "d_model": 4096}
_measured = weakref.WeakKeyDictionary()


def described(student):
    """(config, corpus, vocabulary) from gpt_config.json, every number within bounds."""
    raw = student.artifact("gpt_config.json")
    expect.true(raw is not None, "There is no gpt_config.json beside the notebook: run the training cell")
    expect.true(len(raw) < 2**20, "gpt_config.json is larger than a megabyte")
    try:
        facts = json.loads(raw)
        config, corpus, vocabulary = dict(facts["config"]), facts["corpus"], facts["vocabulary"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise CheckFailed("gpt_config.json is not what `save_model` writes: it needs config, corpus and vocabulary") from None
    for name, most in FIELDS.items():
        value = config.get(name)
        expect.true(type(value) is int and 1 <= value <= most, f"gpt_config.json: {name} must be a whole number from 1 to {most}")
    for name, kind in (("dropout", (int, float)), ("bias", bool)):
        expect.true(isinstance(config.get(name), kind), f"gpt_config.json: {name} is missing or of the wrong type")
    expect.true(isinstance(corpus, str) and isinstance(vocabulary, str), "gpt_config.json: corpus and vocabulary are texts")
    expect.true(
        len(set(vocabulary)) == len(vocabulary) == config["vocab_size"],
        "gpt_config.json: the vocabulary must hold vocab_size different characters",
    )
    d = config["d_model"]
    count = 12 * config["n_layer"] * d * d + (config["vocab_size"] + config["block_size"]) * d
    expect.true(count <= MAX_PARAMETERS, f"gpt_config.json describes a model of more than {MAX_PARAMETERS:,} parameters")
    return {name: config[name] for name in (*FIELDS, "dropout", "bias")}, corpus, vocabulary


@functools.lru_cache(maxsize=3)
def last_tenth(corpus):
    return load_text(corpus, quiet=True).split()[1]


def held_back(corpus, vocabulary):
    """The last tenth of the named text as indices into the vocabulary."""
    try:
        tail = last_tenth(corpus)
    except (ValueError, OSError):
        raise CheckFailed(
            "The text that gpt_config.json names is not to be had on this machine, so the loss cannot be measured here"
        ) from None
    index = {c: i for i, c in enumerate(vocabulary)}
    expect.true(set(tail) <= set(index), "The vocabulary in gpt_config.json does not cover the held-back text")
    return torch.tensor([index[c] for c in tail])


def opened(student):
    """The saved weights by GPT-2's names, the config, and the held-back text; nothing of the student's code is asked."""
    config, corpus, vocabulary = described(student)
    raw = student.artifact("gpt.safetensors")
    expect.true(raw is not None, "There is no gpt.safetensors beside the notebook: run the training cell")
    expect.true(
        len(raw) <= MAX_BYTES,
        f"gpt.safetensors is larger than {MAX_BYTES >> 20} MiB, the most that is read: save the weights in bfloat16, or train a smaller model",
    )
    listed = header_bytes(raw)
    expect.true(
        listed <= MAX_HEADER or listed > len(raw), "gpt.safetensors names far more weights than a GPT has: save one model's state_dict"
    )
    try:
        weights = load_safetensors(raw)
    except (SafetensorError, ValueError, KeyError, OverflowError, RuntimeError):
        raise CheckFailed("gpt.safetensors is damaged: it cannot be read as a safetensors file") from None
    try:
        weights = unwrapped(weights, shapes_of(config))
    except ValueError as error:
        raise CheckFailed(f"gpt.safetensors cannot be told: {error}; save one model's state_dict") from None
    if "lm_head.weight" in weights:
        weights.setdefault("wte.weight", weights["lm_head.weight"])
    fitting(weights, config)
    return weights, config, held_back(corpus, vocabulary)


def shapes_of(config):
    """{name: shape} of a GPT-2 of these sizes, as the lesson names its weights; the tied matrix once."""
    d = config["d_model"]
    shapes = {"wte.weight": (config["vocab_size"], d), "wpe.weight": (config["block_size"], d)}
    linear = {"attn.c_attn": (3 * d, d), "attn.c_proj": (d, d), "mlp.c_fc": (4 * d, d), "mlp.c_proj": (d, 4 * d)}
    for i in range(config["n_layer"]):
        shapes |= {f"h.{i}.{name}.weight": shape for name, shape in linear.items()}
        shapes |= {f"h.{i}.{name}.bias": shape[:1] for name, shape in linear.items()}
        shapes |= {f"h.{i}.{norm}.{part}": (d,) for norm in ("ln_1", "ln_2") for part in ("weight", "bias")}
    shapes |= {f"ln_f.{part}": (d,) for part in ("weight", "bias")}
    return shapes if config["bias"] else {name: shape for name, shape in shapes.items() if not name.endswith("bias")}


def fitting(weights, config):
    """All weights are there, of the right shapes, and finite numbers."""
    expect.true(config["d_model"] % config["n_head"] == 0, "gpt_config.json: n_head must divide d_model")
    shapes = shapes_of(config)
    missing = sorted(set(shapes) - set(weights))
    expect.true(not missing, "gpt.safetensors does not hold all weights of a GPT of this size", ", ".join(missing[:3]))
    for name, shape in shapes.items():
        got = tuple(weights[name].shape)
        expect.true(got == shape, f"gpt.safetensors: `{name}` does not fit gpt_config.json", f"expected {shape}, got {got}")
        finite = weights[name].is_floating_point() and weights[name].float().isfinite().all()
        expect.true(finite, f"gpt.safetensors: `{name}` is not all finite numbers")


PYTORCHS_NAMES = {
    "self_attn.in_proj_": "attn.c_attn.", "self_attn.out_proj.": "attn.c_proj.", "linear1.": "mlp.c_fc.", "linear2.": "mlp.c_proj.",
    "norm1.": "ln_1.", "norm2.": "ln_2.",
}  # fmt: skip


@torch.no_grad()
def log_probabilities(weights, ids, config):
    """Of each next token, for ids (B, T), by the saved weights alone: PyTorch's own pre-norm layer does the work."""
    d, mask = config["d_model"], nn.Transformer.generate_square_subsequent_mask(ids.shape[1])
    gelu = functools.partial(F.gelu, approximate="tanh")
    with torch.device("meta"):  # only its forward is used
        layer = nn.TransformerEncoderLayer(d, config["n_head"], 4 * d, 0.0, gelu, 1e-5, batch_first=True, norm_first=True).eval()
    shapes = {name: parameter.shape for name, parameter in layer.named_parameters()}

    def numbers(name, shape):
        return weights[name].float() if name in weights else torch.zeros(shape)  # a model may have no biases

    x = numbers("wte.weight", ())[ids] + numbers("wpe.weight", ())[: ids.shape[1]]
    for i in range(config["n_layer"]):
        own = {}
        for theirs, ours in PYTORCHS_NAMES.items():
            own |= {theirs + part: numbers(f"h.{i}.{ours}{part}", shapes[theirs + part]) for part in ("weight", "bias")}
        x = functional_call(layer, own, (x,), {"src_mask": mask, "is_causal": True})
    x = F.layer_norm(x, (d,), numbers("ln_f.weight", ()), numbers("ln_f.bias", (d,)), 1e-5)
    return F.linear(x, numbers("wte.weight", ())).log_softmax(-1)


def saved_loss(weights, config, text):
    """The mean loss on windows of the held-back text, by the weights alone."""
    n = min(config["block_size"], 256)
    count = max(4, TOKENS // n)
    expect.true(n >= 8, "A block_size below 8 is too small to be measured")
    weights = {name: w.float() for name, w in weights.items()}
    starts = torch.linspace(0, len(text) - n - 1, count).long()
    starts = (starts + torch.randint(len(text) // count, (1,), generator=generator(110))).clamp(max=len(text) - n - 1)
    windows = text[starts[:, None] + torch.arange(n + 1)]
    losses = [window_losses(weights, some, config) for some in windows.split(max(1, 2**20 // (n * config["vocab_size"])))]
    loss = torch.cat(losses).mean().item()
    expect.true(math.isfinite(loss), "The saved weights give a loss that is not a number")
    return loss


def window_losses(weights, windows, config):
    """The mean loss of each window."""
    chosen = log_probabilities(weights, windows[:, :-1], config).gather(-1, windows[:, 1:, None])
    return -chosen.mean((1, 2))


def held_weights(student, weights, config):
    """The student's own GPT with the saved weights in it, as they are stored and a few at a time: all together may be more than a message."""
    model = student.GPT(student.GPTConfig(**config))
    for some in parts({"lm_head.weight": weights["wte.weight"], **weights}):
        model.load_state_dict(some, strict=False)
    model.eval()
    return model


def parts(weights, most=2**24):
    """The weights in dicts of at most `most` bytes each, or of one weight."""
    part, size = {}, 0
    for name, weight in weights.items():
        if part and size + weight.nbytes > most:
            yield part
            part, size = {}, 0
        part[name], size = weight, size + weight.nbytes
    yield part


def compare(student, rows):
    """The student's GPT with the saved weights gives, for `rows(config, text)`, the log-probabilities that these weights mean."""
    weights, config, text = opened(student)
    ids = rows(config, text)
    logits = held_weights(student, weights, config)(ids)[0]
    want = log_probabilities(weights, ids, config)
    expect.true(isinstance(logits, torch.Tensor) and logits.shape == want.shape, "The model's logits do not have the shape (B, T, V)")
    expect.true(logits.isfinite().all(), "The model's logits are not all finite")
    gap = (logits.float().log_softmax(-1) - want).abs()
    expect.true(
        (gap <= 2e-3 + 1e-3 * want.abs()).all(),
        "Your GPT does not give the probabilities that the weights in gpt.safetensors mean in GPT-2: something else than them decides",
        f"log-probabilities differ by up to {gap.max().item():.3g}",
    )


def length_of(config):
    """A length at which four rows of logits are a message of moderate size."""
    return max(1, min(config["block_size"], 256, 2**20 // config["vocab_size"]))


def some_rows(config, text):
    """Two rows of the text and two of any tokens. Drawn anew each time: a class that knows the rows beforehand could answer by heart."""
    source, n = generator(secrets.randbits(40)), length_of(config)
    starts = torch.randint(len(text) - n, (2, 1), generator=source)
    return torch.cat([text[starts + torch.arange(n)], torch.randint(config["vocab_size"], (2, n), generator=source)])


def measured_loss(student):
    """The loss of the saved weights, measured once for one state of the two files and then remembered."""
    state = hashlib.sha256((student.artifact("gpt.safetensors") or b"") + (student.artifact("gpt_config.json") or b"")).digest()
    known = _measured.get(student)
    if known is None or known[0] != state:
        known = _measured[student] = (state, saved_loss(*opened(student)))
    return known[1]


@pytest.mark.exercise("trained_gpt", weight=1)
@pytest.mark.trivial  # an untrained model has files, too
def test_the_files_open(student):
    """gpt.safetensors and gpt_config.json open and hold a GPT-2 of that size."""
    opened(student)


@pytest.mark.exercise("trained_gpt", weight=0.5)
@pytest.mark.trivial
def test_the_logits_are_honest(student):
    """Your GPT gives the probabilities that the saved weights mean."""
    compare(student, some_rows)


@pytest.mark.exercise("trained_gpt", weight=1)
def test_the_loss_is_below_the_first_limit(student):
    """Better than any table of letter pairs."""
    below(student, "easy")


@pytest.mark.exercise("trained_gpt", weight=1)
def test_the_loss_is_below_the_second_limit(student):
    """The model has learned words."""
    below(student, "middle")


@pytest.mark.exercise("trained_gpt", weight=2)
def test_the_loss_is_below_the_goal(student):
    """The goal of the lesson."""
    below(student, "goal")


def below(student, limit):
    loss = measured_loss(student)
    expect.true(loss < LIMITS[limit], f"The loss on held-back text must be below {LIMITS[limit]}", f"it is {loss:.3f} nats per character")


# Stretch · generate_cached


def writer(student, seed, **other):
    """(the student's GPT with known weights, these weights, its config); its dropout is on while it trains, as it does at first."""
    config = sizes(vocab_size=13, dropout=0.5, **other)
    weights = gpt_weights(config, seed=seed)
    module = loaded(student, "GPT", weights, config)
    module.train()
    return module, weights, config


@pytest.mark.exercise("generate_cached", weight=2)
@pytest.mark.parametrize("block_size", [12, 6])
def test_the_most_likely_tokens_with_a_cache(student, block_size):
    """At temperature 0 the tokens are those of a model that reads its whole window, within the block and past its end."""
    module, weights, config = writer(student, 112, block_size=block_size)
    ids = ids_of(2, 4, seed=113, high=13)
    got = student.generate_cached(module, ids, 8, 0.0, None, None, generator(0))
    where = f"your GPT with block_size {block_size}, 4 tokens given and 8 new ones, at temperature 0"
    expect.equal(got, greedy_text(weights, ids, 8, config), where=where)


@pytest.mark.exercise("generate_cached", weight=2)
@pytest.mark.parametrize("knobs", [(1.0, None, None), (1.5, 6, 0.9)])
def test_the_cache_changes_no_draw(student, knobs):
    """For the same generator the tokens are those of your `generate`, and the next call begins with an empty cache."""
    module, weights, config = writer(student, 114, block_size=9)
    for ids in (ids_of(3, 2, seed=115, high=13), ids_of(3, 2, seed=116, high=13), ids_of(1, 5, seed=117, high=13)):
        want, got = (write(module, ids, 10, *knobs, generator(2)) for write in (student.generate, student.generate_cached))
        expect.equal(got, want, where=f"ids {tuple(ids.shape)}, 10 new tokens, temperature, top_k, top_p = {knobs}: what `generate` gives")
        module.load_state_dict(gpt_weights(config, seed=118), strict=False)  # the next call is of a model that was trained on


@pytest.mark.exercise("generate_cached", weight=2)
def test_every_position_is_read_once(student):
    """While the text fits into the block, no position goes through the model twice."""
    module, weights, config = writer(student, 119, block_size=37)
    read = {"the embeddings": [], "the first block's mlp": []}
    for part, lengths in zip((module.wte, module.h[0].mlp), read.values()):
        part.register_forward_hook(
            lambda layer, given, result, lengths=lengths: lengths.append(result.numel() // 24)
        )  # two texts, d_model 12
    ids = ids_of(2, 8, seed=120, high=13)
    got = student.generate_cached(module, ids, 30, 0.0, None, None, generator(3))
    expect.equal(got, greedy_text(weights, ids, 30, config), where="block_size 37, two texts of 8 tokens and 30 new ones, at temperature 0")
    for name, lengths in read.items():
        expect.true(
            sum(lengths) <= 37,
            f"For 30 tokens after 8 you sent {sum(lengths)} positions through {name}, where 37 are enough: read each once, keep its keys and values",
        )


@pytest.mark.exercise("generate_cached", weight=1)
@pytest.mark.trivial
def test_writing_with_a_cache_is_not_training(student):
    """Afterwards the model is in the mode it was in, also after an error, and its inputs are as they were."""
    module, _, _ = writer(student, 122)
    for training in (True, False):
        module.train(training)
        text = student.generate_cached(module, torch.tensor([[1, 2]]), 2, 0.0, None, None, generator(0))
        expect.true(tuple(text.shape) == (1, 4), "2 tokens given and 2 new ones are 4", expect.show(text))
        expect.raises(ValueError, student.generate_cached, module, torch.tensor([[1, 2]]), 2, 1.0, 0, None, generator(0), where="top_k = 0")
        expect.true(module.training is training, "After writing, or an error, the model must be in the mode it was in before")
    expect.inputs_unchanged(
        student, lambda ids: student.generate_cached(module, ids, 3, 0.0, None, None, generator(0)), torch.tensor([[5, 2], [3, 1]])
    )


# Stretch · FastAttention


@pytest.mark.exercise("FastAttention", weight=2)
def test_fast_attention(student):
    """Causal attention with normalised, rotated q and k."""
    weights = {name: w for name, w in attention_weights(12, seed=120).items() if name.endswith("weight")}
    module, x = loaded(student, "FastAttention", weights, sizes()), expect.randn(2, 6, 12, seed=121)
    expect.close(module(x), fast_attention(weights, x, 3), where="x (2, 6, 12), 3 heads", atol=1e-4)


@pytest.mark.exercise("FastAttention", weight=1)
def test_fast_attention_begins_as_nothing(student):
    """c_proj is zero at first; there are no biases."""
    state = student.FastAttention(student.GPTConfig(**sizes())).state_dict()
    expect.true((state["c_proj.weight"] == 0).all(), "`c_proj` should be zero at first")
    expect.true(not any("bias" in name for name in state), "The linear layers have no bias here")


# What the known mistakes are recognised by


def probe_generate(student):
    module, _, _ = bigram(student, seed=130)
    text = student.generate(module, torch.tensor([[3, 1, 4], [6, 0, 2]]), 8, 0.0, None, None, generator(0))
    modes = [module.training, module.last_call["training"], module.last_call["gradients"]]
    module, _, _ = bigram(student, seed=132, scale=0.0)  # every token is drawn from the same distribution
    shares = []
    for knobs in ((1.5, None, None), (0.7, 3, 0.8)):
        drawn = student.generate(module, torch.full((4000, 1), 2), 8, *knobs, generator(133))
        shares.append([round(share * 10) / 10 for share in (torch.bincount(drawn[:, -1], minlength=7) / 4000).tolist()])
    return text, modes, shares


def probe_cached(student):
    """Greedy texts within the block and past its end, and how many positions went through the model for the first."""
    texts, read = [], []
    for block_size in (12, 6):
        module, _, _ = writer(student, 143, block_size=block_size)
        module.wte.register_forward_hook(lambda layer, given, result: read.append(given[0].shape[-1]))
        texts.append(student.generate_cached(module, ids_of(2, 4, seed=144, high=13), 8, 0.0, None, None, generator(0)))
    return texts, sum(read[:8]) > 12, module.training


def probe_batch(student):
    """The only window of a short text, and of a longer one how many starts there are, and whether the first and the last are among them."""
    x, _ = student.get_batch(torch.arange(10), 500, 4, generator(137))
    starts = {int(start) for start in x[:, 0]}
    return student.get_batch(TEXT[:5], 3, 4, generator(137)), len(starts), int(0 in starts), int(5 in starts)


def probe_mask(student):
    """Shares, not draws: they do not depend on the order of random numbers."""
    ids = ids_of(100, 400, seed=431, high=900)
    shares = []
    for p in (0.3, 0.9):
        inputs, labels = student.mask_for_infilling(ids, 901, 900, generator(131), p=p, special_ids=(0, 1))
        selected = labels != -100
        shares += [selected.float().mean(), (inputs == 901)[selected].float().mean(), (inputs == ids)[selected].float().mean()]
        shares += [(labels == ids).float().mean(), (labels == 901).float().mean()]  # which labels there are
        shares += [((inputs != ids) & ~selected).float().mean() / (~selected).float().mean().clamp(min=1e-9)]  # what was not selected
    return [round(10 * float(share) + 0.9) for share in shares]  # borders that no known mistake's shares come near


def probe_init(student):
    module = all_ones(student, BIG)
    student.initialize(module, generator(132))
    state = module.state_dict()
    names = (
        "wte.weight",
        "wpe.weight",
        "c_fc.weight",
        "attn.c_proj.weight",
        "mlp.c_proj.weight",
        "c_attn.bias",
        "ln_1.weight",
        "ln_f.bias",
    )
    sizes_of = [float(spread(state, name).square().mean().sqrt()) for name in names]
    return [round(math.log2(size + 1e-6) * 3) for size in sizes_of]  # steps of a quarter: far wider than chance


# Probabilities, and steps for shares, for which no known mistake's shares lie within three standard deviations of a step's border: so a
# mistake is recognised however an answer draws.
APART = torch.tensor([0.05, 0.54, 0.16, 0.25])


def step_of(share):
    return round(20 * share + 0.95)


def probe_sample(student):
    shares = []
    for order, *knobs in (
        ([0, 1, 2, 3], 1.0, None, None),
        ([0, 1, 2, 3], 0.5, None, None),
        ([0, 1, 2, 3], 1.0, 2, None),
        ([0, 1, 2, 3], 1.0, None, 0.7),
        ([0, 1, 2, 3], 1.0, None, 0.85),
        ([0, 1, 2, 3], 2.0, None, 0.7),
        ([0, 1, 2, 3], 1.0, 2, 0.6),
        ([0, 1, 2, 3], 1.0, None, 0.4),
        ([2, 3, 0, 1], 1.0, None, 0.6),
        ([2, 3, 0, 1], 1.0, None, None),
        ([1, 3, 2, 0], 1.0, None, None),
    ):
        drawn = student.sample_next(APART[order].log().expand(60000, -1), *knobs, generator(133))
        shares.append([step_of(share) for share in (torch.bincount(drawn, minlength=4) / 60000).tolist()])
    return shares


def probe_module(name, weights, config=None):
    config = config or sizes()
    return lambda student: loaded(student, name, weights, config)(X)


def probe_gpt(student):
    config = sizes()
    ids, targets = ids_of(2, 7, seed=134, high=11), ids_of(2, 7, seed=135, high=11)
    return loaded(student, "GPT", gpt_weights(config, seed=136), config)(ids, targets)


PROBES = {
    "get_batch": probe_batch,
    "mask_for_infilling": probe_mask,
    "language_model_loss": lambda student: student.language_model_loss(LOGITS, TARGETS),
    "attention_pattern": lambda student: [student.attention_pattern(kind, 5, 2) for kind in ("encoder", "decoder", "prefix")],
    "FeedForward": probe_module("FeedForward", feed_forward_weights(12, seed=138)),
    "CausalSelfAttention": probe_module("CausalSelfAttention", attention_weights(12, seed=139)),
    "Block": probe_module("Block", block_weights(12, seed=140)),
    "GPT": probe_gpt,
    "initialize": probe_init,
    "parameter_groups": lambda student: sorted(grouped(student, 0.3, sizes())[0].items()),
    "learning_rate": lambda student: each(student.learning_rate, [(t, 6, 20, 0.5, 0.1) for t in range(24)]),
    "sample_next": probe_sample,
    "generate": probe_generate,
    "generate_cached": probe_cached,
    "FastAttention": probe_module("FastAttention", {n: w for n, w in attention_weights(12, seed=142).items() if n.endswith("weight")}),
    "train_step": lambda student: stepped(student, pairs(3, seed=141), steps=2, clip=0.05)[0],
}


# Mistakes are told apart by the shares of thousands of draws; where tensors lie shows in a few.


def draws_on_device(student):
    rows = APART.log().expand(8, -1)
    return [
        student.sample_next(rows, *knobs, generator(133)) for knobs in ((0.0, None, None), (0.7, 2, None), (1.0, None, 0.8), (1.5, 3, 0.9))
    ]


def texts_on_device(student):
    module, _, _ = bigram(student, seed=130)
    prompt = torch.tensor([[3, 1, 4], [6, 0, 2]])
    return [student.generate(module, prompt, 3, *knobs, generator(0)) for knobs in ((0.0, None, None), (0.7, 3, 0.8))]


def cached_on_device(student):
    """Past the end of the block too."""
    module, _, _ = writer(student, 143, block_size=6)
    return student.generate_cached(module, ids_of(2, 4, seed=144, high=13), 4, 0.0, None, None, generator(0))


DEVICE_PROBES = {"sample_next": draws_on_device, "generate": texts_on_device, "generate_cached": cached_on_device}
