"""A lesson as slides: its headings, equations, worked numbers, tables and figures; the rest of its text is in the speaker's notes."""

from __future__ import annotations

import ast
import copy
import importlib.util
import itertools
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import nbformat
from nbconvert import SlidesExporter
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from traitlets.config import Config

from autograde import layout
from autograde.checking.answers import STUB
from autograde.checking.manifest import read_manifest
from autograde.site.lessons import lesson_page
from autograde.site.questions import about_anything, about_figures, about_formulas, about_sections, about_tables, about_words, untitled
from autograde.site.typeset import alone, glued, narrowed

TEMPLATES = Path(__file__).parent
HEADING = re.compile(r"^(#{1,3}) +(.+)$")
HINT = re.compile(r"<details.*?</details>", re.DOTALL)
ITEM = re.compile(r"^(?:[-*]|\d+\.) +", re.MULTILINE)
BAR_IN_CODE = re.compile(r"`([^`\n]*\\\|[^`\n]*)`")  # in a table nbconvert shows the backslash, too
_NEXT = r"(?<!et al\.)(?<![ (][A-Z]\.)\s+(?=[A-Z*$`“\"(])"  # not behind `et al.` and initials
SENTENCE = re.compile(r"(?:(?<=[.!?])|(?<=[.!?][\"”*])|(?<=[.!?]\*\*))" + _NEXT)
CLAUSE = re.compile(r"(?<=[.!?:])" + _NEXT)  # of a sentence that is too long
ABOUT = re.compile(r"exercise|points|minutes|sources|written question", re.IGNORECASE)
EFFORT = re.compile(r"\s*\([●○]+[^)]*\)|[●○]+ · .*$|\(\d+ points[^)]*\)")  # behind a heading: of use to who does it alone
SOURCES = re.compile(r"^\*\*Sources", re.MULTILINE)  # and all that follows in the cell
OPEN = re.compile(r"(^\*{1,2}Worked[^\n]*(?:\n[^\n]+)*[^.!?\s])\s*\n(?=\s*\$\$)", re.MULTILINE)  # a worked number that its formula ends
NOT_SAID = re.compile(r"YOUR ANSWER HERE|^\*[●○]+ ·|^\*[\d.]+ points|colab\.research")  # `*●○○ · 10 minutes · 1 point*`, `*3 points*`
CODE = "```python"
NAME = re.compile(r"^(?:def|class) (\w+)", re.MULTILINE)
WHAT_IS_SEEN = "What do you see, and what had you expected?"
ABOUT_A_MISTAKE = "A wrong answer gets this message: “{}” What did its author write, and how does the output show it?"
FIRST_INPUT = "On which small input would you try `{}` first, and what must come out?"
BLOCKS, LINES, FIRSTS, ITEMS, ROWS, WORDS = 3, 14, 4, 6, 9, 60  # of a slide: more than that is read, not seen
HIGH = 17  # lines that the screen holds, with what an exercise asks for
SHORT, PAIR = 9, 35  # words: a sentence shorter than this says little alone ("**Padding.**"); two are at most this long
LONG_ENOUGH = 5  # words of a question that another slide lends
TOLD = 4  # lines of what an exercise is to do
BEFORE, BESIDE = 4, 6  # lines: a slide of no more takes the figure that follows; what stands beside a figure


