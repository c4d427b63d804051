"""In which of the notebook's cells an answer was written: of two, a check looks at the one that ran last, which may be the one not meant."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from IPython import get_ipython

from autograde.checking.answers import answer_cells

TWICE = "You have run two cells that define `{name}`, and this is about the one that ran last. Where both are still there, delete the one that you do not mean."


class Places:
    """The cells, by the ids that JupyterLab and VS Code tell of them, that have defined each answer in this session."""

    def __init__(self, exercises: Collection[str]) -> None:
        self._exercises = exercises
        self._cells: dict[str, set[str]] = {}

    def watch(self) -> None:
        """Note from now on which cells run."""
        if (shell := get_ipython()) is not None:
            shell.events.register("pre_run_cell", self.note)

    def note(self, cell: Any) -> None:
        """A cell is about to run."""
        if identity := getattr(cell, "cell_id", None):
            for name in answer_cells([cell.raw_cell], self._exercises):
                self._cells.setdefault(name, set()).add(identity)

    def several(self, name: str) -> bool:
        """Whether more than one cell has defined the answer."""
        return len(self._cells.get(name, ())) > 1
