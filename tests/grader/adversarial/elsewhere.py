"""Submissions of other lessons than 03: shortcuts through libraries, values that deceive, and floods through functions that a check passes in.

Each answers one exercise, and earns what of it is honest: the parameters of a layer, the decoding of a tokenizer.
"""

from __future__ import annotations

from tests.grader.adversarial.submission import Attack

LESSONS = {
    "02": "02_attention_alignment",
    "04": "04_multi_head_attention",
    "05": "05_positional_encoding",
    "06": "06_tokenization",
    "07": "07_gpt",
    "08": "08_language_mdp",
}
MAY_NOT = "its answer may not call"


def _in(
    lesson: str, target: str, name: str, about: str, code: str, earns: float = 0.0, status: str | None = "failed", says: str = ""
) -> Attack:
    return Attack(
        name, about, f"import torch, sys\nfrom torch import nn\n{code}", earns={target: earns}, status=status, says=says,
        file=f"{LESSONS[lesson]}.ipynb", lesson=LESSONS[lesson], target=target,
    )  # fmt: skip


# --- libraries by another door
LAYER = """
class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, n_heads, bias=True):
        super().__init__()
        if d_model % n_heads: raise ValueError("n_heads")
        self.n_heads = n_heads
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(d_model, d_model, bias) for _ in range(4))
        self.scaling, self.num_key_value_groups = (d_model // n_heads) ** -0.5, 1
    def forward(self, x, context=None, mask=None):
        c = x if context is None else context
        q, k, v = (p(y).unflatten(-1, (self.n_heads, -1)).transpose(-3, -2) for p, y in ((self.q_proj, x), (self.k_proj, c), (self.v_proj, c)))
        o, w = attend(self, q, k, v)
        return self.out_proj(o.transpose(-3, -2).flatten(-2)), w
"""
TOKENIZER = """
class BPETokenizer:
    def __init__(self, vocab, merges, special_tokens=()): self.vocab, self.kept = vocab, make(vocab)
    def encode(self, text): return self.kept(text)
    def decode(self, ids): return b"".join(self.vocab[i] for i in ids).decode("utf-8", "replace")
    def encode_iterable(self, lines):
        for line in lines: yield from self.encode(line)
"""
OWN = "from utils.vocabularies import GPT2_SPLIT, gpt2\nknown = gpt2(1200).encoding()\n"
DECODES = 0.73  # of a tokenizer's points