@dataclass
class Slide:
    """What an audience sees, and what the lecturer says; `figure` is a code cell with outputs, or none."""

    heading: str
    level: int
    shown: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    figure: NotebookNode | None = None
    drawn: NotebookNode | None = None  # the cell of the figure, with its code
    asked: str = ""  # a question that no other slide asks

    @property
    def asks(self) -> bool:
        """Whether it is an exercise: it shows what is to be written."""
        return any(block.startswith(CODE) for block in self.shown)

    @property
    def exercise(self) -> str:
        """The name of what it asks to write."""
        names = [NAME.search(block) for block in self.shown if block.startswith(CODE)]
        return names[-1][1] if names and names[-1] else ""

    @property
    def questions(self) -> list[str]:
        """The questions in the slide's own text, each short one with the sentence before it, and its heading where that is one."""
        found = []
        for text in [*(part for block in self.said for part in ITEM.split(block)), untitled(self.heading)]:
            sentences = SENTENCE.split(" ".join(text.removeprefix("> ").split()))
            for before, sentence in zip(["", *sentences], sentences):
                if sentence.rstrip("*_ ").endswith("?"):
                    both = f"{before} {sentence}".strip() if len(sentence.split()) < LONG_ENOUGH else sentence
                    found.append(_paired(both if _whole(both) else sentence))
        return found

    @property
    def question(self) -> str:
        """What to ask: a question of the text, here or near, or one about what the slide shows; else what fits any."""
        return self.asked or WHAT_IS_SEEN

    @property
    def about(self) -> Iterator[str]:
        """What can be asked of its own figure, formula, table or words."""
        alt = self.drawn.metadata.get("mystnb", {}).get("image", {}).get("alt", "") if self.drawn else ""
        yield from about_figures(alt, self.drawn)
        shown = "\n\n".join(self.shown)
        yield from about_formulas(shown)
        yield from about_tables(shown)
        yield from about_words(self.heading, self.shown, self.said)
        yield from about_anything(self.heading, self.figure is not None)

    @property
    def lines(self) -> int:
        return sum(map(_lines, self.shown))


def slides(page: NotebookNode, mistakes: Mapping[str, Sequence[str]] | None = None) -> list[Slide]:
    """The slides of a lesson's page (`autograde.site.lessons.lesson_page`), in its order.

    `mistakes` are the sentences that name an exercise's known mistakes: an exercise without a question of its own asks about the first.
    """
    found: list[Slide] = []
    section = ""
    for cell in page.cells:
        if cell.cell_type == "markdown":
            for heading, level, blocks in _sections(HINT.sub("", cell.source)):
                section = heading if heading and level <= 2 else section
                if heading or not found:
                    found.append(Slide(heading, level))
                elif found[-1].asks:  # what follows an exercise is no part of it: it leads to a figure, or to the next one
                    found.append(Slide(section, 3))
                _fill(found, blocks)
        elif cell.get("outputs"):
            _show(found, cell)
        elif found and STUB in cell.source:
            _add(found, _signature(cell.source))
    kept = [slide for slide in found if slide.shown or slide.figure or slide.level == 1]
    _ask(kept, mistakes or {})
    return kept


def _ask(found: list[Slide], mistakes: Mapping[str, Sequence[str]]) -> None:
    """Give each slide a question that no other has: its own, for an exercise one about a known mistake, else the nearest one of its section."""
    taken: set[str] = set()

    def give(slide: Slide, questions: Iterable[str]) -> None:
        slide.asked = slide.asked or next((question for question in questions if question not in taken), "")
        taken.add(slide.asked)

    for slide in found:
        give(slide, slide.questions)
    sections = sorted({0, len(found), *(number for number, slide in enumerate(found) if slide.level <= 2)})
    for begin, end in itertools.pairwise(sections):
        for number, slide in enumerate(found[begin:end], begin):
            if slide.asks:
                give(slide, (ABOUT_A_MISTAKE.format(sentence) for sentence in mistakes.get(slide.exercise, ())))
                give(slide, [FIRST_INPUT.format(slide.exercise)])
            nearest = sorted(range(begin, end), key=lambda other: abs(other - number))  # noqa: B023 — used at once
            give(slide, (question for other in nearest for question in found[other].questions if len(question.split()) >= LONG_ENOUGH))
            if number in (0, sections[-2]):
                give(slide, about_sections(other.heading for other in found if other.level == 2))
            give(slide, slide.about)


def _paired(sentence: str) -> str:
    """Without a star or a bracket that is paired with one in another sentence."""
    sentence = sentence.strip("*_ ") if sentence.count("*") % 2 else sentence
    return sentence.removeprefix("(") if ")" not in sentence else sentence


