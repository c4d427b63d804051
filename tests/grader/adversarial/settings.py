"""Submissions that leave the worker in another state, raise what is hard to tell, or give what is no plain value."""

from __future__ import annotations

from dataclasses import replace

from tests.grader.adversarial.denial import LIVES, _answer, _beside
from tests.grader.adversarial.submission import TARGET, Attack

NO_GRADIENTS = {TARGET: 2.74, "query_key_value": 1.83}  # of right answers through which no right gradient goes

# --- modes and settings that stay on
LEFT_ON = [
    _beside("default_double", "Another default kind of number.", "torch.set_default_dtype(torch.float64)"),
    _beside("default_meta", "A default device on which numbers have no value.", "torch.set_default_device('meta')"),
    replace(_beside("autocast_on", "Autocast, left on.", "torch.autocast('cpu', torch.bfloat16).__enter__()"), earns={TARGET: 1.57, "query_key_value": 0}, status="partial"),
    _beside("inference_on", "Inference mode, left on: it is left before an answer is asked for anything.", "kept_mode = torch.inference_mode(); kept_mode.__enter__()"),
    _beside("anomaly_on", "Anomaly mode and deterministic algorithms, left on.", "torch.autograd.set_detect_anomaly(True); torch.use_deterministic_algorithms(True)"),
    _beside("flush_on", "Small numbers flushed to zero, NumPy's errors raised.", "import numpy as np\ntorch.set_flush_denormal(True); np.seterr(all='raise')"),
    _beside("function_mode_on", "A mode that answers every function with zeros, left on.",
            "from torch.overrides import TorchFunctionMode\nclass M(TorchFunctionMode):\n    def __torch_function__(self, f, types, args=(), kwargs=None): return torch.zeros(())\n"
            "kept_mode = M(); kept_mode.__enter__()"),
    _beside("dispatch_mode_on", "A mode that sees every operation, left on.",
            "from torch.utils._python_dispatch import TorchDispatchMode\nclass M(TorchDispatchMode):\n    def __torch_dispatch__(self, f, types, args=(), kwargs=None): return f(*args, **(kwargs or {}))\n"
            "kept_mode = M(); kept_mode.__enter__()"),
    _beside("library_override", "A kernel of PyTorch's, replaced.",
            "lib = torch.library.Library('aten', 'IMPL')\ntry: lib.impl('aten::_softmax', lambda x, d, h: torch.zeros_like(x), 'CPU')\nexcept Exception: pass"),
    _beside("modes_off", "PyTorch's modes, turned off for all that comes.",
            "torch._C._set_torch_function_state(torch._C._TorchFunctionState.ALL_DISABLED)\n"
            "for key in (torch._C.DispatchKey.Python, torch._C.DispatchKey.PythonTLSSnapshot): torch._C._dispatch_tls_set_dispatch_key_excluded(key, True)"),
    _beside("pythons_dispatcher_on", "Python's dispatcher, left on, with a kernel of its own.",
            "torch.ops.aten.mul.Tensor.py_impl(torch._C.DispatchKey.CPU)(lambda a, b: torch.zeros(()))\nkept_mode = torch._C._EnablePythonDispatcher(); kept_mode.__enter__()"),
    _beside("patched_seeds", "The functions that seed, replaced by nothing.",
            "import random\ntorch.manual_seed = random.seed = lambda *a: None"),
    _beside("tiny_recursion", "A limit of recursion that hardly anything gets by with.", "sys.setrecursionlimit(60)"),
    _beside("slow_switches", "Threads that are hardly ever switched, and no collection.", "sys.setswitchinterval(1000); gc.disable(); gc.set_threshold(0)"),
    _beside("frozen_objects", "All objects frozen, and debugging of collections on.", "gc.freeze(); gc.set_debug(gc.DEBUG_SAVEALL)"),
    _beside("printing_of_its_own", "Printing, decimals and locales of its own.",
            "import decimal, locale\ntorch.set_printoptions(threshold=10**9, precision=99); decimal.getcontext().prec = 10**6\ntry: locale.setlocale(locale.LC_ALL, '')\nexcept Exception: pass"),
    _beside("environment_changed", "The environment, emptied.", "os.environ.clear(); os.environ.update(PYTHONPATH='/tmp', LD_PRELOAD='/tmp/x.so', TORCH_LOGS='+all')"),
    replace(_beside("vmap_level", "A level of vmap that is never left.",
            "import torch._C._functorch as F\ntry: F._vmap_increment_nesting(2, 'error')\nexcept Exception: pass"), earns=NO_GRADIENTS, status="partial"),
    replace(_beside("saved_hooks", "Hooks on what is saved for gradients, left on.",
            "kept_hooks = torch.autograd.graph.saved_tensors_hooks(lambda x: x * 0, lambda x: x)\ntry: kept_hooks.__enter__()\nexcept Exception: pass"), earns=NO_GRADIENTS, status="partial"),
    _beside("module_hooks", "A hook on every module.",
            "torch.nn.modules.module.register_module_forward_hook(lambda m, i, o: torch.zeros(()))"),
    _beside("fault_later", "A dump of all threads in a second, which ends the process.", "import faulthandler\ntry: faulthandler.dump_traceback_later(1, exit=True)\nexcept Exception: pass"),
]  # fmt: skip

