"""Ways to get at what is not a submission's: each is tried in a worker, in any lesson and at any level, and says by its value whether it worked.

Runs inside the student's notebook: nothing here may import the course.
"""

PREFACE = '''
def _thefts(root):
    import builtins, contextlib, ctypes, gc, glob, importlib, linecache, mmap, os, signal, socket, struct, subprocess, sys, threading, time
    libc = ctypes.CDLL(None, use_errno=True)

    def readable(*paths):
        return any(open(p, "rb").read(1) for p in paths if os.path.exists(p))

    def called(number, *arguments):
        """A system call that is not refused."""
        result = libc.syscall(number, *arguments)
        return result >= 0

    def left(path, mark=b"here"):
        """What an earlier worker of the same submission left."""
        found = os.path.exists(path)
        if not found:
            open(path, "wb").write(mark)
        return found

    def frames():
        return [f for frame in sys._current_frames().values() for f in iter(lambda s=[frame]: s.__setitem__(0, s[0].f_back) or s[0], None)]

    yield "the solution", lambda: readable(*glob.glob(f"{root}/solutions/*"))
    yield "the hidden checks", lambda: readable(*glob.glob(f"{root}/autograde/lessons/hidden/*"))
    yield "the public checks", lambda: readable(*glob.glob(f"{root}/autograde/lessons/checks/*"))
    yield "another root", lambda: readable(*glob.glob(f"/proc/[0-9]*/root{root}/solutions/*"))
    yield "the class", lambda: readable(*glob.glob(f"{os.path.dirname(root)}/../tmp/*/class/*/*.ipynb"))
    yield "an open file", lambda: any(not os.readlink(f"/proc/self/fd/{n}").startswith(("socket:", "/dev/null", "/proc/"))
                                      for n in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{n}"))
    yield "the environment", lambda: "AUTOGRADE_SECRET" in os.environ or b"swordfish" in open("/proc/self/environ", "rb").read()
    yield "the package", lambda: isinstance(importlib.import_module("autograde.layout").ROOT, os.PathLike)
    yield "an object of the checks", lambda: any("lessons" in str(getattr(o, "__module__", "")) for o in gc.get_objects() if callable(o))
    yield "a frame of the checks", lambda: any("lessons" in f.f_code.co_filename for f in frames())
    yield "a line of the checks", lambda: any("lessons" in name for name in linecache.cache)
    yield "a file in the course", lambda: open(f"{root}/utils/left.py", "w").write("x") and os.path.exists(f"{root}/utils/left.py")
    yield "a mark in /tmp", lambda: left("/tmp/autograde-mark")
    yield "a mark in /dev/shm", lambda: left("/dev/shm/autograde-mark-2")
    yield "a mark in the working folder", lambda: left(os.path.abspath("autograde-mark-3"))
    yield "the fork server", lambda: any(socket.socket(socket.AF_UNIX).connect(p) is None for p in glob.glob("/tmp/autograde-*/server"))
    yield "an abstract socket", lambda: socket.socket(socket.AF_UNIX).bind("\\0autograde") is None
    yield "a program", lambda: subprocess.run([sys.executable, "-c", "1"]).returncode == 0
    yield "a process", lambda: os.fork() >= 0
    yield "shared memory of System V", lambda: libc.shmget(0x417, 4096, 0o1666) >= 0
    yield "a message queue", lambda: libc.msgget(0x417, 0o1666) >= 0 or called(240, b"autograde", os.O_CREAT | os.O_RDWR, 0o666, None)
    yield "a key of the kernel's", lambda: called(248, b"user", b"autograde", b"x", 1, -3)
    yield "a file without a name", lambda: called(319, b"autograde", 0)
    yield "a tracer", lambda: called(101, 16, os.getppid(), 0, 0) or called(310, os.getppid(), None, 0, None, 0, 0)
    yield "an event ring", lambda: called(425, 8, ctypes.create_string_buffer(256))
    yield "faults of one's own", lambda: called(323, 0) or called(321, 0, None, 0) or called(298, None, 0, -1, -1, 0)
    yield "a mount", lambda: called(165, b"none", b"/", b"tmpfs", 0, None) or called(272, 0x10000000) or called(161, b"/")
    yield "a watch on shared files", lambda: called(294, 0) or called(300, 0, 0)
    yield "a lock on a shared file", lambda: libc.flock(os.open(os.__file__, os.O_RDONLY), 2) == 0
    yield "limits of another", lambda: called(302, os.getppid() or 1, 0, struct.pack("QQ", 1, 1), None)


def _stolen(root):
    """What worked; what raises did not."""
    found = []
    for name, theft in _thefts(root):
        try:
            if theft():
                found.append(name)
        except BaseException as error:
            if type(error).__name__ in ("KeyboardInterrupt", "GeneratorExit"):
                raise
    return found
'''


def names() -> list[str]:
    """Every way that is tried."""
    return [line.split('"')[1] for line in PREFACE.splitlines() if line.strip().startswith("yield ")]
