"""Kinds of mistake that any answer can make: each changes what it says it does, and the checks of every exercise catch it."""

import pytest
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from autograde import layout
from autograde.authoring.strength import equivalents, kinds
from autograde.authoring.strength.kinds import KINDS, altered
from autograde.authoring.strength.mutation import Bench


def add(x: Float[Tensor, "*batch T"], y: Float[Tensor, "*batch T"]) -> Float[Tensor, "*batch T"]:
    return x + y


def draw(values: list[int], generator: torch.Generator) -> Tensor:
    if not values:
        raise ValueError("values must not be empty")
    return torch.rand(len(values), generator=generator)


class Scale(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(1 / 3, dtype=torch.float64))

    def forward(self, x: Float[Tensor, "*batch T"]) -> Float[Tensor, "*batch T"]:
        return x * self.factor


X = torch.linspace(0, 1, 5, dtype=torch.float64)


def furthest(got: Tensor, want: Tensor) -> float:
    assert got.dtype == want.dtype
    return float((got - want).detach().abs().max())


def test_float32_inside_loses_digits_and_keeps_the_dtype():
    module = altered(Scale, "computes in float32")()
    for error in (furthest(altered(add, "computes in float32")(X, X / 3), X * 4 / 3), furthest(module(X), X / 3)):
        assert 1e-12 < error < 1e-6
    assert module.factor.dtype == torch.float64


def test_without_gradient():
    assert not altered(add, "cuts the gradient")(X.clone().requires_grad_(), X).requires_grad
    assert not altered(Scale, "cuts the gradient")()(X).requires_grad


def test_a_cache_by_shape_gives_the_first_result_again():
    cached = altered(add, "caches by shape")
    assert torch.equal(cached(X, X), cached(3 * X, X)) and torch.equal(cached(X[:2], X[:2]), 2 * X[:2])


def table(n: int, base: float = 2.0) -> Tensor:
    return torch.full((n,), base)


def masked(
    x: Float[Tensor, "*batch T"], mask: Bool[Tensor, "*batch T"] | None = None, power: int | None = None
) -> Float[Tensor, "*batch T"]:
    return (x if mask is None else x * mask) ** (power or 1)


def test_an_argument_is_forgotten():
    """In a cache of results by all others, and where the first value is used again for others of the same sizes."""
    cached = altered(table, "caches by all but base")
    assert cached(2, 3.0)[0] == 3 and cached(2, 5.0)[0] == 3 and cached(3, 5.0)[0] == 5
    kept, mask = altered(masked, "keeps the first mask"), X > 0.3
    assert torch.equal(kept(X, mask), X * mask) and torch.equal(kept(2 * X, ~mask), 2 * X * mask) and torch.equal(kept(X[:2]), X[:2])


def test_an_argument_can_be_forgotten_where_something_may_be_kept_of_it():
    assert kinds.forgetful(table) == ["caches by all but n", "caches by all but base", "keeps the first n", "keeps the first base"]
    assert kinds.forgetful(masked) == ["keeps the first mask", "keeps the first power"]
    assert kinds.forgetful(draw) == kinds.forgetful(Scale) == []


def test_an_argument_is_changed_after_the_result_is_made():
    x, y, values = X.clone(), X.clone(), [1, 2]
    assert torch.equal(altered(add, "changes y")(x, y), 2 * X) and torch.equal(x, X) and not torch.equal(y, X)
    altered(draw, "changes values")(values, torch.Generator())
    altered(Scale, "changes x")()(x)
    assert values == [] and not torch.equal(x, X)


def test_generators():
    def seeded() -> torch.Generator:
        return torch.Generator().manual_seed(0)

    own = altered(draw, "has a generator of its own")
    assert not torch.equal(own([1, 2], seeded()), own([1, 2], seeded()))
    generator, still = seeded(), altered(draw, "leaves the generator as it was")
    assert torch.equal(still([1, 2], generator), still([1, 2], generator))
    assert torch.equal(still([1, 2], generator), draw([1, 2], seeded()))


def test_errors_and_dimensions():
    assert altered(draw, "raises no error")([], torch.Generator()) is None
    for kind, refused in (("needs a batch dimension", X), ("has one batch dimension at most", X.expand(2, 3, 5))):
        with pytest.raises(IndexError):
            altered(add, kind)(refused, refused)
        with pytest.raises(IndexError):
            altered(Scale, kind)()(refused)
        assert altered(add, kind)(X.expand(2, 5), X.expand(2, 5)).shape == (2, 5)


def test_another_layer_in_eval_mode():
    module = altered(Scale, "is another layer in eval mode")()
    assert torch.equal(module(X), X / 3) and torch.equal(module.eval()(X), X / 3 + 1)


def test_a_kind_applies_where_the_signature_says_so():
    floats, draws = ({kind for kind in KINDS if kinds.applies(kind, right, "raise ValueError")} for right in (add, draw))
    assert set(KINDS) - floats == {"has a generator of its own", "leaves the generator as it was", "is another layer in eval mode"}
    assert {"has a generator of its own", "leaves the generator as it was", "raises no error"} <= draws
    assert not {"computes in float32", "needs a batch dimension"} & draws
    assert {kind for kind in KINDS if kinds.applies(kind, Scale, "")} == floats - {"raises no error"} | {"is another layer in eval mode"}


def test_survivors_need_a_reason(monkeypatch):
    bench = Bench("03_self_attention")
    monkeypatch.setattr(equivalents, "read", lambda lesson: {"attention_scores": {"caches by shape": "a wrong reason"}})
    assert ["caches by shape is caught" in line for line in kinds.complaints(bench, ["attention_scores"])] == [True]


@pytest.mark.soak
@pytest.mark.parametrize("lesson", layout.lesson_names())
def test_every_kind_is_caught_wherever_it_applies(lesson):
    assert kinds.complaints(Bench(lesson)) == []
