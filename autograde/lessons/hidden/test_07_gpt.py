"""The hidden checks of lesson 07: other sizes, limits, and mistakes that the public examples let through."""

import math

import pytest
import torch
from torch.nn import functional as F

from autograde import layout
from autograde.checking import expect
from autograde.checking.calls import each, repeated
from autograde.grader.run.symmetries import Longer, MoreRows, Renumbered, Reordered, Repeated, Scaled

public = layout.load_module(layout.checks_path("07_gpt"), "public_checks_of_07_gpt")
oracles = layout.load_module(layout.oracles_path("07_gpt"), "oracles_of_07_gpt")
generator, ids_of, sizes = public.generator, public.ids_of, public.sizes

SYMMETRIES = {
    "attention_pattern": [Longer(1, (-2, -1))],
    "get_batch": [Renumbered((0,))],
    "language_model_loss": [Repeated(0)],
    "learning_rate": [Scaled((3, 4))],
    "mask_for_infilling": [MoreRows(0)],
    "sample_next": [Reordered(0)],
}


# get_batch


@pytest.mark.exercise("get_batch", weight=1)
def test_windows_of_one_token(student):
    """Windows of one token: every start but the last token, equally often."""
    x, y = student.get_batch(torch.tensor([5, 9, 2, 7]), 3000, 1, generator(200))
    expect.true(tuple(x.shape) == tuple(y.shape) == (3000, 1), "With block_size 1 the shape is (batch_size, 1)")
    expect.true(
        {*zip(x[:, 0].tolist(), y[:, 0].tolist())} == {(5, 9), (9, 2), (2, 7)},
        "Each token but the last is a start, and its successor the target",
    )
    for first, batch_size, block_size in ((0, 40, 2), (50, 40, 2), (50, 41, 2), (50, 41, 3)):
        x, y = student.get_batch(torch.arange(9) + first, batch_size, block_size, generator(200))
        where = f"{batch_size} windows of {block_size} tokens that count from {first}"
        expect.equal(torch.stack([x, y]), torch.stack([x[:, :1] + torch.arange(block_size), x + 1]), where=where)
        expect.true(
            first <= x.min() and x.max() < first + 8 and len(x) == batch_size,
            "Windows come from the text that is given, as many as asked for",
        )


@pytest.mark.exercise("get_batch", weight=1)
def test_starts_are_independent(student):
    """Starts are drawn independently: two windows of a batch coincide as often as chance says."""
    x, _ = student.get_batch(torch.arange(24), 4000, 4, generator(201))
    expect.equal(x, x[:, :1] + torch.arange(4), where="windows of a text that counts")
    for one, other, which in ((x[:2000], x[2000:], "far apart"), (x[0::2], x[1::2], "next to each other")):
        same = (one[:, 0] == other[:, 0]).int()
        expect.frequencies(same, [0.95, 0.05], where=f"pairs of windows {which} in the batch, with the same start among 20 starts")


@pytest.mark.exercise("get_batch", weight=0.5)
def test_one_window_at_a_time(student):
    """Batches of a single window begin everywhere, too, each start equally often."""
    one = generator(273)
    starts = torch.cat([x[:, 0] for x, _ in repeated(student.get_batch, 200, torch.arange(8), 1, 3, one)])
    expect.frequencies(starts, [0.2] * 5, where="the starts of 200 batches of one window")


@pytest.mark.exercise("get_batch", weight=0.5)
def test_windows_of_a_long_text(student):
    """Windows come from the whole of a long text, and the text is left alone."""
    x, _ = student.get_batch(torch.arange(150_000), 200, 3, generator(271))
    expect.equal(x, x[:, :1] + torch.arange(3), where="windows of a text of 150,000 tokens")
    expect.true(x.max() > 120_000 and x.min() < 30_000, "Windows must come from the whole of a text of 150,000 tokens")
    expect.inputs_unchanged(student, student.get_batch, torch.arange(30), 4, 5, generator(272))


# mask_for_infilling


@pytest.mark.exercise("mask_for_infilling", weight=1)
@pytest.mark.parametrize("shape", [(9000,), (3, 30, 100)])
def test_infilling_of_any_shape(student, shape):
    """One sequence, or several batch dimensions; rows are masked independently."""
    ids = ids_of(*shape, seed=602, high=600)
    inputs, labels = student.mask_for_infilling(ids, 600, 601, generator(202), p=0.2)
    selected = labels != -100
    expect.true(tuple(inputs.shape) == tuple(labels.shape) == shape, "inputs and labels have the shape of ids")
    expect.true((selected.sum() - 1800).abs() < 220, "About p of the tokens should be selected")
    expect.true((inputs[selected] == 600).sum() > 0.7 * selected.sum(), "About 80 % of the selected tokens should be the mask")
    if len(shape) == 3:
        expect.true(not torch.equal(selected[0], selected[1]), "Every sequence should be masked at its own positions")


@pytest.mark.exercise("mask_for_infilling", weight=1)
def test_the_fate_does_not_depend_on_the_draw_that_selects(student):
    """With a small p it is still 80/10/10."""
    ids = ids_of(400, 500, seed=603, high=4000)
    inputs, labels = student.mask_for_infilling(ids, 4000, 4000, generator(203), p=0.05)
    selected = labels != -100
    fate = torch.where(inputs == 4000, 0, torch.where(inputs == ids, 2, 1))[selected]
    expect.frequencies(fate, [0.8, 0.1, 0.1], where="selected tokens at p = 0.05")


