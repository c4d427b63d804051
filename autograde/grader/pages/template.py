"""The pages' templates: what a value says is shown as text, never as markup."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, Template
from markupsafe import Markup, escape

CODE = re.compile(r"(`+)(.+?)\1", re.DOTALL)


def template(name: str, **filters: Callable[[Any], str]) -> Template:
    """The template of this name, with the filter `code` that all pages have, and its own."""
    folder = FileSystemLoader(Path(__file__).with_name("templates"))
    environment = Environment(loader=folder, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"code": with_code, **filters}
    return environment.get_template(name)


def with_code(text: str) -> Markup:
    """Text as HTML in which what stands between backticks is in a code font; nothing else in it is markup."""
    return Markup(CODE.sub(r"<code>\2</code>", str(escape(text))))
