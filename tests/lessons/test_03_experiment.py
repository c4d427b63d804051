"""What lesson 03 tells its readers, measured with its own reference answers."""

import math
import statistics

import pytest
import torch

from autograde import layout
from autograde.authoring import source
from utils import agreement
from utils.cost import measure


@pytest.fixture(scope="module")
def lesson():
    """Everything that the lesson's cells define, experiments and figures left out."""
    return source.namespace(source.read(layout.source_path("03_self_attention")))


def test_the_lectures_numbers(lesson):
    q, k = lesson["lecture_q"], lesson["lecture_k"]
    assert (q[0] @ k.T).tolist() == [112, 96]
    assert lesson["attention_scores"](q, k)[0].tolist() == [14, 12]
    _, weights = lesson["scaled_dot_product_attention"](q, k, lesson["lecture_v"])
    assert [round(w, 2) for w in weights[0].tolist()] == [0.88, 0.12]


def test_the_hand_made_rules_read_the_sentence(lesson):
    """'chasing' finds 'FBI', 'on' and 'run' find 'criminal'."""
    words = lesson["SENTENCE"]
    states, h_tilde, found = lesson["describe"](words), torch.zeros(6), {}
    for t in range(1, len(words)):
        weights = lesson["intra_attention_weights"](states[:t], states[t], h_tilde, *lesson["rules"]())
        h_tilde, found[words[t]] = weights @ states[:t], words[int(weights.argmax())]
    assert (found["chasing"], found["on"], found["run"]) == ("FBI", "criminal", "criminal")


def test_undivided_scores_stop_the_gradient(lesson):
    """The typical query's gradient is about seven times smaller at factor 8."""
    q, k, v, grad = torch.randn(4, 200, 10, 64, generator=torch.Generator().manual_seed(5))
    sizes = [float(lesson["attention_backward"](q * factor, k, v, grad)[0].norm(dim=-1).median()) for factor in (1, 8)]
    assert 6 < sizes[0] / sizes[1] < 8.5


def test_the_largest_of_ten_weights(lesson):
    """About 0.32 of the attention for the luckiest of ten keys, whatever d_k; nearly all of it for undivided scores."""
    generator = torch.Generator().manual_seed(7)
    for d_k in (16, 256):
        scores = lesson["attention_scores"](*torch.randn(2, 200, d_k, generator=generator)).reshape(-1, 10)
        assert math.isclose(float(scores.softmax(-1).amax(-1).mean()), 0.32, abs_tol=0.03)
    assert float((scores * 16).softmax(-1).amax(-1).mean()) > 0.9


def test_memory_is_quadratic_and_streaming_is_not(lesson):
    """Twice the text, four times the memory; two T × T matrices at the peak; a sixth of that at most when streaming at T = 2048."""

    def peak(attend, n):
        return measure(attend, *torch.randn(3, n, 64, generator=torch.Generator().manual_seed(1)), repeats=1).peak_bytes

    plain = [peak(lesson["scaled_dot_product_attention"], n) for n in (1024, 2048)]
    assert 3.9 < plain[1] / plain[0] < 4.1
    assert 2 <= plain[1] / (4 * 2048**2) < 2.1
    streaming = [peak(lambda q, k, v: lesson["streaming_attention"](q, k, v, 64), n) for n in (1024, 2048)]
    assert streaming[1] / streaming[0] < 2.1 and streaming[1] < plain[1] / 6


def test_time_is_more_than_linear(lesson):
    """From 256 to 2048 words, eight times as many, attention takes far more than eight times as long."""
    costs = [measure(lesson["scaled_dot_product_attention"], *torch.randn(3, n, 64), repeats=7).seconds for n in (256, 2048)]
    assert costs[1] / costs[0] > 12


def test_only_one_word_in_twelve_needs_the_long_look():
    data = agreement.sentences(500, torch.Generator().manual_seed(0))
    assert 11 < statistics.mean(data.lengths.tolist()) < 13