@pytest.mark.exercise("mask_for_infilling", weight=1)
def test_nothing_and_everything(student):
    """p = 0 selects nothing, p = 1 everything that is not special; an empty text stays empty."""
    ids = ids_of(5, 40, seed=604, high=30)
    inputs, labels = student.mask_for_infilling(ids, 30, 30, generator(204), p=0.0)
    expect.equal(inputs, ids, where="the inputs with p = 0")
    expect.true((labels == -100).all(), "With p = 0 nothing is selected")
    _, labels = student.mask_for_infilling(ids, 30, 30, generator(204), p=1.0, special_ids=[4, 9])
    expect.equal(labels, ids.where((ids != 4) & (ids != 9), -100), where="the labels with p = 1 and two special tokens")
    expect.true(
        tuple(student.mask_for_infilling(ids[:, :0], 30, 30, generator(204))[0].shape) == (5, 0), "Sequences of no token must be possible"
    )
    expect.raises(ValueError, student.mask_for_infilling, ids, 30, 30, generator(204), -0.1, naming="p", where="a negative p")


@pytest.mark.exercise("mask_for_infilling", weight=0.5)
def test_infilling_again(student):
    """Every call selects anew and works on the text that it was given."""
    drawn = generator(260)
    first, second = ids_of(4, 60, seed=660, high=30), ids_of(4, 60, seed=661, high=30)
    labels = [student.mask_for_infilling(ids, 30, 30, drawn, 0.4)[1] for ids in (first, first, second)]
    for ids, got in zip((first, first, second), labels):
        expect.true(((got == ids) | (got == -100)).all(), "Every label is the token that stood there, or −100")
    message = "Two calls with one generator selected the same tokens: draw from `generator` itself, not from a copy"
    expect.true(not torch.equal(labels[0], labels[1]), message)
    for mask_id, vocab_size, special in ((30, 30, 4), (31, 30, 4), (31, 4000, 4), (31, 4000, 9)):
        inputs, got = student.mask_for_infilling(first, mask_id, vocab_size, drawn, 1.0, [special])
        expect.equal(got, first.where(first != special, -100), where=f"the labels with p = 1 and the special token {special}")
        found = {*inputs[inputs >= 30].tolist()}
        as_given = mask_id in found and (found == {mask_id} if vocab_size == 30 else len(found) > 3)
        expect.true(as_given, "The mask and the random tokens are those of the `mask_id` and the `vocab_size` that are given")


@pytest.mark.exercise("mask_for_infilling", weight=0.5)
@pytest.mark.trivial
def test_special_ids_are_left_alone(student):
    """The list of special tokens is as it was after the call."""
    expect.inputs_unchanged(student, student.mask_for_infilling, ids_of(3, 9, seed=263, high=20), 20, 21, generator(1), 0.3, [4, 7])


@pytest.mark.exercise("mask_for_infilling", weight=1)
def test_the_exact_shares(student):
    """Random tokens come from the whole vocabulary, the mask and the token itself among them; tokens are selected one by one."""
    ids = ids_of(1000, 200, seed=673, high=5)
    inputs, labels = student.mask_for_infilling(ids, 4, 5, generator(273), p=0.5)
    selected, plain = labels != -100, ids != 4
    fate = torch.where(inputs == 4, 0, torch.where(inputs == ids, 1, 2))[selected & plain]
    expect.frequencies(fate, [0.82, 0.12, 0.06], where="selected tokens of a vocabulary of 5 that holds the mask (mask, unchanged, other)")
    expect.true(selected[~plain].float().mean() > 0.4, "A token that is the mask already may be selected like any other")
    spread = selected.float().sum(-1).std()  # of 200 tokens that are each selected with probability 0.5: √50
    expect.true(5.5 < spread < 8.8, "Tokens must be selected independently of each other: rows differ in how many are selected")


@pytest.mark.exercise("mask_for_infilling", weight=0.5)
def test_how_many_are_selected_is_left_to_chance(student):
    """Of several texts together not always the same number of tokens is selected."""
    ids, drawn = ids_of(2, 50, seed=674, high=30), generator(274)
    counts = [int((student.mask_for_infilling(ids, 30, 30, drawn, p)[1] != -100).sum()) for p in (0.3, 0.5) for _ in range(12)]
    several = min(len(set(counts[:12])), len(set(counts[12:])))
    expect.true(several > 2, "Tokens must be selected independently of each other, and not a fixed number of them")


# language_model_loss


@pytest.mark.exercise("language_model_loss", weight=1)
def test_other_losses(student):
    """Other sizes, another ignore_index, large logits, float64."""
    logits = expect.randn(4, 3, 23, seed=206, scale=40.0, dtype=torch.float64)
    targets = ids_of(4, 3, seed=206, high=23)
    targets[1], targets[3, 0] = 0, 0
    expect.close(
        student.language_model_loss(logits, targets, 0),
        oracles.cross_entropy(logits, targets, 0),
        where="logits (4, 3, 23), ignore_index 0",
    )
    expect.close(student.language_model_loss(logits, targets), oracles.cross_entropy(logits, targets), where="the same without one")


@pytest.mark.exercise("language_model_loss", weight=1)
def test_impossible_tokens(student):
    """A logit of −∞ is a token that cannot come; the loss of the others is finite."""
    logits = expect.randn(5, 8, seed=207)
    logits[:, 6:] = -math.inf
    targets = torch.tensor([0, 5, 3, -100, 2])
    expect.close(student.language_model_loss(logits, targets), oracles.cross_entropy(logits, targets), where="logits with −∞")


@pytest.mark.exercise("language_model_loss", weight=0.5)
def test_a_target_that_nearly_cannot_come(student):
    """A target whose probability is 0 in float32 has a finite loss: the logarithm is taken before anything underflows."""
    logits, targets = torch.tensor([[0.0, 400.0, -30.0], [150.0, 0.0, 1.0]]), torch.tensor([0, 2])
    expect.close(
        student.language_model_loss(logits, targets), oracles.cross_entropy(logits, targets), where="targets 400 and 149 below the best"
    )