def _fill(found: list[Slide], blocks: list[str]) -> None:
    """Give the last slide what is worth seeing, more slides when that is much, and all of it as notes.

    Where there is nothing but prose its paragraphs' first sentences are shown.
    """
    seen = [_seen(block) for block in blocks]
    prose = [_first(block) for block, shown in zip(blocks, seen) if not shown and not block.startswith("|")]
    beside = found[-1].lines + sum(map(_lines, prose[:1]))
    if found[-1].figure and (any(seen) or beside > BESIDE):  # there is room for a sentence or two beside a figure, for no table or formula
        found.append(Slide(found[-1].heading, 3))
    if not any(seen) and not found[-1].figure:
        firsts = [sentence for sentence in prose if sentence][:FIRSTS]
        for shown in ["\n".join(f"- {sentence}" for sentence in firsts)] if len(firsts) > 1 else firsts:
            _add(found, shown)
    elif prose and prose[0] and not seen[0]:
        _add(found, prose[0])
    for block, shown in zip(blocks, seen):
        if shown and (len(found[-1].shown) >= BLOCKS or found[-1].lines + _lines(shown) > LINES):
            found.append(Slide(found[-1].heading, 3))
        found[-1].shown += [shown] if shown else []
        found[-1].said.append(block)


def _add(found: list[Slide], shown: str) -> None:
    """Show this on the last slide, or where that would be higher than the screen, on one more."""
    if found[-1].shown and found[-1].lines + _lines(shown) > HIGH:
        found.append(Slide(found[-1].heading, 3))
    found[-1].shown.append(shown)


