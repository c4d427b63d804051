"""What was measured, on which machine and when: one JSON file a table in `docs/measured/`, from which the site's tables are made."""

from __future__ import annotations

import json
import os
import platform
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from autograde import layout
from autograde.checking.errors import UserError

FOLDER = layout.ROOT / "docs" / "measured"
NAMES = "Exercise"  # a column of names of Python's, shown as code
PACKAGES = ("torch", "nbgrader", "tokenizers", "tiktoken")


@dataclass(frozen=True)
class Measured:
    """One table: `command` is how to measure it again, `note` what a reader must know to read it."""

    title: str
    command: str
    columns: list[str]
    rows: list[list[str]]
    note: str = ""
    date: str = field(default_factory=lambda: date.today().isoformat())
    machine: str = field(default_factory=lambda: machine())
    versions: dict[str, str] = field(default_factory=lambda: versions())

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.title}: the row {row} has {len(row)} entries for {len(self.columns)} columns")


def save(name: str, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], note: str = "") -> Path:
    """Write a table as measured here and now by the command that runs; return the file.

    Entries are written as they should be read: numbers already rounded, with their unit in the column.
    """
    table = Measured(title, _command(), list(columns), [[str(entry) for entry in row] for row in rows], note)
    path = FOLDER / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(table), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path


def load(path: Path) -> Measured:
    """Read a table.

    Raises:
        ValueError: for a file that is none, with what to do.
    """
    try:
        return Measured(**json.loads(path.read_text(encoding="utf-8")))
    except (TypeError, ValueError) as error:
        raise UserError(f"{path.name} is no measured table ({error}): write it again with the --save of what measured it") from None


def gpu_status() -> str:
    """What the README and the lessons say of GPUs: what `benchmarks/gpu.py` measured of lesson 07's run, or that nobody did yet."""
    path = FOLDER / "gpu.json"
    if not path.exists():
        return "not measured on a GPU yet"
    table = load(path)
    rows = {what: result for what, result in table.rows}
    loss, text, steps, minutes = (rows[f"lesson 07's run: {what}"] for what in ("held-back loss", "text", "steps", "minutes"))
    return f"measured on {rows['card']} on {table.date}: held-back loss {loss} on {text} after {steps} steps, in {minutes} minutes"


def markdown(table: Measured, level: int = 2) -> str:
    """The table as Markdown, under a heading, with how, when and where it was measured."""
    made_with = ", ".join(f"{name} {number}" for name, number in table.versions.items())
    lines = [f"{'#' * level} {table.title}", "", *([table.note, ""] if table.note else [])]
    rows = [[f"`{entry}`" if column == NAMES else entry for column, entry in zip(table.columns, row)] for row in table.rows]
    lines += [_row(table.columns), _row([_alignment(column) for column in zip(*rows)]), *map(_row, rows), ""]
    lines += [f"Measured on {table.date} by `{table.command}` on {table.machine}, with {made_with}.", ""]
    return "\n".join(lines)


def _alignment(entries: Sequence[str]) -> str:
    """Numbers to the right, words to the left; an empty entry is either."""
    return "---:" if all(entry[:1].isdigit() or entry[:1] == "≈" for entry in entries if entry) else "---"


def _row(entries: Sequence[str]) -> str:
    return "| " + " | ".join(entry.replace("|", "\\|") for entry in entries) + " |"


def _command() -> str:
    """The command that runs, as one types it in the project's folder."""
    script = Path(sys.argv[0]).resolve()
    if script.name == "__main__.py":
        named = f"-m {script.parent.name}"
    else:
        named = script.relative_to(layout.ROOT).as_posix() if script.is_relative_to(layout.ROOT) else script.name
    return " ".join(["python", named, *sys.argv[1:]])


def machine() -> str:
    """The processor, the cores this process may use, and the system."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores of {_processor()}, {platform.system()} {platform.release().split('-')[0]}"


def _processor() -> str:
    try:
        named = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        named = None
    return named.group(1).strip() if named else platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """The versions of Python and of the packages that numbers depend on."""
    found = {"Python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
