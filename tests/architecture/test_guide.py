"""The guide to the code names rooms, files and functions that are there."""

import importlib
import re

import pytest

from autograde.grader.worker import preloaded
from autograde.layout import PACKAGE, ROOT

GUIDE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
FUNCTIONS = sorted(set(re.findall(r"`((?:ingest|run|batch|results|rpc|worker|sandbox|gradebook|checking)\.[\w.]+)`", GUIDE)))
FILES = sorted(set(re.findall(r"`((?:checking|grader|lessons|authoring|exports|worker|rpc|run)/[\w/]+(?:\.py)?/?)`", GUIDE)))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_that_the_guide_names(name):
    parts = name.split(".")
    room = "autograde." if parts[0] == "checking" else "autograde.grader."
    module = next(n for n in range(len(parts), 0, -1) if find(room + ".".join(parts[:n])))
    found = importlib.import_module(room + ".".join(parts[:module]))
    for part in parts[module:]:
        found = getattr(found, part)


def find(name: str) -> bool:
    """Whether there is a module of this name; `a.b.c` may be a function `c` of the module `a.b`."""
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_the_guide_names(name):
    assert any((base / name).exists() for base in (PACKAGE, PACKAGE / "grader"))


@pytest.mark.parametrize("name", preloaded.PRELOAD)
def test_a_module_that_is_loaded_by_its_name(name):
    """A name that no longer exists would only make the first submission slow."""
    assert importlib.util.find_spec(name) is not None
