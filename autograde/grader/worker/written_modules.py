"""Modules that a notebook writes with `%%writefile`, or that were handed in beside it, also as notebooks or in folders: imported from their texts,
since there are no files."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable
from types import CodeType, ModuleType
from typing import Any

from autograde.grader.worker.written_files import found

ENDINGS = (".py", ".ipynb", "/__init__.py")


class WrittenModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """`files` are texts by name, such as `helper.py` or `src/helper.py`; `run(name, text, globals)` runs one. What Python and the course have of the same name
    comes first."""

    def __init__(self, files: dict[str, str], run: Callable[[str, str, dict[str, Any]], None]) -> None:
        self.files = files
        self._run = run

    def install(self) -> None:
        """In place of those of another notebook."""
        sys.meta_path[:] = [*(finder for finder in sys.meta_path if not isinstance(finder, WrittenModules)), self]

    def find_spec(self, module: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        start = module.replace(".", "/")
        deep = [name.removesuffix(end) for end in ENDINGS if (name := found(self.files, start + end))]  # as after `%cd src`
        for place in (start, *(folder + start for folder in self._searched()), *deep):
            if file := next((place + end for end in ENDINGS if place + end in self.files), None):
                return importlib.machinery.ModuleSpec(module, self, origin=file, is_package=file.endswith("__init__.py"))
            if any(f"/{place}/" in f"/{file}" for file in self.files):
                return importlib.machinery.ModuleSpec(module, self, is_package=True)
        return None

    def _searched(self) -> list[str]:
        """The folders of such files in which the notebook's own `sys.path` lets Python look, by the name that it ends in."""
        folders = {file.rpartition("/")[0] for file in self.files} - {""}
        entries = [str(entry).replace("\\", "/").rstrip("/") for entry in sys.path]
        return [f"{folder}/" for folder in sorted(folders) if any(f"/{entry}".endswith(f"/{folder}") for entry in entries)]

    def get_code(self, name: str) -> CodeType | None:
        """For `runpy`."""
        spec = self.find_spec(name)
        return compile(self.files[spec.origin], spec.origin, "exec") if spec and spec.origin else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        if file := module.__spec__.origin if module.__spec__ else None:  # a folder without `__init__.py` has none
            module.__file__ = file
            self._run(file, self.files[file], vars(module))
