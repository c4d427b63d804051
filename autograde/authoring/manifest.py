"""What students get besides the public checks: points, forbidden calls, and known mistakes as numbers without code."""

from __future__ import annotations

import json
from typing import Any

from autograde.authoring.strength.mutation import Bench
from autograde.checking.fingerprint import same


def manifest(bench: Bench) -> dict[str, Any]:
    """The content of `autograde/lessons/manifests/NN_name.json`."""
    exercises = {
        e.name: {"points": e.points, "forbids": list(e.forbids), "stretch": e.stretch, "outcome": e.outcome}
        for e in bench.source.exercises.values()
    }
    mistakes: dict[str, list] = {name: [] for name in exercises}
    fingerprints = [(specimen, bench.fingerprint(specimen)) for specimen in bench.specimens]
    right = [(specimen.exercise, seen) for specimen, seen in fingerprints if seen and not specimen.wrong]
    for specimen, seen in fingerprints:
        if not specimen.wrong or seen and any(specimen.exercise == name and same(seen, other) for name, other in right):
            continue  # what an unusual right answer gives names no mistake
        # two mistakes with one output cannot be told apart, so the first one speaks
        if seen and not any(same(seen, known["fingerprint"]) for known in mistakes[specimen.exercise]):
            mistakes[specimen.exercise].append({"sentence": specimen.sentence, "fingerprint": seen})
    return {"lesson": bench.source.name, "title": bench.source.title, "exercises": exercises, "mistakes": mistakes}


def text(content: dict[str, Any]) -> str:
    """One mistake a line, so that a change reads well in a diff."""
    lines = json.dumps(content, ensure_ascii=False, indent=1)
    return _join_short_lists(lines) + "\n"


def agrees(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two manifests say the same up to the last digits, which differ between machines."""
    if {**one, "mistakes": 0} != {**other, "mistakes": 0} or set(one["mistakes"]) != set(other["mistakes"]):
        return False
    for name, listed in one["mistakes"].items():
        counterpart = other["mistakes"][name]
        if [m["sentence"] for m in listed] != [m["sentence"] for m in counterpart]:
            return False
        if not all(same(a["fingerprint"], b["fingerprint"]) for a, b in zip(listed, counterpart)):
            return False
    return True


def _join_short_lists(text: str) -> str:
    """Numbers of one fingerprint on one line."""
    joined: list[str] = []
    inside = False
    for line in text.splitlines():
        if inside:
            joined[-1] += " " * (not joined[-1].endswith("[")) + line.strip()
            inside = not line.strip().startswith("]")
        else:
            joined.append(line)
            inside = line.endswith('"numbers": [')
    return "\n".join(joined)
