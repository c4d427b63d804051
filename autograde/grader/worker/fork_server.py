"""The pre-forking server (a zygote): it has imported PyTorch once, and forks a worker for whoever asks, in milliseconds.

`multiprocessing`'s forkserver does nearly this, but hands each child the parent's main module, its search path and the
key that authenticates to it. An untrusted process is better off with two sockets and a list of limits.

The server listens on a Unix socket in a private folder. A request is one JSON object with two descriptors: the worker's
end of the data channel, and a *lifetime*: when the other end of the lifetime closes, the worker is killed; when the worker
ends, the lifetime says how.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import logging
import os
import pkgutil
import resource
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from autograde.checking.errors import SandboxUnavailable
from autograde.grader.rpc.deadline import name_senders
from autograde.grader.rpc.framing import Channel
from autograde.grader.sandbox import isolate
from autograde.grader.sandbox.limits import Limits, first_to_go
from autograde.grader.sandbox.modes import Mode
from autograde.grader.sandbox.root_fs import RootFs
from autograde.layout import ROOT

PRELOAD = (
    "torch", "torch._dynamo", "torch.nn.functional", "numpy", "math", "jaxtyping", "tqdm.auto", "matplotlib.pyplot",
    "IPython.core.inputtransformer2", "gymnasium", "safetensors.torch",
)  # fmt: skip
NOT_PRELOADED = ("setup", "run_notebook")  # of utils: what starts notebooks, not what they use
ENVIRONMENT = {  # all that the server's memory, and so the worker's /proc/self/environ, ever holds
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",  # a thread that exists before the fork is missing after it
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MPLBACKEND": "Agg",
    "PYTHONHASHSEED": "0",
}


class ForkServer:
    """A fork server that this one started, or (by `address`) one that another did.

    No worker that is asked for here may read `hidden`, wherever it lies: the class, its results.
    """

    def __init__(self, address: str | None = None, root: Path = ROOT, hidden: Iterable[str | Path] = ()) -> None:
        self.hidden = tuple(sorted({os.path.realpath(path) for path in hidden}))
        self.process: subprocess.Popen | None = None
        self.address = self._start(root) if address is None else address

    def _start(self, root: Path) -> str:
        """A server of our own; gives its address."""
        folder = tempfile.mkdtemp(prefix="autograde-")  # mode 0700: only we may ask for workers
        address = os.path.join(folder, "server")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(address)
        listener.listen(64)
        code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from {__name__} import main; main()"
        command = [sys.executable, "-P", "-s", "-W", "ignore", "-c", code, str(listener.fileno()), str(root)]
        with listener:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=ENVIRONMENT, cwd="/", pass_fds=[listener.fileno()],
                start_new_session=True,  # Ctrl-C is for the grader, which then decides
            )  # fmt: skip
        weakref.finalize(self, _stop, self.process, address, os.getpid())
        return address

    def spawn(self, limits: Limits, mode: Mode) -> tuple[socket.socket, socket.socket]:
        """A new worker's data channel and lifetime."""
        data, theirs = socket.socketpair()
        name_senders(data)
        lifetime, its_lifetime = socket.socketpair()
        limits = replace(limits, hidden_paths=(*limits.hidden_paths, *self.hidden))
        request = json.dumps({"limits": asdict(limits), "mode": mode}).encode()
        with theirs, its_lifetime, socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.connect(self.address)
                socket.send_fds(connection, [request], [theirs.fileno(), its_lifetime.fileno()])
            except OSError as error:
                raise SandboxUnavailable(f"the process that makes workers is gone ({error})") from None
        return data, lifetime

    def alive(self) -> bool:
        return self.process is None or self.process.poll() is None

    def close(self) -> None:
        if self.process:
            _stop(self.process, self.address, os.getpid())


def _stop(process: subprocess.Popen, address: str, owner: int) -> None:
    if os.getpid() != owner:  # a fork of ours that ends does not take the server with it
        return
    if process.stdin:
        process.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5)
    _forget(address)


def _forget(address: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(address)
    with contextlib.suppress(OSError):
        os.rmdir(os.path.dirname(address))


_shared: ForkServer | None = None
_lock = threading.Lock()


def shared() -> ForkServer:
    """This process's own fork server, started when first asked for; or the one `use` named."""
    global _shared
    with _lock:
        if _shared is None or not _shared.alive():
            _shared = ForkServer()
        return _shared


def use(address: str, hidden: Iterable[str | Path] = ()) -> None:
    """Take workers from the fork server that another process started, none of which may read `hidden`."""
    global _shared
    _shared = ForkServer(address, hidden=hidden)


def main() -> None:
    """The server's own life; run by `ForkServer` in a process of its own."""
    descriptor, root = int(sys.argv[1]), sys.argv[2]
    sys.argv[:] = ["python"]
    most = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (most, most))  # who started it may be at work, with its memory bounded
    isolate.prepare()  # before anything is imported: what follows costs milliseconds more in a larger process
    sys.path.append(root) if root not in sys.path else None
    start = _preload(root)
    Server(socket.socket(fileno=descriptor), Path(root), start).serve()


