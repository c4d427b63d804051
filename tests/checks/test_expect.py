"""The assertions of the checks: each can fail, and says why in words."""

import time

import pytest
import torch

from autograde.checking import expect
from autograde.checking.errors import CheckFailed
from autograde.checking.student import LocalStudent


def failure(function, *args, **kwargs):
    with pytest.raises(CheckFailed) as raised:
        function(*args, **kwargs)
    return f"{raised.value.summary} | {raised.value.detail}"


A = torch.arange(6.0).reshape(2, 3)


def test_close_tells_what_differs():
    expect.close(A + 1e-6, A, where="x")
    assert "wrong values" in failure(expect.close, A + 1, A, where="x (2, 3)")
    assert "expected shape (2, 3), got (3, 2) (the last two dimensions are swapped)" in failure(expect.close, A.mT, A, where="x")
    assert "expected float32, got float64" in failure(expect.close, A.double(), A, where="x")
    assert "NaN" in failure(expect.close, A * torch.nan, A, where="x")
    assert "is a `return` missing" in failure(expect.close, None, A, where="x")
    assert "index [1, 2]: expected 5, got 9" in failure(expect.close, A.where(A != 5, 9.0), A, where="x")
    assert "result 1" in failure(expect.close, (A, A + 1), (A, A), where="x")
    assert "expected a list of 1, got an int" in failure(expect.close, 5, [1.0], where="x")
    assert "wrong keys" in failure(expect.close, {"a": 1.0}, {"b": 1.0}, where="x")
    assert "expected 2,101,248, got 2,099,200" in failure(expect.close, 2_099_200, 2_101_248, where="x")  # counts have all their digits


def test_the_summary_holds_no_values():
    with pytest.raises(CheckFailed) as raised:
        expect.close(A + 1, A, where="a hidden input")
    assert not any(character.isdigit() for character in raised.value.summary)


def test_equal_is_exact_and_typed():
    expect.equal([1, "a"], [1, "a"], where="x")
    expect.equal(torch.tensor(3), 3, where="x")
    for got, want in ((1.0, 1), (True, 1), ([1], (1,)), ("a", "b"), (torch.tensor([1, 2]), torch.tensor([1, 3]))):
        failure(expect.equal, got, want, where="x")


def test_raises_wants_the_argument_named():
    def refuse(text):
        raise ValueError(text)

    expect.raises(ValueError, refuse, "d_model is 3", naming="d_model", where="x")
    assert "should name `d_model`" in failure(expect.raises, ValueError, refuse, "no", naming="d_model", where="x")
    assert "returned a result" in failure(expect.raises, ValueError, lambda: 1, where="x")
    said = failure(expect.raises, ValueError, lambda: torch.ones(2, 3) @ torch.ones(2, 3), where="x")
    assert "got RuntimeError" in said and "(2, 3) @ (2, 3)" in said and "mat1" not in said
    assert "expected a ValueError, got ZeroDivisionError" in failure(expect.raises, ValueError, lambda: 1 / 0, where="x")


def test_gradients_find_a_detached_path():
    student = LocalStudent({})
    inputs = (A.clone(), A.clone() + 1)
    expect.gradients(student, lambda x, y: (x * y).sum(-1), inputs, lambda x, y: (x * y).sum(-1), where="x")
    assert "no gradient reaches `y`" in failure(
        expect.gradients, student, lambda x, y: (x * y.detach()).sum(-1), inputs, lambda x, y: (x * y).sum(-1), where="x"
    )


def test_a_result_kept_from_the_call_before_is_found():
    kept = {}

    def cached(x):
        return kept.setdefault(x.shape, x * x)

    said = failure(expect.gradients, LocalStudent({}), cached, (A + 1,), lambda x: x * x, where="x")
    assert "second call" in said and "wrong values" not in said
    expect.gradients(LocalStudent({}), lambda x: x * x, (A + 1,), lambda x: x * x, where="x")
    said = failure(expect.computed_anew, A, A + 5, A + 1, where="x")
    assert "called again" in said and "wrong values" in said


