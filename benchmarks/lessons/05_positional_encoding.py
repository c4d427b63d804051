"""The experiments behind lesson 05's numbers: who can name the biter, and which positions carry over to longer texts."""

from contextlib import contextmanager

import torch
from torch import nn
from torch.nn import functional as F

from autograde.authoring.measuring.experiments import experiment

STEPS, LONGER = 300, 1500


def by_length(lesson, model, question):
    """The share of right answers at each test length."""
    return {length: lesson.accuracy_at(model, question, length) for length in lesson.TEST_LENGTHS}


@experiment("readers", steps=STEPS)
def readers(lesson, seed):
    """Each scheme on both questions, trained at one length and tested at four."""
    return {
        scheme: {q: by_length(lesson, lesson.train_short(scheme, q, seed, STEPS), q) for q in lesson.QUESTIONS} for scheme in lesson.SCHEMES
    }


@experiment("squeezed", steps=STEPS)
def squeezed(lesson, seed):
    """Rotary models whose positions are squeezed into the range they were trained on."""
    found = {}
    for question in lesson.QUESTIONS:
        (row,) = lesson.tested_squeezed([lesson.train_short("rotary", question, seed, STEPS)], question).tolist()
        found[question] = dict(zip(lesson.TEST_LENGTHS, row))
    return found


@experiment("rebased", steps=STEPS)
def rebased(lesson, seed):
    """The same rotary models with another base instead."""
    found = {}
    for question in lesson.QUESTIONS:
        (row,) = lesson.tested_rebased([lesson.train_short("rotary", question, seed, STEPS)], question).tolist()
        found[question] = dict(zip(lesson.TEST_LENGTHS, row))
    return found


@experiment("first_pair_left", steps=STEPS)
def first_pair_left(lesson, seed):
    """Rotary models squeezed in all pairs but the first, the one that went round in training: is it the others that must be squeezed?"""
    found = {}
    for question in lesson.QUESTIONS:
        model = lesson.train_short("rotary", question, seed, STEPS)
        for length in (64, 256):
            model.turn = all_but_the_first_squeezed(lesson, length)
            found.setdefault(question, {})[length] = lesson.accuracy_at(model, question, length)
    return found


def all_but_the_first_squeezed(lesson, length):
    """A rotary embedding that turns columns 0 and 1 as in training, and squeezes the positions of all others."""

    def turn(x, positions):
        squeezed = lesson.interpolated_rotary(x, positions, lesson.TRAINED, length)
        return torch.cat([lesson.rotary_embedding(x, positions)[..., :2], squeezed[..., 2:]], dim=-1)

    return turn


@experiment("squeezed_short", steps=STEPS, times=8)
def squeezed_short(lesson, seed):
    """Texts of the trained length whose positions are squeezed as those of texts eight times as long: is it the squeeze, or the length?"""
    found = {}
    for question in lesson.QUESTIONS:
        model = lesson.train_short("rotary", question, seed, STEPS)
        model.turn = lambda x, positions: lesson.rotary_embedding(x, positions / 8)
        found[question] = lesson.accuracy_at(model, question, lesson.TRAINED)
    return found


@experiment("longer", steps=LONGER)
def longer(lesson, seed):
    """Is it the budget? The two schemes that did not learn a question at the length they were trained on, trained five times as long."""
    return {
        "ALiBi": {q: by_length(lesson, lesson.train_short("ALiBi", q, seed, LONGER), q) for q in lesson.QUESTIONS},
        "none": {"last": by_length(lesson, lesson.train_short("none", "last", seed, LONGER), "last")},
    }


@experiment("turned_round", steps=STEPS)
def turned_round(lesson, seed):
    """ALiBi with the sign of its bias changed, so that it favours the farthest: is it the bias that fails at the first number?"""
    found = {}
    for question in lesson.QUESTIONS:
        with patched(lesson, "alibi_bias", farthest_favoured(lesson.alibi_bias)):
            found[question] = by_length(lesson, lesson.train_short("ALiBi", question, seed, STEPS), question)
    return found


