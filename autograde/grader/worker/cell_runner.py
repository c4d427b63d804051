"""A notebook's cells as plain Python: magics and shell lines do nothing, and each cell fails for itself."""

from __future__ import annotations

import ast
import asyncio
import importlib.abc
import importlib.machinery
import inspect
import linecache
import sys
from types import CodeType, ModuleType
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager

MARK = "<cell "
RUN_AS_CODE = {"time", "capture"}  # magics around code that defines something
INERT_MODULES = ("autograde",)  # the notebook's helper: checks and scoreboards have no place in the grader


class Inert:
    """Takes every call and every attribute and does nothing."""

    def __call__(self, *args: Any, **kwargs: Any) -> Inert:
        return self

    def __getattr__(self, name: str) -> Inert:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __iter__(self) -> Any:
        return iter(())

    def __repr__(self) -> str:
        return "<nothing: this runs in the grader>"


class Shell(Inert):
    """What `get_ipython()` gives: magics are ignored, but the code inside `%%time` and `%%capture` is run."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.user_ns = namespace

    def run_cell_magic(self, name: str, line: str, body: str) -> None:
        if name in RUN_AS_CODE:
            run_cell(f"%%{name}", body, self.user_ns)

    def run_line_magic(self, name: str, line: str, *rest: Any) -> Any:
        if name != "time":
            return None
        try:
            return eval(line, self.user_ns)
        except SyntaxError:
            exec(line, self.user_ns)


class InertModule(ModuleType):
    """A module in which every name is there and does nothing."""

    def __getattr__(self, name: str) -> Inert:
        if name.startswith("__"):
            raise AttributeError(name)
        return Inert()


class _InertFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name.split(".")[0] in INERT_MODULES:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: Any) -> ModuleType:
        return InertModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


def make_inert() -> None:
    """From now on, whoever imports the course's helper in this process gets a module that does nothing."""
    for name in [n for n in sys.modules if n.split(".")[0] in INERT_MODULES]:
        del sys.modules[name]
    sys.meta_path.insert(0, _InertFinder())


def make_namespace() -> dict[str, Any]:
    """The globals of a fresh notebook: those of a module `__main__`, so that dataclasses and `inspect` find them."""
    module = ModuleType("__main__")
    sys.modules["__main__"] = module
    namespace = vars(module)
    shell = Shell(namespace)
    namespace.update(get_ipython=lambda: shell, display=Inert(), __builtins__=__builtins__)
    return namespace


def run_cell(name: str, source: str, namespace: dict[str, Any]) -> None:
    """Run one cell as Jupyter would, `await` at the top level included."""
    code = compile_cell(name, source)
    result = eval(code, namespace)
    if code.co_flags & inspect.CO_COROUTINE:
        asyncio.run(result)


def compile_cell(name: str, source: str) -> CodeType:
    """The cell's code; its lines are where tracebacks and `inspect.getsource` look for them."""
    text = TransformerManager().transform_cell(source)
    filename = f"{MARK}{name}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    return compile(text, filename, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
