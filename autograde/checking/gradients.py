"""Pull a cotangent back through a student's function: the same code in the notebook's kernel and in the grader's worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch


def pullback(function: Callable, inputs: Sequence[Any], cotangent: Any, **kwargs: Any) -> tuple[Any, tuple[torch.Tensor | None, ...]]:
    """The output of `function(*inputs)`, detached, and the gradients of ⟨output, cotangent⟩ in the inputs.

    `cotangent` has the form of the output; in a tuple, None leaves that output out.
    A gradient is None where the input is not a floating tensor or nothing reaches it.
    """
    leaves = [x.detach().clone().requires_grad_() if _floating(x) else x for x in inputs]
    with torch.enable_grad():
        output = function(*leaves, **kwargs)
    wanted = [i for i, x in enumerate(leaves) if _floating(x)]
    found = _gradients(output, cotangent, [leaves[i] for i in wanted])
    grads: list[torch.Tensor | None] = [None] * len(leaves)
    for i, grad in zip(wanted, found):
        grads[i] = grad
    return _detach(output), tuple(grads)


def parameter_gradients(module: torch.nn.Module, inputs: Sequence[Any], cotangent: Any, **kwargs: Any) -> dict[str, torch.Tensor | None]:
    """The gradients of ⟨module(*inputs), cotangent⟩ in every named parameter; None where nothing reaches it."""
    parameters = dict(module.named_parameters())
    with torch.enable_grad():
        output = module(*inputs, **kwargs)
    return dict(zip(parameters, _gradients(output, cotangent, list(parameters.values()))))


def _gradients(output: Any, cotangent: Any, leaves: list[torch.Tensor]) -> tuple[torch.Tensor | None, ...]:
    outputs, cotangents = (output, cotangent) if isinstance(cotangent, (tuple, list)) else ((output,), (cotangent,))
    if isinstance(output, (tuple, list)) and not isinstance(cotangent, (tuple, list)):
        raise TypeError(f"the function gives a {type(output).__name__} of {len(output)} where one tensor is expected")
    used = [(y, c) for y, c in zip(outputs, cotangents) if c is not None and isinstance(y, torch.Tensor) and y.requires_grad]
    if other := next(((y, c) for y, c in used if y.shape != c.shape), None):
        raise TypeError(f"the result has the shape {tuple(other[0].shape)}, expected is {tuple(other[1].shape)}")
    if not used or not leaves:
        return (None,) * len(leaves)
    return torch.autograd.grad([y for y, _ in used], leaves, [c for _, c in used], allow_unused=True)


def _floating(x: Any) -> bool:
    return isinstance(x, torch.Tensor) and x.is_floating_point()


def _detach(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.detach()
    if isinstance(value, (tuple, list)):
        return tuple(_detach(v) for v in value)
    return value
