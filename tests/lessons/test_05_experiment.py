"""What lesson 05 tells its readers, measured with its own reference answers."""

import pytest
import torch

from autograde import layout
from autograde.build import source

LENGTHS = (32, 64, 128, 256)


@pytest.fixture(scope="module")
def lesson():
    """Everything that the lesson's cells define, experiments and figures left out."""
    return source.namespace(source.read(layout.source_path("05_positional_encoding")))


@pytest.fixture(scope="module")
def measured(lesson):
    """Mean accuracies at every length, by scheme and question, and the rotary models."""
    models = {(s, q): [lesson["train_short"](s, q, seed) for seed in (0, 1)] for s in lesson["SCHEMES"] for q in ("last", "first")}
    accuracies = {key: [mean_accuracy(lesson, runs, key[1], n) for n in LENGTHS] for key, runs in models.items()}
    return accuracies, {question: models["rotary", question] for question in ("last", "first")}


def mean_accuracy(lesson, models, question, length):
    return sum(lesson["accuracy_at"](model, question, length) for model in models) / len(models)


@pytest.mark.slow
def test_the_last_number(measured):
    """Only ALiBi keeps at 256 what it had at 32; all others end below one half, sinusoidal and learned ones near chance."""
    accuracies = {scheme: runs for (scheme, question), runs in measured[0].items() if question == "last"}
    assert all(runs[0] > 0.9 for scheme, runs in accuracies.items() if scheme != "none")
    assert 0.45 < accuracies["none"][0] < 0.65
    assert min(accuracies["ALiBi"]) > 0.9
    assert all(runs[1] < 0.75 and runs[3] < 0.5 for scheme, runs in accuracies.items() if scheme != "ALiBi")
    assert accuracies["learned"][2] < 0.3 and accuracies["sinusoidal"][3] < 0.3


@pytest.mark.slow
def test_the_first_number(measured):
    """The ranking turns around: learned positions carry over, ALiBi cannot learn the task, relative schemes fail at 64."""
    accuracies = {scheme: runs for (scheme, question), runs in measured[0].items() if question == "first"}
    assert min(accuracies["learned"]) > 0.95
    assert accuracies["ALiBi"][0] < 0.8 and accuracies["ALiBi"][1] < 0.45
    assert accuracies["rotary"][0] > 0.97 and accuracies["rotary"][1] < 0.4
    assert accuracies["T5 buckets"][0] > 0.75 and accuracies["T5 buckets"][1] < 0.4
    assert accuracies["sinusoidal"][1] > 0.85 > accuracies["sinusoidal"][2]


@pytest.mark.slow
def test_squeezed_positions_rescue_rotary_models(lesson, measured):
    """Without further training, well over three times as many right answers at 256."""
    for question, models in measured[1].items():
        plain = measured[0]["rotary", question]
        for length, least, before in ((64, 0.95, plain[1]), (128, 0.9, plain[2]), (256, 0.75, plain[3])):
            for model in models:
                model.turn = lambda x, positions, length=length: lesson["interpolated_rotary"](x, positions, 32, length)
            squeezed = mean_accuracy(lesson, models, question, length)
            assert squeezed > least and squeezed > before + 0.3
        for model in models:
            model.turn = lesson["rotary_embedding"]


@pytest.mark.slow
def test_a_shared_last_bucket_helps_t5(lesson, monkeypatch):
    """With max_distance 32 far keys share a trained bucket: about 80% at 256."""
    buckets = lesson["relative_position_bucket"]
    monkeypatch.setitem(lesson, "relative_position_bucket", lambda offsets: buckets(offsets, max_distance=32))
    models = [lesson["train_short"]("T5 buckets", "last", seed) for seed in (0, 1)]
    assert 0.65 < mean_accuracy(lesson, models, "last", 256) < 0.92


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_who_bites(lesson, seed):
    """At most one of each two orders without attention *and* positions; all with both, on pairs of nouns never seen together."""
    for attends, ordered in ((False, False), (False, True), (True, False)):
        assert 0.35 <= lesson["biter_accuracy"](attends, ordered, seed) <= 0.5
    assert lesson["biter_accuracy"](True, True, seed) == 1.0


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
