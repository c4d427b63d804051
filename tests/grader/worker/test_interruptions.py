"""Nothing of an answer's runs between the steps of a guard, where PyTorch has its modes off: no tracer, timer, collection or audit hook, nor what
stands in a built-in's place."""

import textwrap

import pytest
import torch

from autograde.checking.errors import ForbiddenCall, StudentError
from autograde.grader.sandbox import probe

X = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(0))
STEAL = """
import builtins, cProfile, gc, queue, signal, sys, threading, time, _thread
import numpy as np
import torch
from torch._ops import OpOverload
taken, asked, softmax = [], [], torch.softmax
watching = torch._C._len_torch_function_stack, torch._C._len_torch_dispatch_stack
def steal(*args):
    if asked and not taken and not any(count() for count in watching):  # what is watched is refused, and stays so
        taken.append(None)
        taken[:] = [softmax(asked[0], -1)]
def trace(frame, event, argument):
    steal()
    return trace
def in_place(owner, name):
    before = getattr(owner, name)
    setattr(owner, name, lambda *args, **kwargs: (steal(), before(*args, **kwargs))[1])
    asked[0] + 1
    torch.ops.aten.mul(asked[0], 2)
    setattr(owner, name, before)
def f(x):
    asked[:] = [x]
    act(x)
    return taken[0] if taken else torch.zeros(())
"""
WAYS = {
    "tracer": "def act(x):\n    sys.settrace(trace)\n    (lambda: x + 1)()\n    sys.settrace(None)",
    "profiler": "def act(x):\n    sys.setprofile(trace)\n    x + 1\n    sys.setprofile(None)",
    "tracer of before": "sys.settrace(trace)\ndef act(x): x + 1",
    "tracer of a thread": "todo, done = queue.Queue(), queue.Queue()\ndef work():\n    sys.settrace(trace)\n    while True: todo.get() + 1; done.put(1)\n"
                          "threading.Thread(target=work, daemon=True).start()\ndef act(x): todo.put(x); done.get(timeout=1)",
    "a profiler's clock": "def act(x):\n    with cProfile.Profile(timer=lambda: steal() or 0): x + 1",
    "callbacks of the collector": "def act(x):\n    gc.callbacks.append(lambda *a: steal()); gc.enable(); gc.set_threshold(1, 1, 1)\n    for _ in range(200): torch.ops.aten.add(x, 1)\n"
                                  "    gc.callbacks.clear()",
    "the collector's own functions": "import importlib.util\nown = importlib.util.module_from_spec(importlib.util.find_spec('gc')); own.__loader__.exec_module(own)\n"
                                     "def act(x):\n    gc.callbacks.append(lambda *a: steal()); own.enable(); own.set_threshold(1, 1, 1)\n"
                                     "    for _ in range(200): torch.ops.aten.add(x, 1)\n    gc.callbacks.clear()",
    "audit hook": "sys.addaudithook(lambda event, args: event == 'sys._getframe' and steal())\ndef act(x): x + 1",
    "a built-in function": "def act(x): in_place(builtins, 'getattr')",
    "a function of sys": "def act(x): in_place(sys, '_getframe')",
    "a function of PyTorch": "def act(x): in_place(torch, 'is_grad_enabled')",
    "an operator's class": "def act(x):\n    for name in ('__call__', '__hash__'): in_place(OpOverload, name)",
    "an operator's attribute": "def act(x):\n    before = OpOverload.__getattribute__\n    OpOverload._schema = property(lambda s: steal() or 1)\n    x - 1\n    del OpOverload._schema",
    "a class called PyTorch's": "class T(torch.Tensor):\n    __torch_function__ = torch._C._disabled_torch_function_impl\n    __torch_dispatch__ = classmethod(lambda *a, **k: steal() or torch.zeros(1))\n"
                                "T.__module__ = 'torch'; torch.T = T\ndef act(x): torch.ops.aten.add(x.as_subclass(T), 1)",
    "a class of PyTorch's": "from torch.testing._internal.two_tensor import TwoTensor\ndef act(x):\n    TwoTensor.__torch_dispatch__ = classmethod(lambda *a, **k: steal() or torch.zeros(1))\n"
                            "    torch.ops.aten.add(TwoTensor(x, x), 1)",
    "a class that is no more what it says": "lying = []\nclass M(type(torch.Tensor)):\n    def __getattribute__(cls, name):\n        return lying and name.startswith('__torch_') and (steal(), getattr(torch.Tensor, name))[1] or type.__getattribute__(cls, name)\n"
                                            "class T(torch.Tensor, metaclass=M):\n    __torch_function__ = torch._C._disabled_torch_function_impl\n    __torch_dispatch__ = classmethod(lambda *a, **k: torch.zeros(1))\n"
                                            "def act(x):\n    y = x.as_subclass(T)\n    lying.append(1)\n    torch.ops.aten.add(y, 1)",
    "what a storage frees": "class S(torch.UntypedStorage):\n    def __del__(self): steal()\ndef act(x):\n    y = torch.empty(0).set_(S(100))\n    torch.ops.aten.set_(y, x.clone())",
    "what an array frees": "class A(np.ndarray):\n    def __del__(self): steal()\ndef act(x):\n    y = torch.from_numpy(np.zeros(4, dtype=np.float32).view(A))\n    torch.ops.aten.set_(y, x.clone())",
}  # fmt: skip
HANDLER = "signal.signal(signal.SIG{}, lambda *a: steal())"
SIGNALS = {
    "timer": f"def act(x):\n    {HANDLER.format('ALRM')}; signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)\n    while not taken: x + 1",
    "raised": f"def act(x):\n    {HANDLER.format('USR1')}; signal.raise_signal(signal.SIGUSR1)",
    "interruptions of a thread": f"def interrupt():\n    while not taken: _thread.interrupt_main(); time.sleep(1e-4)\n"
                                 f"def act(x):\n    {HANDLER.format('INT')}; threading.Thread(target=interrupt, daemon=True).start()\n    while not taken: x + 1",
}  # fmt: skip


