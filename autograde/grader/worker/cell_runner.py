"""A notebook's cells as a kernel runs them: each fails for itself, magics and shell lines do nothing, future imports last.

The sandbox has less than a student's machine: packages, files, answers to `input()`. A statement that fails for want of these costs itself
and what it would have defined, no more, and whatever needs that later is told why it is not there.
"""

from __future__ import annotations
import __future__

import ast
import asyncio
import inspect
import linecache
import re
import sys
from collections.abc import Iterable
from types import CodeType, ModuleType
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager

from autograde.checking.syntax import bound
from autograde.grader.worker.inert import Inert, Shell

MARK = "<cell "
LACKING = (ImportError, OSError, EOFError)  # what the sandbox's bareness brings about
FUTURES = sum({getattr(__future__, name).compiler_flag for name in __future__.all_feature_names if name not in ("nested_scopes",)})
DEFINED = re.compile(r"^(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)|^(\w+)[ \t]*(?::[^=\n]*)?=(?!=)", re.MULTILINE)
LONGEST = 300  # characters of a reason


class Cells:
    """The cells of one notebook, run in `namespace`; `lost` says of names that could not be defined why."""

    def __init__(self) -> None:
        self.namespace = make_namespace(self)
        self.lost: dict[str, str] = {}
        self._futures = 0

    def run(self, name: str, source: str) -> None:
        """Run one cell, `await` at the top level included; what a statement lacks here is raised when all others are done."""
        text, filename = transformed(name, source)
        try:
            tree = ast.parse(text, filename, type_comments=False)
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
                if not self._forgiven(error):
                    self._lose(bound(body[position:]), f"its cell stopped before: {_told(error)}")
                    raise
                reason = self.why_lost(error) or f"`{_first_line(body[position], text)}` failed: {_told(error)}"
                self._lose(bound(body[position : position + 1]), reason)
                lacking, position = lacking or error, position + 1
                code = self._compiled(ast.Module(body[position:], []), filename) if body[position:] else None
        if lacking:
            raise lacking

    def why_lost(self, error: BaseException) -> str:
        """Why the name is not there that a NameError is about; "" where nothing is known of it."""
        name = error.name if type(error) is NameError else None
        return self.lost.get(name, "") if isinstance(name, str) and name not in self.namespace else ""

    def _compiled(self, tree: ast.Module, filename: str) -> CodeType:
        code = compile(tree, filename, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | self._futures, dont_inherit=True)
        self._futures |= code.co_flags & FUTURES
        return code

    def _execute(self, code: CodeType) -> None:
        result = eval(code, self.namespace)
        if code.co_flags & inspect.CO_COROUTINE:
            asyncio.run(result)

    def _forgiven(self, error: BaseException) -> bool:
        return isinstance(error, LACKING) or bool(self.why_lost(error))

    def _lose(self, names: Iterable[str], reason: str) -> None:
        self.lost.update({name: reason[:LONGEST] for name in names})


def make_namespace(cells: Cells) -> dict[str, Any]:
    """The globals of a fresh notebook: those of a module `__main__`, so that dataclasses and `inspect` find them."""
    module = ModuleType("__main__")
    sys.modules["__main__"] = module
    namespace = vars(module)
    shell = Shell(namespace, cells.run)
    namespace.update(get_ipython=lambda: shell, display=Inert(), __builtins__=__builtins__)
    return namespace


def transformed(name: str, source: str) -> tuple[str, str]:
    """A cell as plain Python, and the name by which tracebacks and `inspect.getsource` find its lines."""
    text = TransformerManager().transform_cell(source)
    filename = f"{MARK}{name}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    return text, filename


def _statement(body: list[ast.stmt], error: BaseException, filename: str) -> int:
    """Which of the statements raised it: the first where nobody can tell."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != filename:
        trace = trace.tb_next
    line = trace.tb_lineno if trace else 0
    return next((i for i, node in enumerate(body) if line <= (node.end_lineno or 0)), 0)


def _first_line(node: ast.stmt, text: str) -> str:
    return (ast.get_source_segment(text, node) or "").split("\n")[0][:80]


def _told(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except BaseException:  # its own methods are the student's
        return type(error).__name__
