"""Modules that a notebook writes with `%%writefile`, or that were handed in beside it, also as notebooks: imported from their texts, since there are no
files."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any


class WrittenModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """`files` are texts by name, such as `helper.py`; `run(name, text, globals)` runs one. What Python and the course have of the same name
    comes first."""

    def __init__(self, files: dict[str, str], run: Callable[[str, str, dict[str, Any]], None]) -> None:
        self.files = files
        self._run = run

    def install(self) -> None:
        """In place of those of another notebook."""
        sys.meta_path[:] = [*(finder for finder in sys.meta_path if not isinstance(finder, WrittenModules)), self]

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        file = next((file for file in (f"{name}.py", f"{name}.ipynb") if file in self.files), None)
        return importlib.machinery.ModuleSpec(name, self, origin=file) if file else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        file = module.__spec__.origin if module.__spec__ else None
        assert file, "`find_spec` names it"
        module.__file__ = file
        self._run(file, self.files[file], vars(module))
