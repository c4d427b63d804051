"""What a cell has changed in libraries, such as `torch.softmax = None`, is changed back after it: at home the checks of the answers above it ran before."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Collection, Iterator, Mapping
from types import ModuleType
from typing import Any

ROOTS = frozenset(
    ("torch", "numpy", "math", "utils", "random", "functools", "itertools", "collections", "builtins", "einops", "copy", "time")
)
NOTHING = object()


@contextlib.contextmanager
def kept(namespace: Mapping[str, Any], but: Collection[str] = ()) -> Iterator[None]:
    """What the public names of libraries, of their classes and of those in `namespace` mean is the same afterwards, except for names in `but` and
    for new versions of the student's own methods. A name that a cell adds stays; a function that it breaks is mended in any case."""
    owners: list[ModuleType | type] = [*_modules(), *_classes(namespace)]
    before = [(owner, dict(vars(owner))) for owner in owners]
    try:
        yield
    finally:
        for owner, meant in before:
            _restore(owner, meant, but)


def _modules() -> list[ModuleType]:
    return [module for name, module in list(sys.modules.items()) if name.partition(".")[0] in ROOTS and isinstance(module, ModuleType)]


def _classes(namespace: Mapping[str, Any]) -> list[type]:
    """The student's, and those that the libraries' main modules show."""
    shown = [value for name in ("torch", "torch.nn", "torch.optim", "torch.autograd") for value in vars(sys.modules[name]).values()]
    return list({id(value): value for value in [*shown, *namespace.values()] if isinstance(value, type)}.values())


def _restore(owner: ModuleType | type, meant: Mapping[str, Any], but: Collection[str]) -> None:
    now = vars(owner)
    changed = [name for name, value in meant.items() if now.get(name, NOTHING) is not value]
    inherited = [name for name in now.keys() - meant.keys() if isinstance(owner, type) and _is_inherited(owner, name)]
    for name in (*changed, *inherited):
        if name.startswith("_") and not name.endswith("__"):  # a library's own state
            continue
        if (name in but or _is_students(owner)) and _serves(meant.get(name, _inherited(owner, name)), now.get(name, NOTHING)):
            continue
        with contextlib.suppress(AttributeError, TypeError):
            setattr(owner, name, meant[name]) if name in meant else delattr(owner, name)


def _serves(before: Any, after: Any) -> bool:
    """Whether a name that cells below may need is still of use: what was a function is one."""
    return callable(after) or isinstance(after, (staticmethod, classmethod, property)) or not callable(before)


def _is_students(owner: ModuleType | type) -> bool:
    return isinstance(owner, type) and owner.__module__ == "__main__"


def _is_inherited(owner: type, name: str) -> bool:
    """Whether what stands in a class under a name hides what it has from another one."""
    return _inherited(owner, name) is not NOTHING


def _inherited(owner: ModuleType | type, name: str) -> Any:
    bases = owner.__mro__[1:] if isinstance(owner, type) else ()
    return next((vars(base)[name] for base in bases if name in vars(base)), NOTHING)
