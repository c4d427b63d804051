"""The list of changes of a right answer that leave it right, each with its reason: `NN_name.equivalent.json` beside the known mistakes."""

from __future__ import annotations

import json

from autograde import layout


def read(lesson: str) -> dict[str, dict[str, str]]:
    """By exercise and change (of a node, or a kind of mistake), why the change breaks nothing that the exercise asks for."""
    path = layout.equivalent_path(lesson)
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def complaint(lesson: str, exercise: str, change: str, survived: bool) -> str:
    """What is wrong with a change that survived or was caught, given the list; nothing where the list says so."""
    listed = change in read(lesson).get(exercise, {})
    if survived == listed:
        return ""
    return f"{lesson}: {exercise}: {change} {'survived' if survived else 'is caught, and listed as changing nothing'}"


def unknown(lesson: str, tried: set[tuple[str, str]]) -> list[str]:
    """What the list holds that is none of the (exercise, change) tried, or has no reason."""
    listed = [(exercise, change, reason) for exercise, changes in read(lesson).items() for change, reason in changes.items()]
    return [f"{exercise}: {change}" for exercise, change, reason in listed if (exercise, change) not in tried or not reason.strip()]
