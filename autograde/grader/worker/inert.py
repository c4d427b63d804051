"""What a notebook finds in the grader in place of IPython's shell and of the course's helper: it takes every call, and does nothing."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import re
import sys
from collections.abc import Callable, Collection
from types import ModuleType
from typing import Any

from autograde.checking import cell_magics
from autograde.grader.worker import written_files

PYLAB = "import numpy as np\nimport matplotlib.pyplot as plt\nfrom numpy import *\nfrom matplotlib.pyplot import *"
INERT_MODULES = ("autograde",)  # the notebook's helper: checks and scoreboards have no place in the grader


class Inert:
    """Takes every call, attribute and place in it, and does nothing; beside numbers it is 0, and what a command printed, without any line."""

    def __call__(self, *args: Any, **kwargs: Any) -> Inert:
        return self

    def __getattr__(self, name: str) -> Inert:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __iter__(self) -> Any:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, place: Any) -> Inert:
        return self

    __add__ = __radd__ = __sub__ = __mul__ = __truediv__ = __floordiv__ = __getitem__

    def __lt__(self, other: Any) -> bool:
        return False

    __le__ = __gt__ = __ge__ = __lt__

    def __int__(self) -> int:
        return 0

    def __float__(self) -> float:
        return 0.0

    def __repr__(self) -> str:
        return "<nothing: this runs in the grader>"


class Shell(Inert):
    """What `get_ipython()` gives: magics are ignored, but the code inside those that define something is run, by `run(name, code)`. `files` are
    texts by name, which `%%writefile` writes and `%run` runs; `tell` says what could not be run."""

    def __init__(
        self, namespace: dict[str, Any], run: Callable[[str, str], None], files: dict[str, str], tell: Callable[[str], None]
    ) -> None:
        self.user_ns, self._run, self._files, self._tell = namespace, run, files, tell

    def run_cell_magic(self, name: str, line: str, body: str) -> None:
        if name in ("writefile", "file") and (words := line.split()):
            before = self._files.get(words[-1], "") if words[0] in ("-a", "--append") else ""
            self._files[words[-1].strip("\"'").removeprefix("./")] = before + body
        if name == "capture" and line.split()[-1:] and line.split()[-1].isidentifier():
            self.user_ns[line.split()[-1]] = Inert()  # what was printed; nobody sees it here
        if name == cell_magics.ADD:
            self._add_to(eval(line, self.user_ns), body)
        elif cell_magics.runs_its_cell(name):
            self._run(f"%%{name}", body)

    def _add_to(self, owner: Any, body: str) -> None:
        """Functions that become methods of a class; their names mean in the notebook what they did."""
        before = dict(self.user_ns)
        self._run(f"%%{cell_magics.ADD}", body)
        for name in [name for name, value in self.user_ns.items() if before.get(name, self) is not value]:
            setattr(owner, name, self.user_ns.pop(name))
        self.user_ns.update(before)

    def run_line_magic(self, name: str, line: str, *rest: Any) -> Any:
        if name == "pylab":
            exec(PYLAB, self.user_ns)
        if name == "run":
            self._run_file(line)
        if name not in ("time", "prun"):
            return None
        try:
            return eval(line, self.user_ns)
        except SyntaxError:
            exec(line, self.user_ns)

    def magic(self, line: str) -> Any:
        name, _, rest = line.lstrip("%").partition(" ")
        return self.run_line_magic(name, rest)

    def _run_file(self, line: str) -> None:
        words = [quoted or word for quoted, word in re.findall(r"""["']([^"']+)["']|(\S+)""", line)]
        file = next((word.removeprefix("./") for word in words if not word.startswith("-")), "")
        found = next((name for end in ("", ".py", ".ipynb") if (name := written_files.found(self._files, file + end))), None)
        if found:
            self._run(found, self._files[found])
        else:
            self._tell(f"`%run {line.strip()}` is not run here: there is no {file} beside the notebook")


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


class _Absent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Refuses to run packages; where their files lie may still be asked."""

    def __init__(self, packages: Collection[str]) -> None:
        self.packages = packages

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name.split(".")[0] not in self.packages:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is not None:
            spec.loader = self
        return spec

    def create_module(self, spec: Any) -> ModuleType:
        raise ImportError(f"{spec.name} is not there when this lesson is graded", name=spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


def take_away(packages: Collection[str]) -> None:
    """From now on, these packages cannot be imported in this process."""
    sys.meta_path.insert(0, _Absent(packages))


def make_inert() -> None:
    """From now on, whoever imports the course's helper in this process gets a module that does nothing."""
    for name in [n for n in sys.modules if n.split(".")[0] in INERT_MODULES]:
        del sys.modules[name]
    sys.meta_path.insert(0, _InertFinder())
