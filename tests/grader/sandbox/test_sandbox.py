"""Each promise of the sandbox, by code that tries to break it: isolated by namespaces, and by Landlock where there are none."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
import pytest

from autograde.checking.errors import SandboxUnavailable, StudentDied, StudentError, StudentTimeout
from autograde.grader.run.session import Session
from autograde.grader.sandbox import isolate, probe, root_fs
from autograde.grader.sandbox.limits import Limits
from autograde.grader.sandbox.root_fs import RootFs, _without
from autograde.grader.worker.fork_server import ForkServer

ROOT = Path(__file__).resolve().parents[3]
SUPPORT = probe.support()
namespaces = pytest.mark.skipif(SUPPORT.level != "namespaces", reason=SUPPORT.reason or "no namespaces")
LEVELS = [
    pytest.param("required", marks=namespaces, id="namespaces"),
    pytest.param("landlock", marks=pytest.mark.skipif(not (SUPPORT.landlock and SUPPORT.seccomp), reason="no Landlock"), id="landlock"),
]
ACCOUNT = pytest.param(
    "account", marks=pytest.mark.skipif(os.geteuid() != 0 or not SUPPORT.seccomp, reason="only root has another account"), id="account"
)
shut_in = pytest.mark.parametrize("mode", LEVELS)
everywhere = pytest.mark.parametrize("mode", [*LEVELS, ACCOUNT])  # what is promised where files may be read, too
later_elsewhere = pytest.mark.parametrize(  # the same, where a second of processor time is waited for: in every run at the first level only
    "mode", [LEVELS[0], *(pytest.param(*one.values, marks=[*one.marks, pytest.mark.slow], id=one.id) for one in (LEVELS[1], ACCOUNT))]
)


def attack(make, source, *args, mode="required", name="attack", **limits):
    """What `attack(*args)` of the source gives, run as a student's."""
    session = make(source, mode=mode, **limits)
    assert session.results["cell0"].status == "ok", session.results
    with session.test():
        return getattr(session.student(), name)(*args)


# --- files

READ = """
def attack(path):
    import os
    try:
        if os.path.isdir(path):
            return os.listdir(path)
        with open(path, "rb") as file:
            return file.read(100)
    except OSError as error:
        return type(error).__name__
"""


@shut_in
@pytest.mark.parametrize("path", ["/etc/shadow", "/etc/machine-id", str(ROOT / "autograde" / "lessons" / "hidden"), str(ROOT / "autograde"),
                                  str(ROOT / ".git"),
                                  str(ROOT / "solutions"), str(ROOT / "pyproject.toml"), __file__, "/root/.ssh", "/var", "/sys", "/run",
                                  "/proc/self/root/etc/shadow", pytest.param(f"/proc/{os.getpid()}/environ", id="/proc/<this process>/environ"), "/srv", "/boot"])  # fmt: skip
def test_nothing_but_python_and_the_course_material_can_be_read(make, mode, path):
    assert attack(make, READ, path, mode=mode) in ("FileNotFoundError", "PermissionError", "NotADirectoryError")


@shut_in
def test_the_file_system_is_python_utils_and_data(make, mode):
    got = attack(make, READ, str(ROOT / "utils"), mode=mode)
    assert "__init__.py" in got
    if mode == "required":
        assert set(attack(make, READ, str(ROOT), mode=mode)) <= {"utils", "data", ".venv"}
        assert set(attack(make, READ, "/", mode=mode)) <= {
            "bin", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc", "sbin", "autograde-scratch", "tmp", "usr", "nix", "opt",
            *(part for p in (sys.prefix, sys.base_prefix, str(ROOT)) for part in (Path(p).parts[1], Path(p, "lib").resolve().parts[1])),
        }  # fmt: skip


def test_above_the_course_and_python_only_the_way_to_them_is_seen(make):
    """As on a machine where both lie in an account's home: its name is seen, since it is in their paths, and nothing beside them."""
    shown = [path for p in (ROOT, sys.prefix, sys.base_prefix) for path in (Path(p), Path(p).resolve())]
    above = {folder for path in shown for folder in path.parents} - {Path("/"), Path("/usr"), Path("/opt"), *shown}
    for folder in above:
        on_the_way = {path.relative_to(folder).parts[0] for path in shown if path.is_relative_to(folder)}
        seen = attack(make, READ, str(folder), mode="required")
        assert seen == "PermissionError" or set(seen) <= on_the_way, folder


