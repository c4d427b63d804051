"""Scripts that were handed in beside a notebook, as files that it can open, load and ask for: there are only their texts."""

from __future__ import annotations

import _io
import builtins
import io
import os
import stat
from typing import Any

OPEN, OPEN_CODE, STAT = builtins.open, io.open_code, os.stat
WRITES = set("wax+")


def found(files: dict[str, str], path: str) -> str:
    """Which of the files a path means, "" for none: that of its name, else the one whose folders and name it ends in, as a notebook in another
    folder or on another machine calls it."""
    path = os.path.normpath(path.replace("\\", "/")).removeprefix("/")
    while path.startswith("../"):
        path = path[3:]
    if path in files:
        return path
    if longer := [name for name in files if f"/{path}".endswith(f"/{name}")]:
        return max(longer, key=len)
    deeper = [name for name in files if f"/{name}".endswith(f"/{path}")]
    return deeper[0] if len(deeper) == 1 else ""


class WrittenFiles:
    """`files` are texts by name. What is on the disk comes first; nothing is written."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = files

    def install(self) -> None:
        """In place of those of another notebook."""
        for module in (builtins, io, _io):
            vars(module)["open"] = self.open
        for module in (io, _io):
            vars(module)["open_code"] = self.open_code
        vars(os)["stat"] = self.stat

    def open(self, file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        try:
            return OPEN(file, mode, *args, **kwargs)
        except OSError:
            if (text := self._text(file)) is None or WRITES & set(mode):
                raise
            return io.BytesIO(text.encode()) if "b" in mode else io.StringIO(text)

    def open_code(self, path: str) -> Any:
        try:
            return OPEN_CODE(path)
        except OSError:
            if (text := self._text(path)) is None:
                raise
            return io.BytesIO(text.encode())

    def stat(self, path: Any, *args: Any, **kwargs: Any) -> os.stat_result:
        try:
            return STAT(path, *args, **kwargs)
        except OSError:
            if (text := self._text(path)) is None:
                raise
            return os.stat_result((stat.S_IFREG | 0o444, 0, 0, 1, 0, 0, len(text.encode()), 0, 0, 0))

    def _text(self, path: Any) -> str | None:
        named = isinstance(path, (str, os.PathLike)) and os.fspath(path)
        return self.files.get(found(self.files, named)) if isinstance(named, str) else None
