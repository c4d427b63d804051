"""The checks of a lesson: collected by pytest once, run on any `student`, turned into verdicts."""

from __future__ import annotations

import contextlib
import dis
import io
import linecache
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import torch

from autograde.checking.errors import (
    NOT_WRITTEN,
    AutogradeError,
    CheckFailed,
    ForbiddenCall,
    MissingName,
    StudentDied,
    StudentError,
    StudentTimeout,
    UserError,
)
from autograde.checking.exception_words import in_words, of_a_call
from autograde.checking.expect import show, with_article
from autograde.checking.expected import turn_of
from autograde.checking.inputs import kept
from autograde.checking.result import Outcome
from autograde.checking.status import CheckStatus
from autograde.checking.student import Student

MARKS = (
    "exercise(name, weight=1): the exercise that a check belongs to and its share of the points",
    "trivial: an answer that does nothing passes this check too, so it earns points only beside another that passed",
)

PRINTED_LENGTH = 1500
UNPACKED = re.compile(r"values to unpack \(expected (\d+)(?:, got (\d+))?\)|cannot unpack non-iterable (\w+) object")


@dataclass(frozen=True)
class Check:
    """One test: `function(student, **arguments)` belongs to `exercise` and carries `weight` of its points, a `trivial` one none by itself."""

    exercise: str
    weight: float
    name: str
    title: str
    hidden: bool
    function: Callable[..., None]
    arguments: dict[str, Any]
    trivial: bool = False


class _Collector:
    def __init__(self) -> None:
        self.items: list[pytest.Function] = []
        self.errors: list[str] = []

    def pytest_configure(self, config: pytest.Config) -> None:
        for mark in MARKS:
            config.addinivalue_line("markers", mark)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.items = [item for item in session.items if isinstance(item, pytest.Function)]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.errors.append(str(report.longrepr))


def collect(path: Path, hidden: bool = False) -> list[Check]:
    """The checks in one file, in its order.

    Raises:
        UserError: when the file cannot be imported or a test belongs to no exercise.
    """
    found = _Collector()
    _forget_another(path)
    options = ["--collect-only", "-s", "-p", "no:terminal", "-p", "no:cacheprovider", "--noconftest", "--import-mode=importlib"]
    options += ["-p", "no:unraisableexception"]  # it collects garbage many times over when it leaves
    with contextlib.redirect_stdout(io.StringIO()), _no_plugins_from_outside():
        code = pytest.main([*options, "-c", os.devnull, f"--rootdir={path.parent.parent}", str(path)], plugins=[found])
    if found.errors or code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise UserError(_not_collected(path, "".join(found.errors[:1])))
    return [_check(item, path, hidden) for item in found.items]


def _not_collected(path: Path, told: str) -> str:
    """One line of what pytest tells of a file that cannot be imported: its last line in the file, and the exception."""
    lines = re.findall(rf"{re.escape(path.name)}:(\d+): ", told)
    said = re.findall(r"^E +(.*)", told, re.MULTILINE)
    return f"{path.parent.name}/{path.name}:{lines[-1] if lines else 1}: these tests cannot be imported: {said[-1] if said else told.strip() or 'pytest stops'}"


def _forget_another(path: Path) -> None:
    """pytest takes a file by its name and folder's name, and so would take one of another copy of the course that this process has loaded."""
    name = f"{path.parent.name}.{path.stem}"
    if getattr(sys.modules.get(name), "__file__", str(path)) != str(path):
        del sys.modules[name]


@contextlib.contextmanager
def _no_plugins_from_outside() -> Iterator[None]:
    """Other packages' pytest plugins (hypothesis, jaxtyping, …) cost start-up time and change nothing here."""
    before = os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        del os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]
        if before is not None:
            os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = before


def _check(item: pytest.Function, path: Path, hidden: bool) -> Check:
    mark = item.get_closest_marker("exercise")
    if mark is None or not mark.args:
        raise UserError(f"{path.name}: {item.name} needs @pytest.mark.exercise(name)")
    arguments = dict(item.callspec.params) if hasattr(item, "callspec") else {}
    unknown = set(item.fixturenames) - set(arguments) - {"student"}
    if unknown:
        raise UserError(f"{path.name}: {item.name} asks for fixtures that checks do not have: {sorted(unknown)}")
    lines = (item.function.__doc__ or item.originalname.removeprefix("test_").replace("_", " ")).strip().splitlines()
    weight, trivial = float(mark.kwargs.get("weight", 1)), item.get_closest_marker("trivial") is not None
    return Check(mark.args[0], weight, item.name, lines[0], hidden, item.function, arguments, trivial)


def run(check: Check, student: Student) -> Outcome | None:
    """Run one check; None when it skips itself (an optional package is not there)."""
    printed = _Printed()
    try:
        with (
            torch.random.fork_rng(devices=[]),
            contextlib.redirect_stdout(printed),
            kept(check.function, check.arguments),
            turn_of(check.name),
        ):
            check.function(student=student, **check.arguments)
    except pytest.skip.Exception:
        return None
    except (Exception, pytest.fail.Exception) as error:
        status, message, detail = _verdict(error)
        return Outcome(check.name, check.title, status, check.weight, check.hidden, message, detail, printed=printed.text())
    return Outcome(check.name, check.title, CheckStatus.PASSED, check.weight, check.hidden, printed=printed.text())


