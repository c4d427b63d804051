"""The rooms of the package and which of them may import which; no circle among rooms or modules, and none that no import shows."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from autograde.layout import ROOT

# A room is a folder of the package, or a module of `autograde/` or `autograde/grader/` itself. A room may import those it names, with the rooms
# within them, and no other; a room within another may not import what lies around it.
# `utils` and what students get (checking, notebook, progress) know nothing of authors and graders; who isolates untrusted code knows nothing of
# those who run it, nor of the messages that cross.
MAY_IMPORT = {
    "utils": "",
    "checking.errors": "",
    "layout": "checking.errors",
    "files": "",
    "wording": "",
    "checking": "checking.errors layout",
    "notebook": "checking checking.errors layout progress progress_page",
    "progress": "checking checking.errors layout wording",
    "progress_page": "checking progress wording",
    "commands": "checking checking.errors files layout progress progress_page doctor wording",
    "doctor": "layout checking.errors grader.sandbox utils",
    "cli": "checking.errors commands layout",
    "__main__": "cli doctor",
    "authoring.handed_out": "layout",
    "authoring.pins": "layout",
    "authoring.source": "checking checking.errors layout",
    "authoring.measuring": "checking checking.errors commands layout authoring.pins authoring.source",
    "authoring.rules": "checking checking.errors layout authoring.handed_out authoring.measuring authoring.pins authoring.source",
    "authoring.strength": "checking checking.errors layout authoring.rules authoring.source",
    "authoring": "checking checking.errors commands files layout",
    "site": "authoring checking checking.errors layout utils wording",
    "grader.safe_markdown": "wording",
    "grader.spelling": "",
    "grader.sandbox": "checking.errors layout",
    "grader.rpc": "checking checking.errors",
    "grader.worker": "checking checking.errors layout grader.rpc grader.sandbox",
    "grader.ingest.naming": "files layout grader.sandbox",
    "grader.ingest.formats": "checking files grader.ingest.naming grader.sandbox grader.spelling",
    "grader.ingest.cells": "checking grader.ingest.formats",
    "grader.ingest.found": "checking checking.errors files layout grader.ingest.formats grader.ingest.naming grader.sandbox",
    "grader.ingest.whose": "checking layout grader.ingest.formats grader.ingest.found grader.ingest.naming grader.sandbox",
    "grader.ingest": "checking checking.errors files layout grader.sandbox",
    "grader.results": "checking checking.errors files layout grader.spelling",
    "grader.run": "authoring.source checking checking.errors layout grader.ingest grader.results grader.rpc grader.sandbox grader.worker",
    "grader.gradebook": "authoring checking checking.errors files layout grader.results grader.sandbox",
    "grader.pages": "checking checking.errors files layout wording grader.gradebook grader.results grader.sandbox",
    "grader.batch": "checking checking.errors files layout wording grader.gradebook grader.ingest grader.pages grader.results grader.run grader.sandbox grader.worker",
    "grader.plugin": "checking checking.errors layout grader.gradebook grader.ingest grader.run grader.sandbox",
    "grader.commands": "authoring checking checking.errors commands layout wording grader.batch grader.ingest grader.gradebook grader.pages grader.sandbox",
    "grader.written": "authoring.source checking checking.errors commands files layout wording grader.batch grader.gradebook grader.safe_markdown grader.sandbox",
    "exports": "checking checking.errors commands files layout wording grader.gradebook grader.ingest grader.results grader.run grader.sandbox grader.worker",
}
STUDENTS = ("utils", "checking", "notebook", "progress", "progress_page", "wording")
NAMED = re.compile(
    r"\bautograde(?:\.\w+)+"
)  # a module that a string names: code for a new process, what a pool imports, nbgrader's settings
# Strings that name who comes later, each with the reason.
NAMED_FOR_OTHERS = {
    ("authoring", "notebook"): "a new lesson's source imports it",
    ("grader.gradebook", "grader.plugin"): "nbgrader's settings name the plugin: nbgrader imports it",
    ("grader.gradebook", "grader.safe_markdown"): "nbgrader's settings name it, too",
    ("grader.worker", "grader.run"): "the process that graders are forked from imports it before they are",
    ("doctor", "grader.plugin"): "reads whether the settings name it",
    ("doctor", "grader.safe_markdown"): "reads whether the settings name it",
}


def modules() -> dict[str, Path]:
    """The course's modules by name; checks and misconceptions of lessons are data, loaded by path."""
    found = [
        p for package in ("autograde", "utils") for p in (ROOT / package).rglob("*.py") if "lessons" not in p.relative_to(ROOT).parts[:-1]
    ]
    found += (ROOT / "autograde" / "site").glob("*.py")
    names = {}
    for path in found:
        parts = path.relative_to(ROOT).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return names


