"""What the tests in tests/lessons/claims/ are about: an experiment's runs, or their mean. The fixtures are in that folder's conftest.py."""

import pytest

from autograde import layout
from autograde.authoring.measuring.numbers import Numbers
from tests.lessons.claims.conftest import FRESH


def every_seed(lesson, experiment):
    """The test gets `run`, the numbers of one seed: each measured one, and in the long suite a fresh one."""
    seeds = Numbers(layout.resolve(lesson)).experiments.get(experiment, {}).get("seeds", [])
    runs = [pytest.param((lesson, experiment, seed), id=f"seed {seed}") for seed in seeds]
    if len(seeds) != 1:  # an experiment without chance needs no other seed
        runs.append(pytest.param((lesson, experiment, FRESH), id="a fresh seed", marks=[pytest.mark.slow, pytest.mark.executes(lesson)]))
    return pytest.mark.parametrize("run", runs, indirect=True)


def on_average(lesson, experiment):
    """The test gets `mean`, an experiment's numbers averaged over its seeds."""
    return pytest.mark.parametrize("mean", [pytest.param((lesson, experiment), id="mean")], indirect=True)
