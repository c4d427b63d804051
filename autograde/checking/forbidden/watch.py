"""One watch: which calls are forbidden while it is open, and whether the student's code has made one."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from types import FrameType
from typing import Any, NoReturn

import torch

from autograde.checking.errors import ForbiddenCall
from autograde.checking.forbidden.names import PATCHED, SAME_ELSEWHERE, functions, in_part, is_of_differentiating, stand_ins
from autograde.checking.forbidden.whose import differentiates, module_of, ours

globals()["__builtins__"] = dict(vars(builtins))  # the guards' own: what an answer puts in the place of `getattr` does not run in them

# Frames of these, and of this package, stand between a call and who made it.
_BETWEEN = ("torch", "contextlib", "unittest", "threading", "concurrent", "multiprocessing", "functools")
_CLASSES_OF_CLASSES = (type(torch.Tensor), type(torch.nn.Parameter))
_PLAIN = {  # what stands in a class whose tensors PyTorch takes as they are
    "__torch_function__": (vars(torch.Tensor)["__torch_function__"], vars(torch.nn.Parameter)["__torch_function__"]),
    "__torch_dispatch__": (vars(torch.Tensor)["__torch_dispatch__"],),
}
_BASES, _MEMBERS = vars(type)["__mro__"], vars(type)["__dict__"]  # of a class, whatever it says

in_force: list[Watch] = []  # the watches that are open, for threads, since PyTorch's modes hold for one thread only
in_force_for_packages: list[Watch] = []  # for what guards a package in all requests


class Watch:
    """Which calls are forbidden, and whether the student's code has made one."""

    def __init__(self, names: Sequence[str], student_globals: Mapping[str, Any], strict: bool) -> None:
        self.names, self.student_globals, self.strict = names, student_globals, strict
        self.functions = functions(names)
        self.judged = _judged(self.functions)
        self.roots = stand_ins(names)
        self.without_gradients = self.forbids("backward")
        derivatives = ("torch.autograd", "torch.func") if self.without_gradients else ()
        self.guarded = [name for name in dict.fromkeys((*names, *self.roots, *derivatives)) if name in PATCHED]
        self.elsewhere = {n: module for n, module in SAME_ELSEWHERE.items() if n in self.functions}
        self.allowed = _allowed(self.functions)
        self.caught: ForbiddenCall | None = None

    def forbids(self, name: str) -> bool:
        found = self.judged.get(name)
        if found is None:
            found = self.judged[name] = name in self.functions or any(part in name for part in in_part(self.functions))
        return found

    def asked(self, function: Any, args: tuple, frame: FrameType | None) -> None:
        """Raise when the function that PyTorch is asked for is forbidden, or part of one that is written in Python."""
        name = str(getattr(function, "__name__", "")).split(".")[0]
        if name == "_set_grad_enabled" and args[:1] == (True,) and not differentiates(frame):
            name = "backward"  # the way out of the no_grad that stands around all
        own = frame
        while not self.forbids(name) and own is not None and module_of(own).split(".")[0] == "torch":
            code, module = own.f_code, module_of(own)
            name = next((n for n in (code.co_qualname.split(".")[0], module) if self.forbids(n)), code.co_name)
            own = own.f_back
        if self.forbids(name):
            self.check(name, frame)

    def check(self, name: str, frame: FrameType | None) -> None:
        """Raise when the call of `name` made in `frame` is the student's."""
        while frame is not None and (module_of(frame).startswith(__package__) or module_of(frame).split(".")[0] in _BETWEEN):
            frame = frame.f_back
        if self.strict if frame is None else self._theirs(frame, name):  # None: a thread that runs the function itself
            self.refuse(name)

    def refuse(self, name: str) -> NoReturn:
        self.caught = ForbiddenCall(f"This exercise is about writing it yourself, so its answer may not call {name.removeprefix('_')}")
        raise self.caught

    def no_class_of_theirs(self, types: Iterable[type]) -> None:
        """PyTorch calls the methods of a tensor's class unwatched. What a class of Python's has there could do anything, also one of PyTorch's own,
        whose methods can be replaced."""
        for kind in types if self.strict else ():
            if not _plain(kind):
                self.refuse("a class of tensors that has a __torch_function__ or __torch_dispatch__")

    def _theirs(self, frame: FrameType, name: str) -> bool:
        if not self.strict:
            return frame.f_globals is self.student_globals
        # Whatever calls it here, a package that was asked to or the worker itself, does so for the student: but a test may ask to differentiate.
        return not (is_of_differentiating(name) and ours(frame) and differentiates(frame))


@cache
def _judged(functions: frozenset[str]) -> dict[str, bool]:
    """Names that a watch of these functions has met, and whether they are forbidden."""
    return {}


@cache
def _allowed(functions: frozenset[str]) -> dict[int, tuple[Any, Callable]]:
    """PyTorch's own operators that a watch of these functions has looked at, by identity, and what each one calls: to look at one takes longer than
    most of them compute."""
    return {}


def _plain(kind: type) -> bool:
    """Whether PyTorch calls nothing of the class but what Tensor itself has. The class is not asked: its own class could answer."""
    if type(kind) not in _CLASSES_OF_CLASSES:
        return False
    members = [_MEMBERS.__get__(base) for base in _BASES.__get__(kind)]
    return all(next((own[name] for own in members if name in own), None) in known for name, known in _PLAIN.items())
