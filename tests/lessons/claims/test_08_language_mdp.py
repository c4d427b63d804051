"""What lesson 08's text claims of its experiments, and what it computes."""

import itertools
import math

import pytest
import torch

from autograde import layout
from autograde.authoring import source
from autograde.authoring.measuring import experiments
from autograde.authoring.measuring.numbers import Numbers
from tests.claims import every_seed, on_average
from utils.textworld import House
from utils.vocabularies import gpt2

SIZES = (50, 200, 800, 3200)


@pytest.fixture(scope="module")
def lesson():
    return source.namespace(source.read(layout.source_path("08_language_mdp")))


@every_seed("08", "worlds")
def test_errors_follow_the_data_until_everything_was_tried(run):
    assert run["50.never_tried"] > run["200.never_tried"] > run["800.never_tried"] and run["3200.never_tried"] == 0
    assert run["800.never_tried"] < 0.08  # of 200 other seeds ten leave one to three of the 43 questions
    # of the wrong outcomes; some that the play never showed a model guesses (seed 318127: 0.42 never tried, 0.31 wrong)
    assert shown(run, 50) < 0.2
    assert 0.5 * run["50.never_tried"] < run["50.wrong"] < run["50.never_tried"] + 0.1
    assert max(run[f"{n}.wrong,_if_tried"] for n in SIZES) < 0.15


def shown(run, size):
    """The share of the wrong outcomes that the play had shown."""
    return (1 - run[f"{size}.never_tried"]) * run[f"{size}.wrong,_if_tried"] / run[f"{size}.wrong"]


def test_after_200_steps_of_play_the_seed_decides_which_kind_is_more_frequent():
    """Of the seeds 20261, 31337, 8086, 1729 and 55511 the shares are 0.35, 0.72, 0.63, 0.43 and 1; after 50 steps 0.02 to 0.08."""
    shares = [shown(run, 200) for run in Numbers("08_language_mdp").runs("worlds").values()]
    assert min(shares) < 0.4 and max(shares) > 0.6


@on_average("08", "worlds")
def test_in_the_measured_runs_800_steps_tried_everything(mean):
    assert mean["800.never_tried"] == 0


@on_average("08", "worlds")
def test_more_play_changes_little_once_everything_was_tried(mean):
    assert abs(mean["3200.wrong"] - mean["800.wrong"]) < 0.03
    assert mean["3200.impossible"] > 0.5 * mean["3200.wrong"]


@every_seed("08", "longer")
def test_what_is_left_is_training(run):
    assert run["never_tried"] == 0 and run["wrong"] < 0.015


@every_seed("08", "shorter")
def test_with_half_the_training_a_wrong_outcome_does_not_tell_what_was_left_out(run):
    """The seed 311 had 0.28 and 0.34; of the seeds 20261, 31337, 8086, 1729 and 55511 the play had shown 0.17 to 0.36 of the wrong outcomes."""
    assert run["3200.never_tried"] == 0 and min(run["50.wrong,_if_tried"], run["3200.wrong,_if_tried"]) > 0.1
    assert shown(run, 50) < 0.5


@on_average("08", "worlds")
def test_a_poor_model_promises_too_much_and_a_better_one_too_little(mean):
    assert mean["50.imagined"] > mean["50.real"] + 1
    assert mean["50.real"] < -0.9
    assert all(mean[f"{n}.imagined"] < mean[f"{n}.real"] for n in (800, 3200))
    assert mean["3200.real"] > 0.45


@on_average("08", "promises")
def test_a_world_without_errors_of_play_promises_too_little_because_episodes_break_off(mean):
    assert mean["once.whole"] > mean["once.imagined"] + 0.1
    assert mean["half.broken_off"] > mean["once.broken_off"] + 0.5 > mean["twice.broken_off"] + 0.6
    assert abs(mean["twice.real"] - mean["twice.imagined"]) < 0.15


@every_seed("08", "promises")
def test_how_many_episodes_break_off_is_training(run):
    """In twelve runs all six broke off after half of the training in ten, five in one and three in one, which was the first fresh seed that had fewer."""
    assert run["half.broken_off"] > 0.4 and run["twice.broken_off"] < run["half.broken_off"] - 0.2


