"""What `check(...)` shows: a few lines of text, and the same as HTML for notebooks."""

from __future__ import annotations

from html import escape

from autograde.checking.runner import Outcome
from autograde.checking.scoring import Result, tell

SIGNS = {"passed": "✓", "not_attempted": "·"}
COLOURS = {"passed": "#0F766E", "partial": "#B45309", "not_attempted": "#6B7280"}
WRONG = "#B91C1C"


class Report:
    """A result that displays itself: `_repr_html_` in notebooks, `str` in terminals."""

    def __init__(self, result: Result) -> None:
        self.result = result

    def __str__(self) -> str:
        lines = [headline(self.result)]
        if self.result.diagnosis:
            lines.append(f"  → {self.result.diagnosis}")
        lines += [f"  {SIGNS.get(o.status, '✗')} {o.title}" + _reason(o, "\n      ") for o in shown(self.result)]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        colour = COLOURS.get(self.result.status, WRONG)
        body = f'<div style="font-weight:600;color:{colour}">{escape(headline(self.result))}</div>'
        if self.result.diagnosis:
            body += f'<div style="margin:4px 0;padding:4px 8px;background:#FEF3C7;color:#1F2937">{escape(self.result.diagnosis)}</div>'
        rows = "".join(_row(outcome) for outcome in shown(self.result))
        body += f'<ul style="list-style:none;margin:4px 0 0;padding:0">{rows}</ul>' if rows else ""
        return f'<div style="border-left:4px solid {colour};padding:4px 10px;line-height:1.5">{body}</div>'


def headline(result: Result) -> str:
    """One line: the exercise, how it stands, its points."""
    if result.status == "passed":
        return f"✓ {result.exercise}: all {len(result.outcomes)} checks passed{_points(result)}"
    if result.status == "not_attempted":
        return f"· {result.exercise}: not written yet{_points(result)}"
    passed = [o for o in result.outcomes if o.passed]
    idle = ", no more than by an answer that does nothing" if passed and all(o.trivial for o in passed) else ""
    return f"✗ {result.exercise}: {len(passed)} of {len(result.outcomes)} checks passed{idle}{_points(result)}"


def shown(result: Result) -> list[Outcome]:
    """The outcomes worth a line: none of an unwritten answer, where every check says the same."""
    return [] if result.status == "not_attempted" else result.outcomes


def _points(result: Result) -> str:
    return f" · {result.score:g} of {result.points:g} points" if result.points else " · ungraded"


def _reason(outcome: Outcome, before: str) -> str:
    return "" if outcome.passed else before + tell(outcome)


def _row(outcome: Outcome) -> str:
    sign = SIGNS.get(outcome.status, "✗")
    colour = COLOURS["passed"] if outcome.passed else WRONG
    reason = f'<div style="margin-left:1.4em;color:#374151">{escape(tell(outcome))}</div>' if not outcome.passed else ""
    return f'<li><span style="color:{colour}" aria-hidden="true">{sign}</span> {escape(outcome.title)}{reason}</li>'
