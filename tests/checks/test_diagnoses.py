"""A mistake is named only where it was made: no two known mistakes share an output, and no other answer is taken for one of them."""

from pathlib import Path

import pytest

from autograde import layout
from autograde.authoring.manifest import manifest
from autograde.authoring.strength.mutation import Bench, specimens_in
from autograde.checking.fingerprint import same

LESSONS = layout.lesson_names()
HELD_OUT = Path(__file__).parent / "held_out"


@pytest.mark.slow
@pytest.mark.parametrize("lesson", LESSONS)
def test_what_is_named_is_the_mistake_that_was_made(lesson):
    """A held-out answer that gives what a known mistake gives has its sentence as its label, by the hand of who compared the two."""
    bench = Bench(lesson)
    known = manifest(bench)["mistakes"]
    held_out = [specimen for path in sorted(HELD_OUT.glob(f"*_{lesson[:2]}.py")) for specimen in specimens_in(path)]
    wrong = []
    for specimen in [*bench.specimens, *held_out]:
        seen = bench.fingerprint(specimen)
        named = next((m["sentence"] for m in known[specimen.exercise] if seen and same(seen, m["fingerprint"])), specimen.sentence)
        if named != specimen.sentence:
            wrong.append(f"{specimen.exercise}/{specimen.name} ({specimen.sentence}) is told: {named}")
    assert wrong == []


def test_what_a_class_keeps_from_one_trial_does_not_show_in_the_next():
    bench = Bench(layout.resolve("04"))
    specimen = next(s for s in bench.specimens if s.name == "SharesMemory")
    alone = bench.fingerprint(specimen)
    bench.try_specimen(specimen)
    after = bench.fingerprint(specimen)
    assert alone and after and same(alone, after)
