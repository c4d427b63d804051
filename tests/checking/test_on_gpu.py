"""Answers called on the pretend GPU, or (`make test-gpu`) on this machine's own.

Right ones pass in this process and in the grader's; hard-wired devices are found with a sentence.
"""

import contextlib
import functools

import pytest
import torch

from autograde import layout
from autograde.authoring import source
from autograde.authoring.strength import mutation
from autograde.checking import pretend_gpu
from autograde.checking.lesson import assemble_lesson
from autograde.checking.scoring import DEVICE_MISTAKE, NUMPY_MISTAKE, examine, on_another_device
from autograde.checking.student import LocalStudent
from autograde.grader.run.session import Session
from autograde.grader.sandbox.limits import Limits

# what holds no tensor, or is a file: there is no device to be wrong about
NOT_JUDGED = {("07_gpt", "trained_gpt")}
HARD_WIRED = [  # (lesson, exercise, what stands in the reference answer, what stands there instead)
    ("01_sample_based_planning", "q_planning", "torch.zeros_like(model.reward)", "torch.zeros(model.reward.shape).to(model.reward.dtype)"),
    (
        "01_sample_based_planning",
        "sarsa_planning",
        "torch.zeros_like(model.reward)",
        "torch.zeros(model.reward.shape).to(model.reward.dtype)",
    ),
    (
        "01_sample_based_planning",
        "monte_carlo_planning",
        "q, visits = torch.zeros_like(model.reward)",
        "q, visits = torch.zeros(model.reward.shape)",
    ),
    ("01_sample_based_planning", "dyna_q", "torch.zeros_like(mdp.reward)", "torch.zeros(mdp.reward.shape).to(mdp.reward.dtype)"),
    ("01_sample_based_planning", "prioritized_sweeping", "torch.zeros_like(model.reward)", "torch.zeros(model.reward.shape)"),
    ("02_attention_alignment", "local_attention_weights", "device=scores.device", "device='cpu'"),
    ("03_self_attention", "padding_mask", "device=lengths.device", "device='cpu'"),
    ("03_self_attention", "SelfAttention", "x.device", "'cpu'"),
    ("05_positional_encoding", "rotary_embedding", "device=x.device", "device='cpu'"),
    ("07_gpt", "GPT", "torch.arange(n, device=ids.device)", "torch.arange(n)"),
    ("07_gpt", "mask_for_infilling", "device=ids.device", "device='cpu'"),
    ("07_gpt", "sample_next", "drawn.reshape(logits.shape[:-1]).to(logits.device)", "drawn.reshape(logits.shape[:-1]).cpu()"),
    ("07_gpt", "FastAttention", "torch.arange(n, device=x.device, dtype=x.dtype)", "torch.arange(n, dtype=x.dtype)"),
]


@functools.cache
def bench(name):
    return mutation.Bench(name)


def changed(name, exercise, old, new):
    text = bench(name).source.answer(exercise)
    assert old in text, "the reference answer has changed; change this case, too"
    return text.replace(old, new)


@functools.cache
def lesson_of(name):
    read = source.read(layout.source_path(name))
    return assemble_lesson(name, read.title, read.exercises, hidden=False), source.namespace(read)


@pytest.mark.parametrize("name", layout.lesson_names())
def test_the_reference_answers_work_on_a_gpu(name):
    lesson, names = lesson_of(name)
    not_judged = set()
    for exercise in lesson.exercises.values():
        outcomes = on_another_device(lesson, exercise, LocalStudent(names), contextlib.nullcontext)
        assert all(outcome.passed for outcome in outcomes), f"{exercise.name}: {outcomes[0].message}"
        not_judged |= set() if outcomes else {(name, exercise.name)}
    assert not_judged == {place for place in NOT_JUDGED if place[0] == name}


@pytest.mark.parametrize("name", layout.lesson_names())
def test_unusual_right_answers_work_on_a_gpu(name):
    tried = bench(name)
    for specimen in tried.specimens:
        if not specimen.wrong:
            exercise = tried.lesson.exercises[specimen.exercise]
            for outcome in on_another_device(tried.lesson, exercise, tried.student(specimen), contextlib.nullcontext):
                assert outcome.passed, f"{specimen.exercise}, {specimen.name}: {outcome.message}"


@pytest.mark.parametrize("case", HARD_WIRED, ids=lambda case: f"{case[1]}-{case[3][:12]}")
def test_a_hard_wired_device_is_found(case):
    name, exercise, *_ = case
    _, names = lesson_of(name)
    answers = dict(names)
    exec(changed(*case), answers)
    lesson, _ = lesson_of(name)
    (outcome,) = on_another_device(lesson, lesson.exercises[exercise], LocalStudent(answers), contextlib.nullcontext)
    assert not outcome.passed and outcome.message == DEVICE_MISTAKE and not outcome.detail  # no words of PyTorch


def test_who_takes_numpy_is_told_of_numpy():
    lesson, names = lesson_of("01_sample_based_planning")
    row = "torch.as_tensor(model.transition[state, action].numpy(), device=generator.device)"
    answers = dict(names)
    exec(changed("01_sample_based_planning", "sample_model", "model.transition[state, action], 1", f"{row}, 1"), answers)
    (outcome,) = on_another_device(lesson, lesson.exercises["sample_model"], LocalStudent(answers), contextlib.nullcontext)
    assert outcome.message == NUMPY_MISTAKE


