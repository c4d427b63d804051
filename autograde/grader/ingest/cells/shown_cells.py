"""What answers use of the lesson's cells that draw figures or run experiments, which are not run here: at home they are."""

from __future__ import annotations

import builtins
import symtable
from collections.abc import Collection, Iterable

from autograde.grader.ingest.formats import script_file
from autograde.grader.ingest.formats.cell_facts import bound_names
from autograde.grader.ingest.formats.python_cells import parsed

MAX_PARSED = 2**15  # characters


def used(code: str, wanted: Collection[str]) -> str:
    """The statements of a cell that bind names which are `wanted`, and those above them in it that these need in turn."""
    needed, kept = set(wanted), list[str]()
    for kind, piece in reversed(script_file.pieces(code)):
        if kind == "code" and bound_names(piece) & needed:
            kept.insert(0, piece)
            needed |= global_names(piece)
    return "\n\n".join(kept)


def not_bound(cells: Iterable[str], bound: Collection[str]) -> set[str]:
    """The names that cells read from the notebook, and that neither it nor Python has."""
    return set[str]().union(*map(global_names, cells)) - set(bound) - vars(builtins).keys()


def global_names(code: str) -> set[str]:
    """The names that a cell reads from the notebook, those of a function's own left out; none of one that cannot be read."""
    if len(code) > MAX_PARSED or parsed(code) is None:
        return set()
    try:
        return _globals(symtable.symtable(code, "<cell>", "exec"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # magics, which `parsed` leaves out
        return set()


def _globals(table: symtable.SymbolTable) -> set[str]:
    top = table.get_type() == "module"
    own = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced() and (top or symbol.is_global())}
    return own.union(*map(_globals, table.get_children()))
