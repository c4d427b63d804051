"""What lesson 08 tells its readers beside its experiments, which claims/ checks in the executed notebook."""

import pytest

from autograde import layout
from autograde.authoring import source
from utils.textworld import House


@pytest.fixture(scope="module")
def lesson():
    """Everything that the lesson's cells define, experiments and figures left out."""
    return source.namespace(source.read(layout.source_path("08_language_mdp")))


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
