"""Every function and class that a release holds, put in the place of every answer of a lesson: `python -m tests.release.borrowed NN_name`.

Prints what earned points, as JSON. A process of its own: whatever these functions do to a process, when they are called with anything.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import inspect
import json
import os
import select
import signal
import struct
import sys
import tempfile
from collections import ChainMap
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import torch

from autograde import layout
from autograde.authoring import handed_out
from autograde.authoring.strength.mutation import Bench
from autograde.checking.forbidden import forbidding
from autograde.checking.lesson import Exercise
from autograde.checking.scoring import earned, run_checks
from autograde.checking.student import LocalStudent

SECONDS = 3  # for one function in the place of one answer
NUMBER = struct.Struct("d")
Borrowed = tuple[str, Any, dict[str, Any]]  # its name, itself, and the names of its module


class Late(BaseException):
    """No Exception, which a check would take for the answer's own."""


def functions(path: Path) -> Iterator[Borrowed]:
    """All functions and classes of a file by name, also methods, nested functions and lambdas, with nothing of what is around them but the module."""
    module = _imported(path)
    if module is None:
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        found = _alone(node, vars(module)) if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Lambda)) else None
        if found is not None:
            name = f"{path.name}:{node.lineno} {getattr(node, 'name', 'lambda')}"
            yield name, found, found.__globals__ if inspect.isfunction(found) else vars(module)
            if isinstance(node, ast.FunctionDef) and node.args.args and node.args.args[0].arg == "self":
                yield f"{name} without self", partial(found, None), found.__globals__


def _imported(path: Path) -> ModuleType | None:
    try:
        if path.name.startswith("test_"):  # public checks are found by their place
            return layout.load_module(path, f"borrowed_{path.stem}")
        parts = path.relative_to(layout.ROOT).with_suffix("").parts
        return importlib.import_module(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    except (ImportError, SystemExit):  # needs what is not installed, or is a program
        return None


def _alone(node: ast.AST, names: dict[str, Any]) -> Any:
    """The function or class that stands at this place of a module."""
    if not isinstance(node, ast.Lambda):
        node.decorator_list = []
    body = [ast.Assign([ast.Name("it", ast.Store())], node)] if isinstance(node, ast.Lambda) else [node]
    code = compile(ast.fix_missing_locations(ast.Module(body, [])), "<borrowed>", "exec", dont_inherit=True)
    scope = dict(names)
    try:
        exec(code, scope)
    except Exception:
        return None  # a default or a base class that is no name of the module
    return scope["it" if isinstance(node, ast.Lambda) else node.name]


def fits(borrowed: Any, answer: Any) -> bool:
    """Whether it takes as many arguments as the answer must be given."""
    try:
        needed = [p for p in inspect.signature(answer).parameters.values() if p.default is p.empty and p.kind != p.VAR_KEYWORD]
        inspect.signature(borrowed).bind(*needed)
    except (TypeError, ValueError):
        return False
    return True


@contextlib.contextmanager
def _hurried() -> Iterator[None]:
    def stop(*_: Any) -> None:
        raise Late

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS, SECONDS)  # again, should something keep it from getting through
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def points(bench: Bench, exercise: Exercise, borrowed: Any, names: dict[str, Any]) -> float:
    """The weight that it earns from the public checks in the answer's place; a process that it would end earns none."""
    student = LocalStudent(ChainMap({exercise.name: borrowed}, bench.reference))
    public = [check for check in bench.lesson.checks[exercise.name] if not check.hidden]
    try:
        with _hurried():
            outcomes, _ = run_checks(
                public, student, partial(forbidding, exercise.forbids, names), enough=lambda o: o.passed and not o.trivial
            )
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return 0.0
    return earned(outcomes)


def earning(lesson: str, files: list[Path]) -> list[tuple[str, str, float]]:
    """(exercise, function, weight) of everything in the files that earns something in the place of an answer."""
    bench = Bench(lesson)
    candidates = [one for path in files for one in functions(path)]
    tries = [
        (exercise, *candidate)
        for exercise in bench.lesson.exercises.values()
        if exercise.outcome is None
        for candidate in candidates
        if _may_stand_for(candidate[1], bench.reference[exercise.name])
    ]
    return [(tries[i][0].name, tries[i][1], weight) for i, weight in _weights(bench, tries) if weight]


def _may_stand_for(borrowed: Any, answer: Any) -> bool:
    return fits(borrowed, answer) and isinstance(answer, type) <= isinstance(borrowed, type)


def _weights(bench: Bench, tries: list[tuple[Exercise, str, Any, dict[str, Any]]]) -> Iterator[tuple[int, float]]:
    """(number, weight) of the tries, made in a fork of this process; where one ends it, or hangs in it, a new fork goes on after it."""
    done = 0
    while done < len(tries):
        ours, theirs = os.pipe()
        child = os.fork()
        if not child:
            _work(bench, tries[done:], theirs)
        os.close(theirs)
        for weight in _numbers(ours):
            yield done, weight
            done += 1
        os.close(ours)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        done += 1  # the one that came to no end, if any was left


def _work(bench: Bench, tries: list[tuple[Exercise, str, Any, dict[str, Any]]], out: int) -> NoReturn:
    """In the fork: write the weight of each, then end; a function that forks makes no second one that writes."""
    os.setpgid(0, 0)
    me = os.getpid()
    for exercise, _, borrowed, names in tries:
        weight = points(bench, exercise, borrowed, names)
        if os.getpid() != me:
            break
        os.write(out, NUMBER.pack(weight))
    os._exit(0)


def _numbers(descriptor: int) -> Iterator[float]:
    """The numbers that come through a pipe, until it is closed or none comes for longer than one try may take."""
    while select.select([descriptor], [], [], 4 * SECONDS)[0] and (packed := os.read(descriptor, NUMBER.size)):
        yield NUMBER.unpack(packed)[0]


def main(say: Callable[[str], object]) -> None:
    torch.set_num_threads(1)  # a fork has none of the threads, and would wait for them
    lesson, *names = sys.argv[1:]
    files = [Path(name) for name in names] or handed_out.code(layout.lesson_names())
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            found = earning(lesson, files)
        os.chdir("/")
    say(json.dumps(found))


if __name__ == "__main__":
    main(print)
