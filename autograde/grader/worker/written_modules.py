"""Modules that a notebook writes with `%%writefile`, or that were handed in beside it: imported from their texts, since there are no files."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import linecache
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any


class WrittenModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """`files` are texts by name, such as `helper.py`. What Python and the course have of the same name comes first."""

    def __init__(self, files: dict[str, str], called: Callable[[str], str]) -> None:
        self.files = files
        self._called = called  # the name of a text in tracebacks

    def install(self) -> None:
        """In place of those of another notebook."""
        sys.meta_path[:] = [*(finder for finder in sys.meta_path if not isinstance(finder, WrittenModules)), self]

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        return importlib.machinery.ModuleSpec(name, self, origin=f"{name}.py") if f"{name}.py" in self.files else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        file = f"{module.__name__}.py"
        text, name = self.files[file], self._called(file)
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        module.__file__ = file
        exec(compile(text, name, "exec", dont_inherit=True), vars(module))
