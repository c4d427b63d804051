"""A file system with nothing in it but Python and what a lesson needs, and namespaces around it."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import tempfile
from pathlib import Path

from autograde.grader.sandbox import syscalls
from autograde.grader.sandbox.limits import NO_GPU
from autograde.layout import PACKAGE

SCRATCH = "/autograde-scratch"  # a name that no course lies below
USER = 1000  # who the student's code is in there
NOBODY = 65534  # whom root becomes outside; the kernel does not count what root starts
SYSTEM = (  # libraries, fonts and time zones; /usr as a whole has an nbgrader exchange in it, and other people's programs
    "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libx32", "/lib", "/lib32", "/lib64", "/nix/store", "/usr/share/fonts",
    "/usr/share/fontconfig", "/usr/share/zoneinfo", "/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime", "/etc/fonts",
)  # fmt: skip
OF_A_PREFIX = ("bin", "lib", "lib32", "lib64", "include", "pyvenv.cfg", "share/fonts", "share/zoneinfo", "share/matplotlib", "ssl")
DEVICES = ("null", "zero", "full", "random", "urandom")
TEMPORARY = ("/tmp", "/dev/shm")  # other names of the scratch folder
FLAGS = syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC
FILES = {
    "/etc/passwd": f"student:x:{USER}:{USER}:student:{SCRATCH}:/bin/false\n",
    "/etc/group": f"student:x:{USER}:\n",
    "/etc/hosts": "127.0.0.1 localhost\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
_ABOVE = "/tmp"  # where the new tree is put together; in a mount namespace of our own, so nobody else sees it


class RootFs:
    """What may be read: Python, the system's libraries, and the course's `utils` and `data`; nothing else of the course."""

    def __init__(self, root: Path, hidden: tuple[str, ...] = ()) -> None:
        self.root = root
        self.readable = [*_python(str(root)), *SYSTEM, str(root / "utils"), str(root / "data")]
        package = str(PACKAGE)  # with the hidden tests in it, wherever it is installed
        self.hidden = [str(root), package, *hidden]
        self.plan = self._plan()
        self.links = _links(self.readable)

    @functools.cache  # noqa: B019 - there is one for each fork server
    def hiding(self, paths: tuple[str, ...]) -> RootFs:
        """The same with more that may not be read."""
        return RootFs(self.root, (*self.hidden, *paths)) if paths else self

    def _plan(self) -> list[tuple[str, bool]]:
        """Paths from the top down and whether they are shown: hidden ones only where something shown covers them."""
        shown = {os.path.realpath(p): True for p in self.readable if os.path.exists(p)}
        wanted = {**{os.path.realpath(p): False for p in self.hidden}, **shown}
        steps: list[tuple[str, bool]] = []
        for path, visible in sorted(wanted.items(), key=lambda item: item[0].count("/")):
            above = [v for p, v in steps if path.startswith(p.rstrip("/") + "/")]
            if path != "/" and visible != (above[-1] if above else False):
                steps.append((path, visible))
        return steps

    def allowed(self) -> list[str]:
        """The same as a list of what may be read, for Landlock, which cannot take away a part of what it gave."""
        hidden = [p for p, visible in self.plan if not visible]
        return [*(q for p, visible in self.plan if visible for q in _without(p, hidden)), "/dev/null", "/dev/urandom", "/dev/zero"]

    def build(self, disk_bytes: int, disk_files: int) -> None:
        """Enter the namespaces and the new tree, as nobody. Raises OSError where the machine does not let us."""
        syscalls.unshare(syscalls.CLONE_NEWNS | syscalls.CLONE_NEWNET | syscalls.CLONE_NEWIPC | syscalls.CLONE_NEWUTS)
        syscalls.sethostname("sandbox")
        syscalls.mount("none", "/", "", syscalls.MS_REC | syscalls.MS_PRIVATE)
        trees = [(p, syscalls.detached_tree(p) if visible else None) for p, visible in self.plan]
        devices = [(f"/dev/{name}", syscalls.detached_tree(f"/dev/{name}", device=True)) for name in DEVICES]
        old_proc = os.open("/proc", os.O_PATH | os.O_CLOEXEC)
        os.umask(0o022)
        syscalls.mount("tmpfs", _ABOVE, "tmpfs", syscalls.MS_NOSUID | syscalls.MS_NODEV, "mode=0755,size=4m,nr_inodes=2048")
        self._make_scratch(disk_bytes, disk_files)
        for path, tree in trees:
            _show(path, tree) if tree is not None else _hide(path)
        for path, device in devices:
            _show(path, device, folder=False)
        self._furnish()
        syscalls.change_root(_ABOVE)
        syscalls.read_only(-100, "/")
        _become_nobody(old_proc)
        os.close(old_proc)
        _settle()

    def _make_scratch(self, disk_bytes: int, disk_files: int) -> None:
        """The scratch folder, by its names. Where the course or its Python is reached through one of them, that is a folder on the same
        disk: what is shown in it needs a place, and a link would lead out of the new tree while it is put together."""
        os.makedirs(_ABOVE + SCRATCH)
        syscalls.mount("tmpfs", _ABOVE + SCRATCH, "tmpfs", FLAGS, f"mode=1777,size={disk_bytes},nr_inodes={disk_files}")
        disk = syscalls.detached_tree(_folder(SCRATCH + SCRATCH), as_it_is=True)
        inside = [*(path for path, _ in self.plan), *(link for link, _ in self.links)]
        for name in TEMPORARY:
            os.makedirs(os.path.dirname(_ABOVE + name), exist_ok=True)
            if any(path.startswith(name + "/") for path in inside):
                os.mkdir(_ABOVE + name)
                syscalls.attach(syscalls.detached_tree(_folder(SCRATCH + name), as_it_is=True), _ABOVE + name)
            else:
                os.symlink(SCRATCH, _ABOVE + name)
        syscalls.attach(disk, _ABOVE + SCRATCH)  # over the whole disk

    def _furnish(self) -> None:
        """What is not shown but made: an empty home, a few lines in /etc, /proc of our own processes, which says how soon each of them ends
        when memory is short and is theirs to write, unless nobody may."""
        for name in ("/proc", "/etc"):
            os.makedirs(_ABOVE + name, exist_ok=True)
        with contextlib.suppress(OSError):  # where /proc is masked (in a container) there is none
            syscalls.mount("proc", _ABOVE + "/proc", "proc", FLAGS | syscalls.MS_RDONLY, "subset=pid")
        for path, text in FILES.items():
            Path(_ABOVE + path).write_text(text)
        for link, target in self.links:
            os.makedirs(os.path.dirname(_ABOVE + link), exist_ok=True)
            with contextlib.suppress(FileExistsError):
                os.symlink(target, _ABOVE + link)


def _folder(path: str) -> str:
    """Make a folder of the new tree in which everybody may write."""
    os.makedirs(_ABOVE + path)
    os.chmod(_ABOVE + path, 0o1777)
    return _ABOVE + path


def _python(root: str) -> list[str]:
    """Where Python and its packages are; other folders on the path may hold anything."""
    inside = (os.path.join(root, "utils"), root)
    packages = [p for p in sys.path if os.path.basename(p.rstrip("/")) in ("site-packages", "dist-packages")]
    prefixes = [p for p in (sys.prefix, sys.base_prefix, sys.exec_prefix) if p not in inside]
    return [*(os.path.join(prefix, name) for prefix in dict.fromkeys(prefixes) for name in OF_A_PREFIX), *packages]


def _links(paths: list[str]) -> list[tuple[str, str]]:
    """Paths that reach what they name by a link: /lib is one to /usr/lib, a prefix may go through one. What lies below such a path is
    reached by it, and could not be made there: the link leads out of the new tree while it is put together."""
    links = {p: os.path.realpath(p) for p in paths if os.path.exists(p) and os.path.realpath(p) != p}
    return [(p, target) for p, target in links.items() if not any(p.startswith(other + "/") for other in links)]


def _show(path: str, tree: int, folder: bool | None = None) -> None:
    target = _ABOVE + path
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.isdir(f"/proc/self/fd/{tree}") if folder is None else folder:
        os.makedirs(target, exist_ok=True)
    elif not os.path.exists(target):
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    syscalls.attach(tree, target)


def _hide(path: str) -> None:
    if os.path.isdir(_ABOVE + path):
        syscalls.mount("tmpfs", _ABOVE + path, "tmpfs", syscalls.MS_NOSUID | syscalls.MS_NODEV, "mode=0755,size=1m,nr_inodes=256")
    elif os.path.exists(_ABOVE + path):
        syscalls.attach(syscalls.detached_tree("/dev/null", device=True), _ABOVE + path)


def _become_nobody(proc: int) -> None:
    """A user that owns nothing, in a user namespace that has no way back and allows no other."""
    uid, gid = os.geteuid(), os.getegid()
    if uid == 0:
        os.setgroups([])
        uid, gid = NOBODY, NOBODY
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
        syscalls.prctl(syscalls.PR_SET_DUMPABLE, 1)  # else /proc/self is root's
    syscalls.unshare(syscalls.CLONE_NEWUSER)
    syscalls.map_ids(USER, uid, gid, proc)
    with contextlib.suppress(OSError):  # where this is not ours to write, the system call filter does it
        _write(proc, "sys/user/max_user_namespaces", "0")


def _write(folder: int, name: str, text: str) -> None:
    descriptor = os.open(name, os.O_WRONLY, dir_fd=folder)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _settle() -> None:
    os.chdir(SCRATCH)
    tempfile.tempdir = None  # what it has found out already is of before
    os.environ.clear()
    os.environ.update(HOME=SCRATCH, TMPDIR=SCRATCH, PATH="/usr/bin:/bin", LANG="C.UTF-8", MPLBACKEND="Agg", OMP_NUM_THREADS="1")
    os.environ.update(NO_GPU)


def _without(path: str, hidden: list[str]) -> list[str]:
    """`path`, or what is in it where something in it is hidden."""
    if path in hidden:
        return []
    if not any(h.startswith(path.rstrip("/") + "/") for h in hidden):
        return [path]
    with contextlib.suppress(OSError):
        return [q for name in sorted(os.listdir(path)) for q in _without(os.path.join(path, name), hidden)]
    return []
