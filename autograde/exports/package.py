"""The zip that an instructor uploads to Gradescope: one lesson with its tests, the grader, and the two scripts that Gradescope runs."""

from __future__ import annotations

import io
import json
import re
import shlex
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

from autograde import layout
from autograde.checking.errors import UserError
from autograde.exports.visibility import Visibility
from autograde.files import write

SCRIPTS = Path(__file__).with_name("scripts")
COURSE = "course"  # the folder in the zip that stands for the repository
SETTINGS = f"{COURSE}/gradescope.json"
PARTS = ("checking", "commands", "authoring", "grader", "exports")  # with the modules above them
SUFFIXES = (".py", ".j2", ".png", ".sh")
BESIDE = ("utils/**/*.py", "data/**/*")
NOT_NEEDED = ("jupyterlab", "nbgrader", "typer")  # nobody opens a notebook there, and Gradescope keeps the grades
BROUGHT_ALONG = ("ipython", "nbformat")  # what those bring at home
MARGIN = 60  # seconds between our own end and Gradescope's
EPOCH = (1980, 1, 1, 0, 0, 0)  # the same lesson gives the same bytes


def build(lesson: str, path: Path, visibility: Visibility = Visibility.visible, minutes: int = 10, torch_index: str = "") -> list[str]:
    """Write the package of one lesson and return the names of its files. `minutes` is the time limit that Gradescope is set to.

    Raises:
        UserError: when the lesson is not built.
    """
    settings = {"lesson": lesson, "visibility": visibility.value, "seconds": 60 * minutes - MARGIN}
    members = {
        "setup.sh": _setup(torch_index),
        "run_autograder": (SCRIPTS / "run_autograder").read_bytes(),
        SETTINGS: (json.dumps(settings) + "\n").encode(),
        f"{COURSE}/requirements.txt": requirements().encode(),
        **{f"{COURSE}/{file.relative_to(layout.ROOT).as_posix()}": file.read_bytes() for file in _files(lesson)},
    }
    write(path, _zip(members))
    return sorted(members)


def requirements() -> str:
    """What the grader and the lessons import, a line each, for pip."""
    known = tomllib.loads((layout.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    return "\n".join([*(d for d in known if re.split(r"[=<>~ ]", d)[0] not in NOT_NEEDED), *BROUGHT_ALONG]) + "\n"


def _files(lesson: str) -> Iterator[Path]:
    """The grader, what lessons import, and of all lessons this one alone."""
    yield from sorted(layout.PACKAGE.glob("*.py"))
    yield from layout.part_files(*PARTS, "lessons/__init__.py", suffixes=SUFFIXES)
    for pattern in BESIDE:
        yield from (file for file in sorted(layout.ROOT.glob(pattern)) if file.is_file())
    own = [layout.checks_path(lesson), layout.expected_path(lesson), layout.hidden_path(lesson), layout.manifest_path(lesson)]
    own += [layout.source_path(lesson), layout.NOTEBOOKS / f"{lesson}.ipynb", layout.ROOT / "requirements.lock"]
    own += [path for path in [layout.oracles_path(lesson)] if path.exists()]
    for file in own:
        if not file.exists():
            raise UserError(f"{file} is missing: run `python -m autograde build {lesson[:2]}`")
        yield file


def _setup(torch_index: str) -> bytes:
    text = (SCRIPTS / "setup.sh").read_text(encoding="utf-8")
    return text.replace('torch_index=""', f"torch_index={shlex.quote(torch_index)}").encode() if torch_index else text.encode()


def _zip(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(members.items()):
            info = zipfile.ZipInfo(name, EPOCH)
            info.create_system = 3  # Unix, which has modes
            info.external_attr = (0o100000 | (0o644 if "/" in name else 0o755)) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return stream.getvalue()