@pytest.mark.exercise("language_model_loss", weight=3)
def test_a_loss_that_trains(student):
    """The gradients of other losses: without them no model learns."""
    function, logits, targets = student.language_model_loss, expect.randn(3, 4, 11, seed=208, scale=5.0), ids_of(3, 4, seed=208, high=11)
    targets[0, 1], targets[2] = -100, -100
    expect.gradients(student, function, (logits, targets), oracles.cross_entropy, where="logits (3, 4, 11), five of twelve targets −100")


# attention_pattern


@pytest.mark.exercise("attention_pattern", weight=1)
@pytest.mark.parametrize("n, prefix", [pytest.param(1, 0, marks=pytest.mark.trivial), (6, 1), (5, 5), (4, 9)])
def test_other_prefixes(student, n, prefix):
    """One position, a prefix of one, of all, and of more than all."""
    want = torch.tensor([[j < prefix or j <= i for j in range(n)] for i in range(n)])
    expect.equal(student.attention_pattern("prefix", n, prefix), want, where=f"'prefix', n = {n}, prefix = {prefix}")
    expect.equal(student.attention_pattern("decoder", n, prefix), torch.ones(n, n).tril().bool(), where="'decoder', which has no prefix")


@pytest.mark.exercise("attention_pattern", weight=0.5)
def test_a_prefix_of_none(student):
    """Without a number the prefix is empty: what remains is a decoder."""
    expect.equal(student.attention_pattern("prefix", 5), torch.ones(5, 5).tril().bool(), where="'prefix' without a number, n = 5")


# FeedForward, CausalSelfAttention, Block


@pytest.mark.exercise("FeedForward", weight=1)
def test_another_feed_forward_network(student):
    """Other sizes, large inputs, no bias, one vector."""
    weights = {n: w for n, w in public.feed_forward_weights(10, seed=210).items() if n.endswith("weight")}
    module = public.loaded(student, "FeedForward", weights, sizes(d_model=10, n_head=2, bias=False))
    x = expect.randn(3, 4, 10, seed=211, scale=4.0)
    expect.close(module(x), oracles.feed_forward(weights, x), where="d_model = 10 without bias", atol=2e-4)
    expect.close(module(x[0, 0]), oracles.feed_forward(weights, x[0, 0]), where="one vector", atol=2e-4)


@pytest.mark.exercise("CausalSelfAttention", weight=1)
@pytest.mark.parametrize("n_head, n", [(1, 6), (4, 5), (8, 1), (2, 9)])
def test_other_heads(student, n_head, n):
    """One head, many heads, one position, a full block; scores well above unit scale."""
    weights, x = public.attention_weights(16, seed=213), expect.randn(3, n, 16, seed=214, scale=1.5)
    module = public.loaded(student, "CausalSelfAttention", weights, sizes(d_model=16, n_head=n_head))
    expect.close(module(x), oracles.attention(weights, x, n_head), where=f"n_head = {n_head} and T = {n}", atol=3e-4)


@pytest.mark.exercise("CausalSelfAttention", weight=1)
def test_attention_without_bias(student):
    """config.bias = False: neither layer has one."""
    weights = {n: w for n, w in public.attention_weights(12, seed=216).items() if n.endswith("weight")}
    module = public.loaded(student, "CausalSelfAttention", weights, sizes(bias=False))
    expect.true(
        not any(n.endswith("_attn.bias") or n.endswith("_proj.bias") for n in module.state_dict()),
        "With config.bias = False the layers have no bias",
    )
    expect.close(module(public.X), oracles.attention(weights, public.X, 3), where="x (2, 5, 12), no bias")


@pytest.mark.exercise("CausalSelfAttention", weight=0.5)
def test_dropout_on_the_weights(student):
    """In training mode whole weights are dropped: with one position, a sequence's output is then all zeros."""
    config, eye = sizes(d_model=48, n_head=1, dropout=0.5), torch.eye(48)
    weights = {
        "c_attn.weight": torch.cat([0 * eye, 0 * eye, eye]),
        "c_attn.bias": torch.zeros(144),
        "c_proj.weight": eye,
        "c_proj.bias": torch.zeros(48),
    }
    module = public.loaded(student, "CausalSelfAttention", weights, config)
    module.train()
    output = module(torch.ones(400, 1, 48)).detach()
    dropped = output == 0
    silent = dropped.all(-1)
    expect.true(
        0.3 < silent.float().mean() < 0.7, "In training mode the attention weights need dropout, too, before they are applied to the values"
    )
    expect.true(0.4 < dropped[~silent].float().mean() < 0.6, "In training mode the output needs dropout, too")
    expect.close(output[~dropped], torch.full((int((~dropped).sum()),), 4.0), where="an output of 1 that two dropouts of 0.5 kept")
    module.eval()
    expect.close(module(torch.ones(2, 1, 48)), torch.ones(2, 1, 48), where="the same in eval mode")


@pytest.mark.exercise("Block", weight=1)
def test_a_block_in_eval_mode(student):
    """Other sizes; in eval mode dropout is off everywhere."""
    weights, x = public.block_weights(20, seed=218), expect.randn(2, 7, 20, seed=219, scale=2.0)
    module = public.loaded(student, "Block", weights, sizes(d_model=20, n_head=5, dropout=0.4))
    module.eval()
    expect.close(module(x), oracles.block(weights, x, 5), where="d_model = 20, n_head = 5, dropout 0.4 in eval mode", atol=3e-4)


