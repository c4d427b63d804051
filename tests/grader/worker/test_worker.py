"""What goes between a check and the code it asks: values, handles, callbacks, generators, gradients, errors; in a kernel and in a worker."""

import itertools
import textwrap
import threading

import numpy as np
import pytest
import torch

from autograde.checking import expect
from autograde.checking.errors import (
    CheckFailed,
    MissingName,
    NotWritten,
    StudentError,
)
from autograde.checking.student import LocalStudent
from autograde.grader.run.session import Session
from utils.mdp import TabularMDP

LESSON = textwrap.dedent("""
    import math
    import torch
    from torch import Tensor, nn
    from jaxtyping import Float
    from dataclasses import dataclass

    @dataclass
    class Config:
        width: int = 3

    class Model(nn.Module):
        def __init__(self, config):
            super().__init__()
            self.config, self.linear = config, nn.Linear(config.width, 2)
        def forward(self, x, scale=1.0):
            return self.linear(x) * scale, None

    class Cache:
        def __init__(self): self.items = []
        def append(self, x):
            self.items.append(x)
            return self
        @property
        def length(self): return len(self.items)
        def __len__(self): return len(self.items)
        def __getitem__(self, i): return self.items[i]
        def __contains__(self, x): return x in self.items

    CONSTANT = 7
    def scores(q: Float[Tensor, "*batch T d"], k) -> Tensor: return q @ k.mT / math.sqrt(q.shape[-1])
    def draw(n, generator): return torch.rand(n, generator=generator)
    def lazy(items):
        for item in items:
            yield item * 2
    def apply(f, *args, **kwargs): return f(*args, **kwargs)
    def same(x): return x
    def spoil(x, y): x.zero_(); y.append(1)
    def todo(x): raise NotImplementedError
    def bad(d): raise ValueError(f"d_model must be even, got {d}")
    def odd():
        class Odd(KeyError): pass
        raise Odd("what")
    def two(x, y): return x * y, (x + y).sum()
    def cut(x): return x.detach() * 2
    def meta(x): return torch.zeros(2, device=x.device) + x
    def steps(mdp, generator): return mdp.step(0, 0, generator), mdp
    def gen(): return torch.Generator().manual_seed(3)
""")


@pytest.fixture(scope="module")
def session(server):

    with Session([("lesson", LESSON)], server=server) as session:
        yield session


@pytest.fixture(params=["kernel", "grader"])
def student(request, session):
    """The same tests on both students: a check cannot tell which it has."""
    if request.param == "grader":
        if not session.alive:
            session.start()
        return session.student()
    space = {"__name__": "kernel"}
    exec("import sys, types; sys.modules['kernel'] = types.ModuleType('kernel')", {})
    exec(LESSON, space)
    return LocalStudent(space)


def test_values_go_and_come(student):
    q, k = expect.randn(2, 5, 16, seed=1), expect.randn(2, 7, 16, seed=2)
    expect.close(student.scores(q, k), q @ k.mT / 4, where="q and k")
    assert student.scores(q.double(), k.double()).dtype == torch.float64
    assert student.scores(q.to("meta"), k.to("meta")).shape == (2, 5, 7)
    assert student.CONSTANT == 7
    value = {"a": [1, (2.5, None)], 3: {b"x"}, "n": np.float32(1)}
    assert student.same(value) == value


def test_objects_stay_and_are_used_through_handles(student):
    model = student.Model(student.Config(width=4))
    weights = {"linear.weight": torch.ones(2, 4), "linear.bias": torch.zeros(2)}
    model.load_state_dict(weights)
    output, loss = model(torch.ones(3, 4), scale=2.0)
    assert torch.equal(output, torch.full((3, 2), 8.0)) and loss is None
    assert model.config.width == 4 and set(model.state_dict()) == set(weights)
    assert model.training is True and model.eval().training is False
    cache = student.Cache()
    assert cache.length == 0 and len(cache.append(3).append(4)) == 2 and cache[1] == 4 and 3 in cache and 5 not in cache
    assert student.same(cache).length == 2
    assert [x for x in cache] == [3, 4]
    assert student.apply(student.scores, torch.ones(1, 4), torch.ones(1, 4)) == 2


def test_functions_and_iterators_are_called_back(student):
    assert student.apply(lambda x, y=1: x + y, 2, y=3) == 5
    asked = []

    def source():
        for i in itertools.count():
            asked.append(i)
            yield i

    lazy = student.lazy(source())
    assert [next(lazy) for _ in range(3)] == [0, 2, 4] and asked == [0, 1, 2]
    assert student.apply(lambda t: t.sum(), torch.ones(3)) == 3
    assert student.apply(lambda f: student.apply(f, 4), lambda x: x * x) == 16  # each side waits for the other


def test_what_a_callback_raises_comes_out_as_it_was(student):
    class Mine(Exception):
        pass

    def fails():
        raise Mine("from the test")

    def disappointed():
        raise CheckFailed("called too often")

    with pytest.raises(Mine, match="from the test"):
        student.apply(fails)
    with pytest.raises(CheckFailed, match="too often"):
        student.apply(disappointed)