def test_the_imagined_return_is_the_lower_one_in_most_runs():
    runs = Numbers("08_language_mdp").runs("promises").values()
    assert sum(run["once.imagined"] < run["once.real"] for run in runs) > len(runs) * 0.6


def test_after_half_the_training_the_run_decides_which_return_is_lower():
    runs = Numbers("08_language_mdp").runs("promises").values()
    assert {run["half.imagined"] < run["half.real"] for run in runs} == {True, False}


def test_after_200_steps_the_seed_decides():
    runs = Numbers("08_language_mdp").runs("worlds").values(), Numbers("08_language_mdp").runs("other_lives").values()
    real = [run["200.real"] for run in runs[0]] + [run["real"] for run in runs[1]]
    assert len(real) == 10 and min(real) < 0 < 0.6 <= max(real)


@on_average("08", "players")
def test_the_players(mean):
    assert mean["random"] < -0.9 < mean["clone"] < 0.2
    assert mean["asked_for_the_best"] < mean["random"]
    assert mean["good_episodes"] < 0.02
    assert mean["clone"] < mean["true_world"] < mean["true_world,_100_rollouts"] <= 0.6 + 1e-9


@every_seed("08", "exact")
def test_one_step_of_improvement_is_not_optimal_and_two_are(run):
    means = [sum(run[f"{times}.{room}"] for room in ("hall", "kitchen", "garden")) / 3 for times in range(4)]
    assert means[1] == pytest.approx(0.6) and means[2] == pytest.approx(2 / 3) == means[3]
    assert run["1.kitchen"] == pytest.approx(0.5) and run["2.kitchen"] == pytest.approx(0.7)


@pytest.mark.parametrize(
    "depth, gamma, least, most", [(4, 0.95, -2.5, 0.0), (10, 0.8, 0.6, 0.6), (10, 0.95, 2 / 3, 2 / 3), (15, 0.9, 2 / 3, 2 / 3)]
)
def test_what_improvement_finds_depends_on_how_far_it_looks(lesson, depth, gamma, least, most):
    policy = lesson["random_play_policy"]()
    for _ in range(5):
        policy = lesson["improved"](policy, depth, gamma)
    assert least - 1e-9 <= sum(lesson["returns_from_each_start"](policy)) / 3 <= most + 1e-9


@pytest.mark.parametrize("depth", [5, 6, 7, 8, 12])
def test_short_rollouts_find_the_best_way_and_lose_it_again(lesson, depth):
    """The second improvement is optimal; up to 7 steps the later ones go straight for the treasure."""
    policy, found = lesson["random_play_policy"](), []
    for _ in range(7):
        policy = lesson["improved"](policy, depth)
        found.append(sum(lesson["returns_from_each_start"](policy)) / 3)
    assert found[0] == pytest.approx(0.6) and found[1] == pytest.approx(2 / 3)
    assert found[4:] == pytest.approx([0.6 if depth < 8 else 2 / 3] * 3)


def test_the_first_improvement_of_long_rollouts_is_worse(lesson):
    once = lesson["improved"](lesson["random_play_policy"](), 20)
    assert sum(lesson["returns_from_each_start"](once)) / 3 == pytest.approx(0.533, abs=0.001)


def test_the_optimum():
    """Value iteration on the house's table, the lesson's own code apart."""
    table = House().to_mdp()
    value = torch.zeros(len(table.terminal), dtype=torch.float64)
    for _ in range(60):
        value = (table.reward + table.transition @ value).amax(1).masked_fill(table.terminal, 0.0)
    assert value[:3].tolist() == pytest.approx([0.6, 0.7, 0.7])


@on_average("08", "lives")
def test_imagining_is_worth_as_much_as_replaying(mean):
    assert mean["20_imagined_after_each"] > mean["no_imagined_steps"] + 0.5
    assert mean["20_imagined_after_each"] == pytest.approx(mean["20_replayed_after_each"], abs=0.1)


@on_average("08", "replays")
def test_planning_needs_enough_real_steps(mean):
    """With 300 real steps imagining failed in one of three lives, seed 31, in which replaying did not."""
    assert 0.2 < mean["75.found"] < 0.8 < mean["300.found"] and mean["75.found"] < mean["150.found"] <= mean["300.found"]