MODULES = modules()
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}


def room(module: str) -> str:
    """Where a module is: `autograde.grader.run.session` is in grader.run."""
    if module == "autograde.checking.errors":
        return "checking.errors"  # which even `layout` raises
    parts = module.split(".")
    if parts[0] == "utils" or len(parts) == 1:
        return parts[0]
    within = [".".join(parts[1:n]) for n in range(3, len(parts) + 1)]
    if deep := [place for place in within if place in MAY_IMPORT]:
        return deep[-1]
    return ".".join(parts[1:3]) if parts[1] == "grader" and len(parts) > 2 else parts[1]


def is_in(place: str, rooms: Iterable[str]) -> bool:
    """Whether a room is one of `rooms`, or within one."""
    return any(place == one or place.startswith(f"{one}.") for one in rooms)


@cache
def imported(module: str) -> set[str]:
    """The course's modules that a module imports, wherever in it: within functions and for type checkers too."""
    found: set[str] = set()
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {name if (name := f"{node.module}.{alias.name}") in MODULES else node.module for alias in node.names}
    return (found & set(MODULES)) - {module}


@cache
def named(module: str) -> set[str]:
    """The course's modules that strings of a module name, docstrings left out."""
    tree = TREES[module]
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value) for node in ast.walk(tree) if isinstance(node, documented) and ast.get_docstring(node, clean=False)
    }
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            for name in NAMED.findall(node.value):
                while name not in MODULES:
                    name = name.rpartition(".")[0]
                if name.count("."):
                    found.add(name)
    return found


def cycle(graph: Mapping[str, Iterable[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_every_room_is_in_the_table():
    there = {room(module) for module in MODULES} - {"autograde", "grader", "lessons"}
    assert there == set(MAY_IMPORT), "MAY_IMPORT says of each room what it may import"


@pytest.mark.parametrize("place", MAY_IMPORT)
def test_a_room_imports_only_what_the_table_allows(place):
    allowed = {place, *MAY_IMPORT[place].split()}
    wrong = {
        (module, other)
        for module in MODULES
        if room(module) == place
        for other in imported(module)
        if room(other) not in ("autograde", "grader") and not is_in(room(other), allowed)
    }
    assert [f"{module} imports {other}" for module, other in sorted(wrong)] == []


@pytest.mark.parametrize("place", MAY_IMPORT)
def test_a_string_names_no_module_that_may_not_be_imported(place):
    allowed = {place, *MAY_IMPORT[place].split(), *(to for where, to in NAMED_FOR_OTHERS if where == place)}
    wrong = [
        f"{module} names {other}"
        for module in MODULES
        if room(module) == place
        for other in named(module)
        if not is_in(room(other), allowed)
    ]
    assert wrong == []


def test_the_table_has_no_circle():
    assert cycle({place: rooms.split() for place, rooms in MAY_IMPORT.items()}) == []


def test_no_modules_import_each_other():
    assert cycle({module: imported(module) for module in MODULES}) == []


@pytest.mark.parametrize("place", STUDENTS)
def test_what_students_get_reaches_neither_authors_nor_graders(place):
    reached, queue = set(), [place]
    while queue:
        reached.add(here := queue.pop())
        queue += [there for there in MAY_IMPORT[here].split() if there not in reached]
    assert not [there for there in reached if there.startswith(("grader", "authoring", "exports", "site"))]


def test_the_names_are_read_as_python_reads_them():
    assert room("autograde.grader.run.session") == "grader.run" and room("autograde.grader.plugin") == "grader.plugin"
    assert "autograde.grader.rpc.proxies" in imported("autograde.grader.run.session")
    assert "autograde.grader.worker.preloaded" in named("autograde.grader.worker.fork_server")
    assert cycle({"a": ["b"], "b": ["c"], "c": ["a"]})


def test_one_module_names_cuda():
    """Every other asks it, so that another kind of device is one file's matter."""
    naming = {
        module
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "cuda" and isinstance(node.value, ast.Name) and node.value.id == "torch"
    }
    assert naming == {"utils.device"}
