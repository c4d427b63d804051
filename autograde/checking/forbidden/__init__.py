"""Keep an exercise's answer from calling the library function that it is about, in the kernel and in the grader's worker alike.

A call is recognised by the function that PyTorch is asked for, whatever name it was imported under. In the kernel it counts only when the
student's own code makes it: the checks compare with the very same functions, in the same process. In a worker there is nobody else to make
it, whatever package it is made through, but for a test that asks to differentiate.
It stops a shortcut, not a fraud: whoever gets round it has written more than the exercise asks for.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any

from torch import no_grad

from autograde.checking.forbidden import interruptions, packages, ways_around
from autograde.checking.forbidden.modes import Functions, Operators, standing
from autograde.checking.forbidden.threads import in_all_threads
from autograde.checking.forbidden.watch import Watch, in_force
from autograde.checking.forbidden.whose import ours

globals()["__builtins__"] = dict(vars(builtins))  # as in `watch`


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
    watch = Watch(names, student_globals, strict)
    with ExitStack() as stack:
        packages.watched(watch, stack)
        if strict and watch.functions:
            stack.enter_context(interruptions.none(watch.refuse))
            stack.enter_context(in_all_threads(watch))
            if watch.without_gradients:  # in no forward pass is there a reason to
                stack.enter_context(no_grad())  # an engine that is started by hand has nothing to go back through
            standing(stack, Operators(watch))
        if watch.functions:
            standing(stack, Functions(watch))
        try:
            yield
        finally:
            if watch.caught is not None:
                raise watch.caught from None


def watch_ways_around() -> None:
    """From now on, what goes past PyTorch's modes is refused in this process while a call is forbidden, and no guard ends before its time."""
    ways_around.watch(_refuse_in_force, _is_in_force)
    interruptions.watch(_refuse_in_force, _is_in_force)


def _is_in_force() -> bool:
    return bool(in_force)


def _refuse_in_force(name: str, frame: FrameType) -> None:
    for watch in () if ours(frame) else in_force:
        watch.check(name, frame)
