"""The process that runs one student's code: it takes requests over a socket and answers with data.

Whatever is in this process belongs to the student: nothing here is secret, and nothing it says is believed.
The other end is `autograde.grader.rpc.proxies`.
"""

from __future__ import annotations

import contextlib
import importlib
import linecache
import random
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from autograde.checking import gradients, pretend_gpu, sizes
from autograde.checking.errors import ForbiddenCall, MissingName, ProtocolError
from autograde.checking.forbidden import forbidding, watch_ways_around
from autograde.checking.forbidden.derivatives import watch_derivatives
from autograde.checking.forbidden.packages import empty_tiktoken, watch_tiktoken
from autograde.checking.forbidden.threads import watch_threads
from autograde.checking.forbidden.ways_around import modes_on
from autograde.checking.forbidden.whose import requests_arrive_in
from autograde.checking.on_gpu import Border
from autograde.grader.rpc.codec import Draft, decode, encode
from autograde.grader.rpc.framing import Channel, Closed
from autograde.grader.rpc.wire import Table
from autograde.grader.worker import cell_runner, inert, libraries, stand_ins, thread_pools

LIBRARIES = ("torch", "numpy", "utils", "collections", "fractions", "decimal", "random", "math")
LINES = 6  # of a traceback
HEADROOM = 1 << 20  # of a message, for the states of generators
ANSWERS_KEPT = 1000  # of a function that answers alike


class CallbackFailed(Exception):
    """A function of the test's raised: number `number` in the trusted process's list."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.number = number


class Callback:
    """A function of the test's, in the student's hands."""

    def __init__(self, worker: Worker, number: int) -> None:
        self._worker, self._number = worker, number

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._worker.ask(("call", self._number, args, kwargs))


class PureCallback(Callback):
    """A function of the test's that answers alike whenever it is asked the same: it is asked once."""

    def __init__(self, worker: Worker, number: int) -> None:
        super().__init__(worker, number)
        self._answers: dict[bytes, bytes] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        table = self._worker.table
        if self._worker.border:  # what crosses it is made anew each time
            return super().__call__(*args, **kwargs)
        question = encode((args, kwargs), table)
        if question not in self._answers:
            answer = super().__call__(*args, **kwargs)
            if len(self._answers) >= ANSWERS_KEPT:
                return answer
            self._answers[question] = encode(answer, table)
        return decode(self._answers[question], table)  # one of its own, which the caller may change


class CallbackIterator(Callback):
    """An iterator of the test's, in the student's hands."""

    def __iter__(self) -> CallbackIterator:
        return self

    def __next__(self) -> Any:
        found = self._worker.ask(("next", self._number, (), {}))
        if not found:
            raise StopIteration
        return found[0]


CALLBACKS = {"function": Callback, "pure": PureCallback, "iterator": CallbackIterator}


