"""Sessions: cells, calls, handles, callbacks, gradients, deadlines, and what a hostile worker can and cannot do."""

import gc
import itertools
import os
import resource
import socket
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest
import torch

from autograde.checking import expect
from autograde.checking.errors import (
    AutogradeError,
    CheckFailed,
    MissingName,
    NotWritten,
    ProtocolError,
    StudentDied,
    StudentError,
    StudentTimeout,
)
from autograde.checking.student import LocalStudent
from autograde.grader.ingest.cells.own_cells import Kept
from autograde.grader.ingest.formats.cell_facts import facts
from autograde.grader.rpc import deadline
from autograde.grader.rpc.connection import Connection
from autograde.grader.rpc.deadline import LOOK_AGAIN
from autograde.grader.rpc.proxies import RemoteObject
from autograde.grader.run.session import Session
from autograde.grader.run.timeouts import Clock
from autograde.grader.sandbox.limits import Limits, bounded_memory
from utils.mdp import TabularMDP

LESSON = textwrap.dedent("""
    import math
    import torch
    from torch import Tensor, nn
    from jaxtyping import Float
    from dataclasses import dataclass

    @dataclass
    class Config:
        width: int = 3

    class Model(nn.Module):
        def __init__(self, config):
            super().__init__()
            self.config, self.linear = config, nn.Linear(config.width, 2)
        def forward(self, x, scale=1.0):
            return self.linear(x) * scale, None

    class Cache:
        def __init__(self): self.items = []
        def append(self, x):
            self.items.append(x)
            return self
        @property
        def length(self): return len(self.items)
        def __len__(self): return len(self.items)
        def __getitem__(self, i): return self.items[i]
        def __contains__(self, x): return x in self.items

    CONSTANT = 7
    def scores(q: Float[Tensor, "*batch T d"], k) -> Tensor: return q @ k.mT / math.sqrt(q.shape[-1])
    def draw(n, generator): return torch.rand(n, generator=generator)
    def lazy(items):
        for item in items:
            yield item * 2
    def apply(f, *args, **kwargs): return f(*args, **kwargs)
    def same(x): return x
    def spoil(x, y): x.zero_(); y.append(1)
    def todo(x): raise NotImplementedError
    def bad(d): raise ValueError(f"d_model must be even, got {d}")
    def odd():
        class Odd(KeyError): pass
        raise Odd("what")
    def two(x, y): return x * y, (x + y).sum()
    def cut(x): return x.detach() * 2
    def meta(x): return torch.zeros(2, device=x.device) + x
    def steps(mdp, generator): return mdp.step(0, 0, generator), mdp
    def gen(): return torch.Generator().manual_seed(3)
""")


@pytest.fixture(scope="module")
def session(server):
    from autograde.grader.run.session import Session

    with Session([("lesson", LESSON)], server=server) as session:
        yield session


@pytest.fixture(params=["kernel", "grader"])
def student(request, session):
    """The same tests on both students: a check cannot tell which it has."""
    if request.param == "grader":
        if not session.alive:
            session.start()
        return session.student()
    space = {"__name__": "kernel"}
    exec("import sys, types; sys.modules['kernel'] = types.ModuleType('kernel')", {})
    exec(LESSON, space)
    return LocalStudent(space)


def test_values_go_and_come(student):
    q, k = expect.randn(2, 5, 16, seed=1), expect.randn(2, 7, 16, seed=2)
    expect.close(student.scores(q, k), q @ k.mT / 4, where="q and k")
    assert student.scores(q.double(), k.double()).dtype == torch.float64
    assert student.scores(q.to("meta"), k.to("meta")).shape == (2, 5, 7)
    assert student.CONSTANT == 7
    value = {"a": [1, (2.5, None)], 3: {b"x"}, "n": np.float32(1)}
    assert student.same(value) == value


