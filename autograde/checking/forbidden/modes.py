"""The modes of PyTorch that see what is asked of it: its functions, and the operators that compiled code asks for straight."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable
from contextlib import ExitStack, nullcontext
from sys import _getframe
from types import FrameType
from typing import Any

import torch
from torch import is_grad_enabled, no_grad
from torch._C import _get_operation_overload
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from autograde.checking.forbidden.watch import Watch, in_force
from autograde.checking.forbidden.ways_around import Guard
from autograde.checking.forbidden.whose import differentiates

globals()["__builtins__"] = dict(vars(builtins))  # as in `watch`

_ATTRIBUTES = next(vars(kind)["__dict__"] for kind in torch._ops.OpOverload.__mro__ if "__dict__" in vars(kind))  # of an operator
_LETTING_GO = ("set_",)  # frees what a tensor lies in, and that may have a `__del__`
_CALLING_BACK = ("apply_", "map_", "map2_")  # PyTorch calls a function of Python's from in there, unwatched
_OPERATORS = frozenset(name.split(".")[0] for name in torch._C._dispatch_get_all_op_names())  # before a student defines any
_LIBRARY = ("aten", "prim", "prims", "rngprims", "inductor", "higher_order", "profiler")  # where PyTorch itself may still define some


class Functions(Guard, TorchFunctionMode):
    """Sees the functions that Python code asks of PyTorch."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self.watch = watch

    def __torch_function__(self, function: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        self.watch.asked(function, args, _getframe(1))
        self.watch.no_class_of_theirs(types)
        if getattr(function, "__name__", "") in _CALLING_BACK:
            args = tuple(watched(a, [Functions], self.watch) if callable(a) and not isinstance(a, torch.Tensor) else a for a in args)
        return function(*args, **(kwargs or {}))


class InThread(Guard, TorchFunctionMode):
    """The same in a thread, from its first step to its last, for whatever is forbidden at the time."""

    def __torch_function__(self, function: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        if not in_force:
            return function(*args, **(kwargs or {}))
        in_force[-1].asked(function, args, _getframe(1))
        with no_grad() if in_force[-1].without_gradients else nullcontext():  # it holds for one thread only
            return function(*args, **(kwargs or {}))


class Operators(Guard, TorchDispatchMode):
    """Sees what reaches PyTorch's kernels straight from the student's code: from TorchScript, say, which asks no function."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self.watch = watch

    def __torch_dispatch__(self, function: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        if types:
            self.watch.no_class_of_theirs(types)
        if self.watch.without_gradients and is_grad_enabled() and not differentiates(_getframe(1)):
            self.watch.refuse("backward")  # a graph is kept, whatever has begun that: inference mode has a way to it, too
        found = self.watch.allowed.get(id(function))
        operator = found[1] if found else self._looked_at(function, _getframe(1))
        return operator(*args, **(kwargs or {}))

    def _looked_at(self, function: Any, frame: FrameType) -> Callable:
        """What the operator calls, by its name and not by what it says, since that can be replaced; unless it is forbidden."""
        schema = _ATTRIBUTES.__get__(function).get("_schema") if isinstance(function, torch._ops.OpOverload) else None
        if type(schema) is not torch._C.FunctionSchema:
            self.watch.refuse("an operator of another kind")
        space, _, name = schema.name.partition("::")
        if schema.name not in _OPERATORS and space not in _LIBRARY:
            self.watch.refuse(name)  # an operator of the student's own, which may do anything in there
        operator = _get_operation_overload(schema.name, schema.overload_name)[0]
        if name in _LETTING_GO:
            self.watch.refuse(name)
        if self.watch.forbids(name):
            self.watch.check(name, frame)
        else:
            self.watch.allowed[id(function)] = (function, operator)
        return operator


class OperatorsInThread(Guard, TorchDispatchMode):
    """The same in a thread, for whatever is forbidden at the time."""

    def __torch_dispatch__(self, function: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        if not in_force:
            return function(*args, **(kwargs or {}))
        return Operators(in_force[-1]).__torch_dispatch__(function, types, args, kwargs)


def standing(stack: ExitStack, guard: Any) -> None:
    """The mode stands until the stack is closed."""
    stack.enter_context(guard)
    stack.callback(setattr, guard, "over", True)


def watched(function: Callable, modes: Iterable[Callable[..., Any]], *args: Any) -> Callable:
    def run(*given: Any, **named: Any) -> Any:
        with ExitStack() as stack:
            for mode in modes:
                standing(stack, mode(*args))
            return function(*given, **named)

    return run
