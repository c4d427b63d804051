"""Keep an exercise's answer from calling the library function that it is about, in the kernel and in the grader's worker alike.

A call is recognised by the function that PyTorch is asked for, whatever name it was imported under, and counts only when the
student's own code makes it: the checks compare with the very same functions, in the same process when it is the kernel.
It stops a shortcut, not a fraud: whoever gets round it has written more than the exercise asks for.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import wraps
from types import FrameType, FunctionType
from typing import Any
from unittest import mock

from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from autograde.errors import ForbiddenCall

# One name in a lesson stands for every way to the same answer.
_ATTENTION = {
    "scaled_dot_product_attention", "multi_head_attention_forward", "_native_multi_head_attention", "_safe_softmax",
    "_transformer_encoder_layer_fwd",
}  # fmt: skip
_SOFTMAX = {
    "softmax", "log_softmax", "_softmax", "_log_softmax", "softmin", "gumbel_softmax", "special_softmax", "special_log_softmax",
    "_sparse_softmax", "_sparse_log_softmax",
}  # fmt: skip
SYNONYMS = {
    "softmax": _SOFTMAX | _ATTENTION,
    "log_softmax": _SOFTMAX | {"cross_entropy", "cross_entropy_loss"},
    "scaled_dot_product_attention": _ATTENTION,
    "multi_head_attention_forward": _ATTENTION,
    "cross_entropy": {"cross_entropy", "cross_entropy_loss", "nll_loss", "nll_loss_nd", "nll_loss_forward"},
    "backward": {"backward", "grad"},
    "torch.autograd": {"backward", "grad"},
    "torch.func": {"grad"},
}
FLAVOURS = ("_scaled_dot_product", "_flash_attention", "_efficient_attention", "_cudnn_attention")  # of the attention kernel
PATCHED = {
    "torch.autograd": ("torch.autograd.functional", "torch.autograd.forward_ad"),
    "torch.func": ("torch.func",),
    "tiktoken": ("tiktoken.core", "tiktoken"),
}
PACKAGES = ("tiktoken", "tokenizers", "transformers", "sentencepiece")
# Frames of these, and of this file, stand between a call and who made it.
_BETWEEN = ("torch", "contextlib", "unittest", "threading", "concurrent", "multiprocessing", "functools")
# The worker differentiates on the test's behalf; the same calls are then nobody's shortcut.
_OURS = {"autograde.differentiation": {"backward", "grad"}}


@contextmanager
def forbidding(names: Sequence[str], student_globals: Mapping[str, Any], strict: bool = False) -> Iterator[None]:
    """While it is open, code whose globals are `student_globals` that calls one of `names` gets a ForbiddenCall.

    A name is a torch function (`softmax`), a torch module (`torch.autograd`), or a package (`tiktoken`). `strict` is for a
    process in which there is only the student's code: whatever no module owns counts as theirs too.
    Code that catches the ForbiddenCall gets it again at the end.
    """
    if not names:
        yield
        return
    watch = _Watcher(names, student_globals, strict)
    with ExitStack() as stack:
        watch.packages(stack)
        if strict and watch.functions:
            stack.enter_context(_Operators(watch))
            stack.enter_context(_in_threads(watch))
        if watch.functions:
            stack.enter_context(_Functions(watch))
        try:
            yield
        finally:
            if watch.caught is not None:
                raise watch.caught from None


class _Watcher:
    """Which calls are forbidden, and whether the student's code has made one."""

    def __init__(self, names: Sequence[str], student_globals: Mapping[str, Any], strict: bool) -> None:
        self.names, self.student_globals, self.strict = names, student_globals, strict
        dotted = [n for n in names if "." in n or n in PACKAGES]
        self.functions = {s for n in names if n not in PACKAGES for s in SYNONYMS.get(n, () if n in dotted else {n})}
        self.roots = tuple(n for n in names if n in PACKAGES)
        self.caught: ForbiddenCall | None = None

    def forbids(self, name: str) -> bool:
        return name in self.functions or ("scaled_dot_product_attention" in self.functions and name.startswith(FLAVOURS))

    def check(self, name: str, frame: FrameType | None) -> None:
        """Raise when the call of `name` made in `frame` is the student's."""
        while frame is not None and (_module(frame) == __name__ or _module(frame).split(".")[0] in _BETWEEN):
            frame = frame.f_back
        if self.strict if frame is None else self._theirs(frame, name):  # None: a thread that runs the function itself
            self.refuse(name)

    def refuse(self, name: str) -> None:
        self.caught = ForbiddenCall(f"This exercise is about writing it yourself, so its answer may not call {name.removeprefix('_')}")
        raise self.caught

    def _theirs(self, frame: FrameType, name: str) -> bool:
        if frame.f_globals is self.student_globals or not self.strict:
            return frame.f_globals is self.student_globals
        module = _module(frame)
        if module.startswith("autograde."):  # what was bound to the exercise's name is the library's function itself
            return name not in _OURS.get(module, ())
        return vars(sys.modules.get(module, sys)) is not frame.f_globals

    def packages(self, stack: ExitStack) -> None:
        """Watch the packages and modules among the names, as far as they are loaded; loading them now is a call too."""
        for name in self.names:
            for module in PATCHED.get(name, ()):
                if module in sys.modules:
                    _patch(stack, vars(sys.modules[module]), sys.modules[module], self)
        if self.roots:
            stack.enter_context(mock.patch.object(sys, "meta_path", [_Finder(self), *sys.meta_path]))
        if any(root in sys.modules for root in self.roots if root not in PATCHED):
            stack.enter_context(_profiling(_Profile(self)))


