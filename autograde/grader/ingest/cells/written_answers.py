"""A question's answer in words: all that a student put between the question and the next cell that the lesson gives, whatever the cells' kinds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from autograde.checking.cells import grade_id, noted
from autograde.grader.ingest.formats import script_file
from autograde.grader.ingest.formats.drawn import drawn
from autograde.grader.ingest.formats.notebook_file import RawCell

UNANSWERED = "YOUR ANSWER HERE"  # nbgrader's text of a question without an answer
ELSEWHERE = "*No answer was found at its place. These texts of the student's stand elsewhere in the notebook:*"
LOST = "*The file holds none of the lesson's texts, so the answer may have been lost with them: ask the student for it.*"
WHERE = {ELSEWHERE: "no answer at its place; a person has to look", LOST: "its texts are lost; a person has to ask for the answer"}
# Every part has a length and none is tried twice: text that is made to begin a thousand pictures and to end none is read in no time.
PICTURE = re.compile(r"!?\[([^\]]{0,300}+)\]\(attachment:([^)\s]{1,300}+)[^)]{0,300}+\)")
FILE = re.compile(
    r"""!\[[^\]]{0,300}+\]\((?!\w[\w+.-]{0,30}:)([^)\s]{1,300}+)[^)]{0,300}+\)"""
    r"""|<img\b[^<>]{0,300}?\bsrc=["']?(?!\w[\w+.-]{0,30}:)([^"'\s<>]{1,300}+)[^<>]{0,300}+>""",
    re.IGNORECASE,
)
NOTE = 12  # words of a text of a student's own, from which on it may be the answer, where its own place is empty
FAR = 4  # cells: what stands farther above does not say where the question was
ENDING, BEGINNING = 12, 8  # words of a text by which it is found again when a cell was edited or joined with another