@shut_in
def test_other_submissions_and_a_gradebook_cannot_be_read_where_they_are_told(make, mode, tmp_path):
    (tmp_path / "gradebook.db").write_text("secret")
    assert attack(make, READ, str(tmp_path / "gradebook.db"), mode=mode) in ("FileNotFoundError", "PermissionError")


def test_a_secret_inside_what_is_readable_is_covered(server, tmp_path):
    inside = Path(pytest.__file__).parent
    plan = RootFs(ROOT, (str(inside),))
    assert (os.path.realpath(inside), False) in plan.plan
    assert not any(str(inside) == p or str(inside).startswith(p + "/") for p in plan.allowed())
    assert _without("/usr", ["/usr/lib"]) == [f"/usr/{n}" for n in sorted(os.listdir("/usr")) if n != "lib"]


@namespaces
def test_hidden_paths_inside_a_readable_folder_are_empty(make):
    hidden = os.path.dirname(os.path.realpath(pytest.__file__))
    assert attack(make, READ, hidden, hidden_paths=(hidden,)) == []


@shut_in
@pytest.mark.parametrize("path", ["/usr/local/share/nbgrader/exchange", "/usr/share/doc", "/srv/nbgrader", "/opt", "/mnt"])
def test_no_exchange_and_no_other_shared_folder_can_be_read(make, mode, path):
    assert attack(make, READ, path, mode=mode) in ("FileNotFoundError", "PermissionError")


@shut_in
def test_the_class_is_hidden_wherever_it_lies(make, mode, server, monkeypatch):
    """Below the course's data, say, where lessons may read."""
    folder = ROOT / "data" / "test-class-below-data"
    (folder / "ada").mkdir(parents=True, exist_ok=True)
    (folder / "ada" / "03_self_attention.ipynb").write_text("an answer")
    monkeypatch.setattr(server, "hidden", ForkServer(server.address, hidden=[folder]).hidden)
    try:
        got = attack(make, READ, str(folder / "ada" / "03_self_attention.ipynb"), mode=mode)
        assert got in ("FileNotFoundError", "PermissionError")
        assert attack(make, READ, str(ROOT / "data"), mode=mode)
    finally:
        shutil.rmtree(folder)


WRITE = """
def attack(path):
    import os, shutil
    done = []
    for action in (lambda: open(path, "a").write("x"), lambda: os.unlink(path), lambda: os.rename(path, path + "2"),
                   lambda: os.truncate(path, 0),
                   lambda: os.chmod(path, 0o777), lambda: os.utime(path), lambda: os.symlink("/etc", path + "3"),
                   lambda: os.mkdir(path + "4"),
                   lambda: os.link(path, path + "5"), lambda: os.setxattr(path, b"user.x", b"1")):
        try:
            action()
            done.append(True)
        except OSError:
            pass
    return done
"""


@everywhere
@pytest.mark.parametrize("place", ["repository", "temporary", "python"])
def test_nothing_outside_the_scratch_folder_can_be_written(make, mode, place, tmp_path):
    target = {"repository": ROOT / "utils" / "__init__.py", "temporary": tmp_path / "file", "python": Path(os.__file__)}[place]
    if place == "temporary":
        target.write_text("mine")
        os.chmod(target, 0o666)
        os.chmod(tmp_path, 0o777)
    before = (target.read_bytes(), target.stat().st_mode, target.stat().st_mtime_ns)
    assert attack(make, WRITE, str(target), mode=mode) == []
    assert (target.read_bytes(), target.stat().st_mode, target.stat().st_mtime_ns) == before
    assert not list(target.parent.glob(target.name + "[2345]"))


@namespaces
def test_the_scratch_folder_is_writable_private_and_empty_at_the_start(make):
    source = """
    import os, tempfile
    def attack():
        before = os.listdir(".")
        with tempfile.NamedTemporaryFile("w", delete=False) as file:
            file.write("mine")
        open("notes.txt", "w").write("mine")
        return before, os.path.expanduser("~"), sorted(os.listdir("."))[0]
    """
    for _ in range(2):
        before, home, _ = attack(make, source)
        assert before == [] and home == root_fs.SCRATCH
    assert not os.path.exists(f"{root_fs.SCRATCH}/notes.txt")


