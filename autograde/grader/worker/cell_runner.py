"""A notebook's cells as a kernel runs them: each fails for itself, magics and shell lines do nothing, future imports last.

The sandbox has less than a student's machine: packages, files, answers to `input()`, environment variables, a GPU. A statement that fails for want of these costs
itself and what it would have defined, no more, and whatever needs that later is told why it is not there. What can be had without is tried:
the statements of a block (`rescue.py`), a function without the annotations that fail or the decorators of a package, tensors on the CPU.
"""

from __future__ import annotations
import __future__

import ast
import asyncio
import contextlib
import inspect
import linecache
import re
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from types import CodeType, ModuleType
from typing import Any

import IPython
from IPython.core import getipython
from IPython.core.inputtransformer2 import TransformerManager

from autograde.checking.syntax import bound
from autograde.grader.worker import rescue
from autograde.grader.worker.inert import Inert, Shell
from autograde.grader.worker.stand_ins import OnCpu
from autograde.grader.worker.written_files import WrittenFiles
from autograde.grader.worker.written_modules import WrittenModules

MARK = "<cell "
LACKING = (ImportError, OSError, EOFError, sqlite3.OperationalError)  # what the sandbox's bareness brings about
FUTURES = sum({getattr(__future__, name).compiler_flag for name in __future__.all_feature_names if name not in ("nested_scopes",)})
DEFINED = re.compile(r"^(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)|^(\w+)[ \t]*(?::[^=\n]*)?=(?!=)", re.MULTILINE)
GPU = re.compile(r"\b(?:cuda|mps|gpu|nvidia)\b|CUDA|NVIDIA", re.IGNORECASE)
# Without any of these in a cell, IPython's transformation changes nothing, and takes longer than the cell.
IPYTHONS_OWN = re.compile(r"\A\s|^[^\S\n]*(?:[%!?,;/]|>>>|\.\.\.|In ?\[)|=\s*[%!]|\?\s*$|\r|\f", re.MULTILINE)
ANNOTATIONS = __future__.annotations.compiler_flag
LONGEST = 300  # characters of a reason
BY_NAME = ("exec", "globals", "vars", "setattr")  # functions that define what they are told
ANY = "*"
LAST_RESULT = re.compile(r"_{1,3}|_\d+")
NOT_KEPT = "IPython's `_` and `Out`, the results of cells, are not kept in the grader: give the result a name in the cell that computes it"


