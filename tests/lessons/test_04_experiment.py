"""Lesson 04's claims about its experiment, for a seed that the notebook does not show (claims/ has those it shows)."""

import pytest
import torch

from autograde import layout
from autograde.authoring import source

SEEDS = (3,)


@pytest.fixture(scope="module")
def lesson():
    """What the lesson's cells define: the reference answers, the rooms and the training."""
    return source.namespace(source.read(layout.source_path("04_multi_head_attention")))


def both_right(lesson, n_heads, **options):
    """(first friend, second friend, both) for each seed."""
    return torch.tensor([lesson["accuracy"](lesson["train_party"](n_heads, seed, **options)) for seed in SEEDS])


def test_the_answers_of_a_room_are_the_friends_colours(lesson):
    facts, answers = lesson["rooms"](50, torch.Generator().manual_seed(0))
    for room, wanted in zip(facts.tolist(), answers.tolist(), strict=True):
        for (who, _, first, second), colours in zip(room, wanted, strict=True):
            assert len({who, first, second}) == 3
            assert colours == [room[first][1], room[second][1]]


def test_only_the_grouping_differs(lesson):
    sizes = {sum(p.numel() for p in lesson["Party"](n, torch.Generator()).parameters()) for n in (1, 2, 4, 8, 16)}
    assert len(sizes) == 1


@pytest.mark.slow
@pytest.mark.executes("04")
def test_one_head_fails_at_two_look_ups(lesson):
    first, second, both = both_right(lesson, 1).T
    assert both.max() < 0.35
    assert torch.maximum(first, second).min() > 0.85, "it learns one of the two"
    assert torch.minimum(first, second).max() < 0.35, "and guesses the other"


@pytest.mark.slow
@pytest.mark.executes("04")
@pytest.mark.parametrize("n_heads", [2, 4, 8])
def test_several_heads_succeed(lesson, n_heads):
    assert both_right(lesson, n_heads)[:, 2].min() > 0.95


@pytest.mark.slow
@pytest.mark.executes("04")
def test_heads_of_one_number_are_too_narrow(lesson):
    assert both_right(lesson, 16)[:, 2].max() < 0.9


@pytest.mark.slow
@pytest.mark.executes("04")
def test_a_hidden_layer_unpacks_what_one_head_blends(lesson):
    options = {"steps": 800, "learning_rate": 3e-3}
    linear, deep = (both_right(lesson, 1, hidden=hidden, **options)[:, 2] for hidden in (0, 128))
    assert linear.max() < 0.35 and deep.min() > 0.6


@pytest.mark.slow
@pytest.mark.executes("04")
def test_no_single_head_is_all_heads(lesson):
    model = lesson["train_party"](4, 0)
    whole = lesson["accuracy"](model)[2]
    alone = [lesson["accuracy_with"](model, torch.arange(4) == head)[2] for head in range(4)]
    assert lesson["accuracy_with"](model, torch.ones(4, dtype=torch.bool))[2] == pytest.approx(whole)
    assert max(alone) < 0.5 < whole
