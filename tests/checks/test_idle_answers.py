"""An answer that does nothing earns nothing, in any exercise: a check that it passes all the same is marked `trivial`."""

from __future__ import annotations

import copy
import dataclasses
from collections import ChainMap
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch

from autograde import layout
from autograde.authoring.mutation import Bench
from autograde.checking.scoring import examine
from autograde.checking.student import LocalStudent

LESSONS = [path.stem for path in sorted(layout.SOLUTIONS.glob("*.py"))]


class Unknown(TypeError):
    """A kind of value that cannot be emptied."""


def emptied(value: Any, fill: int) -> Any:
    """The same kind and shape of value with `fill` for every number, and no text."""
    if isinstance(value, torch.Tensor):
        return torch.full_like(value.detach(), fill)
    if value is None or isinstance(value, (bool, int, float)):
        return value if value is None else type(value)(fill)
    if isinstance(value, (str, bytes)):
        return type(value)()
    if isinstance(value, (list, tuple)):
        return type(value)(emptied(v, fill) for v in value)
    if isinstance(value, Mapping):
        return {key: emptied(v, fill) for key, v in value.items()}
    if dataclasses.is_dataclass(value):
        return dataclasses.replace(value, **{f.name: emptied(getattr(value, f.name), fill) for f in dataclasses.fields(value)})
    raise Unknown(type(value).__name__)


def filled(right: Callable, fill: int) -> Callable:
    """Right in form only; what the right answer does to its arguments is not done either."""

    def answer(*args, **kwargs):
        args, kwargs = (tuple(map(_own, args)), {key: _own(v) for key, v in kwargs.items()})
        return emptied(right(*args, **kwargs), fill)

    return answer


def _own(value: Any) -> Any:
    return (
        value if isinstance(value, torch.Generator) or callable(value) and not isinstance(value, torch.nn.Module) else copy.deepcopy(value)
    )


class Idle(torch.nn.Module):
    """A module without a parameter that returns what it is given."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__()

    def forward(self, x, *args, **kwargs):
        return x


def idle_answers(right: Any) -> dict[str, Any]:
    """Answers to a function or a class that know nothing about it."""
    nothing = {"returns None": lambda *a, **k: None}
    if isinstance(right, type):
        return {**nothing, "passes on": Idle}
    same = {"returns its argument": lambda *a, **k: a[0] if a else None, "returns []": lambda *a, **k: []}
    return {**nothing, **same, "all zero": filled(right, 0), "all one": filled(right, 1)}


@pytest.mark.slow
@pytest.mark.parametrize("name", LESSONS)
def test_an_answer_that_does_nothing_earns_nothing(name):
    bench = Bench(name)
    graded = [e for e in bench.lesson.exercises.values() if e.outcome is None]
    for exercise in graded:
        for kind, answer in idle_answers(bench.reference[exercise.name]).items():
            result = examine(bench.lesson, exercise, LocalStudent(ChainMap({exercise.name: answer}, bench.reference)))
            passed = [f"{o.check} (hidden)" if o.hidden else o.check for o in result.outcomes if o.passed and not o.trivial]
            assert result.status != "passed" and not passed, f"{exercise.name}, an answer that {kind}: {passed}"


@pytest.mark.parametrize("name", LESSONS)
def test_every_exercise_has_a_check_that_tells(name):
    lesson = Bench(name).lesson
    assert [e for e, checks in lesson.checks.items() if all(check.trivial for check in checks)] == []
