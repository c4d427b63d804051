"""Whether a reader who cannot see a picture is told what it shows."""

from __future__ import annotations

from html.parser import HTMLParser

_VOID = {"img", "br", "input", "link", "meta", "hr", "source", "wbr"}
_NAMES = ("aria-label", "aria-labelledby")


class _Pictures(HTMLParser):
    """Counts pictures without words: an <img> without alt, an <svg> that has no name and stands in no named group."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.named: list[bool] = []  # for every open element, whether it or one around it has a name
        self.mute: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {key: (value or "").strip() for key, value in attrs}
        hidden = attributes.get("aria-hidden") == "true"
        named = hidden or any(self.named[-1:]) or any(attributes.get(name) for name in _NAMES)
        if tag == "img" and not attributes.get("alt") and not hidden:
            self.mute.append(tag)
        if tag == "svg" and not named:
            self.mute.append(tag)
        if tag not in _VOID:
            self.named.append(named)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID and self.named:
            self.named.pop()


def pictures_without_words(html: str) -> list[str]:
    """The tags of the pictures in `html` that say nothing to a reader who cannot see them."""
    parser = _Pictures()
    parser.feed(html)
    return parser.mute
