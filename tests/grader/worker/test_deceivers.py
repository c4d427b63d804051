"""Results and messages made to deceive, in a worker that is hostile: they cost the one who made them only."""

import gc
import resource

import pytest
import torch

from autograde.checking import expect
from autograde.checking.errors import (
    AutogradeError,
    CheckFailed,
    ProtocolError,
    StudentDied,
    StudentError,
    StudentTimeout,
)
from autograde.grader.rpc.proxies import RemoteObject
from autograde.grader.sandbox.limits import bounded_memory


def deceive(make, source, call="f", **limits):
    return getattr(make(source, **limits).student(), call)()


def test_objects_that_equal_everything_are_only_handles(make):
    got = deceive(make, """
    class Yes:
        def __eq__(self, other): return True
        def __array__(self, *a, **k): raise SystemExit
        def __torch_function__(self, *a, **k): return True
        def __bool__(self): return True
        def __repr__(self): raise SystemExit
        def __hash__(self): return 0
        def __len__(self): return 10**30
        def __iter__(self): return self
        def __class__(self): return int
    def f(): return Yes()
    """)  # fmt: skip
    assert type(got) is RemoteObject and got != 3 and (got == torch.ones(1)) is False
    with pytest.raises(AutogradeError):
        len(got)
    assert "Yes" in repr(got)
    with pytest.raises(CheckFailed, match="here: expected a torch.Tensor, got a Yes$") as told:
        expect.close(got, torch.ones(2), where="here")
    assert expect.show(got) == "a Yes" and told.value.detail == ""
    lazy = deceive(make, "def f(): return (x for x in 'ab')")
    assert expect.show(lazy) == expect.show(x for x in "ab") == "a generator, which gives its values one by one"


@pytest.mark.parametrize("value", [
    "torch.zeros(1).expand(10**12)", "[0] * 3_000_000", "'x' * 10**8", "(r := [], r.append(r))[0]",
    "functools.reduce(lambda a, _: [a], range(5000), 0)",
    "np.zeros(10**8, np.int8)", "{i: i for i in range(2_500_000)}", "10 ** 10 ** 6",
])  # fmt: skip
def test_giants_and_cycles_are_the_students_error(make, value):
    with pytest.raises((StudentError, StudentTimeout)):
        deceive(make, f"import torch, functools, numpy as np\ndef f(): return {value}")


def test_a_million_dimensions_cannot_be(make):
    assert deceive(make, "import torch\ndef f(): return torch.zeros([1] * 64)").ndim == 64


def test_tensor_subclasses_come_back_plain(make):
    got = deceive(make, """
    import torch
    class Sly(torch.Tensor):
        def __eq__(self, other): return torch.tensor(True)
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None): return torch.tensor(True)
    def f(): return torch.zeros(2).as_subclass(Sly), torch.nn.Parameter(torch.ones(1))
    """)  # fmt: skip
    assert [type(t) for t in got] == [torch.Tensor, torch.Tensor] and torch.equal(got[0], torch.zeros(2))


def test_exceptions_made_to_deceive(make):
    source = """
    import sys
    class Skipped(Exception): pass
    class StopIteration(Exception): pass
    class Evil(ValueError):
        def __str__(self): raise SystemExit
    class Long(RuntimeError): pass
    def f(kind):
        if kind == "skip": raise Skipped("skip me")
        if kind == "stop": raise StopIteration
        if kind == "evil": raise Evil("x")
        if kind == "long": raise Long("\\x1b[31m" + "x" * 10**7)
        if kind == "exit": sys.exit(0)
        if kind == "interrupt": raise KeyboardInterrupt
        if kind == "generator": raise GeneratorExit
        raise BaseException("base")
    """
    student = make(source).student()
    for kind in ("skip", "stop", "evil", "long", "exit", "interrupt", "generator", "base"):
        with pytest.raises(StudentError) as caught:
            student.f(kind)
        assert len(str(caught.value)) <= 500 and "\x1b" not in str(caught.value)
        assert isinstance(caught.value, ValueError) == (kind == "evil")


