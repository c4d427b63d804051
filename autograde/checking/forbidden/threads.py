"""What a student's thread asks of PyTorch, whose modes hold for one thread only: in a worker each thread has its own, from its first step to its last."""

from __future__ import annotations

import _thread
import builtins
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from autograde.checking.forbidden.modes import InThread, OperatorsInThread, watched
from autograde.checking.forbidden.watch import Watch, in_force

globals()["__builtins__"] = dict(vars(builtins))  # as in `watch`


@contextmanager
def in_all_threads(watch: Watch) -> Iterator[None]:
    in_force.append(watch)
    try:
        yield
    finally:
        in_force.remove(watch)


def watch_threads() -> None:
    """From now on, what a thread of this process asks PyTorch for is seen, also if it began before anything was forbidden."""
    for module in (_thread, threading):
        for name in ("start_new_thread", "_start_new_thread", "start_joinable_thread", "_start_joinable_thread"):
            if hasattr(module, name):
                setattr(module, name, _starting(getattr(module, name)))


def _starting(start: Callable) -> Callable:
    @wraps(start)
    def begin(function: Callable, *args: Any, **kwargs: Any) -> Any:
        return start(watched(function, [OperatorsInThread, InThread]), *args, **kwargs)

    return begin