@namespaces
def test_a_disk_flood_ends_at_the_limit(make):
    source = """
    def attack():
        total = 0
        try:
            for i in range(1000):
                with open(f"f{i}", "wb") as file:
                    for _ in range(8):
                        total += file.write(bytes(1 << 20))
        except OSError:
            pass
        return total
    """
    assert 10 << 20 < attack(make, source, disk_bytes=20 << 20) <= 20 << 20


@namespaces
def test_no_mount_no_chroot_no_device(make):
    source = """
    import ctypes, os
    libc = ctypes.CDLL(None, use_errno=True)
    def attack():
        done = []
        for call in (lambda: libc.mount(b"none", b".", b"tmpfs", 0, None), lambda: libc.umount2(b"/proc", 2),
                     lambda: libc.chroot(b"."),
                     lambda: libc.unshare(0x10000000), lambda: libc.unshare(0x20000), lambda: libc.setns(0, 0),
                     lambda: libc.syscall(425, 8, 0), lambda: libc.syscall(321, 0, 0, 0), lambda: libc.syscall(298, 0, 0, 0, 0, 0),
                     lambda: libc.syscall(319, b"x", 0), lambda: libc.setuid(0), lambda: libc.mknod(b"d", 0o60666, 8 << 8)):
            done.append(call())
        return done
    """
    assert set(attack(make, source)) == {-1}


# --- network

NETWORK = """
import socket
def attack(port):
    done = []
    for action in (lambda: socket.create_connection(("127.0.0.1", port), 1), lambda: socket.create_connection(("1.1.1.1", 80), 1),
                   lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", port)),
                   lambda: socket.getaddrinfo("example.org", 80), lambda: socket.socket(40, socket.SOCK_STREAM),
                   lambda: socket.socket(socket.AF_UNIX),
                   lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)):
        try:
            action()
            done.append(True)
        except OSError:
            pass
    return done
"""


@everywhere
def test_no_network_and_no_names(make, mode):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert attack(make, NETWORK, listener.getsockname()[1], mode=mode) == []


EVERYBODYS = """
import ctypes, mmap, os
def attack(path):
    done = []
    def mapped():
        with open(path, "r+b") as file, mmap.mmap(file.fileno(), 4) as own:
            own[0] = 88
    def made():
        os.close(os.open(path + "-new", os.O_CREAT | os.O_WRONLY))
    for name, action in {
        "written": lambda: open(path, "r+").write("x"), "appended": lambda: open(path, "a").write("x"), "emptied": lambda: open(path, "w").close(),
        "cut": lambda: os.truncate(path, 0), "mapped": mapped, "made": made, "direct": lambda: os.open(path, os.O_WRONLY),
        "pipe": lambda: os.write(os.open(path + "-pipe", os.O_RDWR | os.O_NONBLOCK), b"x"),
        "touched": lambda: os.utime(path), "shown": lambda: os.chmod(path, 0o777), "gone": lambda: os.unlink(path),
    }.items():
        try:
            action()
            done.append(name)
        except OSError:
            pass
    return done
"""


@everywhere
def test_what_every_account_may_write_is_not_written_either(make, mode):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_text("text")
        os.mkfifo(f"{path}-pipe")
        for place, rights in ((folder, 0o777), (path, 0o666), (f"{path}-pipe", 0o666)):
            os.chmod(place, rights)
        assert attack(make, EVERYBODYS, str(path), mode=mode) == []
        assert path.read_text() == "text" and len(os.listdir(folder)) == 2


# --- other processes


@pytest.fixture
def bystander():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], env={"SECRET": "swordfish"})
    yield process
    process.kill()
    process.wait()


@everywhere
def test_no_signal_reaches_another_process(make, mode, bystander):
    source = """
    import os, signal
    def attack(pid):
        for target in (pid, -pid, -1, 0, os.getppid()):
            for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP):
                try:
                    if target not in (0, -1) or number != signal.SIGSTOP:
                        os.kill(target, number)
                except OSError:
                    pass
        return "alive"
    """
    session = make(source, mode=mode)
    try:
        session.student().attack(bystander.pid)
    except StudentDied:
        pass
    assert bystander.poll() is None
    assert session.server.alive()
    session.start()


