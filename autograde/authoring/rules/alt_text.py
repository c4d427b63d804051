"""Whether a reader who cannot see a picture is told what it shows."""

from __future__ import annotations

from html.parser import HTMLParser

from nbformat import NotebookNode

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


def silent(output: NotebookNode) -> bool:
    """Whether a cell's output shows a picture that says nothing to a reader who cannot see it."""
    data = output.get("data", {})
    if "text/html" in data:  # of several forms this one is shown
        return bool(_mute(data["text/html"]))
    pictures = [form for form in data if form.startswith("image/")]
    return any(not output.metadata.get(form, {}).get("alt", "").strip() for form in pictures)


def cells_with_silent_pictures(notebook: NotebookNode) -> list[str]:
    """How each cell begins that shows such a picture."""
    return [cell.source.strip().splitlines()[0][:60] for cell in notebook.cells if any(map(silent, cell.get("outputs", [])))]


def _mute(html: str) -> list[str]:
    parser = _Pictures()
    parser.feed(html)
    return parser.mute
