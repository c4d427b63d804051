"""Run a lesson's experiment while some of its answers are still unwritten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from IPython import get_ipython


class Missing:
    """Stands for the result of an experiment that could not run: every use of it raises NotImplementedError.

    A figure drawn from it shows its note instead, so an untouched notebook runs from top to bottom.
    """

    def __init__(self, reason: str) -> None:
        object.__setattr__(self, "_reason", reason)

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise NotImplementedError(object.__getattribute__(self, "_reason"))

    __getattr__ = __getitem__ = __call__ = __iter__ = __len__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _refuse
    __matmul__ = __rmatmul__ = __neg__ = __float__ = __int__ = __lt__ = __gt__ = __le__ = __ge__ = _refuse
    __format__ = _refuse

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return f"(not run: {object.__getattribute__(self, '_reason')})"


def explain(error: BaseException) -> str:
    """One line on why something could not run, for a note or a placeholder."""
    if isinstance(error, NotImplementedError):
        return str(error) or "an exercise above is not written yet"
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:120] if text else 'no message'}"


def attempt(experiment: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """`experiment(*args, **kwargs)`, or a `Missing` with one printed line when an answer it needs is unwritten or wrong."""
    try:
        return experiment(*args, **kwargs)
    except Exception as error:  # whatever a half-written answer raises, the notebook goes on
        name = getattr(experiment, "__name__", "this experiment")
        _tell_later(explain(error), f"{name} did not run: {explain(error)}.")
        return Missing(explain(error))


_untold: dict[str, str] = {}  # reason → the line about it


def tell_no_more(reason: str) -> None:
    """A figure of this cell says `reason` already: the line about it is not printed too."""
    _untold.pop(reason, None)


def _tell_later(reason: str, line: str) -> None:
    """Print the line at the end of the cell, when no figure has said the same; at once outside of a notebook."""
    shell = get_ipython()
    if shell is None:
        print(line)
        return
    _untold[reason] = line
    shell.events.register("post_run_cell", _tell)  # a second registration is no second call


def _tell(*_: Any) -> None:
    for line in _untold.values():
        print(line)
    _untold.clear()
