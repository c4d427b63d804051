"""What holds for every test: one torch thread, which tests are left out, and a line at the end that says so."""

import os

# Before anything imports torch: matrices this small gain nothing from a second thread, and where all cores are busy threads wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# A real GPU leaves no room for the pretended one, and its results differ in their last digits: `make test-gpu` shows it, all else is the same without.
if "COURSE_TEST_GPU" not in os.environ:
    os.environ["CUDA_VISIBLE_DEVICES"] = ""

import faulthandler  # noqa: E402
import functools  # noqa: E402
import sys  # noqa: E402

import pytest  # noqa: E402

import autograde.grader  # noqa: E402, F401  (before nbformat: it spares every process a second and a half)
from autograde import layout  # noqa: E402

LONGEST = ("grader/adversarial", "grader/durability", "grader/batch/test_demo", "exports", "browser", "build")
RUN_AGAIN = {}  # tests whose process ended, in their order


def pytest_addoption(parser):
    parser.addoption("--every-lesson", action="store_true", help="execute all lessons, also those that are as `make verify` left them")


def pytest_configure(config):
    for warning in ("nbformat.validator.DuplicateCellId", "nbformat.warnings.DuplicateCellId"):
        config.addinivalue_line("filterwarnings", f"ignore::{warning}")  # here, since pyproject.toml would import nbformat too early


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Leaves out what would execute a lesson that is as `make verify` left it; what takes longest to make comes first, so that no process is idle."""
    for item in items:
        if item.get_closest_marker("soak"):
            item.add_marker(pytest.mark.slow)
    yield  # `-m` has chosen: to ask whether a lesson is verified takes seconds, and most runs execute none
    if not config.getoption("--every-lesson"):
        leave_out_verified(config, items)
    items.sort(key=lambda item: -any(item.nodeid.startswith(f"tests/{place}") for place in LONGEST))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Tests that share what takes long to make run in one process. (`--dist loadgroup` of pytest-xdist 3.8 does nothing under pytest 9.2.)"""
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return group_of(nodeid)

        def remove_node(self, node):
            """A test whose process ended (it hung, say) is run once more, and told in the summary; then it has failed. pytest-xdist
            alone would give it to process after process, and wait for ever for one that got only what is done."""
            workload = self.assigned_work[node]
            ended = next((nodeid for unit in workload.values() for nodeid, done in unit.items() if not done), None)
            failed = ended in RUN_AGAIN
            for scope, unit in list(workload.items()):
                unit |= {ended: True} if failed and ended in unit else {}
                if all(unit.values()):
                    del workload[scope]
            RUN_AGAIN.update({ended: None} if ended else {})
            super().remove_node(node)
            return ended if failed else None

    config.option.loadscopereorder = False  # keep the order from above
    return Groups(config, log)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    """Between tests a process of pytest-xdist waits for the number of the next; one that waits for too long ends, as one that hangs in a test does."""
    result = yield
    if hasattr(item.config, "workerinput"):
        faulthandler.dump_traceback_later(float(item.config.getini("faulthandler_timeout")), exit=True, file=sys.__stderr__)
    return result


def pytest_sessionfinish():
    faulthandler.cancel_dump_traceback_later()


def group_of(nodeid):
    """A file's tests share its fixtures; a test of one lesson shares what is computed of the lesson; tests with a browser share it."""
    file, _, test = nodeid.partition("::")
    folder = file.split("/")[1]
    lesson = next((name for name in layout.lesson_names() if f"[{name}]" in test), "")
    return folder if folder == "browser" else f"{folder} {lesson}" if folder == "build" and lesson else file


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
    """Tests that were left out for want of a program, or run again, are not passed over in silence."""
    for nodeid in RUN_AGAIN:
        terminalreporter.write_line(f"RUN AGAIN, its process had ended or it hung (where it was stands above): {nodeid}", yellow=True)
    skipped = terminalreporter.stats.get("skipped", [])
    without = [report for report in skipped if any(word in str(report.longrepr) for word in ("no Chromium", "need Playwright"))]
    if without:
        reason = str(without[0].longrepr[-1]).removeprefix("Skipped: ")
        terminalreporter.write_line(f"LEFT OUT: {len(without)} tests in a browser; {reason}", yellow=True)
