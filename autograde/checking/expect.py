"""What the checks say: assertions whose failure is a sentence a student understands.

Every function raises `CheckFailed(summary, detail)`: the summary may be shown for a hidden test, the detail holds values and is not.
"""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from numbers import Number, Real
from types import FunctionType, MethodType
from typing import Any

import numpy as np
import torch

from autograde.checking import expected
from autograde.checking.errors import CheckFailed, ForbiddenCall, MissingName, ProtocolError, StudentDied, StudentTimeout
from autograde.checking.exception_words import in_words

TOLERANCE = {  # (relative, absolute) by dtype: wide enough for another order of summation, far below any misconception
    torch.float64: (1e-7, 1e-9),
    torch.float32: (1e-4, 2e-5),
    torch.bfloat16: (2e-2, 2e-2),
    torch.float16: (2e-3, 2e-3),
}
FALSE_ALARM = 1e-7
KEYS = 6  # of a dictionary that are told where some are missing or too many
ONLY_FLOAT32 = "With float64 inputs the result is only as exact as float32: somewhere on the way the numbers are converted"
LOOKS_AT_VALUES = ("item() cannot be called on meta", "Cannot copy out of meta tensor", "data-independent")


def randn(*shape: int, seed: int, dtype: torch.dtype = torch.float32, scale: float = 1.0) -> torch.Tensor:
    """Standard normal numbers times `scale`, the same for the same seed on every machine."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(shape, generator=generator, dtype=torch.float64) * scale).to(dtype)


def rand(*shape: int, seed: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Uniform numbers in [0, 1), the same for the same seed on every machine."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


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
        _close_number(got, float(want), where, rtol, atol)


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
        raise CheckFailed(f"For {where}: expected a result, got {_kind(None)}")
    for i, want in enumerate(wanted):
        if want is not None and got[i] is None:
            raise CheckFailed(f"For {where}: no gradient reaches {argument(function, i)}; the result must stay differentiable in it")
        if want is not None:
            close(got[i], want, where=f"{where}, the gradient in {argument(function, i)}", rtol=rtol, atol=atol)
    second, _ = student.pullback(function, other_values(inputs), cotangent)
    computed_anew(output, second, again, where=where, rtol=rtol, atol=atol)


def differ(one: torch.Tensor, other: torch.Tensor, message: str, atol: float = 1e-3) -> None:
    """Two results are numbers, and not the same ones: NaN, which equals nothing, is no difference."""
    for got in (one, other):
        true(isinstance(got, torch.Tensor) and got.isfinite().all(), "The result is not made of finite numbers", show(got))
    true(not torch.allclose(one, other, atol=atol), message)


def vary(got: torch.Tensor, where: str) -> None:
    """A result is made of numbers that are not all the same, where what they are does not matter."""
    true(isinstance(got, torch.Tensor) and got.isfinite().all(), f"For {where}: the result is not made of finite numbers", show(got))
    true(got.min() < got.max(), f"For {where}: all numbers of the result are the same", show(got))


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


def _weight_gradients(
    oracle: Callable, weights: Mapping[str, torch.Tensor], inputs: Sequence[Any], cotangent: Any
) -> dict[str, torch.Tensor | None]:
    leaves = {name: value.detach().clone().requires_grad_() for name, value in weights.items()}
    outputs = oracle(leaves, *inputs)
    pairs = zip(outputs, cotangent) if isinstance(cotangent, tuple) else [(outputs, cotangent)]
    used = [(y, c) for y, c in pairs if c is not None]
    return dict(zip(leaves, torch.autograd.grad([y for y, _ in used], list(leaves.values()), [c for _, c in used], allow_unused=True)))


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


def is_record(value: Any) -> bool:
    """Whether it is a dataclass's object, such as a model in tables."""
    return is_dataclass(value) and not isinstance(value, type)


def keeps_dtype(function: Callable, *args: Any, **kwargs: Any) -> None:
    """float64 in, float64 out (in every floating tensor of the result), with more digits than float32 has."""
    wide = [x.double() * (1 + 2**-40) if is_floating(x) else x for x in args]  # float32 cannot hold these numbers
    results = [y for y in _some_tensors(function(*wide, **kwargs)) if y.is_floating_point()]
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
        raise CheckFailed(ONLY_FLOAT32, failed.detail) from None


