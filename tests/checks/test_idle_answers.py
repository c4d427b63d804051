"""An answer that does nothing earns nothing, in any exercise: a check that it passes all the same is marked `trivial`."""

from collections import ChainMap
from functools import cache

import pytest
import torch

from autograde import layout
from autograde.authoring.strength.idle import idle_answers
from autograde.authoring.strength.mutation import Bench
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


# Answers of the right form that do not look at what the exercise is about: a draw without the distribution, one answer for all questions.
CARELESS = [
    ("01", "epsilon_greedy", "any action", lambda q, epsilon, g: int(torch.randint(len(q), (), generator=g))),
    ("01", "sample_model", "any state", lambda m, s, a, g: (int(torch.randint(m.transition.shape[-1], (), generator=g)), 0.0, False)),
    ("01", "sample_posterior_model", "any rows", lambda counts, prior, g: _rows(torch.rand(counts.shape, generator=g, dtype=counts.dtype))),
    ("01", "sample_posterior_model", "the mean", lambda counts, prior, g: _rows(counts + prior)),
    ("03", "scaled_dot_product_attention", "the mean", lambda q, k, v, mask=None: _even(q, k, v)),
    ("04", "head_entropy", "of even weights", lambda weights: torch.full_like(weights[..., 0, 0], weights.shape[-1]).log()),
    ("05", "shift_matrix", "no step", lambda offset, d_model, base=10000.0: torch.eye(d_model)),
    ("06", "compare_by_segments", "the first", lambda a, b: "a"),
    ("06", "compare_by_segments", "equal", lambda a, b: "equal"),
    ("06", "split_digits", "the whole text", lambda text: [text]),
    ("06", "wordpiece_encode", "what is in the list", lambda word, pieces, unknown="[UNK]": [word if word in pieces else unknown]),
    ("06", "build_vocabulary", "special tokens", lambda tokens, size, special=("<unk>",): {name: i for i, name in enumerate(special)}),
    ("07", "get_batch", "any tokens", lambda text, *sizes_and_g: 2 * (text[torch.randint(len(text), sizes_and_g[:2], generator=sizes_and_g[2])],)),
    ("07", "sample_next", "any token", lambda logits, t, k, p, g: torch.randint(logits.shape[-1], logits.shape[:-1], generator=g)),
    ("07", "sample_next", "the likeliest of the first row", lambda logits, t, k, p, g: logits.reshape(-1, logits.shape[-1])[:1].argmax(-1)),
    ("07", "generate", "any tokens", lambda model, ids, n, t, k, p, g: torch.cat([ids, torch.randint(3, (len(ids), n), generator=g)], 1)),
    ("08", "outcome_labels", "nothing to learn", lambda ids, mark, ignore_index=-100: torch.full_like(ids, ignore_index)),
    ("08", "plan_action", "a word", lambda *world: ("on", {})),
    ("08", "choose_action", "any", lambda model, prompt, found, g, temperature=0.0: int(torch.randint(len(found), (), generator=g))),
]  # fmt: skip


def _rows(x):
    return x / x.sum(-1, keepdim=True)


def _even(q, k, v):
    weights = torch.full((*q.shape[:-1], k.shape[-2]), 1 / k.shape[-2], dtype=q.dtype)
    return weights @ v, weights


@pytest.mark.slow
@pytest.mark.parametrize(("lesson", "exercise", "what", "answer"), CARELESS, ids=[f"{name}, {what}" for _, name, what, _ in CARELESS])
def test_an_answer_that_does_not_look_earns_nothing(lesson, exercise, what, answer):
    bench = benches(next(name for name in LESSONS if name.startswith(lesson)))
    result = examine(bench.lesson, bench.lesson.exercises[exercise], LocalStudent(ChainMap({exercise: answer}, bench.reference)))
    assert result.score == 0, [outcome.check for outcome in result.outcomes if outcome.passed and not outcome.trivial]


benches = cache(Bench)


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


def test_a_class_that_refuses_can_be_made():
    class Layer(torch.nn.Module):
        def __init__(self, width):
            raise NotImplementedError

        def split(self, x):
            raise NotImplementedError

    made = idle_answers(Layer)["refuses all that it is asked"](3)
    for ask in (made, made.split):
        with pytest.raises(ValueError, match="width"):
            ask(5)


def test_an_idle_class_has_the_methods_and_properties_of_the_right_one():
    class Counter:
        def add(self, n):
            raise NotImplementedError

        @property
        def total(self):
            raise NotImplementedError

    made = idle_answers(Counter)["passes on"](3)
    assert made.add(5) == 5 and made.total == 0