def test_objects_stay_and_are_used_through_handles(student):
    model = student.Model(student.Config(width=4))
    weights = {"linear.weight": torch.ones(2, 4), "linear.bias": torch.zeros(2)}
    model.load_state_dict(weights)
    output, loss = model(torch.ones(3, 4), scale=2.0)
    assert torch.equal(output, torch.full((3, 2), 8.0)) and loss is None
    assert model.config.width == 4 and set(model.state_dict()) == set(weights)
    assert model.training is True and model.eval().training is False
    cache = student.Cache()
    assert cache.length == 0 and len(cache.append(3).append(4)) == 2 and cache[1] == 4 and 3 in cache and 5 not in cache
    assert student.same(cache).length == 2
    assert [x for x in cache] == [3, 4]
    assert student.apply(student.scores, torch.ones(1, 4), torch.ones(1, 4)) == 2


def test_functions_and_iterators_are_called_back(student):
    assert student.apply(lambda x, y=1: x + y, 2, y=3) == 5
    asked = []

    def source():
        for i in itertools.count():
            asked.append(i)
            yield i

    lazy = student.lazy(source())
    assert [next(lazy) for _ in range(3)] == [0, 2, 4] and asked == [0, 1, 2]
    assert student.apply(lambda t: t.sum(), torch.ones(3)) == 3
    assert student.apply(lambda f: student.apply(f, 4), lambda x: x * x) == 16  # each side waits for the other


def test_what_a_callback_raises_comes_out_as_it_was(student):
    class Mine(Exception):
        pass

    def fails():
        raise Mine("from the test")

    def disappointed():
        raise CheckFailed("called too often")

    with pytest.raises(Mine, match="from the test"):
        student.apply(fails)
    with pytest.raises(CheckFailed, match="too often"):
        student.apply(disappointed)


def test_generators_move_on_and_come_back(student):
    g, reference = torch.Generator().manual_seed(5), torch.Generator().manual_seed(5)
    for n in (3, 1, 4):
        assert torch.equal(student.draw(n, generator=g), torch.rand(n, generator=reference))
    assert student.apply(lambda h: torch.rand(1, generator=h), g) == torch.rand(1, generator=reference)
    assert torch.equal(g.get_state(), reference.get_state())
    mdp = TabularMDP(torch.ones(1, 1, 1), torch.ones(1, 1) * 2, torch.tensor([True]), torch.ones(1))
    outcome, same = student.steps(mdp, g)
    assert outcome == (0, 2.0, True) and isinstance(same, TabularMDP)


def test_gradients_are_pulled_back_where_the_code_runs(student):
    x, y = expect.randn(3, seed=1), expect.randn(3, seed=2)
    (product, total), grads = student.pullback(student.two, (x, y), (torch.ones(3), None))
    assert torch.equal(grads[0], y) and torch.equal(grads[1], x) and not product.requires_grad
    expect.gradients(
        student, student.scores, (expect.randn(2, 4, seed=1), expect.randn(3, 4, seed=2)), lambda q, k: q @ k.mT / 2, where="q, k"
    )
    assert student.pullback(student.cut, (x,), torch.ones(3))[1] == (None,)
    model = student.Model(student.Config())
    grads = student.parameter_gradients(model, (torch.ones(1, 3),), (torch.ones(1, 2), None))
    assert torch.equal(grads["linear.bias"], torch.ones(2))


def test_arguments_after_the_call(student):
    x, y = torch.ones(2), [5]
    after = student.arguments_after(student.spoil, x, y)
    assert torch.equal(after[0], torch.zeros(2)) and after[1] == [5, 1] and torch.equal(x, torch.ones(2)) and y == [5]


def test_the_largest_tensor_of_a_call(student):
    """The scores, 2 × 3, not the arguments; what is only a view makes no tensor."""
    assert student.largest_tensor(student.scores, torch.ones(2, 40), torch.ones(3, 40)) == 6


