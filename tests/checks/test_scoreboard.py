"""The scoreboard at the end of a lesson: how each exercise stands, the sum, and what to do next."""

import pytest

from autograde.checking.scoring import Result
from autograde.notebook import Scoreboard

DONE, STRETCH = Result("first", 2.0, 2.0, "passed"), Result("extra", 0.0, 0.0, "not_checked")


@pytest.mark.parametrize(
    "status, word, advice",
    [
        ("not_checked", "check not run yet", "Next: run the check of second."),
        ("not_attempted", "not written yet", "Next: write second, then run its check."),
        ("partial", "partial", "Next: read what the check of second says."),
        ("passed", "passed", "Next: answer the written question, save the notebook, and hand it in."),
    ],
)
def test_it_says_how_things_stand_and_what_is_next(status, word, advice):
    board = Scoreboard([DONE, Result("second", 1.5 * (status == "passed"), 1.5, status), STRETCH])
    for shown in (str(board), board._repr_html_()):
        assert word in shown and advice in shown and "no points" in shown
        assert f"{2 + 1.5 * (status == 'passed'):g} of 3.5 automatic points" in shown
