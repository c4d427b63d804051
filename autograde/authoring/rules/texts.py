"""What a lesson's Markdown must be: what would be shown otherwise than it is meant, or would lead nowhere, each as `file:line: what`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from html.parser import HTMLParser

from autograde import layout
from autograde.authoring.measuring.numbers import PLACEHOLDER, Numbers
from autograde.authoring.source import Cell, Source
from autograde.checking.errors import UserError

FENCE = re.compile(r"^\s*(```+|~~~+)")
SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
PRICE = re.compile(r"\$(?=\d[\d.,]*(?:[\s;:!?)*]|$))")  # alone in its paragraph it is the sign itself
PRICES = re.compile(r"\$\d[^$\n]*[a-z][^$\n]* \$(?=\d)")  # of two the first reaches to the second
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$(.+?)\$", re.DOTALL)
IMAGE = re.compile(r"!\[([^\]]*)\]\(\s*([^)\s]*)[^)]*\)")
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(\s*([^)\s]*)[^)]*\)")
HEADING = re.compile(r"^(#{1,6})\s+(.*)")
TIGHT = re.compile(r"^#{1,6}[^#\s]")
ALMOST_MEASURED = re.compile(r"\{(\w+):[\w.]+(?::[^{}\n]*)?\}")
PAIRS = (("{", "}"), (r"\left", r"\right"), (r"\begin", r"\end"))
VOID = {"img", "br", "hr", "wbr", "input", "source"}
HINTS = {"details", "summary"}  # of which `rules` says more
SHOWN = (
    VOID
    | HINTS
    | set(  # elements that JupyterLab, VS Code, Colab and the site show; of others, such as <unk>, they show nothing
        "a b i u s em strong code pre kbd sub sup small mark del ins p div span ul ol li dl dt dd "
        "table thead tbody tr th td caption blockquote figure figcaption picture svg path abbr q h1 h2 h3 h4 h5 h6".split()
    )
)


def complaints(lesson: Source) -> list[str]:
    """In the order of the lines; code between fences and backticks is nobody's Markdown."""
    anchors = {_anchor(head[2]) for cell in _texts(lesson) for line in cell.source.splitlines() if (head := HEADING.match(line))}
    found: list[tuple[int, str]] = [*_of_headings(lesson), *_of_numbers(lesson)]
    for cell in _texts(lesson):
        found += ((cell.line + 1 + line, what) for line, what in _of_text(cell.source, anchors))
    return [f"{lesson.path.name}:{line}: {what}" for line, what in sorted(found)]


def _texts(lesson: Source) -> list[Cell]:
    return [cell for cell in lesson.cells if cell.kind == "markdown"]


def _of_text(text: str, anchors: set[str]) -> Iterator[tuple[int, str]]:
    """(number of lines above it, what is wrong) of one cell."""
    prose, open_fence = without_fences(text)
    if open_fence is not None:
        yield open_fence, "the code that begins here is never closed by ```"
    for above, paragraph in _paragraphs(prose):
        bare = _blanked(SPAN, paragraph)
        if "`" in bare:
            yield above + _line(bare, "`"), "a ` without a second one"
        bare = bare.replace(r"\$", "  ")
        yield from ((above + line, what) for line, what in _of_formulas(bare))
        yield from ((above + line, what) for line, what in _of_links(_blanked(FORMULA, bare), anchors))
    elements = _Elements()
    elements.feed(_blanked(FORMULA, _blanked(SPAN, prose)))
    elements.close()
    yield from elements.found()


def without_fences(text: str) -> tuple[str, int | None]:
    """The text with empty lines in place of code between fences, and how many lines stand above a fence that is never closed."""
    kept, fence, began = [], "", None
    for number, line in enumerate(text.split("\n")):
        mark = FENCE.match(line)
        inside = bool(fence)
        if mark and not fence:
            fence, began = mark[1], number
        elif mark and mark[1].startswith(fence) and not line.strip().strip(fence[0]):
            fence, began = "", None
        kept.append("" if inside or mark else line)
    return "\n".join(kept), began


def _paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """(number of lines above it, text): what pairs of marks do not reach across."""
    for block in re.finditer(r"(?:[^\n]*\S[^\n]*(?:\n|$))+", text):
        yield text.count("\n", 0, block.start()), block[0]


def _blanked(pattern: re.Pattern[str], text: str) -> str:
    """Blanks in place of what matches; lines stay where they are."""
    return pattern.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def _line(text: str, part: str) -> int:
    return text.count("\n", 0, text.index(part))


