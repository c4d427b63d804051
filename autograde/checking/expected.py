"""Expected values of the public checks: data that the build writes from the oracles, which stay with the instructor.

A check calls an oracle as if it were here, `want = cosine(s, h)`; students get its values alone. They are kept by check, in the order in which
the check asks for them, so a check asks for the same ones whatever the answer is.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from autograde import layout
from autograde.checking.errors import UserError

Values = dict[str, list[tuple[str, Any]]]  # by check: what it asks for, in this order, each with the oracle's name


@dataclass
class Recording:
    """Oracles to ask, and what they said so far."""

    oracles: Mapping[str, Callable]
    values: Values = field(default_factory=dict)


@dataclass
class _Turn:
    """The check that runs, and how much it has asked for."""

    check: str
    asked: int = 0


_turn: ContextVar[_Turn | None] = ContextVar("_turn", default=None)
_recording: ContextVar[Recording | None] = ContextVar("_recording", default=None)


class Oracle:
    """Stands for an oracle of a lesson; called in a check, it gives the value that was written down for this call."""

    def __init__(self, lesson: str, name: str) -> None:
        self.lesson, self.name = lesson, name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.ask(lambda oracle: oracle(*args, **kwargs))

    def ask(self, question: Callable[[Callable], Any]) -> Any:
        """`question(oracle)`, such as a gradient through it.

        Raises:
            UserError: outside a check, or when the check asks for something that was not written down.
        """
        turn, recording = _turn.get(), _recording.get()
        if turn is None:
            raise UserError("expected values are for the checks alone")
        turn.asked += 1
        if recording is None:
            return self._known(turn)
        value = question(recording.oracles[self.name])
        recording.values.setdefault(turn.check, []).append((self.name, encode(value)))
        return value

    def _known(self, turn: _Turn) -> Any:
        known = read(self.lesson).get(turn.check, [])
        name, value = known[turn.asked - 1] if turn.asked <= len(known) else ("", None)
        if name != self.name:
            raise UserError(f"{turn.check} asks for a value that was not written down: run `python -m autograde record {self.lesson[:2]}`")
        return decode(value)


def oracles(checks: str, *names: str) -> list[Oracle]:
    """The oracles of these names, for the file of checks that asks (its `__file__`)."""
    lesson = Path(checks).stem.removeprefix("test_")
    return [Oracle(lesson, name) for name in names]


def through(oracle: Callable, work: Callable, *args: Any) -> Any:
    """`work(oracle, *args)`; written down as a whole where `oracle` is an Oracle, or one with arguments given by `functools.partial`."""
    if isinstance(oracle, partial) and isinstance(oracle.func, Oracle):  # a partial of a partial is one, too
        return oracle.func.ask(lambda real: work(partial(real, *oracle.args, **oracle.keywords), *args))
    return oracle.ask(lambda real: work(real, *args)) if isinstance(oracle, Oracle) else work(oracle, *args)


@contextmanager
def turn_of(check: str) -> Iterator[None]:
    """What is asked for inside is asked for by this check."""
    token = _turn.set(_Turn(check))
    try:
        yield
    finally:
        _turn.reset(token)


@contextmanager
def recording(oracles: Mapping[str, Callable]) -> Iterator[Values]:
    """Inside, the oracles are asked themselves; gives what they said, to be written down."""
    kept = Recording(oracles)
    token = _recording.set(kept)
    try:
        yield kept.values
    finally:
        _recording.reset(token)


def read(lesson: str) -> Values:
    """The values of a lesson's checks, none where none were written down."""
    path = layout.expected_path(lesson)
    return _read(path, path.stat().st_mtime_ns) if path.exists() else {}


@lru_cache(maxsize=16)
def _read(path: Path, written: int) -> Values:
    return json.loads(path.read_text(encoding="utf-8"))


def encode(value: Any) -> Any:
    """Data as JSON, exact to the last bit.

    Raises:
        TypeError: for what is no data.
    """
    if isinstance(value, (torch.Tensor, np.ndarray)):
        array = value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else value
        kind = "tensor" if isinstance(value, torch.Tensor) else "array"
        return {kind: [str(array.dtype), list(array.shape), base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()]}
    if isinstance(value, dict):
        return {"dict": [[encode(key), encode(item)] for key, item in value.items()]}
    if isinstance(value, tuple):
        return {"tuple": [encode(item) for item in value]}
    if isinstance(value, list):
        return [encode(item) for item in value]
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"a {type(value).__name__} is no expected value")


def decode(value: Any) -> Any:
    """What `encode` was given."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "dict":
        return {decode(key): decode(item) for key, item in content}
    if kind == "tuple":
        return tuple(decode(item) for item in content)
    if kind == "bytes":
        return base64.b64decode(content)
    dtype, shape, data = content
    array = np.frombuffer(base64.b64decode(data), dtype=dtype).reshape(shape).copy()
    return torch.from_numpy(array) if kind == "tensor" else array
