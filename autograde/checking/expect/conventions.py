"""Assertions about what every exercise keeps: inputs as they were, dtype, precision, device."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from numbers import Number
from typing import Any

import torch

from autograde.checking.errors import CheckFailed
from autograde.checking.expect.data import is_floating, is_record, tensors_in
from autograde.checking.expect.values import TOLERANCE, close
from autograde.checking.expect.words import argument, kind_of, shown

ONLY_FLOAT32 = "With float64 inputs the result is only as exact as float32: somewhere on the way the numbers are converted"
NOT_EXACT = (
    "With float64 inputs the result has only float32's digits: on the way numbers are converted, or a small number is added (such as 1e-9)"
)
LOOKS_AT_VALUES = ("item() cannot be called on meta", "Cannot copy out of meta tensor", "data-independent")


def inputs_unchanged(student: Any, function: Callable, *args: Any, **kwargs: Any) -> None:
    """The call leaves every tensor, list and dict it was given as it was."""
    before = _snapshot(args)
    after = student.arguments_after(function, *args, **kwargs)
    for i, (old, new) in enumerate(zip(before, after)):
        if not _untouched(old, new):
            kind = "tensor" if isinstance(old, torch.Tensor) else type(old).__name__
            raise CheckFailed(f"The function changes {argument(function, i)} in place; work on a copy or build a new {kind}")


def _snapshot(value: Any) -> Any:
    """Data as they are now; what is no data (a model, a generator, a function) is the thing itself."""
    if isinstance(value, torch.Tensor):
        return value.clone()
    if isinstance(value, dict):
        return {key: _snapshot(item) for key, item in value.items()}
    if is_record(value):
        return replace(value, **{f.name: _snapshot(getattr(value, f.name)) for f in fields(value)})
    return type(value)(map(_snapshot, value)) if type(value) in (list, tuple) else value


def _untouched(old: Any, new: Any) -> bool:
    """Whether data are what they were; what is no data (a model, a generator) is not looked into."""
    if isinstance(old, torch.Tensor):
        return torch.equal(old, new)
    if isinstance(old, dict):
        return isinstance(new, dict) and list(old) == list(new) and all(_untouched(old[key], new[key]) for key in old)
    if isinstance(old, (list, tuple)):
        return isinstance(new, (list, tuple)) and len(old) == len(new) and all(map(_untouched, old, new))
    if is_record(old):
        return all(_untouched(getattr(old, f.name), getattr(new, f.name, None)) for f in fields(old))
    return old == new if isinstance(old, (str, bytes, Number)) else True


def keeps_dtype(function: Callable, *args: Any, **kwargs: Any) -> None:
    """float64 in, float64 out (in every floating tensor of the result), with more digits than float32 has."""
    wide = [x.double() * (1 + 2**-40) if is_floating(x) else x for x in args]  # float32 cannot hold these numbers
    results = [y for y in some_tensors(function(*wide, **kwargs)) if y.is_floating_point()]
    for y in results:
        if y.dtype != torch.float64:
            raise CheckFailed("Results must have the dtype of the inputs", f"float64 in, {str(y.dtype).removeprefix('torch.')} out")
    if any(y.isnan().any() for y in results):
        raise CheckFailed("With float64 inputs the result holds NaN")
    if results and all(torch.equal(y.float().double(), y) for y in results):
        raise CheckFailed(ONLY_FLOAT32)


def precise(function: Callable, oracle: Callable, *args: Any, where: str) -> None:
    """float64 inputs are computed with in float64 all the way: the values are `oracle`'s to float64's tolerance, not only to float32's."""
    wide = [x.double() if is_floating(x) else x for x in args]
    got, want = function(*wide), oracle(*wide)
    close(got, want, where=f"{where}, in float64", rtol=TOLERANCE[torch.float32][0], atol=TOLERANCE[torch.float32][1])
    try:
        close(got, want, where=where, rtol=1e-10, atol=1e-12)
    except CheckFailed as failed:
        raise CheckFailed(NOT_EXACT, failed.detail) from None


def follows_device(function: Callable, *args: Any, **kwargs: Any) -> None:
    """Tensors on the `meta` device in, `meta` tensors out: nothing is created on a hard-wired device.

    Code that looks at values (a loop over lengths, an `if` on a sum) is right on every real device and cannot run on `meta`: it passes.
    """
    moved = [x.to("meta") if isinstance(x, torch.Tensor) else x for x in args]
    hint = _device_hint(function, args, kwargs)
    try:
        results = some_tensors(function(*moved, **kwargs))
    except (RuntimeError, NotImplementedError, ValueError) as error:
        text = str(error)
        if any(words in text for words in LOOKS_AT_VALUES):
            return
        if "meta" not in text and "device" not in text:
            raise
        raise CheckFailed(hint) from None
    if any(y.device.type != "meta" for y in results):
        raise CheckFailed(hint)


def _device_hint(function: Callable, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    if "device" in kwargs:
        return "The result must live on `device`; somewhere a tensor is made on the CPU (pass device=device)"
    name = next((argument(function, i) for i, x in enumerate(args) if isinstance(x, torch.Tensor)), "the inputs")
    pass_on = f" (pass device={name.strip('`')}.device)" if name.startswith("`") else ""
    return f"The result must live on the device of {name}; somewhere a tensor is made on the CPU{pass_on}"


def some_tensors(result: Any) -> list[torch.Tensor]:
    if found := tensors_in(result):
        return found
    raise CheckFailed(f"The result must hold tensors, got {kind_of(result)}", shown(result))
