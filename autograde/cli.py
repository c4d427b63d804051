"""The command line: `python -m autograde COMMAND`."""

from autograde.commands import author, exports, instructor, student  # noqa: F401, importing them adds their commands
from autograde.commands.shared import app

__all__ = ["app"]