FORGE = """
import gc, json, os, socket, struct
def channel():
    return next(fd for fd in range(3, 300) if os.path.exists(f"/proc/self/fd/{fd}") and "socket" in os.readlink(f"/proc/self/fd/{fd}"))
def framed(data, extra=b""): return struct.pack(">QQ", len(data), len(extra)) + data + extra
def message(node, extra=b""):
    return framed(body(node), extra)
def body(node):
    text = json.dumps({"v": node, "b": []}).encode()
    body = b"AGv1" + struct.pack(">Q", len(text)) + text
    return body + bytes(-len(body) % 16)
def raw(data):
    os.write(channel(), data)
    while True: pass
def text(data): raw(framed(data))
def giant(): raw(struct.pack(">QQ", 1 << 60, 1 << 60))
def half(): raw(struct.pack(">QQ", 1000, 0) + b"half")
def garbage(): raw(framed(b"garbage" * 10))
def wrong(): raw(message(["t", ["result"]]))
def unasked(): raw(message(["t", ["result", ["t", [10**6, 42]]]]))
def states(): raw(message(["t", ["result", ["t", [1, None]]]], body(["d", [0, 1]])))
def question(): raw(message(["t", ["question", ["t", ["call", -1, ["t", []], ["d", []]]]]]))
def system(): raw(message(["t", ["question", ["t", ["call", 0, ["t", ["id"]], ["d", []]]]]]))
def endless():
    while True: os.write(channel(), message(["t", ["question", ["t", ["call", 0, ["t", []], ["d", []]]]]]))
def ahead(number):
    os.write(channel(), message(["t", ["result", ["t", [number, 42]]]]))
    return 43
def honest(): return 1
"""


@pytest.mark.parametrize("name", ["giant", "half", "garbage", "wrong", "unasked", "states", "question", "system", "endless"])
def test_forged_messages_cost_the_forger_only(make, name):
    student = make(FORGE, request_seconds=1).student()
    with pytest.raises((ProtocolError, StudentTimeout, StudentDied)), student.test(1):
        getattr(student, name)()
    with student.test():
        assert student.honest() == 1


@pytest.mark.parametrize(("left", "following"), [(624, 624), (624, 2), (2, 624), (1, 1), (0, 625), (-1, 626), (1, 625), (624, 1 << 32)])
def test_a_generator_cannot_be_made_to_read_past_its_numbers(make, left, following):
    """PyTorch takes some of these states, and draws then from what lies behind the generator in the memory of the trusted side."""
    source = """
    import struct, torch
    def draw(generator, left, following):
        state = bytearray(generator.get_state().numpy().tobytes())
        struct.pack_into("=QiiQ", state, 0, 1, left, 1, following)
        try: generator.set_state(torch.frombuffer(state, dtype=torch.uint8))
        except RuntimeError: return "refused"
    """
    session, generator = make(source), torch.Generator().manual_seed(0)
    before = generator.get_state()
    with session.test():
        try:
            assert session.student().draw(generator, left, following) == "refused"
        except ProtocolError as error:
            assert "no generator" in str(error)
    assert torch.equal(generator.get_state(), before)


@pytest.mark.slow
def test_a_thousand_cells_that_kill_start_no_thousand_processes(make, server, monkeypatch):
    started = []
    spawn = server.spawn
    monkeypatch.setattr(server, "spawn", lambda *given: started.append(1) or spawn(*given))
    fatal = [f"def own{i}(): pass\nimport os; os._exit(0)" for i in range(1000)]
    session = make(*fatal, "def f(): return 1", cells_seconds=5)
    assert len(started) <= 12 and session.results["cell1000"].status == "left_out"


def test_a_few_cells_that_kill_cost_the_others_nothing(make):
    session = make(*["import os; os._exit(0)"] * 5, "def f(): return 1")
    assert session.student().f() == 1


