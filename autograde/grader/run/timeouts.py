"""How long a submission may take: for one request, for one check, and, when it keeps running out of time, for all of them.

All times are the worker's own, as `autograde.grader.rpc.deadline` counts them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from autograde.checking.errors import StudentTimeout
from autograde.grader.sandbox.limits import Limits

FULL_TIMEOUTS = 3  # after so many in a session each one halves the time of the next requests …
SHORTEST = 1.0  # … down to this, so that a notebook in which everything hangs is graded in minutes
KEPT = 0.25  # of a submission's time, for its hidden checks, whatever the public ones took, and for those that are asked again


class Clock:
    """The times of one submission, and what is left of them."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.timeouts = 0
        self.restarts = 2 * limits.cells_seconds  # seconds left for running the cells again
        self.left = limits.total_seconds  # for all that the submission's code does
        self._check_left: float | None = None  # of the check in progress, and how long it had
        self._seconds = 0.0

    def for_hidden_checks(self) -> Clock:
        """The times of the hidden checks: what the public ones left, and the share that is kept for them."""
        hidden = Clock(self.limits)
        hidden.left = min(self.limits.total_seconds, max(self.left, 0.0) + KEPT * self.limits.total_seconds)
        return hidden

    def for_asking_again(self) -> Clock:
        """The times of public checks that are asked again: their own, so that who uses up all the rest is still asked."""
        again = Clock(self.limits)
        again.left = KEPT * self.limits.total_seconds
        return again

    @contextmanager
    def check(self, seconds: float | None) -> Iterator[None]:
        """The time of one check, whatever it asks."""
        before = self._check_left, self._seconds
        self._check_left = self._seconds = seconds or self.limits.test_seconds
        try:
            yield
        finally:
            self._check_left, self._seconds = before

    def request(self) -> tuple[float, float]:
        """For a request now: the seconds it may take, and the time it ran out of if it takes them, as a student is told.

        Raises StudentTimeout when the submission's own time is used up.
        """
        self.some_left()
        own = self.limits.request_seconds / 2 ** max(0, self.timeouts - FULL_TIMEOUTS)
        own = max(own, min(SHORTEST, self.limits.request_seconds))
        left = float("inf") if self._check_left is None else max(self._check_left, 0.001)
        return (left, self._seconds) if left < own else (own, own)

    def some_left(self) -> None:
        """Raises StudentTimeout when the submission's own time is used up."""
        if self.left <= 0:
            raise StudentTimeout(f"Your notebook used up the {self.limits.total_seconds:.3g} seconds for all exercises together")

    def spend(self, seconds: float) -> None:
        """The submission's code has worked so long."""
        self.left -= seconds
        if self._check_left is not None:
            self._check_left -= seconds
