"""Expected values of public checks: written down from the oracles, given back call by call, and to nobody else."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from autograde import layout
from autograde.authoring import expected_values
from autograde.checking import expect, expected
from autograde.checking.errors import CheckFailed, UserError
from autograde.checking.student import LocalStudent

VALUES = [
    torch.tensor([0.1, -torch.inf, torch.nan], dtype=torch.float64), torch.zeros(2, 0, 3), torch.tensor(7), torch.tensor([True, False]),
    np.arange(3.0), {("a", 1): [1.5, None], (): "é"}, (b"\xff", [True, -0.0]), 1e-310,
]  # fmt: skip


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    """A lesson of its own, with the oracles `half` and `double`; `write` keeps what they said."""
    monkeypatch.setattr(layout, "EXPECTED", tmp_path)
    half, double = expected.oracles("test_99_trial.py", "half", "double")
    asked = []

    def recorded(check, *calls):
        with expected.recording({"half": lambda x: asked.append(x) or x / 2, "double": lambda x, times=2: x * times}) as values:
            with expected.turn_of(check):
                for call in calls:
                    call()
        (tmp_path / "99_trial.json").write_text(expected_values.text(values), encoding="utf-8")
        return values

    return half, double, recorded, asked


@pytest.mark.parametrize("value", VALUES, ids=lambda v: type(v).__name__)
def test_data_come_back_as_they_were(value):
    again = expected.decode(expected.encode(value))
    assert type(again) is type(value)
    if isinstance(value, (torch.Tensor, np.ndarray)):
        assert again.dtype == value.dtype and again.shape == value.shape
        np.testing.assert_array_equal(np.asarray(again), np.asarray(value))
    else:
        assert repr(again) == repr(value)


def test_what_is_no_data_is_refused():
    with pytest.raises(TypeError, match="Generator"):
        expected.encode([torch.Generator()])


def test_a_check_gets_its_values_in_order_without_the_oracle(lesson):
    half, double, recorded, asked = lesson
    recorded("one", lambda: half(3.0), lambda: double(3.0), lambda: half(5.0))
    assert asked == [3.0, 5.0]
    for _ in range(2):  # every run begins at the first
        with expected.turn_of("one"):
            assert (half(None), double(None), half(None)) == (1.5, 6.0, 2.5)
    assert asked == [3.0, 5.0]


def test_nobody_else_gets_them(lesson):
    """An answer that asks in the check's place makes the check ask for what is not there."""
    half, double, recorded, _ = lesson
    recorded("one", lambda: half(3.0))
    with pytest.raises(UserError):
        half(3.0)
    with expected.turn_of("one"):
        half(3.0)
        with pytest.raises(UserError, match="one"):
            half(3.0)
    for check, ask in (("one", double), ("another", half)):
        with expected.turn_of(check), pytest.raises(UserError, match="record 99"):
            ask(3.0)


def test_gradients_are_values_too(lesson):
    """Of a function, of an oracle, and of one with arguments given, the same gradients are expected."""
    _, double, recorded, _ = lesson
    right, wrong = (LocalStudent({"f": f}) for f in (lambda x: 3 * x, lambda x: 3 * x.detach() + 0 * x))
    inputs = (expect.randn(4, seed=1),)
    oracle = partial(double, times=3)
    recorded("one", lambda: expect.gradients(right, right.f, inputs, oracle, where="x"))
    with expected.turn_of("one"):
        expect.gradients(right, right.f, inputs, oracle, where="x")
    with expected.turn_of("one"), pytest.raises(CheckFailed, match="gradient"):
        expect.gradients(wrong, wrong.f, inputs, oracle, where="x")


def test_parameter_gradients_are_autograds():
    layer, x = torch.nn.Linear(3, 2), expect.randn(4, 3, seed=2)
    student, weights = LocalStudent({}), {"weight": layer.weight.detach(), "bias": layer.bias.detach()}

    def right(w, x):
        return torch.nn.functional.linear(x, w["weight"], w["bias"])

    expect.parameter_gradients(student, layer, (x,), expect.randn(4, 2, seed=3), right, weights, where="x")
    with pytest.raises(CheckFailed, match="weight"):
        expect.parameter_gradients(student, layer, (x,), expect.randn(4, 2, seed=3), lambda w, x: right(w, 2 * x), weights, where="x")


def test_records_agree_up_to_rounding_alone(lesson):
    half, double, recorded, _ = lesson
    one = recorded("one", lambda: half(torch.ones(2)), lambda: double(2.0))
    assert expected_values.agrees(one, recorded("one", lambda: half(torch.ones(2) + 1e-7), lambda: double(2.0)))
    assert not expected_values.agrees(one, recorded("one", lambda: half(torch.ones(2) + 1e-2), lambda: double(2.0)))
    assert not expected_values.agrees(one, recorded("one", lambda: half(torch.ones(2))))
    assert not expected_values.agrees(one, recorded("two", lambda: half(torch.ones(2)), lambda: double(2.0)))
