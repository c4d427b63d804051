"""Messages over a socket, each behind its length, with a deadline: a worker that sends half of one blocks nobody.

A message has two parts: what it says, and what goes with it (the states of random generators, say), often nothing.
"""

from __future__ import annotations

import select
import socket
import struct
import time

from autograde.checking.errors import ProtocolError

FRAME = struct.Struct(">QQ")
CHUNK = 1 << 20


class Closed(Exception):
    """The other end is gone."""


class Channel:
    """One end of a socket pair. `deadline` is a moment of `time.monotonic()`; None waits for ever."""

    def __init__(self, sock: socket.socket, limit: int) -> None:
        sock.setblocking(False)
        self.socket, self.limit = sock, limit
        self._poll = select.poll()

    def send(self, message: bytes, extra: bytes = b"", deadline: float | None = None) -> None:
        """Raises TimeoutError, Closed."""
        view = memoryview(FRAME.pack(len(message), len(extra)) + message + extra)
        while view:
            try:
                view = view[self.socket.send(view[:CHUNK]) :]
            except BlockingIOError:
                self._wait(select.POLLOUT, deadline)
            except OSError:
                raise Closed from None

    def receive(self, deadline: float | None = None) -> tuple[bytearray, bytearray]:
        """Raises TimeoutError, Closed, and ProtocolError for a message over the limit, before any of it is read."""
        length, extra = FRAME.unpack(self._exactly(FRAME.size, deadline))
        if length + extra > self.limit:
            raise ProtocolError(f"the value is too large (the limit is {self.limit >> 20} MiB)")
        return self._exactly(length, deadline), self._exactly(extra, deadline)

    def close(self) -> None:
        self.socket.close()

    def _exactly(self, size: int, deadline: float | None) -> bytearray:
        data = bytearray()  # grows with what has come, not with what was promised
        while len(data) < size:
            try:
                part = self.socket.recv(min(CHUNK, size - len(data)))
            except BlockingIOError:
                self._wait(select.POLLIN, deadline)
                continue
            except OSError:
                raise Closed from None
            if not part:
                raise Closed
            data += part
            if deadline is not None and time.monotonic() > deadline:  # byte by byte is no way round it
                raise TimeoutError
        return data

    def _wait(self, event: int, deadline: float | None) -> None:
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise TimeoutError
        self._poll.register(self.socket, event)
        if not self._poll.poll(None if left is None else left * 1000 + 1):
            raise TimeoutError
