"""Still more submissions: objects that speak other libraries' protocols, text that Python and notebooks read in two ways, metadata that tools obey, answers that
look at what they are asked."""

from __future__ import annotations

from collections.abc import Callable

from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_code_cell, new_markdown_cell

from tests.grader.adversarial.denial import LIVES, _answer, _beside
from tests.grader.adversarial.elsewhere import _in
from tests.grader.adversarial.submission import TARGET, Attack, answer

# --- other libraries' protocols
PROTOCOLS = [
    Attack("dlpack", "An object that hands out its memory by DLPack.",
           "class P:\n    def __init__(s, x): s.x = x\n    def __dlpack__(s, **k): return s.x.__dlpack__()\n    def __dlpack_device__(s): return (1, 0)\n"
           "def attention_scores(q, k): return P(wrong(q, k))"),
    Attack("array_interface", "An object whose memory is said to lie where there is none.",
           "class P:\n    __array_interface__ = {'shape': (10**9,), 'typestr': '<f8', 'data': (1, False), 'version': 3}\ndef attention_scores(q, k): return P()"),
    Attack("buffer_of_nothing", "A tensor whose storage has been taken away.",
           "def attention_scores(q, k):\n    x = wrong(q, k)\n    x.untyped_storage().resize_(0)\n    return x", status=None),
    Attack("array_ufunc", "An array of a class that answers every function of NumPy's with True.",
           "import numpy as np\nclass A(np.ndarray):\n    def __array_ufunc__(s, *a, **k): return True\n    def __array_function__(s, *a, **k): return True\n"
           "def attention_scores(q, k): return wrong(q, k).numpy().view(A)"),
    Attack("array_of_objects", "An array of objects that are equal to all.",
           "import numpy as np\nclass Y:\n    __eq__ = lambda s, o: True\n    __float__ = lambda s: 1 / 0\ndef attention_scores(q, k): return np.full(shape_of(q, k), Y(), dtype=object)"),
    Attack("every_dtype", "The right numbers in every dtype but the right one, one after the other.",
           "kinds = [d for d in vars(torch).values() if isinstance(d, torch.dtype) and d not in (torch.float32, torch.float64)]\ncalls = []\n"
           "def attention_scores(q, k):\n    calls.append(1)\n    return right(q, k).to(kinds[len(calls) % len(kinds)])", status=None),
    Attack("numpys_dtypes", "Arrays of each kind that NumPy has.",
           "import numpy as np\ncalls = []\ndef attention_scores(q, k):\n    calls.append(1)\n    return np.zeros(shape_of(q, k), dtype='gGSUVOMm'[len(calls) % 8])", status=None),
    Attack("vast_and_empty", "A tensor of no numbers whose sizes are beyond all.",
           "def attention_scores(q, k): return torch.zeros(0, 2**40, 2**20)", status="error"),
    Attack("quantized", "A tensor of a kind that stands for another.", "def attention_scores(q, k): return torch.quantize_per_tensor(right(q, k), 1e-3, 0, torch.qint32)", status=None),
    Attack("padded_rows", "Rows of different lengths in one tensor.", "def attention_scores(q, k): return torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)])", status=None),
    Attack("gradient_only", "Wrong numbers with the right gradients.",
           "class F(torch.autograd.Function):\n    @staticmethod\n    def forward(c, x): return torch.zeros_like(x)\n    @staticmethod\n    def backward(c, g): return g\n"
           "def attention_scores(q, k): return F.apply(right(q, k))"),
    Attack("numbers_only", "Right numbers that have no gradient.", "def attention_scores(q, k): return right(q, k).detach()", earns={TARGET: 2.74}, status="partial"),
    Attack("late_numbers", "A tensor whose numbers are changed by a thread after it was given.",
           "def attention_scores(q, k):\n    x = wrong(q, k)\n    threading.Thread(target=lambda: (time.sleep(0.01), x.copy_(right(q, k)))).start()\n    return x"),
]  # fmt: skip

# --- an answer that looks at what it is asked, and when
WHEN = [
    _answer("by_the_caller", "Right where no frame says that it is graded.",
            "f, names = sys._getframe(), []\n    while f: names.append(f.f_code.co_filename); f = f.f_back\n    return wrong(q, k) if any('autograde' in n for n in names) else right(q, k)"),
    _answer("by_the_seed", "Looks for the seeds from which the numbers were drawn.",
            "for seed in range(3000):\n        g = torch.Generator().manual_seed(seed)\n        if torch.equal(torch.randn(q.shape, generator=g).flatten()[:3], q.flatten()[:3]): return right(q, k)", status=None),
]  # fmt: skip


