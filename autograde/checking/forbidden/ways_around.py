"""What of PyTorch goes past its modes or turns them off: in a worker it is refused while a call is forbidden. Nothing that computes needs it."""

from __future__ import annotations

import builtins
import contextlib
import inspect
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from sys import _getframe
from types import CodeType, FrameType
from typing import Any

import torch
import torch.library
from torch import overrides
from torch.utils import _python_dispatch
from torch.utils._device import DeviceContext

from autograde.checking.forbidden.whose import ours

globals()["__builtins__"] = dict(vars(builtins))  # as in `watch`

Refuse = Callable[[str, FrameType], None]

_PAST: dict[Any, tuple[str, ...]] = {
    torch._C: ("DisableTorchFunction", "_DisableTorchDispatch", "_dispatch_call_boxed", "_ForceDispatchKeyGuard", "_set_torch_function_state",
               "_set_skip_next_torch_function", "_skip_one_hop_torch_function"),
    torch._C._SafeKernelFunction: ("call_boxed",),
    torch._C._DispatchOperatorHandle: ("redispatch_boxed",),
    torch._ops.OpOverload: ("redispatch",),
}  # fmt: skip
_LEAVING_OUT = ("_ExcludeDispatchKeyGuard", "ExcludeDispatchKeyGuard", "_SetExcludeDispatchKeyGuard",
                "_dispatch_tls_set_dispatch_key_excluded", "_dispatch_tls_set_dispatch_key_included")  # fmt: skip
_OF_MODES = (torch._C.DispatchKey.Python, torch._C.DispatchKey.PythonTLSSnapshot)
_PYTHONS_DISPATCHER = torch._C.DispatchKey.PythonDispatcher  # asks functions of Python's before any mode

# What keeps how a thread stands when it is entered, and brings that back when it is left: modes that were put there in between are off then.
_KEEPING = [getattr(torch._C, name) for name in ("_ForceDispatchKeyGuard", "_ExcludeDispatchKeyGuard", "_SetExcludeDispatchKeyGuard",
            "_IncludeDispatchKeyGuard", "_PreserveDispatchKeyGuard", "_InferenceMode", "_EnablePythonDispatcher")]  # fmt: skip
_entered: list[tuple[weakref.ref, Callable]] = []  # while nothing was forbidden, and how each is left, which it is when it goes, too
_ENDING = {
    "_pop_torch_function_stack": torch._C._push_on_torch_function_stack,
    "_pop_torch_dispatch_stack": torch._C._push_on_torch_dispatch_stack,
}
_SHOWING = ("_get_function_stack_at", "_get_dispatch_stack_at")

# What brings the modes of this thread into the state that they begin in; taken before an answer can replace it.
_KINDS = tuple(torch._C._TorchDispatchModeKey.__members__.values())  # type: ignore[attr-defined]
_set_state, _unset = torch._C._set_torch_function_state, torch._C._unset_dispatch_mode  # type: ignore[attr-defined]
_set_excluded, _set_included = torch._C._dispatch_tls_set_dispatch_key_excluded, torch._C._dispatch_tls_set_dispatch_key_included
_is_excluded, _is_included = torch._C._dispatch_tls_is_dispatch_key_excluded, torch._C._dispatch_tls_is_dispatch_key_included
_functions, _pop_function = torch._C._len_torch_function_stack, torch._C._pop_torch_function_stack
_operators, _pop_operator = torch._C._len_torch_dispatch_stack, torch._C._pop_torch_dispatch_stack
_ENABLED = torch._C._TorchFunctionState.ENABLED  # type: ignore[attr-defined]
_is_main, _this_thread = threading.main_thread().ident.__eq__, threading.get_ident  # type: ignore[union-attr]

# A kernel that is written in Python takes the place of one of PyTorch's, and runs where modes are off.
_REGISTERING = ("impl", "fallback")
_fallthrough = torch.library.fallthrough_kernel  # no function: PyTorch knows it by its identity

# PyTorch's own functions that take a mode off and put it back, with no code of a student's in between, and what stands between them and that.
_PUTTING_BACK = {overrides.handle_torch_function.__code__, DeviceContext.__enter__.__code__, DeviceContext.__exit__.__code__,
                 *(c for c in DeviceContext.__enter__.__code__.co_consts if isinstance(c, CodeType))}  # fmt: skip
_BETWEEN = {overrides._pop_mode.__code__, inspect.unwrap(overrides._pop_mode_temporarily).__code__,
            contextlib._GeneratorContextManager.__enter__.__code__}  # fmt: skip

# What `torch.autocast` goes through to look for a mode of its own: it is shown no guard, and so no class of a student's that it asks is.
_LOOKING = {overrides._get_current_function_mode_stack.__code__,
            *(c for c in overrides._get_current_function_mode_stack.__code__.co_consts if isinstance(c, CodeType))}  # fmt: skip
_AUTOCAST = {torch.autocast.__enter__.__code__, torch.autocast.__exit__.__code__}


class Guard:
    """A mode of PyTorch's that stands until `over` says that it may end."""

    over = False

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """PyTorch puts what keeps its compiler away around a mode's methods, and an answer could replace that; here nothing compiles."""
        return False


def watch(refuse: Refuse, in_force: Callable[[], bool]) -> None:
    """From now on, `refuse` hears of every way around; nothing that it lets pass ends a guard."""
    for kind in _KEEPING:
        _entering(kind, refuse, in_force)
    for owner, names in _PAST.items():
        for name in names:
            _stand_for(owner, name, _asking(getattr(owner, name), refuse, lambda arguments: True))
    for name in _LEAVING_OUT:
        _stand_for(torch._C, name, _asking(getattr(torch._C, name), refuse, _names_modes))
    for name, put_back in _ENDING.items():
        _stand_for(torch._C, name, _keeping(getattr(torch._C, name), put_back, refuse))
    for name in _SHOWING:
        _stand_for(torch._C, name, _hiding(getattr(torch._C, name), refuse))
    for name in _REGISTERING:
        _stand_for(torch._C._DispatchModule, name, _registering(getattr(torch._C._DispatchModule, name), refuse))
    _stand_for(_python_dispatch, "_disable_current_modes", _disabling(_python_dispatch._disable_current_modes, in_force))


