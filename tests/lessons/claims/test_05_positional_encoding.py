"""What lesson 05's text claims of its experiments, and the numbers it works out."""

import math

import pytest
import torch

from autograde import layout
from autograde.authoring import source
from autograde.authoring.measuring.numbers import Numbers
from tests.claims import every_seed, on_average

LENGTHS = (32, 64, 128, 256)
OTHERS = ("none", "sinusoidal", "learned", "rotary", "T5_buckets")


@pytest.fixture(scope="module")
def lesson():
    return source.namespace(source.read(layout.source_path("05_positional_encoding")))


def row(run, scheme, question):
    return [run[f"{scheme}.{question}.{n}"] for n in LENGTHS]


@every_seed("05", "readers")
def test_only_alibi_keeps_the_last_number(run):
    alibi = row(run, "ALiBi", "last")
    assert max(alibi) - min(alibi) < 0.06 and min(alibi) > 0.9
    assert all(row(run, scheme, "last")[0] - row(run, scheme, "last")[3] > 0.3 for scheme in OTHERS)
    assert row(run, "learned", "last")[2] < 0.3


@every_seed("05", "readers")
def test_rotary_and_sinusoidal_are_almost_perfect_where_they_were_trained(run):
    assert min(run["rotary.last.32"], run["sinusoidal.last.32"]) > 0.98
    assert run["rotary.last.64"] < 0.7


@on_average("05", "readers")
def test_every_scheme_beats_none_at_the_trained_length(mean):
    others = ("sinusoidal", "learned", "rotary", "ALiBi", "T5_buckets")
    assert min(mean[f"{scheme}.last.32"] for scheme in others) == mean["T5_buckets.last.32"] > mean["none.last.32"] + 0.25


@every_seed("05", "readers")
def test_the_ranking_turns_around_for_the_first_number(run):
    assert min(row(run, "learned", "first")) > 0.9
    assert run["ALiBi.first.32"] < 0.8
    assert all(run[f"{scheme}.first.128"] < 0.3 for scheme in ("none", "rotary", "ALiBi", "T5_buckets"))


@on_average("05", "readers")
def test_sinusoids_lie_between(mean):
    assert mean["rotary.first.256"] + 0.1 < mean["sinusoidal.first.256"] < mean["learned.first.256"] - 0.2


@every_seed("05", "longer")
def test_the_budget_is_not_what_fails(run):
    """ALiBi on the first number and no positions on the last, trained five times as long."""
    assert run["ALiBi.first.32"] < 0.85 and run["ALiBi.first.256"] < 0.3
    assert run["none.last.32"] < 0.65
    assert run["ALiBi.last.32"] > 0.95


@every_seed("05", "turned_round")
def test_it_is_the_bias_that_favours_the_nearest(run):
    """With its sign changed the model finds the first number, and no longer the last. Of the seeds 271829, 311 and 733 the least had 0.94 and 0.85."""
    assert run["first.32"] > 0.9 and all(run[f"first.{n}"] > 0.75 for n in LENGTHS)
    assert run["last.32"] < 0.85 and run["last.256"] < 0.3


@every_seed("05", "sizes")
def test_alibi_keeps_less_of_the_last_number_with_two_heads_and_more_than_the_others_at_any_size(run):
    for size, least, most in (("16_by_2", 0.65, 0.9), ("32_by_2", 0.65, 0.9), ("16_by_4", 0.88, 1.0)):
        last = {scheme: [run[f"{size}.last.{scheme}.{n}"] for n in (32, 256)] for scheme in (*OTHERS, "ALiBi")}
        assert least < min(last["ALiBi"]) and max(last["ALiBi"]) < most
        # rotary positions at 16 by 4 had up to 0.81 in seven more runs: how much they lose is the seed's
        assert all(last["ALiBi"][1] > last[scheme][1] + 0.05 for scheme in OTHERS)
        assert run[f"{size}.first.ALiBi.32"] < 0.75


@on_average("05", "sizes")
def test_the_learned_table_keeps_less_of_the_first_number_at_half_the_width(mean):
    narrow, wide = (mean[f"{size}.first.learned.256"] for size in ("16_by_4", "32_by_2"))
    assert narrow < 0.92 and wide > narrow + 0.05
    assert all(
        mean[f"{size}.last.ALiBi.256"] > mean[f"{size}.last.{other}.256"] + 0.3
        for size in ("16_by_2", "16_by_4", "32_by_2")
        for other in OTHERS
    )


@every_seed("05", "shared_bucket")
def test_a_trained_last_bucket_gives_back_most_of_the_loss(run):
    assert 0.65 < run["last.256"] < run["last.32"] - 0.05


