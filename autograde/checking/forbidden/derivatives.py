"""What differentiates beside autograd's engine, and the other modules whose functions are written in Python and guarded one by one."""

from __future__ import annotations

import builtins
import importlib
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import wraps
from operator import is_
from sys import _getframe
from types import FrameType, FunctionType, ModuleType
from typing import Any
from unittest import mock

from autograde.checking.forbidden.names import ONLY_LOOKS, PATCHED
from autograde.checking.forbidden.watch import Watch, in_force_for_packages

globals()["__builtins__"] = dict(vars(builtins))  # as in `watch`

# By a module's identity: the members of it and of its classes, and what they were.
_guarded_for_good: dict[int, list[tuple[Mapping[str, Any], list[Any]]]] = {}


class _ForGood:
    """Asks for a module whose functions are guarded in all requests, whatever is forbidden at the time."""

    def __init__(self, name: str) -> None:
        self.name = name

    def check(self, function: str, frame: FrameType | None) -> None:
        for watch in in_force_for_packages:
            if self.name in watch.guarded:
                watch.check(function, frame)


def watch_derivatives() -> None:
    """From now on, every call of what differentiates beside autograd's engine is seen in this process. To guard forty functions for each request
    takes longer than most answers."""
    for name in ("torch.autograd", "torch.func"):
        for module in map(importlib.import_module, PATCHED[name]):
            patch(ExitStack(), vars(module), module, _ForGood(name))
            owners = [module, *(value for value in vars(module).values() if _is_of(value, module))]
            _guarded_for_good[id(module)] = [(vars(owner), list(vars(owner).values())) for owner in owners]


def stands_guarded(module: ModuleType) -> bool:
    """Whether its functions are those that are guarded for good: an answer's cells can put others in their place."""
    known = _guarded_for_good.get(id(module), [])
    return bool(known) and all(len(members) == len(were) and all(map(is_, members.values(), were)) for members, were in known)


def patch(stack: ExitStack, members: Mapping[str, Any], owner: Any, watch: Watch | _ForGood) -> None:
    """Guard the public functions of a module, and the methods of its classes, for as long as the stack is open."""
    for name, value in list(members.items()):
        if name not in ONLY_LOOKS and isinstance(value, FunctionType) and (not name.startswith("__") or name == "__init__"):
            stack.enter_context(mock.patch.object(owner, name, _guarded(value, watch)))
        elif _is_of(value, owner):
            patch(stack, vars(value), value, watch)


def _is_of(value: Any, owner: Any) -> bool:
    """Whether it is a class of the module `owner`."""
    return isinstance(value, type) and not isinstance(owner, type) and value.__module__ == owner.__name__


def _guarded(function: FunctionType, watch: Watch | _ForGood) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        watch.check(f"{function.__module__.split('.')[0]}'s {function.__name__}", _getframe(1))
        return function(*args, **kwargs)

    return call