class Cells:
    """The cells of one notebook, run in `namespace`; `lost` says of names that could not be defined why, `notes` what was left out of
    functions that are defined."""

    def __init__(self, module: dict[str, Any] | None = None, notes: list[str] | None = None) -> None:
        """A notebook's, or with the globals of a `module` and where to put `notes` those of a script that a notebook imports."""
        self.files: dict[str, str] = {}  # that lie beside the notebook or that it writes, by name
        self.notes: list[str] = [] if notes is None else notes
        self.lost: dict[str, str] = {}
        self.namespace = make_namespace(self) if module is None else module
        self._absent: set[str] = set()  # names that failed imports would have bound, and what is made of these
        self._futures = 0

    def run(self, name: str, source: str) -> None:
        """Run one cell, `await` at the top level included; what a statement lacks here is raised when all others are done."""
        text, filename = transformed(name, source)
        try:
            tree = rescue.Undeleted().visit(ast.parse(text, filename, type_comments=False))
            code: CodeType | None = self._compiled(tree, filename)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            self._lose({found for pair in DEFINED.findall(text) for found in pair if found}, f"its cell stopped: {_told(error)}")
            raise
        lacking: BaseException | None = None
        body, position = tree.body, 0
        while code is not None:
            try:
                self._execute(code)
                break
            except BaseException as error:
                position += _statement(body[position:], error, filename)
                self._not_imported(body[:position])
                if not self._defined_without_annotations(body[position], error, filename):
                    if not self._forgiven(error, body[position], text):
                        self._lose(bound(body[position:]), f"its cell stopped before: {_told(error)}")
                        raise
                    self._without(body[position], error, text, filename)
                    lacking = lacking or error
                position += 1
                code = self._compiled(ast.Module(body[position:], []), filename) if body[position:] else None
        self._not_imported(body)
        for statement in body:
            self._try_each(rescue.not_reached(statement, self.namespace), text, filename)
        if lacking:
            raise lacking

    @contextlib.contextmanager
    def kept(self, names: Iterable[str]) -> Iterator[None]:
        """What these names mean is the same afterwards."""
        before = {name: self.namespace[name] for name in names if name in self.namespace}
        try:
            yield
        finally:
            self.namespace.update(before)

    def run_module(self, name: str, source: str, namespace: dict[str, Any]) -> None:
        """Run a script that is imported, in its own `namespace`; what could not be defined says so when it is asked for."""
        script = Cells(namespace, self.notes)
        try:
            script.run(name, source)
        except LACKING:
            if not script.lost:
                raise
        self.lost = {**script.lost, **self.lost}

        def missing(wanted: str) -> Any:
            if wanted in script.lost:
                raise ImportError(f"{name} has no {wanted} here: {script.lost[wanted]}")
            raise AttributeError(f"module {name.removesuffix('.py')!r} has no attribute {wanted!r}")

        namespace.setdefault("__getattr__", missing)

    def why_lost(self, error: BaseException) -> str:
        """Why the name is not there that a NameError is about; "" where nothing is known of it."""
        name = _name(error)
        if name in self.namespace:
            return ""
        return self.lost.get(name, NOT_KEPT if LAST_RESULT.fullmatch(name) else self.lost.get(ANY, "") if name else "")

    def _without(self, statement: ast.stmt, error: BaseException, text: str, filename: str) -> None:
        """Go on after a statement that failed for want of something: what it would have defined is lost, and what is left of it tried."""
        line = _line(error, filename) or statement.lineno
        reason = self.why_lost(error) or f"`{text.split(chr(10))[line - 1].strip()[:80]}` failed: {_told(error)}"
        by_name = {ANY} if any(isinstance(node, ast.Name) and node.id in BY_NAME for node in ast.walk(statement)) else set()
        self._lose(bound([statement]) | rescue.defined_inside(statement) | by_name, reason)
        if isinstance(statement, rescue.IMPORT) or isinstance(statement, ast.Assign) and _name(error) in self._absent:
            self._absent |= bound([statement])
        if isinstance(statement, rescue.DEFINITION):
            with contextlib.suppress(Exception):
                self._execute(self._compiled(ast.Module([statement], []), filename, ANNOTATIONS))
        self._try_each(rescue.left_of(statement, line), text, filename)

    def _defined_without_annotations(self, statement: ast.stmt, error: BaseException, filename: str) -> bool:
        """Whether a function or class that failed is there once its annotations are not looked at, as newer Pythons do not."""
        if not isinstance(statement, rescue.DEFINITION) or type(error) not in (NameError, AttributeError, TypeError):
            return False
        if self.why_lost(error) or rescue.decorated_by(statement, self._unusable()):  # what is lacking is told, and the rest tried
            return False
        try:
            self._execute(self._compiled(ast.Module([statement], []), filename, ANNOTATIONS))
        except Exception:
            return False
        self.notes.append(f"{statement.name} is defined without its annotations: {_told(error)}"[:LONGEST])
        return True

    def _not_imported(self, statements: Iterable[ast.stmt]) -> None:
        """What imports in a `try` have failed to bind."""
        for name, statement in rescue.not_imported(statements, self.namespace).items():
            self._absent.add(name)
            self.lost.setdefault(name, f"`{statement}` failed"[:LONGEST])

    def _try_each(self, statements: Iterable[ast.stmt], text: str, filename: str) -> None:
        """Statements out of their block: whatever one of them raises costs only itself, since its block would have given it more."""
        for statement in statements:
            try:
                self._execute(self._compiled(ast.Module([statement], []), filename))
            except Exception as error:
                self._without(statement, error, text, filename)

    def _compiled(self, tree: ast.Module, filename: str, more: int = 0) -> CodeType:
        """Code of statements, without what of packages that are not here can be left out."""
        if absent := self._unusable():
            left_out = rescue.WithoutPackages(absent)
            left_out.visit(tree)
            self.notes += [f"{said}: {self.lost.get(name, '')}"[:LONGEST] for name, said in left_out.taken]
        code = compile(tree, filename, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | self._futures | more, dont_inherit=True)
        if more:
            return code
        self._futures |= code.co_flags & FUTURES
        return code

    def _execute(self, code: CodeType) -> None:
        with OnCpu():
            result = eval(code, self.namespace)
            if code.co_flags & inspect.CO_COROUTINE:
                asyncio.run(result)

    def _forgiven(self, error: BaseException, node: ast.stmt, text: str) -> bool:
        statement = _text_of(node, text)
        of_environment = type(error) is KeyError and "environ" in statement
        of_decorator = type(error) in (TypeError, AttributeError) and rescue.decorated_by(node, self._unusable())
        lacks = isinstance(error, LACKING) or of_environment or of_decorator
        return lacks or bool(self.why_lost(error)) or _wants_gpu(error, statement)

    def _unusable(self) -> set[str]:
        """Names of failed imports that are not bound, or to None in an `except`."""
        return {name for name in self._absent if self.namespace.get(name) is None}

    def _lose(self, names: Iterable[str], reason: str) -> None:
        self.lost.update({name: reason[:LONGEST] for name in names})


