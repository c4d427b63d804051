"""What an answer leaves behind in its process does not reach the checks after it: PyTorch's modes, and the inputs that checks share."""

import pytest
import torch

from autograde.authoring.strength.mutation import Bench
from autograde.checking.inputs import kept
from autograde.checking.modes import modes_kept
from autograde.checking.scoring import run_checks
from autograde.checking.student import LocalStudent
from utils.mdp import TabularModel

X = torch.arange(3.0)
LOOP = {"model": TabularModel.from_rows({(1, 0): (2.0, {1: 1.0})}, 2, 1)}


def shares_x(student):
    """A check whose module names X."""


def test_modes_are_as_they_were():
    with modes_kept():
        torch.set_grad_enabled(False)
        torch.autocast("cpu", dtype=torch.bfloat16).__enter__()
        assert not torch.is_grad_enabled() and torch.is_autocast_enabled("cpu")
    assert torch.is_grad_enabled() and not torch.is_autocast_enabled("cpu")
    with torch.no_grad(), modes_kept():
        assert not torch.is_grad_enabled()


def test_autocast_casts_the_weights_of_each_step():
    """It keeps what it has cast until the outermost autocast ends: under one that was open all the time, a model would be the first step's for ever."""
    weight = torch.ones(2, 2, requires_grad=True)

    def product():
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return (torch.ones(2, 2) @ weight)[0, 0].item()

    with modes_kept():
        assert product() == 2
        weight.data.mul_(3)
        assert product() == 6


def test_an_autocast_that_was_never_left_keeps_no_weights_for_later():
    weight = torch.ones(2, 2, requires_grad=True)
    with modes_kept():
        torch.autocast("cpu", dtype=torch.bfloat16).__enter__()
        torch.ones(2, 2) @ weight
    for times in (1, 3):
        weight.data.fill_(times)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert (torch.ones(2, 2) @ weight)[0, 0] == 2 * times


def test_modes_are_as_they_were_after_an_error():
    with pytest.raises(ValueError), modes_kept():
        torch.set_grad_enabled(False)
        raise ValueError
    assert torch.is_grad_enabled()


def test_an_input_that_was_changed_in_place_has_its_values_and_no_gradient():
    with kept(shares_x):
        X.add_(torch.ones(3, requires_grad=True))
        assert X.grad_fn is not None
    assert X.tolist() == [0, 1, 2] and X.is_leaf and not X.requires_grad


def test_a_model_in_tables_that_was_changed_has_its_values():
    """Lessons 01 and 08 share models; of a frozen one the tables can be changed, and with `object.__setattr__` its fields."""
    model, before = LOOP["model"], LOOP["model"].counts.clone()
    with kept(shares_x):
        model.counts[:] = 7
        object.__setattr__(model, "reward", None)
    assert torch.equal(model.counts, before) and model.reward[1, 0] == 2.0


def test_an_answer_that_changes_a_model_spoils_no_check_of_a_right_one():
    bench = Bench("01_sample_based_planning")
    checks, right = bench.lesson.checks["sample_model"], bench.reference["sample_model"]

    def spoils(model, *others):
        model.reward.zero_()
        return right(model, *others)

    wrong, _ = run_checks(checks, LocalStudent({**bench.reference, "sample_model": spoils}))
    assert not all(outcome.passed for outcome in wrong)
    again, _ = run_checks(checks, LocalStudent(bench.reference))
    assert all(outcome.passed for outcome in again)