def test_library_objects(student):
    reference = student.new("torch.nn.Linear", 3, 4, bias=False)
    assert reference(torch.zeros(2, 3)).shape == (2, 4) and set(reference.state_dict()) == {"weight"}


def test_errors_are_what_they_would_be_here(student):
    expect.raises(ValueError, student.bad, 3, naming="d_model", where="an odd width")
    with pytest.raises(KeyError):
        student.odd()
    with pytest.raises(NotImplementedError):
        student.todo(1)
    with pytest.raises(MissingName, match="nothing_of_the_kind"):
        student.nothing_of_the_kind(1)
    with pytest.raises(TypeError, match="positional"):
        student.scores(1)


def test_an_error_tells_the_students_own_line(session):
    with pytest.raises(ValueError) as caught:
        session.student().bad(3)
    error = caught.value
    assert isinstance(error, StudentError) and error.type_name == "ValueError" and str(error) == "d_model must be even, got 3"
    assert error.line.endswith('def bad(d): raise ValueError(f"d_model must be even, got {d}")') and "site-packages" not in error.traceback
    with pytest.raises(NotWritten):
        session.student().todo(1)


def test_a_check_of_the_device_passes_and_fails_as_in_the_kernel(student):
    expect.follows_device(student.meta, torch.ones(2))
    expect.follows_device(student.scores, torch.ones(2, 3), torch.ones(4, 3))


# --- cells


def test_each_cell_fails_for_itself(make):
    session = make(
        "%matplotlib inline\n!rm -rf /\n%%bogus\nx = 1",
        "import nothing_like_it",
        "def f(:\n  pass",
        "%%time\ndef g(): return 2",
        "from autograde.notebook import open_lesson\nlesson = open_lesson('3', globals())\nlesson.check(1)\nlesson.scoreboard()",
        "import asyncio\nz = await asyncio.sleep(0, 5)\nget_ipython().run_line_magic('pip', 'x')\nfiles = !ls\nprint?",
        "def h(): return z\n1 / 0\ndef never(): pass",
        "raise SystemExit(3)",
        "assert input() == ''",
        "import inspect, dataclasses\n@dataclasses.dataclass\nclass D:\n    x: int = 1\ndef k(): pass\ninspect.getsource(k)",
        "display(1); display(D())",
        "from autograde import expect\nimport autograde.checking.runner\nexpect.close(1, 2)",
    )
    status = [r.status for r in session.results.values()]
    assert status == ["ok", "error", "error", "ok", "ok", "ok", "error", "error", "error", "ok", "ok", "ok"], session.results
    student = session.student()
    assert student.g() == 2 and student.h() == 5 and student.has("h") and not student.has("never")
    assert "invalid syntax" in session.results["cell2"].message and session.results["cell2"].line.startswith("line 1:")
    assert session.results["cell6"].line == "line 2: 1 / 0" and "ModuleNotFoundError" in session.results["cell1"].message
    assert "SystemExit" in session.results["cell7"].message and "EOFError" in session.results["cell8"].message
    with pytest.raises(MissingName, match="its cell failed: SyntaxError"):
        student.f()


def test_a_cell_that_hangs_or_dies_costs_itself_only(make):
    session = make(
        "def a(): return 1", "while True: pass", "import os; os._exit(3)", "def b(): return 2",
        "def slow():\n    while True: pass", cell_seconds=0.3
    )  # fmt: skip
    assert [r.status for r in session.results.values()] == ["ok", "timeout", "died", "ok", "ok"]
    student = session.student()
    assert student.a() + student.b() == 3
    with pytest.raises(StudentTimeout), student.test(0.2):
        student.slow()
    with pytest.raises(StudentDied):
        student.a()
    with student.test():
        assert student.a() == 1


def test_many_hanging_cells_do_not_take_for_ever(make):
    session = make(*["while True: pass"] * 20, "x = 1", cell_seconds=0.3, cells_seconds=1, wall_factor=60)
    ends = [r.status for r in session.results.values()]
    assert set(ends) == {"timeout", "left_out"} and ends.count("timeout") <= 6, "a second holds few cells of 0.3 s, and one that is begun"


