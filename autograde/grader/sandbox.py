import os, signal
from dataclasses import dataclass
from autograde.grader.channel import Channel
@dataclass(frozen=True)
class Limits:
    memory_bytes: int = 2 << 30
    cpu_seconds: int = 600
    tasks: int = 64
    file_bytes: int = 64 << 20
    disk_bytes: int = 128 << 20
    open_files: int = 256
    message_bytes: int = 64 << 20
    request_seconds: float = 10
    test_seconds: float = 30
    cell_seconds: float = 10
    cells_seconds: float = 30
def prepare(): pass
def fork(mode): return os.fork()
def kill(pid, dead=False):
    if not dead: os.kill(pid, signal.SIGKILL)
def only_channel(sock, limit): return Channel(sock, limit)
def enter(limits, mode, root): return "off"
