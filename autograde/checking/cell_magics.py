"""The magic in a cell's first line: whether what stands below it is run as code of the notebook."""

from __future__ import annotations

import re

ADD = "add_to"  # of jdc: functions become methods of a class
AROUND_CODE = ("time", "capture", "prun", "memit", "wandb", "ipytest", "pyinstrument", "snakeviz", "scalene", "heat", "memray_flamegraph")
OTHER = frozenset(  # texts, other languages and processes, and what runs a copy that defines nothing; extensions' magics else run their cell
    "! html HTML javascript js latex markdown svg SVG perl pypy python python2 python3 ruby script sh bash cmd powershell shell system sx writefile file"
    " timeit cython R julia octave matlab cpp fortran sql bigquery spark mermaid skip false echo tb ai debug cache".split()
)
FIRST = re.compile(r"\A\s*%%([\w!]+)")


def magic(code: str) -> str:
    """The name of the magic at the top of a cell; "" where there is none."""
    found = FIRST.match(code)
    return found[1] if found else ""


def runs_its_cell(name: str) -> bool:
    """Whether what stands below the magic is run as if it were not there."""
    return name != ADD and name not in OTHER