def _of_formulas(text: str) -> Iterator[tuple[int, str]]:
    rest = _blanked(PRICE, _blanked(FORMULA, text))
    if "$" in rest:
        yield _line(rest, "$"), "a $ without a second one before the paragraph ends: nothing of the formula is set (\\$ is the sign itself)"
    for prices in PRICES.finditer(text):
        yield text.count("\n", 0, prices.start()), f"{prices[0]!r} is set as a formula: \\$ is the sign itself"
    for formula in FORMULA.finditer(text):
        written = (
            (formula[1] or formula[2] or "").replace(r"\{", "").replace(r"\}", "").replace(r"\leftarrow", "").replace(r"\rightarrow", "")
        )
        for opened, closed in PAIRS:
            if written.count(opened) != written.count(closed):
                yield text.count("\n", 0, formula.start()), f"a formula with another number of {opened} than of {closed} is not set"


def _of_links(text: str, anchors: set[str]) -> Iterator[tuple[int, str]]:
    for image in IMAGE.finditer(text):
        line = text.count("\n", 0, image.start())
        if not image[1].strip():
            yield line, "a picture without words: write what it shows between ![ and ]"
        if _leads_nowhere(image[2], set()):
            yield line, f"there is no picture {image[2]!r}, as seen from notebooks/"
    for link in LINK.finditer(text):
        if _leads_nowhere(link[1], anchors):
            goal = f"to {link[1]!r}, which is no heading here and no file" if link[1] else "to nothing"
            yield text.count("\n", 0, link.start()), f"a link {goal}"
    for almost in ALMOST_MEASURED.finditer(text):
        if almost[1] != "measured" and difflib.get_close_matches(almost[1], ["measured"], cutoff=0.7):
            yield text.count("\n", 0, almost.start()), f"{almost[0]!r} is no placeholder: write {{measured:…}}"


def _leads_nowhere(goal: str, anchors: set[str]) -> bool:
    if re.match(r"[a-z]+:", goal):  # https:, mailto:, attachment:
        return False
    file, _, anchor = goal.partition("#")
    if not file:
        return _anchor(anchor) not in anchors
    beside = layout.NOTEBOOKS / file
    return not beside.exists() and beside.stem not in layout.lesson_names()


def _anchor(heading: str) -> str:
    """What all programs make of a heading: some keep capitals, points and marks, some do not."""
    return re.sub(r"[\W_]+", "", re.sub(r"%[0-9A-Fa-f]{2}", "", heading)).lower()


class _Elements(HTMLParser):
    """Elements that are not closed, not shown, or pictures without words."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[tuple[str, int]] = []
        self._wrong: list[tuple[int, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        line = self.getpos()[0] - 1
        if tag not in SHOWN:
            self._wrong.append((line, f"<{tag}> is taken for HTML, and nothing of it is shown: write it between backticks"))
        elif tag not in VOID and tag not in HINTS:
            self._open.append((tag, line))
        if tag == "img" and not (dict(attrs).get("alt") or "").strip():
            self._wrong.append((line, 'a picture without words: write what it shows into alt="…"'))

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1][0] == tag:
            self._open.pop()
        elif tag in SHOWN and tag not in HINTS:
            self._wrong.append((self.getpos()[0] - 1, f"</{tag}> closes nothing that is open there"))

    def found(self) -> list[tuple[int, str]]:
        left = [(line, f"<{tag}> is never closed in its cell: what follows would be in it") for tag, line in self._open]
        return self._wrong + left


def _of_headings(lesson: Source) -> Iterator[tuple[int, str]]:
    """Marks without their blank, headings that stand twice, and levels that are left out, which one who moves by headings takes for a missing part."""
    level, seen = 0, dict[str, int]()
    for cell in _texts(lesson):
        for number, line in enumerate(without_fences(cell.source)[0].split("\n"), cell.line + 1):
            if tight := TIGHT.match(line):
                yield number, f"{line[:40]!r} is no heading without a blank behind #"
                level = len(tight[0]) - 1
            if found := HEADING.match(line):
                if len(found[1]) > level + 1:
                    yield number, f"a heading of level {len(found[1])} under one of level {level}: write {'#' * (level + 1)}"
                level = len(found[1])
                if found[0] in seen:
                    yield number, f"this heading stands at line {seen[found[0]]}, too: a link to it leads to the first"
                seen.setdefault(found[0], number)


def _of_numbers(lesson: Source) -> Iterator[tuple[int, str]]:
    """Placeholders of what was not measured."""
    numbers = Numbers(lesson.name)
    for cell in lesson.cells:
        for placeholder in PLACEHOLDER.finditer(cell.source):
            try:
                numbers.text(placeholder[1], placeholder[2] or "")
            except (UserError, ValueError) as error:
                yield cell.line + 1 + cell.source.count("\n", 0, placeholder.start()), f"{placeholder[0]}: {error}"
        if (at := PLACEHOLDER.sub(lambda found: " " * len(found[0]), cell.source).find("{measured:")) >= 0:
            yield cell.line + 1 + cell.source.count("\n", 0, at), "{measured: without its end: write {measured:EXPERIMENT.NAME:FORMAT}"