@everywhere
def test_no_process_is_traced_or_read(make, mode, bystander):
    source = """
    import ctypes, os
    libc = ctypes.CDLL(None, use_errno=True)
    def attack(pid):
        found = [libc.ptrace(16, p, 0, 0) for p in (pid, os.getppid(), 1)]
        buffer = ctypes.create_string_buffer(8)
        class Vec(ctypes.Structure):
            _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
        vec = Vec(ctypes.addressof(buffer), 8)
        found.append(libc.process_vm_readv(pid, ctypes.byref(vec), 1, ctypes.byref(vec), 1, 0))
        for name in ("environ", "mem", "maps", "cmdline", "fd"):
            try:
                os.listdir(f"/proc/{pid}/{name}") if name == "fd" else open(f"/proc/{pid}/{name}").read(1)
                found.append(name)
            except OSError:
                pass
        return found
    """
    open_to_all = {"cmdline"} if mode == "account" else set()
    assert set(attack(make, source, bystander.pid, mode=mode)) == {-1, *open_to_all}


@everywhere
def test_the_environment_is_empty(make, mode, monkeypatch):
    monkeypatch.setenv("AUTOGRADE_SECRET", "swordfish")
    source = """
    import os
    def attack():
        try:
            return dict(os.environ), open("/proc/self/environ").read()
        except OSError:
            return dict(os.environ), ""
    """
    environment, raw = attack(make, source, mode=mode)
    assert not {"AUTOGRADE_SECRET", "USER", "SSH_AUTH_SOCK", "PWD"} & set(environment)
    assert "swordfish" not in raw and "swordfish" not in str(environment)


def test_the_fork_server_itself_knows_no_secret(monkeypatch):
    monkeypatch.setenv("AUTOGRADE_SECRET", "swordfish")
    with Session([("c", "def attack(): import os; return dict(os.environ)")], server=ForkServer()) as session:
        assert "swordfish" not in str(session.student().attack())
        session.server.close()


# --- floods and bombs


@everywhere
def test_a_fork_bomb_does_not_even_start(make, mode):
    source = """
    import os, subprocess
    def attack():
        done = []
        for action in (os.fork, lambda: subprocess.run(["/bin/true"]), lambda: os.system("true"), lambda: os.execv("/bin/true", ["true"])):
            try:
                done.append(action() in (0, None))
            except OSError:
                pass
        return [d for d in done if d]
    """
    assert attack(make, source, mode=mode) == []


@everywhere
def test_a_thread_bomb_ends_at_the_limit(make, mode):
    source = """
    import threading, time
    def attack():
        started = 0
        try:
            for _ in range(1000):
                threading.Thread(target=time.sleep, args=(20,), daemon=True).start()
                started += 1
        except RuntimeError:
            pass
        return started
    """
    most = 20 if mode == "required" else 60  # without a user namespace the memory limit ends it: 8 MiB of stack a thread
    assert 0 < attack(make, source, mode=mode, tasks=20, memory_bytes=1 << 28) <= most


@everywhere
def test_memory_has_an_end(make, mode):
    source = """
    import torch
    def attack(): return len([bytearray(1 << 26) for _ in range(1000)])
    def tensors(): return len([torch.ones(1 << 24) for _ in range(1000)])
    """
    session = make(source, mode=mode, memory_bytes=1 << 29)
    with pytest.raises(MemoryError):
        session.student().attack()
    with pytest.raises(RuntimeError, match="memory"):
        session.student().tensors()
    assert session.alive


@pytest.mark.skipif(not os.path.exists("/proc/self/oom_score_adj"), reason="Linux says which process ends first")
@everywhere
def test_a_worker_is_the_first_to_end_when_memory_is_short(make, mode, server):
    def likely(process):
        return int(Path(f"/proc/{process.pid}/oom_score_adj").read_text())

    make("x = 1", mode=mode)  # the server is there
    before = set(psutil.Process(server.process.pid).children(recursive=True))
    make("x = 1", mode=mode)
    (worker,) = set(psutil.Process(server.process.pid).children(recursive=True)) - before
    assert likely(worker) == 1000 > likely(psutil.Process(server.process.pid))