def unbiased(weights):
    """The weights of a model without biases."""
    return {name: weight for name, weight in weights.items() if not name.endswith("bias")}


@pytest.mark.exercise("Block", weight=0.5)
def test_a_block_without_any_bias(student):
    """config.bias = False: no linear layer and no norm has one, and the block does without."""
    module, weights = student.Block(student.GPTConfig(**sizes(bias=False))), unbiased(public.block_weights(12, seed=246))
    names = list(module.state_dict())
    expect.true(names and not any(name.endswith("bias") for name in names), "With config.bias = False the norms have no bias either")
    public.load(module, weights, "Block")
    expect.close(module(public.X), oracles.block(weights, public.X, 3), where="a block without any bias")


# GPT


@pytest.mark.exercise("GPT", weight=1)
@pytest.mark.parametrize("n", [1, 8])
def test_another_gpt(student, n):
    """Other sizes, one token and a full block, dropout off in eval mode."""
    config = sizes(vocab_size=19, block_size=8, n_layer=3, n_head=2, d_model=10, dropout=0.3)
    weights, ids = public.gpt_weights(config, seed=221, scale=0.5), ids_of(3, n, seed=222, high=19)
    module = public.loaded(student, "GPT", weights, config)
    module.eval()
    expect.close(module(ids)[0], oracles.gpt(weights, ids, config), where=f"3 layers, 2 heads, d_model 10, {n} tokens", atol=3e-4)
    for targets in (ids_of(3, n, seed=223, high=19), ids_of(3, n, seed=224, high=19)):
        logits, loss = module(ids, targets)
        expect.close(loss, oracles.cross_entropy(logits, targets), where=f"the loss for {n} targets in each row")
    expect.inputs_unchanged(student, module, ids, ids.flip(-1))


@pytest.mark.exercise("GPT", weight=1)
def test_the_future_of_the_whole_model(student):
    """A later token changes no earlier logit, and a prefix alone gives the same logits."""
    config = sizes(n_layer=1)
    module = public.loaded(student, "GPT", public.gpt_weights(config, seed=224), config)
    ids = ids_of(2, 9, seed=225, high=11)
    changed = ids.clone()
    changed[:, 5:] = (ids[:, 5:] + 3) % 11
    prefix, whole = module(ids[:, :4])[0], module(ids)[0]
    after = module(changed)[0]
    expect.close(after[:, :5], whole[:, :5], where="logits before a changed token")
    expect.differ(after[:, 5:], whole[:, 5:], "A changed token changes no logit")
    expect.close(prefix, whole[:, :4], where="logits of a prefix, and then of the whole text")


@pytest.mark.exercise("GPT", weight=1)
def test_the_embeddings_dropout(student):
    """In training mode two passes differ when dropout is on, and agree when it is 0."""
    config = sizes(n_layer=1, dropout=0.5)
    module, ids = public.loaded(student, "GPT", public.gpt_weights(config, seed=227), config), ids_of(2, 6, seed=228, high=11)
    module.train()
    expect.differ(module(ids)[0], module(ids)[0], "With dropout = 0.5 two passes in training mode should differ")
    shapes = {n: tuple(v.shape) for n, v in module.state_dict().items()}
    expect.true(not any(n.startswith("h.1.") for n in shapes), "n_layer = 1 must make one block")


@pytest.mark.exercise("GPT", weight=0.5)
def test_a_gpt_without_any_bias(student):
    """config.bias = False: no layer of the model has one, and the model does without."""
    config = sizes(bias=False)
    weights, ids = unbiased(public.gpt_weights(config, seed=247)), ids_of(2, 6, seed=248, high=11)
    module = student.GPT(student.GPTConfig(**config))
    names = list(module.state_dict())
    expect.true(names and not any(name.endswith("bias") for name in names), "With config.bias = False no layer has a bias, `ln_f` included")
    public.load(module, weights, "GPT")
    expect.close(module(ids)[0], oracles.gpt(weights, ids, config), where="a model without any bias", atol=3e-4)


@pytest.mark.exercise("GPT", weight=0.5)
def test_dropout_before_the_blocks(student):
    """In training mode the embeddings are dropped, also where no block follows; in eval mode there is a loss all the same."""
    config = sizes(n_layer=0, dropout=0.5)
    module, ids = student.GPT(student.GPTConfig(**config)), ids_of(2, 6, seed=275, high=11)
    module.train()
    missing = "In training mode there is dropout on the sum of the embeddings, before the first block"
    expect.differ(module(ids)[0], module(ids)[0], missing, atol=1e-4)
    module.eval()
    logits, loss = module(ids, ids)
    expect.close(loss, oracles.cross_entropy(logits, ids), where="the loss in eval mode")


@pytest.mark.exercise("GPT", weight=0.5)
@pytest.mark.trivial
def test_tokens_and_positions_are_dropped_together(student):
    """The dropout before the blocks is on the sum of both embeddings."""
    config = sizes(n_layer=0, dropout=0.5)
    weights = {name: w for name, w in public.gpt_weights(config, seed=276).items() if not name.startswith("h.")}
    module, ids, entered = public.loaded(student, "GPT", weights, config), ids_of(2, 6, seed=277, high=11), []
    module.ln_f.register_forward_hook(lambda layer, given, result: entered.append(given[0].detach()))
    module.train()
    module(ids)
    want = 2 * (weights["wte.weight"][ids] + weights["wpe.weight"][:6])
    for x in entered:  # empty where the layer's numbers are used in another way
        expect.close(
            x, want.where(x != 0, 0), where="what enters the last norm of a model without blocks: 0, or twice the sum of the embeddings"
        )


# initialize, parameter_groups, learning_rate


