"""Keep an exercise's answer from calling the library function that it is about, in the kernel and in the grader's worker alike.

A call is recognised by the function that PyTorch is asked for, whatever name it was imported under, and counts only when the student's
own code makes it: the checks compare with the very same functions.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from types import FrameType, ModuleType
from typing import Any
from unittest import mock

from torch.overrides import TorchFunctionMode

from autograde.errors import ForbiddenCall

# one name in a lesson stands for every way to the same answer
SYNONYMS = {
    "softmax": {"softmax", "log_softmax", "_softmax", "_log_softmax", "softmin", "gumbel_softmax", "scaled_dot_product_attention", "multi_head_attention_forward"},
    "scaled_dot_product_attention": {"scaled_dot_product_attention", "multi_head_attention_forward", "_native_multi_head_attention"},
    "cross_entropy": {"cross_entropy", "cross_entropy_loss", "nll_loss", "nll_loss_nd"},
    "backward": {"backward", "grad"},
}
SYNONYMS["multi_head_attention_forward"] = SYNONYMS["scaled_dot_product_attention"]
FLAVOURS = ("_scaled_dot_product", "_softmax", "_log_softmax")


@contextmanager
def forbidding(names: Sequence[str], student_globals: Mapping[str, Any]) -> Iterator[None]:
    """While it is open, code whose globals are `student_globals` that calls one of `names` gets a ForbiddenCall.

    A name is a torch function (`softmax`), a torch module (`torch.autograd`), or a package (`tiktoken`).
    """
    if not names:
        yield
        return
    functions = {synonym for name in names if "." not in name for synonym in SYNONYMS.get(name, {name})}
    modules = [name for name in names if name in sys.modules and (("." in name) or name not in SYNONYMS)]
    with ExitStack() as stack:
        for module in modules:
            _guard_module(stack, sys.modules[module], module, student_globals)
        stack.enter_context(_Watch(functions, student_globals))
        yield


class _Watch(TorchFunctionMode):
    def __init__(self, forbidden: set[str], student_globals: Mapping[str, Any]) -> None:
        super().__init__()
        self.forbidden, self.student_globals = forbidden, student_globals

    def __torch_function__(self, function: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        name = str(getattr(function, "__name__", function)).split(".")[0]
        forbidden = name in self.forbidden or (name.startswith(FLAVOURS) and any(f in name for f in self.forbidden))
        if forbidden and _called_by(self.student_globals):
            raise ForbiddenCall(_sentence(name))
        return function(*args, **(kwargs or {}))


def _guard_module(stack: ExitStack, module: ModuleType, name: str, student_globals: Mapping[str, Any]) -> None:
    """Replace what can be called in a module, for as long as the stack is open."""
    for attribute, value in list(vars(module).items()):
        if attribute.startswith("__") or isinstance(value, ModuleType) or not callable(value):
            continue
        stack.enter_context(mock.patch.object(module, attribute, _guarded(value, f"{name}.{attribute}", student_globals)))


def _guarded(value: Any, name: str, student_globals: Mapping[str, Any]) -> Any:
    if isinstance(value, type):  # a class stays a class, for isinstance and subclasses; making one is the call
        return value

    def call(*args: Any, **kwargs: Any) -> Any:
        if _called_by(student_globals):
            raise ForbiddenCall(_sentence(name))
        return value(*args, **kwargs)

    return call


def _called_by(student_globals: Mapping[str, Any]) -> bool:
    """Whether the nearest caller outside PyTorch is the student's code."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if not (module.startswith("torch.") or module in ("torch", __name__, "contextlib", "unittest.mock")):
            return frame.f_globals is student_globals
        frame = frame.f_back
    return False


def _sentence(name: str) -> str:
    return f"This exercise is about writing {name} yourself, so its answer may not call it"
