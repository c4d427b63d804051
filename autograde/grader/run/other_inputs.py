"""Public checks with inputs that no student has: what an answer only remembers of its notebook passes none of them.

They are asked for where an answer passes public checks and fails hidden ones, so never of a right answer. The random inputs are drawn anew,
from seeds that depend on the hidden checks; oracles say what to expect. Inputs that a check writes out reach the answer through a symmetry of
its exercise, where it has one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from types import ModuleType
from typing import Any

from autograde import layout
from autograde.checking import expect, expected
from autograde.checking.manifest import Exercise
from autograde.checking.result import Result
from autograde.checking.runner import Check
from autograde.checking.scoring import summarize
from autograde.checking.status import CheckStatus
from autograde.checking.student import Student
from autograde.grader.run.symmetries import Otherwise, Symmetry

REMEMBERED = "It passes with the inputs of your notebook, and does not with others in their place, or takes too long there"


@lru_cache
def offset(lesson: str) -> int:
    """What is added to each seed of the public checks: nobody knows it who does not know the hidden ones."""
    path = layout.hidden_path(lesson)
    return int.from_bytes(hashlib.sha256(path.read_bytes() if path.exists() else b"").digest()[:4]) + 1


def other(lesson: str, check: Check, moved: int | None = None) -> Check:
    """The same public check, with other numbers wherever it draws some; to be run while `asked` is open."""
    module = _module(lesson, offset(lesson) if moved is None else moved)
    return replace(check, function=vars(module)[check.function.__name__])


def otherwise(lesson: str, exercise: str, student: Student, moved: int | None = None) -> Student:
    """The same student, whose answer to the exercise is asked in other words and numbers than those that a check writes out."""
    return Otherwise(student, exercise, symmetries(lesson).get(exercise, ()), offset(lesson) if moved is None else moved)


@contextmanager
def asked(lesson: str, moved: int | None = None) -> Iterator[None]:
    """Seeds are others inside, and oracles are asked themselves."""
    with expect.other_numbers(offset(lesson) if moved is None else moved), expected.recording(_oracles(lesson)):
        yield


def without(exercise: Exercise, result: Result, remembered: Collection[str]) -> Result:
    """The result in which the public checks of these names have failed; whatever else it says stays."""
    failed = [replace(o, status=CheckStatus.FAILED, message=REMEMBERED) if o.check in remembered else o for o in result.outcomes]
    again = summarize(exercise, failed, sum(o.weight for o in failed), lambda: None)
    return replace(again, diagnosis=result.diagnosis, mistake=result.mistake) if remembered else result


@lru_cache
def _module(lesson: str, moved: int) -> ModuleType:
    """The file of the public checks once more: much of what it draws, it draws when it is loaded."""
    with expect.other_numbers(moved):
        return layout.load_module(layout.checks_path(lesson), f"checks_of_{lesson}_with_other_inputs")


@lru_cache
def symmetries(lesson: str) -> Mapping[str, Sequence[Symmetry]]:
    """By exercise, in which ways it can be asked the same thing."""
    path = layout.hidden_path(lesson)
    return getattr(layout.load_module(path, f"symmetries_of_{lesson}"), "SYMMETRIES", {}) if path.exists() else {}


@lru_cache
def _oracles(lesson: str) -> Mapping[str, Callable[..., Any]]:
    path = layout.oracles_path(lesson)
    return vars(layout.load_module(path, f"oracles_of_{lesson}")) if path.exists() else {}