@pytest.mark.parametrize("own", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["their own", "the lesson's"])
def test_experiments_that_take_all_the_time_cost_no_answer(make, own):
    """Those that stand above an answer, and those below it, which were run again each time that one took too long."""
    experiments = [
        f"def helper{i}(): return {i}\nimport time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
        for i in range(8)
    ]
    cells = [*experiments[:4], "import math", "def f(): return math.sqrt(helper7() + 2)", *experiments[4:]]
    keeps = {f"cell{n}": Kept(instead=facts(code).definitions, at_once=facts(code).at_once) for n, code in enumerate(cells)}
    named = {f"cell{n}" for n, code in enumerate(cells) if code in experiments}
    limits = Limits(cells_seconds=1, own_cells_seconds=0.5, own_seconds=0.5, cell_seconds=0.5, wall_factor=60)
    with Session([*zip(keeps, cells)], limits, own=named if own else (), keeps=keeps) as session:
        assert session.student().f() == 3
        assert any("more than" in note and "together" in note for note in session.notes())


def test_objects_of_a_process_that_ended_say_so(make):
    session = make("class A: pass\ndef f(x): return 1")
    before = session.student().A()
    session.start()
    with pytest.raises(StudentDied):
        session.student().f(before)
    with pytest.raises(StudentDied):
        before.anything()


def test_artifacts_are_read_here(make):
    student = make("x = 1", artifacts={"gpt.safetensors": b"weights"}).student()
    assert student.artifact("gpt.safetensors") == b"weights" and student.artifact("other") is None


# --- time


def test_a_test_has_one_deadline_for_all_it_asks(make):
    session = make("import time\ndef f(): time.sleep(0.2)", request_seconds=10)
    student, answered = session.student(), 0
    with pytest.raises(StudentTimeout), student.test(0.5):
        for _ in range(100):
            student.f()
            answered += 1
    assert answered <= 2


def test_a_call_takes_little_of_the_processor_and_so_does_a_new_worker(make):
    """Processor time of this process: what others do on the machine does not count."""
    session = make("import torch\ndef f(x): return x")
    f, x = session.student().f, torch.ones(3)

    def best(action, rounds):
        times = []
        for _ in range(rounds):
            started = time.process_time()
            action()
            times.append(time.process_time() - started)
        return min(times)

    assert best(lambda: f(x), 300) < 0.001
    assert best(session.start, 5) < 0.15


# --- results made to deceive


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


def test_blank_lines_of_a_cell_take_no_time(make):
    """Whether IPython has something to transform is looked for in each of them."""
    session = make("def f(): return 1\n" + " \n" * 100_000, cell_seconds=2)
    assert session.results["cell0"].status == "ok" and session.student().f() == 1


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


