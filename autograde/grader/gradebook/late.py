"""What being late costs: a share of the points, or points, for each day or hour begun. nbgrader asks this as its own plugin."""

from __future__ import annotations

import math
import re
from pathlib import Path

from nbgrader.plugins import LateSubmissionPlugin
from traitlets import TraitError, Unicode, validate

from autograde.checking.errors import UserError
from autograde.files import write
from autograde.grader.gradebook.course_dir import config_file

FORM = "`10%/day`, `5%/hour up to 50%`, `2 points/day` or `none`"
RULE = re.compile(r"(\d+(?:\.\d+)?)\s*(%|points?)\s*/\s*(day|hour)(?:,?\s+up to\s+(\d+(?:\.\d+)?)\s*%)?")
SECONDS = {"day": 86400, "hour": 3600}
SET_BY = "# set by `autograde due --late`"


def penalty(rule: str, score: float, late: float) -> float:
    """The points that are taken off a score, for being `late` seconds late.

    `%` is of the points that the submission earned; a day or an hour that has begun counts whole.

    Raises:
        UserError: for a rule that is none.
    """
    found = RULE.fullmatch(rule.strip())
    if not found:
        raise UserError(f"{rule!r} is no rule for late submissions: they look like {FORM}")
    amount, unit, period, most = float(found[1]), found[2], found[3], found[4]
    begun = math.ceil(late / SECONDS[period])
    cost = begun * (amount / 100 * score if unit == "%" else amount)
    return round(max(0.0, min(cost, score, score * float(most) / 100 if most else score)), 2)


class LateRule(LateSubmissionPlugin):
    """nbgrader's plugin; the rule stands in the course's `nbgrader_config.py` as `c.LateRule.rule`."""

    rule = Unicode("", help=f"such as {FORM}").tag(config=True)

    @validate("rule")
    def _is_rule(self, proposal: dict[str, str]) -> str:
        try:
            penalty(proposal["value"], 0.0, 0.0)
        except UserError as error:
            raise TraitError(str(error)) from None
        return proposal["value"]

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float | None:
        return penalty(self.rule, score, total_seconds_late)


def set_rule(folder: Path, rule: str) -> None:
    """Write the rule into a course directory's `nbgrader_config.py`, in place of an earlier one; `none` takes it away.

    Raises:
        UserError: for a rule that is none.
    """
    path = config_file(folder)
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.endswith(SET_BY)]
    if rule != "none":
        penalty(rule, 0.0, 0.0)
        lines += [
            f'c.AssignLatePenalties.plugin_class = "{LateRule.__module__}.{LateRule.__name__}"  {SET_BY}',
            f"c.LateRule.rule = {rule.strip()!r}  {SET_BY}",
        ]
    write(path, ("\n".join(lines) + "\n").encode())
