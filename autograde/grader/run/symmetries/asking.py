"""A student who is asked through the symmetries of an exercise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from autograde.checking.student import Student
from autograde.grader.run.symmetries.symmetry import Change, Symmetry


class Otherwise(Student):
    """A student whose answer to one exercise is asked through its symmetries; whatever else is asked, is asked as it is."""

    def __init__(self, student: Student, exercise: str, symmetries: Sequence[Symmetry], seed: int) -> None:
        self._student, self._exercise, self._symmetries, self._seed = student, exercise, symmetries, seed

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._student, name)
        return _Asked(found, self._symmetries, self._seed) if name == self._exercise and self._symmetries and callable(found) else found

    def pullback(self, function: Callable, *args: Any, **kwargs: Any) -> Any:
        return self._student.pullback(_itself(function), *args, **kwargs)

    def parameter_gradients(self, module: Any, *args: Any, **kwargs: Any) -> Any:
        return self._student.parameter_gradients(module, *args, **kwargs)

    def arguments_after(self, function: Callable, *args: Any, **kwargs: Any) -> Any:
        return self._student.arguments_after(_itself(function), *args, **kwargs)

    def largest_tensor(self, function: Callable, *args: Any, **kwargs: Any) -> Any:
        return self._student.largest_tensor(_itself(function), *args, **kwargs)

    def new(self, qualified_name: str, *args: Any, **kwargs: Any) -> Any:
        return self._student.new(qualified_name, *args, **kwargs)

    def artifact(self, name: str) -> bytes | None:
        return self._student.artifact(name)

    def on_gpu(self, drawing: str) -> Any:
        return self._student.on_gpu(drawing)


class _Asked:
    """A function of the student's, asked through symmetries: the last one's words are those that it hears."""

    def __init__(self, function: Callable, symmetries: Sequence[Symmetry], seed: int) -> None:
        self.function, self.symmetries, self.seed = function, symmetries, seed

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        given, names, back = [*args, *kwargs.values()], list(kwargs), list[Change]()
        for symmetry in self.symmetries:
            given, undo = symmetry.changes(given, Random(self.seed))
            back.append(undo)
        result = self.function(*given[: len(args)], **dict(zip(names, given[len(args) :])))
        for undo in reversed(back):
            result = undo(result)
        return result


def _itself(function: Callable) -> Callable:
    return function.function if isinstance(function, _Asked) else function
