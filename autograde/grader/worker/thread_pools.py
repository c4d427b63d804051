"""Pools of processes as pools of threads: in the sandbox there is one process, and an answer that uses a pool is still right."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import multiprocessing.context
from collections.abc import Callable
from multiprocessing.pool import ThreadPool
from typing import Any


class Executor(concurrent.futures.ThreadPoolExecutor):
    """A ProcessPoolExecutor as far as its user can tell."""

    def __init__(
        self,
        max_workers: int | None = None,
        mp_context: Any = None,
        initializer: Callable | None = None,
        initargs: tuple = (),
        *,
        max_tasks_per_child: int | None = None,
    ) -> None:
        super().__init__(max_workers=max_workers, initializer=initializer, initargs=initargs)


def pool(
    processes: int | None = None, initializer: Callable | None = None, initargs: tuple = (), maxtasksperchild: int | None = None
) -> Any:
    """A multiprocessing.Pool as far as its user can tell."""
    return ThreadPool(processes, initializer, initargs)


def install() -> None:
    """For the whole process."""
    replaced: tuple[tuple[Any, str, Any], ...] = (
        (multiprocessing, "Pool", pool),
        (multiprocessing.context.BaseContext, "Pool", lambda self, *args, **kwargs: pool(*args, **kwargs)),
        (concurrent.futures, "ProcessPoolExecutor", Executor),
    )
    for owner, name, ours in replaced:
        setattr(owner, name, ours)
