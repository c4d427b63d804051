"""Lesson 04's numbers: two look-ups by the number of heads, longer training as the rival, readouts, cuts of one head and of two."""

from contextlib import contextmanager
from functools import partial
from itertools import combinations

import torch

from autograde.authoring.measuring.experiments import experiment


def found(lesson, model):
    """Accuracies, the better and the worse of the two questions apart from which is which."""
    first, second, both = lesson.accuracy(model)
    return {"better": max(first, second), "worse": min(first, second), "both": both}


@experiment("heads", steps=400)
def heads(lesson, seed):
    """Right answers by the number of heads, and of the single head whether it learned the first question."""
    models = {n: lesson.train_party(n, seed) for n in lesson.HEADS}
    first, second, _ = lesson.accuracy(models[1])
    return {**{n: found(lesson, model) for n, model in models.items()}, "one_head_learned_the_first": first > second}


@experiment("longer", steps=1600)
def longer(lesson, seed):
    """One head and sixteen heads, trained four times as long: budget is the rival of capacity."""
    return {n: found(lesson, lesson.train_party(n, seed, steps=1600)) for n in (1, 16)}


@experiment("wider", steps=400, d_model=32)
def wider(lesson, seed):
    """Thirty-two heads of one number, in a layer of twice the width: is it the one number, or how few of them there are in all?"""
    with width(lesson, 32):
        return {n: lesson.accuracy(lesson.train_party(n, seed))[2] for n in (1, 2, 32)}


@experiment("narrower", steps=400, longer=1600, d_model=8)
def narrower(lesson, seed):
    """Two heads in a layer of half the width, trained as long and four times as long."""
    with width(lesson, 8):
        return {name: lesson.accuracy(lesson.train_party(2, seed, steps=steps))[2] for name, steps in (("short", 400), ("long", 1600))}


@contextmanager
def width(lesson, d_model):
    """Vectors of `d_model` numbers in the lesson's model."""
    names = lesson.train_party.__globals__
    party, names["Party"] = names["Party"], partial(names["Party"], d_model=d_model)
    try:
        yield
    finally:
        names["Party"] = party


@experiment("widened", steps=400)
def widened(lesson, seed):
    """Sixteen heads with two numbers instead of one: in the queries and keys alone, or in the values alone."""
    return scores_or_values(lesson, seed, 400)


@experiment("widened_longer", steps=1600)
def widened_longer(lesson, seed):
    """The same, trained four times as long: what of it is a matter of training?"""
    return scores_or_values(lesson, seed, 1600)


def scores_or_values(lesson, seed, steps):
    return {
        "scores": lesson.accuracy(train_widened(lesson, seed, steps, d_score=2, d_value=1))[2],
        "values": lesson.accuracy(train_widened(lesson, seed, steps, d_score=1, d_value=2))[2],
    }


class Widened(torch.nn.Module):
    """Attention whose heads have `d_score` numbers for queries and keys, and `d_value` for values."""

    def __init__(self, lesson, d_model, n_heads, d_score, d_value):
        super().__init__()
        self.lesson, self.n_heads = lesson, n_heads
        self.q_proj, self.k_proj, self.v_proj = (torch.nn.Linear(d_model, n_heads * n) for n in (d_score, d_score, d_value))
        self.out_proj = torch.nn.Linear(n_heads * d_value, d_model)

    def forward(self, x):
        q, k, v = (self.lesson.split_heads(project(x), self.n_heads) for project in (self.q_proj, self.k_proj, self.v_proj))
        weights = (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=-1)
        return self.out_proj(self.lesson.merge_heads(weights @ v)), weights


def train_widened(lesson, seed, steps, **sizes):
    """As the lesson's `train_party` for sixteen heads, with a `Widened` layer."""
    generator = torch.Generator().manual_seed(seed)
    model = lesson.Party(16, generator)
    model.attention = Widened(lesson, 16, 16, **sizes)
    for name, parameter in model.attention.named_parameters():
        std = 0.0 if name.endswith("bias") else parameter.shape[-1] ** -0.5
        torch.nn.init.normal_(parameter, std=std, generator=generator)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(steps):
        facts, answers = lesson.rooms(64, generator)
        loss = torch.nn.functional.cross_entropy(model(facts)[0].flatten(0, -2), answers.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


@experiment("readout", steps=800)
def readout(lesson, seed):
    """One head with a linear readout and with a hidden layer, trained alike, and the latter for twice the steps."""
    trained = (("linear", 0, 800), ("hidden", 128, 800), ("hidden_longer", 128, 1600))
    return {name: lesson.accuracy(lesson.train_party(1, seed, hidden=n, steps=k, learning_rate=3e-3))[2] for name, n, k in trained}


@experiment("cuts", heads=4)
def cuts(lesson, seed):
    """Accuracy (both right) lost by cutting one head or two, of the pair that is missed most against its members, and entropies."""
    model = lesson.train_party(4, seed)
    whole = lesson.accuracy(model)[2]

    def lost(*cut):
        return whole - lesson.accuracy_with(model, torch.tensor([head not in cut for head in range(4)]))[2]

    single = [lost(head) for head in range(4)]
    pairs = {pair: lost(*pair) for pair in combinations(range(4), 2)}
    surprise, (a, b) = max((pairs[pair] - sum(single[head] for head in pair), pair) for pair in pairs)
    facts, _ = lesson.rooms(200, torch.Generator().manual_seed(4))
    entropy = lesson.head_entropy(model(facts)[1]).mean(0).tolist()
    sharpest, neediest = min(range(4), key=entropy.__getitem__), max(range(4), key=single.__getitem__)
    return {
        "least_missed": min(single),
        "idle": sum(loss < 0.02 for loss in single),
        "pair": {"together": pairs[a, b], "one": max(single[a], single[b]), "other": min(single[a], single[b]), "surprise": surprise},
        "sharpest_is_missed_most": sharpest == neediest,
        "entropy": {"least": min(entropy), "most": max(entropy)},
    }
