"""How far a class is: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

EVERY = 10.0  # seconds between lines


class Rate(ProgressColumn):
    """Submissions a second, or seconds a submission when they are slow."""

    def render(self, task: Task) -> Text:
        return Text(rate(task.finished_speed or task.speed or 0.0))


def rate(speed: float) -> str:
    """A speed in submissions a second, as people say it."""
    if not speed:
        return ""
    return f"{speed:.1f} a second" if speed >= 1 else f"{1 / speed:.1f} s each"


@contextmanager
def told(console: Console, total: int, now: Callable[[], float] = time.monotonic) -> Iterator[Callable[[], None]]:
    """What to call after each of `total` submissions."""
    with _bar(console, total) if console.is_terminal else _lines(console, total, now) as advance:
        yield advance


@contextmanager
def _bar(console: Console, total: int) -> Iterator[Callable[[], None]]:
    left = (TextColumn("·"), TimeElapsedColumn(), TextColumn("gone,"), TimeRemainingColumn(elapsed_when_finished=False), TextColumn("left"))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("·"), Rate(), *left)
    with Progress(*columns, console=console, refresh_per_second=4) as progress:
        task = progress.add_task("Grading", total=total)
        yield lambda: progress.advance(task)


@contextmanager
def _lines(console: Console, total: int, now: Callable[[], float]) -> Iterator[Callable[[], None]]:
    done, began, last = 0, now(), now()

    def advance() -> None:
        nonlocal done, last
        done += 1
        if now() - last >= EVERY or done == total:
            last = now()
            speed = done / max(last - began, 1e-9)
            left = f", about {(total - done) / speed:.0f} s left" if done < total else f" in {last - began:.0f} s"
            console.print(f"{done} of {total} graded, {rate(speed)}{left}", soft_wrap=True)

    yield advance
