"""What has Python run code between the steps of other code: in a worker an answer may set none of it while a call is forbidden.

A guard is itself Python's code, and while it looks at a call PyTorch has its modes off: what ran in there would be seen by nobody. That no signal has a
handler is the system-call filter's (`grader.sandbox.syscall_numbers`).
"""

from __future__ import annotations

import builtins
import gc
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

globals()["__builtins__"] = dict(vars(builtins))  # as in `watch`

Refuse = Callable[[str, FrameType], None]
TRACING = ("sys.settrace", "sys.setprofile", "sys.monitoring.register_callback")  # events of Python's that come before such a call
_collections = (gc.collect, gc.enable, gc.disable, gc.set_threshold)
_is_main = threading.main_thread().ident.__eq__  # type: ignore[union-attr]
_all_threads = getattr(sys, "_settraceallthreads", sys.settrace), getattr(sys, "_setprofileallthreads", sys.setprofile)


def watch(refuse: Refuse, in_force: Callable[[], bool]) -> None:
    """From now on, `refuse` hears who has calls traced while something is forbidden. What would hear of such events itself is not added, which Python
    leaves to who listens already. A thread is not traced at any time, since what it sets stays."""
    this_thread, frame = threading.get_ident, sys._getframe

    def listen(event: str, arguments: tuple) -> None:
        if event in TRACING:
            refuse(event, frame(1))
            if not _is_main(this_thread()):
                raise RuntimeError(f"{event} is for the main thread alone when this is graded")
        elif event == "sys.addaudithook":
            raise RuntimeError("no audit hook is added")  # Python goes on without

    sys.addaudithook(listen)
    for function in _collections:
        setattr(gc, function.__name__, _later(function, in_force))


def _later(function: Callable, in_force: Callable[[], bool]) -> Callable:
    """The function, which does nothing while a call is forbidden."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return 0 if in_force() else function(*args, **kwargs)

    return call


@contextmanager
def none(refuse: Callable[[str], None]) -> Iterator[None]:
    """While it is open, nothing that was set before is called, and no garbage collected, which runs `__del__` and `gc.callbacks`."""
    _trace_nothing()
    collecting, before = gc.isenabled(), _collected()
    _collections[2]()
    try:
        yield
    finally:
        if _collected() != before:
            refuse("the garbage collector")
        if collecting:
            _collections[1]()


def _trace_nothing() -> None:
    for clear in _all_threads:
        clear(None)
    if monitoring := getattr(sys, "monitoring", None):  # from Python 3.12 on
        for tool in filter(monitoring.get_tool, range(6)):
            for event in filter(None, vars(monitoring.events).values()):
                monitoring.register_callback(tool, event, None)


def _collected() -> int:
    return sum(generation["collections"] for generation in gc.get_stats())
