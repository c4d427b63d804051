"""Untrusted Markdown as HTML that cannot act: formgrader and the feedback pages run whatever stands in them, in the reader's name."""

from __future__ import annotations

import re

import nh3
from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.filters.markdown_mistune import InvalidNotebook, IPythonRenderer, MarkdownWithMath

from autograde.wording import visible

TAGS = {
    "a", "abbr", "acronym", "b", "blockquote", "code", "em", "i", "li", "ol", "strong", "ul", "p", "br", "hr", "div", "span", "pre", "h1", "h2", "h3",
    "h4", "h5", "h6", "del", "sub", "sup", "img", "details", "summary", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
WORDS = {"alt", "title", "align", "colspan", "rowspan", "width", "height", "class"}
# of code in colours; any other name could dress up as one of formgrader's own fields
CLASSES = re.compile(r"(highlight|hll|language-\w+|[a-z]{1,2}[0-9a-z]?)( (highlight|hll|language-\w+|[a-z]{1,2}[0-9a-z]?))*")
PICTURE = re.compile(r"https?:|data:image/(png|jpeg|gif);base64,", re.IGNORECASE)
# `<unk>` in an answer is a word of the student's, and shown; what of the rest may act is nh3's to say
NO_TAG = re.compile(rf"<(?!/?(?:{'|'.join(sorted(TAGS, key=len, reverse=True))})(?:[\s/>]|$))", re.IGNORECASE)


class Renderer(IPythonRenderer):
    """nbconvert's renderer, for which a picture that was lost on the way is no error: its words are shown."""

    def _embed_image_or_attachment(self, src: str) -> str:
        try:
            return super()._embed_image_or_attachment(src)
        except (InvalidNotebook, StopIteration):
            return ""


@pass_context
def render(context: Context, source: str) -> str:
    """Takes the place of nbconvert's filter `markdown2html`: the same HTML, without scripts, forms, styles, frames and ids."""
    return to_html(source, Renderer(escape=False, attachments=context.get("cell", {}).get("attachments", {}), exclude_anchor_links=True))


def to_html(source: str, renderer: IPythonRenderer) -> str:
    """Markdown as the renderer makes it, cleaned."""
    return clean(MarkdownWithMath(renderer=renderer).render(visible(source)))


def clean(html: str) -> str:
    """HTML with whatever is not plain text, pictures, tables and links shown as the characters it is written in."""
    attributes = {tag: WORDS | {"a": {"href"}, "img": {"src"}}.get(tag, set()) for tag in TAGS}
    return nh3.clean(
        NO_TAG.sub("&lt;", html), tags=TAGS, attributes=attributes, attribute_filter=_allowed, link_rel=None,
        url_schemes={"http", "https", "mailto", "data"},
    )  # fmt: skip


def _allowed(tag: str, name: str, value: str) -> str | None:
    """The attribute's value, or None to leave the attribute out."""
    if name == "class":
        return value if CLASSES.fullmatch(value) else None
    if name == "href":
        return None if value.strip().lower().startswith("data:") else value
    if name == "src":
        return value if PICTURE.match(value) else None
    return value