def modes_on() -> None:
    """Before anything is asked: an answer may have left PyTorch's modes off, or one of its own below those that are put there now."""
    while _entered:
        guard, leave = _entered.pop()
        if (alive := guard()) is not None:
            leave(alive, None, None, None)
    _set_state(_ENABLED)
    for key in _OF_MODES:
        _set_excluded(key, False)
    for kind in _KINDS:
        _unset(kind)
    while _operators():
        _pop_operator(None)
    while _functions():
        _pop_function()


def _stand_for(owner: Any, name: str, ours: Callable) -> None:
    """Put ours in the place of a function, also where PyTorch's modules have it under its name."""
    before = getattr(owner, name)
    setattr(owner, name, ours)
    for module in [m for n, m in list(sys.modules.items()) if n.split(".")[0] == "torch"]:
        if getattr(module, "__dict__", {}).get(name) is before:
            setattr(module, name, ours)


def _asking(function: Callable, refuse: Refuse, concerns: Callable[[tuple], bool]) -> Callable:
    def call(*args: Any, **kwargs: Any) -> Any:
        if concerns((*args, *kwargs.values())):
            refuse(getattr(function, "__name__", "it"), _getframe(1))
            _for_main_thread(getattr(function, "__name__", "it"))
        return function(*args, **kwargs)

    return call


def _for_main_thread(name: str) -> None:
    """What another thread has turned off stays off, and it may be asked for something when much is forbidden."""
    if not _is_main(_this_thread()):
        raise RuntimeError(f"{name} is for the main thread alone when this is graded")


def _entering(kind: Any, refuse: Refuse, in_force: Callable[[], bool]) -> None:
    """What is entered before something is forbidden is left before that, and neither to enter nor to leave one turns modes off."""
    enter, leave, name = kind.__enter__, kind.__exit__, kind.__name__

    def entered(self: Any) -> Any:
        stood = _stands()
        given = enter(self)
        if not in_force() and _is_main(_this_thread()):
            _entered.append((weakref.ref(self), leave))
        elif stood and not _stands():
            leave(self, None, None, None)
            refuse(name, _getframe(1))
            _for_main_thread(name)
        return given

    def left(self: Any, *error: Any) -> Any:
        stood = _stands()
        given = leave(self, *error)
        _entered[:] = [one for one in _entered if one[0]() not in (None, self)]
        if stood and not _stands():
            for key in _OF_MODES:
                _set_included(key, True)
            refuse(name, _getframe(1))
        return given

    kind.__enter__, kind.__exit__ = entered, left


def _stands() -> bool:
    """Whether PyTorch asks a mode first."""
    return _is_included(_OF_MODES[0]) and not _is_excluded(_OF_MODES[0]) and not _is_included(_PYTHONS_DISPATCHER)


def _registering(register: Callable, refuse: Refuse) -> Callable:
    """What it registers may be called, but not while something is forbidden: then a guard's own frame is the one that calls it."""

    def kernel(function: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            frame: FrameType | None = _getframe(1)
            while frame and ours(frame):
                frame = frame.f_back
            if frame:
                refuse("a kernel in the place of PyTorch's", frame)
            return function(*args, **kwargs)

        return function if function is _fallthrough or not callable(function) else call

    def call(*args: Any, **kwargs: Any) -> Any:
        return register(*map(kernel, args), **{name: kernel(value) for name, value in kwargs.items()})

    return call


def _names_modes(arguments: tuple) -> bool:
    """Whether one of the dispatch keys is that of a mode."""
    sets = (torch._C.DispatchKeySet(a) if isinstance(a, torch._C.DispatchKey) else a for a in arguments)
    asked = (*_OF_MODES, _PYTHONS_DISPATCHER)
    return any(isinstance(keys, torch._C.DispatchKeySet) and any(keys.has(key) for key in asked) for keys in sets)


def _keeping(pop: Callable, put_back: Callable, refuse: Refuse) -> Callable:
    def call(*args: Any) -> Any:
        mode = pop(*args)
        if isinstance(mode, Guard) and not mode.over and not _is_put_back(_getframe(1)):
            put_back(mode)
            refuse(pop.__name__, _getframe(1))
            raise RuntimeError(f"{pop.__name__} would end a mode of the grader's")
        return mode

    return call


def _hiding(show: Callable, refuse: Refuse) -> Callable:
    """Whoever has a guard in hand can take apart what it knows."""

    def call(*args: Any) -> Any:
        mode = show(*args)
        if isinstance(mode, Guard) and not mode.over:
            if _is_autocasts(_getframe(1)):
                return None
            refuse(show.__name__, _getframe(1))
        return mode

    return call


def _is_autocasts(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code in _LOOKING:
        frame = frame.f_back
    return frame is not None and frame.f_code in _AUTOCAST


def _is_put_back(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code in _BETWEEN:
        frame = frame.f_back
    return frame is not None and frame.f_code in _PUTTING_BACK


def _disabling(disabled: Callable, in_force: Callable[[], bool]) -> Callable:
    """Printing a tensor asks for it, and gets what it wants with the modes, too."""

    @contextlib.contextmanager
    def call() -> Iterator[list]:
        with contextlib.nullcontext([]) if in_force() else disabled() as modes:
            yield modes

    return call
