"""What lesson 05 tells its readers beside its tables (claims/ has those), measured with its own reference answers."""

import pytest
import torch

from autograde import layout
from autograde.authoring import source


@pytest.fixture(scope="module")
def lesson():
    """Everything that the lesson's cells define, experiments and figures left out."""
    return source.namespace(source.read(layout.source_path("05_positional_encoding")))


def test_attention_gives_both_sentences_the_same_rows(lesson):
    x = torch.stack([lesson["DOG"], lesson["BITES"], lesson["MAN"]])
    reversal = torch.tensor([2, 1, 0])
    assert lesson["permutation_gap"](lesson["attention_layer"](), x, reversal) < 1e-5
    assert lesson["permutation_gap"](lesson["attention_layer"](causal=True), x, reversal) > 0.1
    encoding = lesson["sinusoidal_encoding"](3, lesson["SIZE"])
    assert lesson["permutation_gap"](lambda x: lesson["attention_layer"]()(x + encoding), x, reversal) > 0.1


def test_the_texts_are_what_the_lesson_says(lesson):
    """The answer is the number named last (or first); every text begins with a number, about 15% of the rest are numbers."""
    generator = torch.Generator().manual_seed(5)
    for question in ("last", "first"):
        ids, answers, letters = lesson["number_texts"](40, 50, question, generator)
        assert torch.equal(letters, ids >= lesson["N_VALUES"]) and not letters[:, 0].any()
        assert 0.1 < (~letters[:, 1:]).double().mean() < 0.2
        for row, answer in zip(ids.tolist(), answers.tolist()):
            named = [[i for i in row[: t + 1] if i < lesson["N_VALUES"]] for t in range(50)]
            assert answer == [numbers[-1 if question == "last" else 0] for numbers in named]
