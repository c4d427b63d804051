"""The two small files by which nbgrader's exchange gives feedback back: when a submission was handed in, and its secret."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path

from autograde.files import write

MAX_BYTES = 4096


def keep(submitted: Path, autograded: Path) -> None:
    """Bring the files from the submission to its graded version, where `nbgrader generate_feedback` takes them along.

    A submission that did not come through the exchange has none; it gets its own, since `nbgrader release_feedback` stops for the whole
    class at the first one without.
    """
    made = {"timestamp.txt": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f} UTC", "submission_secret.txt": secrets.token_hex(64)}
    for name, fresh in made.items():
        given, kept = submitted / name, autograded / name
        if given.is_file() and not given.is_symlink() and given.stat().st_size <= MAX_BYTES:
            write(kept, given.read_bytes())
        elif not kept.exists():
            write(kept, fresh.encode())