def test_the_sizes_that_are_told(lesson):
    assert (len(House().observations()), len(lesson["QUESTIONS"])) == (22, 43)
    model = lesson["WorldModel"](len(lesson["words"]))
    assert sum(p.numel() for p in model.parameters()) == pytest.approx(136_000, rel=0.01)


def test_the_play_of_the_picture_never_took_the_apple_there(lesson):
    garden = "you are in the garden . here is an apple . the study is locked . you carry the key ."
    assert f'GARDEN = "{garden}"' in layout.source_path("08_language_mdp").read_text(encoding="utf-8")
    assert (garden, "take apple") not in {step[:2] for step in lesson["played"](200)}


@pytest.fixture(scope="module")
def values(lesson):
    return lesson["prefix_values"](lesson["TOKENS"], lesson["HORIZON"], lesson["judge"], lesson["writer"])


def test_the_exact_gradient_is_that_of_autograd(lesson, values):
    """The value of the empty prefix by a recursion of tensors, differentiated in the writer's logits."""
    tokens, horizon = lesson["TOKENS"], lesson["HORIZON"]
    prefixes = [p for n in range(horizon) for p in itertools.product(tokens, repeat=n)]
    logits = {p: torch.tensor(lesson["writer"](p), dtype=torch.float64).log().requires_grad_() for p in prefixes}

    def value(prefix):
        if len(prefix) == horizon:
            return torch.tensor(lesson["judge"](prefix), dtype=torch.float64)
        return logits[prefix].softmax(-1) @ torch.stack([value((*prefix, token)) for token in tokens])

    grads = dict(zip(prefixes, torch.autograd.grad(value(()), [logits[p] for p in prefixes])))
    exact = lesson["exact_gradient"](values)
    assert all(exact[p, token] == pytest.approx(float(grads[p][i]), abs=1e-12) for p in prefixes for i, token in enumerate(tokens))


def test_a_signal_about_the_token_itself_is_the_least_noisy(lesson, values):
    for seed in range(3):
        errors = lesson["gradient_errors"](values, seed=seed)
        assert errors["the token's step in value"] < 0.8 * min(errors["the reward"], errors["the reward minus V()"]), errors


def test_every_signal_gives_the_exact_gradient_on_average(lesson, values):
    """The mean over all 256 texts, each with its probability, instead of a sample."""
    exact = lesson["exact_gradient"](values)
    for signal in lesson["SIGNALS"].values():
        mean = dict.fromkeys(exact, 0.0)
        for text in itertools.product(lesson["TOKENS"], repeat=lesson["HORIZON"]):
            steps = [dict(zip(lesson["TOKENS"], lesson["writer"](text[:n]))) for n in range(len(text))]
            chance = math.prod(step[token] for step, token in zip(steps, text))
            for n, step in enumerate(steps):
                for token, p in step.items():
                    mean[text[:n], token] += chance * signal(values, text, n) * ((token == text[n]) - p)
        assert mean == pytest.approx(exact, abs=1e-12)


PUCT_TREE, HALF, PLAIN_TREE = "tree,_the_clone_as_prior", "tree,_half_the_clone", "tree,_no_prior"


@every_seed("08", "search")
def test_with_few_calls_a_tree_without_a_prior_is_worse_than_rollouts(run):
    assert run[f"house.{PLAIN_TREE}.30"] < run["house.rollouts.30"]


@on_average("08", "search")
def test_the_tree_with_the_clone_gets_past_one_step_and_neither_part_does_alone(mean):
    assert mean["house.rollouts.300"] + 0.03 < mean["house.rollouts.1000"] < 0.6 < 0.63 < mean[f"house.{PUCT_TREE}.1000"]
    assert mean["prior_alone"] < -0.5 and mean[f"house.{PLAIN_TREE}.1000"] < 0.6
    assert mean[f"house.{PLAIN_TREE}.100"] < mean["house.rollouts.100"]


def test_it_is_the_best_possible_in_most_runs():
    runs = Numbers("08_language_mdp").runs("search").values()
    assert sum(run[f"house.{PUCT_TREE}.1000"] > 0.66 for run in runs) > len(runs) / 2


