"""What an answer leaves behind in its process does not reach the checks after it: PyTorch's modes, and the inputs that checks share."""

import pytest
import torch

from autograde.checking.inputs import kept
from autograde.checking.modes import modes_kept

X = torch.arange(3.0)


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
