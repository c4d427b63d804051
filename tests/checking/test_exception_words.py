"""Exceptions of PyTorch and Python, provoked here, are told in a student's words, with what the check had called."""

import linecache

import pytest
import torch
from torch import nn

from autograde.checking.errors import StudentError
from autograde.checking.report import Report, lines_of
from autograde.checking.result import Outcome, Result
from autograde.checking.runner import Check, run
from autograde.checking.status import CheckStatus
from autograde.checking.student import LocalStudent

FORBIDDEN = (
    "mat1",
    "size of tensor a",
    "inplace operation",
    "state_dict",
    "torch.Size",
    "grad_output",
    "non-singleton",
    "NoneType",
    "stride",
    "operand",
    "TensorList",
    "equal size",
    "prob_dist",
    "batch1",
    "sparse_coo",
    "hidden0",
    "random_",
    "int64_t",
    "normalized_shape",
    "position 1",
    "invalid combination",
)


def said(code, call):
    """What a failing check says of an answer in a notebook's cell."""
    name = "<a cell>"
    linecache.cache[name] = len(code), None, code.splitlines(keepends=True), name
    names = {"torch": torch, "nn": nn}
    exec(compile(code, name, "exec"), names)
    outcome = run(Check("answer", 1, "check", "title", False, lambda student: call(student), {}), LocalStudent(names))
    assert not outcome.passed
    return f"{outcome.message}: {outcome.detail}"


