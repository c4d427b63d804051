"""Whether JupyterLab can write where it keeps its files; `make lab` asks before it starts, since JupyterLab itself ends in a traceback."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path


def complaints() -> Iterator[str]:
    """A line for each folder that cannot be made or written to; the first is enough to know what to do."""
    from jupyter_core import paths

    for folder in map(Path, (paths.jupyter_runtime_dir(), paths.jupyter_config_dir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=folder):
                pass
        except OSError as error:
            yield f"JupyterLab keeps files in {folder}, which cannot be written to ({error.strerror}): clear space, or set HOME to a folder of yours"


if __name__ == "__main__":
    if found := next(complaints(), ""):
        sys.exit(f"autograde: {found}")