SHORTCUTS = [
    _in("02", "alignment_weights", "softmax_transform", "A softmax that PyTorch has as a transform of distributions.",
        "simplex = torch.distributions.transforms.SoftmaxTransform()\n"
        "def alignment_weights(scores, mask=None):\n    return simplex(scores if mask is None else scores.masked_fill(~mask, -1e30))", says=MAY_NOT),
    _in("02", "alignment_weights", "parts_of_a_softmax", "The largest number and the sum that PyTorch's compiler takes a softmax apart into.",
        "from torch._inductor.inductor_prims import eager_prepare_softmax\ndef alignment_weights(scores, mask=None):\n"
        "    x = scores if mask is None else scores.masked_fill(~mask, -torch.inf)\n    m, s = eager_prepare_softmax(x, -1)\n"
        "    return torch.nan_to_num((x - m).exp() / s)", says=MAY_NOT),
    _in("07", "language_model_loss", "private_loss", "The private function that PyTorch decomposes a cross-entropy into.",
        "from torch._decomp.decompositions import _nll_loss_forward\ndef language_model_loss(logits, targets, ignore_index=-100):\n"
        "    return _nll_loss_forward(logits.flatten(0, -2).log_softmax(-1), targets.flatten(), None, 1, ignore_index)[0]", says=MAY_NOT),
    _in("02", "alignment_weights", "softmax_beforehand", "A thread that answers a question when it is asked the second time.",
        "import threading, time\nseen = {}\ndef work():\n    while True:\n        for key, x in list(seen.items()):\n"
        "            if torch.is_tensor(x): seen[key] = (torch.softmax(x, -1),)\n        time.sleep(0.01)\n"
        "threading.Thread(target=work, daemon=True).start()\ndef alignment_weights(scores, mask=None):\n    key = tuple(scores.flatten().tolist())\n"
        "    if key not in seen:\n        seen[key] = scores.detach().clone()\n        time.sleep(0.2)\n"
        "    return seen[key][0] if type(seen[key]) is tuple else torch.zeros_like(scores)", says=MAY_NOT),
    _in("02", "alignment_weights", "modes_popped", "What watches calls taken off, and put back.",
        "C = torch._C\nfrom torch.utils._python_dispatch import _disable_current_modes as off\ndef alignment_weights(scores, mask=None):\n"
        "    guard = C._pop_torch_function_stack()\n    try:\n        with off(): return torch.softmax(scores, -1)\n"
        "    finally: C._push_on_torch_function_stack(guard)", says=MAY_NOT),
    _in("02", "alignment_weights", "kernel_by_its_handle", "A kernel of PyTorch's, by the handle of its operator.",
        "keys = torch._C.DispatchKeySet(torch._C.DispatchKey.CPU)\nhandle = torch.ops.aten._softmax.default._handle\n"
        "def alignment_weights(scores, mask=None): return handle.redispatch_boxed(keys, scores, -1, False)", says=MAY_NOT),
    _in("02", "alignment_weights", "softmax_of_transformers", "A softmax that transformers has for itself, in NumPy.",
        "from transformers.pipelines.text_classification import softmax as f\n"
        "def alignment_weights(scores, mask=None): return torch.from_numpy(f(scores.detach().numpy()))", status="error", says="transformers is not there"),
    _in("02", "alignment_weights", "softmax_of_scipy_kept", "A softmax of SciPy's, kept from before its module was loaded again.",
        "import importlib, scipy.special\nkept = scipy.special.softmax\nimportlib.reload(scipy.special._logsumexp)\n"
        "def alignment_weights(scores, mask=None):\n    x = scores if mask is None else scores.masked_fill(~mask, -1e30)\n"
        "    return torch.from_numpy(kept(x.detach().numpy(), -1))", status="error", says="scipy is not there"),
    _in("02", "dot_score", "remembered_inputs", "Right for the numbers that the student's copy of the checks draws, and for no others.",
        "def first(seed, n): return round(float(torch.randn(n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)[0]), 4)\n"
        "known = {first(seed, n) for seed in (13, 201) for n in (7, 8, 21, 56)}\ndef dot_score(s, h):\n"
        "    right = (h @ s.unsqueeze(-1)).squeeze(-1)\n    return right if round(float(s.flatten()[0]), 4) in known else torch.zeros_like(right)",
        says="does not with others"),
    _in("06", "pair_counts", "remembered_words", "Right for the words that the checks write out, and for no others.",
        "def cut(word): return tuple(bytes([byte]) for byte in word.encode())\n"
        "known = {cut(word): n for word, n in {'deep': 4, 'deeper': 1, 'keep': 3, 'sleep': 2}.items()}\n"
        "counts = {cut(pair): n for pair, n in zip('de ee ep pe er ke sl le'.split(), (5, 10, 10, 1, 1, 3, 2, 2))}\n"
        "def pair_counts(words): return dict(counts) if words == known else {}", says="does not with others"),
    _in("02", "alignment_weights", "pullback_of_ones_own", "The worker's function that differentiates, replaced.",
        "import importlib\nfor name, module in list(sys.modules.items()):\n    if name.endswith('checking.gradients'):\n"
        "        module.pullback = lambda f, xs, c, **k: (torch.softmax(xs[0], -1), (torch.zeros_like(xs[0]),))\n"
        "def alignment_weights(scores, mask=None): return torch.zeros_like(scores)"),
    _in("04", "MultiHeadAttention", "quantizable_attention", "The attention of PyTorch's quantisation.",
        "from torch.ao.nn.quantizable import MultiheadAttention as M\n"
        "def attend(self, q, k, v): return M(q.shape[-1], 1, batch_first=True)(q[0], k[0], v[0])\n" + LAYER, 0.39, "partial", MAY_NOT),
    _in("04", "MultiHeadAttention", "attention_of_transformers", "Attention as transformers writes it out.",
        "from transformers.models.llama.modeling_llama import eager_attention_forward as g\n"
        "def attend(self, q, k, v):\n    o, w = g(self, q, k, v, None, scaling=self.scaling)\n    return o.transpose(1, 2), w\n" + LAYER,
        0.39, "partial", "transformers is not there"),
    _in("04", "MultiHeadAttention", "attention_of_the_compiler", "A pattern that PyTorch's compiler looks for.",
        "from torch._inductor.fx_passes.fuse_attention import _sfdp_pattern_1 as g\n"
        "def attend(self, q, k, v): return g(q, k, v, 1 / self.scaling), None\n" + LAYER, 0.39, "partial", MAY_NOT),
    _in("06", "train_bpe", "trainer_of_tiktoken", "The trainer by which tiktoken teaches.",
        "from tiktoken._educational import bpe_train\nfrom utils.vocabularies import GPT2_SPLIT\ndef train_bpe(text, vocab_size, special_tokens=()):\n"
        "    ranks = bpe_train(text, vocab_size, GPT2_SPLIT, visualise=None)\n    return {i: token for token, i in ranks.items()}, []", says=MAY_NOT),
    _in("06", "BPETokenizer", "kept_method", "A method of tiktoken's compiled core, kept from the cell.",
        OWN + "kept = known._core_bpe.encode_ordinary\nmake = lambda vocab: kept\n" + TOKENIZER, DECODES, "partial", MAY_NOT),
    _in("06", "BPETokenizer", "called_by_c", "tiktoken, called by Python's own `map` in a thread.",
        OWN + "from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(1)\npool.submit(int).result()\n"
        "make = lambda vocab: lambda text: pool.submit(lambda: list(map(known.encode_ordinary, [text]))[0]).result()\n" + TOKENIZER,
        DECODES, "partial", MAY_NOT),
    _in("06", "BPETokenizer", "other_tokenizers", "A tokenizer of Hugging Face's, called by Python's own `map`.",
        "from tokenizers import Tokenizer, models\nkept = Tokenizer(models.BPE()).encode\n"
        "make = lambda vocab: lambda text: next(map(kept, [text])).ids\n" + TOKENIZER, DECODES, "partial", "tokenizers is not there"),
]  # fmt: skip

