"""The command line: `autograde COMMAND`, or `python -m autograde COMMAND` where it is not installed."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from autograde.commands.shared import app

READERS = ("student", "instructor", "exports", "author")  # in the order of --help; students have the first alone

for reader in READERS:
    if (Path(__file__).parent / "commands" / f"{reader}.py").exists():
        import_module(f"autograde.commands.{reader}")  # which adds its commands


def main() -> None:
    """What the installed script `autograde` runs."""
    app(prog_name="autograde")