X, W = torch.ones(3, 5), torch.ones(4, 5)
ANSWERS = {
    "a product": ("def answer(x, w):\n    return x @ w", "(3, 5) @ (4, 5)"),
    "a sum": ("def answer(x, w):\n    return x + w", "dimension 0 has size"),
    "a view": ("def answer(x, w):\n    return x.mT.view(15)", "`reshape`"),
    "a shape": ("def answer(x, w):\n    return x.reshape(2, 7)", "15 numbers"),
    "a dimension": ("def answer(x, w):\n    return x.sum(3)", "Dimension 3"),
    "in place": (
        "def answer(x, w):\n    y = (x.requires_grad_() * 2).exp()\n    y += 1\n    return torch.autograd.grad(y.sum(), x)",
        "in place",
    ),
    "expanded": ("def answer(x, w):\n    y = x[:1].expand(4, 5)\n    y += 1", "`clone()`"),
    "a condition": ("def answer(x, w):\n    if x > 0:\n        return w", "torch.where"),
    "dtypes": ("def answer(x, w):\n    return x.double() @ w.mT", "dtypes"),
    "dtypes of layers": ("def answer(x, w):\n    return nn.Linear(5, 2).double()(x)", "dtypes"),
    "joined": ("def answer(x, w):\n    return torch.cat([x, w[None]])", "2 and 3 dimensions"),
    "nothing drawn": ("def answer(x, w):\n    return torch.multinomial(0 * x[0], 1)", "probability 0"),
    "a row": ("def answer(x, w):\n    return nn.Embedding(3, 2)(torch.tensor([3]))", "embedding has no row"),
    "nothing": ("def answer(x, w):\n    y = None\n    return y.sum()", "return"),
    "letters": ("def answer(x, w):\n    return torch.einsum('ij,ik->jk', x, w)", "letter i stands for 3 numbers"),
    "letters for dimensions": ("def answer(x, w):\n    return torch.einsum('bij,kj->bik', x, w)", "3 letters for a tensor of 2"),
    "stretched": ("def answer(x, w):\n    return x.expand(2, 3, 4)", "has size 5 and cannot be stretched to 4"),
    "turned around": ("def answer(x, w):\n    return ~x", "boolean mask"),
    "filled": ("def answer(x, w):\n    return x.masked_fill(x, 0)", "`masked_fill` wants a boolean mask"),
    "a choice": ("def answer(x, w):\n    return torch.where(x, 1, 0)", "boolean condition"),
    "a mask as index": (
        "def answer(x, w):\n    return x[torch.ones(4, dtype=torch.bool)]",
        "(4) is put as an index into a tensor of the shape (3, 5)",
    ),
    "none to join": ("def answer(x, w):\n    return torch.stack([])", "the list is empty"),
    "unlike ones to stack": (
        "def answer(x, w):\n    return torch.stack([x[0], x[1], x[1, 1:]])",
        "the first has (5), number 2 (counted from 0) has (4)",
    ),
    "a number to join": ("def answer(x, w):\n    return torch.cat([x[0], torch.tensor(1.0)])", "`torch.stack`"),
    "many rows": ("def answer(x, w):\n    return torch.multinomial(x[None], 1)", "two dimensions"),
    "cut": ("def answer(x, w):\n    return x.unflatten(-1, (2, 2))", "size 5 is to be cut into (2, 2)"),
    "pieces": ("def answer(x, w):\n    return x.split([2, 2], -1)", "pieces of (2, 2)"),
    "bmm": ("def answer(x, w):\n    return torch.bmm(x, w.mT)", "three dimensions"),
    "a vector turned": ("def answer(x, w):\n    return x[0].mT", "last two dimensions"),
    "ids": ("def answer(x, w):\n    return nn.Embedding(3, 2)(x)", "integers"),
    "a Python number": ("def answer(x, w):\n    return x / torch.sqrt(5)", "gets a Python int"),
    "permuted": ("def answer(x, w):\n    return x.permute(2, 0, 1)", "`permute` gets 3 dimensions"),
    "an entry": ("def answer(x, w):\n    return x[3]", "Index 3 is out of range: dimension 0 has size 3"),
    "an index": ("def answer(x, w):\n    return x[x[0]]", "`.long()`"),
    "gathered": ("def answer(x, w):\n    return x.gather(-1, torch.tensor([0]))", "as many dimensions"),
    "a gradient twice": (
        "def answer(x, w):\n    y = x.requires_grad_().exp().sum()\n    y.backward()\n    y.backward()",
        "computed twice",
    ),
    "a gradient of many": ("def answer(x, w):\n    x.clone().requires_grad_().exp().backward()", "wants one"),
    "no number": ("def answer(x, w):\n    return x[:0].reshape(0, -1)", "write the size out"),
    "pairs": ("def answer(x, w):\n    return torch.view_as_complex(x[:2].mT)", "`contiguous()`"),
    "a norm": ("def answer(x, w):\n    return nn.LayerNorm(4)(x)", "(4) numbers and gets the shape (3, 5)"),
    "a recurrent layer": ("def answer(x, w):\n    return nn.GRUCell(4, 2)(x)", "inputs of 4 numbers and gets 5"),
    "no super": (
        "class Layer(nn.Module):\n    def __init__(self):\n        self.w = nn.Linear(2, 2)\n\n\ndef answer(x, w):\n    return Layer()",
        "`super().__init__()`",
    ),
    "a plain parameter": ("def answer(x, w):\n    nn.Linear(2, 2).weight = x", "nn.Parameter"),
    "something typed": ("def answer(x, w):\n    raise EOFError('EOF when reading a line')", "nobody answers"),
    "a GPU": ("def answer(x, w):\n    raise AssertionError('Torch not compiled with CUDA enabled')", "device=x.device"),
    "a claim of one's own": ("def answer(x, w):\n    assert x is w, 'they differ'", "Your code raised AssertionError: they differ: line 2"),
    "an empty range": ("def answer(x, w):\n    return torch.randint(2, 2, (3,))", "empty range"),
    "formatted": ("def answer(x, w):\n    return f'{x:.2f}'", "`.item()`"),
    "minus infinity": ("def answer(x, w):\n    return x.long().masked_fill(x > 0, float('-inf'))", "floating point"),
    "no dimension": ("def answer(x, w):\n    return x.cumsum()", "`dim=-1`"),
    "other arguments": ("def answer(x, w):\n    return torch.isin(x, [1, 2])", "types: Tensor, list"),
    "a lower triangle": ("def answer(x, w):\n    return torch.tril(x[0])", "`torch.tril` wants 2 dimension(s)"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_exception_is_told_in_words(name):
    code, words = ANSWERS[name]
    message = said(code, lambda student: student.answer(X.clone(), W.clone()))
    assert words in message and not any(word in message for word in FORBIDDEN)
    assert "line " in message and "w (4, 5)" in message  # where, and what the check had given


def test_an_argument_that_was_bound_anew_is_not_told():
    message = said("def answer(x, w):\n    w = w.mT\n    return x @ w.mT @ w.mT", lambda student: student.answer(X, W))
    assert "x (3, 5)" in message and " w (" not in message


def test_a_call_with_other_arguments_is_no_matter_of_the_result():
    assert "`answer`" in said("def answer(x):\n    return x", lambda student: student.answer(X, W))
    assert "'mask'" in said("def answer(x, w, mask):\n    return x", lambda student: student.answer(X, W))
    assert "`device`" in said("def answer(x):\n    return x", lambda student: student.answer(X, device="cpu"))
    message = said("class answer(nn.Module):\n    def forward(self, x):\n        return x", lambda student: student.answer()(X, W))
    assert "`answer`" in message and "signature" in message


class Wide(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.bias = nn.Linear(3, 3, bias=False), nn.Parameter(torch.ones(1))


def test_other_parameters_are_named():
    def load(student):
        Wide().load_state_dict({"q.weight": torch.ones(2, 3), "k.weight": torch.ones(1)})

    message = said("answer = 1", load)
    assert "`q.weight` has the shape (3, 3) and should have (2, 3)" in message and "there is no `k.weight`" in message
    assert "`bias` should not be there" in message and not any(word in message for word in FORBIDDEN)


def test_a_result_of_another_shape_is_no_matter_of_gradients():
    def check(student):
        student.pullback(student.answer, (X, W), torch.ones(3, 1))

    message = said("def answer(x, w):\n    return x.sum(-1)", check)
    assert "(3,)" in message and "(3, 1)" in message and not any(word in message for word in FORBIDDEN)


def test_the_same_words_come_from_the_grader():
    def check(student):
        raise StudentError("mat1 and mat2 shapes cannot be multiplied (3x5 and 4x5)", type_name="RuntimeError", line="line 2: return x @ w")

    assert said("answer = 1", check) == (
        "A matrix product does not fit, (3, 5) @ (4, 5): rows of 5 numbers meet columns of 4: line 2: return x @ w"
    )


def test_no_title_and_no_reason_is_said_twice():
    def outcome(title, message):
        status = CheckStatus.FAILED if message else CheckStatus.PASSED
        return Outcome(title, title, status, 1, False, message)

    lines = lines_of([outcome("a", ""), outcome("a", "no"), outcome("a", "no"), outcome("b", "no"), outcome("c", ""), outcome("c", "")])
    assert [(line.title, line.reasons) for line in lines] == [
        ("a (1 of 3 inputs pass)", ["no"]), ("b", ["the same as above"]), ("c", []),
    ]  # fmt: skip


def test_a_report_shows_names_between_backticks_as_code_and_nothing_else_as_markup():
    outcomes = [Outcome("t", "`device` is <used>.", "failed", 1, False, "`q` is None")]
    html = Report(Result("f", 0, 1, "failed", outcomes, "It builds on `attention_scores`; a ` alone stays."))._repr_html_()
    assert "builds on <code>attention_scores</code>; a ` alone stays." in html
    assert "<code>device</code> is &lt;used&gt;." in html and "<code>q</code> is None" in html