@on_average("05", "shared_bucket_budgets")
def test_how_much_a_trained_last_bucket_gives_back_depends_on_the_training(mean):
    """Of what is lost from the trained length to 256: less than half after half the steps, most after twice as many."""

    def given_back(budget):
        own, shared = mean[f"{budget}.own.256"], mean[f"{budget}.shared.256"]
        return (shared - own) / (mean[f"{budget}.own.32"] - own)

    assert 0.2 < given_back("shorter") < 0.55 < 0.7 < given_back("longer") < 1


@every_seed("05", "squeezed")
def test_squeezed_positions_rescue_rotary_models_without_training(run):
    for question in ("last", "first"):
        # of the seeds 97 and 100 to 106 the worst had 0.94, 0.82 and 0.59
        assert run[f"{question}.64"] > 0.9 and run[f"{question}.128"] > 0.8 and run[f"{question}.256"] > 0.55
        assert run[f"{question}.256"] < run[f"{question}.64"]


@on_average("05", "squeezed_short")
def test_what_squeezing_costs_is_not_the_length_of_the_text(mean):
    """Squeezed as much, short texts are read no better than the long ones."""
    long = Numbers("05_positional_encoding").mean("squeezed")
    for question in ("last", "first"):
        assert mean[question] < long[f"{question}.256"] + 0.03


@on_average("05", "squeezed")
def test_squeezing_is_what_another_base_has_to_beat(mean):
    assert mean["last.64"] > 0.95 and mean["first.64"] > 0.95


@on_average("05", "first_pair_left")
def test_the_pair_that_went_round_need_not_be_squeezed(mean):
    squeezed = Numbers("05_positional_encoding").mean("squeezed")
    for question in ("last", "first"):
        assert abs(mean[f"{question}.256"] - squeezed[f"{question}.256"]) < 0.08 and mean[f"{question}.64"] > 0.9


@every_seed("05", "rebased")
def test_another_base_does_not_rescue_models_whose_pairs_never_went_round(run):
    # of the seeds 613, 97 and 100 to 103 the best had 0.935 of the last and 0.57 of the first at 64
    assert run["last.64"] < 0.96 and run["first.64"] < 0.7
    for question in ("last", "first"):
        assert run[f"{question}.32"] > 0.97  # within the trained length nothing changes
        assert run[f"{question}.256"] < 0.3


def test_another_base_is_behind_squeezing_and_the_more_so_the_longer_the_text():
    numbers = Numbers(layout.resolve("05"))
    squeezed, rebased = numbers.mean("squeezed"), numbers.mean("rebased")
    for question in ("last", "first"):
        behind = [squeezed[f"{question}.{length}"] - rebased[f"{question}.{length}"] for length in (64, 256)]
        assert 0.03 < behind[0] < behind[1]


def test_the_turns_of_the_pairs():
    turn = [2 * math.pi * 10000 ** (2 * i / 8) for i in range(4)]
    assert turn == pytest.approx([6.28, 62.8, 628, 6283], rel=1e-3) and sum(t <= 32 for t in turn) == 1
    slower = [8 ** (8 / 6 * 2 * i / 8) for i in range(4)]
    assert slower == pytest.approx([1, 2, 4, 8])
    assert sum(2 * math.pi * 10000 ** (2 * i / 128) <= 4096 for i in range(64)) == 46


@every_seed("05", "biters")
def test_only_what_is_not_linear_names_the_biter(run):
    assert run["attention_and_positions"] == run["feed-forward_and_positions"] == 1.0
    assert max(run["bag"], run["bag_and_positions"], run["attention"]) <= 0.5


def test_the_worked_numbers(lesson):
    assert 2 * math.pi * 10000 ** (62 / 64) == pytest.approx(47_000, rel=0.01)
    assert 8 * 16 ** (7 / 8) == pytest.approx(90.5, abs=0.05)
    assert lesson["relative_position_bucket"](torch.tensor([-90, -91])).tolist() == [14, 15]
    gap = lesson["permutation_gap"](lambda x: x + torch.arange(3.0)[:, None], torch.full((3, 1), 5.0), torch.tensor([1, 2, 0]))
    assert gap == 2.0


def test_the_score_of_the_sliders_vectors_is_no_falling_curve(lesson):
    q = torch.tensor([1.2, 0.3, 0.9, -0.6, 0.5, 0.8, 1.0, 0.2])
    k = torch.tensor([1.0, 0.6, 0.4, -0.9, 0.9, 0.5, 0.8, 0.6])
    text = layout.source_path("05_positional_encoding").read_text(encoding="utf-8")
    assert f"VIEW_Q = torch.tensor({[round(v, 1) for v in q.tolist()]})" in text
    turned = [lesson["rotary_embedding"](v.expand(49, -1), torch.arange(49), 200.0) for v in (q, k)]
    scores = [float(turned[0][30] @ turned[1][30 - offset]) for offset in range(25)]
    assert scores[19] > scores[3]
