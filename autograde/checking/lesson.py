"""A lesson as the grader sees it: its exercises, their checks and probes, and the fingerprints of known mistakes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from autograde import layout
from autograde.checking.errors import UserError
from autograde.checking.manifest import Exercise, read_manifest
from autograde.checking.runner import Check, collect


@dataclass(frozen=True)
class Mistake:
    """A known wrong answer: what a student should read, and what its output on the probe looks like."""

    sentence: str
    fingerprint: Mapping[str, Any]

    @property
    def key(self) -> str:
        """What tells this mistake from others, whatever its sentence says."""
        return hashlib.sha256(json.dumps(self.fingerprint, sort_keys=True).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Lesson:
    """Everything needed to check a lesson's answers, in a kernel or in the grader."""

    name: str
    title: str
    exercises: dict[str, Exercise]
    checks: dict[str, list[Check]]
    probes: dict[str, Callable[[Any], Any]] = field(default_factory=dict)
    mistakes: dict[str, list[Mistake]] = field(default_factory=dict)
    device_probes: dict[str, Callable[[Any], Any]] = field(default_factory=dict)  # called on the pretend GPU instead of the probe

    @property
    def points(self) -> float:
        return sum(exercise.points for exercise in self.exercises.values())


def load_lesson(name: str, hidden: bool = False) -> Lesson:
    """The lesson from its generated manifest and its public checks; with `hidden`, the hidden ones too."""
    known = read_manifest(name)
    exercises = {key: Exercise(key, e["points"], tuple(e["forbids"]), e["stretch"], e["outcome"]) for key, e in known["exercises"].items()}
    mistakes = {key: [Mistake(m["sentence"], m["fingerprint"]) for m in listed] for key, listed in known["mistakes"].items()}
    checks, (probes, device_probes) = _checks(name, exercises, hidden), _probes(name)
    return Lesson(name, known["title"], exercises, checks, probes, mistakes, device_probes)


def assemble_lesson(name: str, title: str, exercises: dict[str, Exercise], hidden: bool = True) -> Lesson:
    """The lesson before its manifest is built: without fingerprints."""
    checks, (probes, device_probes) = _checks(name, exercises, hidden), _probes(name)
    return Lesson(name, title, exercises, checks, probes, device_probes=device_probes)


def _checks(name: str, exercises: dict[str, Exercise], hidden: bool) -> dict[str, list[Check]]:
    found = collect(layout.checks_path(name))
    if hidden and layout.hidden_path(name).exists():
        found += collect(layout.hidden_path(name), hidden=True)
    checks: dict[str, list[Check]] = {key: [] for key in exercises}
    for check in found:
        if check.exercise not in checks:
            raise UserError(f"{check.name} checks {check.exercise!r}, which lesson {name} does not have")
        checks[check.exercise].append(check)
    if lacking := [key for key, listed in checks.items() if not listed]:
        raise UserError(f"lesson {name} has no check for {', '.join(lacking)}")
    return checks


def _probes(name: str) -> tuple[dict[str, Callable], dict[str, Callable]]:
    """The fixed inputs on which mistakes are recognised, and those that are called on the pretend GPU instead, which is slower."""
    module = layout.load_module(layout.checks_path(name), f"probes_of_{name}")
    return getattr(module, "PROBES", {}), getattr(module, "DEVICE_PROBES", {})