def make_namespace(cells: Cells) -> dict[str, Any]:
    """The globals of a fresh notebook: those of a module `__main__`, so that dataclasses and `inspect` find them."""
    module = ModuleType("__main__")
    sys.modules["__main__"] = module
    namespace = vars(module)
    shell = Shell(namespace, cells.run, cells.files, cells.notes.append)
    WrittenModules(cells.files, cells.run_module).install()
    WrittenFiles(cells.files).install()
    namespace.update(get_ipython=lambda: shell, display=Inert(), __builtins__=__builtins__, **history())
    for place in (IPython, getipython):
        vars(place)["get_ipython"] = namespace["get_ipython"]
    return namespace


class NoResults(dict[int, Any]):
    """IPython's `Out`: cells that only show something do not run here, so it knows no result."""

    def __missing__(self, number: int) -> Any:
        raise NameError(f"Out[{number}] is not there", name=f"_{number}")


def history() -> dict[str, Any]:
    """What IPython calls the cells so far, at the beginning of a notebook."""
    return {"In": [""], "Out": NoResults(), **dict.fromkeys(("_i", "_ii", "_iii"), "")}


def transformed(name: str, source: str) -> tuple[str, str]:
    """A cell as plain Python, and the name by which tracebacks and `inspect.getsource` find its lines."""
    as_it_is = not IPYTHONS_OWN.search(source)
    text = source + "\n" * (not source.endswith("\n")) if as_it_is else TransformerManager().transform_cell(source)
    filename = f"{MARK}{name}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    return text, filename


def _statement(body: list[ast.stmt], error: BaseException, filename: str) -> int:
    """Which of the statements raised it: the first where nobody can tell."""
    line = _line(error, filename)
    return next((i for i, node in enumerate(body) if line <= (node.end_lineno or 0)), 0)


def _line(error: BaseException, filename: str) -> int:
    """The line of the cell's top level in which it was raised; 0 where nobody can tell."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != filename:
        trace = trace.tb_next
    return trace.tb_lineno if trace else 0


def _name(error: BaseException) -> str:
    """The name that a NameError is about; "" for any other error."""
    name = error.name if type(error) is NameError else None
    return name if isinstance(name, str) else ""


def _text_of(node: ast.stmt, text: str) -> str:
    return ast.get_source_segment(text, node) or ""


def _wants_gpu(error: BaseException, statement: str) -> bool:
    """Whether a statement failed for want of a GPU: by what PyTorch says, or by what the statement asks for, as `assert` says nothing."""
    return type(error) in (AssertionError, RuntimeError) and bool(GPU.search(_told(error)) or GPU.search(statement))


def _told(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except BaseException:  # its own methods are the student's
        return type(error).__name__
