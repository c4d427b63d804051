"""Notebooks as other programs keep them: Databricks (the JSON in its archives, its scripts), Zeppelin, Deepnote. As cells, with their kinds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

ENDINGS = (".python", ".zpln", ".deepnote")  # in whose names nothing says that they are notebooks
SCRIPT = "# Databricks notebook source"
BETWEEN = re.compile(r"^# COMMAND -+[^\S\n]*$", re.MULTILINE)
MAGIC = re.compile(r"^# MAGIC ?", re.MULTILINE)
DEEPNOTE = re.compile(r"^project:[^\S\n]*\n(?: {1,8}\S.{0,500}\n){0,50}? {1,8}notebooks:[^\S\n]*$", re.MULTILINE)
LANGUAGE = re.compile(r"\A\s*%(?P<name>[\w.-]+)[^\S\n]*\n?")
WORDS, PYTHON = ("md", "md-sandbox", "markdown"), ("python", "py", "pyspark", "spark.pyspark", "python.ipython", "ipython")
Cells = list[tuple[str, str]]


def is_called_so(name: str) -> bool:
    return name.lower().endswith(ENDINGS)


def of_json(data: Any) -> Cells | None:
    """The cells of Databricks' or Zeppelin's JSON; None of any other."""
    if not isinstance(data, dict):
        return None
    commands, paragraphs = _dicts(data.get("commands")), _dicts(data.get("paragraphs"))
    if commands:
        return [_cell(command.get("command")) for command in sorted(commands, key=_position)]
    return [_cell(paragraph.get("text")) for paragraph in paragraphs] or None


def of_script(text: str) -> Cells | None:
    """The cells of a script that Databricks has written; None of any other."""
    if not text.lstrip().startswith(SCRIPT):
        return None
    return [_cell(MAGIC.sub("", part).strip("\n")) for part in BETWEEN.split(text.replace(SCRIPT, "", 1)) if part.strip()]


def of_deepnote(text: str) -> Cells | None:
    """The blocks of all notebooks of Deepnote's project; None of a file that is none."""
    if not DEEPNOTE.search(text):
        return None
    try:
        data = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError):
        return None
    project = data.get("project") if isinstance(data, dict) else None
    notebooks = _dicts(project.get("notebooks")) if isinstance(project, dict) else []
    return list(_blocks(notebooks))


def _blocks(notebooks: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for notebook in notebooks:
        for block in _dicts(notebook.get("blocks")):
            if isinstance(content := block.get("content"), str):
                yield "code" if block.get("type") == "code" else "markdown", content


def _cell(text: Any) -> tuple[str, str]:
    """What a cell holds by the magic that it begins with."""
    source = text if isinstance(text, str) else ""
    found = LANGUAGE.match(source)
    if found and found["name"] in WORDS:
        return "markdown", source[found.end() :]
    return "code", source[found.end() :] if found and found["name"] in PYTHON else source


def _position(command: Mapping[str, Any]) -> float:
    position = command.get("position")
    return position if isinstance(position, (int, float)) else 0.0


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
