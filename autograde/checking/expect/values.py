"""Assertions about one result: its form, its values, the error that a call raises."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np
import torch

from autograde.checking.errors import CheckFailed, ForbiddenCall, MissingName, ProtocolError, StudentDied, StudentTimeout
from autograde.checking.exception_words import in_words
from autograde.checking.expect.words import apart, difference, kind_of, shape_sentence, show, shown

TOLERANCE = {  # (relative, absolute) by dtype: wide enough for another order of summation, far below any misconception
    torch.float64: (1e-7, 1e-9),
    torch.float32: (1e-4, 2e-5),
    torch.bfloat16: (2e-2, 2e-2),
    torch.float16: (2e-3, 2e-3),
}
KEYS = 6  # of a dictionary that are told where some are missing or too many


def close(got: Any, want: Any, *, where: str, rtol: float | None = None, atol: float | None = None) -> None:
    """`got` has the type, shape and dtype of `want`, and its values within the tolerance of its dtype."""
    if isinstance(want, torch.Tensor):
        _close_tensor(got, want, where, rtol, atol)
    elif isinstance(want, np.ndarray):
        close(torch.as_tensor(got), torch.as_tensor(want), where=where, rtol=rtol, atol=atol)
    elif isinstance(want, dict):
        _same_container(got, want, dict, where)
        for key in want:
            close(got[key], want[key], where=f"{where}, entry {key!r}", rtol=rtol, atol=atol)
    elif isinstance(want, (tuple, list)):
        _same_container(got, want, (tuple, list), where)
        for i, (one, other) in enumerate(zip(got, want, strict=True)):
            close(one, other, where=f"{where}, result {i}", rtol=rtol, atol=atol)
    elif isinstance(want, bool) or not isinstance(want, Real):
        equal(got, want, where=where)
    else:
        _close_number(got, want if isinstance(want, int) else float(want), where, rtol, atol)


def equal(got: Any, want: Any, *, where: str) -> None:
    """`got` is exactly `want`: for integers, strings, boolean masks and containers of them."""
    if isinstance(want, torch.Tensor):
        _same_form(got, want, where)
        if not torch.equal(got, want):
            at = tuple((got != want).nonzero()[0].tolist())
            raise CheckFailed(f"For {where}: wrong values", f"at index {at} expected {want[at].item()}, got {got[at].item()}")
        return
    if isinstance(want, dict):
        _same_container(got, want, dict, where)
        for key in want:
            equal(got[key], want[key], where=f"{where}, entry {show(key)}")
        return
    if isinstance(got, torch.Tensor) and got.ndim == 0 and isinstance(want, (bool, int)):
        got = got.item()
    same_type = type(got) is type(want) or (isinstance(want, int) and type(got) in (int, np.int64) and not isinstance(want, bool))
    if not same_type or got != want:
        raise CheckFailed(f"For {where}: not the expected result", difference(got, want))


def true(condition: Any, message: str, detail: str = "") -> None:
    """The condition holds; otherwise `message` is what the student reads (with `detail`, in a public check)."""
    if not bool(condition):
        raise CheckFailed(message, detail)


def raises(error: type[BaseException], function: Callable, *args: Any, naming: str = "", where: str, **kwargs: Any) -> None:
    """The call raises `error`, and its message holds `naming` (the argument's name)."""
    try:
        function(*args, **kwargs)
    except error as raised:
        if isinstance(raised, NotImplementedError):
            raise
        if naming and naming.lower() not in str(raised).lower():
            raise CheckFailed(
                f"For {where}: the {error.__name__} should name `{naming}` in its message", f"it says {show(str(raised))}"
            ) from None
        return
    except (NotImplementedError, MissingName, ForbiddenCall, StudentTimeout, StudentDied, ProtocolError):
        raise
    except Exception as raised:
        raise CheckFailed(
            f"For {where}: expected a {error.__name__}, got {getattr(raised, 'type_name', type(raised).__name__)}",
            in_words(str(raised)) or show(str(raised)),
        ) from None
    raise CheckFailed(f"For {where}: expected a {error.__name__}, but the call returned a result")


def differ(one: torch.Tensor, other: torch.Tensor, message: str, atol: float = 1e-3) -> None:
    """Two results are numbers, and not the same ones: NaN, which equals nothing, is no difference."""
    for got in (one, other):
        true(isinstance(got, torch.Tensor) and got.isfinite().all(), "The result is not made of finite numbers", show(got))
    true(not torch.allclose(one, other, atol=atol), message)


def vary(got: torch.Tensor, where: str) -> None:
    """A result is made of numbers that are not all the same, where what they are does not matter."""
    true(isinstance(got, torch.Tensor) and got.isfinite().all(), f"For {where}: the result is not made of finite numbers", show(got))
    true(got.min() < got.max(), f"For {where}: all numbers of the result are the same", show(got))


def _same_form(got: Any, want: torch.Tensor, where: str) -> None:
    if not isinstance(got, torch.Tensor):
        raise CheckFailed(f"For {where}: expected a torch.Tensor, got {kind_of(got)}", shown(got))
    if got.shape != want.shape:
        raise CheckFailed(f"For {where}: wrong shape", shape_sentence(got, want))
    if got.dtype != want.dtype:
        expected, received = (str(d).removeprefix("torch.") for d in (want.dtype, got.dtype))
        raise CheckFailed(f"For {where}: wrong dtype", f"expected {expected}, got {received}")
    if got.device != want.device:
        raise CheckFailed(f"For {where}: the result is on another device", f"expected {want.device}, got {got.device}")


def _close_tensor(got: Any, want: torch.Tensor, where: str, rtol: float | None, atol: float | None) -> None:
    _same_form(got, want, where)
    if not want.is_floating_point() and not want.is_complex():
        return equal(got, want, where=where)
    if got.isnan().any() and not want.isnan().any():
        raise CheckFailed(f"For {where}: the result holds NaN", f"{int(got.isnan().sum())} of {got.numel()} entries")
    relative, absolute = TOLERANCE.get(want.dtype, TOLERANCE[torch.float32])
    rtol, atol = relative if rtol is None else rtol, absolute if atol is None else atol
    wrong = ~torch.isclose(got, want, rtol=rtol, atol=atol)
    if wrong.any():
        difference = torch.where(wrong, (got - want).abs().nan_to_num(posinf=1e38), -1.0)
        at = tuple(int(i) for i in np.unravel_index(int(difference.flatten().argmax()), got.shape)) if got.ndim else ()
        share = f"{int(wrong.sum())} of {got.numel()} values are off" if got.ndim else "the value is off"
        at_index = f"; furthest at index {list(at)}: " if got.ndim else ": "
        raise CheckFailed(f"For {where}: wrong values", f"{share}{at_index}{apart(want[at].item(), got[at].item())}")
    return None


def _close_number(got: Any, want: float, where: str, rtol: float | None, atol: float | None) -> None:
    if isinstance(got, (torch.Tensor, np.generic)) and getattr(got, "ndim", 0) == 0:
        got = got.item()
    if isinstance(got, bool) or not isinstance(got, (int, float)):
        raise CheckFailed(f"For {where}: expected a number, got {kind_of(got)}", shown(got))
    if not math.isclose(got, want, rel_tol=1e-5 if rtol is None else rtol, abs_tol=1e-6 if atol is None else atol):
        raise CheckFailed(f"For {where}: wrong value", apart(want, got))


def _same_container(got: Any, want: Any, kind: Any, where: str) -> None:
    if not isinstance(got, kind):
        raise CheckFailed(f"For {where}: expected a {type(want).__name__} of {len(want)}, got {kind_of(got)}", shown(got))
    if isinstance(want, dict) and set(got) != set(want):
        lists = ("missing", set(want) - set(got)), ("unexpected", set(got) - set(want))
        told = [f"{word} {_some_keys(keys)}" for word, keys in lists if keys]
        raise CheckFailed(f"For {where}: wrong keys", "; ".join(told))
    if len(got) != len(want):
        raise CheckFailed(f"For {where}: expected {len(want)} results, got {len(got)}")


def _some_keys(keys: set) -> str:
    """The first few of them in order, numbers by size, and how many there are where these are not all."""
    shown = [show(key) for key in sorted(keys, key=lambda key: (not isinstance(key, int), key if isinstance(key, int) else 0, show(key)))]
    return ", ".join(shown) if len(shown) <= KEYS else f"{', '.join(shown[:KEYS])} and {len(shown) - KEYS} more"
