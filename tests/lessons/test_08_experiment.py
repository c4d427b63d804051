"""What lesson 08 tells its readers, for a seed that the notebook does not show (claims/ has the one it shows)."""

import pytest

from autograde import layout
from autograde.build import source
from utils.textworld import House

SEED = 1
EPISODES = 9


@pytest.fixture(scope="module")
def lesson():
    """Everything that the lesson's cells define, experiments and figures left out."""
    return source.namespace(source.read(layout.source_path("08_language_mdp")))


def real_return(lesson, sample):
    return lesson["mean_return"](lesson["true_world"](SEED), lesson["planner"](sample, SEED), EPISODES)


@pytest.mark.slow
def test_random_then_learned_then_true(lesson):
    """Random play is at least 1 behind planning in the learned world, which is close to planning in the true one; errors fall with play."""
    worlds, policy = lesson["train_worlds"](SEED, sizes=(50, 3200)), lesson["random_policy"](SEED)
    random = lesson["mean_return"](lesson["true_world"](SEED), lambda obs, collected: policy(obs), 90)
    learned = real_return(lesson, lesson["Imagination"](worlds[3200], SEED))
    true = real_return(lesson, lesson["true_world"](SEED + 1))
    assert random + 1.0 < learned < true + 0.1, "both planners are close to the best possible, 0.6; 0.1 is the noise of nine episodes"
    assert true - 0.2 < learned
    assert lesson["model_error"](worlds[50])[0] > 0.25 and lesson["model_error"](worlds[3200])[0] < 0.15


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
