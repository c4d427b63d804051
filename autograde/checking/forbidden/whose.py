"""Whose code a frame runs, in a worker: the grader's or anybody else's. The names of files, modules and functions can be forged, code objects cannot."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterator, Mapping
from types import CodeType, FrameType, FunctionType
from typing import Any

from autograde.checking import gradients

globals()["__builtins__"] = dict(vars(builtins))  # as in `watch`

# Code of ours, by identity, with each one's module and the globals that it must run with.
_OURS: dict[int, tuple[CodeType, str, dict[str, Any]]] = {}
_SERVING: set[str] = set()  # modules whose code stands where a test's request came in


def requests_arrive_in(module: str) -> None:
    """Name the module that serves a test's requests: what it calls of ours, it calls on the test's behalf. Call it while only our code is loaded."""
    _SERVING.add(module)
    for name, loaded in list(sys.modules.items()):
        if name.split(".")[0] == "autograde":
            _OURS.update((id(code), (code, name, vars(loaded))) for code in _codes(vars(loaded), name))


def _codes(members: Mapping[str, Any], module: str) -> Iterator[CodeType]:
    """The code of a module's functions, of its classes' methods, of what tables of it hold, and of what is defined inside."""
    for value in list(members.values()):
        if isinstance(value, (FunctionType, property, staticmethod, classmethod)):
            function = getattr(value, "fget", None) or getattr(value, "__func__", value)
            inner = getattr(function, "__wrapped__", function)
            own = [one for one in (function, inner) if isinstance(one, FunctionType) and one.__module__ == module]
            yield from (code for one in own for code in _with_inner(one.__code__))
        elif isinstance(value, type) and value.__module__ == module:
            yield from _codes(vars(value), module)
        elif type(value) is dict and value is not members and not isinstance(value.get("__name__"), str):
            yield from _codes({key: one for key, one in value.items() if isinstance(one, FunctionType)}, module)


def _with_inner(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _with_inner(constant)


def differentiates(frame: FrameType | None) -> bool:
    """Whether this runs because a test has asked to differentiate: between its request and our code that does so stands only our code."""
    while frame is not None and ours(frame) != gradients.__name__:
        frame = frame.f_back
    while frame is not None and ours(frame) not in _SERVING:
        if not ours(frame):
            return False
        frame = frame.f_back
    return frame is not None


def ours(frame: FrameType) -> str:
    """The module of code that is ours, not by what it says of itself; "" for any other."""
    known = _OURS.get(id(frame.f_code))
    return known[1] if known and known[2] is frame.f_globals else ""


def module_of(frame: FrameType) -> str:
    """The module that a frame says it is of; "" when it says nothing that is a name."""
    name = frame.f_globals.get("__name__", "")
    return name if type(name) is str else ""
