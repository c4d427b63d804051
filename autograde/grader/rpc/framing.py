"""Messages over a socket, each behind its length, with an end to waiting: a worker that sends half of one blocks nobody.

A message has two parts: what it says, and what goes with it (the states of random generators, say), often nothing.
"""

from __future__ import annotations

import select
import socket
import struct
from collections.abc import Callable

from autograde.checking.errors import ProtocolError
from autograde.grader.rpc.deadline import LOOK_AGAIN

FRAME = struct.Struct(">QQ")
CHUNK = 1 << 20
Left = Callable[[], float] | None  # the seconds for which it is still waited; None waits for ever


class Closed(Exception):
    """The other end is gone."""


class Channel:
    """One end of a socket pair. `left` says again and again how many seconds are left."""

    def __init__(self, sock: socket.socket, limit: int) -> None:
        sock.setblocking(False)
        self.socket, self.limit = sock, limit
        self._poll = select.poll()

    def send(self, message: bytes, extra: bytes = b"", left: Left = None) -> None:
        """Raises TimeoutError, Closed."""
        view = memoryview(FRAME.pack(len(message), len(extra)) + message + extra)
        while view:
            try:
                view = view[self.socket.send(view[:CHUNK]) :]
            except BlockingIOError:
                self._wait(select.POLLOUT, left)
            except OSError:
                raise Closed from None

    def receive(self, left: Left = None) -> tuple[bytearray, bytearray]:
        """Raises TimeoutError, Closed, and ProtocolError for a message over the limit, before any of it is read."""
        length, extra = FRAME.unpack(self._exactly(FRAME.size, left))
        if length + extra > self.limit:
            raise ProtocolError(f"the value is too large (the limit is {self.limit >> 20} MiB)")
        return self._exactly(length, left), self._exactly(extra, left)

    def wait(self, left: Left = None) -> None:
        """Until there is something to receive. Raises TimeoutError."""
        self._wait(select.POLLIN, left)

    def close(self) -> None:
        self.socket.close()

    def _exactly(self, size: int, left: Left) -> bytearray:
        data = bytearray()  # grows with what has come, not with what was promised
        while len(data) < size:
            try:
                part = self.socket.recv(min(CHUNK, size - len(data)))
            except BlockingIOError:
                self._wait(select.POLLIN, left)
                continue
            except OSError:
                raise Closed from None
            if not part:
                raise Closed
            data += part
            if left is not None and len(data) < size and left() <= 0:  # byte by byte is no way round it
                raise TimeoutError
        return data

    def _wait(self, event: int, left: Left) -> None:
        self._poll.register(self.socket, event)
        while True:
            seconds = None if left is None else left()
            if seconds is not None and seconds <= 0:
                raise TimeoutError
            if self._poll.poll(None if seconds is None else min(seconds, LOOK_AGAIN) * 1000 + 1):
                return