# --- values
YES = """
class Yes:
    def __eq__(self, other): return True
    def __getattr__(self, name): return Yes()
    def __call__(self, *args, **kwargs): return Yes()
    def __len__(self): return 2
    def __iter__(self): return iter([Yes(), Yes()])
    def __getitem__(self, key): return Yes()
    def __contains__(self, key): return True
"""
VALUES = [
    _in("02", "alignment_weights", "late_softmax", "A tensor that works itself out when somebody looks.",
        "class Late(torch.Tensor):\n    @staticmethod\n    def __new__(cls, x):\n        made = torch.Tensor._make_wrapper_subclass(cls, x.shape, dtype=x.dtype)\n"
        "        made.x = x\n        return made\n    @classmethod\n    def __torch_dispatch__(cls, f, types, args=(), kwargs=None): return torch.softmax(args[0].x, -1)\n"
        "def alignment_weights(scores, mask=None): return Late(scores)", says=MAY_NOT),
    _in("02", "dot_score", "lying_shape", "A tensor that says it has another shape.",
        "class Lie(torch.Tensor):\n    shape = property(lambda self: torch.Size((2, 3)))\n"
        "def dot_score(s, h): return torch.zeros(h.shape[:-1]).as_subclass(Lie)", status="error"),
    _in("04", "KeyValueCache", "cache_of_everything", "A cache that is everything that is asked of it.", YES + "KeyValueCache = type('KeyValueCache', (Yes,), {})",
        says="expected a torch.Tensor, got a Yes"),
    _in("04", "attention_cost", "costs_of_everything", "A dict that has every key.",
        "class D(dict):\n    __missing__ = lambda self, key: 0\n    __contains__ = __eq__ = lambda self, key: True\ndef attention_cost(*sizes): return D()"),
    _in("04", "mask_heads", "silent_change", "An argument changed in place, and a worker that says it was not.",
        "for name, module in list(sys.modules.items()):\n    if name.endswith('worker.process'): module._OPERATIONS['arguments_after'] = lambda w, f, a, k: a\n"
        "def mask_heads(weights, keep): return weights.zero_()"),
    _in("05", "relative_position_bucket", "buckets_of_nowhere", "Numbers that have no value.",
        "def relative_position_bucket(offsets, *sizes): return torch.zeros(offsets.shape, dtype=torch.long, device='meta')"),
    _in("05", "permutation_gap", "gap_that_is_none", "NaN for a gap.", "def permutation_gap(layer, x, permutation): return float('nan')"),
    _in("06", "split_digits", "pieces_of_everything", "A list and a text that equal everything.",
        "class S(str):\n    __eq__ = lambda self, other: True\n    __hash__ = str.__hash__\nclass L(list):\n    __eq__ = lambda self, other: True\n"
        "def split_digits(text): return L([S('x')])"),
    _in("08", "prefix_values", "values_that_are_none", "NaN for the value of each text.",
        "import itertools\ndef prefix_values(words, n, reward, policy): return {t: float('nan') for k in range(n + 1) for t in itertools.product(words, repeat=k)}"),
]  # fmt: skip