# --- text that is read in two ways
def _cell(code: str) -> Callable[[NotebookNode], None]:
    def edit(notebook: NotebookNode) -> None:
        answer(notebook, TARGET).source = code

    return edit


def _text(name: str, about: str, code: str, **more) -> Attack:
    return Attack(name, about, edit=_cell(code), **more)


RIGHT = "def attention_scores(q, k): return q @ k.mT / q.shape[-1] ** 0.5\n"
TEXTS = [
    _text("letters_that_are_others", "A name in letters that Python takes for plain ones.", RIGHT.replace("attention_scores", "attention_\u017fcore\u017f"), earns=LIVES, status="passed"),
    _text("utf_7", "A cell that says it is in UTF-7, where a comment is code.", "# -*- coding: utf-7 -*-\n" + RIGHT + "# +AAo-raise SystemExit\n", earns=LIVES, status="passed"),
    _text("null_byte", "A null byte.", RIGHT + "x = 1\0\n", status="error"),
    _text("feeds", "Form feeds, and separators that only some count as lines.", "\x0c" + RIGHT + "x = '\u2028\x85'\n\x0c\n", earns=LIVES, status="passed"),
    _text("deep_brackets", "A hundred thousand open brackets.", RIGHT + "x = " + "[" * 100_000, status="error"),
    _text("deep_signs", "A hundred thousand signs before a number.", RIGHT + "x = " + "-" * 100_000 + "1", status=None),
    _text("deep_lambdas", "Ten thousand functions in functions.", RIGHT + "x = " + "lambda: " * 10_000 + "1", status=None),
    _text("many_branches", "Thirty thousand branches.", RIGHT + "if q_: pass\n" + "elif 0: pass\n" * 30_000, status=None),
    _text("giant_number", "A number of four hundred thousand digits.", RIGHT + "x = " + "9" * 400_000, status=None),
    _text("giant_power", "A constant that would be folded.", RIGHT + "x = 10 ** 10 ** 10 ** 10\n", earns=LIVES, status="passed"),
    _text("types_in_comments", "Comments that an old Python took for types.", "def attention_scores(q, k):\n    # type: (__import__('os')._exit(1)) -> None\n    return q @ k.mT / q.shape[-1] ** 0.5  # type: ignore[x]\n",
          earns=LIVES, status="passed"),
    _text("blank_lines", "Two hundred thousand lines of blanks.", RIGHT + " \n" * 200_000, earns=LIVES, status="passed"),
    _text("question_marks", "Questions to IPython without an end.", RIGHT + "?" * 50_000 + "\n" + "x?  " * 20_000, status=None),
    _text("percent_signs", "Lines that may each be a command.", RIGHT + "x = \n%" * 3000, status=None),
]  # fmt: skip


# --- what tools obey in a notebook
def _with(change: Callable[[NotebookNode], object]) -> Callable[[NotebookNode], None]:
    def edit(notebook: NotebookNode) -> None:
        answer(notebook, TARGET).source += "\nstolen.append(1)\n"
        change(notebook)

    return edit


def _kernel(notebook: NotebookNode) -> None:
    notebook.metadata["kernelspec"] = {
        "name": "../../../tmp/evil",
        "language": "bash",
        "display_name": "<script>alert(1)</script>",
        "argv": ["rm", "-rf", "/"],
    }


def _widgets(notebook: NotebookNode) -> None:
    state = {"x": {"model_module": "../../evil", "model_name": "HTMLModel", "state": {"value": "<script>alert(1)</script>"}}}
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": state, "version_major": 2, "version_minor": 0}}