def test_other_values_have_the_same_shapes_and_signs():
    mask = torch.tensor([True, False])
    x, same_mask, n = expect.other_values((A - 2, mask, 3))
    assert torch.equal(x.sign(), (A - 2).sign()) and (x != A - 2)[A != 2].sum() >= 4 and same_mask is mask and n == 3


def test_a_forgotten_return_is_no_matter_of_gradients():
    said = failure(expect.gradients, LocalStudent({}), lambda x: None, (A.clone(),), lambda x: x * 2, where="x")
    assert "return" in said and "gradient" not in said
    assert failure(expect.close, None, A, where="x").count("return") == 1  # said once


def test_float32_on_the_way_is_found():
    """The result has the right dtype and the values of float32."""
    expect.precise(lambda x: x.softmax(-1), lambda x: x.softmax(-1), A, where="x")
    nearly = failure(expect.precise, lambda x: x.float().softmax(-1).double(), lambda x: x.softmax(-1), A, where="x")
    assert "numbers are converted, or a small number is added" in nearly
    assert "a small number is added" in failure(expect.precise, lambda x: x.softmax(-1) + 1e-8, lambda x: x.softmax(-1), A, where="x")
    wrong = failure(expect.precise, lambda x: x.softmax(0), lambda x: x.softmax(-1), A, where="x")
    assert "wrong values" in wrong and "float32" not in wrong


def test_in_place_work_is_found():
    assert "`x` in place" in failure(expect.inputs_unchanged, LocalStudent({}), lambda x: x.add_(1), A.clone())
    expect.inputs_unchanged(LocalStudent({}), lambda x: x + 1, A)


def test_device_and_dtype():
    expect.follows_device(lambda x: torch.zeros(3, device=x.device) + x, torch.ones(3))
    failure(expect.follows_device, lambda x: torch.zeros(3), torch.ones(3))
    failure(expect.keeps_dtype, lambda x: x.float(), torch.ones(3))
    assert "as exact as float32" in failure(expect.keeps_dtype, lambda x: (x.float() * 2).double(), torch.ones(3))
    expect.keeps_dtype(lambda x: (x, torch.ones(3).double()), torch.ones(3))


def test_frequencies_take_one_number_a_draw():
    """A row of several numbers is no draw, and a list, a tensor and a column of them count alike."""
    draws = torch.tensor([0, 1] * 50)
    for same in (draws, draws.tolist(), draws[:, None], draws.double()):
        expect.frequencies(same, [0.5, 0.5], where="x")
    with pytest.raises((TypeError, ValueError, RuntimeError)):
        expect.frequencies(draws.reshape(50, 2), [0.5, 0.5], where="x")


def test_frequencies_have_power_and_patience():
    generator = torch.Generator().manual_seed(0)
    fair = torch.randint(3, (3000,), generator=generator)
    expect.frequencies(fair, [1 / 3] * 3, where="x")
    failure(expect.frequencies, fair, [0.45, 0.275, 0.275], where="x")
    assert "x: 2 was drawn, and has probability 0" in failure(expect.frequencies, fair, [0.5, 0.5, 0.0], where="x")


@pytest.mark.parametrize(
    "value", [[], (), {}, set(), [1, "a", b"b", None], (1,), ((1, 2), [3]), {"a": [1.5], 2: ()}, {3}, 1e10, True, "x" * 9]
)
def test_what_is_short_is_shown_as_python_writes_it(value):
    assert expect.show(value) == ("1e+10" if value == 1e10 else repr(value))


LONG = {
    "tensors": lambda: [torch.ones(())] * 200_000,
    "dict": lambda: dict.fromkeys(range(200_000), torch.ones(())),
    "text": lambda: "x" * 10**8,
    "number": lambda: 10**6000,
    "nested": lambda: [[["x"] * 1000] * 1000] * 1000,
}