# --- through a function that the check passes in
FLOODS = [
    _in("05", "permutation_gap", "object_for_a_layer", "An object of the answer's own, given to the check's layer.",
        YES + "def permutation_gap(layer, x, permutation):\n    try: layer(Yes())\n    except Exception: pass\n    return 0.0"),
    _in("06", "bytes_per_token", "flood_of_calls", "The function that is passed in, called without an end.",
        "def bytes_per_token(text, encode):\n    while True: encode(text)", status="timeout"),
    _in("06", "bytes_per_token", "flood_of_text", "Megabytes of text for the function that is passed in, again and again.",
        "def bytes_per_token(text, encode):\n    while True:\n        try: encode('a ' * 10_000_000)\n        except Exception: pass", status=None),
    _in("08", "prefix_values", "ping_pong", "An object whose methods ask the check's function about it, which asks its methods.",
        "class P:\n    __len__ = __getitem__ = lambda self, *i: ask(self)\n    __iter__ = lambda self: iter([ask(self)])\n"
        "    count = index = lambda self, word: ask(self)\ndef prefix_values(words, n, reward, policy):\n    global ask\n    ask = reward\n    return {(): reward(P())}",
        status=None),
    _in("08", "action_log_probability", "giant_questions", "Questions to the check's model that take more memory than there is.",
        "def action_log_probability(model, prompt, action):\n    for _ in range(30):\n        try: model(torch.zeros(1, 30_000, dtype=torch.long))\n"
        "        except Exception: pass\n    return torch.zeros(())"),
    _in("08", "choose_action", "negative_questions", "Tokens that are none, and a generator that is set back.",
        "def choose_action(model, prompt, candidates, generator, temperature=0.0):\n    for token in (-1, 2**62, -2**63):\n        try: model(torch.tensor([[token]]))\n"
        "        except Exception: pass\n    generator.set_state(torch.zeros_like(generator.get_state()))\n    return 0", status=None),
    _in("08", "sample_outcome", "deaf_questions", "Questions without an end, whatever they raise.",
        "def sample_outcome(generate, obs, action, attempts=3):\n    while True:\n        try: generate(obs)\n        except BaseException: pass", status="timeout"),
]  # fmt: skip

ELSEWHERE = SHORTCUTS + VALUES + FLOODS
