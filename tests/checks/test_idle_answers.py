"""An answer that does nothing earns nothing, in any exercise: a check that it passes all the same is marked `trivial`."""

import pytest

from autograde import layout
from autograde.authoring.mutation import Bench

LESSONS = layout.lesson_names()


@pytest.mark.slow
@pytest.mark.parametrize("name", LESSONS)
def test_an_answer_that_does_nothing_earns_nothing(name):
    bench = Bench(name)
    for exercise in bench.lesson.exercises.values():
        for kind, result in (bench.try_idle(exercise.name) if exercise.outcome is None else {}).items():
            passed = [f"{o.check} (hidden)" if o.hidden else o.check for o in result.outcomes if o.passed and not o.trivial]
            assert result.status != "passed" and not passed, f"{exercise.name}, an answer that {kind}: {passed}"


@pytest.mark.parametrize("name", LESSONS)
def test_every_exercise_has_a_check_that_tells(name):
    lesson = Bench(name).lesson
    assert [e for e, checks in lesson.checks.items() if all(check.trivial for check in checks)] == []
