"""How long a submission may take: for one request, for one check, and, when it keeps running out of time, for all of them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from autograde.checking.errors import StudentTimeout
from autograde.grader.sandbox.limits import Limits

FULL_TIMEOUTS = 3  # after so many in a session each one halves the time of the next requests …
SHORTEST = 1.0  # … down to this, so that a notebook in which everything hangs is graded in minutes


class Clock:
    """The deadlines of one submission."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.timeouts = 0
        self.restarts = 2 * limits.cells_seconds  # seconds left for running the cells again
        self.left = limits.total_seconds  # for all that the submission's code does
        self._deadline: float | None = None  # of the check in progress, and how long it had
        self._seconds = 0.0

    @contextmanager
    def check(self, seconds: float | None) -> Iterator[None]:
        """The time of one check, whatever it asks."""
        before = self._deadline, self._seconds
        self._seconds = seconds or self.limits.test_seconds
        self._deadline = time.monotonic() + self._seconds * self.timeout_factor()
        try:
            yield
        finally:
            self._deadline, self._seconds = before

    def request(self) -> tuple[float, float]:
        """For a request now: the seconds it may take, and the time it ran out of if it takes them, as a student is told."""
        own = self.limits.request_seconds / 2 ** max(0, self.timeouts - FULL_TIMEOUTS)
        own = max(own, min(SHORTEST, self.limits.request_seconds))
        left = float("inf") if self._deadline is None else max(self._deadline - time.monotonic(), 0.001)
        return (left, self._seconds) if left < own * self.timeout_factor() else (own * self.timeout_factor(), own)

    @contextmanager
    def spent(self) -> Iterator[None]:
        """The submission's own time, by an idle machine's clock. Raises StudentTimeout when none of it is left."""
        if self.left <= 0:
            raise StudentTimeout(f"Your notebook used up the {self.limits.total_seconds:.3g} seconds for all exercises together")
        began = time.monotonic()
        try:
            yield
        finally:
            self.left -= (time.monotonic() - began) / self.timeout_factor()

    def timeout_factor(self) -> float:
        """How many times longer anything takes now than on an idle machine, as far as the load tells: that others keep the
        machine busy is no reason for a timeout."""
        load = os.getloadavg()[0] / (os.cpu_count() or 1) if self.limits.timeout_factor > 1 else 1.0
        return min(max(load, 1.0), self.limits.timeout_factor)
