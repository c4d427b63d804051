"""Scripts that lie beside a notebook, which its cells may import or run: handed in with it, or beside it where the student worked."""

from __future__ import annotations

import io
import re
import sys
import tokenize
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from autograde.grader.ingest.names import readable

MOST = 20
MAX_BYTES = 2**17  # of each
OURS = {"utils", "autograde"}
TEXT = re.compile(r"utf-8(-sig)?|ascii|iso-8859-\d+|cp125\d|latin-?\d|gbk|gb2312|gb18030|big5|shift[_-]jis|euc[_-]\w+|koi8-\w")


def beside(folder: Path, submission: str = "") -> list[Path]:
    """The scripts in a folder but the submission itself, sorted: at most `MOST`, those that can be read."""
    return [path for path in _scripts(folder, submission) if not _unread(path)][:MOST]


def texts(paths: list[Path]) -> dict[str, str]:
    """Their texts by name; those that are no text any more are left out."""
    found = {path.name: _text(path) for path in paths}
    return {name: text for name, text in found.items() if text is not None}


def told(folder: Path, submission: str = "") -> tuple[str, ...]:
    """What a student should know of the scripts in a folder: each that cells cannot import here, by its name, and why."""
    scripts = _scripts(folder, submission)
    reasons = {path.name: why_not(path, path.name) for path in scripts}
    notes = [f"{readable(name)} beside the notebook is not taken: {why}" for name, why in reasons.items() if why]
    if (count := len(scripts) - sum(map(bool, reasons.values()))) > MOST:
        notes.append(f"{count} scripts lie beside the notebook, and only the first {MOST} by name are taken")
    return tuple(notes[:MOST])


def why_not(path: Path, name: str) -> str:
    """Why cells cannot import the script at `path`, which was handed in as `name`; "" where they can."""
    return _unread(path) or _taken(Path(name).stem)


def _scripts(folder: Path, submission: str) -> list[Path]:
    try:
        return sorted(path for path in folder.glob("*.py") if path.name != submission)[: 10 * MOST]
    except OSError:
        return []


def _unread(path: Path) -> str:
    try:
        if path.is_symlink():
            return "it is a link; links are not followed"
        if not path.is_file():
            return "it is no file"
        if path.stat().st_size > MAX_BYTES:
            return f"it has more than {MAX_BYTES >> 10} KiB"
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    return "" if _text(path) is not None else "it cannot be read as UTF-8 text; save it as UTF-8"


def _text(path: Path) -> str | None:
    """A script's text in UTF-8, or in the encoding that its first lines name, as Python reads it."""
    try:
        raw = path.read_bytes()[:MAX_BYTES]
        encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
        return raw.decode(encoding) if TEXT.fullmatch(encoding) else None
    except (OSError, SyntaxError, UnicodeDecodeError):
        return None


def _taken(module: str) -> str:
    """Why `import module` finds another one: Python's, the course's and installed packages come first."""
    whose = "the course" if module in OURS else "Python" if module in sys.stdlib_module_names else ""
    whose = whose or ("a package" if module in _installed() else "")
    return f"{whose} has a module of that name, which is imported instead; call yours by another name" if whose else ""


@lru_cache
def _installed() -> frozenset[str]:
    return frozenset(metadata.packages_distributions())