def test_generators_move_on_and_come_back(student):
    g, reference = torch.Generator().manual_seed(5), torch.Generator().manual_seed(5)
    for n in (3, 1, 4):
        assert torch.equal(student.draw(n, generator=g), torch.rand(n, generator=reference))
    assert student.apply(lambda h: torch.rand(1, generator=h), g) == torch.rand(1, generator=reference)
    assert torch.equal(g.get_state(), reference.get_state())
    mdp = TabularMDP(torch.ones(1, 1, 1), torch.ones(1, 1) * 2, torch.tensor([True]), torch.ones(1))
    outcome, same = student.steps(mdp, g)
    assert outcome == (0, 2.0, True) and isinstance(same, TabularMDP)


def test_gradients_are_pulled_back_where_the_code_runs(student):
    x, y = expect.randn(3, seed=1), expect.randn(3, seed=2)
    (product, total), grads = student.pullback(student.two, (x, y), (torch.ones(3), None))
    assert torch.equal(grads[0], y) and torch.equal(grads[1], x) and not product.requires_grad
    expect.gradients(
        student, student.scores, (expect.randn(2, 4, seed=1), expect.randn(3, 4, seed=2)), lambda q, k: q @ k.mT / 2, where="q, k"
    )
    assert student.pullback(student.cut, (x,), torch.ones(3))[1] == (None,)
    model = student.Model(student.Config())
    grads = student.parameter_gradients(model, (torch.ones(1, 3),), (torch.ones(1, 2), None))
    assert torch.equal(grads["linear.bias"], torch.ones(2))


def test_arguments_after_the_call(student):
    x, y = torch.ones(2), [5]
    after = student.arguments_after(student.spoil, x, y)
    assert torch.equal(after[0], torch.zeros(2)) and after[1] == [5, 1] and torch.equal(x, torch.ones(2)) and y == [5]


def test_the_largest_tensor_of_a_call(student):
    """The scores, 2 × 3, not the arguments; what is only a view makes no tensor."""
    assert student.largest_tensor(student.scores, torch.ones(2, 40), torch.ones(3, 40)) == 6


def test_library_objects(student):
    reference = student.new("torch.nn.Linear", 3, 4, bias=False)
    assert reference(torch.zeros(2, 3)).shape == (2, 4) and set(reference.state_dict()) == {"weight"}


def test_errors_are_what_they_would_be_here(student):
    expect.raises(ValueError, student.bad, 3, naming="d_model", where="an odd width")
    with pytest.raises(KeyError):
        student.odd()
    with pytest.raises(NotImplementedError):
        student.todo(1)
    with pytest.raises(MissingName, match="nothing_of_the_kind"):
        student.nothing_of_the_kind(1)
    with pytest.raises(TypeError, match="positional"):
        student.scores(1)


def test_an_error_tells_the_students_own_line(session):
    with pytest.raises(ValueError) as caught:
        session.student().bad(3)
    error = caught.value
    assert isinstance(error, StudentError) and error.type_name == "ValueError" and str(error) == "d_model must be even, got 3"
    assert error.line.endswith('def bad(d): raise ValueError(f"d_model must be even, got {d}")') and "site-packages" not in error.traceback
    with pytest.raises(NotWritten):
        session.student().todo(1)


def test_a_check_of_the_device_passes_and_fails_as_in_the_kernel(student):
    expect.follows_device(student.meta, torch.ones(2))
    expect.follows_device(student.scores, torch.ones(2, 3), torch.ones(4, 3))


def test_artifacts_are_read_here(make):
    student = make("x = 1", artifacts={"gpt.safetensors": b"weights"}).student()
    assert student.artifact("gpt.safetensors") == b"weights" and student.artifact("other") is None


def test_many_sessions_at_once(make):
    sessions = [make("def f(x): return x + 1") for _ in range(8)]
    results = {}

    def use(i):
        results[i] = [sessions[i].student().f(j) for j in range(50)]

    threads = [threading.Thread(target=use, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(results[i] == list(range(1, 51)) for i in range(8))


def test_an_answer_that_uses_a_pool_of_processes_is_right_too(make):
    source = """
    import multiprocessing
    from multiprocessing import Pool
    from concurrent.futures import ProcessPoolExecutor
    def square(x): return x * x
    def f():
        with Pool(2) as pool, multiprocessing.get_context("fork").Pool(2) as other, ProcessPoolExecutor(2) as executor:
            return pool.map(square, range(4)), other.map(square, range(4)), list(executor.map(square, range(4)))
    """
    assert make(source).student().f() == ([0, 1, 4, 9],) * 3


def test_a_generator_goes_on_from_check_to_check(make):
    session = make("import torch\ndef draw(generator): return torch.rand(2, generator=generator)")
    g, reference = torch.Generator().manual_seed(1), torch.Generator().manual_seed(1)
    for _ in range(3):
        with session.test():
            assert torch.equal(session.student().draw(g), torch.rand(2, generator=reference))
            g.manual_seed(7), reference.manual_seed(7)  # moved on by the test itself
            assert torch.equal(session.student().draw(g), torch.rand(2, generator=reference))
    assert len(session.worker.table.shared) == 1