def test_it_costs_a_part_of_the_points_and_only_what_is_right_otherwise():
    lesson, names = lesson_of("07_gpt")
    exercise, answers = lesson.exercises["GPT"], dict(names)
    assert examine(lesson, exercise, LocalStudent(names)).score == exercise.points
    # the checks that use `meta` tensors find this too; one that looks at a value first they let through
    exec(changed("07_gpt", "GPT", "torch.arange(n, device=ids.device)", "torch.arange(n + 0 * int(ids.max()))"), answers)
    result = examine(lesson, exercise, LocalStudent(answers))
    assert 0 < result.score < exercise.points and "GPU" in result.message


@pytest.mark.parametrize("text, passes", [("device=x.device", True), ("", False)])
def test_the_grader_finds_it_too(text, passes):
    """The same in a worker: tensors are made there, for no tensor of a GPU crosses between processes."""
    answer = f"""
import torch
from torch import nn
def rotary_embedding(x, positions, base=10000.0):
    rates = base ** (-torch.arange(0, x.shape[-1], 2, {text}{"," if text else ""} dtype=x.dtype) / x.shape[-1])
    angles = positions.to(x)[:, None] * rates
    even, odd = x[..., ::2], x[..., 1::2]
    return torch.stack([even * angles.cos() - odd * angles.sin(), even * angles.sin() + odd * angles.cos()], -1).flatten(-2)
class LearnedPositionalEmbedding(nn.Module):
    def __init__(self, max_positions, d_model):
        super().__init__()
        self.embedding = nn.Embedding(max_positions, d_model)
    def forward(self, x):
        return x + self.embedding(torch.arange(x.shape[-2], {text}))
"""
    lesson, _ = lesson_of("05_positional_encoding")
    with Session([("answer", answer)], Limits()) as session:
        for name in ("rotary_embedding", "LearnedPositionalEmbedding"):
            student = session.student()
            (outcome,) = on_another_device(lesson, lesson.exercises[name], student, student.test)
            assert outcome.passed == passes, outcome
            with student.test():  # afterwards it answers on the CPU again
                assert student.rotary_embedding(torch.ones(2, 4), torch.arange(2)).device.type == "cpu"


def test_a_worker_sees_no_gpu():
    """Points must not depend on the machine that grades; and its GPU is not for strangers."""
    answer = "import os, torch\ndef sees():\n    return os.environ['CUDA_VISIBLE_DEVICES'], torch.cuda.is_available()\n"
    with Session([("answer", answer)], Limits()) as session:
        student = session.student()
        with student.test():
            assert student.sees() == ("", False)


def test_functions_of_the_test_meet_cpu_tensors_in_a_worker_too():
    """`generate(model, …)` with the test's own model: called with tensors of the CPU, and its results are moved to the GPU."""
    lesson, names = lesson_of("07_gpt")
    seen = []

    def model(x):
        seen.append(x.device.type)
        return x * 2

    with Session([("answer", "def twice(f, x):\n    return f(f(x)) + x\n")], Limits()) as session:
        student = session.student()
        with student.test(), student.on_gpu(pretend_gpu.ON_DEVICE) as there:
            assert there.twice(model, torch.ones(3)).tolist() == [5, 5, 5]
    local = LocalStudent({"twice": lambda f, x: f(f(x)) + x})
    with local.on_gpu(pretend_gpu.ON_DEVICE) as there:
        assert there.twice(model, torch.ones(3)).tolist() == [5, 5, 5]
    assert seen == ["cpu"] * 4


@pytest.mark.skipif(not pretend_gpu.is_possible(), reason="a real GPU has random numbers of its own")
def test_a_generator_moves_on_as_if_it_had_been_used_here():
    def draw(generator, like):
        return torch.rand(like.shape, generator=generator, device=like.device)

    with LocalStudent({"draw": draw}).on_gpu(pretend_gpu.ON_DEVICE) as there:
        generator, other = torch.Generator().manual_seed(0), torch.Generator().manual_seed(0)
        assert torch.equal(there.draw(generator, torch.ones(3)), torch.rand(3, generator=other))
        assert torch.equal(generator.get_state(), other.get_state())


@pytest.mark.skipif(not pretend_gpu.is_possible(), reason="a real GPU has random numbers of its own")
def test_a_pytorch_that_the_pretend_gpu_does_not_know_is_no_mistake_of_the_answer(monkeypatch):
    """Colab's is another one than the course's: a right answer must not lose points because its inside has changed."""
    from autograde.checking.pretend_gpu import generators

    monkeypatch.setattr(generators, "_CPU", (77, 77))  # which is found nowhere
    generators._place.cache_clear()
    lesson, names = lesson_of("07_gpt")
    try:
        assert on_another_device(lesson, lesson.exercises["sample_next"], LocalStudent(names), contextlib.nullcontext) == []
    finally:
        generators._place.cache_clear()
