"""Many calls in one message, and functions of a check that are asked once: with the results of single calls, in a worker and at home."""

import textwrap

import pytest
import torch

from autograde.checking.calls import each, pure, repeated
from autograde.checking.errors import ProtocolError, StudentError
from autograde.checking.student import LocalStudent
from autograde.grader.rpc import proxies
from autograde.grader.run.session import Session

CELL = textwrap.dedent("""
    import torch
    def draw(p, generator):
        return int(torch.multinomial(p, 1, generator=generator))
    def inverse(x):
        return 1 / x
    def ask_twice(model, ids):
        first = model(ids)
        first += 1
        return model(ids)
    def shift(x):
        x += 1
        return x.clone()
""")


@pytest.fixture(scope="module", params=["worker", "kernel"])
def student(request):
    if request.param == "kernel":
        names = {}
        exec(CELL, names)
        yield LocalStudent(names)
    else:
        with Session([("a", CELL)]) as session:
            yield session.student()


def seeded():
    return torch.Generator().manual_seed(5)


P = torch.tensor([0.2, 0.3, 0.5])


def test_repeated_is_a_loop(student):
    """The same draws, and the generator goes on where they end."""
    together, one_by_one = seeded(), seeded()
    assert repeated(student.draw, 30, P, together) == [student.draw(P, one_by_one) for _ in range(30)]
    assert torch.equal(together.get_state(), one_by_one.get_state())
    assert repeated(student.draw, 0, P, together) == []
    assert len(repeated(student.draw, 2 * proxies.TOGETHER + 1, P, together)) == 2 * proxies.TOGETHER + 1


def test_each_is_a_loop(student):
    """Every call has its own arguments, also where an answer changes them."""
    assert each(student.inverse, [(n,) for n in (1, 2, 4)]) == [1, 0.5, 0.25]
    got = each(student.shift, [(torch.zeros(2),) for _ in range(3)])
    assert all(torch.equal(x, torch.ones(2)) for x in got)


def test_an_error_is_that_of_the_call(student):
    with pytest.raises((ZeroDivisionError, StudentError), match="division by zero"):
        each(student.inverse, [(1,), (0,), (2,)])
    with pytest.raises((ZeroDivisionError, StudentError), match="division by zero"):
        repeated(student.inverse, 3, 0)


@pytest.mark.parametrize("said", [None, [1], [1, 2, 3], (1, 2)])
def test_another_number_of_results_is_no_answer(said):
    with pytest.raises(ProtocolError, match="one result for each call"):
        proxies._results(said, 2)


class Doubler:
    def __init__(self):
        self.asked = 0

    def __call__(self, ids):
        self.asked += 1
        return 2.0 * ids


@pure
class Remembered(Doubler):
    pass


@pytest.mark.parametrize("model, asked", [(Doubler(), 4), (Remembered(), 1)])
def test_a_pure_function_is_asked_once(model, asked):
    """In a worker; what it gives is the caller's own, so an answer that changes it changes no later one."""
    with Session([("a", CELL)]) as session, session.test():
        got = repeated(session.student().ask_twice, 2, model, torch.ones(3))
        assert all(torch.equal(x, torch.full((3,), 2.0)) for x in got) and model.asked == asked


def test_a_pure_function_is_forgotten_with_the_check():
    """Another check's function may answer otherwise."""
    with Session([("a", CELL)]) as session:
        for scale in (1.0, 3.0):
            model = pure(lambda ids, scale=scale: scale * ids)
            with session.test():
                assert torch.equal(session.student().ask_twice(model, torch.ones(1)), torch.tensor([scale]))