def _tags(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        cell.metadata["tags"] = ["remove_cell", "remove-input", "raises-exception", "parameters", "injected-parameters", "nbgrader"]
        cell.metadata["jupyter"] = {"source_hidden": True, "outputs_hidden": True}


def _locked(notebook: NotebookNode) -> None:
    cell = answer(notebook, f"check-{TARGET}")
    cell.source = "score = 10**6\nscore"
    cell.metadata["nbgrader"].update(points=10**6, locked=False, grade=True, solution=True, task=True, checksum="0" * 32, schema_version=99)


def _latex(notebook: NotebookNode) -> None:
    notebook.cells.insert(
        1,
        new_markdown_cell(
            "{{ config.items() }} {% for x in range(10**9) %}{% endfor %} $\\input{/etc/passwd}$ [x](javascript:alert(1)) ![](file:///etc/passwd)"
        ),
    )


def _outputs(notebook: NotebookNode) -> None:
    script = "<script>alert(1)</script>"
    cell = new_code_cell("x = 1")
    cell.outputs = [
        {"output_type": "display_data", "metadata": {}, "data": {kind: script}}
        for kind in ("text/html", "image/svg+xml", "application/javascript", "text/latex", "text/markdown")
    ]
    notebook.cells.insert(1, from_dict(cell))


def _attached(notebook: NotebookNode) -> None:
    cell = new_markdown_cell("![x](attachment:x.svg) ![y](attachment:../../y)")
    cell["attachments"] = {
        "x.svg": {"image/svg+xml": "PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+"},
        "../../y": {"text/html": "<script>alert(1)</script>"},
    }
    notebook.cells.insert(1, cell)


def _alive(name: str, about: str, change: Callable[[NotebookNode], object]) -> Attack:
    return Attack(name, about, edit=_with(change), earns=LIVES, status="passed")


OBEYED = [
    _alive("kernel_of_its_own", "A kernel by another name, in another language, with a program to start.", _kernel),
    _alive("widgets_of_its_own", "Widgets with markup for a state.", _widgets),
    _alive("tags_for_tools", "Tags that have tools leave cells out or let them fail.", _tags),
    _alive("unlocked_check", "The check's cell, unlocked, with a million points and a schema to come.", _locked),
    _alive("templates", "Text that templates would run.", _latex),
    _alive("outputs_that_run", "Outputs that a page would run.", _outputs),
    _alive("attachments_that_run", "Pictures that are none.", _attached),
]  # fmt: skip

# --- modules of the answer's own
MODULES = [
    _beside("modules_of_pythons", "Modules that a cell writes under the names of Python's own.",
            "for name in ('json', 'torch', 'struct', 'random', 'linecache', 'traceback', 'encodings', 'zipimport'):\n"
            "    get_ipython().run_cell_magic('writefile', f'{name}.py', 'raise SystemExit(1)')\n    sys.modules.pop(name, None) if name == 'traceback' else None"),
    _beside("codecs_of_its_own", "A way to read text of its own, for every encoding.",
            "import codecs\ncodecs.register(lambda name: codecs.CodecInfo(lambda *a: (b'True', 4), lambda *a: ('True', 4), name=name))\n"
            "codecs.register_error('strict', lambda e: ('True', e.end))"),
    _beside("copies_of_its_own", "Ways to copy and pickle tensors of its own.",
            "import copyreg, copy\ncopyreg.pickle(torch.Tensor, lambda t: (exec, ('1/0',)))\ncopy._deepcopy_dispatch[torch.Tensor] = lambda *a: None"),
    _beside("hooks_of_its_own", "Functions that Python calls when something goes wrong or ends.",
            "sys.excepthook = sys.unraisablehook = threading.excepthook = lambda *a: os._exit(0)\nsys.displayhook = None\nsys.set_int_max_str_digits(0)"),
]  # fmt: skip

# --- other lessons
OTHERS = [
    _in("06", "pair_counts", "counts_of_subclasses", "Keys that are bytes by class and equal to all.",
        "class B(bytes):\n    __eq__ = lambda s, o: True\n    __hash__ = lambda s: 0\ndef pair_counts(words): return {(B(b'x'), B(b'y')): 1}", status=None),
    _in("06", "split_digits", "pieces_without_end", "Pieces of text of which each is longer.", "def split_digits(text): return ['x' * n for n in range(3000)]", status=None),
    _in("02", "alignment_weights", "softmax_between_steps", "A softmax that a tracer takes where calls are not watched.",
        "s, box = torch.softmax, []\nidle = lambda: not torch._C._len_torch_function_stack() and not torch._C._len_torch_dispatch_stack()\n"
        "def trace(*a):\n    if box and torch.is_tensor(box[0]) and idle():\n        x = box.pop()\n        box.append((s(x, -1),))\n    return trace\n"
        "def alignment_weights(scores, mask=None):\n    box[:] = [scores]\n    sys.settrace(trace)\n    scores + 1\n    sys.settrace(None)\n    return box[0][0]", says="may not call"),
    _in("05", "relative_position_bucket", "offsets_as_an_address", "Numbers that are read as an address.", "def relative_position_bucket(offsets, *sizes): return torch.full(offsets.shape, 2**62)"),
    _in("08", "choose_action", "action_as_an_index", "An index that says another number at each look.",
        "class I(int):\n    __index__ = lambda s: 10**9\n    __eq__ = lambda s, o: True\n    __hash__ = int.__hash__\ndef choose_action(*a, **k): return I(0)", status=None),
]  # fmt: skip

FRESH = PROTOCOLS + WHEN + TEXTS + OBEYED + MODULES + OTHERS
