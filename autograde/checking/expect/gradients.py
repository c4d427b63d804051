"""Assertions about gradients, and that a second call is computed anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from autograde.checking import expected
from autograde.checking.errors import CheckFailed
from autograde.checking.expect.chance import randn
from autograde.checking.expect.data import is_floating, tensors_in
from autograde.checking.expect.values import close, true
from autograde.checking.expect.words import argument, kind_of


def gradients(
    student: Any,
    function: Callable,
    inputs: Sequence[Any],
    oracle: Callable,
    *,
    where: str,
    rtol: float | None = None,
    atol: float | None = None,
) -> None:
    """The student's gradients in every floating input equal autograd's through `oracle` for one random cotangent.

    A second call with other values of the same shapes gives the oracle's values for these: nothing is kept from the first.
    """
    cotangent, wanted, again = expected.through(oracle, _input_gradients, inputs)
    output, got = student.pullback(function, tuple(inputs), cotangent)
    if output is None:  # no gradient would reach anything, for a simpler reason
        raise CheckFailed(f"For {where}: expected a result, got {kind_of(None)}")
    for i, want in enumerate(wanted):
        if want is not None and got[i] is None:
            raise CheckFailed(f"For {where}: no gradient reaches {argument(function, i)}; the result must stay differentiable in it")
        if want is not None:
            close(got[i], want, where=f"{where}, the gradient in {argument(function, i)}", rtol=rtol, atol=atol)
    second, _ = student.pullback(function, other_values(inputs), cotangent)
    computed_anew(output, second, again, where=where, rtol=rtol, atol=atol)


def parameter_gradients(
    student: Any,
    module: Any,
    inputs: Sequence[Any],
    cotangent: Any,
    oracle: Callable,
    weights: Mapping[str, torch.Tensor],
    *,
    where: str,
    atol: float | None = None,
) -> None:
    """The gradients in the module's parameters equal autograd's through `oracle(weights, *inputs)`.

    `cotangent` has the form of the output; in a tuple, None leaves that output out. They do for a second call with other values, too.
    """
    for values, words in ((tuple(inputs), where), (other_values(inputs), f"{where}, called again with other values")):
        wanted = expected.through(oracle, _weight_gradients, weights, values, cotangent)
        got = student.parameter_gradients(module, values, cotangent)
        for name, want in wanted.items():
            if want is not None:
                true(
                    got.get(name) is not None,
                    f"No gradient reaches `{name}`: it must be an nn.Parameter, and nothing between it and the result may be detached",
                )
                close(got[name], want, where=f"{words}, the gradient in {name}", atol=atol)


def computed_anew(first: Any, second: Any, want: Any, *, where: str, rtol: float | None = None, atol: float | None = None) -> None:
    """The `second` call's result is `want`, and not kept from the `first`, whose inputs had the same shapes."""
    kept = [torch.equal(one, other) for one, other in zip(tensors_in(first), tensors_in(second)) if one.shape == other.shape]
    try:
        close(second, want, where=f"{where}, called again with other values", rtol=rtol, atol=atol)
    except CheckFailed:
        if kept and all(kept):
            raise CheckFailed(
                f"For {where}: a second call with other values of the same shapes gives the first call's result; compute it anew in every call"
            ) from None
        raise


def other_values(inputs: Sequence[Any]) -> tuple[Any, ...]:
    """Inputs of the same shapes, signs and zeros with other floating values; integers and masks are the same."""
    return tuple(_scaled_unevenly(x) if is_floating(x) else x for x in inputs)


def _scaled_unevenly(x: torch.Tensor) -> torch.Tensor:
    factors = torch.linspace(0.5, 1.0, max(x.numel(), 2), dtype=x.dtype, device=x.device)[: x.numel()]
    return x.detach() * factors.reshape(x.shape)


def _input_gradients(oracle: Callable, inputs: Sequence[Any]) -> tuple[Any, list[torch.Tensor | None], Any]:
    """A random cotangent of the form of the oracle's output, autograd's gradients for it (None where there is none), the output for other values."""
    leaves = [x.detach().clone().requires_grad_() if is_floating(x) else x for x in inputs]
    outputs = oracle(*leaves)
    several = isinstance(outputs, (tuple, list))
    listed = list(outputs) if several else [outputs]
    cotangents = [randn(*y.shape, seed=101 + i, dtype=y.dtype) if is_floating(y) else None for i, y in enumerate(listed)]
    used = [(y, c) for y, c in zip(listed, cotangents) if c is not None and y.requires_grad]
    floating = [x for x in leaves if is_floating(x)]
    found = iter(torch.autograd.grad([y for y, _ in used], floating, [c for _, c in used], allow_unused=True))
    again = oracle(*other_values(inputs))
    again = tuple(y.detach() for y in again) if several else again.detach()
    return tuple(cotangents) if several else cotangents[0], [next(found) if is_floating(x) else None for x in leaves], again


def _weight_gradients(
    oracle: Callable, weights: Mapping[str, torch.Tensor], inputs: Sequence[Any], cotangent: Any
) -> dict[str, torch.Tensor | None]:
    leaves = {name: value.detach().clone().requires_grad_() for name, value in weights.items()}
    outputs = oracle(leaves, *inputs)
    pairs = zip(outputs, cotangent) if isinstance(cotangent, tuple) else [(outputs, cotangent)]
    used = [(y, c) for y, c in pairs if c is not None]
    return dict(zip(leaves, torch.autograd.grad([y for y, _ in used], list(leaves.values()), [c for _, c in used], allow_unused=True)))
