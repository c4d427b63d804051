"""What lesson 08 tells its readers, measured with its own reference answers."""

import pytest
import torch

from autograde import layout
from autograde.build import source
from utils.textworld import House, random_play

SEEDS = (0, 1, 2)
EPISODES = 9


@pytest.fixture(scope="module")
def lesson():
    """Everything that the lesson's cells define, experiments and figures left out."""
    return source.namespace(source.read(layout.source_path("08_language_mdp")))


@pytest.fixture(scope="module")
def worlds(lesson):
    """For each seed a world model of little and one of much random play."""
    return {seed: lesson["train_worlds"](seed, sizes=(50, 3200)) for seed in SEEDS}


def real_return(lesson, sample, seed):
    return lesson["mean_return"](lesson["true_world"](seed), lesson["planner"](sample, seed), EPISODES)


@pytest.mark.slow
def test_random_then_learned_then_true(lesson, worlds):
    """Random play is at least 1 behind planning in the learned world, which is at most 0.15 behind, and not ahead of, the true one."""
    learned, true = [], []
    for seed in SEEDS:
        policy = lesson["random_policy"](seed)
        random = lesson["mean_return"](lesson["true_world"](seed), lambda obs, collected, policy=policy: policy(obs), 90)
        learned.append(real_return(lesson, lesson["Imagination"](worlds[seed][3200], seed), seed))
        true.append(real_return(lesson, lesson["true_world"](seed + 1), seed))
        print(f"seed {seed}: random {random:+.2f}, learned {learned[-1]:+.2f}, true {true[-1]:+.2f}")
        assert random + 1.0 < learned[-1]
        assert learned[-1] < true[-1] + 0.1, "both planners are close to the best possible, 0.6; 0.1 is the noise of nine episodes"
    assert sum(true) / len(true) - 0.15 < sum(learned) / len(learned)


@pytest.mark.slow
def test_errors_fall_with_play(lesson, worlds):
    for seed in SEEDS:
        little, much = (lesson["model_error"](worlds[seed][n])[0] for n in (50, 3200))
        print(f"seed {seed}: wrong outcomes {little:.1%} after 50 steps, {much:.1%} after 3200")
        assert little > 0.25 and much < 0.15


@pytest.mark.slow
def test_the_clone_is_between(lesson):
    """Better than random play by more than 0.5, and short of the best, 0.6."""
    play = random_play(House(), 3200, torch.Generator().manual_seed(100))
    got = lesson["mean_return"](lesson["true_world"](0), lesson["clone"](*lesson["train_clone"](play, 0), 0), 60)
    print(f"clone {got:+.2f}")
    assert -0.9 < got < 0.5


def test_texts_are_counted_and_impossible_ones_refused(lesson):
    imagine = lesson["Imagination"](None, 0)
    answers = iter(["fog", "-0.1 | the moon . | go", "-0.1 | " + House().observations()[1] + " | go"])
    imagine.story = lambda prompt: next(answers)
    assert imagine(House().observations()[0], "go east") is None
    assert (imagine.texts, imagine.malformed, imagine.impossible) == (2, 1, 1)
    assert imagine(House().observations()[0], "go east") == (-0.1, House().observations()[1], False)


def test_the_worked_numbers(lesson):
    values = lesson["prefix_values"](("a", "b"), 2, lambda t: {("a", "a"): 1, ("b", "b"): 3}.get(t, 0), lambda p: [0.75, 0.25])
    assert values[()] == values["a",] == values["b",] == 0.75
    rewards = iter([-0.1, 0.4, -0.1])
    value = lesson["rollout_return"](lambda o, a: (next(rewards), "s", False), lambda o: "a", "s", "a", 3, 0.5)
    assert value == pytest.approx(0.075)
    (text,) = lesson["return_conditioned"]([[("s", "a", -0.1), ("s", "a", 0.4), ("s", "a", 0.9)]])
    assert [text.split()[i] for i in (1, 7, 13)] == ["+1.2", "+1.3", "+0.9"]
