"""What holds for every test: one torch thread, which tests are left out, and a line at the end that says so."""

import os

# Before anything imports torch: matrices this small gain nothing from a second thread, and where all cores are busy threads wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import functools  # noqa: E402
from pathlib import Path  # noqa: E402

import pytest  # noqa: E402

import autograde.grader  # noqa: E402, F401  (before nbformat: it spares every process a second and a half)
from autograde import layout  # noqa: E402

TESTS = Path(__file__).parent


def pytest_addoption(parser):
    parser.addoption("--every-lesson", action="store_true", help="execute all lessons, also those that are as `make verify` left them")


def pytest_configure(config):
    for warning in ("nbformat.validator.DuplicateCellId", "nbformat.warnings.DuplicateCellId"):
        config.addinivalue_line("filterwarnings", f"ignore::{warning}")  # here, since pyproject.toml would import nbformat too early


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Says which tests run in one process, and leaves out those that would execute a lesson which is as `make verify` left it."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(group_of(item)))
    if not config.getoption("--every-lesson"):
        leave_out_verified(config, items)


def group_of(item):
    """A file's tests share its fixtures; a test of one lesson shares what is computed of the lesson; tests with a browser share it."""
    folder = item.path.relative_to(TESTS).parts[0]
    if folder == "browser":
        return folder
    lesson = getattr(item, "callspec", None) and item.callspec.params.get("name")
    return f"{folder} {lesson}" if lesson in layout.lesson_names() and folder == "build" else str(item.path.relative_to(TESTS))


def leave_out_verified(config, items):
    kept, left_out = [], []
    for item in items:
        marks = [mark.args[0] for mark in item.iter_markers("executes")]
        (left_out if marks and all(map(is_verified, marks)) else kept).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept


@functools.cache
def is_verified(lesson):
    from autograde.authoring import executed

    return executed.is_verified(layout.resolve(lesson))


def pytest_terminal_summary(terminalreporter):
    """Tests that were left out for want of a program are not passed over in silence."""
    skipped = terminalreporter.stats.get("skipped", [])
    without = [report for report in skipped if any(word in str(report.longrepr) for word in ("no Chromium", "need Playwright"))]
    if without:
        reason = str(without[0].longrepr[-1]).removeprefix("Skipped: ")
        terminalreporter.write_line(f"LEFT OUT: {len(without)} tests in a browser; {reason}", yellow=True)
