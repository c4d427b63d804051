"""Run what a notebook defines and call one of its functions: `torchrun --nproc-per-node=2 -m utils.run_notebook 07_gpt.ipynb distributed_run`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

DEMONSTRATIONS = {"figure", "experiment", "bootstrap"}


def definitions(path: Path) -> dict[str, Any]:
    """The names that a completed notebook defines: its code cells without checks, figures and experiments."""
    names: dict[str, Any] = {"__name__": "notebook"}
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        metadata = cell.get("metadata", {})
        is_check = metadata.get("nbgrader", {}).get("grade_id", "").startswith("check-")
        if cell["cell_type"] != "code" or is_check or DEMONSTRATIONS & set(metadata.get("tags", [])):
            continue
        # this file's own __future__ import is not the notebook's
        exec(compile("".join(cell["source"]), path.name, "exec", dont_inherit=True), names)
    return names


def main() -> None:
    """`python -m utils.run_notebook NOTEBOOK FUNCTION`."""
    if len(sys.argv) != 3:
        sys.exit(main.__doc__)
    definitions(Path(sys.argv[1]))[sys.argv[2]]()


if __name__ == "__main__":
    main()
