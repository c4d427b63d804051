"""Experiments of a lesson: registered by its script in benchmarks/lessons/, run over several seeds, kept as JSON."""

from __future__ import annotations

import ast
import io
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from autograde import layout
from autograde.authoring import source as lesson_source
from autograde.authoring.measuring import benchmark_tables, program

SCRIPTS = layout.ROOT / "benchmarks" / "lessons"
PRESENTATION = ("lesson", "plots", "figured", "themes", "curve")  # modules of utils that draw or tell, and change no number
SEEDS = (0, 1, 2, 3, 4)
DIGITS = 6  # significant; what is left out is another machine's rounding


@dataclass(frozen=True)
class Experiment:
    """`run(lesson, seed)` gives numbers, nested by name; `budget` says how much was trained or sampled."""

    name: str
    run: Callable[[SimpleNamespace, int], Mapping[str, Any]]
    seeds: tuple[int, ...]
    budget: dict[str, float]


def experiment(name: str, seeds: Sequence[int] = SEEDS, **budget: float) -> Callable[[Callable], Callable]:
    """Mark a function of a script as an experiment.

    The function takes the lesson's names (its answers and helpers, as attributes) and a seed, and returns numbers by name, nested as it
    likes. At least five seeds; an experiment without chance in it takes `seeds=(0,)`.
    """

    def keep(run: Callable) -> Callable:
        run.experiment = Experiment(name, run, tuple(seeds), budget)  # type: ignore[attr-defined]
        return run

    return keep


def script_path(lesson: str) -> Path:
    return SCRIPTS / f"{lesson}.py"


def experiments(lesson: str) -> dict[str, Experiment]:
    """The experiments of a lesson by name; none where it has no script."""
    path = script_path(lesson)
    names = vars(layout.load_module(path, f"experiments_{lesson}")) if path.exists() else {}
    found = [value.experiment for value in names.values() if isinstance(getattr(value, "experiment", None), Experiment)]
    return {one.name: one for one in found}


def lesson_names(lesson: str) -> SimpleNamespace:
    """What an experiment gets: the lesson's answers, helpers and constants as attributes."""
    return SimpleNamespace(**program.namespace(lesson_source.read(layout.source_path(lesson))))


def digests(lesson: str) -> dict[str, str]:
    """For each experiment a digest of its own code, of what it uses of the lesson, and of what both import."""
    path = script_path(lesson)
    if not path.exists():
        return {}
    own = program.statements(path.read_text(encoding="utf-8"))
    of_lesson = program.definitions(lesson_source.read(layout.source_path(lesson)))
    found = {}
    for name, registered in experiments(lesson).items():
        script = program.closure(own, [registered.run.__name__])
        attributes = {attribute for statement in script for attribute in _attributes(statement, "lesson")}
        found[name] = program.digest([*program.closure(of_lesson, attributes), *script], PRESENTATION)
    return found


def run_once(experiment: Experiment, names: SimpleNamespace, seed: int) -> dict[str, float]:
    """The numbers of one seed by their full names, such as `one_vector.periods`; by one thread, so that sums are made in one order."""
    import torch  # here, since the process that holds the gradebook reads a lesson's numbers and needs no PyTorch

    torch.set_num_threads(1)
    with redirect_stderr(io.StringIO()):  # progress bars
        return dict(_flat(experiment.run(names, seed)))


def measure(lesson: str, experiment: Experiment, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Run an experiment over its seeds: its entry in the lesson's file, without the digest."""
    names, began, runs = lesson_names(lesson), time.perf_counter(), []
    for seed in experiment.seeds:
        runs.append(run_once(experiment, names, seed))
        say(f"{lesson[:2]} {experiment.name}, seed {seed}: {time.perf_counter() - began:.0f} s")
    return {
        "seeds": list(experiment.seeds),
        "budget": experiment.budget,
        "seconds": round(time.perf_counter() - began),
        "date": date.today().isoformat(),
        "machine": benchmark_tables.machine(),
        "versions": benchmark_tables.versions(),
        "numbers": {key: _summary([run[key] for run in runs]) for key in runs[0]},
    }


def differences(lesson: str, experiment: Experiment, entry: Mapping[str, Any]) -> list[str]:
    """What the last seed gives now and did not give when `entry` was measured: empty after a change of the code that changes no number."""
    if entry["seeds"] != list(experiment.seeds) or entry["budget"] != experiment.budget:
        return ["it has other seeds or another budget"]
    run, kept = run_once(experiment, lesson_names(lesson), experiment.seeds[-1]), entry["numbers"]
    if set(run) != set(kept):
        return ["it gives other numbers"]
    pairs = [(name, _kept(run[name]), kept[name]["values"][-1]) for name in run]
    return [f"{name} is {now} and was {then}" for name, now, then in pairs if now != then]


def save(lesson: str, entries: Mapping[str, Any]) -> Path:
    """Write the lesson's file, experiments in the order of the script."""
    path = benchmark_tables.FOLDER / f"{lesson[:2]}.json"
    content = {"lesson": lesson, "command": f"python -m autograde measure {lesson[:2]}", "experiments": dict(entries)}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path


def _summary(values: Sequence[float]) -> dict[str, Any]:
    kept = [_kept(value) for value in values]
    return {"mean": _kept(sum(values) / len(values)), "min": min(kept), "max": max(kept), "values": kept}


def _kept(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _flat(numbers: Mapping[str, Any], prefix: str = "") -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    for key, value in numbers.items():
        if "." in (name := str(key).replace(" ", "_")):
            raise ValueError(f"{prefix}{key}: a name holds no full stop, since it separates names")
        if isinstance(value, Mapping):
            found += _flat(value, f"{prefix}{name}.")
        elif not math.isfinite(value):
            raise ValueError(f"{prefix}{name} is {value}: no number to keep")
        else:
            found.append((f"{prefix}{name}", float(value)))
    return found


def _attributes(statement: program.Statement, of: str) -> set[str]:
    nodes = ast.walk(statement.tree)
    return {n.attr for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == of}
