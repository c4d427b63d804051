"""Who sees only ticks at home loses little: a mistake that costs much fails a public check, too."""

from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from autograde import layout
from autograde.authoring.strength.mutation import Bench, Specimen, specimens_in
from autograde.authoring.strength.unseen import MUCH, unseen
from autograde.cli import app

HELD_OUT = Path(__file__).parent / "held_out"
LEFT = {
    "01": {
        # made up against the checks: right in the first hundred steps or episodes, and wrong after them
        ("q_planning", "stops when converged"),
        ("dyna_q", "real update twice"),
    },
    "05": {
        ("shift_matrix", "lstsq"),  # solved from a table: it fails at sizes that no public check has
        ("LearnedPositionalEmbedding", "a random place in the table"),  # it draws, and passes the public checks now and then
    },
    "08": {("plan_action", "Ties go to the last action; the first should win.")},  # one answer draws, and passes one time in three
}


@pytest.mark.soak  # no landing waits for it: answers that draw pass public checks now and then
@pytest.mark.parametrize("lesson", layout.lesson_names())
def test_a_mistake_that_costs_much_is_seen_at_home(lesson):
    bench, number = Bench(lesson), lesson[:2]
    held_out = [answer for path in sorted(HELD_OUT.glob(f"*_{number}.py")) for answer in specimens_in(path)]
    found = [one for one in unseen(bench, [*bench.specimens, *held_out]) if one.lost >= MUCH]
    assert [str(one) for one in found if (one.specimen.exercise, one.specimen.sentence) not in LEFT.get(number, set())] == []


def for_short_texts(n, device=None):
    return torch.ones(512, 512, device=device).tril()[:n, :n].bool()


def always_on_the_cpu(n, device=None):
    return torch.ones(n, n).tril().bool()


def above(n, device=None):
    return torch.ones(n, n, device=device).triu().bool()


SITUATIONS = {
    "hidden checks alone see it": (for_short_texts, "It breaks off.", ["test_a_long_causal_mask"]),
    "a public check sees it": (above, "It looks ahead.", []),
    "the pretend GPU sees it": (always_on_the_cpu, "It ignores the device.", []),
    "it is right": (lambda n, device=None: torch.ones(n, n, device=device).tril().bool(), "", []),
}


@pytest.fixture(scope="module")
def bench():
    return Bench("03_self_attention")


@pytest.mark.parametrize(("answer", "sentence", "checks"), SITUATIONS.values(), ids=SITUATIONS)
def test_what_counts_as_unseen(bench, answer, sentence, checks):
    found = unseen(bench, [Specimen("causal_mask", "an answer", sentence, answer)])
    assert [check for one in found for check in one.failed] == checks
    assert all(0 < one.lost < 1 for one in found)


def test_the_command_lists_them_with_what_they_lose():
    done = CliRunner().invoke(app, ["strength", "03", "--unseen", "--exercise", "causal_mask", "--also", str(HELD_OUT / "lesson_03.py")])
    assert done.exit_code == 0
    assert "causal_mask/causal_buffer loses 8% in test_a_long_causal_mask" in done.output
    assert "03_self_attention: wrong answers that pass all public checks: 1; that lose 12% or more: 0" in done.output
