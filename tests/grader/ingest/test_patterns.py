"""No name that a student chooses keeps a pattern busy: each looks at names of any length allowed in a time that grows with the length."""

import importlib
import itertools
import pkgutil
import re
import signal

import pytest

from autograde.grader import ingest

BEFORE = ("", "mon ", "copy of ", "group ", "2024-01-01 ", "ann_123_", "late ", "(")
AGAIN = ("1", "1 ", " ", "_", "-", "a", "a ", "1a", ".", "(1)", "- ", "_1", "ab_", "1h", "am.", "copy ", "2024-01-01 ", "12:30 ", "[1]")
LONGEST = 250  # characters; a file's name has no more bytes than 255
SECONDS = 1  # a usual pattern takes a thousandth of it


def patterns():
    """The compiled patterns of the rooms in which names are looked at, also those in dictionaries, by where they are."""
    for found in pkgutil.walk_packages(ingest.__path__, f"{ingest.__name__}."):
        for name, value in vars(importlib.import_module(found.name)).items():
            for key, one in value.items() if isinstance(value, dict) else [("", value)]:
                if isinstance(one, re.Pattern) and isinstance(one.pattern, str):
                    yield f"{found.name.removeprefix(ingest.__name__)}.{name}{f'[{key}]' if key else ''}", one


FOUND = {one: where for where, one in patterns()}


@pytest.fixture
def limited():
    """Raises TimeoutError in the test when it has used so many seconds of the processor's time: a pattern looks for signals."""

    def end(*_):
        raise TimeoutError

    before = signal.signal(signal.SIGPROF, end)
    yield lambda seconds: signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.signal(signal.SIGPROF, before)


@pytest.mark.slow
@pytest.mark.parametrize("pattern", FOUND, ids=FOUND.values())
def test_no_name_keeps_it_busy(limited, pattern):
    for before, again, after in itertools.product(BEFORE, AGAIN, ("x", "!", "")):
        name = (before + again * LONGEST)[:LONGEST] + after
        limited(SECONDS)
        try:
            pattern.fullmatch(name)
            pattern.search(name)
        except TimeoutError:
            pytest.fail(f"{before!r}, then {again!r} again and again, then {after!r} takes more than a second")
        finally:
            limited(0)
