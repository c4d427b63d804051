"""What packages besides PyTorch are asked for: importing one that is forbidden, and calls of what is compiled or too large to guard one by one."""

from __future__ import annotations

import builtins
import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from sys import _getframe
from types import FrameType, FunctionType
from typing import Any

from autograde.checking.forbidden import derivatives
from autograde.checking.forbidden.names import PATCHED
from autograde.checking.forbidden.watch import Watch, in_force_for_packages
from autograde.checking.forbidden.whose import module_of

globals()["__builtins__"] = dict(vars(builtins))  # as in `watch`

METHOD = type(str.join)  # of a compiled class


def watched(watch: Watch, stack: ExitStack) -> None:
    """Watch the packages and modules among the names, as far as they are loaded; loading them now is a call too."""
    in_force_for_packages.append(watch)
    stack.callback(in_force_for_packages.remove, watch)
    for name, module in watch.elsewhere.items():
        if module in sys.modules:
            stack.enter_context(_replaced(vars(sys.modules[module])[name], watch))
    for name in watch.guarded:
        for loaded in [sys.modules[module] for module in PATCHED[name] if module in sys.modules]:
            if not derivatives.stands_guarded(loaded):
                derivatives.patch(stack, vars(loaded), loaded, watch)
    if watch.roots or watch.elsewhere:
        stack.callback(setattr, sys, "meta_path", sys.meta_path)
        sys.meta_path = [_Finder(watch), *sys.meta_path]
    if any(root in sys.modules for root in watch.roots if root not in PATCHED):
        stack.enter_context(_profiling(_Profile(watch)))


class _Finder:
    """Refuses to import a forbidden package for the student's code."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        frame: FrameType | None = _getframe(1)
        while frame is not None and module_of(frame).startswith("importlib"):
            frame = frame.f_back
        if name.split(".")[0] in self.watch.roots or name in self.watch.elsewhere.values():
            self.watch.check(name, frame)


class _Profile:
    """Sees every call, for packages that are compiled or too large to patch; only where one of them is loaded."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            name, caller = module_of(frame), frame.f_back
        elif event == "c_call":
            owner = getattr(argument, "__self__", None)
            name, caller = getattr(argument, "__module__", None) or type(owner).__module__, frame
        else:
            return
        if type(name) is str and name.split(".")[0] in self.watch.roots and frame.f_code.co_name != "<module>":
            self.watch.check(name.split(".")[0], caller)


@contextmanager
def _profiling(profile: _Profile) -> Iterator[None]:
    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        yield
    finally:
        sys.setprofile(before)


def watch_tiktoken() -> None:
    """From now on, every call of tiktoken's functions is seen in this process, under whatever name it is kept."""
    package = sys.modules.get("tiktoken")
    for found in pkgutil.iter_modules(package.__path__) if package else ():
        module = importlib.import_module(f"tiktoken.{found.name}")
        for function in _functions(vars(module), module.__name__):
            _stand_before(function, partial(_check_packages, "tiktoken"))


def empty_tiktoken() -> None:
    """From now on, tiktoken's compiled class computes nothing in this process: behind a watch its methods could be found and called. Its package
    stays, since lessons import it to compare with."""
    core = getattr(sys.modules.get("tiktoken._tiktoken"), "CoreBPE", None)
    for name in [name for name, value in vars(core).items() if type(value) is METHOD] if core else ():
        setattr(core, name, _empty)


def _empty(*args: Any, **kwargs: Any) -> None:
    _check_packages("tiktoken", _getframe(1))
    raise ImportError("tiktoken is not there when this lesson is graded")


def _functions(members: Mapping[str, Any], module: str) -> Iterator[FunctionType]:
    """The functions of a module and the methods of its classes, without those that hold variables of another function."""
    for value in list(members.values()):
        function = getattr(value, "fget", None) or getattr(value, "__func__", value)
        if isinstance(function, FunctionType) and function.__module__ == module and not function.__code__.co_freevars:
            yield function
        elif isinstance(value, type) and value.__module__ == module:
            yield from _functions(vars(value), module)


def _check_packages(name: str, frame: FrameType) -> None:
    for watch in in_force_for_packages:
        if name in watch.roots:
            watch.check(name, frame)


@contextmanager
def _replaced(function: FunctionType, watch: Watch) -> Iterator[None]:
    """Guard a function of Python's while the context is open."""
    before = function.__code__, function.__kwdefaults__
    _stand_before(function, partial(watch.check, function.__name__))
    try:
        yield
    finally:
        function.__code__, function.__kwdefaults__ = before


def _stand_before(function: FunctionType, check: Callable[[FrameType], None]) -> None:
    """Have `check` see who calls a function of Python's, by any name that it has been given."""
    own = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__)
    own.__kwdefaults__ = function.__kwdefaults__

    def guard(*args: Any, **kwargs: Any) -> Any:
        check(_getframe(2))
        return own(*args, **kwargs)

    function.__code__, function.__kwdefaults__ = _stands_in.__code__, {"_guard": guard}


def _stands_in(*args: Any, _guard: Callable, **kwargs: Any) -> Any:
    return _guard(*args, **kwargs)