def farthest_favoured(alibi_bias):
    """`alibi_bias` with the other sign, and the same causal mask."""
    return lambda n_heads, n_positions: -alibi_bias(n_heads, n_positions).where(torch.ones(n_positions, n_positions).tril() > 0, torch.inf)


@contextmanager
def patched(lesson, name, value):
    """The lesson's functions find `value` under a name of the lesson."""
    names = lesson.train_short.__globals__
    before, names[name] = names[name], value
    try:
        yield
    finally:
        names[name] = before


@experiment("sizes", steps=STEPS)
def other_sizes(lesson, seed):
    """A smaller width and fewer heads: each scheme's last number, and the first number with learned positions and with ALiBi."""
    found = {}
    for d_model, n_heads in ((16, 2), (16, 4), (32, 2)):
        size = {"d_model": d_model, "n_heads": n_heads}
        asked = [(scheme, "last") for scheme in lesson.SCHEMES] + [("learned", "first"), ("ALiBi", "first")]
        runs = {pair: lesson.train_short(*pair, seed, STEPS, **size) for pair in asked}
        found[f"{d_model} by {n_heads}"] = {
            q: {s: {n: lesson.accuracy_at(runs[s, q], q, n) for n in (lesson.TRAINED, 256)} for s, asks in runs if asks == q}
            for q in lesson.QUESTIONS
        }
    return found


@experiment("shared_bucket", steps=STEPS)
def shared_bucket(lesson, seed):
    """T5's bias with a last bucket that was trained: is it the untrained buckets?"""
    return {
        q: by_length(lesson, lesson.train_short("T5 buckets", q, seed, STEPS, max_distance=lesson.TRAINED), q) for q in lesson.QUESTIONS
    }


@experiment("shared_bucket_budgets", shorter=STEPS // 2, longer=2 * STEPS)
def shared_bucket_budgets(lesson, seed):
    """The same, and the buckets as T5 has them, at half and at twice the training: at the trained length and at the longest."""
    found = {}
    for budget, steps in (("shorter", STEPS // 2), ("longer", 2 * STEPS)):
        for name, sizes in (("shared", {"max_distance": lesson.TRAINED}), ("own", {})):
            model = lesson.train_short("T5 buckets", "last", seed, steps, **sizes)
            found.setdefault(budget, {})[name] = {n: lesson.accuracy_at(model, "last", n) for n in (lesson.TRAINED, 256)}
    return found


@experiment("biters", steps=150)
def biters(lesson, seed):
    """Who can name the biter: the lesson's four models, and a feed-forward network in the place of attention."""
    kinds = {"bag": (False, False), "bag and positions": (False, True), "attention": (True, False), "attention and positions": (True, True)}
    found = {name: lesson.biter_accuracy(*kind, seed) for name, kind in kinds.items()}
    return found | {"feed-forward and positions": feed_forward_accuracy(lesson, seed)}


def feed_forward_accuracy(lesson, seed, d_model=32):
    """As `biter_accuracy`, for the mean over a feed-forward network of word plus position."""
    generator = torch.Generator().manual_seed(seed)
    training, test = lesson.bite_sentences(generator)
    layers = nn.Sequential(nn.Linear(d_model, 64), nn.GELU(), nn.Linear(64, len(lesson.NOUNS)))
    model = lesson.seeded(nn.ModuleDict({"words": nn.Embedding(len(lesson.NOUNS) + 1, d_model), "layers": layers}), generator)

    def scores(ids):
        return model["layers"](model["words"](ids) + lesson.sinusoidal_encoding(3, d_model)).mean(dim=-2)

    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(150):
        optimizer.zero_grad()
        F.cross_entropy(scores(training), training[:, 0]).backward()
        optimizer.step()
    with torch.no_grad():
        return float((scores(test).argmax(dim=-1) == test[:, 0]).double().mean())
