"""Answers that the known mistakes do not name: every wrong one loses points, every right one, however unusual, keeps them all."""

import zlib
from pathlib import Path

import pytest

from autograde import layout
from autograde.authoring.strength import mutation
from autograde.authoring.strength.mutation import Bench, Specimen, specimens_in

SAMPLE = 18  # of so many answers every run of the tests tries one
LESSONS = layout.lesson_names()
LONG = ("01", "06")  # several seconds each: they wait for the long suite


def held_out(lesson: str) -> list:
    """Those that were thought of (`lesson_NN.py`, `second_NN.py`) and those that people wrote in public (`public_NN.py`)."""
    paths = sorted((Path(__file__).parent / "held_out").glob(f"*_{lesson[:2]}.py"))
    return [specimen for path in paths for specimen in specimens_in(path)]


def survivors(lesson: str, chosen) -> list[str]:
    bench = Bench(lesson)
    findings = [bench.try_specimen(specimen) for specimen in held_out(lesson) if chosen(specimen)]
    return [f"{f.specimen.exercise}/{f.specimen.name}: {f.result.message or 'survived'}" for f in findings if not f.as_it_should]


def test_there_are_many_of_both():
    wrong, right = ([s for lesson in LESSONS for s in held_out(lesson) if s.wrong is kind] for kind in (True, False))
    assert len(wrong) >= 450 and len(right) >= 90


@pytest.mark.parametrize("lesson", [pytest.param(name, marks=pytest.mark.slow) if name[:2] in LONG else name for name in LESSONS])
def test_a_sample_of_the_held_out_answers(lesson):
    assert survivors(lesson, lambda specimen: zlib.crc32(f"{specimen.exercise}/{specimen.name}".encode()) % SAMPLE == 0) == []


def endless(*arguments):
    while True:
        pass


def test_an_answer_that_never_ends_is_stopped(monkeypatch):
    monkeypatch.setattr(mutation, "SECONDS", 0.1)
    finding = Bench("03_self_attention").try_specimen(Specimen("causal_mask", "endless", "It never ends.", endless))
    assert finding.as_it_should and not finding.recognised and finding.result.status == "timeout"


@pytest.mark.soak
@pytest.mark.parametrize("lesson", LESSONS)
def test_every_held_out_answer(lesson):
    assert survivors(lesson, lambda specimen: True) == []