class _Functions(TorchFunctionMode):
    """Sees the functions that Python code asks of PyTorch."""

    def __init__(self, watch: _Watcher) -> None:
        super().__init__()
        self.watch = watch

    def __torch_function__(self, function: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        name = str(getattr(function, "__name__", "")).split(".")[0]
        if self.watch.forbids(name):
            self.watch.check(name, sys._getframe(1))
        return function(*args, **(kwargs or {}))


class _Operators(TorchDispatchMode):
    """Sees what reaches PyTorch's kernels straight from the student's code: from TorchScript, say, which asks no function."""

    def __init__(self, watch: _Watcher) -> None:
        super().__init__()
        self.watch = watch

    def __torch_dispatch__(self, function: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        name = function._schema.name.rpartition("::")[2]
        if self.watch.forbids(name):
            frame = sys._getframe(1)
            while frame is not None and _module(frame).startswith(
                ("torch.utils._", "torch._ops", "torch._dynamo", "torch._compile", __name__)
            ):
                frame = frame.f_back
            if frame is not None and not _module(frame).startswith("torch."):
                self.watch.check(name, frame)
        return function(*args, **(kwargs or {}))


class _Finder:
    """Refuses to import a forbidden package for the student's code."""

    def __init__(self, watch: _Watcher) -> None:
        self.watch = watch

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and _module(frame).startswith("importlib"):
            frame = frame.f_back
        if name.split(".")[0] in self.watch.roots:
            self.watch.check(name, frame)


class _Profile:
    """Sees every call, for packages that are compiled or too large to patch; only where one of them is loaded."""

    def __init__(self, watch: _Watcher) -> None:
        self.watch = watch

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            name, caller = _module(frame), frame.f_back
        elif event == "c_call":
            owner = getattr(argument, "__self__", None)
            name, caller = getattr(argument, "__module__", None) or type(owner).__module__, frame
        else:
            return
        if type(name) is str and name.split(".")[0] in self.watch.roots and frame.f_code.co_name != "<module>":
            self.watch.check(name.split(".")[0], caller)


@contextmanager
def _in_threads(watch: _Watcher) -> Iterator[None]:
    """PyTorch's modes hold for one thread; threads that are started meanwhile get their own."""
    run = threading.Thread.run

    def watched(thread: threading.Thread) -> None:
        with _Functions(watch):
            run(thread)

    with mock.patch.object(threading.Thread, "run", watched):
        yield


@contextmanager
def _profiling(profile: _Profile) -> Iterator[None]:
    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        yield
    finally:
        sys.setprofile(before)


def _patch(stack: ExitStack, members: Mapping[str, Any], owner: Any, watch: _Watcher) -> None:
    """Guard the public functions of a module, and the methods of its classes, for as long as the stack is open."""
    for name, value in list(members.items()):
        if isinstance(value, FunctionType) and (not name.startswith("__") or name == "__init__"):
            stack.enter_context(mock.patch.object(owner, name, _guarded(value, watch)))
        elif isinstance(value, type) and not isinstance(owner, type) and value.__module__ == owner.__name__:
            _patch(stack, vars(value), value, watch)


def _guarded(function: FunctionType, watch: _Watcher) -> FunctionType:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        watch.check(f"{function.__module__.split('.')[0]}'s {function.__name__}", sys._getframe(1))
        return function(*args, **kwargs)

    return call


def _module(frame: FrameType) -> str:
    name = frame.f_globals.get("__name__", "")
    return name if type(name) is str else ""
