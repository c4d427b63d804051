"""What `doctor` says of this machine's promises, for machines of every kind."""

import pytest

from autograde.grader.sandbox.modes import Level
from autograde.grader.sandbox.probe import Support, support
from autograde.grader.sandbox.promises import promises

READS, WRITES, SEES, NETWORK, SIGNALS, CALLS, MEMORY, TIME = range(8)


def kept(level, seccomp=True, landlock=0, tmp_path=None):
    machine = Support(level, "", {}, landlock, seccomp, ())
    return {n for n, promise in enumerate(promises(machine, *([tmp_path] if tmp_path else []))) if promise.kept} - {TIME}


@pytest.mark.parametrize(
    ("machine", "broken"),
    [
        ((Level.NAMESPACES,), set()),
        ((Level.NAMESPACES, False), {CALLS, MEMORY}),
        ((Level.LANDLOCK, True, 1), {SEES}),
        ((Level.LANDLOCK, False, 5), {SEES, NETWORK, SIGNALS, CALLS, MEMORY}),
        ((Level.LANDLOCK, False, 6), {SEES, NETWORK, CALLS, MEMORY}),
        ((Level.ACCOUNT,), {READS, SEES}),
        ((Level.LIMITS,), set(range(7))),
    ],
)
def test_each_machine_keeps_what_it_can(machine, broken):
    assert kept(*machine) == set(range(7)) - broken


def test_time_depends_on_what_the_kernel_counts(tmp_path):
    machine = Support(Level.NAMESPACES, "", {}, 0, True, ())
    assert [list(promises(machine, path))[TIME].kept for path in (tmp_path, tmp_path / "none")] == [True, False]


def test_each_promise_says_why_on_this_machine():
    assert all(promise.what and promise.why for promise in promises(support()))