def _lines(block: str) -> int:
    """How many lines of a slide a block takes, about; a formula takes three, and lines of code are lower than others."""
    if block.startswith(CODE):
        return 1 + (3 * len(block.splitlines()) - 6) // 4
    rows = [line for line in block.splitlines() if not line.startswith("| ---")]
    return sum(1 + len(row) // (120 if row.startswith("|") else 85) for row in rows) + 2 * block.count("$$") // 2 + 1


def _seen(block: str) -> str:
    """What an audience should see of a block of Markdown; nothing of plain prose."""
    if block.startswith("|"):
        block = BAR_IN_CODE.sub(lambda code: f"<code>{escape(code[1], quote=False)}</code>".replace("\\|", "&#124;"), block)
        return block if len(block.splitlines()) <= ROWS and not ABOUT.search(block.splitlines()[0]) else ""
    if ITEM.match(block):
        marks = ITEM.findall(block)
        return "\n".join(mark + _first(text) for mark, text in zip(marks, ITEM.split(block)[1:])) if len(marks) <= ITEMS else ""
    worked = block.startswith(("*Worked", "**Worked")) and len(block.split()) <= WORDS
    return alone(block) if "$$" in block or block.startswith((">", "```")) or worked else ""


def _first(text: str) -> str:
    """The first sentence, if it is no longer than a slide bears, else what stands before its colon; where it is short, the next one, too."""
    words = " ".join(ITEM.split(text)[0].split())  # a list below it is no part of it
    firsts = [ends.split(words) for ends in (SENTENCE, CLAUSE)]
    first = next((said[0] for said in firsts if _whole(said[0])), "")
    both = " ".join(firsts[0][:2])
    return both if len(first.split()) < SHORT and len(both.split()) <= PAIR and _whole(both) and not both.endswith(":") else first


def _whole(words: str) -> bool:
    """Whether this is no longer than a slide bears, and cut within no formula and no code."""
    return len(words.split()) <= WORDS and words.count("$") % 2 == 0 and words.count("`") % 2 == 0


def _sections(text: str) -> Iterator[tuple[str, int, list[str]]]:
    """(heading, level, blocks) of a cell; no heading for what stands before the first."""
    heading, level, lines = "", 0, list[str]()
    for line in text.splitlines():
        if found := HEADING.match(line):
            if heading or _blocks(lines):
                yield heading, level, _blocks(lines)
            heading, level, lines = EFFORT.sub("", found[2]).strip(" ·"), len(found[1]), []
        else:
            lines.append(line)
    yield heading, level, _blocks(lines)


def _blocks(lines: Iterable[str]) -> list[str]:
    text = OPEN.sub(r"\1\n", SOURCES.split("\n".join(lines))[0].strip())
    return [block.strip() for block in re.split(r"\n\s*\n", text) if block.strip() and not NOT_SAID.search(block)]


def _show(found: list[Slide], cell: NotebookNode) -> None:
    """A figure: on the slide that leads to it, where there is room, else on one more."""
    shown = new_code_cell("", outputs=copy.deepcopy(cell.outputs))
    for output in (output for output in shown.outputs if output.output_type == "stream"):
        output.text = narrowed(output.text)
    shown.metadata["tags"] = ["figure"]
    alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
    last = found[-1]
    if last.figure or last.asks or last.level == 1 or last.lines > BEFORE or any(_seen(block) for block in last.shown):
        found.append(Slide(last.heading, 3, [], last.said[-2:]))
    found[-1].figure, found[-1].drawn = shown, cell
    found[-1].said[:0] = [f"The figure: {alt}."] if alt else []


def _signature(code: str) -> str:
    """The heads of the functions or classes that an exercise asks for, each with the first paragraph of what it is to do."""
    tree = ast.parse(code)
    lines = code.splitlines()
    heads: list[str] = []
    for node in (node for top in tree.body for node in [top, *(top.body if isinstance(top, ast.ClassDef) else [])]):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            heads += lines[node.lineno - 1 : node.body[0].lineno - 1]
            told = ast.get_docstring(node) if node in tree.body else None
            heads += [f"    # {line}" for line in (told or "").split("\n\n")[0].splitlines()[:TOLD]]
    return CODE + "\n" + "\n".join(heads).rstrip() + "\n```"


def deck(name: str) -> NotebookNode:
    """The slides of lesson `name` as a notebook with nbconvert's metadata."""
    made = new_notebook(metadata={"title": name})
    mistakes = {exercise: [mistake["sentence"] for mistake in known] for exercise, known in read_manifest(name)["mistakes"].items()}
    for slide in slides(lesson_page(name), mistakes):
        kind = "slide" if slide.level in (1, 2) else "subslide"
        text = "\n\n".join([f"{'#' * min(slide.level, 2)} {slide.heading}" if slide.heading else "", *slide.shown]).strip()
        made.cells.append(_cell(new_markdown_cell(glued(text)), kind))
        if slide.figure:
            made.cells.append(_cell(slide.figure, "-"))
        ask = [f"**Ask:** {slide.question}"] if slide.question else []
        made.cells.append(_cell(new_markdown_cell("\n\n".join([*ask, *slide.said])), "notes"))
    for number, cell in enumerate(made.cells):
        cell.id = f"slide-{number}"
    return made


def _cell(cell: NotebookNode, kind: str) -> NotebookNode:
    cell.metadata["slideshow"] = {"slide_type": kind}
    return cell


def build(out: Path, lessons: Iterable[str] | None = None) -> list[Path]:
    """Write a file of slides for each lesson into `out`, and beside them the scripts that they need: nothing comes from a network.

    Raises:
        autograde.site.lessons.PageError: where a lesson's executed notebook is older than its source.
    """
    out.mkdir(parents=True, exist_ok=True)
    _copy_scripts(out)
    exporter = SlidesExporter(config=_config(), template_name="deck", extra_template_basedirs=[str(TEMPLATES)])
    written = []
    for name in lessons or layout.lesson_names():
        page, _ = exporter.from_notebook_node(nbformat.from_dict(deck(name)))
        written.append(out / f"{name}.html")
        written[-1].write_text(page, encoding="utf-8")
    return written


def _config() -> Config:
    settings = {"exclude_input": True, "reveal_url_prefix": "reveal", "reveal_theme": "white"}
    return Config({"SlidesExporter": settings})


def _copy_scripts(out: Path) -> None:
    """reveal.js from the wheel of sphinx-revealjs and MathJax from that of sphinx-mathjax-offline: pinned, and checked by pip."""
    reveal = _packaged("sphinx_revealjs") / "_static" / "revealjs"
    for part in ("dist", "plugin/notes"):
        shutil.copytree(reveal / part, out / "reveal" / part, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.map", "*.esm.js"))
    mathjax = _packaged("sphinx-mathjax-offline") / "static" / "mathjax"
    shutil.copytree(mathjax / "input" / "tex" / "extensions", out / "mathjax" / "input" / "tex" / "extensions", dirs_exist_ok=True)
    shutil.copy(mathjax / "tex-svg.js", out / "mathjax")
    shutil.copy(TEMPLATES / "deck" / "slides.css", out)


def _packaged(name: str) -> Path:
    found = importlib.util.find_spec(name)
    assert found is not None and found.origin is not None, f"the package {name} is missing: `make slides` installs it"
    return Path(found.origin).parent
