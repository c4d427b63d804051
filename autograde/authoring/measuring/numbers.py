"""Look measured numbers up: `{measured:EXPERIMENT.NAME:FORMAT}` in a lesson's text, and what was changed since they were measured."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable
from typing import Any

from autograde.authoring.measuring import benchmark_tables, experiments
from autograde.checking.errors import UserError

PLACEHOLDER = re.compile(r"\{measured:([^{}:\s]+)(?::([^{}\n]*))?\}")
STATISTICS = ("mean", "min", "max", "range")


class Numbers:
    """What was measured of one lesson."""

    def __init__(self, lesson: str) -> None:
        self.lesson = lesson
        self.path = benchmark_tables.FOLDER / f"{lesson[:2]}.json"
        content = json.loads(self.path.read_text(encoding="utf-8")) if self.path.exists() else {}
        self.experiments: dict[str, dict[str, Any]] = content.get("experiments", {})

    def runs(self, experiment: str) -> dict[int, dict[str, float]]:
        """An experiment's numbers by seed."""
        entry = self._entry(experiment)
        return {seed: {key: n["values"][i] for key, n in entry["numbers"].items()} for i, seed in enumerate(entry["seeds"])}

    def mean(self, experiment: str) -> dict[str, float]:
        """An experiment's numbers, each the mean over its seeds."""
        return {key: number["mean"] for key, number in self._entry(experiment)["numbers"].items()}

    def text(self, name: str, form: str = "") -> str:
        """A number as it is written in a text.

        Args:
            name: `gpu` for what was measured on a GPU, else `experiment.number` for the mean over the seeds; `.min`, `.max` or `.range` behind it for another statistic;
                `experiment.budget.NAME` for a part of the budget, `experiment.seeds` for how many seeds.
            form: Python's format of a number, such as `.2f` or `.0%`.

        Raises:
            ValueError: for a name that was not measured, or a format that is none.
        """
        if name == "gpu":
            return benchmark_tables.gpu_status()
        experiment, _, rest = name.partition(".")
        entry = self._entry(experiment)
        if rest == "seeds":
            return format(len(entry["seeds"]), form)
        if rest.startswith("budget.") and rest.removeprefix("budget.") in entry["budget"]:
            return format(entry["budget"][rest.removeprefix("budget.")], form)
        key, _, statistic = rest.rpartition(".") if rest.rpartition(".")[2] in STATISTICS else (rest, "", "mean")
        if key not in entry["numbers"]:
            raise UserError(f"of {experiment} nothing is measured by the name {key!r}; {_known(key, entry['numbers'])}")
        number = entry["numbers"][key]
        if statistic != "range":
            return format(number[statistic], form)
        low, high = format(number["min"], form), format(number["max"], form)
        return low if low == high else f"{low} to {high}"

    def fill(self, text: str) -> str:
        """The text with every placeholder replaced by its number.

        Raises:
            ValueError: for a placeholder that names nothing that was measured.
        """
        filled = PLACEHOLDER.sub(lambda match: self.text(match[1], match[2] or ""), text)
        if "{measured:" in filled:
            raise UserError(f"lesson {self.lesson}: no placeholder of a measured number: {filled[filled.index('{measured:') :][:60]!r}")
        return filled

    def stale(self) -> list[str]:
        """A line for each experiment that was not measured since its code, the lesson's or what they import was changed."""
        now = experiments.digests(self.lesson)
        outdated = [name for name, digest in now.items() if self.experiments.get(name, {}).get("digest") != digest]
        unknown = sorted(set(self.experiments) - set(now))
        again = f"run `python -m autograde measure {self.lesson[:2]}`"
        found = [f"lesson {self.lesson}: {name} was changed and not measured again: {again}" for name in outdated]
        return found + [f"lesson {self.lesson}: {name} was measured, and no experiment has that name: {again}" for name in unknown]

    def _entry(self, experiment: str) -> dict[str, Any]:
        if experiment not in self.experiments:
            known = _known(experiment, self.experiments)
            raise UserError(f"no experiment {experiment!r} is measured in docs/measured/{self.path.name}; {known}")
        return self.experiments[experiment]


def _known(name: str, names: Iterable[str]) -> str:
    """What there is in place of `name`, the likeliest first."""
    listed = list(names)
    near = difflib.get_close_matches(name, listed, n=1)
    if near:
        return f"is {near[0]!r} meant?"
    return f"there are {', '.join(listed)}" if listed else "there are none yet: see *Measured numbers* in docs/authoring.md"


def placeholders(text: str) -> list[str]:
    """The names of all placeholders in a text."""
    return [match[1] for match in PLACEHOLDER.finditer(text)]