def test_many_sessions_at_once(make):
    sessions = [make("def f(x): return x + 1") for _ in range(8)]
    results = {}

    def use(i):
        results[i] = [sessions[i].student().f(j) for j in range(50)]

    threads = [threading.Thread(target=use, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(results[i] == list(range(1, 51)) for i in range(8))


def test_a_connection_to_silence_ends(monkeypatch):
    from autograde.checking.errors import SandboxUnavailable
    from autograde.grader.rpc import connection

    monkeypatch.setattr(connection, "START_SECONDS", 0.1)
    data, theirs = socket.socketpair()
    lifetime, its_lifetime = socket.socketpair()
    its_lifetime.close()
    with pytest.raises(SandboxUnavailable):
        Connection((data, lifetime), 1 << 20)
    theirs.close()


BURN = """
import hashlib, threading, time
def burn(seconds):
    began = time.process_time()
    while time.process_time() - began < seconds: pass
    return 1
def with_threads():
    data = bytes(1 << 22)  # hashing it lets go of the interpreter, so that threads use every processor
    def spin():
        while True: hashlib.sha256(data)
    for _ in range(8): threading.Thread(target=spin, daemon=True).start()
    while True: time.sleep(0.01)
"""


def test_what_others_do_on_the_machine_takes_nothing_from_the_time(make):
    session = make(BURN, request_seconds=1, wall_factor=60)
    with ExitStack() as stack:
        for _ in range(3 * (os.cpu_count() or 1)):
            stack.enter_context(_busy_process())
        assert session.student().burn(0.6) == 1
    assert 0.6 <= 240 - session.clock.left < 1.5


def test_a_load_of_ones_own_buys_no_time(make):
    """Processor time: whatever the machine does beside, this worker has had what it may have, and not much more."""
    session = make(BURN, request_seconds=1, wall_factor=60)
    with pytest.raises(StudentTimeout, match="more than 1 seconds"):
        session.student().with_threads()
    assert 1 <= 240 - session.clock.left < 1 + 4 * LOOK_AGAIN * (os.cpu_count() or 1)


@contextmanager
def _busy_process():
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


class Reported:
    """What a kernel says, told by the test."""

    cpu = delay = 0.0

    def used(self):
        return self.cpu

    def waited(self):
        return self.delay


@pytest.mark.parametrize(
    "gone, cpu, delay, left",
    [
        (1, 1, 0, 1), (1, 0, 0, 1), (1, 0.1, 0.9, 1.9), (1, 3, 0.5, -1), (1, 2, 0.9, 0), (5, 0.1, 4.9, 1), (7, 0, 7, -1),
    ],
)  # fmt: skip
def test_the_seconds_that_count(monkeypatch, gone, cpu, delay, left):
    """Of two, three times as long on the wall: work, sleep, waiting for a processor, work of many threads, and a wait without end."""
    kernel = Reported()
    monkeypatch.setattr(deadline.time, "monotonic", lambda: 100.0)
    end = deadline.Deadline(kernel, 2, 3)
    kernel.cpu, kernel.delay = cpu, delay
    monkeypatch.setattr(deadline.time, "monotonic", lambda: 100.0 + gone)
    assert end.left() == pytest.approx(left)


def test_a_request_within_one_ends_with_it():
    outer = deadline.Deadline(deadline.ProcessTime(0), 0.5, 1)
    assert deadline.Deadline(deadline.ProcessTime(0), 60, 1, outer).left() <= 0.5


def test_an_answer_that_uses_a_pool_of_processes_is_right_too(make):
    source = """
    import multiprocessing
    from multiprocessing import Pool
    from concurrent.futures import ProcessPoolExecutor
    def square(x): return x * x
    def f():
        with Pool(2) as pool, multiprocessing.get_context("fork").Pool(2) as other, ProcessPoolExecutor(2) as executor:
            return pool.map(square, range(4)), other.map(square, range(4)), list(executor.map(square, range(4)))
    """
    assert make(source).student().f() == ([0, 1, 4, 9],) * 3


def test_a_notebook_in_which_everything_hangs_is_soon_done(make):
    session = make("def f():\n    while True: pass", request_seconds=0.4, cells_seconds=10)
    clock, seconds = session.clock, []
    for _ in range(6):
        with pytest.raises(StudentTimeout), session.test():
            seconds.append(clock.request()[0])
            session.student().f()
    assert seconds == [0.4] * 6  # no shorter than the shortest
    clock.limits = type(clock.limits)(request_seconds=10, wall_factor=1)
    assert [clock.request()[0] for clock.timeouts in range(8)] == [10, 10, 10, 10, 5, 2.5, 1.25, 1]


@pytest.mark.slow
def test_cells_are_not_run_again_for_ever(make):
    session = make("import time; time.sleep(0.5)", "def f():\n    import os; os._exit(1)", cells_seconds=1)
    for _ in range(10):
        with pytest.raises(StudentDied), session.test():
            session.student().f()
    assert session.clock.restarts <= 0


def test_a_submission_has_a_time_for_all_it_does(make):
    """An answer that is right, each time just before its deadline, would keep a class waiting for an hour."""
    session = make("import time\ndef f():\n    time.sleep(0.3)\n    return 1", total_seconds=0.8)
    answers = []
    with pytest.raises(StudentTimeout, match="all exercises together"), session.test():
        for _ in range(10):
            answers.append(session.student().f())
    assert 2 <= len(answers) <= 3
    again = Session(session.cells, session.limits, server=session.server, clock=session.clock)  # a second worker gets no time of its own
    again.start()
    assert again.results["cell0"].status == "timeout"
    again.close()


def test_public_checks_leave_hidden_ones_a_share():
    """Whoever uses up all time, and all time again, is graded in five quarters of it, not in twice as much."""
    clock = Clock(Limits(total_seconds=240))
    clock.spend(5)
    assert clock.for_hidden_checks().left == 240
    clock.spend(500)
    hidden = clock.for_hidden_checks()
    assert hidden.left == 60
    hidden.some_left()
    with pytest.raises(StudentTimeout, match="240 seconds"):
        clock.some_left()


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


def test_a_timeout_error_of_the_students_own_is_no_timeout(make):
    session = make("def f(): raise TimeoutError('my own')", request_seconds=5)
    with session.test(), pytest.raises(StudentError, match="my own") as caught:
        session.student().f()
    assert caught.value.type_name == "TimeoutError" and session.clock.timeouts == 0 and session.alive


def test_the_memory_of_the_trusted_side_has_an_end():
    limit = resource.getrlimit(resource.RLIMIT_AS)
    with bounded_memory(256 << 20):
        with pytest.raises((MemoryError, RuntimeError)):
            torch.ones(1 << 30)
        assert torch.ones(1 << 20).sum() == 1 << 20
    assert resource.getrlimit(resource.RLIMIT_AS) == limit


def test_a_generator_goes_on_from_check_to_check(make):
    session = make("import torch\ndef draw(generator): return torch.rand(2, generator=generator)")
    g, reference = torch.Generator().manual_seed(1), torch.Generator().manual_seed(1)
    for _ in range(3):
        with session.test():
            assert torch.equal(session.student().draw(g), torch.rand(2, generator=reference))
            g.manual_seed(7), reference.manual_seed(7)  # moved on by the test itself
            assert torch.equal(session.student().draw(g), torch.rand(2, generator=reference))
    assert len(session.worker.table.shared) == 1


def test_what_a_missing_package_takes_along_is_told(make):
    session = make("import nosuchpackage as ns\nscale = ns.scale()\ndef helper(x): return x", "def answer(x): return helper(x) * scale")
    assert session.student().helper(3) == 3
    with pytest.raises(StudentError, match="name 'scale' is not defined .*import nosuchpackage as ns.* No module named 'nosuchpackage'"):
        session.student().answer(1)


DECORATED = {  # a package that is not here, and decorators of it
    "an attribute": ("import nosuch", "@nosuch.jit\ndef f(x): return x"),
    "called": ("import nosuch as ns", "@ns.jit(cache=True)\ndef f(x): return x"),
    "imported by name": ("from nosuch import jit", "@jit\ndef f(x): return x"),
    "as an argument": ("import functools\nfrom nosuch import jit", "@functools.partial(jit, static=0)\ndef f(x): return x"),
    "made of it": ("import nosuch\njit = nosuch.jit(parallel=True)", "@jit\ndef f(x): return x"),
    "in the same cell": ("import nosuch\n@nosuch.jit\ndef f(x): return x",),
    "tried": ("try:\n    import nosuch\nexcept ImportError:\n    pass", "@nosuch.jit\ndef f(x): return x"),
    "tried in the same cell": ("try:\n    from nosuch import jit\nexcept ImportError:\n    print('no')\n@jit\ndef f(x): return x",),
    "tried, and None instead": ("try:\n    from nosuch import jit\nexcept ImportError:\n    jit = None", "@jit\ndef f(x): return x"),
    "tried, and None instead, in the same cell": (
        "try:\n    import nosuch\nexcept ImportError:\n    nosuch = None\n@nosuch.jit(cache=True)\ndef f(x): return x",
    ),
    "of a method": ("import nosuch", "class C:\n    @nosuch.jit\n    def f(self, x): return x\nf = C().f"),
    "of a class": ("import nosuch", "@nosuch.checked\nclass C:\n    def f(self, x): return x\nf = C().f"),
    "of an inner function": ("import nosuch", "def f(x):\n    @nosuch.jit\n    def g(): return x\n    return g()"),
    "in a block": ("import nosuch", "if True:\n    @nosuch.jit\n    def f(x): return x"),
    "below an annotation of it": ("import nosuch", "@nosuch.jit\ndef f(x: nosuch.Array): return x"),
}


@pytest.mark.parametrize("cells", DECORATED.values(), ids=DECORATED)
def test_a_decorator_of_a_missing_package_is_left_out_and_told(make, cells):
    session = make(*cells)
    assert session.student().f(3) == 3
    [note] = session.notes()
    assert "nosuch" in note and "left out" in note


@pytest.mark.parametrize(
    "cells",
    [
        ("@njit\ndef f(x): return x",),  # no import failed: a mistake at home, too
        ("import math\n@math.nothing\ndef f(x): return x",),
        ("jit = None\n@jit\ndef f(x): return x",),
    ],
)
def test_a_decorator_that_is_a_mistake_at_home_is_one_here(make, cells):
    session = make(*cells)
    with pytest.raises(MissingName):
        session.student().f  # noqa: B018
    assert not session.notes()


def test_a_decorator_that_the_student_defines_instead_is_kept(make):
    session = make(
        "try:\n    from nosuch import twice\nexcept ImportError:\n    def twice(f): return lambda x: 2 * f(x)", "@twice\ndef f(x): return x"
    )
    assert session.student().f(3) == 6
    assert not session.notes()


def test_notes_of_a_worker_that_lies_are_few_and_short(make):
    lies = "['x' * 10_000] * 3 + [7, ['y']] + list(map(str, range(1000)))"
    notes = make(f"import gc\nfor o in gc.get_objects():\n    if type(o).__name__ == 'Cells': o.notes = {lies}").notes()
    assert 10 < len(notes) <= 20 and max(map(len, notes)) <= 200 and all(type(note) is str for note in notes)


def test_cells_that_ran_in_another_order_at_home_run_in_it(make):
    session = make("@own\ndef f(x): return x", "def own(f): return lambda x: 2 * f(x)", "def g(x=SIZE): return x", "SIZE = 3")
    assert session.student().f(3) == 6 and session.student().g() == 3
    assert ["`own`" in note or "`SIZE`" in note for note in session.notes()] == [True, True]


@pytest.mark.parametrize(
    "cells", [("@own\ndef f(x): return x", "def f(x): return 1\ndef own(f): return f"), ("@own\ndef f(x): return x", "x = 1")]
)
def test_a_cell_runs_again_only_where_that_is_its_turn(make, cells):
    session = make(*cells)
    assert not session.notes()
    assert session.student().has("f") == ("return 1" in cells[1])


HELPER = "%%writefile helper.py\nimport nosuch\nTHEME = nosuch.theme()\ndef own(x): return x\ndef told(x): return nosuch.told(x)\n"


def test_a_package_that_a_script_lacks_costs_only_what_needs_it(make):
    cells = (
        "from helper import own\nimport helper",
        "from helper import THEME",
        "def f(x): return own(x)",
        "def g(x): return helper.told(x)",
    )
    session = make(HELPER, *cells, "def h(x): return THEME", "def i(x): return helper.THEME")
    assert session.student().f(3) == 3
    for name in "ghi":
        with pytest.raises(StudentError, match="import nosuch.* No module named 'nosuch'"):
            getattr(session.student(), name)(1)


def test_a_mistake_in_a_script_is_one_here(make):
    session = make("%%writefile helper.py\ndef own(x): return x\n1 / 0", "from helper import own", "def f(x): return own(x)")
    with pytest.raises(StudentError, match="own"):
        session.student().f(3)


def test_scripts_are_written_run_and_imported_as_at_home(make, server):
    session = make(
        "%%writefile helper.py\nimport math\ndef own(x):\n    return math.floor(x)",
        "%%writefile -a helper.py\nSIZE = 3",
        "from helper import own\nimport helper",
        "%run more.py",
        "def f(x): return own(x) + helper.SIZE",
    )
    assert session.student().f(2.5) == 5
    assert any("more.py" in note for note in session.notes())
    with Session([("a", "import other\n%run more.py"), ("b", "def f(x): return other.own(x) + MORE")], server=server,
                 helpers={"other.py": "HERE = __file__\ndef own(x):\n    return x", "more.py": "MORE = 4"}) as session:  # fmt: skip
        assert session.student().f(1) == 5 and not session.notes()


def test_a_script_takes_the_place_of_nothing_that_is_there(make):
    session = make(
        "%%writefile torch.py\nx = 1",
        "%%writefile random.py\nx = 1",
        "import torch, random\ndef f(): return random.random() < 1, len(torch.ones(2))",
    )
    assert session.student().f() == (True, 2)


def test_what_is_deleted_below_its_use_is_there_for_it(make):
    session = make(
        "def own(x): return x\ndata = {1: 2}\nmax = 3",
        "def f(x): return max(own(x), 1), len(data)",
        "del own, data[1], max\nif True:\n    del data",
    )
    assert session.student().f(4) == (4, 0)


@pytest.mark.parametrize(
    "cell",
    [
        "import os\nkey = os.environ['API_KEY']",
        "import sqlite3\nsqlite3.connect('x.db').execute('create table t (x)')",
        "from IPython import get_ipython\nget_ipython().run_line_magic('matplotlib', 'inline')",
        "from IPython.core.getipython import get_ipython\nget_ipython().system('ls')",
        "print(_, In, Out)",
        "import seaborn as sns\nsns.set_theme()",
    ],
)
def test_a_cell_goes_on_below_what_only_a_students_machine_has(make, cell):
    assert make(cell + "\ndef f(x): return x").student().f(3) == 3


@pytest.mark.parametrize("last", ["_", "__", "_3", "Out[3]"])
def test_a_result_without_a_name_is_told_to_be_none(make, last):
    session = make(f"kept = {last}\ndef g(x): return x", "def f(x): return kept", "for _ in range(2):\n    pass")
    assert session.student().g(1) == 1
    with pytest.raises(StudentError, match="'kept' is not defined .*give the result a name"):
        session.student().f(1)


def test_a_cell_that_stops_at_a_mistake_stops_there(make):
    session = make("x = 1\nraise ValueError('no')\ny = 2")
    assert session.student().x == 1
    with pytest.raises(MissingName, match="no"):
        session.student().y  # noqa: B018


def test_a_future_import_lasts_as_in_a_notebook(make):
    session = make("from __future__ import annotations", "def f(x: Nowhere) -> Nobody: return x")
    assert session.student().f(2) == 2


def test_compilers_and_defaults_are_left_out(make):
    session = make(
        """
        import torch
        torch.set_default_device("cuda")
        torch.set_default_dtype(torch.float64)
        @torch.compile(mode="max-autotune")
        def f(n): return torch.ones(n)
        g = torch.jit.script(f)
        model = torch.compile(torch.nn.Linear(2, 3))
        model.compile()
        """
    )
    assert session.student().f(2).dtype == session.student().g(2).dtype == torch.float32
    assert set(session.student().model.state_dict()) == {"weight", "bias"}
