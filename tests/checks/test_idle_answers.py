"""An answer that does nothing earns nothing, in any exercise: a check that it passes all the same is marked `trivial`."""

from collections import ChainMap

import pytest
import torch

from autograde import layout
from autograde.authoring.idle import idle_answers
from autograde.authoring.mutation import Bench
from autograde.checking.scoring import examine
from autograde.checking.student import LocalStudent

LESSONS = layout.lesson_names()


@pytest.mark.soak
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


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["returns None", "returns its argument", "returns []"])
@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_of_answers_that_do_nothing_earns_nothing(name, kind):
    """Where an exercise builds on another, that one is not there either."""
    bench = Bench(name)
    graded = [exercise for exercise in bench.lesson.exercises.values() if exercise.outcome is None]
    idle = {exercise.name: idle_answers(bench.reference[exercise.name]) for exercise in graded}
    student = LocalStudent(ChainMap({key: kinds.get(kind, kinds.get("passes on")) for key, kinds in idle.items()}, bench.reference))
    results = [examine(bench.lesson, exercise, student) for exercise in graded]
    assert [f"{result.exercise}: {result.score}" for result in results if result.score] == []


def test_what_is_filled_with_no_number_keeps_its_form():
    right = lambda: (torch.ones(2), torch.ones(2, dtype=torch.long), 3, 2.5, True, "x")  # noqa: E731
    floats, whole, *rest = idle_answers(right)["gives NaN"]()
    assert floats.isnan().all() and whole.tolist() == [0, 0] and rest[0] == 0 and rest[1] != rest[1] and rest[2:] == [False, ""]


def test_a_refusal_names_every_argument():
    with pytest.raises(ValueError, match="n_heads .*size"):
        idle_answers(lambda n_heads, size: None)["raises a ValueError that names every argument"](5, 3)


def test_an_idle_class_has_the_methods_and_properties_of_the_right_one():
    class Counter:
        def add(self, n):
            raise NotImplementedError

        @property
        def total(self):
            raise NotImplementedError

    made = idle_answers(Counter)["passes on"](3)
    assert made.add(5) == 5 and made.total == 0