@everywhere
def test_a_worker_changes_nothing_that_the_system_keeps_of_it(make, mode):
    """An ordinary account may take back what was written of how soon it ends when memory is short, unless the file cannot be written."""
    source = """
    def attack(*paths):
        said = []
        for path in paths:
            try:
                with open(path, "w") as file:
                    file.write("0")
                said.append("written")
            except OSError as error:
                said.append(type(error).__name__)
        return said
    """
    names = ("oom_score_adj", "oom_adj", "comm", "coredump_filter", "autogroup", "timerslack_ns", "clear_refs")
    paths = [f"/proc/{process}/{name}" for process in ("self", "thread-self", "1") for name in names]
    assert "written" not in attack(make, source, *paths, mode=mode)


@everywhere
def test_an_output_flood_goes_nowhere(make, mode):
    source = """
    import os, sys
    def attack():
        for _ in range(1000):
            print("x" * 100_000)
        sys.stderr.write("y" * 10_000_000)
        os.write(1, b"z" * 1_000_000)
        return "done"
    """
    assert attack(make, source, mode=mode) == "done"


@later_elsewhere
def test_processor_time_has_an_end(make, mode):
    session = make("def attack():\n    while True: pass", mode=mode, cpu_seconds=2, request_seconds=20)
    with pytest.raises(StudentDied, match="killed"):
        session.student().attack()


@everywhere
def test_an_endless_loop_that_ignores_signals_is_stopped(make, mode):
    source = """
    import contextlib, signal
    def attack():
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.Signals)
        for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
            with contextlib.suppress(OSError): signal.signal(number, signal.SIG_IGN)
        while True:
            try:
                while True: pass
            except BaseException: pass
    """
    session = make(source, mode=mode, request_seconds=0.5)
    with pytest.raises(StudentTimeout, match="0.5 seconds"):
        session.student().attack()


# --- ends


@shut_in
@pytest.mark.parametrize(("source", "says"), [
    ("import os\ndef attack(): os._exit(7)", "exit code 7"),
    ("import ctypes\ndef attack(): ctypes.string_at(0)", "crashed"),
    ("import os\ndef attack(): os.abort()", "crashed|ended"),
    ("import os\ndef attack(): os.closerange(0, 300)", "ended|crashed"),
])  # fmt: skip
def test_whatever_ends_the_process_is_told(make, mode, source, says):
    session = make(source, mode=mode)
    with pytest.raises(StudentDied, match=says):
        session.student().attack()
    with pytest.raises(StudentDied):
        session.student().attack()


@later_elsewhere
def test_endless_recursion_costs_itself_only(make, mode):
    source = """
    import sys
    def attack():
        sys.setrecursionlimit(10**9)
        f = lambda: f()
        f()
    """
    session = make(source, mode=mode, memory_bytes=1 << 28, request_seconds=2)
    with pytest.raises((StudentDied, StudentTimeout, StudentError)):
        session.student().attack()
    session.start()


def test_nothing_is_left_behind_when_a_session_closes(make, server):
    source = """
    import threading, time
    for _ in range(5):
        threading.Thread(target=lambda: [0 for _ in iter(int, 1)], daemon=True).start()
    """
    idle = 3 if SUPPORT.level == "namespaces" else 2  # the server of workers, that of graders, and what waits for the first
    _wait_until(lambda: len(_alive(server)) < idle)
    session = make(source, mode="auto")
    assert len(_alive(server)) >= idle
    session.close()
    _wait_until(lambda: len(_alive(server)) < idle)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
@pytest.mark.slow
def test_a_killed_grader_leaves_no_worker_behind(tmp_path):
    script = tmp_path / "grader.py"
    script.write_text(
        f"import sys, time; sys.path.insert(0, {str(ROOT)!r})\n"
        "from autograde.grader.run.session import Session\n"
        "s = Session([('c', 'def f():\\n    while True: pass')]).start()\nprint(s.server or 1, flush=True)\ns.student().f()\n"
    )
    grader = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, start_new_session=True)
    grader.stdout.readline()
    family = _descendants(grader.pid)
    assert len(family) >= 2
    grader.send_signal(signal.SIGKILL)
    grader.wait()
    _wait_until(lambda: not any(_running(p) for p in family))


def _alive(server):
    return [p for p in _descendants(server.process.pid) if _running(p)]


def _running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _descendants(pid):
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        found.append((parent, int(stat.parent.name)))
    family, new = set(), {pid}
    while new:
        new = {child for parent, child in found if parent in new} - family
        family |= new
    return family


def _wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


# --- modes