@pytest.mark.exercise("initialize", weight=1)
def test_a_deeper_model(student):
    """The residual projections follow the number of layers; a model without biases can be initialised."""
    module = student.GPT(student.GPTConfig(**sizes(vocab_size=50, block_size=40, n_layer=8, n_head=2, d_model=32, bias=False)))
    student.initialize(module, generator(230))
    state = module.state_dict()
    for part in ("attn.c_proj.weight", "mlp.c_proj.weight"):
        expect.true(
            abs(public.spread(state, part).std() * 4 / 0.02 - 1) < 0.06, f"With 8 layers {part} should have the standard deviation 0.02 / 4"
        )
    expect.true(abs(public.spread(state, "c_fc.weight").std() / 0.02 - 1) < 0.06, "c_fc is no residual projection: 0.02")
    first = [state[f"h.{i}.mlp.c_fc.weight"] for i in range(2)]
    expect.true(not torch.equal(*first), "Two layers were given the same numbers")


@pytest.mark.exercise("initialize", weight=1)
def test_an_untrained_model_knows_nothing(student):
    """After it the loss is near ln V."""
    module = student.GPT(student.GPTConfig(**public.BIG))
    student.initialize(module, generator(231))
    module.eval()
    ids = ids_of(8, 60, seed=232, high=90)
    loss = F.cross_entropy(module(ids[:, :-1])[0].flatten(0, 1), ids[:, 1:].flatten())
    expect.true(abs(loss - math.log(90)) < 0.1, "The loss of an initialised model on random tokens should be near ln V")


@pytest.mark.exercise("initialize", weight=0.5)
def test_the_second_model_of_a_generator(student):
    """Two models from one generator start with different numbers."""
    drawn, config = generator(262), student.GPTConfig(**sizes())
    models = [student.GPT(config) for _ in range(2)]
    for module in models:
        student.initialize(module, drawn)
    first, second = (module.state_dict()["wte.weight"] for module in models)
    expect.true(not torch.equal(first, second), "Two models from one generator got the same numbers: draw from `generator` itself")
    expect.true(abs(second.std() / 0.02 - 1) < 0.3, "The second model's embeddings must have the standard deviation 0.02, too")


@pytest.mark.exercise("parameter_groups", weight=1)
def test_groups_of_any_module(student):
    """Matrices of any module decay, its vectors do not; a decay of 0 is allowed."""
    module = student.new("torch.nn.Conv1d", 3, 4, 5)
    groups = student.parameter_groups(module, 0.5)
    found = sorted((tuple(p.shape), float(g["weight_decay"])) for g in groups for p in g["params"])
    expect.true(found == [((4,), 0.0), ((4, 3, 5), 0.5)], "A weight of three dimensions decays, its bias does not")
    listed = student.new("torch.nn.ParameterList", [torch.ones(1, 1), torch.tensor(-1.5), torch.zeros(6)])
    decays = {tuple(p.shape): group["weight_decay"] for group in student.parameter_groups(listed, 0.4) for p in group["params"]}
    expect.true(decays == {(1, 1): 0.4, (): 0, (6,): 0}, "What has fewer than two dimensions does not decay, a single number neither")


@pytest.mark.exercise("parameter_groups", weight=1)
def test_the_groups_feed_an_optimizer(student):
    """torch.optim.AdamW takes the groups as they are."""
    module = student.GPT(student.GPTConfig(**sizes(bias=False)))
    optimizer = student.new("torch.optim.AdamW", student.parameter_groups(module, 0.2), lr=0.1)
    decays = {float(group["weight_decay"]) for group in optimizer.state_dict()["param_groups"] if len(group["params"])}
    expect.true(decays == {0.2, 0.0}, "The optimizer should have groups with the decays 0.2 and 0")


@pytest.mark.exercise("parameter_groups", weight=0.5)
def test_every_model_has_its_own_groups(student):
    """Two models of one class."""
    for sizes_of, want in (((3, 4, 5), [((4,), 0.0), ((4, 3, 5), 0.5)]), ((2, 6, 1), [((6,), 0.0), ((6, 2, 1), 0.5)])):
        groups = student.parameter_groups(student.new("torch.nn.Conv1d", *sizes_of), 0.5)
        found = sorted((tuple(p.shape), float(g["weight_decay"])) for g in groups for p in g["params"])
        expect.true(found == want, "The groups must hold the parameters of the model that was given")


@pytest.mark.exercise("learning_rate", weight=1)
@pytest.mark.parametrize("plan", [(0, 10, 1.0, 0.1), (1, 2, 0.6, 0.0), (5, 100, 2.0, 0.5), (4, 4, 1.0, 0.1)])
def test_other_schedules(student, plan):
    """No warm-up, the shortest plan, another one, and one that is over when the warm-up is."""
    steps = [t for t in range(plan[1] + 3) if not t == plan[0] == plan[1]]  # the rate of a warm-up's end, or of the plan's? Either is right
    for t in {plan[0]} & {plan[1]}:
        rate = student.learning_rate(t, *plan)
        expect.true(
            isinstance(rate, (int, float)) and plan[3] <= rate <= plan[2], "A warm-up that lasts until the end has a rate there, too"
        )
    expect.close(
        each(student.learning_rate, [(t, *plan) for t in steps]),
        [oracles.cosine(t, *plan) for t in steps],
        where=f"warm-up {plan[0]}, total {plan[1]}",
        atol=1e-9,
    )


