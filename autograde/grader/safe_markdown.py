"""Untrusted Markdown as HTML that cannot act: formgrader and the feedback pages run whatever stands in them, in the reader's name."""

from __future__ import annotations

import re
from typing import Any

import bleach
from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

TAGS = frozenset({
    *bleach.ALLOWED_TAGS, "p", "br", "hr", "div", "span", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "del", "sub", "sup", "img", "details", "summary", "dl",
    "dt", "dd", "table", "thead", "tbody", "tr", "th", "td",
})  # fmt: skip
# of code in colours; any other name could dress up as one of formgrader's own fields
CLASSES = re.compile(r"(highlight|hll|language-\w+|[a-z]{1,2}[0-9a-z]?)( (highlight|hll|language-\w+|[a-z]{1,2}[0-9a-z]?))*")
PICTURE = re.compile(r"https?:|data:image/(png|jpeg|gif);base64,", re.IGNORECASE)
WORDS = {"alt", "title", "align", "colspan", "rowspan", "width", "height"}


@pass_context
def render(context: Context, source: str) -> str:
    """Takes the place of nbconvert's filter `markdown2html`: the same HTML, without scripts, forms, styles, frames and ids."""
    renderer = IPythonRenderer(escape=False, attachments=context.get("cell", {}).get("attachments", {}), exclude_anchor_links=True)
    return clean(MarkdownWithMath(renderer=renderer).render(source))


def clean(html: str) -> str:
    """HTML with whatever is not plain text, pictures, tables and links shown as the characters it is written in."""
    return bleach.clean(html, tags=TAGS, attributes=_may_stay, protocols={"http", "https", "mailto", "data"})


def _may_stay(tag: str, name: str, value: Any) -> bool:
    if name == "class":
        return bool(CLASSES.fullmatch(value))
    if name == "href":
        return tag == "a" and not value.strip().lower().startswith("data:")
    if name == "src":
        return tag == "img" and bool(PICTURE.match(value))
    return name in WORDS
