"""The README's measured lines, filled in from `docs/measured`: run `python -m autograde.authoring.readme` after measuring."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from autograde.authoring.measuring import benchmark_tables
from autograde.files import write
from autograde.layout import ROOT

README = ROOT / "README.md"
MEASURED = ROOT / "docs" / "measured"


def strength() -> str:
    """Three lines about the checks: wrong answers caught, recognised by name, right ones accepted."""
    rows = _table("strength")["rows"]
    caught, wrong, known, accepted, right = (
        sum(numbers) for numbers in zip(*((*_pair(row[2]), int(row[3]), *_pair(row[4])) for row in rows), strict=True)
    )
    return (
        f"- {caught:,} of {wrong:,} known wrong answers lose points;\n"
        f"- {known:,} of them are called by name, as in the picture;\n"
        f"- {accepted:,} of {right:,} right answers written in unusual ways get all points."
    )


def speed() -> str:
    """One line about grading a class, against stock nbgrader in the same run."""
    rows = {row[0]: row for row in _table("grading")["rows"]}
    stock, ours = (float(rows[name][3]) for name in ("stock nbgrader", "this grader, 2 cores"))
    return f"stock nbgrader {stock:.1f} s a submission, this grader {ours:.1f} s on two cores ({stock / ours:.0f} times faster, measured in one run)"


def gpu() -> str:
    """Whether lesson 07's run was measured on a GPU, and what came out."""
    return benchmark_tables.gpu_status()


FACTS: dict[str, Callable[[], str]] = {"strength": strength, "speed": speed, "gpu": gpu}


def filled(text: str) -> str:
    """The README with every `<!-- name -->…<!-- /name -->` up to date."""
    for name, fact in FACTS.items():
        text = re.sub(rf"(<!-- {name} -->\s*?\n?).*?(\n?<!-- /{name} -->)", partial(_with, fact), text, flags=re.DOTALL)
    return text


def _with(fact: Callable[[], str], place: re.Match[str]) -> str:
    return place[1] + fact() + place[2]


def _table(name: str) -> dict[str, Any]:
    return json.loads((MEASURED / f"{name}.json").read_text(encoding="utf-8"))


def _pair(cell: str) -> tuple[int, int]:
    """`12 of 13` as two numbers."""
    part, whole = cell.split(" of ")
    return int(part), int(whole)


if __name__ == "__main__":
    write(README, filled(README.read_text(encoding="utf-8")).encode())
