"""An edit of a reference answer's text, by which a misconception says what somebody wrote instead."""

from __future__ import annotations

import re


def replaced(text: str, old: str, new: str) -> str | None:
    """`text` with `new` in each place of `old`, or None where it has none.

    Where the text does not hold `old` as it is, its line breaks and the comma before a closing bracket are overlooked: a formatter that
    wraps a long line changes nothing that an edit is about.
    """
    if old in text:
        return text.replace(old, new)
    parts = re.findall(r"\w+|[^\w\s]", old)
    pattern = "".join((r",?\s*" if part in ")]}" else r"\s*") + re.escape(part) for part in parts).removeprefix(r"\s*")
    leading = old[: len(old) - len(old.lstrip())].rpartition("\n")[2]  # an edit of whole lines keeps their indentation
    edited, n = re.subn(pattern, lambda _: new.removeprefix(leading), text)
    return edited if n else None