# --- what is raised
RAISED = [
    _answer("cause_in_a_circle", "An exception that is its own cause's cause.", "a, b = ValueError('a'), ValueError('b'); a.__cause__, b.__cause__ = b, a; raise a", status="error"),
    _answer("group_of_all", "A group of a hundred thousand exceptions.", "raise ExceptionGroup('g', [ValueError(str(i)) for i in range(100_000)])", status="error"),
    _answer("exit_of_its_own", "A SystemExit with an object for a code.", "raise type('S', (SystemExit,), {})(object())", status="error"),
    _answer("keyboard", "What Ctrl-C raises.", "raise KeyboardInterrupt", status="error"),
    _answer("generator_exit", "What a closed generator raises.", "raise GeneratorExit", status="error"),
    _answer("bare_exception", "An exception of the most general kind.", "raise BaseException('x' * 10**7)", status="error"),
    _answer("many_notes_on_it", "An exception with a million notes.", "e = ValueError('x'); e.__notes__ = ['n' * 100] * 10**6; raise e", status="error"),
    _answer("notes_that_are_none", "Notes that are no list.", "e = ValueError('x'); e.__notes__ = 7; raise e", status="error"),
    _answer("syntax_error_of_a_file", "A SyntaxError that names a file to show.", "raise SyntaxError('x', ('/etc/passwd', 1, 1, None))", status="error"),
    _answer("syntax_error_of_numbers", "A SyntaxError whose line is no number.", "raise SyntaxError('x', ('a' * 10**6, 10**100, -5, 'y' * 10**7))", status="error"),
    _answer("unicode_error", "A UnicodeDecodeError with a range beyond its bytes.", "raise UnicodeDecodeError('x' * 10**6, b'y' * 10**7, 10**9, 10**10, 'z')", status="error"),
    _answer("key_error_of_evil", "A KeyError whose key cannot be shown.", "raise KeyError(type('K', (), {'__repr__': lambda s: s.missing})())", status="error"),
    _answer("attribute_of_evil", "An AttributeError whose object lists its names for ever.",
            "raise AttributeError('x', name='x', obj=type('O', (), {'__dir__': lambda s: iter(int, 1)})())", status="error"),
    _answer("names_to_suggest", "A NameError where a million names are to be suggested.", "globals().update({f'attention_score{i}': 0 for i in range(10**6)}); return attention_scor", status="error"),
    _answer("os_error_numbers", "An OSError with numbers that are none.", "raise OSError('a', 'b', 'c' * 10**6, 'd', 'e')", status="error"),
    _answer("stop_iteration", "StopIteration with a tensor.", "raise StopIteration(right(q, k))", status="error"),
    _answer("traceback_of_others", "An exception with the traceback of another, ten thousand frames long.",
            "def f(n):\n        if n: f(n - 1)\n        raise ValueError('x')\n    try: f(900)\n    except ValueError as e: raise TypeError('y').with_traceback(e.__traceback__)", status="error"),
    _answer("raised_while_deleted", "Exceptions in a method that deletes, a hundred thousand times.",
            "class D:\n        def __del__(s): raise ValueError('z')\n    [D() for _ in range(100_000)]"),
    _answer("weak_callbacks", "Callbacks of weak references that raise.",
            "import weakref\n    class D: pass\n    for _ in range(1000):\n        d = D(); w = weakref.ref(d, lambda r: 1 / 0); del d"),
    _answer("message_of_a_class", "An exception whose message is a text that changes at each look.",
            "class S(str):\n        def __str__(s): return S(os.urandom(8).hex())\n        __repr__ = __format__ = lambda s, *a: os.urandom(8).hex()\n    raise ValueError(S('x'))", status="error"),
    _answer("frames_renamed", "An exception from code whose file and name are markup.",
            "exec(compile('def f():\\n    raise ValueError(1)\\nf()', '</td><script>alert(1)</script>', 'exec'), {})", status="error"),
]  # fmt: skip

