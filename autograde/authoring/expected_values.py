"""Write down what the oracles of a lesson say to its public checks: see `autograde.checking.expected`."""

from __future__ import annotations

import json
from typing import Any

from autograde import layout
from autograde.authoring.strength.mutation import Bench
from autograde.checking import expect, expected
from autograde.checking.errors import CheckFailed, UserError
from autograde.checking.runner import run


def record(bench: Bench) -> expected.Values:
    """The expected values of the lesson's public checks, asked for beside the reference answers.

    Raises:
        UserError: when a reference answer fails a check, for it has not asked for all then.
    """
    name = bench.source.name
    path = layout.oracles_path(name)
    if not path.exists():
        return {}
    oracles = vars(layout.load_module(path, f"oracles_of_{name}"))
    with expected.recording(oracles) as values:
        for exercise in bench.lesson.exercises.values():
            for check in bench.lesson.checks[exercise.name]:
                outcome = None if check.hidden or exercise.outcome else run(check, bench.student())
                if outcome is not None and not outcome.passed:
                    raise UserError(f"the reference answer of {exercise.name} fails {check.name}: {outcome.message} {outcome.detail}")
    return values


def text(values: expected.Values) -> str:
    """A line for each value, so that a change reads well in a diff."""
    checks = (
        f" {json.dumps(check)}: [\n" + ",\n".join(f"  {json.dumps(one, ensure_ascii=False)}" for one in listed) + "\n ]"
        for check, listed in values.items()
    )
    return "{\n" + ",\n".join(checks) + "\n}\n"


def write(bench: Bench) -> None:
    """Write `autograde/lessons/expected/NN_name.json`, unless it says the same up to the last digits, which differ between machines."""
    values = record(bench)
    path = layout.expected_path(bench.source.name)
    if not path.exists() or not agrees(expected.read(bench.source.name), values):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text(values), encoding="utf-8")


def agrees(one: expected.Values, other: expected.Values) -> bool:
    """Whether two records hold the same values up to rounding."""
    if {check: [name for name, _ in listed] for check, listed in one.items()} != {
        check: [name for name, _ in listed] for check, listed in other.items()
    }:
        return False
    return all(_same(a, b) for check, listed in one.items() for (_, a), (_, b) in zip(listed, other[check]))


def _same(one: Any, other: Any) -> bool:
    try:
        expect.close(expected.decode(one), expected.decode(other), where="")
    except CheckFailed:
        return False
    return True