@pytest.mark.exercise("learning_rate", weight=0.5)
def test_tiny_rates(student):
    """Rates of a millionth have all their digits."""
    plan = (3, 12, 3.7e-6, 1.3e-7)
    got, want = (each(rate, [(t, *plan) for t in range(14)]) for rate in (student.learning_rate, oracles.cosine))
    expect.close(got, want, where="rates between 3.7e-6 and 1.3e-7", rtol=1e-6, atol=1e-15)
    for other in ((4, 12, 3.7e-6, 1.3e-7), (4, 15, 3.7e-6, 1.3e-7), (4, 15, 2.9e-6, 1.3e-7), (4, 15, 2.9e-6, 1.1e-7)):
        got, want = (each(rate, [(t, *other) for t in range(14)]) for rate in (student.learning_rate, oracles.cosine))
        expect.close(got, want, where="plans that differ in one number", rtol=1e-6, atol=1e-15)


@pytest.mark.exercise("learning_rate", weight=0.25)
@pytest.mark.trivial
def test_rates_are_plain_floats(student):
    """A rate is a float, in each part of the schedule."""
    rates = each(student.learning_rate, [(step, 4, 10, 0.5, 0.1) for step in range(13)])
    expect.true(all(isinstance(rate, float) for rate in rates), "A learning rate is a plain float")


# sample_next


@pytest.mark.exercise("sample_next", weight=1)
def test_rows_of_a_batch_have_their_own_distributions(student):
    """Each row is cut by its own top-k and top-p."""
    rows = torch.tensor([[0.6, 0.25, 0.1, 0.05], [0.05, 0.15, 0.35, 0.45], [0.22, 0.42, 0.3, 0.06]])
    logits = rows.log()[:, None].expand(3, 6000, 4) - 2.0
    drawn = student.sample_next(logits, 1.0, None, 0.7, generator(240))
    for row, want in zip(drawn, [(12 / 17, 5 / 17, 0, 0), (0, 0, 7 / 16, 9 / 16), (0, 7 / 12, 5 / 12, 0)]):
        expect.frequencies(row, want, where="one of three rows with top_p = 0.7")
    drawn = student.sample_next(logits, 1.0, 3, None, generator(241))
    expect.frequencies(drawn[1], (0, 3 / 19, 7 / 19, 9 / 19), where="one of three rows with top_k = 3")
    rows = torch.tensor([[0.9, 0.06, 0.03, 0.01], [0.22, 0.28, 0.2, 0.3]])
    drawn = student.sample_next(rows.log()[:, None].expand(2, 6000, 4), 1.0, 2, None, generator(246))
    for row, want in zip(drawn, [(15 / 16, 1 / 16, 0, 0), (0, 14 / 29, 0, 15 / 29)]):
        expect.frequencies(row, want, where="a peaked and a flat row with top_k = 2")


@pytest.mark.exercise("sample_next", weight=1)
def test_all_three_knobs(student):
    """Temperature, then top-k, then top-p of what is left."""
    tempered = public.PROBABILITIES.double() ** (1 / 1.5)
    kept = torch.where(tempered >= tempered.sort().values[1], tempered, 0.0)
    kept = kept / kept.sum()
    ordered = kept.sort(descending=True)
    want = (
        torch.zeros(4)
        .double()
        .scatter(0, ordered.indices, torch.where(ordered.values.cumsum(0) - ordered.values < 0.7, ordered.values, 0.0))
    )
    expect.frequencies(
        public.draw(student, public.PROBABILITIES, temperature=1.5, top_k=3, top_p=0.7),
        want / want.sum(),
        where="τ = 1.5, top_k = 3, top_p = 0.7",
    )


@pytest.mark.exercise("sample_next", weight=1)
def test_extreme_distributions(student):
    """A tiny p keeps one token; −∞ is never drawn; large logits at a low temperature do not overflow; a low temperature is not 0."""
    logits = torch.tensor([1.0, -math.inf, 3.0, 2.5]).expand(400, 4)
    expect.frequencies(student.sample_next(logits, 1.0, None, 1e-6, generator(242)), (0, 0, 1, 0), where="top_p = 10⁻⁶")
    got = student.sample_next(logits.double() + 900, 1.0, None, None, generator(243))
    expect.true(not (got == 1).any(), "A token with logit −∞ was drawn")
    cold = student.sample_next(torch.tensor([500.0, -800.0, 499.0]).expand(300, 3), 0.05, None, 0.9, generator(244))
    expect.frequencies(cold, (1, 0, 0), where="logits of hundreds at τ = 0.05")
    close = 0.03 * torch.tensor([0.6, 0.3, 0.1]).log()
    drawn = student.sample_next(close.expand(2000, 3), 0.03, None, None, generator(247))
    expect.frequencies(drawn, (0.6, 0.3, 0.1), where="logits that differ by hundredths at τ = 0.03")
    expect.equal(
        student.sample_next(logits, 0.0, 1, 0.5, generator(245)), torch.full((400,), 2), where="temperature 0 with top-k and top-p"
    )


@pytest.mark.exercise("sample_next", weight=0.5)
def test_logits_that_hardly_differ(student):
    """Float64 logits keep all their digits, every call looks at its own logits, and a generator is drawn from for good."""
    for best in (1, 3):
        logits = torch.full((5,), 2.0, dtype=torch.float64)
        logits[best] += 1e-10
        got = student.sample_next(logits, 0.0, None, None, generator(263))
        expect.equal(got, torch.tensor(best), where="logits that differ in the tenth digit, temperature 0")
    drawn = generator(264)
    first, second = (student.sample_next(torch.zeros(40, 9), 1.0, None, None, drawn) for _ in range(2))
    expect.true(not torch.equal(first, second), "Two calls with one generator gave the same tokens: draw from `generator` itself")


