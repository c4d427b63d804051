"""The trusted end of one worker: requests with a deadline, answers decoded as data, the test's functions called back.

Nothing a worker sends is believed. It can lie about its own results, which is no more than returning them; it cannot
make this process run, compare, print or wait for anything of its own.
"""

from __future__ import annotations

import json
import signal
import socket
import struct
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import torch

from autograde.checking.calls import is_pure
from autograde.checking.errors import (
    MESSAGE_LENGTH,
    NOT_WRITTEN,
    ForbiddenCall,
    MissingName,
    NotWritten,
    ProtocolError,
    SandboxUnavailable,
    StudentDied,
    StudentTimeout,
    student_error,
)
from autograde.checking.text import plain
from autograde.grader.rpc.codec import decode, encode
from autograde.grader.rpc.deadline import Deadline, ProcessTime, sender
from autograde.grader.rpc.framing import Channel, Closed
from autograde.grader.rpc.wire import Table

START_SECONDS = 60  # of the fork server too, which may still be importing
_STATE, _BLOCK = struct.Struct("=QiiQ"), 624  # how the state of a CPU generator of PyTorch begins: seed, left, seeded, next
CHECK_MESSAGES = 2  # the largest message, so many times, is all that is received in one check, which may keep all of it


class TestTable(Table):
    """What is passed by reference: the test's functions, iterators and generators out, the student's objects in."""

    __test__ = False  # pytest: no test class

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.objects: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
        self.dropped: set[int] = set()
        self.shared: dict[int, Any] = {}  # the functions, iterators and generators of the check in progress
        self.numbers: dict[int, int] = {}
        self.states: dict[int, torch.Tensor] = {}  # of the generators, as the worker knows them
        self.first = self.told = self.next = 0  # numbers below `first` are of earlier checks, and whether the worker knows

    def export(self, value: Any) -> list:
        if isinstance(value, RemoteReference):
            if value._connection is not self.connection:
                raise StudentDied("this object was in a process of the student's that has ended")
            return ["h", value._number]
        if isinstance(value, torch.Generator):
            return ["g", self._number(value), value.device.type]
        if isinstance(value, Iterator):
            return ["k", self._number(value), "iterator"]
        if callable(value):
            return ["k", self._number(value), "pure" if is_pure(value) else "function"]
        raise TypeError(f"a {type(value).__name__} cannot be passed to a student's code")

    def _number(self, value: Any) -> int:
        if id(value) not in self.numbers:
            self.numbers[id(value)], self.next = self.next, self.next + 1
            self.shared[self.next - 1] = value
        return self.numbers[id(value)]

    def new_check(self) -> None:
        """What the last check shared is not called again."""
        self.first = self.next
        for kept in (self.shared, self.numbers, self.states):
            kept.clear()

    def resolve(self, tag: str, *arguments: Any) -> Any:
        number = arguments[0] if arguments else None
        if type(number) is not int or number < 0:
            raise ProtocolError("the message is malformed (no number)")
        if tag == "h":
            return self._object(number, arguments[1:])
        if tag in ("k", "g") and number in self.shared:
            return self.shared[number]
        return super().resolve(tag)

    def _object(self, number: int, rest: tuple) -> Any:
        found = self.objects.get(number)
        if found is None:
            name = plain(rest[0] if rest else "", 80)
            found = self.objects[number] = self.connection.make_object(self.connection, number, name)
            self.dropped.discard(number)
        return found

    def news(self) -> bytes:
        """What the worker should know beside a message: generators that moved on, objects that nobody here holds any more."""
        states = {n: g.get_state() for n, g in self.shared.items() if isinstance(g, torch.Generator)}
        moved = {n: state for n, state in states.items() if n not in self.states or not torch.equal(state, self.states[n])}
        self.states.update(moved)
        dropped, self.dropped = sorted(self.dropped), set()
        told, self.told = self.told, self.first
        return encode((moved, dropped, self.first)) if moved or dropped or told != self.first else b""

    def update(self, states: Any) -> None:
        """The worker's news: generators of ours that the student's code drew from."""
        if type(states) is not dict:
            raise ProtocolError("the message is malformed (no states)")
        for number, state in states.items():
            generator = self.shared.get(number) if type(number) is int else None
            if not isinstance(generator, torch.Generator) or type(state) is not torch.Tensor:
                raise ProtocolError("the message is malformed (no generator)")
            if generator.device.type == "cpu" and not _is_drawn_from(state):
                raise ProtocolError("the message is malformed (no generator's state)")
            try:
                generator.set_state(state)
            except (RuntimeError, TypeError):
                raise ProtocolError("the message is malformed (no generator's state)") from None
            self.states[number] = generator.get_state()


