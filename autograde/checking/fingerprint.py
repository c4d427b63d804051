"""Recognise a known mistake by its output: a fingerprint is the numbers an answer gives on a fixed probe, without its code."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from autograde.checking.inputs import kept
from autograde.checking.modes import modes_kept
from autograde.checking.student import Student

LENGTH = 64  # numbers kept of a long output, spread evenly over it
DIGITS = 6


def fingerprint(probe: Callable[[Student], Any], student: Student) -> dict[str, Any]:
    """`{"form": …, "numbers": […]}` of what `probe(student)` gives, or `{"form": "raises ValueError", …}`."""
    try:
        with torch.random.fork_rng(devices=[]), modes_kept(), kept(probe):
            torch.manual_seed(0)  # what an answer leaves to PyTorch's own initialisation must not change from run to run
            value = probe(student)
    except NotImplementedError:
        raise
    except Exception as error:
        return {"form": f"raises {_builtin_name(error)}", "numbers": []}
    form: list[str] = []
    numbers: list[float] = []
    try:
        _flatten(value, form, numbers)
    except (OverflowError, TypeError, ValueError, RuntimeError, MemoryError):  # no float, no text, no values: no known mistake gives that
        return {"form": "cannot be told", "numbers": []}
    if len(numbers) > LENGTH:
        numbers = [numbers[i] for i in np.linspace(0, len(numbers) - 1, LENGTH).round().astype(int)]
    return {"form": " ".join(form)[:200], "numbers": [_round(x) for x in numbers]}


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two fingerprints agree up to rounding."""
    if one["form"] != other["form"] or len(one["numbers"]) != len(other["numbers"]):
        return False
    pairs = zip(one["numbers"], other["numbers"])
    return all(a == b or (_finite(a) and _finite(b) and math.isclose(a, b, rel_tol=2e-4, abs_tol=2e-5)) for a, b in pairs)


def _flatten(value: Any, form: list[str], numbers: list[float]) -> None:
    if isinstance(value, np.ndarray):
        value = torch.as_tensor(value)
    if isinstance(value, torch.Tensor):
        form.append(f"tensor{list(value.shape)}")
        flat = value.detach().flatten()
        numbers += flat[:4096].double().tolist() if not flat.is_complex() else torch.view_as_real(flat)[:2048].flatten().tolist()
    elif isinstance(value, dict):
        form.append(f"dict{len(value)}")
        for key in sorted(value, key=repr):
            _flatten(key, form, numbers)
            _flatten(value[key], form, numbers)
    elif isinstance(value, (tuple, list)):
        form.append(f"list{len(value)}")
        for item in value[:512]:
            _flatten(item, form, numbers)
    elif isinstance(value, (bool, int, float, np.number)):
        form.append("n")
        numbers.append(float(value))
    else:  # text, bytes, None: a checksum, so that nothing readable ships
        form.append("t")
        data = value if isinstance(value, bytes) else (value if isinstance(value, str) else type(value).__name__).encode()
        numbers.append(float(zlib.crc32(data)))


def _builtin_name(error: BaseException) -> str:
    """The nearest built-in exception's name, so that the same mistake reads the same in the kernel and in the grader."""
    return next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "builtins")


def _round(x: float) -> float | str:
    """JSON has no NaN or infinity, and a number's last digits differ between machines."""
    if not math.isfinite(x):
        return str(x)
    return float(f"{x:.{DIGITS}g}") if abs(x) < 2**32 and not x.is_integer() else float(x)


def _finite(x: float | str) -> bool:
    return not isinstance(x, str)
