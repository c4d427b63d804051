"""Lesson 04's numbers: two look-ups by the number of heads, longer training as the rival, readouts, cuts of one head and of two."""

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


@experiment("readout", steps=800)
def readout(lesson, seed):
    """One head with a linear readout and with a hidden layer, trained alike."""
    options = {"steps": 800, "learning_rate": 3e-3}
    return {name: lesson.accuracy(lesson.train_party(1, seed, hidden=n, **options))[2] for name, n in (("linear", 0), ("hidden", 128))}


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
