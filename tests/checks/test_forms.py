"""A result of another form than the exercise asks for is told in a sentence of the course, not in a library's."""

import re
from collections import ChainMap
from functools import cache

import pytest
import torch

from autograde import layout
from autograde.authoring import source
from autograde.checking.lesson import load_lesson
from autograde.checking.scoring import examine
from autograde.checking.student import LocalStudent

pytestmark = pytest.mark.slow  # a lesson of many parts has to be read first
LIBRARYS_WORDS = ("Error", "another form", "not iterable", "attribute", "subscriptable", "optimizer can only")


@cache
def lesson_of(number):
    """A lesson with its public checks, and the right answers to its other exercises."""
    name = layout.resolve(number)
    return load_lesson(name), source.namespace(source.read(layout.source_path(name)))


def apart(model):
    return [p for p in model.parameters() if p.dim() >= 2], [p for p in model.parameters() if p.dim() < 2]


def two(matrices, vectors, decay):
    return [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]


FORMS = [
    ("07", "parameter_groups", "an optimizer", lambda m, d: torch.optim.SGD(two(*apart(m), d), 0.1), "SGD, an optimizer, which is made of"),
    ("07", "parameter_groups", "a dict", lambda m, d: dict(zip(("decay", "no_decay"), apart(m))), "a list of groups.*: yours is a dict"),
    ("07", "parameter_groups", "lists", lambda m, d: apart(m), "A group is a dict.*: yours is a list"),
    ("07", "parameter_groups", "parameters", lambda m, d: list(m.parameters()), "A group is a dict.*: yours is a (Parameter|Tensor)"),
    ("07", "parameter_groups", "names", lambda m, d: two(["weight"], ["bias"], d), "parameters of the model: yours hold a str"),
    ("07", "parameter_groups", "one tensor", lambda m, d: two(m.wte.weight if hasattr(m, "wte") else m.weight, [], d), "a list of parameters"),
    ("07", "parameter_groups", "no decay", lambda m, d: [{"params": apart(m)[0]}, {"params": apart(m)[1]}], r"A group is a dict.*\['params'\]"),
    ("07", "parameter_groups", "a number", lambda m, d: d, "a list of groups.*: yours is a float"),
    ("07", "parameter_groups", "nothing", lambda m, d: None, "a `return` missing"),
]  # fmt: skip


@pytest.mark.parametrize(("number", "exercise", "form", "answer", "words"), FORMS, ids=[f"{name}, {form}" for _, name, form, *_ in FORMS])
def test_another_form_is_told_in_the_courses_words(number, exercise, form, answer, words):
    lesson, right = lesson_of(number)
    result = examine(lesson, lesson.exercises[exercise], LocalStudent(ChainMap({exercise: answer}, right)))
    said = [f"{outcome.message}: {outcome.detail}" for outcome in result.outcomes if not outcome.passed]
    assert any(re.search(words, sentence) for sentence in said), said
    assert [sentence for sentence in said for theirs in LIBRARYS_WORDS if theirs in sentence] == []


def groups_one_by_one(m, d):
    yield from two(*apart(m), d)


@pytest.mark.parametrize("answer", [groups_one_by_one, lambda m, d: tuple(two(*map(iter, apart(m)), d))], ids=["a generator", "iterators"])
def test_what_an_optimizer_takes_is_right(answer):
    lesson, right = lesson_of("07")
    assert examine(lesson, lesson.exercises["parameter_groups"], LocalStudent(ChainMap({"parameter_groups": answer}, right))).score == 1