@pytest.mark.parametrize("name", LONG)
def test_of_what_is_long_only_the_beginning_is_made(name):
    value = LONG[name]()
    began = time.process_time()
    assert len(expect.show(value)) <= 160
    assert time.process_time() - began < 1


def test_an_argument_is_told_by_its_name_or_its_place():
    class Tokenizer:
        def __init__(self, vocab, merges=()):
            self.vocab = vocab

        def encode(self, text):
            return text

    assert [expect.argument(f, 0) for f in (lambda x: x, Tokenizer, Tokenizer({}).encode)] == ["`x`", "`vocab`", "`text`"]
    elsewhere = type("Proxy", (), {"__call__": lambda self, *args: args})()  # as a function in another process is
    assert expect.argument(elsewhere, 1) == "the second argument" and expect.argument(elsewhere, 20) == "an argument"


def test_what_differs_is_seen_to_differ():
    """Two numbers that agree in six digits are shown with more; a list for a tuple is told; an iterator is no address in memory."""
    said = failure(expect.close, torch.tensor([1.0000001], dtype=torch.float64), torch.ones(1).double(), where="x", rtol=0, atol=0)
    assert "expected 1, got 1.0000001" in said
    assert "expected a tuple, (1,), got a list, [1]" in failure(expect.equal, [1], (1,), where="x")
    assert "0x" not in failure(expect.equal, iter([1]), [1], where="x") and "one by one" in failure(expect.equal, iter([1]), [1], where="x")
    said = failure(expect.close, {"a": 1, "c": 2}, {"a": 1}, where="x")
    assert "unexpected 'c'" in said and "missing" not in said
    said = failure(expect.close, {b"a": 0}, dict.fromkeys(range(300), 0), where="x")
    assert "missing 0, 1, 2, 3, 4, 5 and 294 more; unexpected b'a'" in said


def test_what_is_never_drawn_is_named():
    assert "never drawn: 2" in failure(expect.frequencies, [0, 1] * 500, [1 / 3] * 3, where="x")


def test_the_tensor_whose_device_counts_is_named():
    assert "device=lengths.device" in failure(expect.follows_device, lambda lengths: torch.zeros(3) + lengths, torch.ones(3))
    assert "device=device" in failure(expect.follows_device, lambda n, device=None: torch.zeros(n), 3, device="meta")


NAN, INFINITE = A * torch.nan, A + torch.inf


def test_what_is_no_number_is_no_difference():
    expect.differ(A, A + 1, "the same")
    assert "the same" in failure(expect.differ, A, A + 1e-5, "the same")
    for odd in (NAN, INFINITE, None):
        assert "not made of finite numbers" in failure(expect.differ, A, odd, "the same")


def test_numbers_that_are_all_the_same_are_found():
    expect.vary(A, where="x")
    assert "all numbers of the result are the same" in failure(expect.vary, A * 0, where="x")
    for odd in (NAN, INFINITE, None):
        assert "not made of finite numbers" in failure(expect.vary, odd, where="x")


def test_nan_has_no_dtype_to_keep():
    assert "NaN" in failure(expect.keeps_dtype, lambda x: x * torch.nan, A)


@pytest.mark.parametrize(
    "got, want, told",
    [
        ("\u0441at", "cat", "latin small letter c (U+0063) and cyrillic small letter es (U+0441)"),
        ("e\u0301", "\u00e9", "latin small letter e with acute (U+00E9) and latin small letter e (U+0065)"),
        (["\uff11"], ["1"], "digit one (U+0031) and fullwidth digit one (U+FF11)"),
        ("u", "\u00fc", None),
        ("the cat ", "the cat", None),
        ("\u0120the", " the", None),
    ],
)
def test_texts_that_look_alike_say_where_they_part(got, want, told):
    with pytest.raises(CheckFailed) as raised:
        expect.equal(got, want, where="a word")
    assert raised.value.detail.endswith(f"; they part at {told}") if told else "they part" not in raised.value.detail