class _Printed(io.StringIO):
    """Keeps the beginning of what is printed, also of an endless loop that prints."""

    def write(self, text: str) -> int:
        if self.tell() <= PRINTED_LENGTH:
            super().write(text[: PRINTED_LENGTH + 1])
        return len(text)

    def text(self) -> str:
        kept = self.getvalue()
        return kept if len(kept) <= PRINTED_LENGTH else kept[:PRINTED_LENGTH] + "…"


def _verdict(error: BaseException) -> tuple[CheckStatus, str, str]:
    """(status, message, detail) for what a check raised."""
    if isinstance(error, CheckFailed):
        return CheckStatus.FAILED, error.summary, error.detail
    if isinstance(error, MissingName):
        return CheckStatus.MISSING, str(error), ""
    if _is_stub(error):
        return CheckStatus.NOT_ATTEMPTED, NOT_WRITTEN, ""
    if isinstance(error, StudentTimeout):
        return CheckStatus.TIMEOUT, str(error), ""
    if isinstance(error, StudentDied):
        return CheckStatus.DIED, str(error), ""
    if isinstance(error, ForbiddenCall):
        return CheckStatus.FAILED, str(error), ""
    if isinstance(error, (AssertionError, pytest.fail.Exception)) and not _of_the_students(error):
        return CheckStatus.FAILED, str(error).splitlines()[0] if str(error) else "the result is not as expected", ""
    return CheckStatus.ERROR, *_raised(error)


def _of_the_students(error: BaseException) -> bool:
    """Whether an AssertionError is of an `assert` in the student's code, or of a library that it called, and of none in a check."""
    if isinstance(error, StudentError):
        return True
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    cells = [number for number, frame in enumerate(frames) if _of_a_cell(frame.f_code.co_filename)]
    return bool(cells) and not any("checks" in Path(frame.f_code.co_filename).parts for frame in frames[cells[-1] + 1 :])


def _is_stub(error: BaseException) -> bool:
    """NotImplementedError as a stub raises it: torch raises it too, for what a device cannot do."""
    named = isinstance(error, NotImplementedError) or getattr(error, "type_name", "") == "NotImplementedError"
    return named and (not str(error) or str(error).endswith(NOT_WRITTEN))


def _raised(error: BaseException) -> tuple[str, str]:
    """(message, detail) for an exception of the student's code, or of a check that could not use what came from it."""
    full = " ".join(str(error).split())
    message = full[:300]
    if isinstance(error, StudentError):
        return in_words(full) or f"Your code raised {error.type_name}: {message}", error.line
    if isinstance(error, AutogradeError):
        return message, ""
    frames = _student_frames(error)
    if frames:
        where = "; ".join(words for words in (_line(frames[-1]), _called_with(frames[0])) if words)
        return in_words(full) or f"Your code raised {type(error).__name__}: {message}", where
    words = _other_number_of_results(message) or of_a_call(full) or in_words(full)
    return words or f"The result could not be used, it has another form than the exercise asks for ({type(error).__name__}: {message})", ""


def _other_number_of_results(message: str) -> str:
    """A sentence for what Python says where a check takes a result of several parts apart; nothing for other errors."""
    match = UNPACKED.search(message)
    if match is None:
        return ""
    wanted, got, kind = match.groups()
    if kind:
        return f"Expected several results, got {'nothing (is a `return` missing?)' if kind == 'NoneType' else f'one {kind}'}"
    return f"Expected {wanted} results, got {got}" if got else f"Expected {wanted} results, got more, or one that has other parts"


def _student_frames(error: BaseException) -> list[FrameType]:
    """The frames of notebook cells in the traceback, from the check's call on."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return [f for f in frames if _of_a_cell(f.f_code.co_filename)]


def _of_a_cell(filename: str) -> bool:
    return "ipykernel" in filename or (filename.startswith("<") and not filename.startswith("<frozen"))


def _line(frame: FrameType) -> str:
    """The line of a cell that a frame had come to."""
    text = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    return f"line {frame.f_lineno}: {text}" if text else "in your cell"


def _called_with(frame: FrameType) -> str:
    """The arguments that the check gave, by the names the student gave them, without those that the code has bound anew since."""
    code = frame.f_code
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    bound = {name for step in dis.get_instructions(code) if step.opname.startswith("STORE_") for name in _names(step.argval)}
    given = [f"{name} {_picture(frame.f_locals[name])}" for name in names if name in frame.f_locals and name not in bound]
    told = ", ".join(words for words in given if not words.startswith("self "))
    return f"called with {told}" if told and len(told) <= 200 else ""


def _names(argument: Any) -> tuple[Any, ...]:
    return argument if isinstance(argument, tuple) else (argument,)


def _picture(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return f"{tuple(value.shape)}"
    if value is None:  # an argument that is left out, not a result that is missing
        return "= None"
    plain = isinstance(value, (bool, int, float, str, list, tuple, dict))
    return f"= {show(value, 40)}" if plain else f"= {with_article(type(value).__name__)}"
