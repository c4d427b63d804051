"""What holds for every test: one torch thread, which tests are left out, and a line at the end that says so."""

import os

# Before anything imports torch: matrices this small gain nothing from a second thread, and where all cores are busy threads wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import functools  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--every-lesson", action="store_true", help="execute all lessons, also those that are as `make verify` left them")


def pytest_collection_modifyitems(config, items):
    """Tests that execute a lesson are left out where the lesson is as `make verify` left it."""
    if config.getoption("--every-lesson"):
        return
    kept, left_out = [], []
    for item in items:
        marks = [mark.args[0] for mark in item.iter_markers("executes")]
        (left_out if marks and all(map(is_verified, marks)) else kept).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept


@functools.cache
def is_verified(lesson):
    from autograde import layout
    from autograde.authoring import executed

    return executed.is_verified(layout.resolve(lesson))
