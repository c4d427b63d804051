"""Where everything lies, and what the lessons are called."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]
SOLUTIONS, NOTEBOOKS, DATA = ROOT / "solutions", ROOT / "notebooks", ROOT / "data"
CHECKS, HIDDEN = ROOT / "autograde" / "checks", ROOT / "autograde" / "hidden"
MISCONCEPTIONS, FINGERPRINTS = ROOT / "autograde" / "misconceptions", ROOT / "autograde" / "fingerprints"


def lesson_names() -> list[str]:
    """Every lesson by its full name, in order; from the sources where they are, else from what students have."""
    found = SOLUTIONS.glob("[0-9][0-9]_*.py") if SOLUTIONS.is_dir() else FINGERPRINTS.glob("[0-9][0-9]_*.json")
    return sorted(path.stem for path in found)


def resolve(lesson: str) -> str:
    """The full name of a lesson given as '03', '3' or '03_self_attention'.

    Raises:
        ValueError: when no lesson has that name.
    """
    wanted = lesson.removesuffix(".py").removesuffix(".ipynb")
    for name in lesson_names():
        if wanted == name or wanted.zfill(2) == name[:2]:
            return name
    raise ValueError(f"there is no lesson {lesson!r}; the lessons are {', '.join(lesson_names()) or '(none)'}")


def source_path(lesson: str) -> Path:
    return SOLUTIONS / f"{lesson}.py"


def checks_path(lesson: str) -> Path:
    return CHECKS / f"test_{lesson}.py"


def hidden_path(lesson: str) -> Path:
    return HIDDEN / f"test_{lesson}.py"


def misconceptions_path(lesson: str) -> Path:
    return MISCONCEPTIONS / f"{lesson}.py"


def fingerprints_path(lesson: str) -> Path:
    return FINGERPRINTS / f"{lesson}.json"


def load_module(path: Path, name: str) -> ModuleType:
    """Import a file whose name is not an identifier (it starts with the lesson's number)."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
