"""Every number that a lesson's text takes from a run was measured, of the lesson as it is, over five seeds or more."""

import pytest

from autograde import layout
from autograde.authoring import source
from autograde.authoring.measuring import experiments
from autograde.authoring.measuring.numbers import Numbers, placeholders

LESSONS = layout.lesson_names()


@pytest.mark.parametrize("name", LESSONS)
def test_nothing_was_changed_since_it_was_measured(name):
    assert Numbers(name).stale() == []


@pytest.mark.parametrize("name", LESSONS)
def test_every_placeholder_has_its_number(name):
    numbers = Numbers(name)
    for cell in source.read(layout.source_path(name)).cells:
        numbers.fill(cell.source)


@pytest.mark.parametrize("name", LESSONS)
def test_an_experiment_with_chance_in_it_has_five_seeds(name):
    for key, experiment in experiments.experiments(name).items():
        assert len(experiment.seeds) >= 5 or experiment.seeds == (0,), key
        entry = Numbers(name).experiments[key]
        assert entry["seeds"] == list(experiment.seeds) and entry["machine"] and entry["versions"]["torch"], key


@pytest.mark.parametrize("name", LESSONS)
def test_no_number_stands_in_an_exercise(name):
    """There it would reach the grader unfilled."""
    assert [c.line for c in source.read(layout.source_path(name)).cells if (c.exercise or c.check) and placeholders(c.source)] == []
