"""Scripts that lie beside a notebook, which its cells may import or run: handed in with it, or beside it where the student worked."""

from __future__ import annotations

from pathlib import Path

MOST = 20
MAX_BYTES = 2**17  # of each


def beside(folder: Path, submission: str = "") -> list[Path]:
    """The scripts in a folder but the submission itself: at most `MOST`, none that is a link or too large, sorted."""
    try:
        found = sorted(path for path in folder.glob("*.py") if path.name != submission and path.stem.isidentifier())
        return [path for path in found if not path.is_symlink() and path.is_file() and path.stat().st_size <= MAX_BYTES][:MOST]
    except OSError:
        return []


def texts(paths: list[Path]) -> dict[str, str]:
    """Their texts by name; those that are no text are left out."""
    found = {}
    for path in paths:
        try:
            found[path.name] = path.read_bytes()[:MAX_BYTES].decode("utf-8-sig")
        except (OSError, UnicodeDecodeError):
            continue
    return found
