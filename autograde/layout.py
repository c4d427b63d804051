"""Where everything lies, and what the lessons are called."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Container
from pathlib import Path
from types import ModuleType

from autograde.checking.errors import UserError

PACKAGE = Path(__file__).resolve().parent
ROOT = PACKAGE.parent
SOLUTIONS, NOTEBOOKS, DATA = ROOT / "solutions", ROOT / "notebooks", ROOT / "data"
LESSONS = PACKAGE / "lessons"
CHECKS, HIDDEN, MISCONCEPTIONS, MANIFESTS = (LESSONS / name for name in ("checks", "hidden", "misconceptions", "manifests"))
ORACLES, EXPECTED = (LESSONS / name for name in ("oracles", "expected"))


def lesson_names() -> list[str]:
    """Every lesson by its full name, in order; from the sources where they are, else from what students have."""
    found = SOLUTIONS.glob("[0-9][0-9]_*.py") if SOLUTIONS.is_dir() else MANIFESTS.glob("[0-9][0-9]_*.json")
    return sorted(path.stem for path in found)


def resolve(lesson: str) -> str:
    """The full name of a lesson given as '03', '3' or '03_self_attention'.

    Raises:
        UserError: when no lesson has that name.
    """
    wanted = lesson.removesuffix(".py").removesuffix(".ipynb")
    for name in lesson_names():
        if wanted == name or wanted.zfill(2) == name[:2]:
            return name
    raise UserError(f"there is no lesson {lesson!r}; the lessons are {', '.join(lesson_names()) or '(none)'}")


def source_path(lesson: str) -> Path:
    return SOLUTIONS / f"{lesson}.py"


def checks_path(lesson: str) -> Path:
    return CHECKS / f"test_{lesson}.py"


def hidden_path(lesson: str) -> Path:
    return HIDDEN / f"test_{lesson}.py"


def misconceptions_path(lesson: str) -> Path:
    return MISCONCEPTIONS / f"{lesson}.py"


def oracles_path(lesson: str) -> Path:
    return ORACLES / f"{lesson}.py"


def equivalent_path(lesson: str) -> Path:
    """Beside the misconceptions: one-node changes of the reference answers that change nothing."""
    return MISCONCEPTIONS / f"{lesson}.equivalent.json"


def expected_path(lesson: str) -> Path:
    return EXPECTED / f"{lesson}.json"


def manifest_path(lesson: str) -> Path:
    return MANIFESTS / f"{lesson}.json"


def part_files(*parts: str, suffixes: Container[str] = (".py",)) -> list[Path]:
    """The files of these folders and modules of the package, such as `checking` or `authoring/source.py`, with all below the folders.

    Raises:
        ValueError: when there is no such part, so that a list of parts cannot go stale unseen.
    """
    found: list[Path] = []
    for part in parts:
        path = PACKAGE / part
        if not path.exists():
            raise ValueError(f"the package has no {part}")
        below = path.rglob("*") if path.is_dir() else [path]
        found += [p for p in below if p.suffix in suffixes and p.is_file() and not any(n.startswith((".", "__pycache__")) for n in p.parts)]
    return sorted(found)


def load_module(path: Path, name: str) -> ModuleType:
    """Import a file whose name is not an identifier (it starts with the lesson's number)."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None, f"{path} is no Python file"
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
