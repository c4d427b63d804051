"""Signs where a terminal or a file has few letters (Windows' cp1252, LC_ALL=C): what passed is told from what did not."""

from __future__ import annotations

import codecs

PLAIN = "plain signs"  # the name of the error handler, for a stream's `errors`
SIGNS = {"✓": "+", "✗": "x", "·": "-", "→": ">", "…": "...", "×": "x", "√": "sqrt ", "●": "*", "○": "o", "–": "-", "—": "-"}


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(SIGNS.get(sign, "?") for sign in error.object[error.start : error.end]), error.end


codecs.register_error(PLAIN, _plain)
