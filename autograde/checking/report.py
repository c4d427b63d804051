"""What `check(...)` gives: the points as a number, which a notebook shows as a report and nbgrader reads as partial credit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Any

from autograde.checking.answers import RESULT_MIME
from autograde.checking.result import Outcome, Result, tell
from autograde.checking.status import CheckStatus, ExerciseStatus

CODE = re.compile(r"`([^`]+)`")
PUBLIC = "public checks"  # a notebook has no others: "all checks passed" would promise all points
SIGNS = {CheckStatus.PASSED: "✓", CheckStatus.NOT_ATTEMPTED: "·"}
# Text is the page's own, whatever its theme; an accent is mixed from it, so that it is read as well on a dark page as on a light one.
HUES = {ExerciseStatus.PASSED: "#15803d", ExerciseStatus.PARTIAL: "#b45309", ExerciseStatus.NOT_ATTEMPTED: "#6b7280"}
WRONG = "#dc2626"
ACCENT = "color-mix(in srgb, currentColor 55%, {})"
NOTE = "color-mix(in srgb, #f59e0b 16%, transparent)"
PRINTED = "color-mix(in srgb, currentColor 7%, transparent)"


class Report(float):
    """A result as its points: a plain number to `repr` and to nbgrader, a report to a notebook and to `str`."""

    result: Result
    answer: str

    def __new__(cls, result: Result, answer: str = "") -> Report:
        report = super().__new__(cls, result.score)
        report.result, report.answer = result, answer
        return report

    def __str__(self) -> str:
        lines = [headline(self.result, PUBLIC)]
        if self.result.diagnosis:
            lines.append(f"  → {self.result.diagnosis}")
        for line in lines_of(shown(self.result)):
            lines += [f"  {line.sign} {line.title}", *(f"      {reason}" for reason in line.reasons)]
        if printed := _printed(self.result):
            lines += ["  Your code printed:", *(f"      {line}" for line in printed.splitlines())]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return repr(float(self))

    def _repr_html_(self) -> str:
        accent = ACCENT.format(HUES.get(self.result.status, WRONG))
        body = f'<div style="font-weight:600;color:{accent}">{escape(headline(self.result, PUBLIC))}</div>'
        if self.result.diagnosis:
            body += f'<div style="margin:4px 0;padding:4px 8px;background:{NOTE}">{with_code(self.result.diagnosis)}</div>'
        body += _rows(self.result)
        if printed := _printed(self.result):
            pre = (
                f'<pre style="margin:2px 0;padding:4px 8px;background:{PRINTED};color:inherit;white-space:pre-wrap">{escape(printed)}</pre>'
            )
            body += f'<div style="margin-top:4px">Your code printed:</div>{pre}'
        return f'<div style="border-left:4px solid;border-left-color:{accent};padding:4px 10px;line-height:1.5">{body}</div>'

    @property
    def facts(self) -> dict[str, Any]:
        """The result as data, which the notebook keeps beside what it shows."""
        facts = {"exercise": self.result.exercise, "status": str(self.result.status), "score": float(self), "points": self.result.points}
        return facts | {"answer": self.answer, "waits_for": self.result.waits_for}

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {"text/plain": repr(self), "text/html": self._repr_html_(), RESULT_MIME: self.facts}


def with_code(text: str) -> str:
    """Text as HTML, what stands between two backticks as code."""
    return CODE.sub(r"<code>\1</code>", escape(text))


def headline(result: Result, checks: str = "checks") -> str:
    """One line: the exercise, how it stands, its points. `checks` are those that were run."""
    if result.status == ExerciseStatus.PASSED:
        return f"✓ {result.exercise}: all {len(result.outcomes)} {checks} passed{_points(result)}"
    if result.status == ExerciseStatus.NOT_ATTEMPTED:
        return f"· {result.exercise}: not written yet{_points(result)}"
    passed = [o for o in result.outcomes if o.passed]
    idle = ", all of which an empty answer passes, too" if passed and all(o.trivial for o in passed) else ""
    waits = f", waits for {', '.join(result.waits_for)}" if result.waits_for else ""
    return f"✗ {result.exercise}: {len(passed)} of {len(result.outcomes)} {checks} passed{idle}{waits}{_points(result)}"


def shown(result: Result) -> list[Outcome]:
    """The outcomes worth a line: none of an unwritten answer, where every check says the same."""
    return [] if result.status == ExerciseStatus.NOT_ATTEMPTED else result.outcomes


def _points(result: Result) -> str:
    return f" · {result.score:g} of {result.points:g} points" if result.points else " · ungraded"


def _printed(result: Result) -> str:
    """What the answer printed in the first check that failed, else in the first that printed."""
    told = [o for o in sorted(result.outcomes, key=lambda o: o.passed) if o.printed]
    return told[0].printed.rstrip() if told else ""


@dataclass
class Line:
    """What one check said, of all the inputs that it tried one after the other."""

    title: str
    status: CheckStatus
    reasons: list[str]

    @property
    def sign(self) -> str:
        return SIGNS.get(self.status, "✗")


def lines_of(outcomes: Sequence[Outcome]) -> list[Line]:
    """The outcomes as lines: those of one title in a row together, and no reason twice."""
    lines: list[Line] = []
    said: set[str] = set()
    for title, group in groupby(outcomes, key=lambda outcome: outcome.title):
        listed = list(group)
        failed = [outcome for outcome in listed if not outcome.passed]
        reasons = list(dict.fromkeys(tell(outcome) for outcome in failed))
        new = [reason for reason in reasons if reason not in said]
        said.update(new)
        if failed and not new:
            new = ["the same as above"]
        if len(listed) > 1 and failed:
            title = f"{title} ({len(listed) - len(failed)} of {len(listed)} inputs pass)"
        lines.append(Line(title, (failed or listed)[0].status, new))
    return lines


def _rows(result: Result) -> str:
    rows = "".join(map(_row, lines_of(shown(result))))
    listed = f'<ul style="list-style:none;margin:4px 0 0;padding:0">{rows}</ul>' if rows else ""
    if listed and result.waits_for:  # what its checks say now may come from the other answer's mistake
        return f'<details><summary style="cursor:pointer">What its checks say until then</summary>{listed}</details>'
    return listed


def _row(line: Line) -> str:
    accent = ACCENT.format(HUES[ExerciseStatus.PASSED] if line.status == CheckStatus.PASSED else WRONG)
    reasons = "".join(f'<div style="margin-left:1.4em">{with_code(reason)}</div>' for reason in line.reasons)
    return f'<li><span style="color:{accent}" aria-hidden="true">{line.sign}</span> {with_code(line.title)}{reasons}</li>'
