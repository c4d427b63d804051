"""An answer that a check found endless is stopped in the cells below, too, so that *Run All* comes to its end."""

from __future__ import annotations

import inspect
import signal
import threading
import time
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any

from IPython import get_ipython

from autograde.checking import deadline
from autograde.checking.errors import EndlessAnswer

TICK = 0.5  # seconds of computing between two looks
SAYS = "`{name}` does not end: mend it, run its cell and its check again, then this cell"

_endless: dict[CodeType, str] = {}  # the code of each answer that did not end → its name: an answer that is changed is other code
_watched: list[tuple[FrameType, float]] = []  # the call that the last look found, and the computing time when it was found first


def remember(name: str, answer: Any) -> bool:
    """Stop this answer in later cells as well; False where nothing can: on Windows, in a thread, outside of a notebook."""
    shell = get_ipython()
    if shell is None or not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        return False
    _endless.update(dict.fromkeys(_codes(answer), name))
    shell.events.register("pre_run_cell", _watch)  # a second registration is no second call
    shell.events.register("post_run_cell", _watch_no_more)
    return True


def forget(name: str) -> None:
    """The answer's check has ended: it has all the time that it needs."""
    for code in [code for code, known in _endless.items() if known == name]:
        del _endless[code]


def _codes(answer: Any) -> set[CodeType]:
    """The code of a function, or of a class's methods."""
    inner = inspect.unwrap(answer) if callable(answer) else answer
    parts = list(vars(inner).values()) if inspect.isclass(inner) else [inner]
    functions = [inspect.unwrap(getattr(part, "fget", None) or getattr(part, "__func__", part)) for part in parts if part is not None]
    return {function.__code__ for function in functions if inspect.isfunction(function)}


def _watch(*_: Any) -> None:
    _watched.clear()
    if _endless:
        signal.signal(signal.SIGPROF, _look)
        signal.setitimer(signal.ITIMER_PROF, TICK, TICK)


def _watch_no_more(*_: Any) -> None:
    _watched.clear()
    signal.setitimer(signal.ITIMER_PROF, 0)  # also after the cell whose check forgot the last one


def _look(_: int, frame: FrameType | None) -> None:
    """Raise in a call of an endless answer that computes for as long as a check may; one that is called often, and ends each time, goes on."""
    calls = [call for call in _stack(frame) if call.f_code in _endless]
    now, lasting = time.process_time(), dict(_watched)
    _watched[:] = [(call, lasting.get(call, now)) for call in calls]
    for call, since in _watched:
        if now - since >= deadline.SECONDS and not deadline.importing(frame):
            raise EndlessAnswer(SAYS.format(name=_endless[call.f_code]))


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back
