"""A notebook's JSON as servers and browsers write it for others to carry: in base64, or with a page's own spelling of quotes and signs."""

from __future__ import annotations

import base64
import binascii
import html
import re

BASE_64 = re.compile(r"[A-Za-z0-9+/_-]{40,}={0,2}")
PAGE = re.compile(r"\s*<(?:!doctype|html|head|body|pre|\?xml)\b", re.IGNORECASE)  # how one begins that a browser has saved
QUOTED = re.compile(r"\s*\{\s*&(?:quot|#34);")


def plain(text: str) -> str:
    """The JSON that a text carries; "" where it is not such a text."""
    if "{" not in text and BASE_64.fullmatch(compact := "".join(text.split())):
        return _from_base_64(compact)
    start = text.find("{")
    if start >= 0 and (PAGE.match(text) or QUOTED.match(text)) and "&" in text:
        return html.unescape(text[start:])
    return ""


def _from_base_64(compact: str) -> str:
    try:
        content = base64.b64decode(compact.translate(str.maketrans("-_", "+/")), validate=True).decode("utf-8-sig")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return content if content.lstrip().startswith("{") else ""
