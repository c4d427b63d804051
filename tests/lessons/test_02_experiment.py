"""Lesson 02's claim, on the reference answers: with attention long dates are written right, without it they are not."""

import time

import pytest

from autograde import layout
from autograde.build import source
from utils import seq2seq

LONG = 40  # characters: from here on a source holds two dates


def train_both(lesson: dict, seed: int) -> tuple[float, float]:
    """Exact matches on long held-out sources: with attention, without."""
    train, test = lesson["make_data"](seed)
    long = [pair for pair in test if len(pair.source) >= LONG]
    assert len(long) >= 50
    models = lesson["train_looking"](train, seed), lesson["train_one_vector"](train, seed)
    return tuple(float(seq2seq.exact_matches(model, long).double().mean()) for model in models)


@pytest.fixture(scope="module")
def lesson() -> dict:
    return source.namespace(source.read(layout.source_path("02_attention_alignment")))


@pytest.mark.slow
def test_attention_reads_long_dates_and_one_vector_does_not(lesson):
    began = time.process_time()
    looking, one_vector = train_both(lesson, seed=0)
    assert looking >= 0.95
    assert one_vector <= 0.5
    # processor time (training runs on one thread), so that a busy machine does not fail it
    assert time.process_time() - began < 90