@dataclass
class Answer:
    """The text with its pictures, as a Markdown cell keeps them; `note` is what had to be done to find it, `texts` the cells of words in it."""

    text: str = UNANSWERED
    attachments: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    texts: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Places:
    """Where in the lesson each submitted cell belongs: its position in the template, or None for the student's own. `path` is the file."""

    template: Sequence[NotebookNode]
    cells: Sequence[RawCell]
    of: Sequence[int | None]
    path: Path | None = None

    def answer(self, position: int, used: frozenset[int], in_pieces: bool) -> Answer:
        """The answer to the question whose own cell stands at `position`; cells that are `used` answer exercises."""
        name = grade_id(self.template[position])
        labelled = [i for i, cell in enumerate(self.cells) if name in (cell.grade_id, cell.cell_id)]
        start, above = self._question(position)
        region = [] if start is None else [i for i in self._region(start, position) if i not in used]
        # the question's cell may hold the beginning of the answer, or all of it
        pieces = [above, *(self._text(i) for i in dict.fromkeys(sorted({*labelled, *region})))]
        text = _joined(pieces)
        if text == UNANSWERED:
            return self._without_cells(position, used, in_pieces, found=start is not None or bool(labelled))
        taken = {*labelled, *region, *([start] if start is not None else [])}
        pictures, own = self._pictures(taken), frozenset(i for i in {*labelled, *region} if self.cells[i].kind != "code")
        alone = not above and [i for i in region if i not in labelled] == [] and all(self.cells[i].kind == "markdown" for i in labelled)
        note = "" if alone else "all that stands between its question and the next given cell"
        return Answer(_without_lost_pictures(text, pictures), pictures, note, own)

    def _without_cells(self, position: int, used: frozenset[int], in_pieces: bool, found: bool) -> Answer:
        """Nothing stands in the cells where it should."""
        if text := self._between(position):
            return Answer(text, note="found by the texts around it")
        words = any(cell.kind != "code" and cell.source.strip() for cell in self.cells)
        if not words or in_pieces and self._asked(position) is None:
            return Answer(LOST, note=WHERE[LOST])
        return self._elsewhere(used, NOTE if found else 1)

    def _question(self, position: int) -> tuple[int | None, str]:
        """The index of the question's cell, else of the nearest cell before it that the lesson gives; and what was written below the question."""
        if asked := self._asked(position):
            return asked[0], self._own(asked[1])
        place, index = max(((place, i) for i, place in enumerate(self.of) if place is not None and place < position), default=(-1, None))
        return (index, "") if place >= position - FAR else (None, "")

    def _asked(self, position: int) -> tuple[int, str] | None:
        """The cell with the question's last words, and what follows them in it."""
        end = _words(self.template[position - 1].source.split()[-ENDING:])
        for i, cell in enumerate(self.cells):
            if cell.kind != "code" and (found := list(end.finditer(cell.source))):
                return i, cell.source[found[-1].end() :]
        return None

    def _region(self, start: int, position: int) -> Iterator[int]:
        """The cells after the question, up to the next text or code that the lesson gives."""
        asked = self._asked(position)
        if asked and self._given_in(asked[1]) is not None:
            return
        for i in range(start + 1, len(self.cells)):
            if self.of[i] is not None and self.of[i] != position:
                return
            yield i
            if self._given_in(self.cells[i].source) is not None:
                return

    def _given_in(self, text: str) -> int | None:
        """Where in a text a text of the lesson begins: cells were joined, as in a script."""
        found = [match.start() for pattern in _beginnings(self.texts) if (match := pattern.search(text))]
        return min(found, default=None)

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts that the lesson gives."""
        return tuple(cell.source for cell in self.template if cell.cell_type == "markdown" and not noted(cell))

    @cached_property
    def said(self) -> str:
        """All that the lesson says, its code's comments too: a script gives back a comment above code as a text."""
        return "\0".join(" ".join(re.sub(r"(?m)^# ?", "", cell.source).split()) for cell in self.template)

    def _own(self, text: str) -> str:
        return text[: self._given_in(text)].replace(UNANSWERED, "").strip()

    def _text(self, index: int) -> str:
        """A cell's text as a part of an answer, and what it shows when it is code."""
        cell = self.cells[index]
        text = self._own(cell.source)
        if cell.kind != "code":
            return text
        return "\n\n".join(filter(None, [f"```python\n{text}\n```" if text and script_file.is_code(text) else text, self._drawn(index)[0]]))

    def _drawn(self, index: int) -> tuple[str, dict[str, dict[str, str]]]:
        return drawn(self.path, self.cells[index].outputs, f"output-{index}")

    def _pictures(self, indices: set[int]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for i in sorted(indices):
            found |= {**self.cells[i].attachments, **self._drawn(i)[1]}
        return found

    def _between(self, position: int) -> str:
        """An answer among texts that are not in cells of their own, as in a script: after the question, before the text that follows."""
        texts = (c.source if c.kind != "code" else "\0" + "\n".join(re.findall(r"^# ?(.*)", c.source, re.MULTILINE)) for c in self.cells)
        asked = self.template[position - 1]
        following = self.template[position + 1] if position + 1 < len(self.template) else None
        beginning = _words(asked.source.split()[-ENDING:]).search(text := "\n\n".join(texts))
        if not beginning or asked.cell_type != "markdown":
            return ""
        answer = text[beginning.end() :].split("\0")[0]
        if following is not None and following.cell_type == "markdown":
            answer = _words(following.source.split()[:BEGINNING]).split(answer)[0]
        return answer.replace(UNANSWERED, "").strip()

    def _elsewhere(self, used: frozenset[int], least: int) -> Answer:
        """Nothing is at its place: a person looks through what the student wrote elsewhere in so many words or more, in whichever cell."""
        own = {i for i, cell in enumerate(self.cells) if self.of[i] is None and i not in used and cell.kind != "code"}
        own = {i for i in own if len(words := self._text(i).split()) >= least and " ".join(words) not in self.said}
        texts = [text for i in sorted(own) if (text := self._text(i))]
        if not texts:
            return Answer()
        pictures = self._pictures(own)
        text = _without_lost_pictures("\n\n".join([ELSEWHERE, *texts]), pictures)
        return Answer(text, pictures, WHERE[ELSEWHERE], frozenset(own))


def is_written(cell: NotebookNode) -> bool:
    """Whether a cell holds an answer in words."""
    about = noted(cell)
    return cell.cell_type == "markdown" and bool(about.get("solution")) and cell.source.strip() not in ("", UNANSWERED, LOST)


def _joined(pieces: Sequence[str]) -> str:
    """Every piece once, in its order: a cell that was copied says nothing new."""
    kept: list[str] = []
    for piece in filter(None, pieces):
        if not any(piece in other for other in kept):
            kept.append(piece)
    return "\n\n".join(kept) or UNANSWERED


def _without_lost_pictures(text: str, attachments: Mapping[str, Any]) -> str:
    """What shows a cell stops at a picture that is not there."""
    lost = lambda found: found[0] if found[2] in attachments else f"(picture {found[2]}: not in the notebook)"  # noqa: E731
    return FILE.sub(lambda found: f"(picture {found[1] or found[2]}: a file that was not put into the notebook)", PICTURE.sub(lost, text))


@lru_cache(maxsize=64)
def _beginnings(texts: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(_words(text.split()[:BEGINNING]) for text in texts if len(text.split()) >= BEGINNING)


def _words(words: list[str]) -> re.Pattern[str]:
    return re.compile(r"\s+".join(map(re.escape, words)))
