"""The grader's log: a file in the results folder, and the terminal with `--verbose`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path

from rich.console import Console
from rich.logging import RichHandler

NAME = "grader.log"
MAX_BYTES, OLD = 4 * 2**20, 1  # of one file, and how many earlier ones stay beside it
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
root = logging.getLogger("autograde")


@contextmanager
def logged_in(folder: Path) -> Iterator[None]:
    """Keep what the grader does, and the tracebacks of its own errors, in `folder`; a disk that is full stops no grading."""
    handler = RotatingFileHandler(folder / NAME, maxBytes=MAX_BYTES, backupCount=OLD, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter(FORMAT))
    handler.handleError = lambda record: None  # type: ignore[method-assign]
    before = root.level
    root.addHandler(handler)
    root.setLevel(min(before or logging.INFO, logging.INFO))
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
        handler.close()


def shown_on(console: Console) -> None:
    """Show the same on the terminal: what `--verbose` asks for."""
    root.addHandler(RichHandler(console=console, show_path=False, markup=False))
    root.setLevel(logging.INFO)
