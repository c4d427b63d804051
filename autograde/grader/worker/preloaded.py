"""The process that imports PyTorch once for all who grade: workers are forked from it, and so are graders, before it is isolated.

    preloaded                 imports PyTorch; knows nothing secret
     ├─ graders' server       imports what grading takes; forks graders, which then read lessons, hidden inputs and oracles
     └─ workers' server       imports what lessons use, is isolated, then set up as a worker finds it; forks workers

The two servers import at the same time. What graders come to know is in processes that workers are not forked from.
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
import signal
import socket
import sys
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from autograde.checking.errors import SandboxUnavailable
from autograde.grader.rpc.framing import Channel
from autograde.grader.sandbox import cgroups, isolate
from autograde.grader.sandbox.limits import Limits, first_to_go
from autograde.grader.sandbox.modes import Level, Mode
from autograde.grader.sandbox.root_fs import RootFs
from autograde.grader.worker.forking import Server, alone_with, silence

SHARED = ("torch", "numpy", "sympy")  # imported once, for both; with the last one PyTorch works out shapes
GRADING = ("autograde.grader.run.task",)
# What PyTorch imports itself when it is used: for tensors without numbers, and for optimizers. A worker may be shown no files.
LATER = ("torch.fx.experimental.symbolic_shapes", "torch._subclasses.schema_check_mode", "torch.profiler._cupti_monitor")
PRELOAD = (
    *SHARED, "torch.nn.functional", "math", "jaxtyping", "tqdm.auto", "matplotlib.pyplot",
    "IPython.core.inputtransformer2", "gymnasium", "safetensors.torch", *LATER,
)  # fmt: skip
NOT_PRELOADED = ("setup", "run_notebook")  # of utils: what starts notebooks, not what they use


def main() -> None:
    """Run by `fork_server.ForkServer` in a process of its own, with two sockets: of those who want workers, and of those who want graders."""
    for_workers, for_graders = (socket.socket(fileno=int(number)) for number in sys.argv[1:3])
    root = sys.argv[3]
    sys.argv[:] = ["python"]
    gc.disable()  # until all is imported: to look through what stays takes a quarter of the time
    most = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (most, most))  # who started it may be at work, with its memory bounded
    sys.path.append(root) if root not in sys.path else None
    _import(SHARED)
    from autograde.checking import compiler

    compiler.put_off()
    if os.fork() == 0:
        for_workers.close()
        try:
            _import(GRADING)
            gc.enable()
            Server(for_graders, _fork_grader).serve()
        finally:
            os._exit(0)  # what packages do at exit, such as to remove folders, is for one process alone
    for_graders.close()
    _import((*PRELOAD, *_utils(root)))
    groups = cgroups.prepare()
    isolate.prepare()
    from autograde.grader.worker import process

    process.warm_up()
    gc.freeze()  # as `_import` does
    gc.enable()
    workers = Workers(Path(root), process.start, groups)
    Server(for_workers, workers.fork, workers.ended).serve()


def _utils(root: str) -> list[str]:
    """The course's own modules that lessons use."""
    return [f"utils.{m.name}" for m in pkgutil.iter_modules([os.path.join(root, "utils")]) if m.name not in NOT_PRELOADED]


def _import(names: Iterable[str]) -> None:
    """Import what is installed of them."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    for name in names:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.freeze()  # a collection in a fork would copy every page


class Workers:
    """Forks workers, which see the folder `root`; `start` is what one then does with its channel."""

    def __init__(self, root: Path, start: Callable[[Channel], None], groups: cgroups.Groups) -> None:
        self.root_fs, self.start, self.groups = RootFs(root), start, groups
        self._group_of: dict[int, Path | None] = {}

    def fork(self, request: dict[str, Any], data: socket.socket) -> int:
        limits, mode = Limits(**request["limits"]), Mode(request["mode"])
        root_fs = self.root_fs.hiding(tuple(limits.hidden_paths))  # here, where it is worked out once for a class
        group = self.groups.make(limits)
        pid = isolate.fork(mode)
        if pid == 0:
            cgroups.join(group)
            self._live(data, limits, mode, root_fs)
        self._group_of[pid] = group
        return pid

    def ended(self, pid: int) -> None:
        cgroups.remove(self._group_of.pop(pid, None))

    def _live(self, data: socket.socket, limits: Limits, mode: Mode, root_fs: RootFs) -> None:
        """In the fork: everything of the server's is shut before anything of the student's is read."""
        try:
            channel = Channel(alone_with(data), limits.message_bytes)
            first_to_go()
            signal.signal(
                signal.SIGINT, signal.SIG_DFL
            )  # a handler of Python's is replaced by each `asyncio.run`, which is not allowed then
            try:
                level = isolate.enter(limits, mode, root_fs)
                if level == Level.NAMESPACES:
                    silence()  # through the old tree's device it could be changed when that was last used, which others see
            except SandboxUnavailable as error:
                channel.send(json.dumps({"refused": str(error)}).encode())
                os._exit(0)
            channel.send(json.dumps({"level": level}).encode())
            self.start(channel)
        finally:
            os._exit(0)


def _fork_grader(request: dict[str, Any], data: socket.socket) -> int:
    """A process of ours: it runs what `request["run"]` names, with a connection to who asked, in their folder and environment."""
    module, _, function = request["run"].partition(":")
    life = getattr(importlib.import_module(module), function)  # before the fork: the next grader finds it imported
    pid = os.fork()
    if pid == 0:
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            pipe = Connection(alone_with(data).detach())
            folder, environment = pipe.recv()
            os.chdir(folder)
            os.environ.clear()
            os.environ.update(environment)
            life(pipe)
        finally:
            os._exit(0)
    return pid
