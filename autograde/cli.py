"""The command line: `autograde COMMAND`, or `python -m autograde COMMAND` where it is not installed."""

from __future__ import annotations

import sys
from importlib import import_module
from io import TextIOWrapper

from autograde.commands.shared import app
from autograde.commands.signs import PLAIN
from autograde.layout import PACKAGE

# in the order of --help; students have the first alone
COMMANDS = ("commands.student", "grader.commands", "grader.written.command", "exports.commands", "authoring.commands")

for module in COMMANDS:
    if PACKAGE.joinpath(*module.split(".")).with_suffix(".py").exists():
        import_module(f"autograde.{module}")  # which adds its commands


def main(name: str = "autograde") -> None:
    """What the installed script `autograde` runs."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=PLAIN)  # a terminal without ✓ shows +, and `doctor` can say why
    app(prog_name=name)