def test_where_the_prior_trusts_the_best_action_least_it_costs_most_and_half_the_trust_helps():
    runs = list(Numbers("08_language_mdp").runs("search").values())
    worst = min(runs, key=lambda run: run["least_trust"])
    assert worst[f"house.{PUCT_TREE}.300"] == min(run[f"house.{PUCT_TREE}.300"] for run in runs) < 0
    assert worst[f"house.{HALF}.300"] == min(run[f"house.{HALF}.300"] for run in runs) > worst[f"house.{PUCT_TREE}.300"] + 0.3


@on_average("08", "search_longer")
def test_the_same_after_twice_the_training_and_the_learned_world_is_as_good_as_the_house(mean):
    """Nine episodes of the seeds 4711 and 90210 gave the tree with the clone 0.66 and 0.63 with 1,000 calls."""
    assert mean["house.rollouts.1000"] < 0.6 < 0.63 < mean[f"house.{PUCT_TREE}.1000"] and mean["prior_alone"] < -0.5
    less = [mean[f"house.{name}.300"] - mean[f"learned.{name}.300"] for name in ("rollouts", PLAIN_TREE, PUCT_TREE, HALF)]
    assert abs(sum(less) / 4) < 0.03


@on_average("08", "search")
def test_half_the_trust_costs_a_little_of_the_best(mean):
    assert 0.0 < mean[f"house.{PUCT_TREE}.1000"] - mean[f"house.{HALF}.1000"] < 0.1


@on_average("08", "search")
def test_every_player_gets_about_as_much_in_the_learned_world(mean):
    """Which of the two is a little more hangs on the processor's rounding: the difference was 0.01 to 0.05 and is −0.01 to 0.04."""
    for name in ("rollouts", PLAIN_TREE, PUCT_TREE, HALF):
        assert abs(mean[f"house.{name}.300"] - mean[f"learned.{name}.300"]) < 0.1


@pytest.mark.slow
@pytest.mark.executes("08")
def test_little_trust_at_some_place_need_not_cost():
    """The seed 65006 leaves 0.05 to the best action at a place on the way, and has 0.58 with 300 calls for each decision."""
    name = layout.resolve("08")
    script, searched = layout.load_module(experiments.script_path(name), "experiments_08"), experiments.lesson_names(name)
    episodes = searched.random_play(searched.House(), searched.SIZES[-1], torch.Generator().manual_seed(100 + 65006))
    prior = searched.clones_prior(*searched.train_clone(episodes, 65006))
    least = min(run["least_trust"] for run in Numbers(name).runs("search").values())
    found = searched.compare_searches(prior, searched.true_world, (300,), 65006)
    assert script.least_trust(searched, prior) < least and found["tree, the clone as prior"][300] > 0.4


def test_the_prior_leads_at_first_and_the_value_later(lesson):
    priors, worth = torch.tensor([0.6, 0.3, 0.1], dtype=torch.float64), torch.tensor([0.2, 0.5, 0.1], dtype=torch.float64)
    visits = torch.zeros(3, dtype=torch.int64)
    ahead = []
    for _ in range(100):
        visits[lesson["puct_choice"](priors, visits, visits * worth, 4.0)] += 1
        ahead.append(int(visits[0] - visits[1]))
    assert min(ahead[:70]) >= 0 >= max(ahead[70:]) and 1 < int(visits[2]) < 15


LENGTHS = (1, 2, 4, 8, 16)


@every_seed("08", "lengths")
def test_long_rollouts_are_seldom_right_and_the_bound_is_far_above_the_error(run):
    for size in (200, 3200):
        right = [run[f"{size}.{n}.right"] for n in (1, 4, 8, 16)]
        assert right == sorted(right, reverse=True) and right[-1] < 0.75
        assert run[f"{size}.16.bound"] > 10 * run[f"{size}.16.off"]
        assert all(run[f"{size}.{n}.off"] < run[f"{size}.{n}.bound"] for n in LENGTHS)


