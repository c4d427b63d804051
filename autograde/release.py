"""What students get: the notebooks and what they import, without answers, hidden tests or misconceptions."""

from __future__ import annotations

import shutil
from pathlib import Path

from autograde import layout

# the modules of the package that run in a student's kernel, then those of the commands for students
STUDENT_MODULES = (
    "__init__", "differentiation", "errors", "expect", "fingerprint", "forbid", "grading", "layout", "lessons", "local", "notebook", "report", "suite",
    "__main__", "cli", "commands/__init__", "commands/shared", "commands/student", "doctor", "progress",
)  # fmt: skip
TOP_LEVEL = ("environment.yml", "pyproject.toml", "requirements.lock", "LICENSE")
IGNORE = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "*.safetensors", "gpt_config.json")


def release(folder: Path) -> list[Path]:
    """Write the students' course into `folder`, which must be new or empty, and return its files.

    Raises:
        ValueError: when the folder holds something.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f"{folder} is not empty; name a new folder, so that nothing else is handed out")
    for part in ("notebooks", "utils", "data"):
        shutil.copytree(layout.ROOT / part, folder / part, ignore=IGNORE)
    package = folder / "autograde"
    for part in (layout.CHECKS, layout.FINGERPRINTS):
        shutil.copytree(part, package / part.name, ignore=IGNORE)
    for name in STUDENT_MODULES:
        (package / name).parent.mkdir(exist_ok=True)
        shutil.copy(layout.ROOT / "autograde" / f"{name}.py", package / f"{name}.py")
    for name in TOP_LEVEL:
        shutil.copy(layout.ROOT / name, folder)
    shutil.copy(layout.ROOT / "docs" / "students.md", folder / "README.md")
    return sorted(path for path in folder.rglob("*") if path.is_file())
