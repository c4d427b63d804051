"""Claims of a lesson's text are tested on what was measured, seed by seed and on average, and on a fresh seed that nobody has looked at."""

from functools import cache

import pytest

from autograde import layout
from autograde.authoring.measuring import experiments
from autograde.authoring.measuring.numbers import Numbers

FRESH = 70411  # a seed that no experiment is measured on, and on which no claim was looked at before it was tested


@pytest.fixture
def run(request):
    """The numbers of one run of an experiment: `every_seed` says of which."""
    lesson, experiment, seed = request.param
    name = layout.resolve(lesson)
    return fresh(name, experiment) if seed == FRESH else Numbers(name).runs(experiment)[seed]


@pytest.fixture
def mean(request):
    """The numbers of an experiment, each the mean over its seeds: `on_average` says of which."""
    lesson, experiment = request.param
    return Numbers(layout.resolve(lesson)).mean(experiment)


@cache
def fresh(lesson, experiment):
    return experiments.run_once(experiments.experiments(lesson)[experiment], experiments.lesson_names(lesson), FRESH)
