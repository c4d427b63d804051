"""How long a worker has worked, by the kernel's own count: that others keep the machine busy costs it nothing, and that it keeps the
machine busy itself buys it nothing."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
import time

LOOK_AGAIN = 0.1  # seconds: a process on several processors uses its time faster than the clock on the wall goes
_CREDENTIALS = struct.Struct("iii")  # struct ucred: process, user, group
_CPUCLOCK_SCHED = 2


def name_senders(sock: socket.socket) -> None:
    """From now on the kernel says with each message that `sock` is sent which process sent it; not on every system."""
    with contextlib.suppress(AttributeError, OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)


def sender(sock: socket.socket) -> int:
    """The process that sent what waits in `sock`, by its number here; 0 where the kernel does not say. Asked once: names no more senders."""
    with contextlib.suppress(AttributeError, OSError):
        _, ancillary, *_ = sock.recvmsg(1, socket.CMSG_SPACE(_CREDENTIALS.size), socket.MSG_PEEK)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 0)
        for level, kind, data in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
                return max(0, _CREDENTIALS.unpack(data[: _CREDENTIALS.size])[0])
    return 0


class ProcessTime:
    """The processor time of a process with all its threads, and how long its first thread has waited for a processor.

    Linux tells both (`sched_info` in Documentation/scheduler/sched-stats). Where it does not, all time counts.
    """

    def __init__(self, pid: int) -> None:
        self.clock = (~pid << 3) | _CPUCLOCK_SCHED if pid else None  # what clock_getcpuclockid gives
        places = f"/proc/{pid}/schedstat", f"/proc/self/task/{threading.get_native_id()}/schedstat"
        self.waits = [descriptor for descriptor in map(_opened, places) if descriptor is not None]
        self.last_used = self.last_waited = 0.0  # what is known of a process that has ended
        if len(self.waits) < 2 or self.clock is None:
            self.close()

    def used(self) -> float:
        """Seconds of processor time; 0 where nobody knows."""
        with contextlib.suppress(OSError):
            self.last_used = time.clock_gettime(self.clock) if self.clock is not None else self.last_used
        return self.last_used

    def waited(self) -> float:
        """Seconds in which the process, or this thread that waits for it, was ready to go on and had no processor."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            said = [int(os.pread(descriptor, 80, 0).split()[1]) for descriptor in self.waits]
            self.last_waited = sum(said) / 1e9 if said else self.last_waited
        return self.last_waited

    def close(self) -> None:
        """Look no more; what was seen last stays."""
        self.clock = None
        while self.waits:
            os.close(self.waits.pop())


class Deadline:
    """The end of a request's time: `seconds` of the process's own, never more than `most` times as long on the wall.

    What counts is the larger of two: the processor time that the process has used, in any of its threads; and the time gone by, less
    what the process waited for a processor. The first counts a load of its own, the second sleep.
    """

    def __init__(self, process: ProcessTime, seconds: float, most: float, outer: Deadline | None = None) -> None:
        self.process, self.seconds, self.most, self.outer = process, seconds, most, outer
        self.began, self.used, self.waited = time.monotonic(), process.used(), process.waited()

    def taken(self) -> float:
        """The seconds that count."""
        gone = time.monotonic() - self.began
        return max(self.process.used() - self.used, gone - (self.process.waited() - self.waited))

    def left(self) -> float:
        """The seconds that are left of it, and of the request within which it was made."""
        gone = time.monotonic() - self.began
        own = min(self.seconds - self.taken(), self.most * self.seconds - gone)
        return own if self.outer is None else min(own, self.outer.left())


def _opened(path: str) -> int | None:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
