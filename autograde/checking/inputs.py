"""The inputs that checks and probes share: an answer that works in place, in this process, must not spoil them for what comes after."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch

from autograde.checking.expect import is_record, tensors_in

_HOLDS = (torch.Tensor, list, tuple, dict, set)


@contextlib.contextmanager
def kept(function: Callable, *more: Any) -> Iterator[None]:
    """Put back, at the end, every tensor, list, dictionary, set and dataclass's object that `function`'s module names, and those in `more`."""
    names = function.__globals__
    inputs = [names[name] for name in names if name != "__builtins__" and (isinstance(names[name], _HOLDS) or is_record(names[name]))]
    inputs += more
    containers = [(container, copy.copy(container)) for container in _containers(inputs)]
    found = {id(tensor): tensor for tensor in tensors_in([*inputs, *(container for container, _ in containers)])}
    tensors = [(tensor, tensor.clone(), tensor._version, tensor.is_leaf) for tensor in found.values()]
    try:
        yield
    finally:
        for container, content in containers:
            _put_back(container, content)
        for tensor, before, version, leaf in tensors:
            if leaf and not tensor.is_leaf:  # what was added to it in place has a gradient
                tensor.detach_()
            if tensor._version != version:
                tensor.data.copy_(before)


def _containers(values: Iterable[Any]) -> Iterator[list | dict | set]:
    """The lists, dictionaries and sets in `values`, and those in them; of a dataclass's object, the dictionary of its fields."""
    for value in values:
        value = getattr(value, "__dict__", value) if is_record(value) else value
        if isinstance(value, (list, dict, set)):
            yield value
        if isinstance(value, (list, tuple, dict)):
            yield from _containers(value.values() if isinstance(value, dict) else value)


def _put_back(container: Any, before: Any) -> None:
    """Give a list, dictionary or set what it held `before`, where that has changed."""
    if isinstance(container, list):
        if len(container) != len(before) or any(now is not then for now, then in zip(container, before)):
            container[:] = before
    elif set(container) != set(before) or (isinstance(container, dict) and any(container[key] is not before[key] for key in before)):
        container.clear()
        container.update(before)