@pytest.mark.exercise("sample_next", weight=0.5)
@pytest.mark.parametrize("n, top_p, kept", [(4, 0.5, 2), (8, 0.25, 2), (4, 0.75, 3), pytest.param(4, 1.0, 4, marks=pytest.mark.trivial)])
def test_reaching_p_is_enough(student, n, top_p, kept):
    """Equally likely tokens whose mass is p to the last bit: no token more is kept."""
    got = student.sample_next(torch.zeros(400, n), 1.0, None, top_p, generator(268))
    expect.true(isinstance(got, torch.Tensor) and tuple(got.shape) == (400,), "Each row gives one token")
    expect.true(len(got.unique()) == kept, f"Of {n} equally likely tokens top_p = {top_p} keeps {kept}: reaching p is enough")


@pytest.mark.exercise("sample_next", weight=0.5)
def test_one_row_and_a_large_k(student):
    """A vector of logits with every knob; a k beyond the vocabulary."""
    row = public.PROBABILITIES.log()
    expect.equal(student.sample_next(row, 1.0, 1, None, generator(269)), torch.tensor(1), where="top_k = 1 of (0.05, 0.5, 0.15, 0.3)")
    drawn = each(student.sample_next, [(row, 1.0, 9, 0.75, generator(seed)) for seed in range(200)])
    expect.frequencies(drawn, (0, 0.625, 0, 0.375), where="a vector of logits, top_k = 9 and top_p = 0.75")


@pytest.mark.exercise("sample_next", weight=0.5)
def test_large_vocabularies_and_large_logits(student):
    """top_k = 60 keeps 60 of 100 tokens, and 1 only the best by however little; logits of 200,000 are numbers like others."""
    logits = torch.arange(100).expand(4000, 100) / 1000
    got = student.sample_next(logits, 1.0, 60, None, generator(276))
    expect.true(got.min() >= 40 and len(got.unique()) > 56, "Of 100 tokens top_k = 60 keeps the 60 most likely ones")
    close_ones = torch.tensor([1.0, 1.01, 0.5]).expand(300, 3)
    expect.frequencies(student.sample_next(close_ones, 1.0, 1, None, generator(277)), (0, 1, 0), where="logits 1, 1.01, 0.5 and top_k = 1")
    large = torch.tensor([200_000.0, 200_004.0, 199_000.0]).expand(500, 3)
    expect.frequencies(student.sample_next(large, 2.0, None, None, generator(278)), (0.1192029, 0.8807971, 0), where="logits of 200,000")


# generate, train_step


@pytest.mark.exercise("generate", weight=1)
def test_writing_nothing_and_writing_much(student):
    """n_new = 0 gives ids back; a prompt longer than the block is cropped to its last tokens."""
    module, table, bias = public.bigram(student, seed=250, block_size=4)
    start = ids_of(3, 11, seed=251, high=7)
    expect.equal(student.generate(module, start, 0, 1.0, None, None, generator(0)), start, where="n_new = 0")
    got = student.generate(module, start, 2, 0.0, None, None, generator(0))
    one = (table + bias)[start[:, -1]].argmax(-1)
    two = (table + bias)[one].argmax(-1)
    expect.equal(got, torch.cat([start, one[:, None], two[:, None]], dim=1), where="a prompt of 11 tokens and block_size 4")
    expect.true(module.last_call["length"] == 4, "The model should see its last block_size tokens, no fewer")
    many = ids_of(60, 3, seed=252, high=7)
    for temperature, top_k, top_p in ((3.0, None, None), (0.0, None, None), (3.0, 1, None), (3.0, None, 1e-6)):
        got = student.generate(module, many, 1, temperature, top_k, top_p, generator(0))[:, -1]
        likeliest = bool((got == (table + bias)[many[:, -1]].argmax(-1)).all())
        message = f"temperature {temperature}, top_k {top_k} and top_p {top_p} are those of another call, or of none"
        expect.true(likeliest == ((temperature, top_k, top_p) != (3.0, None, None)), message)


@pytest.mark.exercise("generate", weight=0.5)
@pytest.mark.trivial
def test_writing_twice_with_one_generator(student):
    """The second text of a generator is another one."""
    module, _, _ = public.bigram(student, seed=265)
    start, drawn = ids_of(2, 3, seed=266, high=7), generator(267)
    first, second = (student.generate(module, start, 30, 1.5, None, None, drawn) for _ in range(2))
    expect.true(not torch.equal(first, second), "Two texts from one generator are the same: draw from `generator` itself, not from a copy")


@pytest.mark.exercise("generate", weight=1)
def test_every_token_is_drawn_alike(student):
    """The settings are the same for the first token and the last, whatever the length of the text; tokens are drawn independently."""
    module, _, bias = public.bigram(student, seed=268, scale=1.0)
    module.load_state_dict({"table.weight": torch.zeros(7, 7), "bias": bias})  # the next token does not depend on the text
    want = oracles.chances(bias, 1.3, 4, 0.9)
    drawn = student.generate(module, torch.full((3000, 3), 2), 12, 1.3, 4, 0.9, generator(269))
    for at in (3, 8, 14):
        expect.frequencies(drawn[:, at], want, where=f"new token {at - 2} of 12, the same distribution for each")
    expect.frequencies(drawn[:, 13] * 7 + drawn[:, 14], torch.outer(want, want).flatten(), where="the last two tokens of each text")


@pytest.mark.exercise("train_step", weight=1)
def test_five_pairs_three_steps(student):
    """Several steps over several pairs, clipped, with momentum in between."""
    batches, (lr, clip) = public.pairs(5, seed=255, shape=(2, 5)), (0.5, 0.2)
    got, (table, bias), _ = public.stepped(student, batches, seed=254, steps=3, lr=lr, clip=clip)
    for _ in range(3):
        table, bias, loss = oracles.one_step(table, bias, batches, clip=clip, lr=lr)
    expect.close(got, (table, bias, loss), where="three steps of SGD with clipping on five pairs", atol=1e-5)


