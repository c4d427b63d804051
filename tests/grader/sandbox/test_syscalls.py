"""The system call filter: its numbers are libseccomp's, computing needs no more than it allows, and workers find no channel past it."""

import ctypes
import os

import pytest

from autograde.grader.sandbox import probe, seccomp, syscalls
from autograde.grader.sandbox.modes import Level
from autograde.grader.sandbox.syscall_numbers import EVERYWHERE, IN_NAMESPACES, LOOKED_INTO

SUPPORT = probe.support()
filtered = pytest.mark.skipif(not SUPPORT.seccomp, reason="no seccomp")
LEVELS = [
    pytest.param("required", marks=pytest.mark.skipif(SUPPORT.level != "namespaces", reason="no namespaces"), id="namespaces"),
    pytest.param("landlock", marks=pytest.mark.skipif(not SUPPORT.landlock, reason="no Landlock"), id="landlock"),
    pytest.param("account", marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root has another account"), id="account"),
]
at_each_level = pytest.mark.parametrize("mode", LEVELS)
pytestmark = filtered


@pytest.mark.parametrize("architecture", seccomp.ARCHITECTURES)
def test_the_numbers_are_libseccomps(architecture):
    try:
        library = ctypes.CDLL("libseccomp.so.2")
    except OSError:
        pytest.skip("libseccomp is not installed (Debian's libseccomp2)")
    resolve, which = library.seccomp_syscall_resolve_name_arch, list(seccomp.ARCHITECTURES).index(architecture)
    resolve.argtypes = [ctypes.c_uint32, ctypes.c_char_p]
    for name, numbers in {**EVERYWHERE, **IN_NAMESPACES, **LOOKED_INTO}.items():
        known = resolve(seccomp.ARCHITECTURES[architecture], name.encode())
        assert numbers[which] == (known if known >= 0 else None), name


@pytest.mark.parametrize("level", [Level.NAMESPACES, Level.LANDLOCK, Level.ACCOUNT])
def test_each_filter_jumps_within_itself_and_ends_with_a_verdict(level, monkeypatch):
    import struct

    for machine in seccomp.ARCHITECTURES:
        monkeypatch.setattr(syscalls, "MACHINE", machine)
        steps = list(struct.iter_unpack("HBBI", seccomp.program(level)))
        assert steps[-1][0] == 0x06 and len(steps) < 4096
        assert all(i + 1 + max(yes, no) < len(steps) for i, (code, yes, no, _) in enumerate(steps) if code in (0x15, 0x35))


def ask(make, mode, source, *args):
    session = make(source, mode=mode)
    assert session.results["cell0"].status == "ok", session.results
    return session.student().attack(*args)


LOCKS = """
import fcntl, os, struct
def attack(path):
    done = []
    lock = struct.pack("hhqqi", fcntl.F_RDLCK, 0, 0, 0, 0)
    with open(path) as file:
        for name, call in {
            "flock": lambda: fcntl.flock(file, fcntl.LOCK_SH), "lockf": lambda: fcntl.lockf(file, fcntl.LOCK_SH),
            "ofd": lambda: fcntl.fcntl(file, 37, lock), "getlk": lambda: fcntl.fcntl(file, fcntl.F_GETLK, lock),
            "lease": lambda: fcntl.fcntl(file, 1024, fcntl.F_RDLCK), "notify": lambda: fcntl.fcntl(os.open("/", os.O_RDONLY), 1026, 1),
            "owner": lambda: fcntl.fcntl(file, 8, os.getppid()), "signal": lambda: fcntl.fcntl(file, 10, 9),
            "async": lambda: fcntl.fcntl(file, fcntl.F_SETFL, 0x2000), "fioasync": lambda: fcntl.ioctl(file, 0x5452, struct.pack("i", 1)),
        }.items():
            try:
                call()
                done.append(name)
            except OSError:
                pass
    return done
"""


@at_each_level
def test_no_lock_lease_or_signal_goes_through_a_shared_file(make, mode):
    assert ask(make, mode, LOCKS, "/etc/ld.so.cache") == []


CALLS = """
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def attack(path):
    done = []
    memory = ctypes.create_string_buffer(8192)
    page = ctypes.c_void_p((ctypes.addressof(memory) + 4095) // 4096 * 4096)
    for name, call in {
        "inotify": lambda: libc.inotify_init1(0), "sysinfo": lambda: libc.sysinfo(memory), "mincore": lambda: libc.mincore(page, ctypes.c_size_t(4096), memory),
        "fadvise": lambda: libc.posix_fadvise(os.open(path, os.O_RDONLY), 0, 0, 4) and -1,
        "splice": lambda: libc.vmsplice(os.pipe()[1], 0, 0, 0), "syncfs": lambda: libc.syncfs(os.open(path, os.O_RDONLY)),
        "pdeathsig": lambda: libc.prctl(1, 0, 0, 0, 0), "ptracer": lambda: libc.prctl(0x59616D61, -1, 0, 0, 0),
        "personality": lambda: libc.personality(0x0040000), "setsid": lambda: libc.setsid(), "acct": lambda: libc.acct(b"/"),
        "quotactl": lambda: libc.quotactl(0, None, 0, None), "swapon": lambda: libc.swapon(b"/dev/zero", 0),
        "memfd": lambda: libc.memfd_create(b"x", 0), "shmget": lambda: libc.shmget(0, 4096, 0o1600), "pidfd": lambda: libc.syscall(434, 1, 0),
        "prlimit": lambda: libc.prlimit64(max(os.getppid(), 1), 7, None, memory), "unknown": lambda: libc.syscall(499),
        "datagram": lambda: -1 if not _pair(socket.SOCK_DGRAM) else 0,
    }.items():
        if call() != -1:
            done.append(name)
    return done
def _pair(kind):
    try:
        return socket.socketpair(type=kind)
    except OSError:
        return None
"""


@at_each_level
def test_calls_that_computing_does_not_need_are_refused(make, mode):
    assert ask(make, mode, CALLS, "/etc/ld.so.cache") == []


SHARED = """
import ctypes, fcntl, os, platform
libc = ctypes.CDLL(None, use_errno=True)
FUTEX, PREADV2 = {"x86_64": (202, 327), "aarch64": (98, 286)}[platform.machine()]
libc.mmap.restype = ctypes.c_void_p
def attack(path):
    file = os.open(path, os.O_RDONLY)
    page = libc.mmap(None, ctypes.c_size_t(4096), 1, 1, file, ctypes.c_long(0))
    word = ctypes.c_uint32.from_address(page).value
    pair = (ctypes.c_size_t * 2)(ctypes.addressof(ctypes.create_string_buffer(16)), 16)
    other = ctypes.c_uint32(0)
    calls = {name: lambda n=n: libc.syscall(FUTEX, ctypes.c_void_p(page), n, 10, None, ctypes.byref(other), word)
             for name, n in {"wake": 1, "requeue": 3, "compare": 4, "wake of bits": 10, "lock": 6, "clock": 0x101}.items()}
    calls["cached"] = lambda: libc.syscall(PREADV2, file, pair, 1, 0, 0, 8)
    calls["paged out"] = lambda: libc.madvise(ctypes.c_void_p(page), ctypes.c_size_t(4096), 21)
    calls["merged"] = lambda: libc.madvise(ctypes.c_void_p(page), ctypes.c_size_t(4096), 12)
    calls["larger pipe"] = lambda: libc.fcntl(os.pipe()[1], 1031, 1 << 20)
    return [name for name, call in calls.items() if call() != -1]
"""
USUAL = """
import os, threading, time
from concurrent.futures import ThreadPoolExecutor
def attack(path):
    with ThreadPoolExecutor(4) as pool:
        squares = list(pool.map(lambda n: n * n, range(50)))
    thread = threading.Thread(target=time.sleep, args=(0.01,)); thread.start(); thread.join(1)
    event = threading.Event(); threading.Timer(0.01, event.set).start()
    file = os.open(path, os.O_RDONLY)
    return squares[-1], event.wait(1), os.preadv(file, [bytearray(8)], 0), thread.is_alive()
"""


@at_each_level
def test_what_workers_share_carries_no_message(make, mode):
    """Two that have the same page of a library in memory cannot wake each other, nor see what the other has read."""
    assert ask(make, mode, SHARED, "/etc/ld.so.cache") == []
    assert ask(make, mode, USUAL, "/etc/ld.so.cache") == (2401, True, 8, False)


TOUCHES = """
import os
def attack(path):
    done = []
    for name, what in {"input": 0, "output": 1, "errors": 2, **{n: f"/dev/{n}" for n in ("null", "zero", "full", "random", "urandom")}}.items():
        for times in (None, (0, 0)):
            try:
                os.utime(what, times)
                done.append(name)
            except OSError:
                pass
    os.write(1, b"x")
    assert open("/dev/zero", "rb").read(3) == bytes(3) and len(os.urandom(3)) == 3
    return done
"""


@at_each_level
def test_no_device_keeps_when_it_was_touched(make, mode):
    """A worker that comes later would read a message in it."""
    assert ask(make, mode, TOUCHES, "") == []


MADE = """
import os, tempfile
def attack(folders):
    done = []
    for folder in folders:
        for name, make in {
            "file": lambda p: open(p, "w").close(), "folder": os.mkdir, "pipe": os.mkfifo, "link": lambda p: os.symlink("/", p),
            "nameless": lambda p: os.open(folder, os.O_TMPFILE | os.O_RDWR), "hard": lambda p: os.link("/dev/null", p),
        }.items():
            try:
                make(os.path.join(folder, f"autograde-left-{name}"))
                done.append(f"{folder} {name}")
            except OSError:
                pass
    return done
"""


@pytest.mark.parametrize("mode", LEVELS[1:])
def test_nothing_is_left_where_everybody_may_write(make, mode, tmp_path):
    os.chmod(tmp_path, 0o777)
    folders = ["/tmp", "/dev/shm", "/var/tmp", str(tmp_path)]
    assert ask(make, mode, MADE, folders) == []
    assert not any(name.startswith("autograde-left-") for folder in folders[:3] if os.path.isdir(folder) for name in os.listdir(folder))


@pytest.mark.parametrize("mode", LEVELS[2:])
def test_each_worker_has_an_account_of_its_own(make, mode):
    source = "import os\ndef attack(): return os.getresuid(), os.getresgid(), os.getgroups()"
    one, other = ask(make, mode, source), ask(make, mode, source)
    assert one[0] != other[0] and 0 not in (*one[0], *one[1]) and one[2] == other[2] == []


COMPUTES = """
import asyncio, concurrent.futures, os, random, selectors, subprocess, sys, tempfile, threading, time
import numpy as np, torch
def attack():
    torch.set_num_threads(3)
    x = torch.randn(300, 300, requires_grad=True)
    (x @ x).softmax(-1).sum().backward()
    np.linalg.svd(np.random.rand(200, 200))
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        list(pool.map(np.linalg.inv, [np.eye(50)] * 6))
    asyncio.run(asyncio.sleep(0))
    os.isatty(1), os.cpu_count(), os.getloadavg, time.sleep(0), os.urandom(4), os.get_terminal_size
    return float(x.grad.shape[0]), sum(1 for _ in torch.utils.data.DataLoader(range(8), batch_size=2))
"""


@at_each_level
def test_what_computes_needs_no_more(make, mode):
    assert ask(make, mode, COMPUTES) == (300.0, 4)