class StudentTable(Table):
    """What of the student's the other side knows by number, and the test's functions and generators that came here."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.objects: dict[int, Any] = {}
        self.numbers: dict[int, int] = {}
        self.callbacks: dict[int, Callback] = {}
        self.generators: dict[int, torch.Generator] = {}
        self.states: dict[int, torch.Tensor] = {}  # of the generators, as the other side knows them
        self.next_number = 1

    def export(self, value: Any) -> list:
        if isinstance(value, Callback):
            return ["k", value._number]
        for number, generator in self.generators.items():
            if generator is value:
                return ["g", number]
        number = self.numbers.get(id(value), 0)
        if not number:
            number, self.next_number = self.next_number, self.next_number + 1
            self.objects[number], self.numbers[id(value)] = value, number
        return ["h", number, type(value).__name__[:80]]

    def resolve(self, tag: str, *arguments: Any) -> Any:
        if tag == "h":
            return self.objects[arguments[0]]
        if tag == "k":
            return self._callback(*arguments)
        if tag == "g":
            return self._generator(*arguments)
        return super().resolve(tag)

    def _callback(self, number: int, kind: str) -> Callback:
        if number not in self.callbacks:
            self.callbacks[number] = CALLBACKS[kind](self.worker, number)
        return self.callbacks[number]

    def _generator(self, number: int, device: str) -> torch.Generator:
        if number not in self.generators:
            self.generators[number] = torch.Generator(device)
        return self.generators[number]

    def update(self, states: dict[int, torch.Tensor], dropped: list[int], first: int) -> None:
        """The news that came with a message: generators moved on; objects, and what was shared before `first`, not used again."""
        for number in dropped:
            value = self.objects.pop(number, None)
            self.numbers.pop(id(value), None)
        for kept in (self.callbacks, self.generators, self.states):
            for number in [n for n in kept if n < first]:
                del kept[number]
        for number, state in states.items():
            self.generators[number].set_state(state)
            self.states[number] = state

    def news(self) -> dict[int, torch.Tensor]:
        """The states of the generators that have moved on."""
        found = {number: generator.get_state() for number, generator in self.generators.items()}
        moved = {n: state for n, state in found.items() if n not in self.states or not torch.equal(state, self.states[n])}
        self.states.update(moved)
        return moved


class Worker:
    """Serves requests until the other end closes."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.table = StudentTable(self)
        self.cells = cell_runner.Cells()
        self.namespace = self.cells.namespace
        self.made: list[Any] = []  # by `student.new`
        self.border: Border | None = None  # while answers are called on the pretend GPU
        self.drawing = pretend_gpu.ON_DEVICE

    def serve(self) -> None:
        try:
            while True:
                modes_on()
                self.answer(self.receive())
        except Closed:
            pass

    def receive(self) -> tuple:
        message, extra = self.channel.receive()
        kind, body = decode(message, self.table)
        if extra:
            self.table.update(*decode(extra))
        return kind, body

    def send(self, kind: str, body: Any) -> None:
        self.send_packed(self.draft(kind, body).message())

    def draft(self, kind: str, body: Any) -> Draft:
        return Draft((kind, body), self.table, self.channel.limit - HEADROOM)

    def send_packed(self, message: bytes) -> None:
        news = self.table.news()
        self.channel.send(message, encode(news) if news else b"")

    def answer(self, message: tuple) -> None:
        _, (request, operation, forbids, arguments) = message
        try:
            with forbidding(self.forbidden(forbids, arguments), self.namespace, strict=True):
                result = self.draft("result", (request, self.run(operation, arguments)))  # may run code of a tensor's class
            self.send_packed(result.message())
        except ProtocolError as error:
            self.send("error", (request, describe(TypeError(f"this result cannot be handed on: {error}"))))
        except BaseException as error:
            self.send("error", (request, describe(error, self.cells.why_lost(error))))

    def run(self, operation: str, arguments: tuple) -> Any:
        """What was asked; on the pretend GPU if the test wants that."""
        border = self.border
        if border is None or operation == "on_gpu":
            return _OPERATIONS[operation](self, *arguments)
        with pretend_gpu.machine(drawing=self.drawing):
            given = border.inward(arguments)
            return border.result(_OPERATIONS[operation](self, *given), given)

    def forbidden(self, names: list[str], arguments: tuple) -> list[str]:
        """A library object that the test asked for may do what the student's code may not."""
        return [] if arguments and any(arguments[0] is made for made in self.made) else names

    def ask(self, question: tuple) -> Any:
        """Have the test's side answer, serving what it asks meanwhile."""
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("a function that was passed in can only be called from the main thread")
        self.send("question", self.border.outward(question) if self.border else question)
        while True:
            message = self.receive()
            if message[0] == "request":
                self.answer(message)
            elif message[0] == "failed":
                raise CallbackFailed(*message[1])
            else:
                return self.border.inward(message[1]) if self.border else message[1]

    def named(self, name: str) -> Any:
        if name not in self.namespace:
            raise MissingName(f"`{name}` is not defined")
        return self.namespace[name]


def _define(worker: Worker, name: str, source: str, names: list[str], keep_libraries: bool, but: list[str]) -> None:
    with worker.cells.kept(names), libraries.kept(worker.namespace, but) if keep_libraries else contextlib.nullcontext():
        worker.cells.run(name, source)


def _files(worker: Worker, files: dict[str, str]) -> None:
    worker.cells.files.update(files)


def _lost(worker: Worker, why: dict[str, str]) -> None:
    worker.cells.lost.update(why)


def _without(worker: Worker, packages: list[str]) -> None:
    inert.take_away(packages)
    if "tiktoken" in packages:
        empty_tiktoken()


def _has(worker: Worker, name: str) -> bool:
    return name in worker.namespace


def _call(worker: Worker, target: Any, args: tuple, kwargs: dict) -> Any:
    return target(*args, **kwargs)


def _repeated(worker: Worker, target: Any, times: int, args: tuple, kwargs: dict) -> list:
    return [target(*args, **kwargs) for _ in range(times)]


