"""How values, differences and arguments are told in a sentence."""

from __future__ import annotations

import inspect
import math
import os
import unicodedata
from collections.abc import Callable, Iterator
from types import FunctionType, MethodType
from typing import Any

import numpy as np
import torch

LAZY = ("generator", "map", "filter", "zip", "enumerate", "reversed", "chain", "islice")
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
BRACKETS: dict[type, tuple[str, str]] = {list: ("[", "]"), tuple: ("(", ")"), set: ("{", "}"), dict: ("{", "}")}


def apart(want: float, got: float) -> str:
    """Two numbers with as many digits as it takes to tell them apart, six at least; of whole numbers all digits."""
    if isinstance(want, int) and isinstance(got, int):
        return f"expected {want:,}, got {got:,}"
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
    return f"expected {show(want)}, got {show(got)}{_alike(show(want), show(got))}"


def _alike(want: str, got: str) -> str:
    """Where two texts look the same and are not (a Cyrillic letter, an accent on its own): what stands where they part."""
    at = len(os.path.commonprefix([want, got]))
    one, other = want[at : at + 1], got[at : at + 1]
    same = unicodedata.normalize("NFKC", want) == unicodedata.normalize("NFKC", got)
    scripts = {_script(letter) for letter in (one, other)}
    if one == other or not (same or len(scripts) == 2 and "" not in scripts):
        return ""
    return f"; they part at {_named(one)} and {_named(other)}"


def _script(letter: str) -> str:
    """`LATIN`, `CYRILLIC`, …; nothing of what is no letter."""
    return unicodedata.name(letter, "").split(" ")[0] if letter.isalpha() else ""


def _named(letter: str) -> str:
    return f"{unicodedata.name(letter, 'a sign without a name').lower()} (U+{ord(letter):04X})" if letter else "the end"


def _excerpt(text: str, near: slice) -> str:
    return "…" * (near.start > 0) + repr(text[near]) + "…" * (near.stop < len(text))


def show(value: Any, limit: int = 160) -> str:
    """A short picture of a value for a message."""
    if isinstance(value, torch.Tensor):
        text = f"a tensor of shape {tuple(value.shape)}"
        if value.device.type != "meta" and value.numel() <= 12:
            text += f": {rounded(value)}"
    elif isinstance(value, float):
        text = f"{value:.6g}"
    else:
        text = "nothing (None; is a `return` missing?)" if value is None else _beginning(value, limit)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _beginning(value: Any, room: int) -> str:
    """`repr(value)`, of which only so much is made as has room: a list may hold a hundred thousand tensors."""
    if isinstance(value, (str, bytes)):
        return repr(value[: room + 1])
    if type(value) is int and value.bit_length() > 1000:
        return f"a whole number of about {value.bit_length() * math.log10(2):.0f} digits"
    if isinstance(value, Iterator):
        remote = getattr(value, "_type_name", "generator")  # what is in another process can be asked for values, whatever it is
        return kind_of(value) + ", which gives its values one by one" * (remote in LAZY)
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


def shown(value: Any) -> str:
    """A picture of a value of the wrong kind; of nothing there is none, nor of what only its kind is known."""
    return "" if value is None or (picture := show(value)) == kind_of(value) else picture


def argument(function: Callable, i: int) -> str:
    """The name of the i-th argument, as the student wrote it; its place where the function is in another process."""
    code = function.forward if isinstance(function, torch.nn.Module) else function
    parameters = inspect.signature(code).parameters.values() if isinstance(code, (FunctionType, MethodType, type)) else ()
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if i < len(named):
        return f"`{named[i]}`"
    return f"the {ORDINALS[i]} argument" if i < len(ORDINALS) else "an argument"


def kind_of(value: Any) -> str:
    """A value's type with an article; of an object in another process, the type that it has there."""
    name = getattr(value, "_type_name", None)
    return "nothing (is a `return` missing?)" if value is None else with_article(name if type(name) is str else type(value).__name__)


def with_article(name: str) -> str:
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def rounded(values: torch.Tensor) -> list:
    return np.round(values.detach().double().numpy(), 3).tolist() if values.is_floating_point() else values.tolist()
