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