@on_average("08", "lengths")
def test_rollouts_of_the_better_model_are_as_foretold_and_of_the_other_better(mean):
    assert all(abs(mean[f"3200.{n}.right"] - mean[f"3200.{n}.foretold"]) < 0.06 for n in LENGTHS)
    assert all(mean[f"200.{n}.right"] > mean[f"200.{n}.foretold"] + 0.04 for n in LENGTHS)
    assert mean["200.wrong"] > 1.5 * mean["3200.wrong"]


@on_average("08", "lengths")
def test_the_error_of_the_return_grows_faster_than_the_length(mean):
    assert mean["3200.16.off"] > 5 * mean["3200.4.off"]
    assert mean["3200.flawless"] > 0.3 and mean["3200.worst"] > 3 * mean["3200.wrong"]


def test_the_lemmas_worked_number_and_its_simpler_form(lesson):
    assert lesson["lemma"](0.1, 2) == pytest.approx(0.29)
    for epsilon in (0.0, 0.03, 0.5, 1.0):
        assert all(lesson["lemma"](epsilon, n) <= n * (n + 1) / 2 * epsilon + 1e-12 for n in LENGTHS)


def test_the_exact_return_of_random_play_is_that_of_many_real_rollouts(lesson):
    sample, policy, starts = lesson["true_world"](0), lesson["random_policy"](1), House().observations()[:3]
    returns = [lesson["rollout_return"](sample, policy, obs, policy(obs), 8, 1.0) for obs in starts * 700]
    assert lesson["random_return"](8) == pytest.approx(sum(returns) / len(returns), abs=0.05)


@every_seed("08", "lengths_longer")
def test_twice_the_training_makes_long_rollouts_of_the_same_play_right(run):
    assert run["3200.16.right"] > 0.9 and run["3200.16.off"] < 0.1


def test_little_play_and_much_training_beat_much_play_and_little_training():
    shorter, longer = (Numbers("08_language_mdp").mean(name) for name in ("lengths", "lengths_longer"))
    assert longer["200.16.right"] > shorter["3200.16.right"] + 0.15
    assert longer["200.16.right"] > longer["200.16.foretold"] + 0.1  # random play asks what it has seen, here too


@every_seed("08", "chance")
def test_longer_training_leaves_fewer_third_outcomes_and_what_was_tried_is_answered_better(run):
    assert run["long.third"] < run["short.third"] and run["long.third"] < 0.15
    assert run["unseen"] < run["tried"] - 0.2 and run["tried"] > 0.9


def test_longer_training_brings_most_runs_nearer_to_the_truth_and_not_all():
    runs = Numbers("08_language_mdp").runs("chance").values()
    longest = Numbers("08_language_mdp").runs("chance_longest").values()
    assert len(runs) / 2 < sum(run["long.model"] < run["short.model"] for run in runs) < len(runs)
    assert len(runs) / 2 < sum(after["model"] < run["long.model"] for run, after in zip(runs, longest)) < len(runs)


def test_four_times_the_training_says_about_what_counting_says():
    mean, longest = (Numbers("08_language_mdp").mean(name) for name in ("chance", "chance_longest"))
    assert longest["model"] < mean["long.model"] and abs(longest["model"] - longest["play"]) < 0.01


@every_seed("08", "chance_longest")
def test_hardly_any_third_outcome_is_left_by_four_times_the_training(run):
    """Also of the seeds 4711 and 90210; their shares of successes are 0.09 and 0.03 from the truth."""
    assert run["third"] < 0.01


@on_average("08", "chance")
def test_counting_is_better_for_what_was_tried_and_the_model_says_something_right_where_a_table_says_nothing(mean):
    assert mean["short.play"] < mean["long.model"] < 0.7 * mean["short.model"]
    assert mean["unseen"] > 0.15 and mean["all_or_nothing"] > 0.8


def test_white_space_at_a_prompts_end(lesson):
    """Nothing to a tokenizer of words; to GPT-2's a token of its own, where the next word would have brought its space along."""
    words, encoding = lesson["words"], gpt2().encoding()
    assert words.encode("<out> ").tolist() == words.encode("<out>").tolist()
    alone = encoding.encode("go ")
    assert len(alone) == 2 and alone[:1] == encoding.encode("go") and len(encoding.encode("go north")) == 2
