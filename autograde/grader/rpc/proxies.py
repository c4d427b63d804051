"""The `student` of the checks in the grader: what is called here runs in a worker, what comes back is data.

The counterpart in the notebook's kernel, with the same methods, is `autograde.checking.student.LocalStudent`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from autograde.checking.errors import ProtocolError
from autograde.checking.student import Student
from autograde.grader.rpc.connection import RemoteReference

TOGETHER = 200  # calls in one message, which all have the time of one: a slow right answer should not run out of it


class Answers(Protocol):
    """Who answers for the student's code: a session, which starts a new worker when the code has ended the last one."""

    @property
    def alive(self) -> bool:
        """Whether the worker is there."""

    def ask(self, operation: str, arguments: tuple) -> Any:
        """One request to the worker."""

    def value(self, name: str) -> Any:
        """What the submission calls by this name."""

    def artifact(self, name: str) -> bytes | None:
        """A file that was handed in beside the notebook."""

    def test(self, forbids: Sequence[str] = (), seconds: float | None = None) -> AbstractContextManager[None]:
        """A check's time and its forbidden calls."""


class RemoteObject(RemoteReference):
    """An object of the student's that stays in the worker: call it, read its attributes, index it, iterate over it."""

    def _ask(self, operation: str, *arguments: Any) -> Any:
        return self._connection.ask(operation, (self, *arguments))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("call", args, kwargs)

    def _repeated(self, times: int, args: tuple, kwargs: dict) -> list:
        """Many equal calls in a few messages; `autograde.checking.calls.repeated` calls this."""
        parts = [min(TOGETHER, times - done) for done in range(0, times, TOGETHER)]
        return [result for part in parts for result in _results(self._ask("repeated", part, args, kwargs), part)]

    def _each(self, calls: list) -> list:
        """Many calls in a few messages; `autograde.checking.calls.each` calls this."""
        parts = [calls[done : done + TOGETHER] for done in range(0, len(calls), TOGETHER)]
        return [result for part in parts for result in _results(self._ask("each", part), len(part))]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("_connection", "_number", "_type_name"):
            raise AttributeError(name)
        return self._ask("getattr", name)

    def __getitem__(self, key: Any) -> Any:
        return self._ask("getitem", key)

    def __contains__(self, key: Any) -> bool:
        return self._ask("contains", key) is True

    def __len__(self) -> int:
        size = self._ask("len")
        return size if type(size) is int and size >= 0 else 0

    def __bool__(self) -> bool:
        return self._ask("bool") is True

    def __iter__(self) -> Iterator:
        iterator = self._ask("iter")
        return RemoteIterator(iterator) if isinstance(iterator, RemoteObject) else iter(())

    def __next__(self) -> Any:
        return next(RemoteIterator(self))

    def __repr__(self) -> str:
        return f"<the student's {self._type_name}>"


class RemoteIterator:
    """Values of a student's iterator, fetched one by one, so that a lazy one stays lazy."""

    def __init__(self, iterator: RemoteObject) -> None:
        self._iterator = iterator

    def __iter__(self) -> RemoteIterator:
        return self

    def __next__(self) -> Any:
        found = self._iterator._ask("next")
        if type(found) is not tuple or len(found) != 1:
            raise StopIteration
        return found[0]


def _results(found: Any, number: int) -> list:
    if type(found) is not list or len(found) != number:
        raise ProtocolError("Your code's answer could not be read: it is not one result for each call")
    return found


class RemoteStudent(Student):
    """One student's answers, for one exercise's checks; the names that they take are added to `asked`."""

    def __init__(self, session: Answers, forbids: Sequence[str] = (), asked: set[str] | None = None) -> None:
        self._session, self._forbids = session, tuple(forbids)
        self._asked = set() if asked is None else asked

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        self._asked.add(name)
        return self._session.value(name)

    @contextmanager
    def test(self, seconds: float | None = None) -> Iterator[None]:
        """Around one check: a living worker at its start, the exercise's forbidden calls, and a deadline for all it does."""
        with self._session.test(self._forbids, seconds):
            yield

    def has(self, name: str) -> bool:
        """Whether the submission defines the name."""
        return self._session.ask("has", (name,)) is True

    def pullback(self, function: Callable, inputs: Sequence[Any], cotangent: Any, **kwargs: Any) -> tuple[Any, tuple]:
        """The output and the gradients in the inputs; see `autograde.checking.gradients.pullback`."""
        return self._session.ask("pullback", (function, tuple(inputs), cotangent, kwargs))

    def parameter_gradients(self, module: Any, inputs: Sequence[Any], cotangent: Any, **kwargs: Any) -> dict:
        """`{name: gradient}` for a module's parameters."""
        return self._session.ask("parameter_gradients", (module, tuple(inputs), cotangent, kwargs))

    def arguments_after(self, function: Callable, *args: Any, **kwargs: Any) -> tuple:
        """Copies of the arguments, as the call leaves them."""
        return self._session.ask("arguments_after", (function, args, kwargs))

    def largest_tensor(self, function: Callable, *args: Any, **kwargs: Any) -> int:
        """The numbers in the largest tensor that the call makes."""
        return self._session.ask("largest_tensor", (function, args, kwargs))

    def new(self, qualified_name: str, *args: Any, **kwargs: Any) -> Any:
        """An object of a library, made in the worker, such as `student.new("torch.nn.Linear", 3, 4)`."""
        return self._session.ask("new", (qualified_name, args, kwargs))

    def artifact(self, name: str) -> bytes | None:
        """The bytes of a file beside the notebook; None where there is none. Read here: the worker has no part in it."""
        return self._session.artifact(name)

    @contextmanager
    def on_gpu(self, drawing: str) -> Iterator[RemoteStudent]:
        """The same student, whose answers are called on a pretend GPU in the worker."""
        self._session.ask("on_gpu", (True, drawing))
        try:
            yield self
        finally:
            if self._session.alive:
                self._session.ask("on_gpu", (False, drawing))