@pytest.mark.exercise("train_step", weight=1)
@pytest.mark.parametrize("clip", [0.002, 1.2])
def test_other_limits_of_the_norm(student, clip):
    """Gradients far beyond the limit are scaled down and not left out; a limit above 1 is one like others."""
    batches = [(torch.zeros(2, 5, dtype=torch.long), torch.full((2, 5), token)) for token in (2, 2)]  # a norm of 1.7
    got, start, _ = public.stepped(student, batches, seed=256, clip=clip)
    expect.close(got, oracles.one_step(*start, batches, clip=clip), where="one step of SGD on one pair of tokens alone, clipped", atol=1e-5)
    _, _, module = public.stepped(student, batches, seed=256, clip=clip, autocast_dtype=torch.bfloat16)
    expect.true(
        module.last_call["autocast"] is True, "With `autocast_dtype` the forward pass runs under autocast, also after a step without"
    )


@pytest.mark.exercise("train_step", weight=1)
@pytest.mark.trivial
def test_your_gpt_learns_one_batch_by_heart(student):
    """Twenty steps on one batch bring the loss close to 0, also under bfloat16."""
    config = student.GPTConfig(**sizes(vocab_size=10, block_size=8, n_layer=1, n_head=2, d_model=16))
    text = torch.tensor([[3, 1, 4, 1, 5, 9, 2, 6, 5]])
    for dtype in (None, torch.bfloat16):
        module = student.GPT(config)
        optimizer = student.new("torch.optim.AdamW", module.parameters(), lr=0.02)
        losses = repeated(student.train_step, 20, module, optimizer, [(text[:, :-1], text[:, 1:])], 1.0, dtype)
        # with 15 seeds of PyTorch's own weights the loss was at most 0.005
        expect.true(losses[-1] < 0.25, "A small GPT should learn eight tokens by heart in twenty steps")


# Stretch · generate_cached


@pytest.mark.exercise("generate_cached", weight=1)
@pytest.mark.parametrize("given, n_new", [(1, 7), (7, 3), (8, 2), (11, 3), (3, 1)])
def test_prompts_of_any_length_with_a_cache(student, given, n_new):
    """One token, nearly a block, a whole block, more than one, and a single new token."""
    config = sizes(vocab_size=17, block_size=8, n_layer=3, n_head=2, d_model=10, bias=False)
    weights = {name: w for name, w in public.gpt_weights(config, seed=280, scale=0.9).items() if not name.endswith("bias")}
    module, ids = public.loaded(student, "GPT", weights, config), ids_of(2, given, seed=281, high=17)
    module.eval()
    got = student.generate_cached(module, ids, n_new, 0.0, None, None, generator(0))
    want = oracles.greedy_text(weights, ids, n_new, config)
    expect.equal(got, want, where=f"block_size 8, {given} tokens given and {n_new} new ones, no bias")


@pytest.mark.exercise("generate_cached", weight=1)
def test_nothing_new_with_a_cache(student):
    """n_new = 0 gives ids back; a generator is drawn from for good; a model in float64 writes, too."""
    module, _, _ = public.writer(student, 282)
    ids, drawn = ids_of(2, 3, seed=283, high=13), generator(284)
    expect.equal(student.generate_cached(module, ids, 0, 1.0, None, None, drawn), ids, where="n_new = 0")
    first, second = (student.generate_cached(module, ids, 12, 1.5, None, None, drawn) for _ in range(2))
    expect.true(not torch.equal(first, second), "Two texts from one generator are the same: draw from `generator` itself, not from a copy")
    module.double()
    want, got = (write(module, ids, 12, 1.0, None, None, generator(5)) for write in (student.generate, student.generate_cached))
    expect.equal(got, want, where="a model in float64: what `generate` gives")


# Stretch · FastAttention


@pytest.mark.exercise("FastAttention", weight=1)
def test_fast_attention_is_well_behaved(student):
    """Gradients in x and in both layers, float64 all the way, inputs unchanged."""
    weights = {name: w for name, w in public.attention_weights(12, seed=270).items() if name.endswith("weight")}
    module, x = public.loaded(student, "FastAttention", weights, sizes()), expect.randn(2, 6, 12, seed=271)
    for n in (4, 6):
        expect.close(
            module(x[:, :n]), oracles.fast_attention(weights, x[:, :n], 3), where=f"{n} positions, one length after the other", atol=1e-4
        )
        module.eval()  # nothing in the layer is for training only
    expect.gradients(student, module, (x,), lambda x: oracles.fast_attention(weights, x, 3), where="x (2, 6, 12), 3 heads", atol=1e-4)
    cotangent = expect.randn(2, 6, 12, seed=272)
    expect.parameter_gradients(
        student, module, (x,), cotangent, lambda w, x: oracles.fast_attention(w, x, 3), weights, where="3 heads", atol=3e-4
    )
    expect.inputs_unchanged(student, module, x)
    wide = {name: w.double() for name, w in weights.items()}
    expect.precise(module.double(), lambda x: oracles.fast_attention(wide, x, 3), x, where="x (2, 6, 12), 3 heads")


# The graded outcome


def shorter_rows(config, text):
    """As `public.some_rows`, but of another length: whatever the class tells rows apart by."""
    rows = public.some_rows(config, text)
    return rows[:, : max(1, rows.shape[1] * 2 // 3)]


@pytest.mark.exercise("trained_gpt", weight=0.5)
@pytest.mark.trivial
def test_the_logits_are_honest_elsewhere(student):
    """The same on other rows of another length."""
    public.compare(student, shorter_rows)