def test_off_and_limits_run_too(make):
    for mode in ("off", "limits"):
        session = make("def f(x): return x + 1", mode=mode)
        assert session.level == mode and session.student().f(1) == 2


def test_elsewhere_than_on_linux_there_are_the_limits():
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from autograde.grader.sandbox import isolate, limits, root_fs, syscalls\nsyscalls._libc = None\nisolate.prepare()\n"
        f"print(isolate.enter(limits.Limits(), 'auto', root_fs.RootFs(root_fs.Path({str(ROOT)!r}))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "limits\n", done.stderr


def test_required_refuses_where_the_machine_cannot(monkeypatch):
    poor = probe.Support("limits", "why", {}, 0, False, (probe.Missing("namespaces", "why", "What to do."),))
    monkeypatch.setattr(probe, "support", lambda: poor)
    with pytest.raises(SandboxUnavailable, match="What to do"):
        probe.require("required")
    assert any("NOT isolated" in w for w in probe.require("auto"))
    assert "off" in probe.require("off")[0]


def test_a_worker_that_cannot_be_isolated_refuses(monkeypatch):
    monkeypatch.setattr(isolate, "_isolate", lambda *a: ("limits", "no such thing here"))
    with pytest.raises(SandboxUnavailable, match="no such thing"):
        isolate.enter(Limits(), "required", RootFs(ROOT))
    assert isolate.enter(Limits(), "auto", RootFs(ROOT)) == "limits"


REACHED = """
import os
from autograde import layout
from autograde.grader.sandbox import isolate
from autograde.grader.sandbox.limits import Limits
from autograde.grader.sandbox.root_fs import RootFs

isolate.prepare()
if child := isolate.fork("required"):
    os.waitpid(child, 0)
    os._exit(0)
level = isolate.enter(Limits(), "required", RootFs(layout.ROOT))
open("/tmp/own.txt", "w").write("x")
import colorsys, utils, numpy
print(level, open("/tmp/own.txt").read(), os.listdir("/autograde-scratch"), flush=True)
"""


@namespaces
def test_python_may_be_reached_by_a_link_in_a_folder_for_temporary_files():
    """A `.venv` that is a link, in /tmp, as tools make them: /tmp can be written, and namespaces still isolate."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        (Path(folder) / ".venv").symlink_to(sys.prefix)
        done = subprocess.run(
            [f"{folder}/.venv/bin/python", "-c", REACHED], cwd=ROOT, capture_output=True, text=True, timeout=60,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
    assert done.stdout.split() == ["namespaces", "x", "[]"], done.stderr[-2000:]


@pytest.mark.slow
@namespaces
@pytest.mark.skipif(os.geteuid() != 0, reason="this is the ordinary account")
def test_the_same_holds_for_an_ordinary_account():
    """This very file, as a user with no privilege, for whom what leads to Python is made passable."""
    chosen = "read or written or network or signal or traced or fork or thread or memory or mount or scratch"
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-k", f"({chosen}) and namespaces or mount", __file__]
    done = subprocess.run(
        command, preexec_fn=_become_ordinary, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "HOME": "/tmp"}
    )
    assert done.returncode == 0 and done.stdout.count(".") > 20, done.stdout[-3000:] + done.stderr[-1000:]


def _become_ordinary():
    from autograde.grader.sandbox import syscalls

    syscalls.unshare(syscalls.CLONE_NEWNS)
    syscalls.mount("none", "/", "", syscalls.MS_REC | syscalls.MS_PRIVATE)
    wanted = [os.path.realpath(p) for p in (sys.prefix, sys.base_prefix, ROOT)]
    for closed in {a for p in wanted for a in map(str, Path(p).parents) if a != "/" and not os.stat(a).st_mode & 1}:
        inside = [(p, syscalls.detached_tree(p)) for p in wanted if p.startswith(closed + "/")]
        syscalls.mount("tmpfs", closed, "tmpfs", 0, "mode=0755")
        for path, tree in inside:
            os.makedirs(path)
            syscalls.attach(tree, path)
    os.setgroups([])
    os.setresgid(23456, 23456, 23456)
    os.setresuid(23456, 23456, 23456)


def test_a_student_error_is_not_a_sandbox_error(make):
    before = threading.active_count()
    with pytest.raises(StudentError):
        make("def f(): raise ValueError('x')").student().f()
    assert threading.active_count() == before
