"""Killed before any change that it makes on disk, a grader loses nothing: the next run goes on, and ends as one that nobody disturbed."""

import pytest

from autograde.authoring.sample_class import LESSON
from tests.grader.durability.snapshots import states_of
from tests.grader.durability.state import same

QUICK = 6  # states in the quick suite; the long one takes them all


@pytest.fixture
def killed(pupils, tmp_path):
    """What kills leave of a run over two students, and the folder that such a run should come to."""
    (pupils.folder / "cleo" / f"{LESSON}.ipynb").unlink()
    (pupils.folder / "cleo").rmdir()
    states = states_of(lambda: pupils.grade(tmp_path / "out"), tmp_path / "out", tmp_path / "states")
    assert len(states) > 100, "the hooks see too little"
    return states, tmp_path / "out"


def assert_goes_on(pupils, states, undisturbed):
    calls = set()
    for state in states:
        kept = len(list(state.glob(".results/*.json")))
        pupils.grade(state)
        assert same(state, undisturbed), f"killed at state {state.name}, a run went on to another end"
        assert 2 - kept <= len(pupils.calls), "a result is kept that is none"
        calls.add(len(pupils.calls))
    assert calls == {0, 1, 2}, "a result that was kept is graded again"


@pytest.mark.slow
def test_a_kill_at_some_writes(pupils, killed):
    states, undisturbed = killed
    assert_goes_on(pupils, states[:: len(states) // QUICK] + states[-1:], undisturbed)


@pytest.mark.soak
def test_a_kill_at_every_write(pupils, killed):
    assert_goes_on(pupils, *killed)
