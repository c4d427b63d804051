"""Untrusted Markdown as HTML with its formulas as MathML, which browsers draw themselves: no script and no network."""

from __future__ import annotations

import re
import secrets
from html import escape, unescape
from typing import Any
from xml.etree import ElementTree

from latex2mathml.converter import convert_to_element

from autograde.grader.safe_markdown import Renderer, to_html
from autograde.grader.sandbox.bounded import bounded

# what may stand in a formula; a link, a style or a size would act or cover the page
TAGS = {
    "math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "ms", "mfrac", "msqrt", "mroot", "msub", "msup", "msubsup", "munder", "mover", "munderover",
    "mmultiscripts", "mtable", "mtr", "mtd", "mstyle", "mpadded", "mphantom", "menclose",
}  # fmt: skip
ATTRIBUTES = {"display", "displaystyle", "scriptlevel", "mathvariant", "stretchy", "fence", "form", "accent", "accentunder", "columnalign"}
PICTURE = re.compile(r'<img(?:[^">]|"[^"]*")*>')
LONGEST = 4000  # characters of a formula that is drawn; a longer one is shown as it was written


@bounded()
def html(source: str, attachments: dict[str, Any] | None = None) -> str:
    """Markdown as HTML that cannot act. A formula that is none is shown as it was written."""
    renderer = _WithMarks(attachments or {})
    page = to_html(source, renderer)
    page = PICTURE.sub(_kept_away, page)
    return renderer.mark.sub(lambda found: renderer.formulas[int(found[1])], page)


def _kept_away(picture: re.Match[str]) -> str:
    """A picture from elsewhere would tell its owner who reads an answer and when: it is a link."""
    [source] = re.findall(r' src="(https?:[^"]*)"', picture[0], re.IGNORECASE)[:1] or [""]
    return f'<a href="{source}">a picture elsewhere</a>' if source else picture[0]


class _WithMarks(Renderer):
    """Leaves a mark where a formula stands, to be replaced after everything else was cleaned.

    The mark is an element with a random number: nobody can write one beforehand, and within an attribute its quotes are escaped, so
    that it is only found where an element may stand.
    """

    def __init__(self, attachments: dict[str, Any]) -> None:
        super().__init__(escape=False, attachments=attachments, exclude_anchor_links=True)
        self.formulas: list[str] = []
        self._secret = secrets.token_hex(8)
        self.mark = re.compile(rf'<abbr title="{self._secret}-(\d+)"></abbr>')

    def block_math(self, body: str) -> str:
        return self._mark(body, "block")

    def inline_math(self, body: str) -> str:
        return self._mark(body, "inline")

    def latex_environment(self, name: str, body: str) -> str:
        return self._mark(rf"\begin{{{name}}}{body}\end{{{name}}}", "block")

    def _mark(self, body: str, display: str) -> str:
        self.formulas.append(mathml(body, display))
        return f'<abbr title="{self._secret}-{len(self.formulas) - 1}"></abbr>'


def mathml(formula: str, display: str = "inline") -> str:
    """A formula in TeX as a `<math>` element; as `<code>` where it cannot be read."""
    try:
        if len(formula) > LONGEST:
            raise ValueError("too long to draw")
        tree = convert_to_element(formula, display=display)
        return ElementTree.tostring(_allowed(tree), encoding="unicode")
    except Exception:  # the package has a dozen exceptions for what is no TeX, and students write all kinds of it
        return f"<code>{escape(formula)}</code>"


def _allowed(element: ElementTree.Element) -> ElementTree.Element:
    """The same formula from known elements and attributes alone; what it says stays."""
    tag = element.tag.rpartition("}")[2]
    kept = ElementTree.Element(tag if tag in TAGS else "mrow")
    kept.attrib = {name: value for name, value in element.attrib.items() if name in ATTRIBUTES}
    kept.text, kept.tail = _characters(element.text), _characters(element.tail)
    kept.extend([_allowed(child) for child in element])
    return kept


def _characters(text: str | None) -> str | None:
    """latex2mathml writes operators as references (`&#x0003C;`), which a tree has as characters."""
    return unescape(text) if text else text