def follows_device(function: Callable, *args: Any, **kwargs: Any) -> None:
    """Tensors on the `meta` device in, `meta` tensors out: nothing is created on a hard-wired device.

    Code that looks at values (a loop over lengths, an `if` on a sum) is right on every real device and cannot run on `meta`: it passes.
    """
    moved = [x.to("meta") if isinstance(x, torch.Tensor) else x for x in args]
    hint = _device_hint(function, args, kwargs)
    try:
        results = _some_tensors(function(*moved, **kwargs))
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


def frequencies(draws: Sequence[Any] | torch.Tensor, probabilities: Sequence[float] | torch.Tensor, *, where: str) -> None:
    """The integers drawn follow `probabilities` (Pearson's chi-squared test, false alarms below 1e-7)."""
    probabilities = torch.as_tensor(probabilities, dtype=torch.float64)
    drawn = torch.as_tensor([int(d) for d in draws])
    if drawn.numel() == 0 or drawn.min() < 0 or drawn.max() >= len(probabilities):
        raise CheckFailed(f"For {where}: a draw lies outside 0 … {len(probabilities) - 1}")
    counts = torch.bincount(drawn, minlength=len(probabilities)).double()
    impossible = probabilities == 0
    if counts[impossible].sum() > 0:
        raise CheckFailed(f"For {where}: something with probability 0 was drawn", f"{int(counts[impossible].sum())} of {len(drawn)} draws")
    expected = probabilities[~impossible] * len(drawn)
    statistic = ((counts[~impossible] - expected) ** 2 / expected).sum()
    freedom = int((~impossible).sum()) - 1
    if freedom and torch.special.gammaincc(torch.tensor(freedom / 2).double(), statistic / 2) < FALSE_ALARM:
        shares = [round(c / len(drawn), 3) for c in counts.tolist()]
        never = [str(i) for i in ((counts == 0) & ~impossible).nonzero().flatten().tolist()]
        told = f"; never drawn: {', '.join(never)}" if 0 < len(never) < len(shares) else ""
        raise CheckFailed(f"For {where}: the frequencies are not those expected", f"expected {_rounded(probabilities)}, got {shares}{told}")


def is_floating(x: Any) -> bool:
    return isinstance(x, torch.Tensor) and x.is_floating_point()


