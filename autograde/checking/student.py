"""The `student` of the checks: what a check may ask of it, and the one whose answers live in this process (the kernel, CI).

The grader's own, whose answers live in a worker, is `RemoteStudent` in `autograde.grader.rpc.proxies`. A check cannot tell which it has.
"""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch

from autograde.checking import gradients, pretend_gpu, sizes
from autograde.checking.errors import MissingName
from autograde.checking.on_gpu import Border, StudentOnGpu


@runtime_checkable
class Student(Protocol):
    """A student's answers: any name that the submission defines is an attribute; these methods are the rest."""

    def __getattr__(self, name: str) -> Any: ...

    def pullback(self, function: Callable, inputs: Sequence[Any], cotangent: Any, **kwargs: Any) -> tuple[Any, tuple]:
        """The output and the gradients in the inputs."""

    def parameter_gradients(self, module: Any, inputs: Sequence[Any], cotangent: Any, **kwargs: Any) -> dict:
        """`{name: gradient}` for a module's parameters."""

    def arguments_after(self, function: Callable, *args: Any, **kwargs: Any) -> tuple:
        """Copies of the arguments, as the call leaves them."""

    def largest_tensor(self, function: Callable, *args: Any, **kwargs: Any) -> int:
        """The numbers in the largest tensor that the call makes."""

    def new(self, qualified_name: str, *args: Any, **kwargs: Any) -> Any:
        """An object of a library, such as `student.new("torch.nn.Linear", 3, 4)`."""

    def artifact(self, name: str) -> bytes | None:
        """The bytes of a file beside the notebook; None where there is none."""

    def on_gpu(self, drawing: str) -> AbstractContextManager[Student]:
        """The same student, whose answers are called on the pretend GPU, or on a real one; `drawing` is one of that module's three ways."""


class LocalStudent(Student):
    """Answers looked up by name in a namespace, such as a notebook's globals; the names that are looked up are added to `asked`."""

    def __init__(self, namespace: Mapping[str, Any], folder: Path | None = None, asked: set[str] | None = None) -> None:
        self._namespace = namespace
        self._folder = folder or Path.cwd()
        self._asked = set() if asked is None else asked

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self._asked.add(name)
        try:
            return self._namespace[name]
        except KeyError:
            raise MissingName(f"`{name}` is not defined: run its cell, or restore it if it is gone") from None

    def pullback(self, function: Callable, inputs: Sequence[Any], cotangent: Any, **kwargs: Any) -> tuple[Any, tuple]:
        """The output and the gradients in the inputs; see `autograde.checking.gradients.pullback`."""
        return gradients.pullback(function, inputs, cotangent, **kwargs)

    def parameter_gradients(self, module: torch.nn.Module, inputs: Sequence[Any], cotangent: Any, **kwargs: Any) -> dict:
        """`{name: gradient}` for a module's parameters."""
        return gradients.parameter_gradients(module, inputs, cotangent, **kwargs)

    def arguments_after(self, function: Callable, *args: Any, **kwargs: Any) -> tuple:
        """Copies of the arguments, as the call leaves them."""
        copies = copy.deepcopy(args)
        function(*copies, **kwargs)
        return copies

    def largest_tensor(self, function: Callable, *args: Any, **kwargs: Any) -> int:
        """The numbers in the largest tensor that the call makes; see `autograde.checking.sizes.largest_tensor`."""
        return sizes.largest_tensor(function, *args, **kwargs)

    def new(self, qualified_name: str, *args: Any, **kwargs: Any) -> Any:
        """An object of a library, such as `student.new("torch.nn.Linear", 3, 4)`."""
        module, _, name = qualified_name.rpartition(".")
        return getattr(importlib.import_module(module), name)(*args, **kwargs)

    def artifact(self, name: str) -> bytes | None:
        """The bytes of a file beside the notebook; None where there is none."""
        path = self._folder / name
        return path.read_bytes() if path.is_file() else None

    @contextmanager
    def on_gpu(self, drawing: str) -> Iterator[StudentOnGpu]:
        """The same student, whose answers are called on the pretend GPU, or on this machine's own where it has one: what is told is the same."""
        if pretend_gpu.is_possible():
            with pretend_gpu.machine(drawing=drawing) as device:
                yield StudentOnGpu(Border(drawing, device), self)
            return
        device = torch.device(str(torch.accelerator.current_accelerator()), torch.accelerator.current_device_index())
        with torch.random.fork_rng([device.index], device_type=device.type), pretend_gpu.drawn_anywhere(drawing):
            yield StudentOnGpu(Border(drawing, device), self)