def answer(make, code):
    """What f gives: the softmax where the code got it."""
    student = make(STEAL, code).student(["softmax"])
    with student.test():
        return student.f(X)


@pytest.mark.parametrize("code", WAYS.values(), ids=WAYS)
def test_nothing_runs_between_the_steps_of_a_guard(make, code):
    try:
        got = answer(make, code)
    except (ForbiddenCall, StudentError):
        return
    assert not got.any()


@pytest.mark.skipif(not probe.support().seccomp, reason="no seccomp")
@pytest.mark.parametrize("code", SIGNALS.values(), ids=SIGNALS)
def test_no_signal_has_a_handler(make, code):
    with pytest.raises(StudentError, match="not permitted"):
        answer(make, code)


def test_what_is_found_where_nothing_watches(make):
    """The table above would see it."""
    student = make(STEAL, WAYS["tracer"]).student([])
    with student.test():
        assert torch.equal(student.f(X), X.softmax(-1))


HONEST = """
import asyncio, cProfile, gc, signal, sys, threading
import torch
async def one(): return 1
awaited = await one()
with cProfile.Profile() as profile: awaited += 1
class Ring: pass
ring = Ring(); ring.ring = ring; ring = None
collected = gc.collect()
"""


def test_cells_may_profile_collect_and_wait(make):
    session = make(HONEST, "signal.signal(signal.SIGALRM, print)\nafter = 1", "after = 2")
    assert session.results["cell0"].status == "ok", session.results["cell0"].message
    assert session.value("awaited") == 2 and session.value("collected") > 0 and session.value("after") == 2


def test_an_answer_may_ask_for_a_collection_and_wait(make):
    source = """
    import asyncio, gc, torch
    async def later(x): return x.exp()
    def f(x):
        y = asyncio.run(later(x))
        gc.collect()
        return y / y.sum(-1, keepdim=True)
    """
    student = make(textwrap.dedent(source)).student(["softmax"])
    with student.test():
        assert torch.allclose(student.f(X), X.softmax(-1))