def _each(worker: Worker, target: Any, calls: list[tuple]) -> list:
    return [target(*args) for args in calls]


def _new(worker: Worker, qualified_name: str, args: tuple, kwargs: dict) -> Any:
    module, _, name = qualified_name.rpartition(".")
    if module.split(".")[0] not in LIBRARIES:
        raise ValueError(f"{qualified_name} is in none of the libraries {', '.join(LIBRARIES)}")
    worker.made.append(getattr(importlib.import_module(module), name)(*args, **kwargs))
    return worker.made[-1]


def _arguments_after(worker: Worker, target: Any, args: tuple, kwargs: dict) -> tuple:
    target(*args, **kwargs)
    return args


def _on_gpu(worker: Worker, begins: bool, drawing: str) -> None:
    worker.border, worker.drawing = Border(drawing) if begins else None, drawing


def _next(worker: Worker, iterator: Iterator) -> tuple:
    try:
        return (next(iterator),)
    except StopIteration:
        return ()


_OPERATIONS: dict[str, Callable[..., Any]] = {
    "define": _define,
    "files": _files,
    "without": _without,
    "lost": _lost,
    "has": _has,
    "notes": lambda worker: worker.cells.notes,
    "call": _call,
    "repeated": _repeated,
    "each": _each,
    "new": _new,
    "value": lambda worker, name: worker.named(name),
    "getattr": lambda worker, target, name: getattr(target, name),
    "getitem": lambda worker, target, key: target[key],
    "contains": lambda worker, target, key: key in target,
    "len": lambda worker, target: len(target),
    "bool": lambda worker, target: bool(target),
    "iter": lambda worker, target: iter(target),
    "next": _next,
    "on_gpu": _on_gpu,
    "pullback": lambda worker, target, inputs, cotangent, kwargs: gradients.pullback(target, inputs, cotangent, **kwargs),
    "parameter_gradients": lambda worker, target, inputs, cotangent, kwargs: gradients.parameter_gradients(
        target, inputs, cotangent, **kwargs
    ),
    "arguments_after": _arguments_after,
    "largest_tensor": lambda worker, target, args, kwargs: sizes.largest_tensor(target, *args, **kwargs),
}


def describe(error: BaseException, why: str = "") -> dict[str, Any]:
    """An exception as strings, with `why` a name is missing. Its own methods are the student's and may do anything, so nothing is trusted to
    work."""
    try:
        message = str(error.msg) if type(error) in (SyntaxError, IndentationError) and isinstance(error, SyntaxError) else str(error)
    except BaseException:
        message = ""
    frames = own_frames(error)
    return {
        "type": str(type(error).__name__)[:80],
        "ancestors": [str(cls.__name__)[:80] for cls in type(error).__mro__][:32],
        "message": message[:1500] + (f" ({why})" if why else ""),
        "line": frames[-1] if frames else "",
        "traceback": "\n".join(frames),
        "kind": "forbidden" if type(error) is ForbiddenCall else "missing" if type(error) is MissingName else "",
        "callback": error.number if type(error) is CallbackFailed else None,
    }


def own_frames(error: BaseException) -> list[str]:
    """Where in the student's own cells it happened: the last lines, nothing of libraries, nothing of ours."""
    if isinstance(error, SyntaxError) and str(error.filename).startswith(cell_runner.MARK):
        return [f"line {error.lineno}: {(error.text or '').strip()[:160]}"]
    frames = ((frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__))
    last = deque((f for f in frames if f[0].startswith(cell_runner.MARK)), maxlen=LINES)
    return [f"line {line}: {linecache.getline(name, line).strip()[:160]}" for name, line in last]


def warm_up() -> None:
    """Before the fork: what PyTorch and NumPy set up at first use, as long as it needs no thread."""
    torch.set_num_threads(1)
    x = torch.ones(2, 2, requires_grad=True)
    (x @ x).softmax(-1).sum().backward()
    np.ones((2, 2)) @ np.ones((2, 2))
    cell_runner.transformed("", "%time x = 1")
    pretend_gpu.prepare()
    requests_arrive_in(__name__)
    inert.make_inert()
    thread_pools.install()
    stand_ins.install()
    watch_threads()
    watch_ways_around()
    watch_derivatives()
    watch_tiktoken()


def start(channel: Channel) -> None:
    """In the forked child: the same random numbers for everyone, then serve."""
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)
    Worker(channel).serve()
