"""How far a class is: a bar on a terminal, a line now and then in a log; and how long it may still take, as far as that can be told."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import mean, pstdev

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

EVERY = 10.0  # seconds between lines
LEAST = 5  # times between results: from fewer nothing is told of the time left
BAR = 10  # columns, so that all of it has room in 80


class Pace:
    """When results came, and how long the rest may take."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now, self.began, self.last = now, now(), now()
        self._gaps: list[float] = []
        self._longest = 0.0

    @property
    def done(self) -> int:
        return len(self._gaps)

    @property
    def gone(self) -> float:
        """Seconds from the beginning to the last result."""
        return self.last - self.began

    def step(self, seconds: float = 0.0) -> None:
        """One more result has come, of a submission that took so long."""
        now = self._now()
        self._longest = max(self._longest, seconds)
        self._gaps.append(now - self.last)
        self.last = now

    def left(self, todo: int) -> tuple[float, float] | None:
        """Between how many seconds and how many the rest takes, if it is like what is done: two standard errors to both sides.

        The time before the first result is left out, since graders start in it. The last one may take as long as any so far, while other
        graders have nothing left to do. That it takes longer than any cannot be foreseen; while it is waited for, the wait counts.
        """
        gaps = self._gaps[1:]
        if len(gaps) < LEAST:
            return None
        waiting = self._now() - self.last
        gaps += [waiting] if waiting > mean(gaps) else []
        middle, half = todo * mean(gaps), 2 * pstdev(gaps) * math.sqrt(todo + todo**2 / len(gaps))
        return max(0.0, middle - half), middle + half + self._longest


class Rate(ProgressColumn):
    """Submissions a second, or seconds a submission when they are slow."""

    def __init__(self, pace: Pace) -> None:
        super().__init__()
        self.pace = pace

    def render(self, task: Task) -> Text:
        return Text(rate(self.pace))


class Left(Rate):
    """The time left."""

    def render(self, task: Task) -> Text:
        return Text(left(self.pace, int(task.remaining or 0)))


def rate(pace: Pace) -> str:
    """The speed so far, as people say it."""
    if not pace.done or not pace.gone:
        return ""
    speed = pace.done / pace.gone
    return f"{speed:.1f} a second" if speed >= 1 else f"{1 / speed:.1f} s each"


def left(pace: Pace, todo: int) -> str:
    """`2 to 5 min left`; empty where it cannot be told."""
    bounds = pace.left(todo) if todo else None
    if bounds is None:
        return ""
    unit, seconds = next((unit, s) for unit, s, below in (("s", 1, 100), ("min", 60, 6000), ("h", 3600, math.inf)) if bounds[1] < below)
    least, most = math.floor(bounds[0] / seconds + 1e-6), math.ceil(bounds[1] / seconds - 1e-6)
    return f"{'up to ' if not least else f'{least} to ' if least < most else 'about '}{most} {unit} left"


@contextmanager
def told(console: Console, total: int, now: Callable[[], float] = time.monotonic) -> Iterator[Callable[[float], None]]:
    """What to call after each of `total` submissions, with the seconds that it took."""
    with _bar(console, total, Pace(now)) if console.is_terminal else _lines(console, total, Pace(now)) as advance:
        yield advance


@contextmanager
def _bar(console: Console, total: int, pace: Pace) -> Iterator[Callable[[float], None]]:
    columns = (TextColumn("Grading"), BarColumn(BAR), MofNCompleteColumn(), TimeElapsedColumn(), Rate(pace), Left(pace))
    with Progress(*columns, console=console, refresh_per_second=4) as progress:
        task = progress.add_task("", total=total)

        def advance(seconds: float = 0.0) -> None:
            pace.step(seconds)
            progress.advance(task)

        yield advance


@contextmanager
def _lines(console: Console, total: int, pace: Pace) -> Iterator[Callable[[float], None]]:
    last = pace.began

    def advance(seconds: float = 0.0) -> None:
        nonlocal last
        pace.step(seconds)
        if pace.last - last >= EVERY or pace.done == total:
            last = pace.last
            parts = [f"{pace.done} of {total} graded", rate(pace), left(pace, total - pace.done)]
            parts += [f"{pace.gone:.0f} s in all"] if pace.done == total else []
            console.print(", ".join(filter(None, parts)), soft_wrap=True)

    yield advance