def _is_drawn_from(state: torch.Tensor) -> bool:
    """Whether drawing leads to a state: PyTorch takes others, too, and then reads past the generator's numbers in this process's memory.

    A Mersenne Twister counts what is `left` of a block of 624 numbers and which is `next`; their sum is fixed once the first is drawn.
    """
    if state.dtype != torch.uint8 or state.dim() != 1 or len(state) < _STATE.size:
        return False
    _, left, seeded, following = _STATE.unpack(state[: _STATE.size].numpy().tobytes())
    return seeded == 1 and ((left, following) == (1, 0) or 1 <= following <= _BLOCK and left + following == _BLOCK + 1)


class RemoteReference:
    """A number that stands for an object in a worker; `autograde.grader.rpc.proxies` gives it methods."""

    def __init__(self, connection: Connection, number: int, type_name: str) -> None:
        self._connection, self._number, self._type_name = connection, number, type_name

    def __del__(self) -> None:
        self._connection.table.dropped.add(self._number)


class Connection:
    """One worker process, from its first word to its end."""

    def __init__(self, sockets: tuple[socket.socket, socket.socket], limit: int, make_object: Callable = RemoteReference) -> None:
        self.channel, self.lifetime = Channel(sockets[0], limit), sockets[1]
        self.make_object = make_object
        self.table = TestTable(self)
        self.end = ""  # why it ended, once it has
        self.failures: list[BaseException] = []  # what the test's functions raised in this request
        self.process = ProcessTime(0)
        self.deadline: Deadline | None = None  # of the request in progress
        self.taken = 0.0  # seconds that the worker took for the last request
        self.number = 0  # of the last request; its answer has the same
        self.received = 0  # bytes, in this check
        self.level = self._hello()

    def _hello(self) -> str:
        try:
            give_up = time.monotonic() + START_SECONDS
            self.channel.wait(lambda: give_up - time.monotonic())
            self.process = ProcessTime(sender(self.channel.socket))
            word = json.loads(bytes(self.channel.receive(lambda: give_up - time.monotonic())[0]))
        except (Closed, TimeoutError):
            self.kill(f"no worker could be started: it {self._how_it_ended()}")
            raise SandboxUnavailable(self.end) from None
        if "refused" in word:
            self.kill(word["refused"])
            raise SandboxUnavailable(word["refused"])
        return word["level"]

    def request(
        self,
        operation: str,
        arguments: tuple,
        seconds: float,
        forbids: tuple[str, ...] = (),
        allowed: float | None = None,
        most: float = 1.0,
    ) -> Any:
        """The worker's answer, within `seconds` of its own time, which may be what is left of the time `allowed`, and at most `most` times
        as long on a machine that is busy with other things.

        Raises the student's own error, or one of autograde.checking.errors. After StudentTimeout, StudentDied and ProtocolError
        the worker is gone.
        """
        if self.end:
            raise StudentDied(self.end)
        outer = self.deadline
        if outer is None:
            self.failures.clear()
        self.deadline = Deadline(self.process, seconds, most, outer)
        self.number += 1
        try:
            self._send("request", (self.number, operation, list(forbids), arguments))
            answer, raised = self._answer(self.number)
        except TimeoutError:
            self.kill(f"Your code took more than {allowed or seconds:.3g} seconds and was stopped")
            raise StudentTimeout(self.end) from None
        except Closed:
            self.kill(f"Your code {self._how_it_ended()}")
            raise StudentDied(self.end) from None
        except ProtocolError as error:
            self.kill(f"Your code's answer could not be read: {error}")
            raise ProtocolError(self.end) from None
        finally:
            self.taken = self.deadline.taken()
            self.deadline = outer
        if raised is not None:  # out here, since it may be a TimeoutError of the student's own
            raise raised
        return answer

    def ask(self, operation: str, arguments: tuple) -> Any:
        """The worker's answer to what a check asks of a `RemoteObject`: a `request` with that check's deadline and forbidden calls."""
        raise NotImplementedError("a connection whose objects are asked knows the check in progress")

    def new_check(self) -> None:
        """What the last check shared is not called again, and what it was told no longer counts."""
        self.table.new_check()
        self.received = 0

    def kill(self, reason: str) -> None:
        """End the worker and everything it started."""
        self.end = self.end or reason or "the student's process has ended"
        self.channel.close()
        self.lifetime.close()
        self.process.close()

    def _send(self, kind: str, body: Any) -> None:
        message = encode((kind, body), self.table, self.channel.limit)
        self.channel.send(message, self.table.news(), self.deadline.left if self.deadline else None)

    def _answer(self, number: int) -> tuple[Any, BaseException | None]:
        """The answer, or the error that is it; questions on the way are answered."""
        while True:
            kind, body = self._receive()
            if kind == "question":
                self._reply(body)
                continue
            if kind not in ("result", "error") or type(body) is not tuple or len(body) != 2 or body[0] != number:
                raise ProtocolError("it is not the answer to what was asked")
            return (body[1], None) if kind == "result" else (None, self._error(body[1]))

    def _receive(self) -> tuple[str, Any]:
        message, extra = self.channel.receive(self.deadline.left if self.deadline else None)
        self.received += len(message) + len(extra)
        if self.received > CHECK_MESSAGES * self.channel.limit:
            raise ProtocolError("all that it sends in one check is too large together")
        found = decode(message, self.table)
        if type(found) is not tuple or len(found) != 2:
            raise ProtocolError("the message is malformed (no answer)")
        if extra:
            self.table.update(decode(extra))
        return found

    def _reply(self, question: Any) -> None:
        """Call a function of the test's with a student's arguments and send what it gives."""
        try:
            how, number, args, kwargs = question
            function = self.table.shared[number]
            args, kwargs = list(args), {str(k): v for k, v in kwargs.items()}
            if how not in ("call", "next"):
                raise ValueError
        except (TypeError, ValueError, KeyError, AttributeError):
            raise ProtocolError("the message is malformed (no question)") from None
        try:
            result = self._next(function) if how == "next" else function(*args, **kwargs)
        except Exception as error:
            if self.end:
                raise
            self.failures.append(error)
            self._send("failed", (len(self.failures) - 1, f"{type(error).__name__}: {error}"[:MESSAGE_LENGTH]))
        else:
            self._send("answer", result)

    def _next(self, iterator: Any) -> tuple:
        if not isinstance(iterator, Iterator):
            raise ProtocolError("the message is malformed (no iterator)")
        try:
            return (next(iterator),)
        except StopIteration:
            return ()

    def _error(self, body: Any) -> BaseException:
        """The exception that a worker's description stands for: the test's own if it came from a function of the test's."""
        if type(body) is not dict:
            raise ProtocolError("the message is malformed (no error)")
        number, ancestors = body.get("callback"), body.get("ancestors")
        if type(number) is int and 0 <= number < len(self.failures):
            return self.failures[number]
        name, message = plain(body.get("type"), 80), plain(body.get("message"), MESSAGE_LENGTH)
        if body.get("kind") == "forbidden":
            return ForbiddenCall(message)
        if body.get("kind") == "missing":
            return MissingName(message)
        if name == "NotImplementedError" and not message:
            return NotWritten(NOT_WRITTEN)
        known = [plain(a, 80) for a in ancestors[:32]] if type(ancestors) is list else []
        return student_error(name, known, message, plain(body.get("line"), 200), plain(body.get("traceback"), 2000))

    def _how_it_ended(self) -> str:
        """What the lifetime says of a process that is gone."""
        self.lifetime.settimeout(5)
        try:
            status = int(self.lifetime.recv(16))
        except (OSError, ValueError):
            return "ended the Python process"
        if status >= 0:
            return f"ended the Python process (exit code {status})"
        if -status == signal.SIGKILL:
            return "was killed: it used more memory or processor time than it may"
        return f"crashed the Python process ({signal.strsignal(-status) or -status})"