def test_an_answer_sent_ahead_answers_nothing_else(make):
    """It is one more way to return a wrong number; the question after it finds the disorder and ends it."""
    session = make(FORGE, request_seconds=1)
    student, ahead = session.student(), session.student().ahead
    assert ahead(session.worker.number + 1) == 42
    with pytest.raises(ProtocolError, match="not the answer"):
        student.honest()
    with student.test():
        assert student.honest() == 1


def test_frames_and_objects_of_the_worker_hold_no_oracle(make):
    source = """
    import gc, sys
    def f():
        names = sorted(m for m in sys.modules if m.startswith(("pytest", "_pytest", "autograde", "tests")))
        frame, files = sys._getframe(), set()
        while frame:
            files.add(frame.f_code.co_filename.rsplit("/", 1)[-1])
            frame = frame.f_back
        gc.unfreeze()
        secret = ("autograde.lessons", "autograde.checking.runner")
        code = [o.__name__ for o in gc.get_objects() if callable(o) and str(getattr(o, "__module__", None)).startswith(secret)]
        return names, sorted(files), code
    """
    names, files, code = make(source).student().f()
    assert not any(n.startswith(("pytest", "_pytest", "tests")) or (n.startswith("autograde") and n != "autograde") for n in names)
    assert code == [] and set(files) <= {"cell0>", "<cell cell0>", "process.py", "preloaded.py", "forking.py", "<string>"}


def test_the_channel_is_the_only_descriptor(make):
    source = """
    import os
    def f():
        return {int(fd): os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if os.path.lexists(f"/proc/self/fd/{fd}")}
    """
    session = make(source)
    if session.level != "namespaces":
        pytest.skip("no /proc to look at")
    found = session.student().f()
    assert {fd: to for fd, to in found.items() if fd < 3} == {0: "/dev/null", 1: "/dev/null", 2: "/dev/null"}
    assert sum("socket" in to for to in found.values()) == 1
    assert all("socket" in to or to == "/dev/null" or to.startswith("/proc") for to in found.values()), found


def test_the_same_submission_gives_the_same_numbers(make):
    source = """
    import torch, random, numpy as np
    def f(): return torch.rand(2), random.random(), np.random.rand(), list({"a", "b", "c", "d"}), hash("x")
    """
    first = make(source).student().f()
    second = make(source).student().f()
    assert torch.equal(first[0], second[0]) and first[1:] == second[1:]


def test_handles_that_are_dropped_are_forgotten(make):
    session = make("class A: pass\nimport gc\ndef count(): return sum(type(o).__name__ == 'A' for o in gc.get_objects())")
    student = session.student()
    kept = [student.A() for _ in range(50)]
    assert student.count() == 50
    del kept
    gc.collect()
    student.count()
    assert student.count() == 0


def test_what_a_check_is_told_has_an_end(make):
    source = """
    import torch
    big = torch.zeros(200_000)
    def f(): return big
    """
    session = make(source, message_bytes=2 << 20)
    for _ in range(2):
        kept = []
        with pytest.raises(ProtocolError, match="too large together"), session.test():
            while True:
                kept.append(session.student().f())
        assert len(kept) == 5


def test_the_memory_of_the_trusted_side_has_an_end():
    limit = resource.getrlimit(resource.RLIMIT_AS)
    with bounded_memory(256 << 20):
        with pytest.raises((MemoryError, RuntimeError)):
            torch.ones(1 << 30)
        assert torch.ones(1 << 20).sum() == 1 << 20
    assert resource.getrlimit(resource.RLIMIT_AS) == limit


def test_notes_of_a_worker_that_lies_are_few_and_short(make):
    lies = "['x' * 10_000] * 3 + [7, ['y']] + list(map(str, range(1000)))"
    notes = make(f"import gc\nfor o in gc.get_objects():\n    if type(o).__name__ == 'Cells': o.notes = {lies}").notes()
    assert 10 < len(notes) <= 20 and max(map(len, notes)) <= 200 and all(type(note) is str for note in notes)
