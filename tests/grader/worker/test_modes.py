"""What an answer's cells leave off or in the way: the guards of a forbidden call stand all the same, and what they left costs the answer nothing."""

import textwrap

import pytest
import torch

from autograde.checking.errors import ForbiddenCall, StudentError

X = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
START = """
    import torch
    python, snapshot = torch._C.DispatchKey.Python, torch._C.DispatchKey.PythonTLSSnapshot
    keys = torch._C.DispatchKeySet(python) | torch._C.DispatchKeySet(snapshot)
    tanh, softmax = torch.ops.aten.tanh.default, torch.ops.aten._softmax.default
    compiled = torch.jit.CompilationUnit("def run(x):\\n    return torch.softmax(x, -1)\\n")
    no_functions = torch._C.DisableTorchFunction()
    def turn_off():
        torch._C._set_torch_function_state(torch._C._TorchFunctionState.ALL_DISABLED)
        for key in (python, snapshot): torch._C._dispatch_tls_set_dispatch_key_excluded(key, True)
"""
MODE = """
    from torch.utils._python_dispatch import TorchDispatchMode
    class Own(TorchDispatchMode):
        {kind}
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            return torch.softmax(args[0], -1) if function is tanh else function(*args, **(kwargs or {{}}))
    own = Own()
    {enter}
    def answer(x): return torch.tanh(x)
"""
DISPATCHER = """
    {kernel}
    dispatcher = torch._C._EnablePythonDispatcher()
    dispatcher.__enter__()
    def answer(x): return torch.tanh(x)
"""
ENTERED = """
    guard = {guard}
    guard.__enter__()
    def answer(x):
        guard.__exit__(None, None, None)
        return compiled.run(x)
"""
MADE = """
    guard = {guard}
    def answer(x):
        with no_functions, guard: return compiled.run(x)
"""
THREAD = """
    import threading, time
    asked, given = [], []
    def serve():
        turn_off()
        while True:
            if asked: given.append(torch.softmax(asked.pop(), -1))
            time.sleep(0.01)
    threading.Thread(target=serve, daemon=True).start()
    def answer(x):
        asked.append(x)
        for _ in range(50):
            if given: return given.pop()
            time.sleep(0.01)
        return torch.zeros(1)
"""
KERNEL = """
    kernels = torch.library.Library("aten", "IMPL")
    {kernel}
    def answer(x): return torch.erfc(x)
"""
KERNEL_NOW = """
    def answer(x):
        global kernels
        kernels = torch._C._dispatch_library("IMPL", "aten", "")
        kernels.impl("erfc", torch._C.DispatchKey.CPU, func=lambda x: torch.softmax(x, -1))
        return torch.erfc(x)
"""
FORCING = "torch._C._ForceDispatchKeyGuard(torch._C.DispatchKeySet(torch._C.DispatchKey.CPU), keys)"
LEFT = {
    "modes turned off": "    turn_off()\n    def answer(x): return torch.softmax(x, -1)",
    "modes turned off in a thread": THREAD,
    "a mode of one's own": MODE.format(kind="", enter="own.__enter__()"),
    "a mode of a kind that PyTorch keeps apart": MODE.format(
        kind="_mode_key = torch._C._TorchDispatchModeKey.PROXY", enter="torch._C._set_dispatch_mode(own)"
    ),
    "a kernel for Python's dispatcher": DISPATCHER.format(kernel="tanh.py_impl(torch._C.DispatchKey.CPU)(lambda x: torch.softmax(x, -1))"),
    "one in its table": DISPATCHER.format(kernel="tanh.py_kernels[torch._C.DispatchKey.CPU] = lambda x: torch.softmax(x, -1)"),
    "a kernel in the place of PyTorch's": KERNEL.format(kernel='kernels.impl("erfc", lambda x: torch.softmax(x, -1), "CPU")'),
    "a kernel for all devices": KERNEL.format(
        kernel='kernels.impl("erfc", lambda keys, x: softmax(x, -1, False), "BackendSelect", with_keyset=True)'
    ),
    "a kernel that is put there when it is asked for": KERNEL_NOW,
    "inference that is left": ENTERED.format(guard="torch.inference_mode()"),
    "a state that is brought back": ENTERED.format(guard="torch._C._PreserveDispatchKeyGuard()"),
    "a key that is taken back": ENTERED.format(guard="torch._C._IncludeDispatchKeyGuard(python)"),
    "a forced state that is left": ENTERED.format(guard=FORCING.replace("keys)", "torch._C.DispatchKeySet(torch._C.DispatchKey.Meta))")),
    "a forced state that was made": MADE.format(guard=FORCING),
    "an exclusion that was made": MADE.format(guard="torch._C._ExcludeDispatchKeyGuard(keys)"),
    "another that was made": MADE.format(guard="torch._C._SetExcludeDispatchKeyGuard(python, True)"),
}


@pytest.mark.parametrize("left", LEFT.values(), ids=LEFT)
def test_the_guards_stand_whatever_cells_have_left(make, left):
    session = make(textwrap.dedent(START) + textwrap.dedent(left))
    assert session.results["cell0"].status == "ok", session.results
    for _ in range(2):
        student = session.student(["softmax"])
        try:
            with student.test():
                given = student.answer(X)
        except (ForbiddenCall, StudentError):
            continue
        assert isinstance(given, torch.Tensor) and (given.shape != X.shape or not torch.allclose(given, X.softmax(-1)))


def test_inference_and_printing_are_not_taken_for_turning_modes_off(make):
    source = """
    import threading, torch
    with torch.inference_mode(): print(torch.ones(2))
    mode = torch.inference_mode(); mode.__enter__()
    def answer(x):
        with torch.inference_mode(), torch.no_grad(): y = repr(x) and x * 2
        found = []
        def run():
            with torch.inference_mode(): found.append(y + 1)
        thread = threading.Thread(target=run); thread.start(); thread.join()
        return found[0]
    """
    session = make(source)
    assert session.results["cell0"].status == "ok", session.results
    student = session.student(["softmax"])
    with student.test():
        assert torch.equal(student.answer(X), X * 2 + 1)