def tensors_in(value: Any) -> list[torch.Tensor]:
    """Every tensor in a nest of tuples, lists and dicts."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [t for item in value for t in tensors_in(item)] if isinstance(value, (tuple, list)) else []


def _some_tensors(result: Any) -> list[torch.Tensor]:
    if found := tensors_in(result):
        return found
    raise CheckFailed(f"The result must hold tensors, got {_kind(result)}", _shown(result))


def apart(want: float, got: float) -> str:
    """Two numbers with as many digits as it takes to tell them apart, six at least."""
    digits = next((n for n in range(6, 17) if f"{want:.{n}g}" != f"{got:.{n}g}"), 17)
    return f"expected {want:.{digits}g}, got {got:.{digits}g}"


def difference(got: Any, want: Any) -> str:
    """What was expected and what came; of two long texts the place where they part."""
    if isinstance(got, str) and isinstance(want, str) and max(len(got), len(want)) > 100:
        at = len(os.path.commonprefix([got, want]))
        near = slice(max(0, at - 25), at + 40)
        return f"they differ from character {at} on: expected {_excerpt(want, near)}, got {_excerpt(got, near)}"
    kinds = {type(want), type(got)}
    if kinds == {list, tuple}:
        return f"expected {with_article(type(want).__name__)}, {show(want)}, got {with_article(type(got).__name__)}, {show(got)}"
    return f"expected {show(want)}, got {show(got)}"


def _excerpt(text: str, near: slice) -> str:
    return "…" * (near.start > 0) + repr(text[near]) + "…" * (near.stop < len(text))


def show(value: Any, limit: int = 160) -> str:
    """A short picture of a value for a message."""
    if isinstance(value, torch.Tensor):
        text = f"a tensor of shape {tuple(value.shape)}"
        if value.device.type != "meta" and value.numel() <= 12:
            text += f": {_rounded(value)}"
    elif isinstance(value, float):
        text = f"{value:.6g}"
    else:
        text = "nothing (None; is a `return` missing?)" if value is None else _beginning(value, limit)
    return text if len(text) <= limit else text[: limit - 1] + "…"


LAZY = ("generator", "map", "filter", "zip", "enumerate", "reversed", "chain", "islice")
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
BRACKETS: dict[type, tuple[str, str]] = {list: ("[", "]"), tuple: ("(", ")"), set: ("{", "}"), dict: ("{", "}")}


def _beginning(value: Any, room: int) -> str:
    """`repr(value)`, of which only so much is made as has room: a list may hold a hundred thousand tensors."""
    if isinstance(value, (str, bytes)):
        return repr(value[: room + 1])
    if type(value) is int and value.bit_length() > 1000:
        return f"a whole number of about {value.bit_length() * math.log10(2):.0f} digits"
    if isinstance(value, Iterator):
        remote = getattr(value, "_type_name", "generator")  # what is in another process can be asked for values, whatever it is
        return _kind(value) + ", which gives its values one by one" * (remote in LAZY)
    if type(value) not in BRACKETS or not value:
        return repr(value)
    first, last = BRACKETS[type(value)]
    if isinstance(value, dict):
        pieces = (f"{_beginning(key, room)}: {_beginning(item, room)}" for key, item in value.items())
    else:
        pieces = (_beginning(item, room) for item in value)
    made: list[str] = []
    for piece in pieces:
        made.append(piece)
        if sum(map(len, made)) > room:
            return first + ", ".join(made)
    return first + ", ".join(made) + "," * (type(value) is tuple and len(value) == 1) + last


def shape_sentence(got: torch.Tensor, want: torch.Tensor) -> str:
    sentence = f"expected shape {tuple(want.shape)}, got {tuple(got.shape)}"
    if got.ndim > 1 and got.ndim == want.ndim and tuple(got.shape) == (*want.shape[:-2], want.shape[-1], want.shape[-2]):
        sentence += " (the last two dimensions are swapped)"
    return sentence


def _same_form(got: Any, want: torch.Tensor, where: str) -> None:
    if not isinstance(got, torch.Tensor):
        raise CheckFailed(f"For {where}: expected a torch.Tensor, got {_kind(got)}", _shown(got))
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
        raise CheckFailed(f"For {where}: expected a number, got {_kind(got)}", _shown(got))
    if not math.isclose(got, want, rel_tol=1e-5 if rtol is None else rtol, abs_tol=1e-6 if atol is None else atol):
        raise CheckFailed(f"For {where}: wrong value", apart(want, got))


def _same_container(got: Any, want: Any, kind: Any, where: str) -> None:
    if not isinstance(got, kind):
        raise CheckFailed(f"For {where}: expected a {type(want).__name__} of {len(want)}, got {_kind(got)}", _shown(got))
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


def _shown(value: Any) -> str:
    """A picture of a value of the wrong kind; of nothing there is none, nor of what only its kind is known."""
    return "" if value is None or (picture := show(value)) == _kind(value) else picture


def argument(function: Callable, i: int) -> str:
    """The name of the i-th argument, as the student wrote it; its place where the function is in another process."""
    code = function.forward if isinstance(function, torch.nn.Module) else function
    parameters = inspect.signature(code).parameters.values() if isinstance(code, (FunctionType, MethodType, type)) else ()
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if i < len(named):
        return f"`{named[i]}`"
    return f"the {ORDINALS[i]} argument" if i < len(ORDINALS) else "an argument"


def _kind(value: Any) -> str:
    """A value's type with an article; of an object in another process, the type that it has there."""
    name = getattr(value, "_type_name", None)
    return "nothing (is a `return` missing?)" if value is None else with_article(name if type(name) is str else type(value).__name__)


def with_article(name: str) -> str:
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _rounded(values: torch.Tensor) -> list:
    return np.round(values.detach().double().numpy(), 3).tolist() if values.is_floating_point() else values.tolist()
