"""Tables of Markdown: what is shown as no table, or loses cells."""

from __future__ import annotations

import re
from collections.abc import Iterator

RULE = re.compile(r"\|?( *:?-+:? *\|)+( *:?-+:? *)?")


def complaints(lines: list[str]) -> Iterator[tuple[int, str]]:
    """(number of lines above it, what is wrong): no line below the head, or rows of another number of cells, of which some are not shown."""
    columns = 0
    for number, line in enumerate(lines):
        if not line.lstrip().startswith("|"):
            columns = 0
        elif columns:
            if len(cells(line)) != columns:
                yield number, f"a row of {len(cells(line))} cells in a table of {columns} columns"
        else:
            columns = len(cells(line))
            below = lines[number + 1].strip() if number + 1 < len(lines) else ""
            if not RULE.fullmatch(below):
                yield number, f"no table without a line below its head: {'| --- ' * columns}|"
            elif len(cells(below)) != columns:
                yield number + 1, f"{len(cells(below))} columns below a head of {columns}: this is shown as no table"
                columns = len(cells(below))


def cells(row: str) -> list[str]:
    """The words in each; a stroke in a formula or behind a backslash is no border."""
    bare = re.sub(r"\\.|\$[^$\n]*\$", lambda found: "x" * len(found[0]), row.strip())
    inner = range(bare.startswith("|"), len(bare) - bare.endswith("|"))
    borders = [at for at in inner if bare[at] == "|"]
    return [row.strip()[begin:end].strip() for begin, end in zip([inner.start, *(at + 1 for at in borders)], [*borders, inner.stop])]