def _preload(root: str) -> Callable[[Channel], None]:
    """Import all that lessons use and get it going; what a worker then does with its channel."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    utils = [f"utils.{m.name}" for m in pkgutil.iter_modules([os.path.join(root, "utils")]) if m.name not in NOT_PRELOADED]
    for name in (*PRELOAD, *utils):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    from autograde.grader.worker import process

    process.warm_up()
    gc.collect()
    gc.freeze()  # a collection in a worker would copy every page
    return process.start


class Server:
    """Forks workers, holds their lifetimes, tells how they ended."""

    def __init__(self, listener: socket.socket, root: Path, start: Callable[[Channel], None]) -> None:
        self.listener, self.start = listener, start
        self.root_fs = RootFs(root)
        self.lifetimes: dict[int, socket.socket] = {}  # by process id
        self.selector = selectors.DefaultSelector()
        self.wakeup, waker = socket.socketpair()
        self._sockets = (listener, self.wakeup, waker)
        for sock in self._sockets:
            sock.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        self.selector.register(0, selectors.EVENT_READ, self._owner_is_gone)
        self.selector.register(listener, selectors.EVENT_READ, self._accept)
        self.selector.register(self.wakeup, selectors.EVENT_READ, self._reap)

    def serve(self) -> None:
        while True:
            for key, _ in self.selector.select():
                key.data()

    def _owner_is_gone(self) -> None:
        for pid in self.lifetimes:
            _kill(pid)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _forget(self.listener.getsockname())
        sys.exit()

    def _accept(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            connection, _ = self.listener.accept()
            with connection:
                connection.settimeout(2)
                text, descriptors, _, _ = socket.recv_fds(connection, 1 << 16, 2)
            data, lifetime = (socket.socket(fileno=d) for d in descriptors)
            with data:
                self._fork(json.loads(text), data, lifetime)

    def _fork(self, request: dict[str, Any], data: socket.socket, lifetime: socket.socket) -> None:
        limits, mode = Limits(**request["limits"]), Mode(request["mode"])
        root_fs = self.root_fs.hiding(tuple(limits.hidden_paths))  # here, where it is worked out once for a class
        pid = isolate.fork(mode)
        if pid == 0:
            _child(data, limits, mode, root_fs, self.start)
        self.lifetimes[pid] = lifetime
        self.selector.register(lifetime, selectors.EVENT_READ, lambda: self._released(pid))

    def _released(self, pid: int) -> None:
        if pid in self.lifetimes:
            self.selector.unregister(self.lifetimes[pid])
            _kill(pid)

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self.wakeup.recv(4096)
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                self._ended(pid, status)

    def _ended(self, pid: int, status: int) -> None:
        _kill(pid, dead=True)
        lifetime = self.lifetimes.pop(pid, None)
        if lifetime is None:
            return
        with contextlib.suppress(KeyError):
            self.selector.unregister(lifetime)
        with lifetime, contextlib.suppress(OSError):
            lifetime.send(str(os.waitstatus_to_exitcode(status)).encode())


def _child(data: socket.socket, limits: Limits, mode: Mode, root_fs: RootFs, start: Callable[[Channel], None]) -> None:
    """In the fork: everything of the server's is shut before anything of the student's is read."""
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        channel = _only_channel(data, limits.message_bytes)
        first_to_go()
        try:
            level = isolate.enter(limits, mode, root_fs)
        except SandboxUnavailable as error:
            channel.send(json.dumps({"refused": str(error)}).encode())
            os._exit(0)
        channel.send(json.dumps({"level": level}).encode())
        start(channel)
    finally:
        os._exit(0)


def _only_channel(data: socket.socket, limit: int) -> Channel:
    """Close every descriptor but `data`; nothing to read on stdin, and nobody listens to stdout and stderr."""
    with contextlib.suppress(OSError):
        os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    kept = data.detach()
    os.closerange(3, kept)
    os.closerange(kept + 1, 4096 if sys.platform == "darwin" else 1 << 20)
    return Channel(socket.socket(fileno=kept), limit)


def _kill(pid: int, dead: bool = False) -> None:
    """Kill a worker with all that it started; `dead`: what it left behind."""
    with contextlib.suppress(OSError):
        os.killpg(pid, signal.SIGKILL)
    if not dead:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
