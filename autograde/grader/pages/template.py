"""The pages' templates: what a value says is shown as text, never as markup."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, Template
from markupsafe import Markup, escape

from autograde.wording import DIRECTING, breakable, counted, visible

TICKS = re.compile(r"(`+)")
STRESSED = re.compile(r"(?<![\w*])(\*{1,2})(?=[^\s*])([^*\n]{1,200})(?<=\S)\1(?![\w*])")  # not `2 * 3`, `a*b*c` or `(*args, **more)`


def template(name: str, **filters: Callable[..., str]) -> Template:
    """The template of this name, with the filters that all pages have (`code`, `prose`, `counted`, `breakable`), and its own."""
    folder = FileSystemLoader(Path(__file__).with_name("templates"))
    environment = Environment(loader=folder, autoescape=True, trim_blocks=True, lstrip_blocks=True, finalize=_visible)
    environment.filters |= {
        "code": with_code,
        "prose": with_stress,
        "counted": counted,
        "breakable": lambda name: Markup(breakable(name)),
        **filters,
    }
    return environment.get_template(name)


def _visible(value: Any) -> Any:
    """What an expression of a template gives: a stranger's text shows what it holds."""
    return type(value)(visible(value)) if isinstance(value, str) and DIRECTING.search(value) else value


def with_stress(text: str) -> Markup:
    """What a person wrote, as HTML: beside code in backticks, `*stressed*` and `**strong**` words outside of code are shown as such."""
    return with_code(text, _stressed)


def _stressed(text: str) -> str:
    """Escaped text with its stressed words in elements."""
    return STRESSED.sub(lambda found: f"<{(tag := 'em' if len(found[1]) == 1 else 'strong')}>{found[2]}</{tag}>", text)


def with_code(text: str, around: Callable[[str], str] = str) -> Markup:
    """Text as HTML in which what stands between backticks, as many before as after, is in a code font; nothing else in it is markup, but for
    what `around` makes of the escaped text outside of code.

    Each piece is looked at once: a pattern that looks for the end of every opening goes through a text of backticks again and again.
    """
    pieces, shown, at = TICKS.split(str(escape(text))), list[str](), 0
    ends: defaultdict[str, deque[int]] = defaultdict(deque)
    for index in range(1, len(pieces), 2):
        ends[pieces[index]].append(index)
    while at < len(pieces):
        same = ends[pieces[at]] if at % 2 else deque[int]()
        while same and same[0] <= at:
            same.popleft()
        if same:
            shown.append(f"<code>{''.join(pieces[at + 1 : same[0]])}</code>")
        else:
            shown.append(around(pieces[at]))
        at = (same[0] if same else at) + 1
    return Markup("".join(shown))
