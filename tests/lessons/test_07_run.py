"""Lesson 07's run learns from its first steps on; that it reaches the goal, its executed notebook shows by the points for it."""

import dataclasses
import math

import pytest
import torch

from autograde import layout
from autograde.authoring import source
from utils.corpora import load_text
from utils.training import Pieces, train

SOURCE = source.read(layout.source_path("07_gpt"))
NEEDED = ("get_batch", "parameter_groups", "learning_rate", "train_step")


@pytest.fixture(scope="module")
def lesson():
    return source.namespace(SOURCE)


def run(lesson, corpus, seed, **changes):
    vocabulary = sorted(set(corpus.text))
    index = {c: i for i, c in enumerate(vocabulary)}
    parts = [torch.tensor([index[c] for c in part]) for part in corpus.split(0.1)]
    config, plan = lesson["settings"](len(vocabulary))
    plan = dataclasses.replace(plan, seed=1000 + seed, **changes)
    model = lesson["build_gpt"](config, seed)
    return model, train(model, *parts, plan, Pieces(*(lesson[name] for name in NEEDED)), live=False), vocabulary


def test_the_first_steps_already_learn(lesson):
    """Sixty steps with a quarter of a batch bring the loss from ln V to below 3.4: a quick look for every day."""
    short = {"steps": 60, "batch_size": 4, "eval_every": 60, "eval_batches": 2, "warmup_steps": 20}
    _, history, vocabulary = run(lesson, load_text("pydoc", quiet=True), 0, **short)
    assert history.losses[0] == pytest.approx(math.log(len(vocabulary)), abs=0.15)
    assert history.evals[-1][1] < 3.4
