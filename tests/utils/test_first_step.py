"""One step on known gradients: groups that hold the model's parameters change them, others do not."""

import torch
from torch import nn

from utils.first_step import first_step


def model():
    module = nn.Linear(2, 1)
    module.load_state_dict({"weight": torch.tensor([[2.0, -4.0]]), "bias": torch.tensor([1.0])})
    return module


def test_each_parameter_moves_by_its_groups_decay():
    module = model()
    first_step(lambda m, decay: [{"params": [m.weight], "weight_decay": decay}, {"params": [m.bias]}], module, 0.5, 0.1)
    torch.testing.assert_close(module.weight.data, torch.tensor([[2.0 - 0.1 * (1 + 1.0), -4.0 - 0.1 * (1 - 2.0)]]))
    torch.testing.assert_close(module.bias.data, torch.tensor([0.9]))
    assert module.weight.grad is None


def test_copies_leave_the_model_as_it_is():
    for copied in (torch.clone, torch.Tensor.detach):
        module = model()
        first_step(lambda m, decay: [{"params": [nn.Parameter(copied(p.detach())) for p in m.parameters()]}], module, 0.5, 0.1)
        assert torch.equal(module.weight, model().weight) and torch.equal(module.bias, model().bias)
