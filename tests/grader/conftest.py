"""One fork server for the folder, and sessions of a few lines of student code."""

import textwrap

import pytest

from autograde.grader.run.session import Session
from autograde.grader.sandbox.limits import Limits
from autograde.grader.worker import fork_server


@pytest.fixture(scope="session")
def server():
    server = fork_server.ForkServer()
    yield server
    server.close()


@pytest.fixture
def make(server):
    """make(source, …, mode="auto", **limits) → a session with one cell a source."""
    sessions = []

    def make(*sources, mode="auto", artifacts=None, **limits):
        cells = [(f"cell{i}", textwrap.dedent(source)) for i, source in enumerate(sources)]
        limits = {"request_seconds": 10, "cell_seconds": 10, "wall_factor": 1, **limits}
        sessions.append(Session(cells, Limits(**limits), mode, artifacts, server).start())
        return sessions[-1]

    yield make
    for session in sessions:
        session.close()