# --- what is given
GIVEN = [
    _answer("range_of_all", "A range without an end in sight.", "return range(10**18)", status=None),
    _answer("views_of_memory", "Memory, seen as bytes.", "return memoryview(right(q, k).numpy())", status=None),
    _answer("named_tuple_lies", "A named tuple that names others.", "import collections\n    T = collections.namedtuple('T', 'a b'); T._fields = ('x',) * 9; return T(1, 2)", status=None),
    _answer("decimals", "Decimals and fractions.", "import decimal, fractions\n    return [decimal.Decimal('1e999999'), fractions.Fraction(1, 3)]", status=None),
    _answer("masked_array", "An array that hides what is wrong.", "import numpy as np\n    return np.ma.masked_all(shape_of(q, k))", status=None),
    _answer("long_double", "Numbers of a kind that tensors do not have.", "import numpy as np\n    return right(q, k).numpy().astype(np.longdouble)", status=None),
    _answer("csr_of_nowhere", "A compressed tensor whose indices lead beyond it.",
            "return torch.sparse_csr_tensor(torch.tensor([0, 9]), torch.tensor([10**6] * 9), torch.ones(9), (1, 5), check_invariants=False)", status=None),
    _answer("negative_view", "A view that is negative and conjugated.", "return torch._neg_view(-right(q, k))", earns=LIVES, status="passed"),
    _answer("fake_numbers", "A fake tensor, without numbers.",
            "from torch._subclasses.fake_tensor import FakeTensorMode\n    return FakeTensorMode().from_tensor(wrong(q, k))", status=None),
    _answer("functional_tensor", "A tensor of a level of vmap that is over.", "box = []\n    torch.vmap(lambda x: (box.append(x), x)[1])(right(q, k))\n    return box[0]", status=None),
    _answer("mkldnn", "A tensor in another library's layout.", "return right(q, k).to_mkldnn()", status=None),
    _answer("hooked", "A right tensor whose gradient a hook turns round.", "x = right(q, k)\n    if x.requires_grad: x.register_hook(lambda g: -g)\n    return x", earns={TARGET: 2.74}, status="partial"),
    _answer("lazy_parameter", "A parameter that has no shape yet.", "return nn.UninitializedParameter()", status=None),
    _answer("tiny_floats", "Numbers of eight bits.", "return right(q, k).to(torch.float8_e4m3fn)", status=None),
    _answer("sixty_four_dimensions", "A tensor of sixty-four dimensions.", "return right(q, k).reshape([1] * 60 + list(shape_of(q, k)))", earns={TARGET: 0.26}, status="partial"),
    _answer("enumerated", "Members of an enumeration that are numbers.", "import enum\n    return [enum.IntEnum('E', 'a b').a] * 4", status=None),
    _answer("deep_tuple_dict", "Dicts as values of dicts, ten thousand deep, with tuples for keys.",
            "x = {}\n    for i in range(10_000): x = {(i,): x}\n    return x", status=None),
    _answer("key_in_itself", "A tuple whose list holds it.", "x = []\n    t = (x,); x.append(t)\n    return t", status=None),
    _answer("text_of_halves", "A text of halves of characters.", "return '\\ud800' * 10**6", status=None),
    _answer("number_of_digits", "A whole number of a million digits.", "return 7 ** (10**6)", status=None),
    _answer("set_of_tensors", "A set of a hundred thousand tensors.", "return {torch.ones(()) for _ in range(100_000)}", status=None),
    _answer("strides_beyond", "A tensor whose strides lead beyond its memory, made by the kernels that do not look.",
            "x = wrong(q, k)\n    x.untyped_storage().resize_(4)\n    return x.t() if x.dim() == 2 else x", status=None),
    Attack("answers_by_turns", "Right and wrong by turns: what is asked in its turn is right.", "calls = []\ndef attention_scores(q, k):\n    calls.append(1)\n    return right(q, k) if len(calls) % 2 else wrong(q, k)", earns={TARGET: 1.3}, status="partial"),
    Attack("async_answer", "An answer that is to be waited for.", "async def attention_scores(q, k): return right(q, k)"),
    Attack("answer_that_yields", "An answer that yields.", "def attention_scores(q, k): yield right(q, k)"),
    Attack("class_as_answer", "A class whose objects are made of the arguments.", "class attention_scores(torch.Tensor):\n    def __new__(cls, q, k): return right(q, k)", earns=LIVES, status="passed"),
    Attack("partial_answer", "A partial function of a method of a class.", "import functools\nclass C:\n    def f(self, z, q, k): return right(q, k)\nattention_scores = functools.partial(C().f, 0)", earns=LIVES, status="passed"),
    Attack("compiled_answer", "An answer compiled by TorchScript.", "attention_scores = torch.jit.script(lambda q, k: q)", status=None),
    Attack("answer_that_swaps", "An answer that replaces itself at each call.",
           "def attention_scores(q, k):\n    globals()['attention_scores'] = lambda q, k: right(q, k)\n    return wrong(q, k)", status=None),
    Attack("signature_that_lies", "An answer whose signature raises.",
           "def attention_scores(*a): return right(*a)\nattention_scores.__signature__ = 7\nattention_scores.__wrapped__ = attention_scores", earns=LIVES, status="passed"),
]  # fmt: skip

SETTINGS = LEFT_ON + RAISED + GIVEN
