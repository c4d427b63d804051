"""Grade a class and leave everything an instructor expects: tables, pages, gradebook, progress while it runs."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from autograde.grader.batch import pool
from autograde.grader.batch.lock import only_one
from autograde.grader.ingest.discovery import find, is_course
from autograde.grader.run.cache_key import key
from autograde.grader.sandbox.probe import require

if TYPE_CHECKING:
    from autograde.grader.results.model import Graded

RESULTS = ".results"


class Stopped(KeyboardInterrupt):
    """SIGTERM: an end as orderly as that by Ctrl-C."""


def grade_class(
    paths: list[Path], lesson: str | None, out: Path | None, workers: int | None, scheduler: str | None, sandbox: str, console: Console
) -> list[Graded]:
    """Grade everything under `paths` into `out`; unchanged submissions keep their results.

    Raises:
        ValueError: for paths that hold nothing to grade, or another grader at work in `out`.
        OSError: when something cannot be written, a GradebookError among them; what is graded so far is kept.
        SandboxUnavailable: when the sandbox is required and this machine has none.
    """
    submissions = find(paths, lesson)
    out = out or (paths[0] if len(paths) == 1 and is_course(paths[0]) else Path("graded"))
    with only_one(out), _terminated():
        digests = {found: key(found, sandbox) for found in submissions}
        new = sum(not (out / RESULTS / f"{digest}.json").exists() for digest in digests.values())
        if new and not scheduler:
            pool.get_ready()
        for warning in [] if scheduler else require(sandbox):
            console.print(f"[yellow]![/yellow] {warning}", soft_wrap=True)
        from autograde.grader.batch.classwork import Classwork  # takes seconds, in which the pool gets ready

        workers = min(workers or pool.cores(), max(new, 1))
        with Classwork(out, {found.lesson for found in submissions}, console) as work:
            return work.grade(digests, workers, scheduler, sandbox)


@contextmanager
def _terminated() -> Iterator[None]:
    """While a class is graded, SIGTERM raises what Ctrl-C does; only a process's main thread can ask for that."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise Stopped

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
