"""A deadline for an answer that runs in this process: an endless loop ends in an exception."""

from __future__ import annotations

import signal
import threading
import types
from collections.abc import Iterator
from contextlib import contextmanager

from autograde.checking.errors import StudentTimeout

SECONDS = 3  # of computing, for one check: a right answer takes milliseconds, and a busy machine is no mistake
WAITING_SECONDS = 10  # for one that sleeps
POSTPONED = 10  # so often the end waits for an import


@contextmanager
def deadline(seconds: float | None = None, waiting: float | None = None) -> Iterator[None]:
    """Raise StudentTimeout in what takes too long; where signals cannot do that (Windows, threads), it may take forever.

    Args:
        seconds: of processor time; `SECONDS` unless given.
        waiting: of a clock on the wall, for what sleeps; `WAITING_SECONDS` unless given.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    computing, asleep = SECONDS if seconds is None else seconds, WAITING_SECONDS if waiting is None else waiting
    timers = {signal.SIGPROF: (signal.ITIMER_PROF, computing), signal.SIGALRM: (signal.ITIMER_REAL, asleep)}
    imports: list[int] = []  # the numbers of the signals that came during one

    def stop(number: int, frame: types.FrameType | None) -> None:
        timer, limit = timers[signal.Signals(number)]
        if len(imports) < POSTPONED and importing(frame):
            imports.append(number)
            signal.setitimer(timer, limit)
        elif number in imports and len(imports) < POSTPONED:  # the import is done: now the answer has all its time
            imports.remove(number)
            signal.setitimer(timer, limit)
        else:
            raise StudentTimeout(
                f"Your code took more than {computing} seconds and was stopped: a loop never ends, or far more is computed than needed"
            )

    before = [signal.signal(number, stop) for number in timers]
    running = [signal.setitimer(timer, limit) for timer, limit in timers.values()]
    try:
        yield
    finally:
        for (number, (timer, _)), handler, left in zip(timers.items(), before, running, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, handler)
            signal.setitimer(timer, *left)  # of whoever has set one around this


def importing(frame: types.FrameType | None) -> bool:
    """Whether Python is importing something: cut in the middle of an import, a module may be unusable for the rest of the session.

    PyTorch imports some parts at their first use, sympy among them: seconds of a slow machine, in which no answer computes.
    """
    while frame is not None and not frame.f_code.co_filename.startswith("<frozen importlib"):
        frame = frame.f_back
    return frame is not None
