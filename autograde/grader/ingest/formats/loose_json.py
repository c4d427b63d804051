"""JSON as people and scripts that edit it leave it, as JSON: what is wrong with it can be read in one way only.

That are commas behind the last item, comments, blanks and byte order marks between values, strings in single quotes (Python's `str(notebook)`),
Python's `True`, `False` and `None`, and line ends inside a string.
"""

from __future__ import annotations

import json
import re
from typing import Any

STRING = r"""(?P<string>"[^"\\]*+(?:\\.?[^"\\]*+)*+(?:"|\Z))"""  # possessive, and to the end where none closes it: never tried twice
SINGLE = STRING.replace('"', "'").replace("string", "single")
COMMENT = r"(?P<comment>//[^\n]*+|\#[^\n]*+|/\*.*?(?:\*/|\Z))"
TOKEN = re.compile(rf"{STRING}|{SINGLE}|{COMMENT}|(?P<blank>[\ufeff\u200b\u2060\u00a0]+)|(?P<word>\b(?:True|False|None)\b)", re.DOTALL)
LAST_COMMA = re.compile(rf"{STRING}|,(?=\s*+[\]}}])", re.DOTALL)
WORDS = {"True": "true", "False": "false", "None": "null"}
ESCAPED = re.compile(r"""\\(?P<escape>x[0-9a-fA-F]{2}|.)|(?P<quote>")""", re.DOTALL)


def read(text: str) -> Any:
    """The value that a text means.

    Raises:
        ValueError: when it is no JSON after that either.
    """
    return json.loads(LAST_COMMA.sub(lambda found: found[1] or "", TOKEN.sub(_as_json, text)), strict=False)


def _as_json(found: re.Match[str]) -> str:
    match found.lastgroup:
        case "single":
            return f'"{ESCAPED.sub(_escape, found[0][1:-1])}"'
        case "comment" | "blank":
            return " "
        case "word":
            return WORDS[found[0]]
    return found[0]


def _escape(found: re.Match[str]) -> str:
    """A character of a string in single quotes, in one of double quotes."""
    escape = found["escape"] or ""
    if found["quote"]:
        return '\\"'
    if escape == "'":
        return "'"
    return f"\\u00{escape[1:]}" if escape.startswith("x") else found[0]
