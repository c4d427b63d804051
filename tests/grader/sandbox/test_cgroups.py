"""A control group for each worker where the machine gives us some; nothing at all where it does not."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from autograde.grader.sandbox import cgroups
from autograde.grader.sandbox.cgroups import Groups, join, prepare, remove
from autograde.grader.sandbox.limits import Limits
from autograde.grader.sandbox.modes import Level
from autograde.grader.sandbox.probe import Support
from autograde.grader.sandbox.promises import promises


@pytest.fixture
def machine(tmp_path):
    """machine(controllers) → a folder that stands for /proc, and one for this process's group in a tree of such groups."""

    def make(controllers, name="/user.slice/run.scope"):
        proc, tree = tmp_path / "proc", tmp_path / "tree"
        own = tree / name.lstrip("/")
        (proc / "self").mkdir(parents=True)
        own.mkdir(parents=True)
        (proc / "self/cgroup").write_text(f"4:memory:/elsewhere\n0::{name}\n")
        (proc / "self/mountinfo").write_text(f"30 1 0:26 / {tree} rw,nosuid - cgroup2 cgroup2 rw\n")
        for folder in {own, own.parent} - {tree.parent}:
            (folder / "cgroup.procs").write_text("")
        (own / "cgroup.controllers").write_text(controllers)
        return proc, own

    return make


@pytest.fixture
def given(monkeypatch):
    """systemd has written on it that it is ours."""
    monkeypatch.setattr(os, "getxattr", lambda path, name: b"1", raising=False)


def test_a_group_has_the_limits_of_a_submission(machine, given):
    proc, own = machine("cpuset cpu io memory pids")
    groups = prepare(proc)
    assert groups.controllers == ("memory", "pids", "cpu")
    assert (own / "cgroup.subtree_control").read_text() == "+memory +pids +cpu"
    group = groups.make(Limits(memory_bytes=1 << 30, disk_bytes=1 << 20, tasks=7))
    told = {path.name: path.read_text() for path in group.iterdir()}
    assert told == {
        "memory.max": str((1 << 30) + (1 << 20)),
        "memory.swap.max": "0",
        "memory.oom.group": "1",
        "pids.max": "7",
        "cpu.max": "100000 100000",
    }
    assert groups.make(Limits()) != group and group.parent == own


def test_only_what_there_is_is_limited(machine, given):
    proc, _ = machine("pids hugetlb")
    groups = prepare(proc)
    assert groups.controllers == ("pids",) and [path.name for path in groups.make(Limits()).iterdir()] == ["pids.max"]


def test_processes_in_the_way_go_beside(machine, given, monkeypatch):
    """The kernel divides no group that has processes."""
    proc, own = machine("memory")
    (own / "cgroup.procs").write_text("12\n34\n")
    write = cgroups._write

    def as_the_kernel(path, text):
        if path.name == "cgroup.subtree_control" and (own / "cgroup.procs").read_text():
            return False
        if path == own / "autograde-grader/cgroup.procs":
            (own / "cgroup.procs").write_text((own / "cgroup.procs").read_text().replace(f"{text}\n", ""))
        return write(path, text)

    monkeypatch.setattr(cgroups, "_write", as_the_kernel)
    assert prepare(proc).controllers == ("memory",)
    assert (own / "autograde-grader/cgroup.procs").read_text() == "34"


def test_the_next_command_of_the_same_shell_has_groups_too(machine, monkeypatch):
    """The one before has put the shell beside; what it has left, being killed, goes."""
    proc, own = machine("memory pids", "/user.slice/run.scope/autograde-grader")
    scope = own.parent
    monkeypatch.setattr(os, "getxattr", lambda path, name: b"1" if path == scope else b"0", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    (scope / "cgroup.controllers").write_text("memory pids")
    left = scope / "autograde-77-0"
    left.mkdir()
    groups = prepare(proc)
    assert groups.folder == scope and groups.controllers == ("memory", "pids") and not left.exists()
    assert groups.make(Limits()).parent == scope and not (own / "autograde-grader").exists()


@pytest.mark.parametrize(
    "damage", ["no version 2", "no mount", "not writable", "no controllers", "not given", "cannot be divided", "no proc"]
)
def test_there_is_none_where_it_is_not_ours(machine, monkeypatch, damage):
    proc, own = machine("" if damage == "no controllers" else "memory")
    monkeypatch.setattr(os, "getxattr", lambda path, name: b"0" if damage == "not given" else b"1", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    if damage == "no version 2":
        (proc / "self/cgroup").write_text("4:memory:/elsewhere\n")
    elif damage == "no mount":
        (proc / "self/mountinfo").write_text("30 1 0:26 / /proc rw - proc proc rw\n")
    elif damage == "not writable":
        monkeypatch.setattr(os, "access", lambda path, mode: False)
    elif damage == "cannot be divided":
        (own / "cgroup.subtree_control").mkdir()
    elif damage == "no proc":
        proc /= "none"
    groups = prepare(proc)
    assert groups.controllers == () and groups.make(Limits()) is None


def test_none_is_no_fault():
    join(None)
    remove(None)
    join(Path("/nowhere/at/all"))
    remove(Path("/nowhere/at/all"))


def own_group():
    """This process's own group of version 2, where more can be made."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cgroups, "_is_ours", lambda group: True)
        try:
            own = cgroups._own(Path("/proc"))
        except (OSError, StopIteration):
            return None
    return own if own is not None and os.access(own, os.W_OK) else None


@pytest.mark.skipif(own_group() is None, reason="no group of version 2 that can be written to")
def test_a_real_one_ends_with_all_that_is_in_it():
    group = Groups(own_group()).make(Limits())
    process = subprocess.Popen(["sleep", "60"], preexec_fn=lambda: join(group))
    try:
        assert (group / "cgroup.procs").read_text().split() == [str(process.pid)]
        remove(group)
        assert process.wait(10) == -9
        deadline = time.monotonic() + 5
        while group.exists() and time.monotonic() < deadline:
            remove(group)
        assert not group.exists()
    finally:
        process.kill()
        remove(group)


def test_doctor_says_what_it_has():
    bare, grouped = (
        {p.what: (p.kept, p.why) for p in promises(Support(Level.LIMITS, "", {}, 0, False, (), groups))}
        for groups in ((), ("memory", "cpu"))
    )
    assert not bare["has one memory limit for all it starts"][0] and "keeps no more than one processor busy" not in bare
    assert grouped["has one memory limit for all it starts"] == (True, "by a control group")
    assert grouped["keeps no more than one processor busy"] == (True, "by a control group")
